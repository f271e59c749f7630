package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.trace.TraceCause;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** From descriptors to frames on the wire. */
class NicTransmitTest {
  private static final int FCS = TxDescriptorLayout.COMMAND_IFCS;
  private static final int EOP = TxDescriptorLayout.COMMAND_EOP;

  private final NicBench bench = new NicBench();

  @Test
  void shouldSendFramesInOrderAndCountThem() {
    NicBench.TxRing ring = bench.txRing(0, 64, 0);
    List<byte[]> frames = new ArrayList<>();
    int[] sizes = {60, 61, 124, 252, 508, 1020, 1514};
    for (int i = 0; i < sizes.length; i++) {
      frames.add(NicBench.frame(sizes[i], i));
      ring.add(frames.get(i));
    }
    frames.add(NicBench.setAddress(NicBench.frame(60, 7), 0xFFFFFFFFFFFFL));
    frames.add(NicBench.setAddress(NicBench.frame(60, 8), 0x01005E000001L));
    ring.add(frames.get(7)).add(frames.get(8)).ring();

    bench.run();

    assertThat(bench.sent).containsExactlyElementsOf(frames);
    assertThat(ring.head()).isEqualTo(9);
    // 60 + 61 + 124 + 252 + 508 + 1020 + 1514 + 2 x 60 = 3659, and 9 x 4 of FCS.
    assertThat(bench.read(NicRegisters.GOTCL)).isEqualTo(3695);
    assertThat(bench.read(NicRegisters.GOTCH)).isZero();
    assertThat(bench.read(NicRegisters.GPTC)).isEqualTo(9);
    assertThat(bench.read(NicRegisters.TPT)).isEqualTo(9);
    assertThat(bench.read(NicRegisters.BPTC)).isEqualTo(1);
    assertThat(bench.read(NicRegisters.MPTC)).isEqualTo(1);
    // With FCS: 64 three times; 65; 128; 256; 512; 1024 and 1518.
    int[] bins = {3, 1, 1, 1, 1, 2};
    for (int i = 0; i < bins.length; i++) {
      assertThat(bench.read(NicRegisters.PTC64 + 4 * i)).as("bin %d", i).isEqualTo(bins[i]);
    }
    assertThat(bench.read(NicRegisters.qptc(0))).isEqualTo(9);
    assertThat(bench.read(NicRegisters.qbtcl(0))).isEqualTo(3695);
  }

  @Test
  void shouldSendAtLineRateWhateverTheSizes() {
    NicBench.TxRing ring = bench.txRing(0, 512, 36 | 8 << 8);
    for (int i = 0; i < 500; i++) {
      ring.add(NicBench.frame(60, i));
    }
    ring.ring();

    bench.run();

    // 84 bytes of 800 ps each, until the last two, which are below HTHRESH, have to be fetched.
    double spanPs = bench.sentPs.get(497) - bench.sentPs.get(0);
    assertThat(spanPs / 497).isCloseTo(67_200, within(67.2));
    for (int i = 1; i < 500; i++) {
      assertThat(bench.sentPs.get(i) - bench.sentPs.get(i - 1)).isGreaterThanOrEqualTo(67_200);
    }
  }

