package io.github.bellwire.iommu.walk;

import java.util.Arrays;

/**
 * The latest invalidations, whose time may not have come: what is put into a cache before then is
 * forgotten then. Of those that fall out of the list only the latest time is kept, at which
 * everything is forgotten that was put in before: more than needed, never less.
 */
final class PendingInvalidations {
  /** Two for each of 64 cores that run ahead of the clock. */
  static final int DEPTH = 128;

  private final InvalidationKind[] kinds = new InvalidationKind[DEPTH];
  private final long[] tags = new long[DEPTH];
  private final long[] addresses = new long[DEPTH];
  private final int[] masks = new int[DEPTH];
  private final long[] timesPs = new long[DEPTH];
  private int next;
  private long latestPs = Long.MIN_VALUE;
  private long everythingPs = Long.MIN_VALUE;

  PendingInvalidations() {
    Arrays.fill(kinds, InvalidationKind.ALL);
    Arrays.fill(timesPs, Long.MIN_VALUE);
  }

  void add(InvalidationKind kind, long tag, long address, int mask, long atPs) {
    everythingPs = Math.max(everythingPs, timesPs[next]);
    kinds[next] = kind;
    tags[next] = tag;
    addresses[next] = address;
    masks[next] = mask;
    timesPs[next] = atPs;
    next = next + 1 & DEPTH - 1;
    latestPs = Math.max(latestPs, atPs);
  }

  /** {@return until when an entry may be used that is put in for a request at a time} */
  long untilPs(long entryTag, long entryPage, long atPs) {
    if (atPs >= latestPs) {
      return EntryTable.FOREVER_PS;
    }
    long untilPs = atPs < everythingPs ? everythingPs : EntryTable.FOREVER_PS;
    for (int i = 0; i < DEPTH; i++) {
      if (timesPs[i] > atPs
          && timesPs[i] < untilPs
          && kinds[i].matches(tags[i], addresses[i], masks[i], entryTag, entryPage)) {
        untilPs = timesPs[i];
      }
    }
    return untilPs;
  }

  /** {@return the time of the first invalidation between two times, or forever} */
  long firstPs(long fromPs, long toPs) {
    long untilPs = EntryTable.FOREVER_PS;
    if (fromPs >= latestPs) {
      return untilPs;
    }
    for (int i = 0; i < DEPTH; i++) {
      if (timesPs[i] > fromPs && timesPs[i] < toPs && timesPs[i] < untilPs) {
        untilPs = timesPs[i];
      }
    }
    return untilPs;
  }
}
