package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where frames go that find no descriptor or no room, and that none vanishes unseen. */
class NicReceiveLossTest {
  private final NicBench bench = new NicBench();

  @Test
  void shouldDropAtOnceWithDropEnable() {
    NicBench.RxRing ring = dropping(0, 8).post(3);

    for (int i = 0; i < 5; i++) {
      bench.receive(NicBench.frame(60, i));
    }
    bench.run();

    assertThat(ring.takeAll()).hasSize(3);
    assertThat(bench.nic.framesInFifoCount()).isZero();
    assertThat(bench.read(NicRegisters.qprdc(0))).isEqualTo(2);
    assertThat(bench.read(NicRegisters.mpc(0))).isZero();
    assertThat(bench.read(NicRegisters.rnbc(0))).isZero();
    assertThat(bench.read(NicRegisters.GPRC)).isEqualTo(5);
    assertThat(bench.read(NicRegisters.qprc(0))).isEqualTo(3);
  }

  @Test
  void shouldWaitInTheFifoWithoutDropEnableUntilTheTailMoves() {
    NicBench.RxRing ring = bench.rxRing(0, 8).post(1);

    for (int i = 0; i < 4; i++) {
      bench.receive(NicBench.frame(60 + i, i));
    }
    bench.run();

    assertThat(bench.nic.framesInFifoCount()).isEqualTo(3);
    // The frame at the front has met an empty ring; those behind have not looked.
    assertThat(bench.read(NicRegisters.rnbc(0))).isEqualTo(1);
    // Never at the tail: one descriptor was posted, one was read.
    assertThat(bench.port.upstream().memoryReadsTotal()).isEqualTo(1);
    ring.post(6);
    bench.run();
    assertThat(ring.takeAll())
        .containsExactly(
            NicBench.frame(60, 0),
            NicBench.frame(61, 1),
            NicBench.frame(62, 2),
            NicBench.frame(63, 3));
    assertThat(bench.nic.framesInFifoCount()).isZero();
    assertThat(bench.read(NicRegisters.qprdc(0))).isZero();
  }

  @Test
  void shouldCountEveryFrameThatMeetsAnEmptyRingOnce() {
    NicBench.RxRing ring = bench.rxRing(0, 8);
    for (int i = 0; i < 3; i++) {
      bench.receive(NicBench.frame(60, i));
    }
    bench.run();
    assertThat(bench.read(NicRegisters.rnbc(0))).isEqualTo(1);

    // The first leaves, and the next one meets an empty ring.
    ring.post(1);
    bench.run();

    assertThat(ring.takeAll()).hasSize(1);
    assertThat(bench.read(NicRegisters.rnbc(0))).isEqualTo(1);
  }

  @Test
  void shouldDropWhatWaitsForAQueueThatIsStopped() {
    bench.rxRing(0, 8);
    bench.receive(NicBench.frame(60, 1));
    bench.receive(NicBench.frame(60, 2));
    bench.run();
    assertThat(bench.nic.framesInFifoCount()).isEqualTo(2);

    bench.write(NicRegisters.rxdctl(0), 0);
    bench.run();

    assertThat(bench.nic.framesInFifoCount()).isZero();
    assertThat(bench.read(NicRegisters.qprdc(0))).isEqualTo(2);
  }

  @Test
  void shouldTakeDropEnableWhileTheQueueRuns() {
    bench.rxRing(0, 8);
    bench.receive(NicBench.frame(60, 1));
    bench.run();

    bench.write(
        NicRegisters.srrctl(0),
        2 | NicRegisters.SRRCTL_DESCTYPE_ADV_ONEBUF | NicRegisters.SRRCTL_DROP_EN);
    bench.receive(NicBench.frame(60, 2));
    bench.run();

    assertThat(bench.read(NicRegisters.qprdc(0))).isEqualTo(2);
    assertThat(bench.nic.framesInFifoCount()).isZero();
  }