  @ParameterizedTest
  @CsvSource({"14, true, 60", "59, true, 60", "60, true, 60", "14, false, 14", "59, false, 59"})
  void shouldPadToTheMinimumIfAsked(int lengthBytes, boolean pads, int sentBytes) {
    int hlreg0 = bench.read(NicRegisters.HLREG0);
    bench.write(NicRegisters.HLREG0, pads ? hlreg0 : hlreg0 & ~NicRegisters.HLREG0_TXPADEN);
    NicBench.TxRing ring = bench.txRing(0, 256, 0);
    for (int i = 0; i < 200; i++) {
      ring.add(NicBench.frame(1514, i));
    }
    ring.add(NicBench.frame(lengthBytes, 2)).ring();

    bench.run();

    // Zeros behind, nothing of the longer frames whose room it has.
    byte[] expected = Arrays.copyOf(NicBench.frame(lengthBytes, 2), sentBytes);
    assertThat(bench.sent.get(200)).isEqualTo(expected);
    assertThat(bench.read(NicRegisters.GOTCL)).isEqualTo(200 * 1518 + sentBytes + 4);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldGatherPacketsOverDescriptorsFetchesAndTheEndOfTheRing(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    NicBench other = new NicBench(NicBench.CONFIG.toBuilder().onChipTxDescriptors(3).build());
    NicBench.TxRing ring = other.txRing(0, 16, random.nextInt(4));
    List<byte[]> frames = new ArrayList<>();
    for (int round = 0; round < 60; round++) {
      int parts = 1 + random.nextInt(14);
      byte[] frame = {};
      for (int i = 0; i < parts; i++) {
        byte[] part = NicBench.frame((i == 0 ? 14 : 1) + random.nextInt(100), round * 20 + i);
        frame = OffloadFrames.join(frame, part);
        ring.add(part, i == parts - 1 ? EOP | FCS : FCS, 0, 0, 0);
      }
      ring.ring();
      other.run();
      frames.add(Arrays.copyOf(frame, Math.max(60, frame.length)));
    }

    assertThat(other.sent).as("seed %d", seed).containsExactlyElementsOf(frames);
  }

  @Test
  void shouldWaitForTheRestOfAPacket() {
    NicBench.TxRing ring = bench.txRing(0, 16, 0);
    byte[] frame = NicBench.frame(100, 1);
    ring.add(Arrays.copyOf(frame, 40), FCS, 0, 0, 100).ring();
    bench.run();
    assertThat(bench.sent).isEmpty();

    ring.add(Arrays.copyOfRange(frame, 40, 100), FCS | EOP, 0, 0, 100).ring();
    bench.run();

    assertThat(bench.sent).containsExactly(frame);
  }

  // Descriptors are read when none is on chip, or fewer than PTHRESH are and HTHRESH wait; 40 fit
  // on the chip, and a read ends with the ring.
  @ParameterizedTest
  @CsvSource({
    "64, 63, 0, 0, 40 23",
    "64, 40, 0, 0, 40",
    "128, 127, 0, 0, 40 40 40 7",
    "8, 7, 0, 0, 7"
  })
  void shouldFetchDescriptorsInTheReadsThatTheRulesGive(
      int size, int posted, int pthresh, int hthresh, String reads) {
    List<Long> fetched = new ArrayList<>();
    List<Long> addresses = new ArrayList<>();
    NicBench traced = tracedBench(fetched, addresses);
    NicBench.TxRing ring = traced.txRing(0, size, pthresh | hthresh << 8);
    for (int i = 0; i < posted; i++) {
      ring.add(NicBench.frame(60, i));
    }
    ring.ring();

    traced.run();

    assertThat(batches(fetched)).isEqualTo(reads);
    assertThat(addresses).hasSize(posted).doesNotHaveDuplicates();
    assertThat(traced.sent).hasSize(posted);
  }

  @Test
  void shouldPrefetchWhenFewAreOnChipAndEnoughWait() {
    List<Long> fetched = new ArrayList<>();
    // A descriptor takes longer than a read.
    NicBench traced =
        tracedBench(
            NicBench.CONFIG.withDescriptorsPerSecond(1_000_000), fetched, new ArrayList<>());
    NicBench.TxRing ring = traced.txRing(0, 128, 36 | 8 << 8);
    for (int i = 0; i < 60; i++) {
      ring.add(NicBench.frame(1000, i));
    }
    ring.ring();
    traced.run();

    // 40 at once. When 35 are left 20 wait, which is at least 8: 5 fit. Again at 35: 15 wait, 5
    // fit; 10 wait, 5 fit; 5 wait, fewer than 8: they come when the chip is empty.
    assertThat(batches(fetched)).isEqualTo("40 5 5 5 5");
  }

  @Test
  void shouldNotReadAcrossTheEndOfTheRing() {
    List<Long> fetched = new ArrayList<>();
    NicBench traced = tracedBench(fetched, new ArrayList<>());
    NicBench.TxRing ring = traced.txRing(0, 16, 0);
    for (int i = 0; i < 10; i++) {
      ring.add(NicBench.frame(60, i));
    }
    ring.ring();
    traced.run();
    for (int i = 0; i < 12; i++) {
      ring.add(NicBench.frame(60, i));
    }
    ring.ring();
    traced.run();

    // From 10: 6 up to the end, then 6 from the start.
    assertThat(batches(fetched)).isEqualTo("10 6 6");
    assertThat(traced.sent).hasSize(22);
  }

  @Test
  void shouldInsertATagFromDescriptorOrContext() {
    NicBench.TxRing ring = bench.txRing(0, 16, 0);
    bench.write(NicRegisters.DMATXCTL, NicRegisters.DMATXCTL_TE | 0x88A8 << 16);
    byte[] frame = NicBench.frame(56, 1);
    int vle = TxDescriptorLayout.COMMAND_VLE;
    ring.add(TxDescriptorLayout.contextLow(14, 20, 0xE123), context(0, 0));
    ring.add(TxDescriptorLayout.contextLow(14, 20, 0x0456), context(1, 0));
    ring.add(frame, EOP | FCS | vle, 0, 0, 56);
    ring.add(frame, EOP | FCS | vle, 0, 1, 56);
    bench.memory().copyIn(ring.buffer(4), frame, 0, 56);
    ring.add(ring.buffer(4), TxDescriptorLayout.legacyHigh(56, 0, EOP | FCS | vle, 0, 0x0789));
    ring.ring();

    bench.run();

    // 56 + 4 is the minimum: no padding.
    assertThat(bench.sent)
        .containsExactly(
            tagged(frame, 0x88A8, 0xE123),
            tagged(frame, 0x88A8, 0x0456),
            tagged(frame, 0x88A8, 0x0789));
  }

  @Test
  void shouldServeQueuesInTurnPacketByPacket() {
    // A descriptor takes longer than a read, so that all rings are there after the first.
    NicBench slow = new NicBench(NicBench.CONFIG.withDescriptorsPerSecond(1_000_000));
    NicBench.TxRing[] rings = new NicBench.TxRing[3];
    slow.write(NicRegisters.DMATXCTL, 0);
    for (int queue = 0; queue < 3; queue++) {
      rings[queue] = slow.txRing(7 * queue, 16, 0);
      for (int i = 0; i < 4; i++) {
        byte[] frame = NicBench.frame(100, 10 * queue + i);
        rings[queue].add(Arrays.copyOf(frame, 50), FCS, 0, 0, 100);
        rings[queue].add(Arrays.copyOfRange(frame, 50, 100), EOP | FCS, 0, 0, 100);
      }
      rings[queue].ring();
    }
    slow.write(NicRegisters.DMATXCTL, NicRegisters.DMATXCTL_TE);

    slow.run();

    List<byte[]> expected = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      for (int queue = 0; queue < 3; queue++) {
        expected.add(NicBench.frame(100, 10 * queue + i));
      }
    }
    assertThat(slow.sent).containsExactlyElementsOf(expected);
    for (int queue = 0; queue < 3; queue++) {
      assertThat(rings[queue].head()).isEqualTo(8);
    }
  }

