package io.github.bellwire.examples.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SendWindowTest {
  private final SendWindow window = new SendWindow(CongestionControl.DCTCP, 10, 100);

  /** Of ten frames the first is lost; the window shall become five. */
  private void lose() {
    window.onAck(0, 10, 1, 1, 8, false);
  }

  @Test
  void shouldGrowByAFramePerRoundTrip() {
    window.onAck(10, 20, 10, 0, 10, true);

    assertThat(window.frames()).isEqualTo(11);
    assertThat(window.isOpen()).isTrue();
  }

  @Test
  void shouldSendOneFrameForTwoThatArriveAfterALoss() {
    lose();
    assertThat(window.isOpen()).isFalse();
    assertThat(window.frames()).isEqualTo(9); // (5 * 1 + 9) / 10 = 1 more than 8.
    window.onSent();

    window.onAck(0, 10, 1, 0, 8, false);
    assertThat(window.frames()).isEqualTo(8); // (5 * 2 + 9) / 10 - 1 = 0.
    window.onAck(0, 10, 1, 0, 7, false);
    assertThat(window.frames()).isEqualTo(8); // (5 * 3 + 9) / 10 - 1 = 1.
  }

  @Test
  void shouldFillUpToTheThresholdWhereTooLittleIsUnderWay() {
    lose();
    window.onSent();

    // Two frames short of five; one has been sent for two that have arrived, and one is extra.
    window.onAck(0, 10, 1, 4, 3, false);
    assertThat(window.frames()).isEqualTo(4);
    window.onAck(1, 10, 1, 3, 2, true);
    assertThat(window.frames()).isEqualTo(5);
  }

  @Test
  void shouldGoOnWithHalfTheWindowWhenEverythingHasArrived() {
    lose();
    window.onSent();

    window.onAck(9, 11, 1, 0, 2, true);
    assertThat(window.isOpen()).isFalse();
    window.onAck(10, 12, 1, 0, 2, true);
    assertThat(window.isOpen()).isTrue();
    assertThat(window.frames()).isEqualTo(5);
  }

  @Test
  void shouldLoseTheWindowAgainForWhatIsLostBehind() {
    lose();
    window.onSent();

    window.onAck(10, 14, 1, 1, 2, true);

    assertThat(window.isOpen()).isFalse();
    window.onAck(14, 15, 1, 0, 1, true);
    assertThat(window.frames()).isEqualTo(2); // Half of five.
  }

  @Test
  void shouldStartSlowlyAfterATimeout() {
    window.onTimeout(10);
    assertThat(window.frames()).isEqualTo(1);

    window.onAck(1, 10, 1, 8, 0, true);
    assertThat(window.frames()).isEqualTo(2);
    window.onAck(3, 10, 2, 6, 0, true);
    assertThat(window.frames()).isEqualTo(4);
    window.onAck(7, 10, 4, 2, 0, true);
    assertThat(window.frames()).isEqualTo(5); // The threshold.
    assertThat(window.isOpen()).isFalse();
    window.onAck(10, 10, 1, 0, 0, true);
    assertThat(window.isOpen()).isTrue();
  }

  @Test
  void shouldKeepWhatTheControlSays() {
    SendWindow cubic = new SendWindow(CongestionControl.CUBIC, 20, 100);
    cubic.onAck(0, 20, 1, 1, 18, false);
    cubic.onAck(20, 20, 0, 0, 0, true);

    assertThat(cubic.frames()).isEqualTo(14); // 20 * 717 / 1024.
  }
}
