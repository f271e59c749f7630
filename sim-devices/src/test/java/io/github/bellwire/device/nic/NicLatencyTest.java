package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What the part itself takes to receive and to send. */
class NicLatencyTest {
  private static final long LATENCY_PS = 875_000;

  private final NicBench quick = new NicBench();
  private final NicBench slow =
      new NicBench(
          NicBench.CONFIG.toBuilder().rxLatencyPs(LATENCY_PS).txLatencyPs(LATENCY_PS).build());

  /** Returns when the last of some frames is visible; the clock stops there. */
  private static long receive(NicBench bench, int count) {
    bench.rxRing(0, 64).post(63);
    bench.run();
    long startPs = bench.simulation.nowPs();
    byte[][] frames = new byte[count][];
    for (int i = 0; i < count; i++) {
      frames[i] = NicBench.frame(60, i);
    }
    bench.receiveAtLineRate(frames);
    bench.run();
    return bench.simulation.nowPs() - startPs;
  }

  private static long send(NicBench bench, int index) {
    NicBench.TxRing ring = bench.txRing(0, 64, 0);
    long startPs = bench.simulation.nowPs();
    for (int i = 0; i <= index; i++) {
      ring.add(NicBench.frame(60, i));
    }
    ring.ring();
    bench.run();
    return bench.sentPs.get(index) - startPs;
  }

  @Test
  void shouldDelayReceivedFrames() {
    assertThat(receive(slow, 1) - receive(quick, 1)).isEqualTo(LATENCY_PS);
  }

  @Test
  void shouldReceiveAtLineRateAllTheSame() {
    assertThat(receive(slow, 50) - receive(quick, 50)).isEqualTo(LATENCY_PS);
  }

  @Test
  void shouldDelaySentFramesButNotTheirRate() {
    assertThat(send(slow, 9) - send(quick, 9)).isEqualTo(LATENCY_PS);
  }
}
