package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checksums and segmentation as descriptors ask for them, seen on the wire. */
class NicTransmitOffloadTest {
  private static final byte[] SOURCE = OffloadFrames.address("10.0.0.1");
  private static final byte[] DESTINATION = OffloadFrames.address("10.0.0.2");
  private static final int END = NicBench.TxRing.EOP_FCS_RS;
  private static final int BOTH = TxDescriptorLayout.OPTION_IXSM | TxDescriptorLayout.OPTION_TXSM;

  private final NicBench bench = new NicBench();
  private final NicBench.TxRing ring = bench.txRing(0, 64, 0);

  @Test
  void shouldInsertTheChecksumsOfAContext() {
    byte[] frame = tcp(200, 0x18, true);

    addContext(0, 0).add(frame, END, BOTH, 0, frame.length).ring();
    bench.run();

    byte[] sent = bench.sent.get(0);
    assertThat(OffloadFrames.naiveSum(sent, 14, 20)).isEqualTo(0xFFFF);
    assertThat(OffloadFrames.verifies(sent, 14, true, 6, 34, 220)).isTrue();
    assertThat(Arrays.copyOfRange(sent, 54, 254)).isEqualTo(Arrays.copyOfRange(frame, 54, 254));
  }

  @Test
  void shouldLeaveChecksumsAloneThatNobodyAsksFor() {
    byte[] frame = tcp(200, 0x18, true);

    addContext(0, 0).add(frame, END, 0, 0, frame.length).ring();
    bench.run();

    assertThat(bench.sent).containsExactly(frame);
  }

  @Test
  void shouldKeepTwoContextsPerQueue() {
    NicBench.TxRing other = bench.txRing(1, 16, 0);
    // Queue 0: context 1 says TCP. Queue 1: context 1 says nothing, so TXSM makes no sense there.
    addContext(1, 0);
    ring.add(tcp(100, 0, true), END, BOTH, 1, 0).ring();
    other.add(tcp(100, 0, true), END, BOTH, 1, 0).ring();
    bench.run();

    assertThat(bench.sent).hasSize(1);
    assertThat(OffloadFrames.verifies(bench.sent.get(0), 14, true, 6, 34, 120)).isTrue();
    assertThat(bench.counter("tx_discarded_count")).isEqualTo(1);
    // The descriptor is done all the same.
    assertThat(other.done()).containsExactly(0);
  }

  @Test
  void shouldInsertALegacyChecksumWhereCssAndCsoSay() {
    byte[] frame = NicBench.frame(100, 1);
    OffloadFrames.with16(frame, 50, 0);
    bench.memory().copyIn(ring.buffer(0), frame, 0, 100);
    int command = END | TxDescriptorLayout.COMMAND_IC;
    ring.add(ring.buffer(0), TxDescriptorLayout.legacyHigh(100, 50, command, 34, 0)).ring();

    bench.run();

    byte[] sent = bench.sent.get(0);
    assertThat(OffloadFrames.naiveSum(sent, 34, 66)).isEqualTo(0xFFFF);
    OffloadFrames.with16(sent, 50, 0);
    assertThat(sent).isEqualTo(frame);
  }

  @Test
  void shouldDiscardALegacyChecksumOutsideTheFrame() {
    bench.memory().copyIn(ring.buffer(0), NicBench.frame(100, 1), 0, 100);
    int command = END | TxDescriptorLayout.COMMAND_IC;
    ring.add(ring.buffer(0), TxDescriptorLayout.legacyHigh(100, 99, command, 34, 0)).ring();

    bench.run();

    assertThat(bench.sent).isEmpty();
    assertThat(bench.counter("tx_discarded_count")).isEqualTo(1);
  }

  // Segments = ceil(payload / MSS); the last has the rest.
  @ParameterizedTest
  @CsvSource({"1000, 1460, 1", "2920, 1460, 2", "2921, 1460, 3", "9000, 1000, 9", "10, 1, 10"})
  void shouldSegmentAPacketGatheredFromSeveralBuffers(int payload, int mss, int segments) {
    byte[] packet = tcp(payload, 0x19, false); // FIN, PSH, ACK
    addContext(0, mss);
    addInPieces(packet, 700);
    ring.ring();

    bench.run();

    assertThat(bench.sent).hasSize(segments);
    int done = 0;
    for (int i = 0; i < segments; i++) {
      byte[] sent = bench.sent.get(i);
      int bytes = Math.min(mss, payload - done);
      assertThat(sent).hasSize(Math.max(60, 54 + bytes));
      assertThat(OffloadFrames.get16(sent, 16)).as("total length").isEqualTo(40 + bytes);
      assertThat(OffloadFrames.get16(sent, 18)).as("identification").isEqualTo(0x1234 + i);
      assertThat(OffloadFrames.get32(sent, 38)).as("sequence").isEqualTo(0x10000000 + done);
      int flags = i == segments - 1 ? 0x19 : 0x10;
      assertThat(OffloadFrames.get16(sent, 46)).as("flags").isEqualTo(5 << 12 | flags);
      assertThat(OffloadFrames.naiveSum(sent, 14, 20)).isEqualTo(0xFFFF);
      assertThat(OffloadFrames.verifies(sent, 14, true, 6, 34, 20 + bytes)).isTrue();
      assertThat(Arrays.copyOfRange(sent, 54, 54 + bytes))
          .isEqualTo(Arrays.copyOfRange(packet, 54 + done, 54 + done + bytes));
      done += bytes;
    }
    assertThat(done).isEqualTo(payload);
    assertThat(bench.read(NicRegisters.GPTC)).isEqualTo(segments);
    assertThat(bench.read(NicRegisters.qptc(0))).isEqualTo(segments);
  }

