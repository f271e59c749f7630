package io.github.bellwire.examples.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.device.nic.NicConfig;
import org.junit.jupiter.api.Test;

/** Times in picoseconds, frames of 100 and 200 bytes. */
class FrameMeterTest {
  private static final long IDLE_PS = 0;

  private final FrameMeter meter = new FrameMeter(NicConfig.UNLIMITED);

  @Test
  void shouldMeasureFromTheFirstFrameToTheLast() {
    // Told in another order than they ended.
    meter.add(0, 1_000, 9_000, 9_000, 200);
    meter.add(0, 0, 5_000, 5_000, 100);
    meter.add(0, 2_000, 15_000, 15_000, 200);

    // Two frames and 400 bytes in 10 ns.
    assertThat(meter.framesPerSecond(IDLE_PS)).isEqualTo(2e8);
    assertThat(meter.goodputGbps(IDLE_PS)).isEqualTo(320);
    assertThat(meter.lastPs()).isEqualTo(15_000);
    assertThat(meter.framesTotal()).isEqualTo(3);
  }

  @Test
  void shouldMeasureToTheLastBitWhateverEndsALatency() {
    meter.add(0, 0, 1_000, 2_000, 100);
    meter.add(0, 5_000, 6_000, 12_000, 200);

    // 200 bytes in the 10 ns between the last bits.
    assertThat(meter.goodputGbps(IDLE_PS)).isEqualTo(160);
    assertThat(meter.lastPs()).isEqualTo(12_000);
  }

  @Test
  void shouldMeasureWhereFramesBeginIfTheyEndAtOnce() {
    meter.add(0, 0, 50_000, 50_000, 100);
    meter.add(0, 10_000, 50_000, 50_000, 200);

    assertThat(meter.framesPerSecond(IDLE_PS)).isEqualTo(1e8);
    assertThat(meter.goodputGbps(IDLE_PS)).isEqualTo(160);
  }

  @Test
  void shouldAddTheRatesOfPorts() {
    for (int port = 0; port < 2; port++) {
      meter.add(port, 0, port, port, 100);
      meter.add(port, 10_000, 10_000 + port, 10_000 + port, 100);
    }

    assertThat(meter.framesPerSecond(IDLE_PS)).isEqualTo(2e8);
    assertThat(meter.goodputGbps(IDLE_PS)).isEqualTo(160);
  }

  @Test
  void shouldCountTheTimeInWhichOnlyOnePortIsBusy() {
    for (int port = 0; port < 2; port++) {
      meter.add(port, 0, 20_000 * port, 20_000 * port, 100);
      meter.add(port, 10_000, 20_000 * port + 10_000, 20_000 * port + 10_000, 100);
    }

    // Three frames in 30 ns, though each port has one in 10 ns.
    assertThat(meter.framesPerSecond(IDLE_PS)).isEqualTo(1e8);
    assertThat(meter.goodputGbps(IDLE_PS)).isEqualTo(80);
  }

  @Test
  void shouldHaveNoRateOfOneFramePerPort() {
    assertThat(meter.framesPerSecond(IDLE_PS)).isZero();
    assertThat(meter.goodputGbps(IDLE_PS)).isZero();
    meter.add(0, 0, 5_000, 5_000, 100);
    meter.add(1, 0, 6_000, 6_000, 100);

    assertThat(meter.hasRate()).isFalse();
    assertThat(meter.framesPerSecond(IDLE_PS)).isZero();
    assertThat(meter.goodputGbps(IDLE_PS)).isZero();
    meter.add(1, 0, 7_000, 7_000, 100);
    assertThat(meter.hasRate()).isTrue();
  }

  @Test
  void shouldNotExceedTheLink() {
    meter.add(0, 0, 0, 0, 100);
    meter.add(0, 1_000, 1_000, 1_000, 200);

    // Both take the link for 20 ns.
    assertThat(meter.framesPerSecond(20_000)).isEqualTo(1e8);
    assertThat(meter.goodputGbps(20_000)).isEqualTo(120);
  }

  @Test
  void shouldNotExceedTheCard() {
    FrameMeter slow = new FrameMeter(1_000_000);
    slow.add(0, 0, 0, 0, 100);
    slow.add(0, 1_000, 1_000, 1_000, 200);

    // Two descriptors in 2 us.
    assertThat(slow.framesPerSecond(IDLE_PS)).isEqualTo(1e6);
    assertThat(slow.goodputGbps(IDLE_PS)).isEqualTo(1.2);
  }
}
