package io.github.bellwire.device.probe;

import static java.util.Objects.requireNonNull;

/**
 * What a probe has to do.
 *
 * @param operation what to measure
 * @param window where
 * @param warmupCount operations before the measurement, at least 1
 * @param count operations measured, at least 1
 */
public record ProbeRun(ProbeOperation operation, ProbeWindow window, long warmupCount, long count) {
  /** Names the random stream of the addresses that are read. */
  public static final String READ_ADDRESSES = "probe.reads";

  /** Names the random stream of the addresses that are written. */
  public static final String WRITE_ADDRESSES = "probe.writes";

  // Checked here and nowhere else.
  public ProbeRun {
    requireNonNull(operation, "operation");
    requireNonNull(window, "window");
    require(warmupCount, "warmupCount");
    require(count, "count");
  }

  /** {@return all operations} */
  public long totalCount() {
    return warmupCount + count;
  }

  private static void require(long value, String name) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " must be >= 1: " + name + "=" + value);
    }
  }
}
