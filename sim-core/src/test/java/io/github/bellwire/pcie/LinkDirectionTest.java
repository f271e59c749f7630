package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LinkDirectionTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** 8e12 x 130 / (8e9 x 128 x 8) = 126.953125 ps per byte. */
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE);

  /** A write of 256 B: 24 B of header and framing. 280 B take 35_546.875 ps. */
  private static final int MWR_256 = 280;

  private final Simulation simulation = new Simulation(1);
  private final LinkDirection link = new LinkDirection(GEN3_X8, simulation);

  // One TLP after the other.

  @Test
  void shouldSendWhenReadyIfIdle() {
    // 1_000 + 35_546.875, rounded down.
    assertThat(link.transmit(MWR_256, 1_000)).isEqualTo(36_546);
  }

  @Test
  void shouldCarryTheFractionBetweenBackToBackTlps() {
    // Multiples of 35_546.875, rounded down: ..., 71_093.75, 106_640.625, 142_187.5.
    assertThat(link.transmit(MWR_256, 0)).isEqualTo(35_546);
    assertThat(link.transmit(MWR_256, 0)).isEqualTo(71_093);
    assertThat(link.transmit(MWR_256, 50_000)).isEqualTo(106_640);
    assertThat(link.transmit(MWR_256, 106_640)).isEqualTo(142_187);
  }

  @Test
  void shouldForgetTheFractionOnceIdle() {
    link.transmit(MWR_256, 0);

    long firstPs = link.transmit(MWR_256, 1_000_000);
    long secondPs = link.transmit(MWR_256, 1_000_000);

    assertThat(firstPs).isEqualTo(1_035_546);
    assertThat(secondPs).isEqualTo(1_071_093);
  }

  // Rates.

  @ParameterizedTest
  @CsvSource({
    // Raw Gb/s = GT/s x encoding x lanes (Base Specification, section 4.2).
    "GEN1, 1, 2.0",
    "GEN1, 16, 32.0",
    "GEN2, 4, 16.0",
    "GEN2, 8, 32.0",
    "GEN3, 8, 63.0154",
    "GEN4, 4, 63.0154",
    "GEN4, 16, 252.0615",
    "GEN5, 16, 504.1231"
  })
  void shouldSustainTheRateOfTheSpecification(PcieGeneration generation, int lanes, double gbps) {
    PcieLinkConfig config = GEN3_X8.withGeneration(generation).withLanes(lanes);
    LinkDirection direction = new LinkDirection(config, simulation);

    long sentPs = 0;
    for (int i = 0; i < 100_000; i++) {
      sentPs = direction.transmit(88 + i % 7, 0);
    }

    assertThat(8_000.0 * direction.bytesTotal() / sentPs).isCloseTo(gbps, within(5e-5));
    assertThat(direction.busyPsTotal()).isEqualTo(sentPs);
  }

  @ParameterizedTest
  @CsvSource({
    // Rate x (1 - 16/limit - 4/1538), limits 163, 203, 214, 168, 182 symbols (model/pcie.py of
    // pcie-bench/pcie-model).
    "GEN3, 8, 128, 56.6659",
    "GEN3, 8, 256, 57.8848",
    "GEN4, 4, 256, 58.1401",
    "GEN4, 16, 256, 227.4001",
    "GEN5, 16, 512, 458.4933"
  })
  void shouldLeaveTheGuideRateToTlps(
      PcieGeneration generation, int lanes, int mpsBytes, double gbps) {
    PcieLinkConfig config =
        GEN3_X8
            .withGeneration(generation)
            .withLanes(lanes)
            .withMaxPayloadBytes(mpsBytes)
            .withDllpCharge(DllpCharge.GUIDE_RATE);
    LinkDirection direction = new LinkDirection(config, simulation);

    long sentPs = 0;
    for (int i = 0; i < 100_000; i++) {
      sentPs = direction.transmit(MWR_256, 0);
    }

    assertThat(8_000.0 * direction.bytesTotal() / sentPs).isCloseTo(gbps, within(5e-4));
  }

  // FLIT mode and ECRC.

  @ParameterizedTest
  @CsvSource({"1, 7.375", "4, 29.5", "8, 59", "16, 118", "32, 236"})
  void shouldGive236Of256BytesToTlpsInFlitMode(int lanes, double gigabytes) {
    PcieLinkConfig config = PcieLinkConfig.GEN6_X16.withLanes(lanes);
    LinkDirection direction = new LinkDirection(config, simulation);

    long sentPs = 0;
    for (int i = 0; i < 10_000; i++) {
      sentPs = direction.transmit(MWR_256, 0);
    }

    // 16 B of header, no framing: 272 B per TLP; 64 Gb/s x lanes / 8 x 236/256.
    assertThat(direction.bytesTotal()).isEqualTo(2_720_000);
    assertThat(sentPs).isEqualTo((long) (2_720_000 / gigabytes * 1_000));
  }

  @Test
  void shouldUseATlpWhenItsFlitHasArrived() {
    PcieLinkConfig config = PcieLinkConfig.GEN6_X16.withPropagationPs(10_000);
    LinkDirection direction = new LinkDirection(config, simulation);

    // FLITs of 2 ns; the end of a FLIT belongs to it.
    assertThat(direction.arrivalPs(1)).isEqualTo(2_000 + 10_000);
    assertThat(direction.arrivalPs(2_000)).isEqualTo(2_000 + 10_000);
    assertThat(direction.arrivalPs(2_001)).isEqualTo(4_000 + 10_000);
    assertThat(link.arrivalPs(2_001)).isEqualTo(62_001);
  }

  @Test
  void shouldAddTheDigestToEveryTlp() {
    LinkDirection direction = new LinkDirection(GEN3_X8.withEcrc(true), simulation);

    // 284 B x 126.953125 ps.
    assertThat(direction.transmit(MWR_256, 0)).isEqualTo(36_054);
    direction.transmitCompletion(0);
    assertThat(direction.bytesTotal()).isEqualTo(284 + 24);
  }

  @Test
  void shouldSendTheLargestTlp() {
    LinkDirection direction = new LinkDirection(GEN3_X8.withEcrc(true), simulation);

    // 4 KiB, 16 B of header, 8 B of framing, 4 B of ECRC.
    direction.transmit(4096 + 24, 0);

    assertThat(direction.bytesTotal()).isEqualTo(4124);
  }

  // Gaps: TLPs offered out of the order of their times.

  @Test
  void shouldFillTheGapBeforeALaterTlp() {
    link.transmit(MWR_256, 1_000_000);

    // In a gap the time is rounded up: 35_547 each.
    assertThat(link.transmit(MWR_256, 0)).isEqualTo(35_547);
    assertThat(link.transmit(MWR_256, 0)).isEqualTo(71_094);
    assertThat(link.transmit(MWR_256, 500_000)).isEqualTo(535_547);
  }

  @Test
  void shouldUseBothSidesOfADividedGap() {
    link.transmit(MWR_256, 200_000);
    link.transmit(MWR_256, 50_000);

    // Left: 0..50_000 takes one. Right: 85_547..200_000 takes three, up to 192_188.
    assertThat(link.transmit(MWR_256, 0)).isEqualTo(35_547);
    assertThat(link.transmit(MWR_256, 0)).isEqualTo(121_094);
    assertThat(link.transmit(MWR_256, 0)).isEqualTo(156_641);
    assertThat(link.transmit(MWR_256, 0)).isEqualTo(192_188);
    // Then behind the first: 200_000 + 2 x 35_546.875.
    assertThat(link.transmit(MWR_256, 0)).isEqualTo(271_093);
  }

  @Test
  void shouldFillAGapToItsLastPicosecond() {
    link.transmit(MWR_256, 35_547);

    assertThat(link.transmit(MWR_256, 0)).isEqualTo(35_547);
  }

  @Test
  void shouldGoBehindIfTheGapIsAPicosecondShort() {
    link.transmit(MWR_256, 35_546);

    // 35_546 + 2 x 35_546.875
    assertThat(link.transmit(MWR_256, 0)).isEqualTo(106_639);
  }

  @Test
  void shouldFillTheEndOfAGap() {
    link.transmit(MWR_256, 100_000);

    assertThat(link.transmit(MWR_256, 64_453)).isEqualTo(100_000);
    assertThat(link.transmit(MWR_256, 20_000)).isEqualTo(55_547);
  }

  @Test
  void shouldKeepTheFractionOfTheEndWhenItFillsAGap() {
    link.transmit(MWR_256, 1_000_000);
    link.transmit(MWR_256, 0);

    assertThat(link.transmit(MWR_256, 1_035_546)).isEqualTo(1_071_093);
  }

  @Test
  void shouldDropTheOldestOfTooManyGaps() {
    // 129 TLPs at 100_000, 200_000, ...: a gap before each.
    for (int i = 1; i <= 129; i++) {
      link.transmit(MWR_256, i * 100_000L);
    }

    // The gap 0..100_000 is forgotten; the next one begins when the first TLP is sent.
    assertThat(link.transmit(MWR_256, 0)).isEqualTo(135_546 + 35_547);
  }

  @Test
  void shouldNotSpendAGapOnAnEndThatIsFilled() {
    for (int i = 1; i <= 127; i++) {
      link.transmit(MWR_256, i * 100_000L);
    }
    link.transmit(MWR_256, 12_700_000 - 35_547);
    link.transmit(MWR_256, 12_800_000);

    // These are 128 gaps, so the oldest one is still there.
    assertThat(link.transmit(MWR_256, 0)).isEqualTo(35_547);
  }

  @Test
  void shouldForgetGapsThatHavePassed() {
    for (int i = 1; i <= 128; i++) {
      link.transmit(MWR_256, i * 100_000L);
    }
    simulation.runUntil(12_900_000);
    link.transmit(MWR_256, 13_900_000);

    // There is room again to divide the only gap left, so its right part is not lost.
    assertThat(link.transmit(MWR_256, 13_000_000)).isEqualTo(13_035_547);
    assertThat(link.transmit(MWR_256, 13_000_000)).isEqualTo(13_071_094);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldPlaceTlpsAsAListOfIdleIntervalsDoes(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    IdleIntervals oracle = new IdleIntervals();

    for (int i = 0; i < 2_000; i++) {
      if (i % 50 == 0) {
        // Keeps the number of gaps below what the link remembers.
        simulation.runUntil(oracle.freePs);
      }
      int wireBytes = 20 + 4 * random.nextInt(70);
      long readyPs = simulation.nowPs() + random.nextLong(2_000_000);
      assertThat(link.transmit(wireBytes, readyPs))
          .as("seed=%d, i=%d", seed, i)
          .isEqualTo(oracle.transmit(wireBytes, readyPs));
    }
    assertThat(link.busyPsTotal()).isEqualTo(oracle.busyPs);
  }

  // Counters and cost.

  @Test
  void shouldCountByKind() {
    link.transmitMemoryWrite(88, 0);
    link.transmitMemoryRead(24, 0);
    link.transmitMemoryRead(24, 0);
    link.transmitCompletionWithData(84, 0);
    link.transmitCompletionWithData(84, 0);
    link.transmitCompletionWithData(84, 0);
    long sentPs = link.transmitCompletion(0);

    assertThat(link.memoryWritesTotal()).isEqualTo(1);
    assertThat(link.memoryReadsTotal()).isEqualTo(2);
    assertThat(link.completionsWithDataTotal()).isEqualTo(3);
    assertThat(link.completionsTotal()).isEqualTo(1);
    // 88 + 2 x 24 + 3 x 84 + 20 = 408 B; 408 x 126.953125 = 51_796.875
    assertThat(link.bytesTotal()).isEqualTo(408);
    assertThat(sentPs).isEqualTo(51_796);
    assertThat(link.busyPsTotal()).isEqualTo(51_796);
  }

  @Test
  void shouldAllocateNothing() {
    transmitMany();
    THREADS.getCurrentThreadAllocatedBytes();

    long before = THREADS.getCurrentThreadAllocatedBytes();
    transmitMany();
    long after = THREADS.getCurrentThreadAllocatedBytes();

    assertThat(after - before).isLessThan(1024);
  }

  private void transmitMany() {
    for (int i = 0; i < 500_000; i++) {
      link.transmit(MWR_256, link.busyPsTotal() + 1_000_000);
      link.transmit(84, link.busyPsTotal());
    }
  }

  /** The same law, written without a ring and without a limit. */
  private static final class IdleIntervals {
    private static final long SCALE = 1_000_000; // 126.953125 x 1e6 is whole
    private static final long SCALED_PS_PER_BYTE = 126_953_125;

    private final List<long[]> gaps = new ArrayList<>();
    private long freePs;
    private long carry;
    private long busyPs;

    long transmit(int wireBytes, long readyPs) {
      long scaled = wireBytes * SCALED_PS_PER_BYTE;
      if (readyPs < freePs) {
        long durationPs = (scaled + SCALE - 1) / SCALE;
        for (int i = 0; i < gaps.size(); i++) {
          long[] gap = gaps.get(i);
          long startPs = Math.max(readyPs, gap[0]);
          if (startPs + durationPs <= gap[1]) {
            gaps.set(i, new long[] {gap[0], startPs});
            gaps.add(i + 1, new long[] {startPs + durationPs, gap[1]});
            busyPs += durationPs;
            return startPs + durationPs;
          }
        }
      } else if (readyPs > freePs) {
        gaps.add(new long[] {freePs, readyPs});
        freePs = readyPs;
        carry = 0;
      }
      long durationPs = (scaled + carry) / SCALE;
      carry = (scaled + carry) % SCALE;
      freePs += durationPs;
      busyPs += durationPs;
      return freePs;
    }
  }
}