  @Test
  void shouldTakeTheFlagMasksOfTheRegisters() {
    assertThat(bench.read(NicRegisters.DTXTCPFLGL)).isEqualTo(0x0FF60FF6);
    assertThat(bench.read(NicRegisters.DTXTCPFLGH)).isEqualTo(0xF7F);
    bench.write(NicRegisters.DTXTCPFLGL, 0x0010_0011);
    bench.write(NicRegisters.DTXTCPFLGH, 0x0018);
    addContext(0, 100);
    addInPieces(tcp(300, 0xFF, false), 2000);
    ring.ring();

    bench.run();

    assertThat(OffloadFrames.get16(bench.sent.get(0), 46) & 0xFFF).isEqualTo(0x11);
    assertThat(OffloadFrames.get16(bench.sent.get(1), 46) & 0xFFF).isEqualTo(0x10);
    assertThat(OffloadFrames.get16(bench.sent.get(2), 46) & 0xFFF).isEqualTo(0x18);
  }

  @Test
  void shouldTagEverySegment() {
    ring.add(TxDescriptorLayout.contextLow(14, 20, 0x2007), context(0, 100));
    byte[] packet = tcp(250, 0x10, false);
    int command = END | TxDescriptorLayout.COMMAND_TSE | TxDescriptorLayout.COMMAND_VLE;
    ring.add(packet, command, BOTH, 0, 250).ring();

    bench.run();

    assertThat(bench.sent).hasSize(3);
    for (int i = 0; i < 3; i++) {
      byte[] sent = bench.sent.get(i);
      assertThat(OffloadFrames.get32(sent, 12)).isEqualTo(0x8100_2007);
      assertThat(OffloadFrames.get16(sent, 16)).isEqualTo(0x0800);
      assertThat(sent).hasSize(58 + (i == 2 ? 50 : 100));
    }
  }

  @Test
  void shouldSendSegmentsAsTheirBytesArrive() {
    addContext(0, 1000);
    addInPieces(tcp(20_000, 0x10, false), 2000);
    ring.ring();
    bench.run();

    // 1078 bytes of 800 ps: the wire never waits for the last of the data.
    assertThat(bench.sent).hasSize(20);
    for (int i = 1; i < 20; i++) {
      assertThat(bench.sentPs.get(i) - bench.sentPs.get(i - 1)).isEqualTo(1_078 * 800);
    }
  }

  // A frame holds up to 15.5 KiB = 15,872 bytes.
  @ParameterizedTest
  @CsvSource({"15818, 1", "15819, 0"})
  void shouldDiscardSegmentsThatNoFrameHolds(int mss, int sent) {
    addContext(0, mss);
    addInPieces(tcp(mss, 0x10, false), 2000);
    ring.ring();

    bench.run();

    assertThat(bench.sent).hasSize(sent);
    assertThat(bench.counter("tx_discarded_count")).isEqualTo(1 - sent);
    // Neither does it send them with the next packet.
    ring.add(NicBench.frame(60, 1)).ring();
    bench.run();
    assertThat(bench.sent).hasSize(sent + 1);
  }

  @ParameterizedTest
  @CsvSource({"15872, 1", "15873, 0"})
  void shouldDiscardPacketsThatNoFrameHolds(int bytes, int sent) {
    byte[] packet = NicBench.frame(bytes, 1);
    for (int at = 0; at < bytes; at += 2000) {
      boolean isEnd = at + 2000 >= bytes;
      byte[] piece = Arrays.copyOfRange(packet, at, Math.min(bytes, at + 2000));
      ring.add(piece, isEnd ? END : TxDescriptorLayout.COMMAND_IFCS, 0, 0, bytes);
    }
    ring.ring();

    bench.run();

    assertThat(bench.sent).hasSize(sent);
    assertThat(bench.counter("tx_discarded_count")).isEqualTo(1 - sent);
  }

  private NicBench.TxRing addContext(int index, int mssBytes) {
    return ring.add(TxDescriptorLayout.contextLow(14, 20, 0), context(index, mssBytes));
  }

  private void addInPieces(byte[] packet, int pieceBytes) {
    for (int at = 0; at < packet.length; at += pieceBytes) {
      boolean isEnd = at + pieceBytes >= packet.length;
      byte[] piece = Arrays.copyOfRange(packet, at, Math.min(packet.length, at + pieceBytes));
      int command = TxDescriptorLayout.COMMAND_IFCS | TxDescriptorLayout.COMMAND_TSE;
      ring.add(piece, isEnd ? command | END : command, BOTH, 0, packet.length - 54);
    }
  }

  private static long context(int index, int mssBytes) {
    return TxDescriptorLayout.contextHigh(true, TxDescriptorLayout.L4T_TCP, index, 20, mssBytes);
  }

  /** A packet whose checksum fields hold what a driver leaves there. */
  private static byte[] tcp(int payload, int flags, boolean withLength) {
    byte[] packet =
        OffloadFrames.join(
            OffloadFrames.ethernet(0x0800),
            OffloadFrames.ipv4(SOURCE, DESTINATION, OffloadFrames.TCP, 20 + payload),
            OffloadFrames.tcp(1, 2, 0x10000000, flags, 20),
            NicBench.frame(payload, payload));
    int l4Bytes = withLength ? 20 + payload : 0;
    int sum = OffloadFrames.naivePseudoSum(packet, 14, true, OffloadFrames.TCP, l4Bytes);
    return OffloadFrames.with16(packet, 50, sum);
  }
}