  @Test
  void shouldWaitForTheLink() {
    bench.write(NicRegisters.AUTOC, 0);
    NicBench down = new NicBench(NicBench.CONFIG.withLinkUpPs(1_000_000_000L));
    NicBench.TxRing ring = down.txRing(0, 8, 0);
    ring.add(NicBench.frame(60, 1)).ring();
    down.simulation.runUntil(999_999_999L);
    assertThat(down.sent).isEmpty();
    assertThat(ring.head()).isZero();

    down.run();

    assertThat(down.nic.isLinkUp()).isTrue();
    assertThat(down.sent).hasSize(1);
  }

  @Test
  void shouldWaitForTransmitEnable() {
    bench.write(NicRegisters.DMATXCTL, 0);
    NicBench.TxRing ring = bench.txRing(0, 8, 0);
    ring.add(NicBench.frame(60, 1)).ring();
    bench.run();
    assertThat(bench.sent).isEmpty();

    bench.write(NicRegisters.DMATXCTL, NicRegisters.DMATXCTL_TE);
    bench.run();

    assertThat(bench.sent).hasSize(1);
  }

  @Test
  void shouldReadNoMoreThanTheFifoHolds() {
    bench.write(NicRegisters.txpbsize(0), 16 << 10);
    NicBench.TxRing ring = bench.txRing(0, 64, 0);
    for (int i = 0; i < 40; i++) {
      ring.add(NicBench.frame(1500, i));
    }
    ring.ring();

    // A frame is read when its descriptor is processed, and lasts 1.2 us on the wire. 10 frames
    // are 15,000 of 16,384 bytes, so that an eleventh is read when one has left.
    while (bench.sent.isEmpty() && bench.simulation.step()) {
      // Until the first frame has left.
    }
    bench.simulation.runUntil(bench.simulation.nowPs() + 1_000_000);
    // MRRS 512: three reads a frame; 640 bytes of descriptors are two.
    assertThat(bench.port.upstream().memoryReadsTotal()).isEqualTo(2 + 11 * 3);
    bench.run();
    assertThat(bench.sent).hasSize(40);
  }

