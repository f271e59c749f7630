package io.github.bellwire.iommu.driver;

/**
 * When a domain was flushed, in the times of the cores that flushed it.
 *
 * <p>Routines of several cores run one after the other, each ahead of the clock, so that a flush of
 * one that ran before may lie in the future of another. The flushes are kept in the order in which
 * they began. Times are picoseconds. Allocates nothing after construction.
 */
final class FlushHistory {
  /** Returned instead of a time. */
  static final long NOT_YET_PS = -1;

  /** Of more flushes than this that follow an entry, the oldest ones are not remembered. */
  private static final int DEPTH = 4096;

  private final long[] startedPs = new long[DEPTH];
  private final long[] finishedPs = new long[DEPTH];
  private int first;
  private int count;

  /** A flush has been done. */
  void add(long startPs, long finishPs) {
    if (count == DEPTH) {
      first = place(1);
      count--;
    }
    int at = count++;
    while (at > 0 && startedPs[place(at - 1)] > startPs) {
      startedPs[place(at)] = startedPs[place(at - 1)];
      finishedPs[place(at)] = finishedPs[place(at - 1)];
      at--;
    }
    startedPs[place(at)] = startPs;
    finishedPs[place(at)] = finishPs;
  }

  /**
   * {@return when a flush was over that began after something was queued; {@link #NOT_YET_PS} if
   * none is}
   *
   * @param queuedPs when that was
   * @param nowPs when somebody asks
   */
  long forgottenPs(long queuedPs, long nowPs) {
    int low = 0;
    int high = count;
    while (low < high) {
      int middle = low + high >>> 1;
      if (startedPs[place(middle)] < queuedPs) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    for (int at = low; at < count && startedPs[place(at)] <= nowPs; at++) {
      if (finishedPs[place(at)] <= nowPs) {
        return finishedPs[place(at)];
      }
    }
    return NOT_YET_PS;
  }

  private int place(int index) {
    return first + index & DEPTH - 1;
  }
}
