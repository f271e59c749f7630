package io.github.bellwire.device.probe;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Three operations of warm-up and two measured ones, of 64 bytes. */
class ProbeMeterTest {
  private static final long TIMEOUT_PS = 50_000_000_000L;

  private final ProbeMeter meter =
      new ProbeMeter(
          new ProbeRun(ProbeOperation.READ, new ProbeWindow(0, 4096, 64, 0, 64, false), 3, 2));

  private void add(long donePs, boolean isOk) {
    meter.add(100, donePs, isOk);
  }

  @Test
  void shouldMeasureFromTheEndOfTheWarmUp() {
    add(1_000, true);
    add(3_000, true); // The last one to end is not the last one.
    add(2_000, true);
    add(4_000, true);
    add(7_000, true);

    assertThat(meter.elapsedPs()).isEqualTo(4_000);
    assertThat(meter.lastPs()).isEqualTo(7_000);
    assertThat(meter.latency().count()).isEqualTo(2);
    // 2 x 64 x 8 bits in 4 ns
    assertThat(meter.goodputGbps(meter.elapsedPs())).isEqualTo(256);
  }

  @Test
  void shouldNotWaitForAWarmUpOperationThatTimesOut() {
    add(1_000, true);
    add(2_000, true);
    add(TIMEOUT_PS, false);
    add(4_000, true);
    add(7_000, true);

    assertThat(meter.elapsedPs()).isEqualTo(5_000);
    assertThat(meter.failedTotal()).isZero();
    assertThat(meter.lastPs()).isEqualTo(TIMEOUT_PS);
  }

  @Test
  void shouldWaitForAMeasuredOperationThatTimesOut() {
    add(1_000, true);
    add(2_000, true);
    add(3_000, true);
    add(TIMEOUT_PS, false);
    add(7_000, true);

    assertThat(meter.elapsedPs()).isEqualTo(TIMEOUT_PS - 3_000);
    assertThat(meter.failedTotal()).isOne();
    assertThat(meter.lastPs()).isEqualTo(TIMEOUT_PS);
  }

  @Test
  void shouldBeginBehindTheWarmUpIfNoneOfItIsServed() {
    add(1_000, false);
    add(3_000, false);
    add(2_000, false);
    add(4_000, false);
    add(5_000, false);

    assertThat(meter.elapsedPs()).isEqualTo(2_000);
    assertThat(meter.goodputGbps(meter.elapsedPs())).isZero();
  }

  @Test
  void shouldHaveMeasuredNothingIfAllEndsWithinTheWarmUp() {
    add(1_000, true);
    add(8_000, true);
    add(2_000, true);
    add(4_000, true);
    add(7_000, true);

    assertThat(meter.elapsedPs()).isZero();
  }
}
