package io.github.bellwire.device.probe;

/**
 * Tags of a probe as the times at which they are free again: a binary heap, because completions
 * that are served out of order free tags out of order.
 *
 * <p>Allocates nothing after construction.
 */
final class OutstandingTags {
  private final long[] freePs;
  private long heldPsTotal;

  OutstandingTags(int tags) {
    freePs = new long[tags];
  }

  /** {@return when the next tag is free; 0 if it has never been used} */
  long nextFreePs() {
    return freePs[0];
  }

  /**
   * Takes the tag that is free first.
   *
   * @param fromPs from when it is in use
   * @param untilPs when it is free again
   */
  void take(long fromPs, long untilPs) {
    heldPsTotal += untilPs - fromPs;
    int parent = 0;
    for (int child = 1; child < freePs.length; child = 2 * parent + 1) {
      if (child + 1 < freePs.length && freePs[child + 1] < freePs[child]) {
        child++;
      }
      if (freePs[child] >= untilPs) {
        break;
      }
      freePs[parent] = freePs[child];
      parent = child;
    }
    freePs[parent] = untilPs;
  }

  /** {@return how many tags are in use at a time} */
  int inUseCount(long atPs) {
    int count = 0;
    for (long free : freePs) {
      count += free > atPs ? 1 : 0;
    }
    return count;
  }

  /** {@return for how long all tags taken so far are in use, summed up} */
  long heldPsTotal() {
    return heldPsTotal;
  }
}
