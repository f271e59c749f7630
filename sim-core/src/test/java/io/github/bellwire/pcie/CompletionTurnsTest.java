package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.kernel.TurnQueue;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whose bytes go down next. */
class CompletionTurnsTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final Simulation simulation = new Simulation(1);
  private final CompletionTurns turns = new CompletionTurns(simulation, 128, 64, 256, 4);

  /** Begins the answer to a read with a completion of whole turns of 10 ps. */
  private long read(long readyPs, int turnsCount) {
    return turns.add(true, readyPs, 10L * turnsCount, 0, true, turnsCount, false);
  }

  private long more(int turnsCount, boolean joins) {
    return turns.add(false, 0, 10L * turnsCount, 0, true, turnsCount, joins);
  }

  @Test
  void shouldServeReadsInTurn() {
    long first = read(100, 2);
    long second = read(100, 1);
    long third = read(100, 2);

    simulation.runUntil(1_000);

    // 1 2 3 1 3
    assertThat(turns.sentPs(first)).isEqualTo(140);
    assertThat(turns.sentPs(second)).isEqualTo(120);
    assertThat(turns.sentPs(third)).isEqualTo(150);
    assertThat(turns.nextTicket()).isEqualTo(3);
  }

  @Test
  void shouldSendAReadThatIsAloneWithoutAPause() {
    long first = read(100, 2);
    long second = more(1, false);

    assertThat(turns.sentPs(first)).isEqualTo(120);
    assertThat(turns.sentPs(second)).isEqualTo(130);
    simulation.runUntil(1_000);
    assertThat(turns.sentPs(first)).isEqualTo(120);
    assertThat(turns.sentPs(second)).isEqualTo(130);
  }

  @Test
  void shouldLetWhoComesLaterHaveATurnBeforeTheSecondOfOthers() {
    long first = read(100, 2);
    simulation.runUntil(105);

    long second = read(108, 1);

    assertThat(turns.sentPs(second)).isEqualTo(120);
    assertThat(turns.sentPs(first)).isEqualTo(130);
  }

  @Test
  void shouldTellTheEarliestTimeAndLaterTheTrueOne() {
    long first = read(100, 3);
    assertThat(turns.sentPs(first)).isEqualTo(130);

    read(100, 3);

    // The other has two turns at least before the third of the first.
    assertThat(turns.sentPs(first)).isEqualTo(150);
    simulation.runUntil(130);
    read(130, 1);
    assertThat(turns.sentPs(first)).isEqualTo(160); // 1 2 1 2 new 1
    simulation.runUntil(1_000);
    assertThat(turns.sentPs(first)).isEqualTo(160);
  }

  @Test
  void shouldNotGiveUpATurnThatTwoCompletionsShare() {
    long first = read(100, 1);
    long joined = more(2, true);
    long other = read(100, 1);

    simulation.runUntil(1_000);

    // 1, joined, 2, joined
    assertThat(turns.sentPs(first)).isEqualTo(110);
    assertThat(turns.sentPs(other)).isEqualTo(130);
    assertThat(turns.sentPs(joined)).isEqualTo(140);
  }

  @Test
  void shouldCarryFractionsUntilItIsIdle() {
    // 10 3/4 each: 10.75 and 21.5 end whole picoseconds earlier.
    long first = turns.add(true, 0, 10, 3, true, 1, false);
    long second = turns.add(true, 0, 10, 3, true, 1, false);
    long third = turns.add(true, 22, 10, 3, true, 1, false);

    simulation.runUntil(1_000);

    assertThat(turns.sentPs(first)).isEqualTo(10);
    assertThat(turns.sentPs(second)).isEqualTo(21);
    assertThat(turns.sentPs(third)).isEqualTo(32);
  }

  @Test
  void shouldServeALaterReadFirstWhenDataIsLate() {
    long late = read(100, 1);
    long early = read(100, 1);

    turns.move(late, 105);

    simulation.runUntil(101);
    turns.move(early, 500); // It has begun.
    simulation.runUntil(1_000);
    assertThat(turns.sentPs(early)).isEqualTo(110);
    assertThat(turns.sentPs(late)).isEqualTo(120);
  }

  @Test
  void shouldKeepReadsOutUntilThereIsRoomForAllTheirData() {
    CompletionTurns small = new CompletionTurns(simulation, 4, 64, 256, 4);
    long first = small.add(true, 100, 30, 0, true, 3, false);
    long second = small.add(true, 100, 20, 0, true, 2, false);
    long behind = small.add(true, 100, 10, 0, true, 1, false);
    long register = small.add(true, 100, 10, 0, false, 1, false);

    simulation.runUntil(1_000);

    // Room for 4 turns: the second fits in when the first has had one, the third after the second.
    // register 1 2 3 1 2 1
    assertThat(small.sentPs(register)).isEqualTo(110);
    assertThat(small.sentPs(behind)).isEqualTo(140);
    assertThat(small.sentPs(second)).isEqualTo(160);
    assertThat(small.sentPs(first)).isEqualTo(170);
  }

  @Test
  void shouldSendRequestsBeforeAnswersAndInTheOrderOfReadiness() {
    long first = read(100, 2);
    long late = request(105);
    long early = request(101);
    long second = read(100, 1);
    long equal = request(105);

    assertThat(turns.sentPs(early)).isEqualTo(111); // At the earliest: answers may be under way.
    simulation.runUntil(1_000);

    // 1, then what is ready by 110: early, late, equal; then 2 and 1.
    assertThat(turns.sentPs(early)).isEqualTo(120);
    assertThat(turns.sentPs(late)).isEqualTo(130);
    assertThat(turns.sentPs(equal)).isEqualTo(140);
    assertThat(turns.sentPs(second)).isEqualTo(150);
    assertThat(turns.sentPs(first)).isEqualTo(160);
  }

  private long request(long readyPs) {
    return turns.add(true, readyPs, 10, 0, false, 1, false);
  }

  @Test
  void shouldLetAReadThatIsLargerThanTheBufferHaveItForItself() {
    CompletionTurns small = new CompletionTurns(simulation, 2, 64, 256, 4);
    long large = small.add(true, 0, 50, 0, true, 5, false);
    long next = small.add(true, 0, 10, 0, true, 1, false);

    simulation.runUntil(1_000);

    // Served until what is left of it and the next fit: 4 of 5, then in turn.
    assertThat(small.sentPs(next)).isEqualTo(50);
    assertThat(small.sentPs(large)).isEqualTo(60);
  }

  @Test
  void shouldForgetBookingsFarAheadRatherThanWaitForThem() {
    long farAhead = turns.add(true, 1_000_000, 10, 0, false, 1, false);
    for (int i = 0; i < 64; i++) {
      simulation.runUntil(100 + 10 * i);
      read(100 + 10 * i, 1);
    }

    assertThat(turns.sentPs(farAhead)).isEqualTo(1_000_010);
    assertThat(turns.sentPs(64)).isEqualTo(740); // 64 reads from 100 on
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTakeTheTimeOfAllThatWaitThoughItForgetsMost(boolean isRequest) {
    long last = 0;
    for (int i = 0; i < 200; i++) {
      last = isRequest ? request(100) : read(100, 1);
    }

    assertThat(turns.sentPs(last)).isEqualTo(2_100); // 200 of 10 ps from 100 on
    simulation.runUntil(10_000);
    assertThat(turns.sentPs(last)).isEqualTo(2_100);
  }

  @Test
  void shouldServeTheOldestAheadOfTimeWhenItsPiecesAreMoreThanItRemembers() {
    read(100, 1);
    long last = 0;
    for (int i = 0; i < 400; i++) {
      last = turns.add(false, 100, 10, 0, true, 1, false);
    }

    assertThat(turns.sentPs(last)).isEqualTo(4_110); // 401 of 10 ps from 100 on
  }

  @Test
  void shouldNotKnowWhatWasLongAgo() {
    assertThat(turns.sentPs(-1)).isEqualTo(TurnQueue.FORGOTTEN);
    for (int i = 0; i < 257; i++) {
      simulation.runUntil(20 * i);
      read(20 * i, 1);
    }

    assertThat(turns.sentPs(0)).isEqualTo(TurnQueue.FORGOTTEN);
    assertThat(turns.sentPs(1)).isEqualTo(30);
  }

  /** What every turn would be, with all reads known. */
  private static final class Reference {
    private record Part(int read, int[] turnsPs, boolean joins) {}

    private final List<Long> readyPs = new ArrayList<>();
    private final List<List<Part>> parts = new ArrayList<>();
    private final List<Long> sentPs = new ArrayList<>();

    void run() {
      int[] part = new int[parts.size()];
      int[] turn = new int[parts.size()];
      long[][] ends = new long[parts.size()][8];
      long freePs = 0;
      int next = 0;
      for (int left = parts.size(); left > 0; ) {
        int chosen = -1;
        while (chosen < 0) {
          long soonestPs = Long.MAX_VALUE;
          for (int i = 0; i < parts.size() && chosen < 0; i++) {
            int read = (next + i) % parts.size();
            if (part[read] < parts.get(read).size()) {
              soonestPs = Math.min(soonestPs, readyPs.get(read));
              chosen = readyPs.get(read) <= freePs ? read : -1;
            }
          }
          freePs = chosen < 0 ? soonestPs : freePs;
        }
        Part now = parts.get(chosen).get(part[chosen]);
        freePs += now.turnsPs[turn[chosen]++];
        next = chosen + 1;
        if (turn[chosen] == now.turnsPs.length) {
          ends[chosen][part[chosen]++] = freePs;
          turn[chosen] = 0;
          if (part[chosen] == parts.get(chosen).size()) {
            left--;
          } else if (parts.get(chosen).get(part[chosen]).joins) {
            next = chosen;
          }
        }
      }
      for (int read = 0; read < parts.size(); read++) {
        for (int i = 0; i < parts.get(read).size(); i++) {
          sentPs.add(ends[read][i]);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void shouldAgreeWithAReferenceThatKnowsAllReads(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Simulation clock = new Simulation(1);
    CompletionTurns tested = new CompletionTurns(clock, 1 << 20, 256, 2048, 1);
    Reference reference = new Reference();
    List<Long> lastTold = new ArrayList<>();
    long nowPs = 0;
    List<Long> told = new ArrayList<>();
    for (int read = 0; read < 2_000; read++) {
      nowPs += random.nextInt(60);
      clock.runUntil(nowPs);
      long readyPs = nowPs + random.nextInt(200);
      List<Reference.Part> parts = new ArrayList<>();
      int partsCount = 1 + random.nextInt(3);
      for (int i = 0; i < partsCount; i++) {
        int turnsCount = 1 + random.nextInt(3);
        int[] turnsPs = new int[turnsCount];
        int turnPs = 1 + random.nextInt(12);
        int restPs = random.nextInt(turnsCount); // as division leaves it
        Arrays.fill(turnsPs, turnPs);
        turnsPs[turnsCount - 1] += restPs;
        boolean joins = i > 0 && random.nextBoolean();
        parts.add(new Reference.Part(read, turnsPs, joins));
        long durationPs = (long) turnPs * turnsCount + restPs;
        told.add(
            tested.sentPs(tested.add(i == 0, readyPs, durationPs, 0, true, turnsCount, joins)));
      }
      reference.readyPs.add(readyPs);
      reference.parts.add(parts);
      // Some are asked again in between.
      long asked = Math.max(0, told.size() - 1 - random.nextInt(60));
      lastTold.add(asked << 32 | tested.sentPs(asked));
    }
    reference.run();

    for (int ticket = 0; ticket < told.size(); ticket++) {
      assertThat(told.get(ticket))
          .as("seed %d", seed)
          .isLessThanOrEqualTo(reference.sentPs.get(ticket));
    }
    for (long asked : lastTold) {
      long truePs = reference.sentPs.get((int) (asked >>> 32));
      assertThat(asked & 0xffff_ffffL).as("seed %d", seed).isLessThanOrEqualTo(truePs);
    }
    clock.runUntil(nowPs + 1_000_000);
    for (int ticket = told.size() - 2048; ticket < told.size(); ticket++) {
      assertThat(tested.sentPs(ticket)).as("seed %d", seed).isEqualTo(reference.sentPs.get(ticket));
    }
  }

  @Test
  void shouldAllocateNothing() {
    long sum = 0;
    long before = 0;
    for (int i = 0; i < 200_000; i++) {
      if (i == 100_000) {
        before = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
      }
      simulation.runUntil(20L * i);
      sum += turns.sentPs(read(20L * i + i % 7 * 30, 1 + i % 3));
    }
    long allocated = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;

    assertThat(sum).isPositive();
    assertThat(allocated).isLessThan(1024);
  }
}
