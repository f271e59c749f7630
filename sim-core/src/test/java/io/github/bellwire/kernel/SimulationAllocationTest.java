package io.github.bellwire.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SimulationAllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @ParameterizedTest
  @CsvSource({"exp, 16", "mix, 16", "mix, 5000", "const, 300"})
  void shouldAllocateNothingOnceThePeakIsReached(String law, int pending) {
    Simulation simulation = new Simulation(1);
    SplittableRandom random = new SplittableRandom(1);
    long[] delaysPs = HoldModel.delaysPs(law, 1);
    Timer[] timers = new Timer[pending];
    for (int i = 0; i < pending; i++) {
      timers[i] = new Timer(simulation, delaysPs);
      simulation.schedule(timers[i], delaysPs[i]);
    }
    run(simulation, timers, random, delaysPs);
    THREADS.getCurrentThreadAllocatedBytes();

    long before = THREADS.getCurrentThreadAllocatedBytes();
    run(simulation, timers, random, delaysPs);
    long after = THREADS.getCurrentThreadAllocatedBytes();

    assertThat(after - before).isLessThan(1024);
  }

  private static void run(
      Simulation simulation, Timer[] timers, SplittableRandom random, long[] delaysPs) {
    for (int i = 0; i < 500_000; i++) {
      simulation.step();
      if ((i & 3) == 0) {
        Timer timer = timers[random.nextInt(timers.length)];
        simulation.reschedule(timer, simulation.nowPs() + delaysPs[i & 0xffff]);
      }
      simulation.nextEventPs();
    }
    simulation.runUntil(simulation.nowPs() + 1000);
  }

  private static final class Timer extends Event {
    private final Simulation simulation;
    private final long[] delaysPs;
    private int cursor;

    Timer(Simulation simulation, long[] delaysPs) {
      this.simulation = simulation;
      this.delaysPs = delaysPs;
    }

    @Override
    protected void onEvent(long nowPs) {
      simulation.schedule(this, nowPs + delaysPs[cursor++ & 0xffff]);
    }
  }
}
