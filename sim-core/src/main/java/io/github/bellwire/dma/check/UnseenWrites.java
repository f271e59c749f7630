package io.github.bellwire.dma.check;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What devices have written to buffers and nothing has announced yet. A write is dropped when it is
 * announced, read or overwritten; a page keeps the most recent ones only.
 */
final class UnseenWrites {
  private static final int PAGE_SHIFT = 12;
  private static final int WRITES_PER_PAGE_MAX = 128;

  /**
   * A write.
   *
   * @param device who wrote
   * @param pa first byte in RAM
   * @param lengthBytes at least 1; does not leave the page
   * @param visiblePs when it becomes visible
   */
  record Write(DeviceShadow device, long pa, int lengthBytes, long visiblePs) {
    boolean overlaps(long address, long bytes) {
      return address < pa + lengthBytes && pa < address + bytes;
    }
  }

  private final Map<Long, List<Write>> pages = new HashMap<>();

  void add(Write write) {
    List<Write> there = pages.computeIfAbsent(write.pa >> PAGE_SHIFT, p -> new ArrayList<>());
    there.removeIf(
        old -> old.overlaps(write.pa, write.lengthBytes) || old.device.isAnnounced(old.visiblePs));
    if (there.size() == WRITES_PER_PAGE_MAX) {
      there.remove(0);
    }
    there.add(write);
  }

  /** A core has stored there: what was visible by then is gone. */
  void overwrite(long pa, long bytes, long atPs) {
    for (long page = pa >> PAGE_SHIFT; page <= pa + bytes - 1 >> PAGE_SHIFT; page++) {
      List<Write> there = pages.get(page);
      if (there != null) {
        there.removeIf(old -> old.visiblePs <= atPs && old.overlaps(pa, bytes));
      }
    }
  }

  /**
   * {@return a write to a range that nothing has announced; it is forgotten then}
   *
   * @param isKept which of them are no concern of this load and are not forgotten
   */
  @Nullable Write take(long pa, long bytes, Predicate<Write> isKept) {
    for (long page = pa >> PAGE_SHIFT; page <= pa + bytes - 1 >> PAGE_SHIFT; page++) {
      List<Write> there = pages.get(page);
      if (there != null) {
        for (Iterator<Write> writes = there.iterator(); writes.hasNext(); ) {
          Write write = writes.next();
          if (!write.overlaps(pa, bytes)) {
            continue;
          }
          if (write.device.isAnnounced(write.visiblePs)) {
            writes.remove();
          } else if (!isKept.test(write)) {
            writes.remove();
            return write;
          }
        }
      }
    }
    return null;
  }
}
