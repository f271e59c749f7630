package io.github.bellwire.pcie;

/**
 * Tags of outstanding non-posted requests, as the times at which they are free again, in the order
 * of these times: the next request takes the tag that is free first. Completions mostly return in
 * the order of their requests, so a new time almost always goes to the end of the ring.
 *
 * <p>Allocates nothing after construction.
 */
final class TagPool {
  private final long[] freePs;
  private final short[] numbers;
  private int first;

  TagPool(int tags) {
    freePs = new long[tags];
    numbers = new short[tags];
    for (int i = 0; i < tags; i++) {
      numbers[i] = (short) i;
    }
  }

  /** {@return the number of the tag that is free first} */
  int nextTag() {
    return numbers[first];
  }

  /** {@return when the next tag is free; 0 if it has never been used} */
  long nextFreePs() {
    return freePs[first];
  }

  /**
   * Takes the tag that is free first.
   *
   * @param releasePs when the last completion has arrived
   */
  void take(long releasePs) {
    int slot = first; // The place of the tag taken becomes the end of the ring.
    short number = numbers[first];
    first = next(first);
    for (int before = previous(slot); slot != first; before = previous(slot)) {
      if (freePs[before] <= releasePs) {
        break;
      }
      freePs[slot] = freePs[before];
      numbers[slot] = numbers[before];
      slot = before;
    }
    freePs[slot] = releasePs;
    numbers[slot] = number;
  }

  private int next(int slot) {
    return slot + 1 == freePs.length ? 0 : slot + 1;
  }

  private int previous(int slot) {
    return slot == 0 ? freePs.length - 1 : slot - 1;
  }
}
