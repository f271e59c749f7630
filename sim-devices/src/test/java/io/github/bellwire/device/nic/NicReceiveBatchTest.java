package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Receive descriptors fetched ahead and written back by groups. */
class NicReceiveBatchTest {
  private static final long DELAY_PS = 3_000_000;

  /** A write-back of 16 B and a read of descriptors take less than this after a frame's arrival. */
  private static final long SETTLED_PS = 1_500_000;

  private static NicBench grouping(int group) {
    return new NicBench(
        NicBench.CONFIG.toBuilder()
            .rxPrefetchDescriptors(8)
            .rxWriteBackDescriptors(group)
            .rxWriteBackDelayPs(DELAY_PS)
            .build());
  }

  private static void receive(NicBench bench, int frames) {
    for (int i = 0; i < frames; i++) {
      bench.receive(NicBench.frame(60 + i, i));
    }
    bench.simulation.runUntil(bench.simulation.nowPs() + SETTLED_PS);
  }

  @Test
  void shouldWriteFourDescriptorsOfSixteenBytesAtOnce() {
    NicBench bench = grouping(4);
    NicBench.RxRing ring = bench.rxRing(0, 64).post(63);

    receive(bench, 3);
    assertThat(ring.hasNext()).isFalse();
    assertThat(ring.head()).isZero();
    receive(bench, 1);

    assertThat(ring.takeAll())
        .containsExactly(
            NicBench.frame(60, 0),
            NicBench.frame(61, 1),
            NicBench.frame(62, 2),
            NicBench.frame(60, 0));
    assertThat(ring.head()).isEqualTo(4);
    // Four payloads and one write-back; 24 B of header each, below 64 B in whole double words.
    assertThat(bench.port.upstream().memoryWritesTotal()).isEqualTo(5);
    // 24 for the read; 24 + 60, 24 + 64, 24 + 64, 24 + 60; 24 + 4 x 16.
    assertThat(bench.port.upstream().bytesTotal()).isEqualTo(24 + 84 + 88 + 88 + 84 + 88);
  }

  @Test
  void shouldWriteAnIncompleteGroupAfterItsDelayAndAlignTheNext() {
    NicBench bench = grouping(4);
    NicBench.RxRing ring = bench.rxRing(0, 64).post(63);

    bench.receive(NicBench.frame(60, 0));
    // The payload leaves about 0.5 us after the arrival, when its descriptor has been read.
    bench.simulation.runUntil(bench.simulation.nowPs() + DELAY_PS);
    assertThat(ring.head()).isZero();
    bench.simulation.runUntil(bench.simulation.nowPs() + SETTLED_PS);
    assertThat(ring.takeAll()).hasSize(1);

    receive(bench, 3);
    assertThat(ring.takeAll()).hasSize(3);
    assertThat(ring.head()).isEqualTo(4);
  }

  @Test
  void shouldCountTheDelayFromTheFirstOfAGroup() {
    NicBench bench = grouping(64);
    NicBench.RxRing ring = bench.rxRing(0, 128).post(127);

    // One frame each 0.5 us for 5 us: the first group leaves although frames go on.
    for (int i = 0; i < 10; i++) {
      bench.receive(NicBench.frame(60, i));
      bench.simulation.runUntil(bench.simulation.nowPs() + 500_000);
    }

    // Written 3 us after the first payload had left at about 0.5 us: frames of 0..3.5 us.
    assertThat(ring.takeAll()).hasSizeBetween(6, 8);
    bench.run();
    assertThat(ring.head()).isEqualTo(10);
  }

  @Test
  void shouldWriteBackWhatIsDoneWhenSoftwareAsks() {
    NicBench bench = grouping(8);
    NicBench.RxRing ring = bench.rxRing(0, 64).post(63);
    receive(bench, 5);
    assertThat(ring.hasNext()).isFalse();

    bench.write(NicRegisters.rxdctl(0), NicRegisters.RXDCTL_ENABLE | NicRegisters.RXDCTL_SWFLSH);
    bench.simulation.runUntil(bench.simulation.nowPs() + SETTLED_PS);

    assertThat(ring.takeAll()).hasSize(5);
    assertThat(bench.read(NicRegisters.rxdctl(0))).isEqualTo(NicRegisters.RXDCTL_ENABLE);
  }

