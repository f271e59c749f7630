package io.github.bellwire.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.memory.DramConfig.PagePolicy;
import io.github.bellwire.memory.DramConfig.Queues;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DramQueueTest {
  // RoBaRaCoCh with 128 bursts of 64 B per row, 2 ranks, 16 banks.
  private static final long ROW = 1L << 18;
  private static final long BANK_GROUP = 1L << 14;
  private static final long START_PS = 1_000_000;
  private static final DramConfig DDR4 =
      DramConfig.of(DramTiming.DDR4_3200).withMapping(DramConfig.ROW_BANK_RANK_COLUMN);

  private final List<Long> order = new ArrayList<>();
  private final long[] donePs = new long[100_000];
  private final long[] acceptedPs = new long[100_000];

  private DramQueue queue(DramConfig config) {
    return new DramQueue(
        config,
        (tag, accepted, done) -> {
          order.add(tag);
          acceptedPs[(int) tag] = accepted;
          donePs[(int) tag] = done;
        });
  }

  @Test
  void shouldServeTheOpenRowFirst() {
    DramQueue dram = queue(DDR4);
    dram.submit(0, false, 0, START_PS);
    dram.submit(ROW, false, 1, START_PS);
    dram.submit(64, false, 2, START_PS);
    dram.drain();

    assertThat(order).containsExactly(0L, 2L, 1L);
    assertThat(donePs[2]).isEqualTo(START_PS + 30_000 + 5_000); // tCCD_L
    assertThat(donePs[1]).isEqualTo(START_PS + 32_500 + 43_750); // tRAS, then a conflict
  }

  @Test
  void shouldCloseARowAfterItsLimitOfAccesses() {
    DramQueue dram = queue(DDR4.withPagePolicy(PagePolicy.OPEN, 2));
    dram.submit(0, false, 0, START_PS);
    dram.submit(ROW, false, 1, START_PS);
    for (int i = 2; i < 6; i++) {
      dram.submit(64L * i, false, i, START_PS);
    }
    dram.drain();

    assertThat(order).containsExactly(0L, 2L, 1L, 3L, 4L, 5L);
  }

  @Test
  void shouldServeAnIdleBankBeforeAnOlderConflict() {
    DramQueue dram = queue(DDR4);
    dram.submit(0, false, 0, START_PS);
    dram.submit(ROW, false, 1, START_PS);
    dram.submit(BANK_GROUP, false, 2, START_PS);
    dram.drain();

    assertThat(order).containsExactly(0L, 2L, 1L);
  }

  @Test
  void shouldAcceptAsManyReadsAsItHolds() {
    DramQueue dram = queue(DDR4);
    // One bank: 32 wait, and one more has its row open.
    long lastPs = 0;
    for (int i = 0; i < 34; i++) {
      lastPs = dram.submit(i * ROW, false, i, START_PS);
    }

    // The second row is opened after tRAS and tRP, which makes room for the 34th.
    assertThat(lastPs).isEqualTo(START_PS + 32_500 + 13_750);
    dram.drain();
    assertThat(acceptedPs[32]).isEqualTo(START_PS);
    assertThat(acceptedPs[33]).isEqualTo(START_PS + 46_250);
  }

  @Test
  void shouldHoldFurtherReadsPerBank() {
    DramQueue dram = queue(DDR4.withQueues(Queues.PER_BANK));
    long lastPs = 0;
    for (int i = 0; i < 41; i++) {
      lastPs = dram.submit(i * ROW, false, i, START_PS);
    }

    assertThat(lastPs).isEqualTo(START_PS); // 32 + 8 + 1
    assertThat(dram.submit(41 * ROW, false, 41, START_PS)).isEqualTo(START_PS + 46_250);
  }

  @Test
  void shouldLetWritesWaitWhileReadsCome() {
    DramQueue dram = queue(DDR4);
    dram.submit(0, false, 0, START_PS);
    for (int i = 1; i < 20; i++) {
      dram.submit(i * BANK_GROUP + ROW, true, i, START_PS);
    }
    dram.submit(64, false, 20, START_PS);
    dram.drain();

    // Writes are visible as they are accepted; both reads are served as if there were none.
    assertThat(donePs[1]).isEqualTo(START_PS);
    assertThat(donePs[0]).isEqualTo(START_PS + 30_000);
    assertThat(donePs[20]).isEqualTo(START_PS + 35_000);
    assertThat(dram.statistics().writesTotal()).isEqualTo(19);
    assertThat(dram.statistics().turnaroundsTotal()).isEqualTo(1);
  }

  @Test
  void shouldDrainWritesFromTheHighMarkToTheLowOne() {
    DramQueue dram = queue(DDR4);
    // Reads of one row never stop; 26 writes to other banks reach the mark.
    for (int i = 0; i < 26; i++) {
      dram.submit(ROW + (i % 15 + 1) * BANK_GROUP + i / 15 * 64L, true, 1_000 + i, START_PS);
      dram.submit(64L * i, false, i, START_PS);
    }
    for (int i = 26; i < 400; i++) {
      dram.submit(64L * (i % 128), false, i, START_PS);
    }

    // 26 - 6 = 20 are gone, the rest waits for the next turn.
    assertThat(dram.statistics().writesTotal()).isEqualTo(20);
    dram.drain();
    assertThat(dram.statistics().writesTotal()).isEqualTo(26);
  }

  @Test
  void shouldTurnTheBusWithTheGapsOfTheDataSheet() {
    DramQueue dram = queue(DDR4);
    dram.submit(0, true, 0, START_PS);
    dram.drain();
    long writePs = START_PS + 13_750; // the bank was closed
    dram.submit(64, false, 1, START_PS + 13_750);
    dram.drain();

    // tCWL + tBURST + tWTR_L = 16 + 4 + 12 clocks, then tCL + tBURST
    assertThat(donePs[1]).isEqualTo(writePs + 32 * 625 + 16_250);
    dram.submit(128, true, 2, donePs[1] - 10_000);
    dram.submit(192, false, 3, donePs[1] + 1_000);
    dram.drain();

    // The read at -16.25 ns; the write tCL + tBURST + 2 - tCWL = 12 clocks after it.
    long secondWritePs = donePs[1] - 16_250 + 12 * 625;
    assertThat(donePs[3]).isEqualTo(secondWritePs + 32 * 625 + 16_250);
  }

  @Test
  void shouldForwardAndMergeWhatWaitsInTheWriteQueue() {
    DramQueue dram = queue(DDR4);
    dram.submit(0, false, 0, START_PS);
    dram.submit(ROW, true, 1, START_PS);
    dram.submit(ROW, true, 2, START_PS);
    dram.submit(ROW + 8, false, 3, START_PS);
    dram.drain();

    assertThat(donePs[3]).isEqualTo(START_PS);
    DramStatistics statistics = dram.statistics();
    assertThat(statistics.mergedWritesTotal()).isEqualTo(1);
    assertThat(statistics.forwardedReadsTotal()).isEqualTo(1);
    assertThat(statistics.readsTotal()).isEqualTo(1);
    assertThat(statistics.writesTotal()).isEqualTo(1);
    assertThat(statistics.bytesRead()).isEqualTo(64);
    assertThat(statistics.bytesWritten()).isEqualTo(64);
  }

  @Test
  void shouldCloseRowsThatNobodyWantsWhereAnotherIsWanted() {
    DramQueue dram = queue(DDR4.withPagePolicy(PagePolicy.OPEN_ADAPTIVE, 16));
    dram.submit(0, false, 0, START_PS);
    dram.submit(ROW, false, 1, START_PS);
    dram.drain();
    dram.submit(ROW + 64, false, 2, 2 * START_PS);
    dram.drain();

    // Closed by the read itself, so the second row counts as a closed bank; its row stays open.
    assertThat(dram.statistics().rowConflictsTotal()).isZero();
    assertThat(dram.statistics().rowClosedTotal()).isEqualTo(2);
    assertThat(dram.statistics().rowHitsTotal()).isEqualTo(1);
    assertThat(dram.statistics().rowHitRatio()).isEqualTo(1.0 / 3);
    assertThat(donePs[1]).isEqualTo(START_PS + 32_500 + 43_750);
  }

  @Test
  void shouldCountTheTimeThatRefreshTakes() {
    DramQueue dram = queue(DDR4);
    long intervalPs = DramTiming.DDR4_3200.refresh().intervalPs();
    dram.submit(0, false, 0, 100 * intervalPs + 1);
    dram.submit(0, false, 1, 200 * intervalPs + 500_000);
    dram.drain();

    // Rank 0 only: the other one was not looked at. The row was open at the 101st.
    assertThat(dram.statistics().refreshesTotal()).isEqualTo(200);
    assertThat(dram.statistics().refreshStallPs()).isEqualTo(200 * 360_000L);
    assertThat(donePs[0]).isEqualTo(100 * intervalPs + 360_000 + 30_000);
    assertThat(donePs[1]).isEqualTo(200 * intervalPs + 500_000 + 30_000);
  }

  @ParameterizedTest
  @EnumSource(PagePolicy.class)
  void shouldServeEveryRequestWithinTheLimitsOfTheBus(PagePolicy policy) {
    long seed = 7;
    for (DramTiming timing : List.of(DramTiming.DDR4_3200, DramTiming.DDR5_4800, DramTiming.HBM2)) {
      for (Queues queues : List.of(Queues.SHARED, Queues.PER_BANK)) {
        order.clear();
        DramConfig config =
            DramConfig.of(timing).withChannels(2, 4).withQueues(queues).withPagePolicy(policy, 4);
        DramQueue dram = queue(config);
        SplittableRandom random = new SplittableRandom(seed);
        long atPs = 0;
        int count = 20_000;
        for (int i = 0; i < count; i++) {
          long pa = random.nextInt(4) == 0 ? i * 64L : random.nextLong(1L << 22) & ~63L;
          atPs = dram.submit(pa, random.nextInt(3) == 0, i, atPs);
          atPs += random.nextInt(50) == 0 ? random.nextInt(20_000_000) : random.nextInt(3_000);
        }
        dram.drain();

        assertThat(order).as("seed %d", seed).hasSize(count).doesNotHaveDuplicates();
        DramStatistics statistics = dram.statistics();
        long bursts = statistics.readsTotal() + statistics.writesTotal();
        assertThat(bursts + statistics.forwardedReadsTotal() + statistics.mergedWritesTotal())
            .isEqualTo(count);
        assertThat(statistics.rowHitsTotal() + statistics.activatesTotal()).isEqualTo(bursts);
        assertThat(statistics.rowClosedTotal() + statistics.rowConflictsTotal())
            .isEqualTo(statistics.activatesTotal());
        long latestPs = Arrays.stream(donePs, 0, count).max().orElseThrow();
        long peak = 2 * timing.peakBytesPerSecond(4);
        assertThat((double) bursts * timing.organization().burstBytes() / latestPs)
            .isLessThan(peak / 1e12);
      }
    }
  }
}
