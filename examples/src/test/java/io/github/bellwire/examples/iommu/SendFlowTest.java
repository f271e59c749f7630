package io.github.bellwire.examples.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SendFlowTest {
  private static final int BURST = 16;

  private final SendFlow flow = new SendFlow(new SendWindow(CongestionControl.DCTCP, 10, 100), 100);

  /** One frame per picosecond, from 0. */
  private void send(int frames) {
    for (int i = 0; i < frames; i++) {
      assertThat(flow.takeNew(i)).isEqualTo(i);
    }
  }

  @Test
  void shouldKnowALossAtOnceWhenThreeFramesHaveArrivedBehindIt() {
    send(5);
    flow.arrive(1, 100);
    flow.arrive(2, 100);
    flow.arrive(3, 100);

    assertThat(flow.findLost(100)).isFalse();
    assertThat(flow.lost()).isEqualTo(1);
    assertThat(flow.underWay()).isEqualTo(1);
    assertThat(flow.take(101)).isZero();
    assertThat(flow.hasLost()).isFalse();
  }

  @Test
  void shouldWaitForAQuarterOfARoundTripWhenFewerHave() {
    send(5);
    flow.arrive(1, 101);

    // The round trip is 100: frame 0 is late at 125.
    assertThat(flow.findLost(101)).isTrue();
    assertThat(flow.findLost(124)).isTrue();
    assertThat(flow.hasLost()).isFalse();
    assertThat(flow.findLost(125)).isFalse();
    assertThat(flow.hasLost()).isTrue();
  }

  @Test
  void shouldKnowAtOnceThatAFrameIsLostAgain() {
    send(5);
    flow.arrive(1, 101);
    flow.findLost(125);
    flow.settle(1, false, 0);
    flow.take(130);
    flow.takeNew(131);
    flow.arrive(5, 231);

    assertThat(flow.findLost(231)).isFalse();
    assertThat(flow.take(232)).isZero();
  }

  @Test
  void shouldNotCallLostWhatWasSentLater() {
    send(5);
    flow.arriveBefore(3, 100);

    assertThat(flow.findLost(10_000)).isFalse();
    assertThat(flow.hasLost()).isFalse();
    assertThat(flow.first()).isEqualTo(3);
    assertThat(flow.underWay()).isEqualTo(2);
  }

  @Test
  void shouldDeferNewFramesUntilAThirdOfTheWindowIsFree() {
    send(10);
    flow.arriveBefore(3, 100);
    assertThat(flow.defers(BURST, 100)).isTrue();
    flow.arriveBefore(4, 100);
    assertThat(flow.defers(BURST, 100)).isFalse(); // 4 of 10.
  }

  @Test
  void shouldNotDeferWhereNoAnswerIsNear() {
    send(10);
    flow.arriveBefore(1, 100);
    flow.takeNew(101);
    flow.arriveBefore(10, 102);
    flow.takeNew(103);

    // The first under way was sent at 101, less than half a round trip ago.
    assertThat(flow.defers(BURST, 110)).isFalse();
  }

  @Test
  void shouldLoseEverythingAtATimeout() {
    send(4);
    flow.arrive(2, 100);

    flow.loseAll();

    assertThat(flow.lost()).isEqualTo(3);
    assertThat(flow.window.frames()).isEqualTo(1);
    assertThat(flow.take(200)).isZero();
    assertThat(flow.take(201)).isEqualTo(1);
    assertThat(flow.take(202)).isEqualTo(3);
  }
}
