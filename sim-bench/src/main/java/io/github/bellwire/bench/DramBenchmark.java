package io.github.bellwire.bench;

import io.github.bellwire.memory.DramConfig;
import io.github.bellwire.memory.DramController;
import io.github.bellwire.memory.DramQueue;
import io.github.bellwire.memory.DramTiming;
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
 * Host time per line of DDR4-3200: one channel, two ranks. Requests per second of CPU time are
 * {@code operations / cpuNs x 10^9}; DRAMsim3 and Ramulator 2.1 serve 0.13 and 0.2 million random
 * ones on such a machine.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 4, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public class DramBenchmark {
  private static final int REQUESTS = 32_768;
  private static final long LINES_MASK = (1L << 33) - 1 & ~63L; // 8 GiB
  private static final long CLOCK_PS = DramTiming.DDR4_3200.clockPs();

  /** Random lines, a stream, random lines of which a third are written. */
  @Param({"rand", "seq", "mix"})
  public String pattern = "";

  /**
   * The queue takes requests as fast as it accepts them; the controller is asked for a line every
   * 64 ns, 1 GB/s, and has to answer at once.
   */
  @Param({"queue", "controller"})
  public String front = "";

  private final DramConfig config = DramConfig.of(DramTiming.DDR4_3200);
  private final DramQueue queue = new DramQueue(config, this::onDone);
  private final DramController controller = config.newController();
  private boolean isQueue;
  private boolean isSequential;
  private boolean isMixed;
  private long random = 88172645463325252L;
  private long line;
  private long nowPs;
  private long sum;

  /** Creates the benchmark; JMH calls it. */
  public DramBenchmark() {}

  /** Reads the parameters. */
  @Setup
  public void prepare() {
    isQueue = front.equals("queue");
    isSequential = pattern.equals("seq");
    isMixed = pattern.equals("mix");
  }

  /**
   * Reads and writes.
   *
   * @param cpu measures thread CPU time per request
   * @return a sum over the latencies
   */
  @Benchmark
  @OperationsPerInvocation(REQUESTS)
  public long access(CpuTime cpu) {
    for (int i = 0; i < REQUESTS; i++) {
      long pa = nextAddress();
      boolean isWrite = isMixed && random % 3 == 0;
      if (isQueue) {
        nowPs = queue.submit(pa, isWrite, i, nowPs) + CLOCK_PS;
      } else {
        sum += isWrite ? controller.write(pa, 64, nowPs) : controller.read(pa, 64, nowPs);
        nowPs += 64_000;
      }
    }
    cpu.operations += REQUESTS;
    return sum;
  }

  private void onDone(long tag, long acceptedPs, long donePs) {
    sum += donePs - acceptedPs;
  }

  private long nextAddress() {
    if (isSequential) {
      return (line++ << 6) & LINES_MASK;
    }
    random ^= random << 13;
    random ^= random >>> 7;
    random ^= random << 17;
    return random & LINES_MASK;
  }
}
