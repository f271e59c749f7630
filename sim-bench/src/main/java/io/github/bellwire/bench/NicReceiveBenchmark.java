package io.github.bellwire.bench;

import java.util.Locale;
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
 * Host time per received frame: wire, MAC, descriptor fetch, PCIe, caches, memory, write-back and
 * polling driver, at 10 Gb/s back to back; of UDP frames also parser and checksum. An operation is
 * one frame in the driver's hands.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 4, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public class NicReceiveBenchmark {
  private static final int FRAMES = 32_768;

  /** Bytes of a frame without FCS: the shortest and the longest standard frame. */
  @Param({"60", "1514"})
  public int frameBytes;

  /** How card and driver handle descriptors: {@code single} or {@code batched}. */
  @Param({"single", "batched"})
  public String variant;

  /** What the card finds in the frames: {@code opaque} or {@code udp}. */
  @Param({"opaque", "udp"})
  public String content;

  private ReceivePath path;

  /** Creates the benchmark; JMH calls it. */
  public NicReceiveBenchmark() {}

  /** Builds the machine and brings its link up. */
  @Setup
  public void bringUp() {
    path =
        new ReceivePath(
            frameBytes,
            ReceivePath.Variant.valueOf(variant.toUpperCase(Locale.ROOT)),
            ReceivePath.Content.valueOf(content.toUpperCase(Locale.ROOT)));
  }

  /**
   * Receives frames.
   *
   * @param cpu measures thread CPU time per frame
   * @return a sum over the frames' content, so that nothing is optimised away
   */
  @Benchmark
  @OperationsPerInvocation(FRAMES)
  public long receive(CpuTime cpu) {
    cpu.operations += FRAMES;
    return path.receive(FRAMES);
  }
}
