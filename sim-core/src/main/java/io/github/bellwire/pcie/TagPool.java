package io.github.bellwire.pcie;

/**
 * Tags of outstanding non-posted requests, as the times at which they are free again. Completions
 * return in any order, hence a heap: the next request takes the tag that is free first.
 *
 * <p>Allocates nothing after construction.
 */
final class TagPool {
  private final long[] freePs;

  TagPool(int tags) {
    freePs = new long[tags];
  }

  /** {@return when the next tag is free; 0 if it has never been used} */
  long nextFreePs() {
    return freePs[0];
  }

  /**
   * Takes the tag that is free first.
   *
   * @param releasePs when the last completion has arrived
   */
  void take(long releasePs) {
    int index = 0;
    int child;
    while ((child = 2 * index + 1) < freePs.length) {
      if (child + 1 < freePs.length && freePs[child + 1] < freePs[child]) {
        child++;
      }
      if (freePs[child] >= releasePs) {
        break;
      }
      freePs[index] = freePs[child];
      index = child;
    }
    freePs[index] = releasePs;
  }
}
