package io.github.bellwire.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import io.github.bellwire.memory.DramConfig.PagePolicy;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DramControllerTest {
  // RoBaRaCoCh with 128 bursts of 64 B per row, 2 ranks, 16 banks.
  private static final long ROW = 1L << 18;
  private static final long BANK_GROUP = 1L << 14;
  private static final long RANK = 1L << 13;
  private static final long START_PS = 1_000_000;

  private static final DramConfig DDR4 =
      DramConfig.of(DramTiming.DDR4_3200).withMapping(DramConfig.ROW_BANK_RANK_COLUMN);
  private final DramController dram = DDR4.newController();

  @ParameterizedTest
  @CsvSource({
    // tCL + tBURST; tRCD + that; tRP + that, in clocks of 1250, 833, 625, 416 and 833 ps
    "ddr3-1600, 18750, 32500, 46250", // 15, 26, 37
    "ddr4-2400, 16660, 29988, 43316", // 20, 36, 52
    "ddr4-3200, 16250, 30000, 43750", // 26, 48, 70
    "ddr5-4800, 18304, 33280, 48256", // 44, 80, 116
    "hbm2,      15827, 29988, 44149", // 19, 36, 53
  })
  void shouldReadAnEmptyControllerInTheTimesOfItsDataSheet(
      String part, long hitPs, long closedPs, long conflictPs) {
    DramTiming timing = timing(part);
    DramController empty = DramConfig.of(timing).newController();
    long otherRow = 1L << 40; // a row bit in any mapping

    assertThat(empty.read(0, 1, START_PS)).isEqualTo(START_PS + closedPs);
    assertThat(empty.read(0, 1, 2 * START_PS)).isEqualTo(2 * START_PS + hitPs);
    assertThat(empty.read(otherRow, 1, 3 * START_PS)).isEqualTo(3 * START_PS + conflictPs);
    assertThat(timing.rowHitPs()).isEqualTo(hitPs);
    assertThat(timing.rowClosedPs()).isEqualTo(closedPs);
    assertThat(timing.rowConflictPs()).isEqualTo(conflictPs);
  }

  @Test
  void shouldKeepARowOpenForTras() {
    dram.read(0, 64, START_PS);

    // tRAS = 52 clocks = 32.5 ns after the activate, then the conflict of 43.75 ns
    assertThat(dram.read(ROW, 64, START_PS + 10_000)).isEqualTo(START_PS + 32_500 + 43_750);
  }

  @Test
  void shouldTellHowMuchLaterAReadIsThanToldOfWhatCameBefore() {
    DramController inOrder = DDR4.newController();
    inOrder.read(0, 64, START_PS);
    long truePs = inOrder.read(ROW, 64, START_PS + 10_000);

    long from = dram.askedTotal();
    long toldPs = dram.read(ROW, 64, START_PS + 10_000);
    long to = dram.askedTotal();
    dram.read(0, 64, START_PS);

    // Alone it finds its bank closed. Its delay is certain when the time of the answer has come.
    assertThat(toldPs).isEqualTo(START_PS + 10_000 + 30_000);
    assertThat(toldPs + dram.delayPs(from, to, toldPs)).isEqualTo(truePs);
    assertThat(toldPs + dram.delayPs(from, to, truePs)).isEqualTo(truePs);
    assertThat(dram.changesTotal()).isPositive();
    assertThat(dram.delayPs(to, dram.askedTotal(), truePs)).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldTellInTheEndWhatAQueueTells(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int count = 2_000;
    long[] queuedPs = new long[count];
    DramQueue queue =
        new DramQueue(DDR4, (tag, acceptedPs, donePs) -> queuedPs[(int) tag] = donePs);
    long[] toldPs = new long[count];
    boolean[] isWrite = new boolean[count];
    long atPs = START_PS;
    for (int i = 0; i < count; i++) {
      atPs += random.nextInt(12_000);
      long pa = random.nextLong(1L << 30) & -64;
      isWrite[i] = random.nextInt(3) == 0;
      toldPs[i] = isWrite[i] ? dram.write(pa, 64, atPs) : dram.read(pa, 64, atPs);
      queue.submit(pa, isWrite[i], i, atPs);
    }
    queue.drain();

    int changed = 0;
    for (int i = 0; i < count; i++) {
      if (!isWrite[i]) {
        long delayPs = dram.delayPs(i, i + 1, Long.MAX_VALUE);
        assertThat(toldPs[i] + delayPs).as("seed %d, request %d", seed, i).isEqualTo(queuedPs[i]);
        changed += delayPs == 0 ? 0 : 1;
      }
    }
    assertThat(changed).isPositive();
  }

  @Test
  void shouldAddTheLatencyOfItsFrontAndBack() {
    DramController slow = DDR4.withLatency(10_000, 7_000).newController();

    assertThat(slow.read(0, 64, START_PS)).isEqualTo(START_PS + 10_000 + 30_000 + 7_000);
    // A write is visible in the queue behind the front.
    assertThat(slow.write(0, 64, 2 * START_PS)).isEqualTo(2 * START_PS + 10_000);
  }

  @Test
  void shouldReadTheLinesOfOneRowAtTheSpacingOfItsBankGroup() {
    // Five lines: four times tCCD_L = 8 clocks = 5 ns behind the first
    assertThat(dram.read(32, 4 * 64 + 1, START_PS)).isEqualTo(START_PS + 30_000 + 4 * 5_000);
  }

  @Test
  void shouldReadOtherBankGroupsAsFastAsTheBusAllows() {
    // Activates tRRD_S = 2.5 ns apart, as are the bursts.
    dram.read(0, 64, START_PS);

    assertThat(dram.read(BANK_GROUP, 64, START_PS)).isEqualTo(START_PS + 30_000 + 2_500);
  }

  @Test
  void shouldPauseTheBusBetweenRanks() {
    dram.read(0, 64, START_PS);

    // The other rank's activate comes one clock later, its data a burst and a switch of 2 clocks.
    assertThat(dram.read(RANK, 64, START_PS)).isEqualTo(START_PS + 30_000 + 2_500 + 1_250);
  }

  @Test
  void shouldAllowFourActivatesPerWindow() {
    long latePs = 0;
    for (int bank = 0; bank < 5; bank++) {
      // Groups 0, 1, 2, 3, then the second bank of group 0.
      latePs = dram.read(bank * BANK_GROUP, 64, START_PS);
    }

    // tFAW = 34 clocks = 21.25 ns after the first activate, when the fourth bank's read command
    // (3 x 2.5 ns + tRCD) takes the command bus for a clock.
    assertThat(latePs).isEqualTo(START_PS + 21_250 + 625 + 30_000);
  }

  @Test
  void shouldServeAHitBeforeAnOlderConflict() {
    dram.read(0, 64, START_PS);
    dram.read(ROW, 64, START_PS + 5_000); // has to wait for tRAS

    assertThat(dram.read(64, 64, START_PS + 20_000)).isEqualTo(START_PS + 20_000 + 16_250);
  }

  @Test
  void shouldScheduleAnEarlierArrivalBeforeALaterOne() {
    DramController inOrder = DDR4.newController();
    long firstPs = inOrder.read(0, 64, START_PS);
    dram.read(ROW, 64, START_PS + 40_000);

    assertThat(dram.read(0, 64, START_PS)).isEqualTo(firstPs);
  }

  @Test
  void shouldNotGoBackBehindTheHorizon() {
    dram.read(0, 64, START_PS);
    dram.read(ROW, 64, START_PS + 40_000);
    dram.read(BANK_GROUP, 64, START_PS + 1_000_000);

    // Row 1 was opened 53.75 ns after the start, and that is settled: tRAS, then a conflict.
    assertThat(dram.read(0, 64, START_PS)).isEqualTo(START_PS + 53_750 + 32_500 + 43_750);
  }

  @Test
  void shouldKeepRanksAwayWhileTheyRefresh() {
    long duePs = DramTiming.DDR4_3200.refresh().intervalPs();
    dram.read(0, 64, duePs - START_PS);

    // The open row is closed at the due time, then the rank is away for tRFC = 360 ns.
    assertThat(dram.read(64, 64, duePs + 1_000)).isEqualTo(duePs + 13_750 + 360_000 + 30_000);
    // Another refresh later, all of it is over.
    assertThat(dram.read(64, 64, 2 * duePs + 500_000)).isEqualTo(2 * duePs + 500_000 + 30_000);
  }

  @Test
  void shouldRefreshOneRankAfterTheOther() {
    long duePs = 3_000_000;
    DramController staggered =
        DDR4.withRefreshStaggerPs(2_000_000).withFirstRefreshPs(duePs).newController();

    assertThat(staggered.read(RANK, 64, duePs + 1_000)).isEqualTo(duePs + 1_000 + 30_000);
    // Its row was opened before, so it has to be closed first.
    assertThat(staggered.read(RANK, 64, duePs + 2_000_000))
        .isEqualTo(duePs + 2_000_000 + 13_750 + 360_000 + 30_000);
  }

  @Test
  void shouldServeAReadFromTheWriteQueue() {
    DramController draining =
        DDR4.withHorizonPs(1_000_000).newController(); // long enough to keep it in the queue
    draining.write(0, 64, START_PS);

    assertThat(draining.read(0, 64, START_PS)).isEqualTo(START_PS);
    assertThat(draining.read(ROW, 64, START_PS)).isGreaterThan(START_PS);
  }

  @Test
  void shouldMakeWritesWaitForRoomInTheQueue() {
    long latestPs = 0;
    for (int i = 0; i < 200; i++) {
      latestPs = Math.max(latestPs, dram.write(i * ROW, 64, START_PS));
    }

    // All of one bank: at least tRC = 46.25 ns for each of those that found the queue full.
    assertThat(latestPs).isGreaterThan(START_PS + 160 * 46_250);
  }

  @Test
  void shouldSayHowLongAnAccessWaitsForRoom() {
    int waiting = 0;
    for (int i = 0; i < 200; i++) {
      long donePs = dram.write(i * ROW, 64, START_PS);

      assertThat(START_PS + dram.waitPs()).isEqualTo(donePs);
      waiting += dram.waitPs() > 0 ? 1 : 0;
    }

    // There is room for 32, and for the one whose row is opened at once.
    assertThat(waiting).isEqualTo(200 - 33);
  }

  @Test
  void shouldNotTakeLatenessForWaiting() {
    dram.read(0, 64, START_PS);
    dram.read(BANK_GROUP, 64, START_PS + 1_000_000);
    dram.read(ROW, 64, START_PS);

    assertThat(dram.waitPs()).isZero();
  }

  @Test
  void shouldCloseRowsBehindTheLastAccess() {
    DramController closed = DDR4.withPagePolicy(PagePolicy.CLOSED, 16).newController();
    closed.read(0, 64, START_PS);

    assertThat(closed.read(ROW, 64, 2 * START_PS)).isEqualTo(2 * START_PS + 30_000);
    assertThat(closed.read(ROW, 64, 3 * START_PS)).isEqualTo(3 * START_PS + 30_000);
  }

  @Test
  void shouldAnswerAsTheQueueDoesWhenRequestsComeOneByOne() {
    long[] donePs = new long[1];
    DramQueue queue = new DramQueue(DDR4, (tag, acceptedPs, atPs) -> donePs[0] = atPs);
    long seed = 11;
    SplittableRandom random = new SplittableRandom(seed);
    long atPs = 0;
    for (int i = 0; i < 20_000; i++) {
      long pa = random.nextLong(1L << (i % 2 == 0 ? 33 : 20));
      queue.submit(pa, false, i, atPs);
      queue.drain();

      assertThat(dram.read(pa, 1, atPs)).as("seed %d, request %d", seed, i).isEqualTo(donePs[0]);
      atPs = donePs[0] + random.nextLong(200_000);
    }
    // What lies behind the horizon is settled.
    dram.read(0, 1, atPs + 1_000_000);
    assertThat(dram.statistics()).isEqualTo(queue.statistics());
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "5, 2", "12, 4"})
  void shouldAnswerNearlyAsTheQueueDoesUnderLoad(int gbytesPerSecond, double percent) {
    long[] sumsPs = new long[2];
    DramQueue queue = new DramQueue(DDR4, (tag, acceptedPs, donePs) -> sumsPs[0] += donePs - tag);
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 40_000; i++) {
      long pa = random.nextLong(1L << 33);
      long atPs = i * 64_000L / gbytesPerSecond;
      queue.submit(pa, false, atPs, atPs);
      sumsPs[1] += dram.read(pa, 1, atPs) - atPs;
    }
    queue.drain();

    // An answer does not know of the requests behind it.
    assertThat(sumsPs[1]).isCloseTo(sumsPs[0], withPercentage(percent));
  }

  @Test
  void shouldNotMindArrivalsInDisorderWithinTheHorizon() {
    DramController ordered = DDR4.newController();
    SplittableRandom random = new SplittableRandom(3);
    long sumPs = 0;
    long orderedSumPs = 0;
    // Pairs, the later one of which is called first, 40 ns ahead.
    for (int i = 0; i < 20_000; i++) {
      long pa = random.nextLong(1L << 33);
      long laterPa = random.nextLong(1L << 33);
      long atPs = i * 100_000L;
      sumPs += dram.read(laterPa, 1, atPs + 40_000) - atPs - 40_000;
      sumPs += dram.read(pa, 1, atPs) - atPs;
      orderedSumPs += ordered.read(pa, 1, atPs) - atPs;
      orderedSumPs += ordered.read(laterPa, 1, atPs + 40_000) - atPs - 40_000;
    }

    assertThat(sumPs).isCloseTo(orderedSumPs, withPercentage(1));
    dram.read(0, 1, 3_000_000_000L);
    ordered.read(0, 1, 3_000_000_000L);
    assertThat(dram.statistics()).isEqualTo(ordered.statistics());
  }

  private static DramTiming timing(String part) {
    return switch (part) {
      case "ddr3-1600" -> DramTiming.DDR3_1600;
      case "ddr4-2400" -> DramTiming.DDR4_2400;
      case "ddr4-3200" -> DramTiming.DDR4_3200;
      case "ddr5-4800" -> DramTiming.DDR5_4800;
      default -> DramTiming.HBM2;
    };
  }
}
