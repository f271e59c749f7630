package io.github.bellwire.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The hold model: take the earliest event, advance the clock, call its handler, which schedules
 * exactly one successor; the number of pending events stays the same.
 *
 * <p>Quote {@code cpuNs / operations}, the minimum over at least five forks, as a ratio to {@code
 * priorityQueue} with 256 pending events under the law {@code exp} in the same run; {@code
 * priorityQueueComparable} is what most simulators do, and slower.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 4, time = 350, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
public class EventQueueBenchmark {
  private static final int EVENTS = 32_768;
  private static final int SETTLING_EVENTS_MIN = 100_000;

  /** Whose queue. */
  @Param({"bellwire", "priorityQueue", "priorityQueueComparable", "henriksen", "fifo"})
  public String implementation = "";

  /** Pending events. */
  @Param({"16", "256", "4096", "65536"})
  public int pendingEvents;

  /** Distribution of the delays. */
  @Param({"exp", "const", "mix"})
  public String law = "";

  /** Classes of events: with 4 the call of the handler is megamorphic. */
  @Param({"1", "4"})
  public int handlerTypes;

  private HoldQueue queue = new FifoHold(new HoldDelays("const"), 1, 1);

  /** Creates the benchmark. */
  public EventQueueBenchmark() {}

  /** Builds the queue and lets it settle. */
  @Setup
  public void build() {
    queue = HoldQueue.create(implementation, new HoldDelays(law), pendingEvents, handlerTypes);
    queue.run(Math.max(4 * pendingEvents, SETTLING_EVENTS_MIN));
  }

  /**
   * Lets events happen.
   *
   * @param cpuTime CPU time per event
   * @return what the handlers counted
   */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public long hold(CpuTime cpuTime) {
    queue.run(EVENTS);
    cpuTime.operations += EVENTS;
    return queue.sum;
  }
}
