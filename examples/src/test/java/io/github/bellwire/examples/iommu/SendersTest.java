package io.github.bellwire.examples.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.kernel.Simulation;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SendersTest {
  private static final long TICK_PS = 4_000_000_000L;
  private static final SenderConfig CONFIG = SenderConfig.of(100_000_000_000L, 4096, 1, 8_000);

  private final Simulation simulation = new Simulation(1);
  private final List<Integer> sent = new ArrayList<>();
  private final Senders senders =
      new Senders(
          simulation,
          CONFIG,
          100,
          (flow, sequence, lengthBytes) -> {
            if (flow == 0) {
              sent.add(sequence);
            }
            return true;
          });

  private void acknowledge(int expected, long arrived) {
    byte[] ack = new byte[AckLayout.LENGTH_BYTES];
    AckLayout.put(ack, AckLayout.EXPECTED, expected, Integer.BYTES);
    AckLayout.put(ack, AckLayout.ARRIVED, arrived, Long.BYTES);
    senders.onFrame(ack, ack.length, simulation.nowPs());
  }

  /** A hundred flows share 750,000 bytes: each begins with two frames. */
  @Test
  void shouldProbeAfterThreeTicksAndGiveUpAfterFiftyOneMore() {
    senders.start();
    simulation.runUntil(TICK_PS);
    assertThat(sent).containsExactly(0, 1);

    simulation.runUntil(3 * TICK_PS - 1);
    assertThat(sent).hasSize(2);
    simulation.runUntil(3 * TICK_PS);
    assertThat(sent).containsExactly(0, 1, 2);
    simulation.runUntil(54 * TICK_PS - 1);
    assertThat(senders.timeoutsTotal()).isZero();
    simulation.runUntil(55 * TICK_PS);
    assertThat(sent).containsExactly(0, 1, 2, 0);
    assertThat(senders.timeoutsTotal()).isEqualTo(100);
    assertThat(senders.probesTotal()).isEqualTo(100);

    // The next time it waits twice as long.
    simulation.runUntil(156 * TICK_PS - 1);
    assertThat(sent).hasSize(4);
    simulation.runUntil(157 * TICK_PS);
    assertThat(sent).containsExactly(0, 1, 2, 0, 0);
  }

  @Test
  void shouldSendAgainByATimerWhatTooFewFramesTellOf() {
    senders.start();
    simulation.runUntil(TICK_PS / 2);
    acknowledge(0, 0b10); // Of two frames the second has come.
    simulation.runUntil(3 * TICK_PS - 1);
    assertThat(senders.lateLossesTotal()).isZero();
    int before = sent.size();

    simulation.runUntil(3 * TICK_PS + TICK_PS / 2);

    assertThat(senders.lateLossesTotal()).isEqualTo(1);
    assertThat(sent.subList(before, sent.size())).startsWith(0);
  }

  /** 16 us to the sender, where the event comes 8 us after the first acknowledgement. */
  @Test
  void shouldHearAcknowledgementsTogether() {
    senders.start();
    simulation.runUntil(TICK_PS / 2);
    acknowledge(1, 0);
    simulation.runUntil(TICK_PS / 2 + 7_000_000);
    acknowledge(2, 0);

    simulation.runUntil(TICK_PS / 2 + 24_000_000 - 1);
    assertThat(sent).hasSize(2);
    simulation.runUntil(TICK_PS / 2 + 26_000_000);
    assertThat(sent).containsExactly(0, 1, 2, 3);
  }
}
