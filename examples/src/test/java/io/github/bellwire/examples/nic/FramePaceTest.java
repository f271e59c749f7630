package io.github.bellwire.examples.nic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FramePaceTest {
  @Test
  void shouldCarryTheFraction() {
    FramePace pace = new FramePace(3_000_000);

    // 333_333.33 ps apart.
    assertThat(new long[] {pace.advance(), pace.advance(), pace.advance(), pace.advance()})
        .containsExactly(0, 333_333, 666_666, 1_000_000);
  }

  @Test
  void shouldHoldNothingBackWithoutARate() {
    FramePace pace = new FramePace(0);

    assertThat(pace.advance()).isZero();
    assertThat(pace.advance()).isZero();
  }
}
