package io.github.bellwire.pcie;

/**
 * Tags of outstanding non-posted requests, as the times at which they are free again, in the order
 * of these times: the next request takes the tag that is free first. Completions mostly return in
 * the order of their requests, so a new time almost always goes to the end of the ring. As long as
 * a time is an estimate the tag knows the request that holds it.
 *
 * <p>Allocates nothing after construction.
 */
final class TagPool {
  private static final int NUMBER_BITS = 16;
  private static final int NUMBER_MASK = (1 << NUMBER_BITS) - 1;

  // A ring; side by side: when a tag is free, and who holds it with the tag's number below that.
  private final long[] cells;
  private final int end;
  private int first;

  TagPool(int tags) {
    end = 2 * tags;
    cells = new long[end];
    for (int i = 0; i < tags; i++) {
      cells[2 * i + 1] = PendingReads.NONE << NUMBER_BITS | i;
    }
  }

  /** {@return the number of the tag that is free first} */
  int nextTag() {
    return (int) cells[first + 1] & NUMBER_MASK;
  }

  /** {@return when the next tag is free; 0 if it has never been used} */
  long nextFreePs() {
    return cells[first];
  }

  /**
   * {@return the request that holds the tag that is free first, {@link PendingReads#NONE} if it is
   * certain when}
   */
  long firstRequest() {
    return cells[first + 1] >> NUMBER_BITS;
  }

  /** It is certain when the tag that is free first is free. */
  void confirmFirst() {
    cells[first + 1] = PendingReads.NONE << NUMBER_BITS | nextTag();
  }

  /** The tag that is free first will be free at another time, which may make another the first. */
  void postponeFirst(long releasePs) {
    take(releasePs, firstRequest());
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
      long holder = cells[slot + 1];
      if (holder >= 0) {
        long arrivalPs = pending.arrivalPs(holder >> NUMBER_BITS);
        sift(slot, arrivalPs == 0 ? cells[slot] : arrivalPs + retirePs, holder);
      } else {
        sift(slot, cells[slot], holder);
      }
      slot = next(slot);
    } while (slot != first);
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
    long holder = request << NUMBER_BITS | nextTag();
    first = next(first);
    sift(slot, releasePs, holder);
  }

  /** Puts a tag before the later ones of those between the first and a free place. */
  private void sift(int place, long releasePs, long holder) {
    int slot = place;
    while (slot != first) {
      int before = previous(slot);
      if (cells[before] <= releasePs) {
        break;
      }
      cells[slot] = cells[before];
      cells[slot + 1] = cells[before + 1];
      slot = before;
    }
    cells[slot] = releasePs;
    cells[slot + 1] = holder;
  }

  private int next(int slot) {
    return slot + 2 == end ? 0 : slot + 2;
  }

  private int previous(int slot) {
    return (slot == 0 ? end : slot) - 2;
  }
}
