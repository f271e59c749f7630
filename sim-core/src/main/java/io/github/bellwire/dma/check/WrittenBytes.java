package io.github.bellwire.dma.check;

import io.github.bellwire.memory.PhysicalMemory;
import java.util.BitSet;
import java.util.TreeMap;

/**
 * Which bytes somebody has written since they were allocated. What tools put into memory beside all
 * cores and devices is not told: bytes that are not zero must have been written, and so must their
 * neighbours in the same access.
 */
final class WrittenBytes {
  private static final int PAGE_SHIFT = 12;
  private static final int PAGE_BYTES = 1 << PAGE_SHIFT;

  /** Of every page that has been written throughout; it has no bit left to set. */
  private static final BitSet ALL = new BitSet(PAGE_BYTES);

  static {
    ALL.set(0, PAGE_BYTES);
  }

  private final PhysicalMemory memory;
  private final TreeMap<Long, BitSet> pages = new TreeMap<>();

  WrittenBytes(PhysicalMemory memory) {
    this.memory = memory;
  }

  void add(long pa, long bytes) {
    long at = pa;
    while (at < pa + bytes) {
      int from = (int) (at & PAGE_BYTES - 1);
      int count = (int) Math.min(pa + bytes - at, PAGE_BYTES - from);
      addInPage(at >> PAGE_SHIFT, from, count);
      at += count;
    }
  }

  private void addInPage(long number, int from, int count) {
    if (count == PAGE_BYTES) {
      pages.put(number, ALL);
    } else {
      pages.computeIfAbsent(number, p -> new BitSet(PAGE_BYTES)).set(from, from + count);
    }
  }

  /** Whole pages have been allocated: what was in them is nobody's. */
  void forget(long pa, long bytes) {
    pages.subMap(pa >> PAGE_SHIFT, pa + bytes >> PAGE_SHIFT).clear();
  }

  private boolean isWritten(long pa, int bytes) {
    int from = (int) (pa & PAGE_BYTES - 1);
    BitSet page = pages.get(pa >> PAGE_SHIFT);
    return page != null && from + bytes <= PAGE_BYTES && page.nextClearBit(from) >= from + bytes;
  }

  /** {@return the first byte of a range that nobody has written, -1 if there is none} */
  long firstUnwritten(long pa, int bytes) {
    if (isWritten(pa, bytes)) {
      return -1;
    }
    long first = -1;
    boolean isWrittenByTool = false;
    for (long at = pa; at < pa + bytes; at++) {
      BitSet page = pages.get(at >> PAGE_SHIFT);
      if (page == null || !page.get((int) (at & PAGE_BYTES - 1))) {
        first = first < 0 ? at : first;
        isWrittenByTool |= memory.contains(at, 1) && memory.getByte(at) != 0;
      }
    }
    if (isWrittenByTool) {
      add(pa, bytes);
      return -1;
    }
    return first;
  }
}