  @Test
  void shouldGoOnWhereADisabledQueueStoppedAnotherInsideAPacket() {
    NicBench.TxRing first = bench.txRing(0, 8, 0);
    NicBench.TxRing second = bench.txRing(1, 8, 0);
    first.add(NicBench.frame(100, 1), FCS, 0, 0, 200).ring(); // No EOP: the rest never comes.
    bench.run();
    second.add(NicBench.frame(60, 2)).ring();
    bench.run();
    assertThat(bench.sent).isEmpty();

    bench.write(NicRegisters.txdctl(0), 0);
    bench.run();

    assertThat(bench.sent).containsExactly(NicBench.frame(60, 2));
    assertThat(bench.counter("tx_discarded_count")).isEqualTo(1);
  }

  @Test
  void shouldForgetAnOldRingWhenEnabledAnew() {
    NicBench.TxRing old = bench.txRing(0, 64, 0);
    for (int i = 0; i < 50; i++) {
      old.add(NicBench.frame(1000, i));
    }
    old.ring();
    bench.simulation.runUntil(bench.simulation.nowPs() + 100_000); // The first read is under way.

    for (int i = 0; i < 5; i++) {
      bench.write(NicRegisters.txdctl(0), 0);
      bench.write(NicRegisters.txdctl(0), NicRegisters.TXDCTL_ENABLE);
      bench.simulation.runUntil(bench.simulation.nowPs() + 300_000);
    }
    bench.write(NicRegisters.txdctl(0), 0);
    NicBench.TxRing fresh = bench.txRing(0, 8, 0);
    bench.sent.clear();
    fresh.add(NicBench.frame(60, 99)).ring();
    bench.run();

    assertThat(bench.sent).endsWith(NicBench.frame(60, 99));
    assertThat(fresh.head()).isEqualTo(1);
    assertThat(fresh.done()).containsExactly(0);
  }

  private static NicBench tracedBench(List<Long> fetchedPs, List<Long> addresses) {
    return tracedBench(NicBench.CONFIG, fetchedPs, addresses);
  }

  private static NicBench tracedBench(
      NicConfig config, List<Long> fetchedPs, List<Long> addresses) {
    Host host = new Host(HostConfig.GEN4_SERVER, 1);
    NicBench traced =
        new NicBench(
            host,
            config,
            (operation, step, cause, timePs, address, lengthBytes) -> {
              if (cause == TraceCause.DESCRIPTOR_FETCHED) {
                fetchedPs.add(timePs);
                addresses.add(address);
              }
            });
    host.enumerate();
    traced.start();
    return traced;
  }

  /** Descriptors that arrive together came with one read. */
  private static String batches(List<Long> timesPs) {
    StringBuilder text = new StringBuilder();
    int count = 0;
    for (int i = 0; i < timesPs.size(); i++) {
      count++;
      if (i + 1 == timesPs.size() || !timesPs.get(i + 1).equals(timesPs.get(i))) {
        text.append(text.isEmpty() ? "" : " ").append(count);
        count = 0;
      }
    }
    return text.toString();
  }

  private static long context(int index, int mssBytes) {
    return TxDescriptorLayout.contextHigh(true, TxDescriptorLayout.L4T_TCP, index, 20, mssBytes);
  }

  private static byte[] tagged(byte[] frame, int etherType, int tci) {
    byte[] tag = OffloadFrames.with16(OffloadFrames.with16(new byte[4], 0, etherType), 2, tci);
    return OffloadFrames.join(
        Arrays.copyOf(frame, 12), tag, Arrays.copyOfRange(frame, 12, frame.length));
  }
}
