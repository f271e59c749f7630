package io.github.bellwire.dma.check;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/** Mappings found by the pages that they touch, in the order in which they were made. */
final class MappingIndex {
  private static final int PAGE_SHIFT = 12;
  private static final int SMALL_PAGES_MAX = 1024;

  private final ToLongFunction<ShadowMapping> address;
  private final Map<Long, List<ShadowMapping>> pages = new HashMap<>();
  // Those of very many pages are looked at one by one: there are few.
  private final List<ShadowMapping> large = new ArrayList<>();

  /**
   * Creates an empty index.
   *
   * @param address where a mapping begins in the address space that this index is about
   */
  MappingIndex(ToLongFunction<ShadowMapping> address) {
    this.address = address;
  }

  void add(ShadowMapping mapping) {
    if (isLarge(mapping)) {
      large.add(mapping);
      return;
    }
    for (long page = firstPage(mapping); page <= lastPage(mapping); page++) {
      pages.computeIfAbsent(page, p -> new ArrayList<>(2)).add(mapping);
    }
  }

  void remove(ShadowMapping mapping) {
    if (isLarge(mapping)) {
      large.remove(mapping);
      return;
    }
    for (long page = firstPage(mapping); page <= lastPage(mapping); page++) {
      List<ShadowMapping> there = pages.get(page);
      if (there != null && there.remove(mapping) && there.isEmpty()) {
        pages.remove(page);
      }
    }
  }

  /** {@return the mappings that have a byte in a range} */
  List<ShadowMapping> touching(long from, long bytes) {
    List<ShadowMapping> found = List.of();
    long fromPage = from >> PAGE_SHIFT;
    for (long page = fromPage; page <= from + bytes - 1 >> PAGE_SHIFT; page++) {
      for (ShadowMapping mapping : pages.getOrDefault(page, List.of())) {
        // Of the pages that it shares with the range, the first one counts.
        if (page == Math.max(fromPage, firstPage(mapping))) {
          found = collect(mapping, from, bytes, found);
        }
      }
    }
    for (ShadowMapping mapping : large) {
      found = collect(mapping, from, bytes, found);
    }
    return found;
  }

  private List<ShadowMapping> collect(
      ShadowMapping mapping, long start, long bytes, List<ShadowMapping> found) {
    long first = address.applyAsLong(mapping);
    if (start >= first + mapping.lengthBytes || first >= start + bytes) {
      return found;
    }
    List<ShadowMapping> all = found.isEmpty() ? new ArrayList<>(2) : found;
    all.add(mapping);
    return all;
  }

  private boolean isLarge(ShadowMapping mapping) {
    return lastPage(mapping) - firstPage(mapping) >= SMALL_PAGES_MAX;
  }

  private long firstPage(ShadowMapping mapping) {
    return address.applyAsLong(mapping) >> PAGE_SHIFT;
  }

  private long lastPage(ShadowMapping mapping) {
    return address.applyAsLong(mapping) + mapping.lengthBytes - 1 >> PAGE_SHIFT;
  }
}