  @Test
  void shouldMissWhatDoesNotFitTheBufferThatRxpbsizeGives() {
    bench.rxRing(0, 8);
    bench.write(NicRegisters.rxpbsize(0), 16 << 10);

    for (int i = 0; i < 20; i++) {
      bench.receive(NicBench.frame(1000, i));
    }
    bench.run();

    // 16 x 1000 <= 16384 < 17 x 1000.
    assertThat(bench.nic.framesInFifoCount()).isEqualTo(16);
    assertThat(bench.read(NicRegisters.mpc(0))).isEqualTo(4);
    assertThat(bench.read(NicRegisters.EICR))
        .isEqualTo(NicRegisters.EICR_RX_MISS | NicRegisters.EICR_OTHER | NicRegisters.EICR_LSC);
    assertThat(bench.read(NicRegisters.TPR)).isEqualTo(20);
    // A missed packet is no good packet received.
    assertThat(bench.read(NicRegisters.GPRC)).isEqualTo(16);
    assertThat(bench.read(NicRegisters.mpc(0))).isZero();
  }

  @Test
  void shouldFreeTheFifoWhenAPayloadHasLeft() {
    bench.write(NicRegisters.rxpbsize(0), 1 << 10);
    NicBench.RxRing ring = bench.rxRing(0, 8).post(7);

    bench.receive(NicBench.frame(1000, 1));
    bench.receive(NicBench.frame(1000, 2));
    bench.run();
    bench.receive(NicBench.frame(1000, 3));
    bench.run();

    assertThat(ring.takeAll()).containsExactly(NicBench.frame(1000, 1), NicBench.frame(1000, 3));
    assertThat(bench.read(NicRegisters.mpc(0))).isEqualTo(1);
  }

  @Test
  void shouldNotBlockThePortWithAFrameThatNoRingHolds() {
    bench.write(NicRegisters.HLREG0, bench.read(NicRegisters.HLREG0) | NicRegisters.HLREG0_JUMBOEN);
    bench.write(NicRegisters.MAXFRS, 9018 << NicRegisters.MAXFRS_SHIFT);
    NicBench.RxRing ring = bench.rxRing(0, 8, 1024).post(7);

    // Eight descriptors, where a ring of eight holds seven.
    bench.receive(NicBench.frame(7 * 1024 + 1, 1));
    bench.receive(NicBench.frame(60, 2));
    bench.run();

    assertThat(ring.takeAll()).containsExactly(NicBench.frame(60, 2));
    assertThat(bench.read(NicRegisters.qprdc(0))).isEqualTo(1);
  }

