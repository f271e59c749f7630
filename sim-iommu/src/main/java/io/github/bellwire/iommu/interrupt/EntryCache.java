package io.github.bellwire.iommu.interrupt;

import io.github.bellwire.iommu.queue.TimedRing;
import java.util.Arrays;

/** Interrupt entries that are remembered, with the time from which each is known. */
final class EntryCache {
  static final int ABSENT = -1;
  private static final int NO_INDEX = -1;
  private static final long ALL = -1;
  private static final int INVALIDATIONS_MAX = 64;

  private final int[] indices;
  private final long[] lows;
  private final long[] highs;
  private final long[] readyTimes;
  private final long[] lastUses;
  private long uses;
  // First entry and number of entries, or ALL.
  private final TimedRing invalidations = new TimedRing();

  EntryCache(int entriesCount) {
    indices = new int[entriesCount];
    Arrays.fill(indices, NO_INDEX);
    lows = new long[entriesCount];
    highs = new long[entriesCount];
    readyTimes = new long[entriesCount];
    lastUses = new long[entriesCount];
  }

  /** Forgets entries at a time that may be ahead: until then they serve. */
  void invalidate(int index, int entriesCount, long atPs) {
    add(index, entriesCount, atPs);
  }

  void invalidateAll(long atPs) {
    add(0, ALL, atPs);
  }

  private void add(int index, long entriesCount, long atPs) {
    if (invalidations.count() == INVALIDATIONS_MAX) {
      forgetFirst(); // Nobody has come to look for long; too early does no harm.
    }
    invalidations.add(atPs, index, entriesCount);
  }

  private void forgetFirst() {
    forget((int) invalidations.first(), invalidations.second());
    invalidations.remove();
  }

  /** {@return where an entry is remembered, or ABSENT} */
  int find(int index, long atPs) {
    while (invalidations.nextPs() <= atPs) {
      forgetFirst();
    }
    for (int slot = 0; slot < indices.length; slot++) {
      if (indices[slot] == index) {
        lastUses[slot] = ++uses;
        return slot;
      }
    }
    return ABSENT;
  }

  long low(int slot) {
    return lows[slot];
  }

  long high(int slot) {
    return highs[slot];
  }

  long readyPs(int slot) {
    return readyTimes[slot];
  }

  /** Remembers an entry in place of the one that has not been used for longest. */
  void put(int index, long low, long high, long readyPs) {
    int oldest = 0;
    for (int slot = 1; slot < indices.length; slot++) {
      if (lastUses[slot] < lastUses[oldest]) {
        oldest = slot;
      }
    }
    indices[oldest] = index;
    lows[oldest] = low;
    highs[oldest] = high;
    readyTimes[oldest] = readyPs;
    lastUses[oldest] = ++uses;
  }

  private void forget(int first, long entriesCount) {
    for (int slot = 0; slot < indices.length; slot++) {
      int index = indices[slot];
      if (entriesCount == ALL || index >= first && index - first < entriesCount) {
        indices[slot] = NO_INDEX;
        lastUses[slot] = 0;
      }
    }
  }
}
