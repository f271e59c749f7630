package io.github.bellwire.dma.check;

import java.util.Map;
import java.util.TreeMap;

/** Which memory has been given back to its allocator, and when. */
final class FreedPages {
  /**
   * Memory given back.
   *
   * @param endPa behind its last byte
   * @param atPs when
   */
  private record Range(long endPa, long atPs) {}

  private final TreeMap<Long, Range> ranges = new TreeMap<>();

  void add(long pa, long bytes, long atPs) {
    ranges.put(pa, new Range(pa + bytes, atPs));
  }

  /** A block has been handed out, which may be a part of one that was given back. */
  void remove(long pa, long bytes) {
    long endPa = pa + bytes;
    Map.Entry<Long, Range> below = ranges.lowerEntry(pa);
    if (below != null && below.getValue().endPa() > pa) {
      Range range = below.getValue();
      ranges.put(below.getKey(), new Range(pa, range.atPs()));
      if (range.endPa() > endPa) {
        ranges.put(endPa, range);
      }
    }
    Map.Entry<Long, Range> last = ranges.lowerEntry(endPa);
    if (last != null && last.getKey() >= pa && last.getValue().endPa() > endPa) {
      ranges.put(endPa, last.getValue());
    }
    ranges.subMap(pa, endPa).clear();
  }

  /** {@return whether any byte of a range had been given back by a time} */
  boolean contains(long pa, long bytes, long atPs) {
    Map.Entry<Long, Range> last = ranges.lowerEntry(pa + bytes);
    return last != null && last.getValue().endPa() > pa && last.getValue().atPs() <= atPs;
  }
}
