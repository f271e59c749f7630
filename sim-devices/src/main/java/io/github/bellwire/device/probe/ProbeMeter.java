package io.github.bellwire.device.probe;

import io.github.bellwire.stats.LatencyHistogram;

/**
 * What a run of a probe has measured: the operations behind the warm-up, from the end of the
 * warm-up to the end of the last of them.
 */
public final class ProbeMeter {
  private final ProbeRun run;
  private final LatencyHistogram latency = new LatencyHistogram();
  private long doneTotal;
  private long firstPs;
  private long lastPs;

  ProbeMeter(ProbeRun run) {
    this.run = run;
  }

  /**
   * Adds an operation.
   *
   * @param latencyPs as the firmware sees it
   * @param donePs when it ended
   */
  void add(long latencyPs, long donePs) {
    lastPs = Math.max(lastPs, donePs);
    doneTotal++;
    if (doneTotal == run.warmupCount()) {
      firstPs = lastPs;
    } else if (doneTotal > run.warmupCount()) {
      latency.record(latencyPs);
    }
  }

  /** {@return operations so far, the warm-up included} */
  public long doneTotal() {
    return doneTotal;
  }

  /** {@return the latencies of the operations measured} */
  public LatencyHistogram latency() {
    return latency;
  }

  /** {@return how long the operations measured took, in picoseconds} */
  public long elapsedPs() {
    return lastPs - firstPs;
  }

  /** {@return when the last operation ended} */
  public long lastPs() {
    return lastPs;
  }

  /** {@return operations per second; of each kind when there are reads and writes} */
  public double operationsPerSecond() {
    return latency.count() * 1e12 / elapsedPs();
  }

  /** {@return payload in units of 1e9 bits per second; per direction if there are both} */
  public double goodputGbps() {
    return latency.count() * run.window().sizeBytes() * 8_000.0 / elapsedPs();
  }
}
