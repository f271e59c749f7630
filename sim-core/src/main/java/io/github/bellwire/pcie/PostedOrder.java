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
  // The write that leaves last: as a rule the question is about it, and the next comes behind it.
  private long lastSentPs;
  private long lastCommitPs;
  // How many writes before the end the last question was answered: the next answer is close by.
  private int lastBack = 1;

  /**
   * {@return the commit time of the last write that leaves no later than a time; 0 if there is
   * none}
   *
   * @param atPs when the later one leaves
   */
  long commitBefore(long atPs) {
    return atPs >= lastSentPs ? lastCommitPs : earlierCommitBefore(atPs);
  }

  private long earlierCommitBefore(long atPs) {
    int back = newestUntil(atPs);
    return back > count ? 0 : commitPs[slot(back)];
  }

  /**
   * Adds a write.
   *
   * @param newSentPs when it leaves
   * @param newCommitPs when it is globally visible
   */
  void add(long newSentPs, long newCommitPs) {
    if (newSentPs < lastSentPs) {
      insert(newSentPs, newCommitPs);
      return;
    }
    lastSentPs = newSentPs;
    lastCommitPs = newCommitPs;
    sentPs[end] = newSentPs;
    commitPs[end] = newCommitPs;
    grow();
    lastBack = Math.min(lastBack + 1, WRITES);
  }

  private void insert(long newSentPs, long newCommitPs) {
    int later = newestUntil(newSentPs) - 1;
    if (later >= WRITES - 1) {
      return; // Older than everything remembered.
    }
    grow();
    for (int back = 1; back <= later; back++) {
      sentPs[slot(back)] = sentPs[slot(back + 1)];
      commitPs[slot(back)] = commitPs[slot(back + 1)];
    }
    sentPs[slot(later + 1)] = newSentPs;
    commitPs[slot(later + 1)] = newCommitPs;
    lastBack = later + 1;
  }

  private void grow() {
    end = end + 1 & WRITES - 1;
    count = Math.min(WRITES, count + 1);
  }

  /**
   * Returns how far before the end the last write lies that leaves no later, or beyond the count.
   */
  private int newestUntil(long atPs) {
    int back = Math.min(lastBack, count + 1);
    while (back > 1 && sentPs[slot(back - 1)] <= atPs) {
      back--;
    }
    while (back <= count && sentPs[slot(back)] > atPs) {
      back++;
    }
    lastBack = back;
    return back;
  }

  private int slot(int back) {
    return end - back & WRITES - 1;
  }
}
