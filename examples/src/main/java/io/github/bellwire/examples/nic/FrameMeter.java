package io.github.bellwire.examples.nic;

import io.github.bellwire.examples.report.Report;
import io.github.bellwire.stats.LatencyHistogram;

/**
 * Latency and rate of a stream of frames. A rate counts every frame but the first over the time
 * from the first to the last, so that it does not depend on where the stream begins and ends.
 */
final class FrameMeter {
  private static final double PS_PER_SECOND = 1e12;

  private final LatencyHistogram latency = new LatencyHistogram();
  private long framesTotal;
  private long bytesTotal;
  private long firstPs;
  private long lastPs;
  private long firstBytes;

  /**
   * Adds a frame.
   *
   * @param startPs where its latency begins
   * @param endPs where its latency ends
   * @param wholePs when all of its bytes have passed
   * @param lengthBytes without FCS
   */
  void add(long startPs, long endPs, long wholePs, int lengthBytes) {
    latency.record(endPs - startPs);
    // Cores run ahead of the clock, each by its own routine: the first told need not be the first.
    if (framesTotal == 0 || wholePs < firstPs) {
      firstPs = wholePs;
      firstBytes = lengthBytes;
    }
    lastPs = Math.max(lastPs, wholePs);
    framesTotal++;
    bytesTotal += lengthBytes;
  }

  long framesTotal() {
    return framesTotal;
  }

  long lastPs() {
    return lastPs;
  }

  /** {@return frames per second; 0 if there are fewer than two} */
  double framesPerSecond() {
    return lastPs == firstPs ? 0 : (framesTotal - 1) * PS_PER_SECOND / (lastPs - firstPs);
  }

  /** {@return bits of frames, FCS not counted, per second in units of 1e9} */
  double goodputGbps() {
    return lastPs == firstPs ? 0 : (bytesTotal - firstBytes) * 8_000.0 / (lastPs - firstPs);
  }

  /** Adds the percentiles to a report. */
  void addLatency(Report report) {
    report.latency(latency);
  }
}
