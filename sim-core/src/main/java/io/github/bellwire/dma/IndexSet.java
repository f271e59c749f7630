package io.github.bellwire.dma;

/**
 * A set of small integers that finds its least member in three steps: one bit per member, above it
 * one bit per word that is not zero, above that one more. Allocates nothing after construction.
 */
final class IndexSet {
  /** Three levels of 64-way fan-out. */
  static final int SIZE_MAX = 1 << 18;

  private final long[] members;
  private final long[] words;
  private long groups;

  /**
   * Creates an empty set.
   *
   * @param size members are below this, 1..2^18
   */
  IndexSet(int size) {
    members = new long[(size + 63) >>> 6];
    words = new long[(size + 4095) >>> 12];
  }

  void add(int index) {
    members[index >>> 6] |= 1L << index;
    words[index >>> 12] |= 1L << (index >>> 6);
    groups |= 1L << (index >>> 12);
  }

  void remove(int index) {
    if ((members[index >>> 6] &= ~(1L << index)) == 0
        && (words[index >>> 12] &= ~(1L << (index >>> 6))) == 0) {
      groups &= ~(1L << (index >>> 12));
    }
  }

  boolean contains(int index) {
    return (members[index >>> 6] >>> index & 1) != 0;
  }

  /** Returns the least member, or -1 if there is none. */
  int least() {
    if (groups == 0) {
      return -1;
    }
    int group = Long.numberOfTrailingZeros(groups);
    int word = group << 6 | Long.numberOfTrailingZeros(words[group]);
    return word << 6 | Long.numberOfTrailingZeros(members[word]);
  }
}
