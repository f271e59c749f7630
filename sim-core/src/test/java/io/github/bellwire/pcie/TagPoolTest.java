package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TagPoolTest {
  @Test
  void shouldHaveFreeTagsAtFirst() {
    TagPool tags = new TagPool(2);

    tags.take(100);

    assertThat(tags.nextFreePs()).isZero();
  }

  @Test
  void shouldOfferTheTagThatIsFreeFirst() {
    TagPool tags = new TagPool(3);

    tags.take(300);
    tags.take(100);
    tags.take(200);

    assertThat(tags.nextFreePs()).isEqualTo(100);
    tags.take(250);
    assertThat(tags.nextFreePs()).isEqualTo(200);
  }

  @Test
  void shouldWorkWithOneTag() {
    TagPool tags = new TagPool(1);

    tags.take(100);
    tags.take(300);

    assertThat(tags.nextFreePs()).isEqualTo(300);
  }

  @Test
  void shouldOfferAnotherTagWhenTheFirstIsLate() {
    TagPool tags = new TagPool(3);
    tags.take(100, 7);
    tags.take(200, 8);
    tags.take(300, 9);
    int number = tags.nextTag();

    tags.postponeFirst(250);

    assertThat(tags.nextFreePs()).isEqualTo(200);
    assertThat(tags.firstRequest()).isEqualTo(8);
    assertThat(tags.nextTag()).isNotEqualTo(number);
    tags.confirmFirst();
    assertThat(tags.firstRequest()).isEqualTo(PendingReads.NONE);
    tags.take(400);
    assertThat(tags.nextFreePs()).isEqualTo(250);
    assertThat(tags.firstRequest()).isEqualTo(7);
    assertThat(tags.nextTag()).isEqualTo(number);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 31, 32, 33, 256, 768})
  void shouldBehaveAsAPriorityQueue(int count) {
    SplittableRandom random = new SplittableRandom(count);
    TagPool tags = new TagPool(count);
    PriorityQueue<Long> oracle = new PriorityQueue<>();
    for (int i = 0; i < count; i++) {
      oracle.add(0L);
    }

    for (int i = 0; i < 10_000; i++) {
      assertThat(tags.nextFreePs()).as("tags=%d, i=%d", count, i).isEqualTo(oracle.element());
      long releasePs = oracle.remove() + random.nextLong(1_000);
      oracle.add(releasePs);
      tags.take(releasePs);
    }
  }
}
