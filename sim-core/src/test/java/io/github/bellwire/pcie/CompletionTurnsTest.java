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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whose bytes go down next. */
class CompletionTurnsTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final Simulation simulation = new Simulation(1);
  private final CompletionTurns turns = new CompletionTurns(simulation, 128, 64, 256, 4);

  /** Begins the answer to a read with a completion of whole turns of 10 ps. */
  private long read(long readyPs, int turnsCount) {
    return turns.add(true, readyPs, 10L * turnsCount, 0, turnsCount, turnsCount, false);
  }

  private long more(int turnsCount, boolean joins) {
    return turns.add(false, 0, 10L * turnsCount, 0, turnsCount, turnsCount, joins);
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
    long first = turns.add(true, 0, 10, 3, 1, 1, false);
    long second = turns.add(true, 0, 10, 3, 1, 1, false);
    long third = turns.add(true, 22, 10, 3, 1, 1, false);

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
    long first = small.add(true, 100, 30, 0, 3, 3, false);
    long second = small.add(true, 100, 20, 0, 2, 2, false);
    long behind = small.add(true, 100, 10, 0, 1, 1, false);
    long register = small.add(true, 100, 10, 0, 0, 1, false);

    simulation.runUntil(1_000);

    // Room for 4 turns: the second fits in when the first has had one, the third after the second.
    // register 1 2 3 1 2 1
    assertThat(small.sentPs(register)).isEqualTo(110);
    assertThat(small.sentPs(behind)).isEqualTo(140);
    assertThat(small.sentPs(second)).isEqualTo(160);
    assertThat(small.sentPs(first)).isEqualTo(170);
  }

  @Test
  void shouldLetAReadThatIsLargerThanTheBufferHaveItForItself() {
    CompletionTurns small = new CompletionTurns(simulation, 2, 64, 256, 4);
    long large = small.add(true, 0, 50, 0, 5, 5, false);
    long next = small.add(true, 0, 10, 0, 1, 1, false);

    simulation.runUntil(1_000);

    // Served until what is left of it and the next fit: 4 of 5, then in turn.
    assertThat(small.sentPs(next)).isEqualTo(50);
    assertThat(small.sentPs(large)).isEqualTo(60);
  }

  @Test
  void shouldKeepAReadOutThatHasRoomForItsFirstCompletionOnly() {
    CompletionTurns small = new CompletionTurns(simulation, 4, 64, 256, 4);
    long first = small.add(true, 100, 30, 0, 3, 3, false);
    // Three turns: two completions share one of them.
    long second = small.add(true, 100, 10, 0, 3, 1, false);
    small.sentPs(second);
    long joined = small.add(false, 100, 10, 0, 2, 1, true);
    small.sentPs(joined);
    long rest = small.add(false, 100, 20, 0, 2, 2, false);

    simulation.runUntil(1_000);

    // 1 1 2 (shared: both) 1 2 2
    assertThat(small.sentPs(first)).isEqualTo(150);
    assertThat(small.sentPs(second)).isEqualTo(130);
    assertThat(small.sentPs(joined)).isEqualTo(140);
    assertThat(small.sentPs(rest)).isEqualTo(170);
  }

  @Test
  void shouldNotLetTheFullBufferMakeAnEstimateLate() {
    CompletionTurns small = new CompletionTurns(simulation, 4, 64, 256, 4);
    long first = small.add(true, 100, 40, 0, 4, 4, false);
    long outside = small.add(true, 100, 40, 0, 4, 4, false);

    // The second waits until the first is through.
    assertThat(small.sentPs(first)).isEqualTo(140);
    assertThat(small.sentPs(outside)).isLessThanOrEqualTo(180);
    simulation.runUntil(1_000);
    assertThat(small.sentPs(first)).isEqualTo(140);
    assertThat(small.sentPs(outside)).isEqualTo(180);
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
    return turns.add(true, readyPs, 10, 0, 0, 1, false);
  }

  @Test
  void shouldTellARowOfWritesTheirTimes() {
    long first = request(100);
    long second = request(120);
    long third = request(121);

    assertThat(turns.sentPs(first)).isEqualTo(110);
    assertThat(turns.sentPs(second)).isEqualTo(130);
    assertThat(turns.sentPs(third)).isEqualTo(140);
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 64})
  void shouldNotCarryMoreThanTheLinkDoesWhenMoreWaitThanAreRemembered(int readsCount) {
    CompletionTurns few = new CompletionTurns(simulation, 128, readsCount, 64, 4);
    long ticket = 0;
    long endPs = 100;
    for (int i = 0; i < 200; i++) {
      few.add(true, 100 + i % 7, 10, 0, 2, 1, false);
      ticket = few.add(false, 100 + i % 7, 10 + i / 10, 0, 1, 1, false);
      endPs += 20 + i / 10;
    }
    simulation.runUntil(10_000);

    assertThat(few.sentPs(ticket)).isEqualTo(endPs);
  }

  @Test
  void shouldForgetBookingsFarAheadRatherThanWaitForThem() {
    long farAhead = turns.add(true, 1_000_000, 10, 0, 0, 1, false);
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
      last = turns.add(false, 100, 10, 0, 1, 1, false);
    }

    assertThat(turns.sentPs(last)).isEqualTo(4_110); // 401 of 10 ps from 100 on
  }

  @Test
  void shouldLetOthersIntoTheBufferWhenABookingFarAheadIsForgotten() {
    CompletionTurns small = new CompletionTurns(simulation, 4, 4, 64, 4);
    long farAhead = small.add(true, 1_000_000, 40, 0, 4, 4, false);
    for (int i = 0; i < 3; i++) {
      small.add(true, 100, 10, 0, 1, 1, false); // outside
    }
    long request = small.add(true, 100, 10, 0, 0, 1, false);
    simulation.runUntil(200);

    assertThat(small.sentPs(farAhead)).isEqualTo(1_000_040);
    assertThat(small.sentPs(request)).isEqualTo(110);
    assertThat(small.sentPs(1)).isEqualTo(120);
    assertThat(small.sentPs(3)).isEqualTo(140);
  }

  @Test
  void shouldHoldALargeReadOfManyCompletions() {
    CompletionTurns few = new CompletionTurns(simulation, 128, 4, 8, 4);
    long first = few.add(true, 100, 10, 0, 20, 1, false);
    long last = first;
    for (int i = 1; i < 20; i++) {
      last = few.add(false, 100, 10, 0, 20 - i, 1, false);
    }

    simulation.runUntil(1_000);

    assertThat(few.sentPs(first)).isEqualTo(TurnQueue.FORGOTTEN);
    assertThat(few.sentPs(last)).isEqualTo(300);
  }

  @Test
  void shouldAskForRoomAgainForTheRestOfAReadOfWhichAllThatWasKnownHasLeft() {
    CompletionTurns small = new CompletionTurns(simulation, 4, 64, 256, 4);
    small.add(true, 100, 10, 0, 4, 1, false);
    simulation.runUntil(200);
    long other = small.add(true, 200, 20, 0, 2, 2, false);
    simulation.runUntil(205);

    // Nothing of the four turns is left behind in the buffer.
    assertThat(small.sentPs(other)).isEqualTo(220);
    long last = small.add(true, 200, 20, 0, 2, 2, false);
    simulation.runUntil(1_000);
    assertThat(small.sentPs(other)).isEqualTo(230);
    assertThat(small.sentPs(last)).isEqualTo(240);
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
    /** A completion. */
    private record Part(int[] turnsPs, boolean joins) {}

    private final int bufferTurns;
    private final List<Long> madePs = new ArrayList<>();
    private final List<Long> readyPs = new ArrayList<>();
    private final List<Integer> owedTurns = new ArrayList<>(); // 0: no answer
    private final List<List<Part>> parts = new ArrayList<>();
    private final List<Long> sentPs = new ArrayList<>();
    private boolean[] isInside = {};
    private int[] part = {};
    private int[] turn = {};
    private int buffered;
    private int next;

    Reference(int bufferTurns) {
      this.bufferTurns = bufferTurns;
    }

    void run() {
      int count = parts.size();
      isInside = new boolean[count];
      part = new int[count];
      turn = new int[count];
      long[][] ends = new long[count][8];
      long freePs = 0;
      for (int left = count; left > 0; ) {
        int chosen = choose(freePs);
        while (chosen < 0) {
          freePs = nextChangePs(freePs);
          chosen = choose(freePs);
        }
        Part now = parts.get(chosen).get(part[chosen]);
        boolean isShared = now.joins && turn[chosen] == 0;
        freePs += now.turnsPs[turn[chosen]++];
        if (owedTurns.get(chosen) > 0) {
          next = chosen + 1;
          buffered -= isShared ? 0 : 1;
        }
        if (turn[chosen] == now.turnsPs.length) {
          ends[chosen][part[chosen]++] = freePs;
          turn[chosen] = 0;
          if (isOver(chosen)) {
            left--;
          } else if (parts.get(chosen).get(part[chosen]).joins) {
            next = chosen;
          }
        }
      }
      for (int read = 0; read < count; read++) {
        for (int i = 0; i < parts.get(read).size(); i++) {
          sentPs.add(ends[read][i]);
        }
      }
    }

    private boolean isOver(int read) {
      return part[read] == parts.get(read).size();
    }

    private int choose(long atPs) {
      admit(atPs);
      int chosen = -1;
      for (int read = 0; read < parts.size(); read++) {
        boolean isReady = !isOver(read) && readyPs.get(read) <= atPs && madePs.get(read) <= atPs;
        if (isReady
            && owedTurns.get(read) == 0
            && (chosen < 0 || readyPs.get(read) < readyPs.get(chosen))) {
          chosen = read;
        }
      }
      for (int i = 0; i < parts.size() && chosen < 0; i++) {
        int read = (next + i) % parts.size();
        if (isInside[read] && !isOver(read) && readyPs.get(read) <= atPs) {
          chosen = read;
        }
      }
      return chosen;
    }

    private void admit(long atPs) {
      for (int read = 0; read < parts.size() && madePs.get(read) <= atPs; read++) {
        int owed = owedTurns.get(read);
        if (!isInside[read] && owed > 0) {
          if (buffered > 0 && buffered + owed > bufferTurns) {
            return;
          }
          buffered += owed;
          isInside[read] = true;
        }
      }
    }

    private long nextChangePs(long afterPs) {
      long changePs = Long.MAX_VALUE;
      for (int read = 0; read < parts.size(); read++) {
        if (madePs.get(read) > afterPs) {
          changePs = Math.min(changePs, madePs.get(read));
        }
        if (readyPs.get(read) > afterPs && !isOver(read)) {
          changePs = Math.min(changePs, readyPs.get(read));
        }
      }
      return changePs;
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1000000", "2, 1000000", "3, 1000000", "4, 8", "5, 8", "6, 12", "7, 12", "8, 3"})
  void shouldAgreeWithAReferenceThatKnowsAllReads(long seed, int bufferTurns) {
    SplittableRandom random = new SplittableRandom(seed);
    Simulation clock = new Simulation(1);
    CompletionTurns tested = new CompletionTurns(clock, bufferTurns, 1024, 8192, 1);
    Reference reference = new Reference(bufferTurns);
    List<Long> lastTold = new ArrayList<>();
    long nowPs = 0;
    List<Long> told = new ArrayList<>();
    for (int read = 0; read < 1_000; read++) {
      nowPs += random.nextInt(60);
      clock.runUntil(nowPs);
      boolean isAnswer = random.nextInt(5) > 0;
      long readyPs = nowPs + random.nextInt(200);
      List<Reference.Part> parts = new ArrayList<>();
      int partsCount = isAnswer ? 1 + random.nextInt(3) : 1;
      int owedTurns = 0;
      for (int i = 0; i < partsCount; i++) {
        int turnsCount = isAnswer ? 1 + random.nextInt(3) : 1;
        int[] turnsPs = new int[turnsCount];
        Arrays.fill(turnsPs, 1 + random.nextInt(12));
        turnsPs[turnsCount - 1] += random.nextInt(turnsCount); // as division leaves it
        boolean joins = i > 0 && random.nextBoolean();
        owedTurns += turnsCount - (joins ? 1 : 0);
        parts.add(new Reference.Part(turnsPs, joins));
      }
      owedTurns = isAnswer ? owedTurns : 0;
      for (int i = 0; i < partsCount; i++) {
        Reference.Part part = parts.get(i);
        long durationPs = Arrays.stream(part.turnsPs).sum();
        int turnsCount = part.turnsPs.length;
        told.add(
            tested.sentPs(
                tested.add(i == 0, readyPs, durationPs, 0, owedTurns, turnsCount, part.joins)));
      }
      reference.madePs.add(nowPs);
      reference.readyPs.add(readyPs);
      reference.owedTurns.add(owedTurns);
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
    for (int ticket = 0; ticket < told.size(); ticket++) {
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
