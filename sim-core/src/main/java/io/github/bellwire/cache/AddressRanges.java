package io.github.bellwire.cache;

import java.util.Arrays;

/** Disjoint ranges of addresses, few of them, in ascending order. */
final class AddressRanges {
  private long[] starts = new long[16];
  private long[] ends = new long[16];
  private int count;

  boolean contains(long pa) {
    int low = 0;
    int high = count - 1;
    while (low <= high) {
      int middle = low + high >>> 1;
      if (pa < starts[middle]) {
        high = middle - 1;
      } else if (pa >= ends[middle]) {
        low = middle + 1;
      } else {
        return true;
      }
    }
    return false;
  }

  /** Adds a range that overlaps none of those that are there. */
  void add(long start, long end) {
    int index = 0;
    while (index < count && starts[index] < start) {
      index++;
    }
    if (index > 0 && ends[index - 1] > start || index < count && starts[index] < end) {
      throw new IllegalArgumentException(
          String.format("range must not overlap others: start=0x%x, end=0x%x", start, end));
    }
    if (count == starts.length) {
      starts = Arrays.copyOf(starts, 2 * count);
      ends = Arrays.copyOf(ends, 2 * count);
    }
    System.arraycopy(starts, index, starts, index + 1, count - index);
    System.arraycopy(ends, index, ends, index + 1, count - index);
    starts[index] = start;
    ends[index] = end;
    count++;
  }

  /** Removes a range that was added like that. */
  void remove(long start, long end) {
    for (int i = 0; i < count; i++) {
      if (starts[i] == start && ends[i] == end) {
        count--;
        System.arraycopy(starts, i + 1, starts, i, count - i);
        System.arraycopy(ends, i + 1, ends, i, count - i);
        return;
      }
    }
    throw new IllegalArgumentException(
        String.format("range must have been added: start=0x%x, end=0x%x", start, end));
  }
}
