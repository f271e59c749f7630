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
  private final long[] requests;
  private int first;

  TagPool(int tags) {
    freePs = new long[tags];
    numbers = new short[tags];
    requests = new long[tags];
    for (int i = 0; i < tags; i++) {
      numbers[i] = (short) i;
      requests[i] = PendingReads.NONE;
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
   * {@return the request that holds the tag that is free first, {@link PendingReads#NONE} if it is
   * certain when}
   */
  long firstRequest() {
    return requests[first];
  }

  /** It is certain when the tag that is free first is free. */
  void confirmFirst() {
    requests[first] = PendingReads.NONE;
  }

  /** The tag that is free first will be free at another time, which may make another the first. */
  void postponeFirst(long releasePs) {
    take(releasePs, requests[first]);
  }

  /**
   * Follows all estimates.
   *
   * @param pending the requests that hold the tags
   * @param retirePs from the arrival of the last completion until the tag is free
   */
  void follow(PendingReads pending, long retirePs) {
    int slot = first;
    do {
      if (requests[slot] != PendingReads.NONE) {
        freePs[slot] = pending.arrivalPs(requests[slot]) + retirePs;
      }
      int at = slot; // Those before are in order.
      while (at != first && freePs[previous(at)] > freePs[at]) {
        swap(at, previous(at));
        at = previous(at);
      }
      slot = next(slot);
    } while (slot != first);
  }

  private void swap(int left, int right) {
    long ps = freePs[left];
    short number = numbers[left];
    long request = requests[left];
    freePs[left] = freePs[right];
    numbers[left] = numbers[right];
    requests[left] = requests[right];
    freePs[right] = ps;
    numbers[right] = number;
    requests[right] = request;
  }

  /**
   * Takes the tag that is free first.
   *
   * @param releasePs when the last completion has arrived
   */
  void take(long releasePs) {
    take(releasePs, PendingReads.NONE);
  }

  /**
   * Takes the tag that is free first, for a request whose end is an estimate.
   *
   * @param releasePs when the last completion has arrived
   * @param request its number
   */
  void take(long releasePs, long request) {
    int slot = first; // The place of the tag taken becomes the end of the ring.
    short number = numbers[first];
    first = next(first);
    for (int before = previous(slot); slot != first; before = previous(slot)) {
      if (freePs[before] <= releasePs) {
        break;
      }
      freePs[slot] = freePs[before];
      numbers[slot] = numbers[before];
      requests[slot] = requests[before];
      slot = before;
    }
    freePs[slot] = releasePs;
    numbers[slot] = number;
    requests[slot] = request;
  }

  private int next(int slot) {
    return slot + 1 == freePs.length ? 0 : slot + 1;
  }

  private int previous(int slot) {
    return slot == 0 ? freePs.length - 1 : slot - 1;
  }
}
