package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.kernel.Simulation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostedOrderTest {
  private record Write(long sentPs, long commitPs) {}

  @Test
  void shouldKnowOfNothingAtFirst() {
    assertThat(new PostedOrder(new Simulation(1)).commitBefore(Long.MAX_VALUE)).isZero();
  }

  @Test
  void shouldNotLetAWriteOfTheFutureHoldUpWhatLeavesEarlier() {
    PostedOrder order = new PostedOrder(new Simulation(1));
    order.add(100, 150);
    order.add(500, 550);

    assertThat(order.commitBefore(99)).isZero();
    assertThat(order.commitBefore(100)).isEqualTo(150);
    assertThat(order.commitBefore(499)).isEqualTo(150);
    assertThat(order.commitBefore(500)).isEqualTo(550);

    order.add(200, 260); // computed later, leaves earlier
    assertThat(order.commitBefore(499)).isEqualTo(260);
    assertThat(order.commitBefore(500)).isEqualTo(550);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldAgreeWithASortedList(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Simulation simulation = new Simulation(1);
    PostedOrder order = new PostedOrder(simulation);
    List<Write> oracle = new ArrayList<>();
    long nowPs = 0;
    for (int i = 0; i < 20_000; i++) {
      // Now and then everything known has passed when the next write comes.
      nowPs += random.nextInt(50) == 0 ? 2_000 : random.nextInt(20);
      simulation.runUntil(nowPs);
      // At most 100 writes ahead of what is asked for, fewer than it remembers.
      long atPs = nowPs + random.nextInt(1_000);
      if (random.nextBoolean()) {
        order.add(atPs, i);
        oracle.add(new Write(atPs, i));
        oracle.sort(Comparator.comparingLong(Write::sentPs));
        if (oracle.size() > 600) {
          oracle.remove(0);
        }
      }
      long expected = 0;
      for (Write write : oracle) {
        expected = write.sentPs() <= atPs ? write.commitPs() : expected;
      }
      assertThat(order.commitBefore(atPs)).as("seed=%d, i=%d", seed, i).isEqualTo(expected);
    }
  }

  @Test
  void shouldKeepWhatItRemembersWhenAnOlderWriteComesLate() {
    PostedOrder order = new PostedOrder(new Simulation(1));
    for (int i = 1_001; i <= 2_024; i++) {
      order.add(i, i + 4_000);
    }

    order.add(500, 600);

    assertThat(order.commitBefore(2_024)).isEqualTo(6_024);
    assertThat(order.commitBefore(1_500)).isEqualTo(5_500);
  }

  @Test
  void shouldForgetTheOldestOnly() {
    PostedOrder order = new PostedOrder(new Simulation(1));
    for (int i = 1; i <= 5_000; i++) {
      order.add(i, 10L * i);
    }

    assertThat(order.commitBefore(5_000)).isEqualTo(50_000);
    assertThat(order.commitBefore(4_500)).isEqualTo(45_000);
    assertThat(order.commitBefore(1)).isZero();
  }
}
