package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.memory.LittleEndian;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a driver finds in memory when frames arrive. */
class NicReceiveTest {
  private static final byte[] SOURCE = OffloadFrames.address("66.9.149.187");
  private static final byte[] DESTINATION = OffloadFrames.address("161.142.100.80");

  private final NicBench bench = new NicBench();

  @ParameterizedTest
  @ValueSource(ints = {1, 8})
  void shouldDeliverFramesInOrder(int prefetch) {
    NicBench other = new NicBench(NicBench.CONFIG.withRxPrefetchDescriptors(prefetch));
    NicBench.RxRing ring = other.rxRing(0, 64).post(63);
    byte[][] frames = new byte[60][];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = NicBench.frame(60 + 23 * i, i);
    }

    other.receiveAtLineRate(frames);
    other.run();

    assertThat(ring.takeAll()).containsExactly(frames);
    assertThat(ring.head()).isEqualTo(60);
    assertThat(other.read(NicRegisters.GPRC)).isEqualTo(60);
    assertThat(other.nic.framesInFifoCount()).isZero();
    // Single fetches: one read per frame. Prefetch 8: the last read takes what is left of 63.
    assertThat(other.port.upstream().memoryReadsTotal()).isEqualTo(prefetch == 1 ? 60 : 8);
  }

  @Test
  void shouldSpanDescriptorsAcrossTheEndOfTheRing() {
    bench.write(NicRegisters.HLREG0, bench.read(NicRegisters.HLREG0) | NicRegisters.HLREG0_JUMBOEN);
    bench.write(NicRegisters.MAXFRS, 9018 << NicRegisters.MAXFRS_SHIFT);
    NicBench.RxRing ring = bench.rxRing(0, 8, 1024).post(7);
    bench.receive(NicBench.frame(5 * 1024, 1));
    bench.run();
    assertThat(ring.take()).hasSize(5 * 1024);
    ring.post(5);

    byte[] frame = NicBench.frame(4 * 1024 + 100, 2);
    bench.receive(frame);
    bench.run();

    // Descriptors 5, 6, 7, 0 and 1.
    int[] used = {5, 6, 7, 0, 1};
    for (int i = 0; i < 5; i++) {
      int status = ring.status(used[i]);
      assertThat(status & RxDescriptorLayout.STATUS_DD).isEqualTo(1);
      assertThat(status & RxDescriptorLayout.STATUS_EOP).isEqualTo(i == 4 ? 2 : 0);
      assertThat(RxDescriptorLayout.lengthBytes(ring.high(used[i]))).isEqualTo(i == 4 ? 100 : 1024);
    }
    assertThat(ring.head()).isEqualTo(2);
    assertThat(ring.take()).isEqualTo(frame);
    assertThat(ring.hasNext()).isFalse();
  }

  @Test
  void shouldFillABufferToTheLastByteWithOneDescriptor() {
    NicBench.RxRing ring = bench.rxRing(0, 8, 1024).post(7);

    bench.receive(NicBench.frame(1024, 1));
    bench.receive(NicBench.frame(1025, 2));
    bench.run();

    assertThat(ring.take()).isEqualTo(NicBench.frame(1024, 1));
    assertThat(ring.next).isEqualTo(1);
    assertThat(ring.take()).isEqualTo(NicBench.frame(1025, 2));
    assertThat(ring.next).isEqualTo(3);
  }

  @Test
  void shouldWriteLegacyDescriptorsThatKeepTheirAddresses() {
    NicBench.RxRing ring = bench.new RxRing(0, 8, 1024);
    ring.enable(NicRegisters.SRRCTL_DESCTYPE_LEGACY, NicRegisters.RXDCTL_VME);
    ring.post(7);
    byte[] frame = tagged(NicBench.frame(1500, 3), 0x8100, 0xE123);

    bench.receive(frame);
    bench.run();

    // 1500 bytes after the tag has been taken out: 1024 and 476.
    assertThat(ring.low(0)).isEqualTo(ring.buffer(0));
    assertThat(ring.low(1)).isEqualTo(ring.buffer(1));
    assertThat(RxDescriptorLayout.legacyStatus(ring.high(0))).isEqualTo(1);
    assertThat(RxDescriptorLayout.legacyLengthBytes(ring.high(0))).isEqualTo(1024);
    assertThat(RxDescriptorLayout.legacyStatus(ring.high(1))).isEqualTo(1 | 2 | 8);
    assertThat(RxDescriptorLayout.legacyErrors(ring.high(1))).isZero();
    assertThat(RxDescriptorLayout.legacyLengthBytes(ring.high(1))).isEqualTo(476);
    assertThat(RxDescriptorLayout.vlanTag(ring.high(1))).isEqualTo(0xE123);
  }

  @Test
  void shouldReportStatusWithTheLastDescriptorAndTheTagWithEach() {
    NicBench.RxRing ring = bench.new RxRing(0, 8, 1024);
    ring.enable(NicRegisters.SRRCTL_DESCTYPE_ADV_ONEBUF, NicRegisters.RXDCTL_VME);
    ring.post(7);

    bench.receive(tagged(NicBench.frame(1500, 3), 0x8100, 0xE123));
    bench.run();

    int last =
        RxDescriptorLayout.STATUS_DD | RxDescriptorLayout.STATUS_EOP | RxDescriptorLayout.STATUS_VP;
    assertThat(ring.high(0))
        .isEqualTo(RxDescriptorLayout.writeBackHigh(RxDescriptorLayout.STATUS_DD, 1024, 0xE123));
    assertThat(ring.high(1)).isEqualTo(RxDescriptorLayout.writeBackHigh(last, 476, 0xE123));
  }

  @Test
  void shouldReportABadHeaderChecksumInALegacyDescriptor() {
    NicBench.RxRing ring = bench.new RxRing(0, 8, 2048);
    ring.enable(NicRegisters.SRRCTL_DESCTYPE_LEGACY, 0);
    ring.post(7);
    byte[] frame = udp(100);
    frame[14 + 10] ^= 1;

    bench.receive(frame);
    bench.run();

    // IPE is bit 31 of the advanced format, bit 7 here.
    assertThat(RxDescriptorLayout.legacyErrors(ring.high(0))).isEqualTo(0x80);
  }

  @Test
  void shouldTakeOutTheTagThatVlnctrlNames() {
    NicBench.RxRing ring = bench.new RxRing(0, 16, 2048);
    ring.enable(NicRegisters.SRRCTL_DESCTYPE_ADV_ONEBUF, NicRegisters.RXDCTL_VME);
    ring.post(15);
    byte[] plain = NicBench.frame(100, 4);

    bench.receive(tagged(plain, 0x8100, 0x2005));
    bench.receive(plain);
    bench.receive(tagged(plain, 0x88A8, 0x2005));
    bench.write(NicRegisters.VLNCTRL, 0x9100);
    bench.receive(tagged(plain, 0x9100, 0x7FFF));
    bench.write(NicRegisters.rxdctl(0), NicRegisters.RXDCTL_ENABLE);
    bench.receive(tagged(plain, 0x9100, 0x7FFF));
    bench.run();

    assertThat(ring.status(0) & RxDescriptorLayout.STATUS_VP).isNotZero();
    assertThat(RxDescriptorLayout.vlanTag(ring.high(0))).isEqualTo(0x2005);
    assertThat(ring.status(1) & RxDescriptorLayout.STATUS_VP).isZero();
    assertThat(ring.status(2) & RxDescriptorLayout.STATUS_VP).isZero();
    assertThat(RxDescriptorLayout.vlanTag(ring.high(2))).isZero();
    assertThat(RxDescriptorLayout.vlanTag(ring.high(3))).isEqualTo(0x7FFF);
    assertThat(ring.status(4) & RxDescriptorLayout.STATUS_VP).isZero();
    assertThat(ring.takeAll())
        .containsExactly(
            plain, plain, tagged(plain, 0x88A8, 0x2005), plain, tagged(plain, 0x9100, 0x7FFF));
  }

  @Test
  void shouldLeaveTheSendersFcsWhenItIsNotStripped() {
    bench.write(
        NicRegisters.HLREG0, bench.read(NicRegisters.HLREG0) & ~NicRegisters.HLREG0_RXCRCSTRP);
    NicBench.RxRing ring = bench.new RxRing(0, 16, 2048);
    ring.enable(NicRegisters.SRRCTL_DESCTYPE_ADV_ONEBUF, NicRegisters.RXDCTL_VME);
    ring.post(15);
    byte[] plain = NicBench.frame(1514, 5);
    byte[] tagged = tagged(plain, 0x8100, 1);

    bench.receive(plain);
    bench.receive(tagged);
    bench.run();

    assertThat(ring.take()).isEqualTo(OffloadFrames.join(plain, fcs(plain)));
    assertThat(ring.take()).isEqualTo(OffloadFrames.join(plain, fcs(tagged)));
    // Octets are those on the wire: 1518 and 1522.
    assertThat(bench.read(NicRegisters.qbrcl(0))).isEqualTo(1518 + 1522);
    assertThat(bench.read(NicRegisters.GORCL)).isEqualTo(1518 + 1522);
  }

  @Test
  void shouldReportTypeAndChecksums() {
    bench.write(NicRegisters.RXCSUM, NicRegisters.RXCSUM_PCSD);
    NicBench.RxRing ring = bench.rxRing(0, 16).post(15);
    byte[] bad = udp(100);
    bad[50] ^= 1;

    bench.receive(udp(100));
    bench.receive(bad);
    bench.receive(NicBench.frame(60, 1));
    bench.run();

    int type = RxDescriptorLayout.TYPE_IPV4 | RxDescriptorLayout.TYPE_UDP;
    assertThat(RxDescriptorLayout.packetType(ring.low(0))).isEqualTo(type);
    assertThat(RxDescriptorLayout.packetType(ring.low(2))).isZero();
    int checked =
        RxDescriptorLayout.STATUS_IPCS
            | RxDescriptorLayout.STATUS_L4CS
            | RxDescriptorLayout.STATUS_UDPCS;
    assertThat(ring.status(0)).isEqualTo(3 | checked);
    assertThat(RxDescriptorLayout.errors(ring.high(0))).isZero();
    assertThat(RxDescriptorLayout.errors(ring.high(1))).isEqualTo(RxDescriptorLayout.ERROR_TCPE);
    assertThat(ring.status(2)).isEqualTo(3);
  }

  @Test
  void shouldSumFragmentsOnlyWhenAskedAndInPlaceOfTheHash() {
    bench.write(NicRegisters.MRQC, 1 | ReceiveSideScaling.FIELD_IPV4);
    NicBench.RxRing ring = bench.rxRing(0, 16).post(15);
    byte[] payload = {1, 2, 3, 4, 5, 6};
    byte[] fragment =
        OffloadFrames.join(
            OffloadFrames.ethernet(0x0800),
            OffloadFrames.ipv4(SOURCE, DESTINATION, OffloadFrames.UDP, 6, 0x2000 | 1, 20),
            payload,
            new byte[20]);
    int[] modes = {
      NicRegisters.RXCSUM_IPPCSE, 0, NicRegisters.RXCSUM_PCSD | NicRegisters.RXCSUM_IPPCSE
    };
    for (int mode : modes) {
      bench.write(NicRegisters.RXCSUM, mode);
      bench.receive(fragment);
    }
    bench.run();

    // 0102 + 0304 + 0506 = 090C; the identification is 1234.
    assertThat(RxDescriptorLayout.rssHash(ring.low(0))).isEqualTo(0x090C_1234);
    assertThat(ring.status(0) & RxDescriptorLayout.STATUS_UDPCS).isNotZero();
    assertThat(RxDescriptorLayout.rssHash(ring.low(1))).isEqualTo(0x0000_1234);
    assertThat(ring.status(1) & RxDescriptorLayout.STATUS_UDPCS).isZero();
    assertThat(RxDescriptorLayout.rssType(ring.low(2))).isEqualTo(RxDescriptorLayout.RSS_IPV4);
    assertThat(ring.status(2) & RxDescriptorLayout.STATUS_UDPCS).isZero();
  }

  @Test
  void shouldPutTheFragmentSumIntoALegacyDescriptor() {
    bench.write(NicRegisters.RXCSUM, NicRegisters.RXCSUM_IPPCSE);
    NicBench.RxRing ring = bench.new RxRing(0, 8, 2048);
    ring.enable(NicRegisters.SRRCTL_DESCTYPE_LEGACY, 0);
    ring.post(7);

    bench.receive(
        OffloadFrames.join(
            OffloadFrames.ethernet(0x0800),
            OffloadFrames.ipv4(SOURCE, DESTINATION, OffloadFrames.UDP, 2, 1, 20),
            new byte[] {(byte) 0xAB, (byte) 0xCD},
            new byte[24]));
    bench.run();

    assertThat(ring.high(0) >>> 16 & 0xFFFF).isEqualTo(0xABCD);
  }

  @Test
  void shouldSpreadFramesOverQueuesByTheirHash() {
    // The first row of the verification suite, data sheet 7.1.2.8.3: hash 51CCC178, entry 120.
    byte[] key =
        HexFormat.of()
            .parseHex(
                "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa");
    for (int i = 0; i < 10; i++) {
      bench.write(
          NicRegisters.rssrk(i),
          (int)
              LittleEndian.getLong(Arrays.copyOf(Arrays.copyOfRange(key, 4 * i, 4 * i + 4), 8), 0));
    }
    bench.write(NicRegisters.reta(120 / 4), 5);
    bench.write(NicRegisters.MRQC, 1 | ReceiveSideScaling.FIELD_IPV4_TCP);
    bench.write(NicRegisters.RXCSUM, NicRegisters.RXCSUM_PCSD);
    NicBench.RxRing first = bench.rxRing(0, 8).post(7);
    NicBench.RxRing fifth = bench.rxRing(5, 8).post(7);
    byte[] tcp =
        OffloadFrames.join(
            OffloadFrames.ethernet(0x0800),
            OffloadFrames.ipv4(SOURCE, DESTINATION, OffloadFrames.TCP, 40),
            OffloadFrames.tcp(2794, 1766, 0, 0, 20),
            new byte[20]);

    bench.receive(tcp);
    bench.receive(udp(60));
    bench.run();

    assertThat(RxDescriptorLayout.rssHash(fifth.low(0))).isEqualTo(0x51CCC178);
    assertThat(RxDescriptorLayout.rssType(fifth.low(0))).isEqualTo(RxDescriptorLayout.RSS_IPV4_TCP);
    assertThat(fifth.takeAll()).containsExactly(tcp);
    assertThat(RxDescriptorLayout.rssType(first.low(0))).isZero();
    assertThat(RxDescriptorLayout.rssHash(first.low(0))).isZero();
    assertThat(first.takeAll()).containsExactly(udp(60));
  }

  @Test
  void shouldMarkInexactMulticastAlone() {
    NicBench.RxRing ring = bench.rxRing(0, 16).post(15);
    bench.write(NicRegisters.ral(1), 0x00005E01);
    bench.write(NicRegisters.rah(1), 0x0302 | NicRegisters.RAH_AV);

    bench.receive(NicBench.setAddress(NicBench.frame(60, 1), 0x015E00000203L));
    bench.receive(NicBench.setAddress(NicBench.frame(60, 1), 0x015E00000204L));
    bench.receive(NicBench.setAddress(NicBench.frame(60, 1), 0xFFFFFFFFFFFFL));
    bench.run();

    assertThat(ring.status(0) & RxDescriptorLayout.STATUS_PIF).isZero();
    assertThat(ring.status(1) & RxDescriptorLayout.STATUS_PIF).isNotZero();
    assertThat(ring.status(2) & RxDescriptorLayout.STATUS_PIF).isZero();
  }

  @Test
  void shouldMarkWhatHasBeenLoopedBackAndHearNothingElse() {
    bench.write(NicRegisters.HLREG0, bench.read(NicRegisters.HLREG0) | NicRegisters.HLREG0_LPBK);
    NicBench.RxRing rx = bench.rxRing(0, 8).post(7);
    NicBench.TxRing tx = bench.txRing(0, 8, 0);
    byte[] frame = NicBench.frame(64, 6);

    bench.receive(frame);
    tx.add(frame).ring();
    bench.run();

    assertThat(rx.status(0) & RxDescriptorLayout.STATUS_LB).isNotZero();
    assertThat(rx.takeAll()).containsExactly(frame);
    assertThat(bench.sent).isEmpty();
    assertThat(bench.counter("rx_filtered_count")).isEqualTo(1);
    assertThat(bench.read(NicRegisters.TPR)).isEqualTo(1);
  }

  @Test
  void shouldDropFramesForAQueueThatIsOffAndSayWhere() {
    bench.receive(NicBench.frame(60, 1));
    bench.run();

    // QPRDC counts what a disabled queue drops, too (82599 data sheet, 8.2.3.23).
    assertThat(bench.read(NicRegisters.qprdc(0))).isEqualTo(1);
    assertThat(bench.read(NicRegisters.TPR)).isEqualTo(1);
    assertThat(bench.read(NicRegisters.GPRC)).isEqualTo(1);
    assertThat(bench.counter("rx_no_descriptor_count")).isEqualTo(1);
    assertThat(bench.port.upstream().bytesTotal()).isZero();
  }

  @Test
  void shouldNotTouchANewRingForFramesOfAnOldOne() {
    NicBench shared = NicBench.withNeighbour();
    NicBench.RxRing old = shared.rxRing(0, 64).post(63);
    shared.receive(NicBench.frame(60, 1)); // Its descriptor is being read.

    shared.write(NicRegisters.rxdctl(0), 0);
    NicBench.RxRing fresh = shared.rxRing(0, 8).post(7);
    shared.run();

    assertThat(old.hasNext()).isFalse();
    assertThat(fresh.hasNext()).isFalse();
    assertThat(fresh.head()).isZero();
    assertThat(shared.counter("rx_no_descriptor_count")).isEqualTo(1);
    shared.receive(NicBench.frame(60, 3));
    shared.run();
    assertThat(fresh.takeAll()).containsExactly(NicBench.frame(60, 3));
  }

  @Test
  void shouldKeepTheHeadWhenAQueueStops() {
    NicBench.RxRing ring = bench.rxRing(0, 8).post(7);
    bench.receive(NicBench.frame(60, 1));
    bench.run();

    bench.write(NicRegisters.rxdctl(0), NicRegisters.RXDCTL_SWFLSH);

    assertThat(ring.head()).isEqualTo(1);
    assertThat(bench.read(NicRegisters.rxdctl(0))).isZero();
  }

  private static byte[] udp(int frameBytes) {
    int payload = frameBytes - 42;
    byte[] frame =
        OffloadFrames.join(
            OffloadFrames.ethernet(0x0800),
            OffloadFrames.ipv4(SOURCE, DESTINATION, OffloadFrames.UDP, 8 + payload),
            OffloadFrames.udp(1000, 2000, payload),
            NicBench.frame(payload, 7));
    int sum =
        OffloadFrames.naivePseudoSum(frame, 14, true, OffloadFrames.UDP, 8 + payload)
            + OffloadFrames.naiveSum(frame, 34, 8 + payload);
    return OffloadFrames.with16(frame, 40, ~(sum + (sum >>> 16)) & 0xFFFF);
  }

  private static byte[] tagged(byte[] frame, int etherType, int tci) {
    byte[] tag = OffloadFrames.with16(OffloadFrames.with16(new byte[4], 0, etherType), 2, tci);
    return OffloadFrames.join(
        Arrays.copyOf(frame, 12), tag, Arrays.copyOfRange(frame, 12, frame.length));
  }

  private static byte[] fcs(byte[] frame) {
    CRC32 crc = new CRC32();
    crc.update(frame);
    byte[] fcs = new byte[4];
    for (int i = 0; i < 4; i++) {
      fcs[i] = (byte) (crc.getValue() >>> 8 * i);
    }
    return fcs;
  }
}
