package io.github.bellwire.dma.check;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FreedPagesTest {
  private final FreedPages freed = new FreedPages();

  @Test
  void shouldHoldWhatIsGivenBackFromThenOn() {
    freed.add(0x4000, 0x2000, 1_000);

    assertThat(freed.contains(0x3fff, 1, 2_000)).isFalse();
    assertThat(freed.contains(0x3fff, 2, 2_000)).isTrue();
    assertThat(freed.contains(0x5fff, 1, 1_000)).isTrue();
    assertThat(freed.contains(0x5fff, 1, 999)).isFalse();
    assertThat(freed.contains(0x6000, 1, 2_000)).isFalse();
  }

  @Test
  void shouldGiveUpTheMiddleOfARange() {
    freed.add(0x4000, 0x4000, 0);

    freed.remove(0x5000, 0x1000);

    assertThat(freed.contains(0x4fff, 1, 0)).isTrue();
    assertThat(freed.contains(0x5000, 0x1000, 0)).isFalse();
    assertThat(freed.contains(0x6000, 1, 0)).isTrue();
    assertThat(freed.contains(0x7fff, 1, 0)).isTrue();
  }

  @Test
  void shouldGiveUpSeveralRangesAndPartsOfThem() {
    freed.add(0x1000, 0x2000, 0);
    freed.add(0x4000, 0x1000, 0);
    freed.add(0x6000, 0x2000, 0);

    freed.remove(0x2000, 0x5000);

    assertThat(freed.contains(0x1000, 0x1000, 0)).isTrue();
    assertThat(freed.contains(0x2000, 0x5000, 0)).isFalse();
    assertThat(freed.contains(0x7000, 1, 0)).isTrue();
  }
}
