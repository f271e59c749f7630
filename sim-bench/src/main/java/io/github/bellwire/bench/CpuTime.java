package io.github.bellwire.bench;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Counts the CPU time and the allocation of the measuring thread. The cost of one operation is
 * {@code cpuNs / operations}; unlike the score it does not grow when the host runs something else.
 */
@AuxCounters(AuxCounters.Type.EVENTS)
@State(Scope.Thread)
public class CpuTime {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** CPU time of the iteration in nanoseconds. */
  public long cpuNs;

  /** Bytes that the measuring thread allocated in the iteration. */
  public long allocatedBytes;

  /** Operations of the iteration; the benchmark counts them. */
  public long operations;

  private long startCpuNs;
  private long startAllocatedBytes;

  /** Creates counters at zero. */
  public CpuTime() {}

  /** Remembers where the iteration starts. */
  @Setup(Level.Iteration)
  public void start() {
    operations = 0;
    startAllocatedBytes = THREADS.getCurrentThreadAllocatedBytes();
    startCpuNs = THREADS.getCurrentThreadCpuTime();
  }

  /** Takes the differences. */
  @TearDown(Level.Iteration)
  public void stop() {
    cpuNs = THREADS.getCurrentThreadCpuTime() - startCpuNs;
    allocatedBytes = THREADS.getCurrentThreadAllocatedBytes() - startAllocatedBytes;
  }
}
