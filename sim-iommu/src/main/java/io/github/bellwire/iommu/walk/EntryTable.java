package io.github.bellwire.iommu.walk;

import java.util.Arrays;

/**
 * Entries by key, in sets of which the least recently used makes room: the storage of every cache
 * here. An entry has a time from which it can be used and one until which it may be.
 *
 * <p>A key is found through a hash chain whatever the number of ways, so that a fully associative
 * table costs no more than one with sets. Allocates nothing after construction.
 */
final class EntryTable {
  /** No slot. */
  static final int NONE = -1;

  /** Not invalidated. */
  static final long FOREVER_PS = Long.MAX_VALUE;

  private static final long MULTIPLIER = 0x9E37_79B9_7F4A_7C15L; // 2^64 / golden ratio

  private final int ways;
  private final int setsMask;
  private final int bucketShift;
  private final int[] buckets;
  private final int[] chain;
  private final int[] older;
  private final int[] younger;
  private final int[] youngest;
  private final int[] oldest;
  private final int[] free;
  private final int[] used;
  private final long[] tags;
  private final long[] pages;
  private final boolean[] isUsed;
  private final long[] beganPs;
  private final long[] readyPs;
  private final long[] untilPs;
  private final long[] values;
  private final int[] flags;

  /**
   * Creates an empty table.
   *
   * @param sets a power of two
   * @param ways entries of a set
   */
  EntryTable(int sets, int ways) {
    int slots = sets * ways;
    this.ways = ways;
    setsMask = sets - 1;
    int bucketsCount = Integer.highestOneBit(Math.max(1, slots - 1)) * 4;
    bucketShift = Long.SIZE - Integer.numberOfTrailingZeros(bucketsCount);
    buckets = new int[bucketsCount];
    Arrays.fill(buckets, NONE);
    chain = new int[slots];
    older = new int[slots];
    younger = new int[slots];
    youngest = new int[sets];
    oldest = new int[sets];
    free = new int[sets];
    used = new int[sets];
    tags = new long[slots];
    pages = new long[slots];
    isUsed = new boolean[slots];
    beganPs = new long[slots];
    readyPs = new long[slots];
    untilPs = new long[slots];
    values = new long[slots];
    flags = new int[slots];
    Arrays.fill(youngest, NONE);
    Arrays.fill(oldest, NONE);
    for (int set = 0; set < sets; set++) {
      free[set] = NONE;
      for (int slot = (set + 1) * ways - 1; slot >= set * ways; slot--) {
        chain[slot] = free[set];
        free[set] = slot;
      }
    }
  }

  /** {@return how many slots there are} */
  int slotsCount() {
    return tags.length;
  }

  /** {@return the slot of a key, or {@link #NONE}; an entry whose time is over is dropped} */
  int find(long tag, long page, long atPs) {
    int slot = buckets[bucket(tag, page)];
    while (slot != NONE && (pages[slot] != page || tags[slot] != tag)) {
      slot = chain[slot];
    }
    if (slot != NONE && untilPs[slot] <= atPs) {
      remove(slot);
      return NONE;
    }
    return slot;
  }

  /** Makes an entry the youngest of its set. */
  void touch(int slot) {
    int set = setOf(pages[slot]);
    if (youngest[set] != slot) {
      unlink(slot, set);
      link(slot, set);
    }
  }

  /**
   * Puts a key in that is not there.
   *
   * @param mostUsed entries that the set may have then, at least 1
   * @return its slot, whose contents are to be set
   */
  int insert(long tag, long page, int mostUsed) {
    int set = setOf(page);
    int most = Math.max(1, Math.min(mostUsed, ways));
    while (used[set] >= most) {
      remove(oldest[set]);
    }
    int slot = free[set];
    free[set] = chain[slot];
    used[set]++;
    tags[slot] = tag;
    pages[slot] = page;
    isUsed[slot] = true;
    int bucket = bucket(tag, page);
    chain[slot] = buckets[bucket];
    buckets[bucket] = slot;
    link(slot, set);
    return slot;
  }

  /** Sets what an entry is about that is there at once. */
  void set(int slot, long value, int newFlags, long newReadyPs, long newUntilPs) {
    set(slot, value, newFlags, newReadyPs, newReadyPs, newUntilPs);
  }

  /** Sets what an entry is about that a walk brings which has begun before. */
  void set(int slot, long value, int newFlags, long newBeganPs, long newReadyPs, long newUntilPs) {
    values[slot] = value;
    flags[slot] = newFlags;
    beganPs[slot] = newBeganPs;
    readyPs[slot] = newReadyPs;
    untilPs[slot] = newUntilPs;
  }

  /** Takes an entry out. */
  void remove(int slot) {
    int bucket = bucket(tags[slot], pages[slot]);
    if (buckets[bucket] == slot) {
      buckets[bucket] = chain[slot];
    } else {
      int before = buckets[bucket];
      while (chain[before] != slot) {
        before = chain[before];
      }
      chain[before] = chain[slot];
    }
    int set = setOf(pages[slot]);
    unlink(slot, set);
    isUsed[slot] = false;
    chain[slot] = free[set];
    free[set] = slot;
    used[set]--;
  }

  /** An entry may not be used from a time on; it is the next to make room. */
  void end(int slot, long atPs) {
    untilPs[slot] = Math.min(untilPs[slot], atPs);
    int set = setOf(pages[slot]);
    if (oldest[set] != slot) {
      unlink(slot, set);
      younger[slot] = oldest[set];
      older[slot] = NONE;
      older[oldest[set]] = slot;
      oldest[set] = slot;
    }
  }

  /** Entries that are on their way at a time may not be used from then on. */
  void endUnderWay(long atPs) {
    for (int slot = 0; slot < tags.length; slot++) {
      if (isUsed[slot] && beganPs[slot] < atPs && atPs < readyPs[slot]) {
        end(slot, atPs);
      }
    }
  }

  boolean isUsed(int slot) {
    return isUsed[slot];
  }

  long tag(int slot) {
    return tags[slot];
  }

  long page(int slot) {
    return pages[slot];
  }

  long value(int slot) {
    return values[slot];
  }

  int flags(int slot) {
    return flags[slot];
  }

  /** {@return when the entry can be used: the read that brings it may be under way} */
  long readyPs(int slot) {
    return readyPs[slot];
  }

  private int setOf(long page) {
    return (int) page & setsMask;
  }

  private int bucket(long tag, long page) {
    return (int) ((page * 31 + tag) * MULTIPLIER >>> bucketShift);
  }

  private void link(int slot, int set) {
    int next = youngest[set];
    younger[slot] = NONE;
    older[slot] = next;
    if (next == NONE) {
      oldest[set] = slot;
    } else {
      younger[next] = slot;
    }
    youngest[set] = slot;
  }

  private void unlink(int slot, int set) {
    int before = younger[slot];
    int after = older[slot];
    if (before == NONE) {
      youngest[set] = after;
    } else {
      older[before] = after;
    }
    if (after == NONE) {
      oldest[set] = before;
    } else {
      younger[after] = before;
    }
  }
}
