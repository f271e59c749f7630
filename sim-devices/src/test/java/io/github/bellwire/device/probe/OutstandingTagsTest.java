package io.github.bellwire.device.probe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutstandingTagsTest {
  @Test
  void shouldHandOutTheTagThatIsFreeFirst() {
    OutstandingTags tags = new OutstandingTags(2, false);

    assertThat(tags.nextFreePs()).isZero();
    tags.take(0, 500);
    assertThat(tags.nextFreePs()).isZero();
    tags.take(10, 300);
    assertThat(tags.nextFreePs()).isEqualTo(300);
    tags.take(300, 400);
    assertThat(tags.nextFreePs()).isEqualTo(400);
    // 500 + 290 + 100.
    assertThat(tags.heldPsTotal()).isEqualTo(890);
  }

  @Test
  void shouldHandOutAnotherTagWhenTheFirstIsLate() {
    OutstandingTags tags = new OutstandingTags(2, false);
    tags.take(0, 300, 7, 50);
    tags.take(0, 400, 8, 60);
    assertThat(tags.firstTicket()).isEqualTo(7);
    assertThat(tags.firstRetirePs()).isEqualTo(50);

    tags.postponeFirst(500);

    assertThat(tags.nextFreePs()).isEqualTo(400);
    assertThat(tags.firstTicket()).isEqualTo(8);
    assertThat(tags.firstRetirePs()).isEqualTo(60);
    tags.confirmFirst();
    assertThat(tags.firstTicket()).isZero();
    // 300 + 400 and 200 more.
    assertThat(tags.heldPsTotal()).isEqualTo(900);
  }

  @Test
  void shouldWaitForTheTagTakenLongestAgo() {
    OutstandingTags tags = new OutstandingTags(2, true);
    tags.take(0, 500, 7, 50);
    assertThat(tags.nextFreePs()).isZero();
    tags.take(10, 300, 8, 60);

    assertThat(tags.nextFreePs()).isEqualTo(500);
    assertThat(tags.firstTicket()).isEqualTo(7);
    assertThat(tags.firstRetirePs()).isEqualTo(50);
    tags.postponeFirst(600);
    assertThat(tags.nextFreePs()).isEqualTo(600);
    assertThat(tags.firstTicket()).isEqualTo(7);
    tags.confirmFirst();
    assertThat(tags.firstTicket()).isZero();
    tags.take(600, 700);
    assertThat(tags.nextFreePs()).isEqualTo(300);
    assertThat(tags.firstTicket()).isEqualTo(8);
    assertThat(tags.inUseCount(350)).isEqualTo(1);
    // 500 + 290 + 100 more + 100.
    assertThat(tags.heldPsTotal()).isEqualTo(990);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 32, 768})
  void shouldAgreeWithAPriorityQueue(int count) {
    long seed = 20_180_820L + count;
    SplittableRandom random = new SplittableRandom(seed);
    OutstandingTags tags = new OutstandingTags(count, false);
    PriorityQueue<Long> reference = new PriorityQueue<>();
    for (int i = 0; i < count; i++) {
      reference.add(0L);
    }

    for (int i = 0; i < 10_000; i++) {
      assertThat(tags.nextFreePs()).as("seed %d, step %d", seed, i).isEqualTo(reference.peek());
      long untilPs = reference.remove() + random.nextInt(1_000);
      tags.take(0, untilPs);
      reference.add(untilPs);
    }
  }
}
