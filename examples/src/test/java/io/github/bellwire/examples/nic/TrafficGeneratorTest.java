package io.github.bellwire.examples.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.bellwire.device.nic.FrameReceiver;
import io.github.bellwire.device.nic.FrameStream;
import io.github.bellwire.kernel.Simulation;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrafficGeneratorTest {
  private final Simulation simulation = new Simulation(1);
  private final List<Long> arrivals = new ArrayList<>();

  private void send(FrameReceiver receiver) {
    GeneratedFrames frames = new GeneratedFrames(4, 64, simulation.randomStream("traffic"));
    new TrafficGenerator(simulation, frames, 10_000_000_000L, receiver, false, 0).start(0);
    simulation.run(10); // Four, unless a frame is sent again and again.
  }

  @Test
  void shouldSendAllFramesBackToBack() {
    send((frame, offset, lengthBytes, nowPs) -> arrivals.add(nowPs));

    // 84 bytes of the wire each, 67.2 ns at 10 Gb/s, the last 12 of them the gap.
    assertThat(arrivals).containsExactly(57_600L, 124_800L, 192_000L, 259_200L);
  }

  /** It would be sent again, or none after it. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void shouldNoticeAReceiverThatLeavesAFrameInTheRow(int taken) {
    FrameReceiver receiver =
        new FrameReceiver() {
          @Override
          public void onFrame(byte[] frame, int offset, int lengthBytes, long nowPs) {
            arrivals.add(nowPs);
          }

          @Override
          public void onFrames(FrameStream frames) {
            onFrame(frames.frame(), frames.offset(), frames.lengthBytes(), frames.nowPs());
            while (arrivals.size() < taken && frames.tryNext()) {
              onFrame(frames.frame(), frames.offset(), frames.lengthBytes(), frames.nowPs());
            }
          }
        };

    assertThatExceptionOfType(AssertionError.class)
        .isThrownBy(() -> send(receiver))
        .withMessageContaining("until there is none");
    assertThat(arrivals).hasSize(taken);
  }
}
