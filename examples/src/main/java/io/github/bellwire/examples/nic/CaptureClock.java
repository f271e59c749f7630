package io.github.bellwire.examples.nic;

import io.github.bellwire.examples.settings.UserErrorException;

/**
 * Says how long after the first frame of a source another one is due: as long as when they were
 * captured, or at once. Captures may step back in time; the frame is then due with the one before.
 */
final class CaptureClock {
  /** How long traffic may last: simulated time ends after 106 days. */
  static final long SECONDS_MAX = 100L * 24 * 3600;

  private static final long OFFSET_MAX_NS = SECONDS_MAX * 1_000_000_000;
  private static final long PS_PER_NS = 1_000;
  private static final long UNKNOWN = -1;

  private final boolean keepsTiming;
  private long firstNs = UNKNOWN;
  private long offsetNs;

  /**
   * Creates a clock that has seen no frame.
   *
   * @param keepsTiming whether frames keep the distances of their capture
   */
  CaptureClock(boolean keepsTiming) {
    this.keepsTiming = keepsTiming;
  }

  /**
   * Looks at the next frame.
   *
   * @param timestampNs when it was captured
   * @return how long after the first one it is due, in picoseconds
   * @throws UserErrorException if that is longer than can be simulated
   */
  long advance(long timestampNs) {
    if (!keepsTiming) {
      return 0;
    }
    if (firstNs == UNKNOWN) {
      firstNs = timestampNs;
    }
    long sinceFirstNs = timestampNs - firstNs;
    if (sinceFirstNs > OFFSET_MAX_NS) {
      throw new UserErrorException(
          "timing=capture: a frame was captured more than 100 days after the first one, must be"
              + " within; or set timing=line-rate");
    }
    offsetNs = Math.max(offsetNs, sinceFirstNs);
    return offsetNs * PS_PER_NS;
  }
}