  @Test
  void shouldWriteBackWhatIsDoneWhenAQueueStops() {
    NicBench bench = grouping(8);
    NicBench.RxRing ring = bench.rxRing(0, 64).post(63);
    receive(bench, 5);

    bench.write(NicRegisters.rxdctl(0), 0);
    assertThat(ring.head()).isEqualTo(5);
    NicBench.RxRing fresh = bench.rxRing(0, 8).post(7);
    bench.run();

    assertThat(ring.takeAll()).hasSize(5);
    assertThat(fresh.hasNext()).isFalse();
    receive(bench, 7);
    bench.run();
    assertThat(fresh.takeAll()).hasSize(7);
  }

  @Test
  void shouldEndAGroupWithTheRing() {
    NicBench bench = grouping(64);
    NicBench.RxRing ring = bench.rxRing(0, 8).post(7);
    receive(bench, 7);
    bench.run();
    assertThat(ring.takeAll()).hasSize(7);
    ring.post(7);

    receive(bench, 1);

    // Descriptor 7, the last of the ring.
    assertThat(ring.takeAll()).hasSize(1);
    assertThat(ring.head()).isZero();
  }

  @Test
  void shouldEndAGroupWithinAFrame() {
    NicBench bench = grouping(4);
    NicBench.RxRing ring = bench.rxRing(0, 32, 1024).post(31);
    bench.write(NicRegisters.HLREG0, bench.read(NicRegisters.HLREG0) | NicRegisters.HLREG0_JUMBOEN);
    bench.write(NicRegisters.MAXFRS, 9018 << NicRegisters.MAXFRS_SHIFT);

    bench.receive(NicBench.frame(6 * 1024, 1));
    bench.simulation.runUntil(bench.simulation.nowPs() + 2 * SETTLED_PS);

    assertThat(ring.head()).isEqualTo(4);
    bench.run();
    assertThat(ring.head()).isEqualTo(6);
    assertThat(ring.take()).isEqualTo(NicBench.frame(6 * 1024, 1));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 32})
  void shouldKeepFramesThatSpanDescriptorsInOrder(int group) {
    NicBench bench = grouping(group);
    NicBench.RxRing ring = bench.rxRing(0, 32, 1024).post(31);
    byte[][] frames = new byte[20][];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = NicBench.frame(i % 2 == 0 ? 60 + i : 1400 + i, i);
    }

    bench.receiveAtLineRate(frames);
    bench.run();

    // Ten frames of one descriptor, ten of two.
    assertThat(ring.head()).isEqualTo(30);
    assertThat(ring.takeAll()).containsExactly(frames);
  }

  @Test
  void shouldHoldADueGroupWhileMemoryIsClosed() {
    NicBench bench = grouping(4);
    NicBench.RxRing ring = bench.rxRing(0, 64).post(63);
    receive(bench, 2);

    bench.write(NicRegisters.CTRL, NicRegisters.CTRL_GIO_DIS);
    bench.simulation.runUntil(bench.simulation.nowPs() + 2 * DELAY_PS);
    assertThat(ring.hasNext()).isFalse();
    bench.write(NicRegisters.CTRL, 0);
    bench.simulation.runUntil(bench.simulation.nowPs() + SETTLED_PS);

    assertThat(ring.takeAll()).hasSize(2);
  }

  @Test
  void shouldForgetAGroupWithAReset() {
    NicBench bench = grouping(4);
    NicBench.RxRing ring = bench.rxRing(0, 64).post(63);
    receive(bench, 2);

    bench.write(NicRegisters.CTRL, NicRegisters.CTRL_RST);
    bench.run();

    assertThat(ring.hasNext()).isFalse();
    assertThat(bench.counter("rx_fault_count")).isZero();
  }

  @Test
  void shouldKeepTheGroupsOfQueuesApart() {
    NicBench bench = grouping(4);
    NicBench.RxRing first = bench.rxRing(0, 64).post(63);
    NicBench.RxRing second = bench.rxRing(1, 64).post(63);
    byte[] ip = NicBench.ipFrame();
    bench.steerIpTo(1);

    receive(bench, 2);
    bench.receive(ip);
    bench.receive(ip);
    bench.simulation.runUntil(bench.simulation.nowPs() + SETTLED_PS);
    assertThat(first.hasNext() || second.hasNext()).isFalse();
    bench.run();

    assertThat(first.takeAll()).hasSize(2);
    assertThat(second.takeAll()).containsExactly(ip, ip);
  }

  @Test
  void shouldRaiseTheInterruptWithTheWriteBack() {
    NicBench bench = grouping(4);
    bench.write(NicRegisters.ivar(0), 0x80);
    NicBench.RxRing ring = bench.rxRing(0, 64).post(63);
    bench.read(NicRegisters.EICR);

    receive(bench, 3);
    assertThat(bench.read(NicRegisters.EICR) & 1).isZero();
    receive(bench, 1);

    assertThat(ring.takeAll()).hasSize(4);
    assertThat(bench.read(NicRegisters.EICR) & 1).isEqualTo(1);
  }

  // Fetching ahead.

  @ParameterizedTest
  @CsvSource({"0, 1", "4, 1", "5, 2", "8, 2"})
  void shouldFetchAheadWhenFewAreLeft(int threshold, int reads) {
    NicBench bench = new NicBench(NicBench.CONFIG.withRxBatches(8, threshold, 1));
    bench.rxRing(0, 64).post(63);

    // The first four frames leave four of eight on the chip.
    receive(bench, 4);

    assertThat(bench.port.upstream().memoryReadsTotal()).isEqualTo(reads);
  }

  @Test
  void shouldNotWaitForDescriptorsThatAreBeingFetchedAhead() {
    NicBench bench = new NicBench(NicBench.CONFIG.withRxBatches(8, 4, 1));
    NicBench.RxRing ring = bench.rxRing(0, 64).post(63);
    receive(bench, 4);
    long arrivedPs = bench.simulation.nowPs();

    // Leaves three, so that the next eight are read while its payload is already on the way.
    bench.receive(NicBench.frame(60, 5));

    // Gen 4 x16: a read takes more than 0.4 us; a write 0.3 us, part of a line from DRAM included.
    bench.simulation.runUntil(arrivedPs + 350_000);
    assertThat(ring.takeAll()).hasSize(5);
    assertThat(bench.port.upstream().memoryReadsTotal()).isEqualTo(2);
  }

  @Test
  void shouldNotOvertakeAFrameOfAnotherQueueThatWaitsForItsDescriptor() {
    NicBench bench = new NicBench(NicBench.CONFIG.withRxBatches(8, 0, 1));
    NicBench.RxRing first = bench.rxRing(0, 64).post(63);
    NicBench.RxRing second = bench.rxRing(1, 64).post(63);
    byte[] ip = NicBench.ipFrame();
    bench.steerIpTo(1);
    receive(bench, 1);

    bench.receive(ip);
    assertThat(bench.nic.framesInFifoCount()).isZero(); // Computed ahead.
    bench.receive(NicBench.frame(60, 1));
    assertThat(bench.nic.framesInFifoCount()).isEqualTo(1); // Its own descriptor is there.
    bench.run();

    assertThat(first.takeAll()).containsExactly(NicBench.frame(60, 0), NicBench.frame(60, 1));
    assertThat(second.takeAll()).containsExactly(ip);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void shouldDeliverTheSameWhateverTheBatches(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    NicConfig config =
        NicBench.CONFIG.toBuilder()
            .rxPrefetchDescriptors(1 + random.nextInt(32))
            .rxFetchThreshold(random.nextInt(32))
            .rxWriteBackDescriptors(1 << random.nextInt(7))
            .rxWriteBackDelayPs(random.nextInt(5_000_000))
            .build();
    NicBench bench = new NicBench(config);
    NicBench.RxRing ring = bench.rxRing(0, 64).post(63);
    byte[][] frames = new byte[1500][];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = NicBench.frame(60 + random.nextInt(1455), i);
    }
    List<byte[]> taken = new ArrayList<>();
    bench.receiveAtLineRate(frames);
    // At most 14.9 frames arrive in a microsecond, and 63 fill the ring.
    for (long ps = 0; ps < 4_000_000_000L; ps += 1 + random.nextInt(3_000_000)) {
      bench.at(
          ps,
          () -> {
            int before = ring.next;
            taken.addAll(ring.takeAll());
            ring.post((ring.next - before + ring.size) % ring.size);
          });
    }
    bench.run();
    taken.addAll(ring.takeAll());

    assertThat(taken.toArray(new byte[0][])).as("seed=%d %s", seed, config).isEqualTo(frames);
    assertThat(bench.counter("rx_fault_count")).isZero();
    assertThat(Arrays.stream(frames).count()).isEqualTo(bench.counter("rx_delivered_count"));
  }
}
