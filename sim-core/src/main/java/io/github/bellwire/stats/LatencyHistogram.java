package io.github.bellwire.stats;

import org.HdrHistogram.Histogram;

/**
 * The distribution of durations from 0 to 1000 seconds, to within 0.1 % of each value; minimum,
 * maximum and mean are exact. Recording allocates nothing.
 *
 * <p>Not thread-safe.
 */
public final class LatencyHistogram {
  private static final long HIGHEST_PS = 1_000_000_000_000_000L;
  private static final int DIGITS = 3;

  private final Histogram histogram = new Histogram(1, HIGHEST_PS, DIGITS);
  private long minPs = Long.MAX_VALUE;
  private long maxPs;
  private double sumPs;

  /** Creates an empty distribution. */
  public LatencyHistogram() {}

  /**
   * Adds a duration.
   *
   * @param ps picoseconds, at least 0; above 1000 s it counts as 1000 s in percentiles
   */
  public void record(long ps) {
    if (ps < 0) {
      throw new IllegalArgumentException("ps must be >= 0: ps=" + ps);
    }
    histogram.recordValue(Math.min(ps, HIGHEST_PS));
    minPs = Math.min(minPs, ps);
    maxPs = Math.max(maxPs, ps);
    sumPs += ps;
  }

  /** {@return how many durations were added} */
  public long count() {
    return histogram.getTotalCount();
  }

  /** {@return the shortest in picoseconds; 0 if there is none} */
  public long minPs() {
    return count() == 0 ? 0 : minPs;
  }

  /** {@return the longest in picoseconds; 0 if there is none} */
  public long maxPs() {
    return maxPs;
  }

  /** {@return the mean in picoseconds; 0 if there is none} */
  public double meanPs() {
    return count() == 0 ? 0 : sumPs / count();
  }

  /**
   * {@return the duration that a share of all does not exceed, in picoseconds; 0 if there is none}
   *
   * @param percent above 0 to 100
   */
  public long percentilePs(double percent) {
    if (!(percent > 0 && percent <= 100)) {
      throw new IllegalArgumentException("percent must be above 0 to 100: percent=" + percent);
    }
    if (count() == 0) {
      return 0;
    }
    // A bucket's upper edge may lie beyond what was recorded.
    return Math.max(minPs, Math.min(maxPs, histogram.getValueAtPercentile(percent)));
  }
}
