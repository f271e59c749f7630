package io.github.bellwire.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whose turn it is. */
class TurnQueueTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final TurnQueue queue = new TurnQueue(16, 4);

  @Test
  void shouldServeInTheOrderOfReadinessWhateverTheOrderOfCalls() {
    long late = queue.add(100, 10, 0, 0);
    assertThat(queue.endPs(late)).isEqualTo(110);

    long early = queue.add(95, 10, 0, 0);
    long equal = queue.add(100, 10, 0, 0);

    assertThat(queue.endPs(early)).isEqualTo(105);
    assertThat(queue.endPs(late)).isEqualTo(115);
    // Among equals the one that was added first.
    assertThat(queue.endPs(equal)).isEqualTo(125);
    assertThat(queue.addedTotal()).isEqualTo(3);
  }

  @Test
  void shouldLeaveThoseAloneWhoAreNotInTheWay() {
    long late = queue.add(100, 10, 0, 0);

    assertThat(queue.endPs(queue.add(80, 20, 0, 0))).isEqualTo(100);
    assertThat(queue.endPs(late)).isEqualTo(110);
  }

  @Test
  void shouldCarryFractionsUntilItIsIdle() {
    // 10 3/4 each: 10.75, 21.5, 32.25 end whole picoseconds earlier.
    assertThat(queue.endPs(queue.add(0, 10, 3, 0))).isEqualTo(10);
    assertThat(queue.endPs(queue.add(0, 10, 3, 0))).isEqualTo(21);
    assertThat(queue.endPs(queue.add(32, 10, 3, 0))).isEqualTo(42);
    assertThat(queue.endPs(queue.add(0, 10, 3, 0))).isEqualTo(32);
    // The third follows without a pause now: 43.
    assertThat(queue.endPs(2)).isEqualTo(43);
  }

  @Test
  void shouldTellByHowMuchTheLastIsLate() {
    long first = queue.add(100, 10, 0, 0);
    long second = queue.add(110, 10, 0, 0);

    queue.add(90, 13, 0, 0);

    assertThat(queue.delayPs(first, first + 1)).isEqualTo(3);
    assertThat(queue.delayPs(first, second + 1)).isEqualTo(3);
    assertThat(queue.delayPs(second, second)).isZero();
  }

  @Test
  void shouldCloseTheGapOfThoseWhoMove() {
    queue.add(0, 10, 0, 0);
    long moved = queue.add(5, 10, 0, 0);
    long other = queue.add(6, 10, 0, 0);

    queue.move(moved, moved + 1, 50);

    assertThat(queue.endPs(moved)).isEqualTo(60);
    assertThat(queue.endPs(other)).isEqualTo(20);
    queue.move(moved, moved + 1, 4);
    assertThat(queue.endPs(moved)).isEqualTo(20);
    assertThat(queue.endPs(other)).isEqualTo(30);
  }

  @Test
  void shouldKeepTheOrderOfThoseWhoMoveTogether() {
    long first = queue.add(0, 10, 0, 0);
    long second = queue.add(0, 20, 0, 0);
    long other = queue.add(1, 5, 0, 0);

    queue.move(first, second + 1, 1);

    assertThat(queue.endPs(other)).isEqualTo(6);
    assertThat(queue.endPs(first)).isEqualTo(16);
    assertThat(queue.endPs(second)).isEqualTo(36);
  }

  @Test
  void shouldForgetTheOldest() {
    for (int i = 0; i < 17; i++) {
      queue.add(i * 100L, 10, 0, 0);
    }

    assertThat(queue.endPs(0)).isEqualTo(TurnQueue.FORGOTTEN);
    assertThat(queue.endPs(1)).isEqualTo(110);
    assertThat(queue.endPs(17)).isEqualTo(TurnQueue.FORGOTTEN);
    assertThat(queue.endPs(-1)).isEqualTo(TurnQueue.FORGOTTEN);
    assertThat(queue.delayPs(0, 1)).isEqualTo(TurnQueue.FORGOTTEN);
    queue.move(0, 1, 1_650);
    assertThat(queue.endPs(16)).isEqualTo(1_610);
    // Behind the one that it makes the queue forget.
    assertThat(queue.endPs(queue.add(105, 10, 0, 0))).isEqualTo(120);
  }

  @Test
  void shouldForgetWhoeverIsBeforeTheOldest() {
    queue.add(1_000, 10, 0, 0);
    long before = queue.add(0, 10, 0, 0);
    for (int i = 0; i < 15; i++) {
      queue.add(2_000, 10, 0, 0);
    }

    // It is known when it was served, but it does not move any more.
    assertThat(queue.endPs(before)).isEqualTo(10);
    queue.move(before, before + 1, 2_000);
    assertThat(queue.endPs(before)).isEqualTo(10);
  }

  @Test
  void shouldServeNobodyLaterBecauseOfABookingFarAhead() {
    // As a core that has computed for long writes to a device, with completions ahead of it.
    queue.add(1_000_000, 10, 0, 0);
    for (int i = 0; i < 100; i++) {
      long nowPs = i * 100L;

      assertThat(queue.endPs(queue.add(nowPs, 10, 0, nowPs - 1_000))).isEqualTo(nowPs + 10);
    }
  }

  @Test
  void shouldNotTakeAnotherForWhomItHasForgottenWhenItGrows() {
    TurnQueue large = new TurnQueue(64, 1);
    for (int i = 0; i < 40; i++) {
      large.add(i * 100L, 10, 0, i * 100L - 1_000); // remembers 24 to 39
    }
    for (int i = 40; i < 60; i++) {
      large.add(i * 100L, 10, 0, 2_400); // must remember them
    }

    for (int ticket = 0; ticket < 24; ticket++) {
      assertThat(large.endPs(ticket)).isEqualTo(TurnQueue.FORGOTTEN);
      assertThat(large.delayPs(ticket, ticket + 1)).isEqualTo(TurnQueue.FORGOTTEN);
    }
    for (int ticket = 24; ticket < 60; ticket++) {
      assertThat(large.endPs(ticket)).isEqualTo(ticket * 100L + 10);
    }
  }

  @Test
  void shouldRememberMoreWhileEndsAreOfInterest() {
    TurnQueue large = new TurnQueue(64, 1);
    for (int i = 0; i < 40; i++) {
      large.add(i * 100L, 10, 0, 0);
    }
    assertThat(large.endPs(0)).isEqualTo(10);
    assertThat(large.endPs(39)).isEqualTo(3_910);

    for (int i = 40; i < 104; i++) {
      large.add(i * 100L, 10, 0, i * 100L - 1_000);
    }

    assertThat(large.endPs(39)).isEqualTo(TurnQueue.FORGOTTEN);
    assertThat(large.endPs(40)).isEqualTo(4_010);
    assertThat(large.endPs(103)).isEqualTo(10_310);
  }

  @Test
  void shouldUseTheSlotsOfThoseAgainWhoAreOld() {
    TurnQueue large = new TurnQueue(64, 1);
    for (int i = 0; i < 100; i++) {
      large.add(i * 100L, 10, 0, i * 100L - 1_000);
    }

    // Ten are young enough, which needs 16 slots.
    assertThat(large.endPs(83)).isEqualTo(TurnQueue.FORGOTTEN);
    assertThat(large.endPs(84)).isEqualTo(8_410);
  }

  @Test
  void shouldCountTheEndsThatChange() {
    queue.add(100, 10, 0, 0);
    queue.add(110, 10, 0, 0);
    assertThat(queue.changesTotal()).isZero();

    queue.add(95, 7, 0, 0);

    assertThat(queue.changesTotal()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldServeAsASortedListDoes(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    TurnQueue large = new TurnQueue(256, 7);
    List<long[]> customers = new ArrayList<>(); // ready, duration, fraction, ticket
    for (int i = 0; i < 256; i++) {
      long readyPs = random.nextLong(5_000);
      long durationPs = random.nextLong(40);
      long fraction = random.nextLong(7);
      long ticket = large.add(readyPs, durationPs, fraction, 0);
      customers.add(new long[] {readyPs, durationPs, fraction, ticket});
      if (i % 5 == 0) {
        long[] moved = customers.remove(random.nextInt(customers.size()));
        moved[0] = random.nextLong(5_000);
        customers.add(moved); // Behind those that are ready with it.
        large.move(moved[3], moved[3] + 1, moved[0]);
      }
      requireSame(large, customers, seed);
    }
  }

  private static void requireSame(TurnQueue queue, List<long[]> customers, long seed) {
    List<long[]> sorted = new ArrayList<>(customers);
    sorted.sort(Comparator.comparingLong(customer -> customer[0]));
    long sevenths = 0;
    for (long[] customer : sorted) {
      if (customer[0] > sevenths / 7) {
        sevenths = customer[0] * 7;
      }
      sevenths += customer[1] * 7 + customer[2];
      assertThat(queue.endPs(customer[3])).as("seed=%d", seed).isEqualTo(sevenths / 7);
    }
  }

  @Test
  void shouldAllocateNothing() {
    run();
    THREADS.getCurrentThreadAllocatedBytes();

    long before = THREADS.getCurrentThreadAllocatedBytes();
    run();
    long after = THREADS.getCurrentThreadAllocatedBytes();

    assertThat(after - before).isLessThan(1024);
  }

  private void run() {
    for (int i = 0; i < 100_000; i++) {
      long ticket = queue.add(i * 10L + (i & 3) * 20, 10, 1, 0);
      queue.move(ticket, ticket + 1, i * 10L);
      queue.delayPs(ticket - 1, ticket + 1);
    }
  }

  @Test
  void shouldRefuseImpossibleSizes() {
    assertThatThrownBy(() -> new TurnQueue(12, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("customersCount must be a power of two: customersCount=12");
    assertThatThrownBy(() -> new TurnQueue(0, 1)).hasMessageContaining("customersCount=0");
    assertThatThrownBy(() -> new TurnQueue(1, 0)).hasMessageContaining("denominator=0");
  }
}
