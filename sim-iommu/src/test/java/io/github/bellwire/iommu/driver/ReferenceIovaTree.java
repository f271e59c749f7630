package io.github.bellwire.iommu.driver;

import java.util.Map;
import java.util.TreeMap;

/**
 * The same allocator in its plainest form: a sorted map, searched as drivers/iommu/iova.c of Linux
 * 6.12 describes it. The anchor is the entry at the end.
 */
final class ReferenceIovaTree {
  private static final long ANCHOR = 1L << 60;
  private static final long PFN_4_GIB = 1L << 20;

  private final TreeMap<Long, Long> ends = new TreeMap<>(Map.of(ANCHOR, ANCHOR));
  private final long startPfn;
  private long cached = ANCHOR;
  private long cached32 = ANCHOR;
  private long max32AllocSize = PFN_4_GIB;

  ReferenceIovaTree(long startPfn) {
    this.startPfn = startPfn;
  }

  long allocate(long size, long limitPfn) {
    if (limitPfn <= PFN_4_GIB && size >= max32AllocSize) {
      return 0;
    }
    long align = Long.highestOneBit(size) == size ? size : 2 * Long.highestOneBit(size);
    long from = limitPfn <= PFN_4_GIB ? cached32 : cached;
    long retryPfn = ends.get(from);
    long pfn = searchDown(from, size, align, limitPfn, startPfn);
    if (pfn < 0 && retryPfn < limitPfn) {
      pfn = searchDown(ends.ceilingKey(limitPfn), size, align, limitPfn, retryPfn + 1);
    }
    if (pfn < 0) {
      max32AllocSize = size;
      return 0;
    }
    ends.put(pfn, pfn + size - 1);
    if (pfn + size - 1 < PFN_4_GIB) {
      cached32 = pfn;
    } else {
      cached = pfn;
    }
    return pfn;
  }

  private long searchDown(long fromKey, long size, long align, long limitPfn, long lowPfn) {
    long high = limitPfn;
    Long node = fromKey;
    while (true) {
      high = Math.min(high, node);
      if (high < size) {
        return -1;
      }
      long pfn = (high - size) / align * align;
      node = ends.lowerKey(node);
      if (pfn < lowPfn) {
        return -1;
      }
      if (node == null || pfn > ends.get(node)) {
        return pfn;
      }
    }
  }

  void free(long pfn) {
    long end = ends.get(pfn);
    long above = ends.higherKey(pfn);
    if (pfn == cached32 || end < PFN_4_GIB && pfn >= cached32) {
      cached32 = above;
    }
    if (pfn < PFN_4_GIB) {
      max32AllocSize = PFN_4_GIB;
    }
    if (pfn >= cached) {
      cached = above;
    }
    ends.remove(pfn);
  }
}
