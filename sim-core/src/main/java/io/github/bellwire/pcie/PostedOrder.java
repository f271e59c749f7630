package io.github.bellwire.pcie;

import io.github.bellwire.kernel.Simulation;

/**
 * The posted writes of a port in the order in which they leave the device, with their commit times:
 * a later write commits no earlier, and a read or completion waits for those before it (Base
 * Specification, section 2.4.1). A chain may compute a write before others that leave earlier; for
 * those it does not count.
 *
 * <pre>{@code
 * passed | up to 1024 writes, a ring |  last  --> time
 *        the ring begins anew once the clock has passed the last
 * }</pre>
 *
 * <p>Remembers the last writes only, more than any chain runs ahead. As a rule the question is
 * about the last one. Allocates nothing after construction.
 */
final class PostedOrder {
  private static final int WRITES = 1 << 10;

  private final Simulation simulation;
  private long lastSentPs;
  private long lastCommitPs;
  // When what lies before the ring commits.
  private long passedCommitPs;
  // When a write leaves and when it commits, side by side.
  private final long[] ring = new long[2 * WRITES];
  // How many writes have come into the ring, and how many had before the one that answered the
  // last question: the next answer is close by.
  private long end;
  private long near;

  /**
   * Creates the order of no writes.
   *
   * @param simulation the clock: nobody asks about times that have passed
   */
  PostedOrder(Simulation simulation) {
    this.simulation = simulation;
  }

  /**
   * {@return the commit time of the last write that leaves no later than a time; 0 if there is
   * none}
   *
   * @param atPs when the later one leaves, not before the current time
   */
  long commitBefore(long atPs) {
    return atPs >= lastSentPs ? lastCommitPs : earlierCommitBefore(atPs);
  }

  /**
   * Adds a write that commits behind those before it.
   *
   * @param newSentPs when it leaves, not before the current time
   * @param readyPs when it could be globally visible otherwise
   * @return when it is
   */
  long addBehind(long newSentPs, long readyPs) {
    long newCommitPs = Math.max(readyPs, commitBefore(newSentPs));
    add(newSentPs, newCommitPs);
    return newCommitPs;
  }

  /**
   * Adds a write.
   *
   * @param newSentPs when it leaves, not before the current time
   * @param newCommitPs when it is globally visible
   */
  void add(long newSentPs, long newCommitPs) {
    if (newSentPs < lastSentPs) {
      insert(newSentPs, newCommitPs);
      return;
    }
    if (lastSentPs <= simulation.nowPs()) {
      passedCommitPs = lastCommitPs;
      end = 0;
    } else {
      end++;
      put(1, lastSentPs, lastCommitPs);
    }
    lastSentPs = newSentPs;
    lastCommitPs = newCommitPs;
  }

  private long earlierCommitBefore(long atPs) {
    int back = newestUntil(atPs);
    return back > count() ? passedCommitPs : ring[slot(back) + 1];
  }

  private void insert(long newSentPs, long newCommitPs) {
    int later = newestUntil(newSentPs) - 1;
    if (later >= WRITES - 1) {
      return; // Older than everything remembered.
    }
    end++;
    for (int back = 1; back <= later; back++) {
      put(back, ring[slot(back + 1)], ring[slot(back + 1) + 1]);
    }
    put(later + 1, newSentPs, newCommitPs);
  }

  /**
   * Returns how far before the end the last write lies that leaves no later, or beyond the count.
   */
  private int newestUntil(long atPs) {
    int count = count();
    int back = (int) Math.min(Math.max(end - near, 1), count + 1);
    while (back > 1 && ring[slot(back - 1)] <= atPs) {
      back--;
    }
    while (back <= count && ring[slot(back)] > atPs) {
      back++;
    }
    near = end - back;
    return back;
  }

  private int count() {
    return (int) Math.min(end, WRITES);
  }

  private void put(int back, long sentPs, long commitPs) {
    ring[slot(back)] = sentPs;
    ring[slot(back) + 1] = commitPs;
  }

  private int slot(int back) {
    return ((int) end - back & WRITES - 1) * 2;
  }
}