  @Test
  void shouldHoldUpFramesBehindOneThatWaits() {
    bench.rxRing(0, 8);
    bench.write(NicRegisters.reta(0), 1);
    bench.write(NicRegisters.MRQC, 1 | ReceiveSideScaling.FIELD_IPV4); // A zero key: entry 0.
    NicBench.RxRing second = bench.rxRing(1, 8).post(7);
    byte[] ip =
        OffloadFrames.join(
            OffloadFrames.ethernet(0x0800),
            OffloadFrames.ipv4(new byte[4], new byte[4], 99, 40),
            new byte[40]);

    bench.receive(NicBench.frame(60, 1));
    bench.receive(ip);
    bench.run();

    assertThat(second.hasNext()).isFalse();
    assertThat(bench.nic.framesInFifoCount()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void shouldAccountForEveryFrame(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    NicConfig config =
        NicBench.CONFIG
            .withRxFifoBytes(16 << 10)
            .withRxPrefetchDescriptors(1 + random.nextInt(16))
            .withLineBitsPerSecond(seed % 2 == 0 ? 10_000_000_000L : 100_000_000_000L);
    NicBench other = new NicBench(config);
    other.write(NicRegisters.FCTRL, 0);
    NicBench.RxRing ring = other.new RxRing(0, 32, 1024);
    ring.enable(
        NicRegisters.SRRCTL_DESCTYPE_ADV_ONEBUF | (seed % 3 == 0 ? NicRegisters.SRRCTL_DROP_EN : 0),
        0);
    ring.post(31);
    int offered = 3000;
    byte[][] frames = new byte[offered][];
    for (int i = 0; i < offered; i++) {
      int kind = random.nextInt(20);
      int length = kind == 0 ? 14 + random.nextInt(46) : kind == 1 ? 1515 + random.nextInt(99) : 0;
      frames[i] = NicBench.frame(length == 0 ? 60 + random.nextInt(1455) : length, i);
      if (kind == 2) {
        NicBench.setAddress(frames[i], 0x02_00_00_00_00_02L);
      }
    }
    List<byte[]> delivered = new ArrayList<>();
    other.receiveAtLineRate(frames);
    for (long ps = 0; ps < 5_000_000_000L; ps += 1 + random.nextInt(60_000_000)) {
      other.at(
          ps,
          () -> {
            int before = ring.next;
            delivered.addAll(ring.takeAll());
            int free = (ring.next - before + ring.size) % ring.size;
            ring.post(free);
          });
    }
    other.run();
    delivered.addAll(ring.takeAll());

    long missed = other.counter("rx_missed_count");
    long dropped = other.counter("rx_no_descriptor_count");
    long bad = other.counter("rx_bad_count");
    long filtered = other.counter("rx_filtered_count");
    assertThat(delivered.size() + missed + dropped + bad + filtered)
        .as("seed %d", seed)
        .isEqualTo(offered);
    assertThat(missed + dropped).as("seed %d: nothing was too small", seed).isPositive();
    assertThat(bad).as("seed %d", seed).isPositive();
    assertThat(filtered).as("seed %d", seed).isPositive();
    assertThat(other.counter("rx_delivered_count")).isEqualTo(delivered.size());
    assertThat(other.read(NicRegisters.mpc(0))).isEqualTo((int) missed);
    assertThat(other.read(NicRegisters.qprdc(0))).isEqualTo((int) dropped);
    assertThat(other.read(NicRegisters.GPRC)).isEqualTo((int) (delivered.size() + dropped));
    assertThat(other.read(NicRegisters.TPR)).isEqualTo(offered);
    assertThat(isSubsequence(delivered, frames)).as("seed %d: order", seed).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8, 64})
  void shouldNeverFetchBeyondTheTail(int prefetch) {
    NicBench other = new NicBench(NicBench.CONFIG.withRxPrefetchDescriptors(prefetch));
    NicBench.RxRing ring = other.rxRing(0, 16);
    for (int i = 0; i < 16; i++) {
      // Behind the tail lies an address that would be refused.
      other.memory().putLong(ring.base + i * 16L, 0xDEAD_0000_0000_0000L);
    }

    for (int i = 0; i < 50; i++) {
      ring.post(i % 5);
      for (int j = 0; j < i % 5; j++) {
        other.receive(NicBench.frame(60, i));
      }
      other.run();
      int used = ring.takeAll().size();
      assertThat(used).isEqualTo(i % 5);
      for (int j = 0; j < used; j++) {
        int behind = (ring.next + 16 - 1 - j) % 16;
        other.memory().putLong(ring.base + behind * 16L, 0xDEAD_0000_0000_0000L);
      }
    }

    assertThat(other.counter("rx_fault_count")).isZero();
    assertThat(other.port.refusedRequestsTotal()).isZero();
  }

  private NicBench.RxRing dropping(int queue, int size) {
    NicBench.RxRing ring = bench.new RxRing(queue, size, 2048);
    ring.enable(NicRegisters.SRRCTL_DESCTYPE_ADV_ONEBUF | NicRegisters.SRRCTL_DROP_EN, 0);
    return ring;
  }

  private static boolean isSubsequence(List<byte[]> some, byte[][] all) {
    int next = 0;
    for (byte[] frame : some) {
      while (next < all.length && !Arrays.equals(all[next], frame)) {
        next++;
      }
      if (next++ == all.length) {
        return false;
      }
    }
    return true;
  }
}
