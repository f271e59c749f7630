package io.github.bellwire.cache;

import java.util.Arrays;

/**
 * The tags of a set-associative cache: which lines are there, which of them are dirty, and which to
 * replace. A set's tags lie side by side (16 of them fill one cache line of the host), its state is
 * one {@code long}:
 *
 * <pre>{@code
 * 63          48 47            24 23             0
 * | way hit or  | | ways in use  | |  dirty ways  |
 * | filled last | | one bit each | | one bit each |
 * }</pre>
 *
 * <p>An empty set is told from its state alone, and the way hit last is looked at first.
 *
 * <p>Replacement: an empty way first, otherwise a random one. What Xeon servers do is not
 * published; of the simple policies random replacement comes nearest to the hit rates that rings of
 * buffers show there (LRU is far too low), so this is an assumption.
 */
final class TagArray {
  /** Most ways that fit a set's state. */
  static final int WAYS_MAX = 24;

  /** No way holds the line. */
  static final int NOWHERE = -1;

  private static final int ABSENT = -1;
  private static final int USED_SHIFT = 24;
  private static final int LAST_SHIFT = 48;
  private static final long BELOW_LAST = (1L << LAST_SHIFT) - 1;

  private final int ways;
  private final long allWays;
  private final int[] tags;
  private final long[] states;
  private long random;

  /**
   * Creates an empty array.
   *
   * @param sets at least 1
   * @param ways 1..24
   * @param seed of the choice among ways that are equally good to replace
   */
  TagArray(int sets, int ways, long seed) {
    this.ways = ways;
    allWays = (1L << ways) - 1;
    tags = new int[sets * ways];
    Arrays.fill(tags, ABSENT);
    states = new long[sets];
    random = seed | 1;
  }

  /** {@return all ways as a mask} */
  long allWays() {
    return allWays;
  }

  /** {@return the place of a way among all ways of all sets} */
  int slot(int set, int way) {
    return set * ways + way;
  }

  /** {@return the way that holds a tag, or {@link #NOWHERE}} */
  int find(int set, int tag) {
    long state = states[set];
    if ((state & BELOW_LAST) == 0) {
      return NOWHERE;
    }
    int base = set * ways;
    int last = (int) (state >>> LAST_SHIFT);
    if (tags[base + last] == tag) {
      return last;
    }
    for (int way = 0; way < ways; way++) {
      if (tags[base + way] == tag) {
        states[set] = state & BELOW_LAST | (long) way << LAST_SHIFT;
        return way;
      }
    }
    return NOWHERE;
  }

  /** {@return the tag in a way; meaningless if the way is empty} */
  int tag(int set, int way) {
    return tags[set * ways + way];
  }

  boolean isEmpty(int set, int way) {
    return (states[set] >>> USED_SHIFT + way & 1) == 0;
  }

  boolean isDirty(int set, int way) {
    return (states[set] >>> way & 1) != 0;
  }

  void setDirty(int set, int way, boolean isDirty) {
    long bit = 1L << way;
    states[set] = isDirty ? states[set] | bit : states[set] & ~bit;
  }

  /** Empties a way. */
  void remove(int set, int way) {
    tags[set * ways + way] = ABSENT;
    states[set] &= ~(1L << way | 1L << USED_SHIFT + way);
  }

  /** Puts a clean line into a way, in the place of what is there. */
  void put(int set, int way, int tag) {
    tags[set * ways + way] = tag;
    long state = states[set] & BELOW_LAST & ~(1L << way);
    states[set] = state | 1L << USED_SHIFT + way | (long) way << LAST_SHIFT;
  }

  /**
   * {@return the way to fill next}
   *
   * @param set which set
   * @param allowed the ways that may be filled, at least one of them existing
   */
  int victim(int set, long allowed) {
    long empty = allowed & allWays & ~(states[set] >>> USED_SHIFT);
    if (empty != 0) {
      return Long.numberOfTrailingZeros(empty);
    }
    return pick(allowed & allWays);
  }

  /** {@return a random one of the bits that are set} */
  private int pick(long bits) {
    random ^= random << 13;
    random ^= random >>> 7;
    random ^= random << 17;
    // High bits times the number of candidates: no division.
    int skip = (int) ((random >>> 32) * Long.bitCount(bits) >>> 32);
    for (; skip > 0; skip--) {
      bits &= bits - 1;
    }
    return Long.numberOfTrailingZeros(bits);
  }
}
