package io.github.bellwire.examples.nic;

/** When frames are due that are sent at a rate: at exact distances, the fraction carried. */
final class FramePace {
  private static final long PS_PER_SECOND = 1_000_000_000_000L;

  private final long framesPerSecond;
  private long nextPs;
  private long rest;

  /**
   * Creates a pace whose first frame is due at once.
   *
   * @param framesPerSecond 0 for all of them at once
   */
  FramePace(long framesPerSecond) {
    this.framesPerSecond = framesPerSecond;
  }

  /** {@return how long after the first frame the next one is due, in picoseconds} */
  long advance() {
    long duePs = nextPs;
    if (framesPerSecond > 0) {
      nextPs += PS_PER_SECOND / framesPerSecond; // floor; the rest is carried
      rest += PS_PER_SECOND % framesPerSecond;
      if (rest >= framesPerSecond) {
        rest -= framesPerSecond;
        nextPs++;
      }
    }
    return duePs;
  }
}
