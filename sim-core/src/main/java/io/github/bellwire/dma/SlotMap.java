package io.github.bellwire.dma;

import java.util.Arrays;

/**
 * Which slots of a bounce buffer pool are free: groups of 128 bits, and a search for rows of free
 * slots within a group. Of the groups, the one used last is tried first, then those behind it, then
 * those before it; in a group, the first row that fits is taken.
 */
final class SlotMap {
  private static final int SLOTS_PER_GROUP = 128;

  /** For each alignment of 2^k slots up to 32: the slots at multiples of it. */
  private static final long[] STARTS = {
    0xffff_ffff_ffff_ffffL,
    0x5555_5555_5555_5555L,
    0x1111_1111_1111_1111L,
    0x0101_0101_0101_0101L,
    0x0001_0001_0001_0001L,
    0x0000_0001_0000_0001L
  };

  /** Two words per group, 1 for a free slot. */
  private final long[] free;

  private final int[] freeCounts;
  private int lastGroup;

  SlotMap(int groupCount) {
    free = new long[2 * groupCount];
    Arrays.fill(free, -1);
    freeCounts = new int[groupCount];
    Arrays.fill(freeCounts, SLOTS_PER_GROUP);
  }

  /**
   * Takes a row of slots.
   *
   * @param count 1..128
   * @param alignment the row begins at a slot that is congruent to {@code residue} modulo this: 0
   *     or 1 for anywhere, or 2^k up to 32
   * @param residue 0 to below the alignment
   * @return the first slot, or -1 if there is none
   */
  int allocate(int count, int alignment, int residue) {
    long starts = STARTS[alignment == 0 ? 0 : Integer.numberOfTrailingZeros(alignment)] << residue;
    int group = lastGroup;
    for (int tried = 0; tried < freeCounts.length; tried++) {
      if (freeCounts[group] >= count) {
        int first = firstRow(group, count, starts);
        if (first >= 0) {
          lastGroup = group;
          toggle(group, first, count);
          freeCounts[group] -= count;
          return group * SLOTS_PER_GROUP + first;
        }
      }
      group = group + 1 == freeCounts.length ? 0 : group + 1;
    }
    return -1;
  }

  /** Gives a row of slots back. */
  void free(int slot, int count) {
    int group = slot / SLOTS_PER_GROUP;
    toggle(group, slot % SLOTS_PER_GROUP, count);
    freeCounts[group] += count;
  }

  /** Returns the first slot from which a row is free, or -1. */
  private int firstRow(int group, int count, long starts) {
    long low = free[2 * group];
    long high = free[2 * group + 1];
    // A bit remains where this slot and the next (length - 1) are free; the length doubles.
    int length = 1;
    while (length < count) {
      int shift = Math.min(length, count - length);
      if (shift == Long.SIZE) {
        low &= high;
        high = 0;
      } else {
        low &= low >>> shift | high << Long.SIZE - shift;
        high &= high >>> shift;
      }
      length += shift;
    }
    low &= starts;
    high &= starts;
    if (low != 0) {
      return Long.numberOfTrailingZeros(low);
    }
    return high == 0 ? -1 : Long.SIZE + Long.numberOfTrailingZeros(high);
  }

  private void toggle(int group, int first, int count) {
    free[2 * group] ^= row(first, first + count);
    free[2 * group + 1] ^= row(first - Long.SIZE, first + count - Long.SIZE);
  }

  /** Returns a word with the bits from {@code from} to below {@code to}, as far as it has them. */
  private static long row(int from, int to) {
    int least = Math.max(0, from);
    int length = Math.min(Long.SIZE, to) - least;
    return length <= 0 ? 0 : -1L >>> Long.SIZE - length << least;
  }
}
