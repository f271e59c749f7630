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
 * One thread produces a descriptor and consumes it: write all words, publish the index, read the
 * index, read and sum all words. 1024 slots.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 4, time = 350, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
public class RingBenchmark {
  private static final int DESCRIPTORS = 32_768;

  /** Whose ring. */
  @Param({"bellwire", "agrona", "jctools", "disruptor"})
  public String implementation = "";

  /** Size of a descriptor. */
  @Param({"16", "64"})
  public int descriptorBytes;

  private RingTransfer ring = new JctoolsRing(1);
  private long value;

  /** Creates the benchmark. */
  public RingBenchmark() {}

  /** Builds the ring. */
  @Setup
  public void build() {
    ring = RingTransfer.create(implementation, descriptorBytes);
  }

  /**
   * Passes descriptors through the ring.
   *
   * @param cpuTime CPU time per descriptor
   * @return the sum of all words
   */
  @Benchmark
  @OperationsPerInvocation(DESCRIPTORS)
  public long transfer(CpuTime cpuTime) {
    long sum = 0;
    for (int i = 0; i < DESCRIPTORS; i++) {
      sum += ring.produceAndConsume(value++);
    }
    cpuTime.operations += DESCRIPTORS;
    return sum;
  }
}
