package io.github.bellwire.pcie;

/**
 * The posted writes of a port in the order in which they leave the device, with their commit times:
 * a later write commits no earlier, and a read or completion waits for those before it (Base
 * Specification, section 2.4.1). A chain may compute a write before others that leave earlier; for
 * those it does not count.
 *
 * <p>Remembers the last writes only, more than any chain runs ahead. Allocates nothing after
 * construction.
 */
final class PostedOrder {
  private static final int WRITES = 1 << 10;

  private final long[] sentPs = new long[WRITES];
  private final long[] commitPs = new long[WRITES];
  private int end;
  private int count;

  /**
   * {@return the commit time of the last write that leaves no later than a time; 0 if there is
   * none}
   *
   * @param atPs when the later one leaves
   */
  long commitBefore(long atPs) {
    for (int i = 1; i <= count; i++) {
      int slot = end - i & WRITES - 1;
      if (sentPs[slot] <= atPs) {
        return commitPs[slot];
      }
    }
    return 0;
  }

  /**
   * Adds a write.
   *
   * @param newSentPs when it leaves
   * @param newCommitPs when it is globally visible
   */
  void add(long newSentPs, long newCommitPs) {
    int slot = end;
    for (int i = 1; i <= count && i < WRITES; i++) {
      int before = end - i & WRITES - 1;
      if (sentPs[before] <= newSentPs) {
        break;
      }
      sentPs[slot] = sentPs[before];
      commitPs[slot] = commitPs[before];
      slot = before;
    }
    sentPs[slot] = newSentPs;
    commitPs[slot] = newCommitPs;
    end = end + 1 & WRITES - 1;
    count = Math.min(WRITES, count + 1);
  }
}
