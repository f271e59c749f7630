package io.github.bellwire.iommu.driver;

import java.util.Arrays;

/**
 * IOVA ranges that cores have given back at times ahead of the clock.
 *
 * <p>Routines of several cores run one after the other; one that runs later may come earlier, and
 * must not get what another core will still be using then. Times are picoseconds. Allocates nothing
 * but when it has to double.
 */
final class FreedRanges {
  private static final int INITIAL_ENTRIES = 64;

  private long[] pfns = new long[INITIAL_ENTRIES];
  private long[] freedPs = new long[INITIAL_ENTRIES];
  private int count;
  private long earliestPs = Long.MAX_VALUE;

  /** A range will be free at a time. */
  void add(long pfn, long atPs) {
    if (count == pfns.length) {
      pfns = Arrays.copyOf(pfns, 2 * count);
      freedPs = Arrays.copyOf(freedPs, 2 * count);
    }
    pfns[count] = pfn;
    freedPs[count] = atPs;
    count++;
    earliestPs = Math.min(earliestPs, atPs);
  }

  /** Gives a tree what is free by a time, in the order in which it was given back. */
  void settle(long nowPs, IovaTree tree) {
    if (nowPs < earliestPs) {
      return;
    }
    int kept = 0;
    earliestPs = Long.MAX_VALUE;
    for (int i = 0; i < count; i++) {
      if (freedPs[i] <= nowPs) {
        tree.free(pfns[i]);
      } else {
        pfns[kept] = pfns[i];
        freedPs[kept] = freedPs[i];
        earliestPs = Math.min(earliestPs, freedPs[i]);
        kept++;
      }
    }
    count = kept;
  }

  /** {@return the ranges that the tree does not know of yet} */
  int count() {
    return count;
  }
}
