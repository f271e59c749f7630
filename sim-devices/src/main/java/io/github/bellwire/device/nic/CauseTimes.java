package io.github.bellwire.device.nic;

/**
 * The future times of one interrupt cause, in ascending order. Holds {@link #CAPACITY} times; what
 * does not fit is taken together with the next later one that does, so that a cause can act late
 * but is never lost.
 */
final class CauseTimes {
  /** Times that are kept apart. */
  static final int CAPACITY = 32;

  private final long[] timesPs = new long[CAPACITY];
  private int count;

  /** Creates an empty list. */
  CauseTimes() {}

  /** {@return whether nothing is to come} */
  boolean isEmpty() {
    return count == 0;
  }

  /** {@return whether another time would not be kept apart} */
  boolean isFull() {
    return count == CAPACITY;
  }

  /** {@return the earliest time; there must be one} */
  long firstPs() {
    assert count > 0;
    return timesPs[0];
  }

  /**
   * Adds a time.
   *
   * @param atPs picoseconds
   */
  void add(long atPs) {
    int last = count - 1;
    if (count > 0 && atPs == timesPs[last]) {
      return;
    }
    if (count == CAPACITY) {
      timesPs[last] = Math.max(timesPs[last], atPs);
      return;
    }
    int index = count;
    while (index > 0 && timesPs[index - 1] > atPs) {
      timesPs[index] = timesPs[index - 1];
      index--;
    }
    timesPs[index] = atPs;
    count++;
  }

  /**
   * Removes the times that have come.
   *
   * @param nowPs the current time in picoseconds
   * @return whether there were any
   */
  boolean removeUntil(long nowPs) {
    int due = 0;
    while (due < count && timesPs[due] <= nowPs) {
      due++;
    }
    count -= due;
    System.arraycopy(timesPs, due, timesPs, 0, count);
    return due > 0;
  }

  /** Forgets all times. */
  void clear() {
    count = 0;
  }
}
