package io.github.bellwire.device.probe;

import io.github.bellwire.kernel.Requirements;
import io.github.bellwire.stats.LatencyHistogram;

/**
 * What a run of a probe has measured: the operations behind the warm-up, from the end of the
 * warm-up to the end of the last of them. The warm-up ends with the last of its operations that is
 * served: one that times out keeps nobody from being measured.
 */
public final class ProbeMeter {
  private static final long NONE = -1;

  private final ProbeRun run;
  private final LatencyHistogram latency = new LatencyHistogram();
  private long doneTotal;
  private long servedPs = NONE; // the last end of a warm-up operation that was served
  private long firstPs;
  private long measuredPs;
  private long lastPs;
  private long failedTotal;

  ProbeMeter(ProbeRun run) {
    this.run = run;
  }

  /**
   * Adds an operation.
   *
   * @param latencyPs as the firmware sees it
   * @param donePs when it ended
   * @param isOk whether all of it was served; what failed counts as done, but moves nothing
   */
  void add(long latencyPs, long donePs, boolean isOk) {
    lastPs = Math.max(lastPs, donePs);
    doneTotal++;
    if (doneTotal > run.warmupCount()) {
      latency.record(latencyPs);
      measuredPs = Math.max(measuredPs, donePs);
      failedTotal += isOk ? 0 : 1;
      return;
    }
    if (isOk) {
      servedPs = Math.max(servedPs, donePs);
    }
    firstPs = servedPs == NONE ? lastPs : servedPs;
    measuredPs = firstPs;
  }

  /** {@return operations so far, the warm-up included} */
  public long doneTotal() {
    return doneTotal;
  }

  /** {@return the latencies of the operations measured} */
  public LatencyHistogram latency() {
    return latency;
  }

  /**
   * {@return from the end of the warm-up to the last end of an operation measured, in picoseconds;
   * 0 if none ended behind the warm-up}
   *
   * <p>Operations overlap: what was measured may have been under way for long when the warm-up
   * ended. Of a few operations this is less than they occupied the link.
   */
  public long elapsedPs() {
    return measuredPs - firstPs;
  }

  /** {@return when the last operation ended} */
  public long lastPs() {
    return lastPs;
  }

  /** {@return operations measured that failed, all of them or a part} */
  public long failedTotal() {
    return failedTotal;
  }

  /**
   * {@return operations served per second; of each kind when there are reads and writes}
   *
   * @param tookPs what those measured took: {@link #elapsedPs}, or longer if that is known, but not
   *     0
   */
  public double operationsPerSecond(long tookPs) {
    requireNotShort(tookPs);
    return servedTotal() * 1e12 / tookPs;
  }

  /**
   * {@return payload in units of 1e9 bits per second; per direction if there are both}
   *
   * @param tookPs as for {@link #operationsPerSecond}
   */
  public double goodputGbps(long tookPs) {
    requireNotShort(tookPs);
    return servedTotal() * run.window().sizeBytes() * 8_000.0 / tookPs;
  }

  private void requireNotShort(long tookPs) {
    long leastPs = Math.max(1, elapsedPs());
    Requirements.require(tookPs >= leastPs, "tookPs", tookPs, ">= " + leastPs);
  }

  private long servedTotal() {
    return latency.count() - failedTotal;
  }
}
