package io.github.bellwire.iommu.driver;

import io.github.bellwire.dma.TranslationListener;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Follows the entries of a domain for a {@link TranslationListener}: which have changed and may
 * still be cached as they were.
 *
 * <pre>{@code
 * entry changed --> invalidated                        (a new entry needs nothing)
 *              '--> in the flush queue --> flushed
 *              '--> neither, and the driver goes on    told
 * }</pre>
 *
 * <p>Exists only for a domain that somebody listens to, and allocates as it likes. An invalidation
 * counts once the hardware has said that it is done, and for what had changed when it was asked
 * for.
 */
final class DomainWatch {
  /**
   * A last entry as it is in the tables.
   *
   * @param bytes that it maps
   * @param entry its value
   */
  private record Leaf(long bytes, long entry) {}

  /**
   * An entry that may be cached as it was.
   *
   * @param bytes that it mapped
   * @param number of the change in the domain
   * @param isCaredFor whether it waits for a flush, or has been told of
   */
  private record Change(long bytes, long number, boolean isCaredFor) {}

  private final TranslationListener listener;
  // By the first address that an entry maps or mapped.
  private final TreeMap<Long, Leaf> leaves = new TreeMap<>();
  private final TreeMap<Long, Change> changes = new TreeMap<>();
  private long changesTotal;
  private long lastContextChange = -1;

  DomainWatch(TranslationListener listener) {
    this.listener = listener;
  }

  /** A last entry has been stored; 0 if all below has been cleared. */
  void onEntry(long iova, long bytes, long entry) {
    Leaf leaf = new Leaf(bytes, entry);
    if (leaf.equals(leaves.get(iova))) {
      return;
    }
    Long before = leaves.lowerKey(iova);
    boolean isWithin = before != null && before + leaves.get(before).bytes() > iova;
    NavigableMap<Long, Leaf> replaced =
        leaves.subMap(isWithin ? before : iova, true, iova + bytes, false);
    replaced.forEach((first, old) -> change(first, old.bytes(), false));
    replaced.clear();
    if (entry != 0) {
      leaves.put(iova, leaf);
    }
  }

  /** A device has the domain no longer. */
  void onDetached() {
    lastContextChange = changesTotal++;
  }

  void onAllocated(int requesterId, long iova, long bytes, long atPs) {
    listener.onIovaAllocated(requesterId, iova, bytes, atPs);
  }

  void onFreed(int requesterId, long iova, long atPs) {
    listener.onIovaFreed(requesterId, iova, atPs);
  }

  /** A range that is no longer mapped waits for the next flush, even if one has just been made. */
  void onQueued(int requesterId, long iova, long bytes, long atPs) {
    changedIn(iova, bytes).clear();
    change(iova, bytes, true);
    listener.onFlushAwaited(requesterId, iova, atPs);
  }

  /** The driver is done with a range: what has changed in it must not be cached any more. */
  void onDone(int requesterId, long iova, long bytes, long atPs) {
    changedIn(iova, bytes)
        .replaceAll(
            (first, change) -> {
              if (!change.isCaredFor()) {
                listener.onChangeWithoutInvalidation(requesterId, first, change.bytes(), atPs);
              }
              return new Change(change.bytes(), change.number(), true);
            });
  }

  /** {@return changes so far, of which an invalidation that begins now takes care} */
  long changesTotal() {
    return changesTotal;
  }

  /** The hardware has forgotten a range as it was at a number of changes. */
  void onInvalidated(long iova, long bytes, long changesBefore) {
    changedIn(iova, bytes).values().removeIf(change -> change.number() < changesBefore);
  }

  /** Everything is about to be flushed. */
  void onFlush(int requesterId, long atPs) {
    long count = changes.size() + (lastContextChange < 0 ? 0 : 1);
    listener.onGlobalFlush(requesterId, count, atPs);
  }

  /** The hardware has forgotten everything as it was at a number of changes. */
  void onFlushed(long changesBefore) {
    changes.values().removeIf(change -> change.number() < changesBefore);
    if (lastContextChange < changesBefore) {
      lastContextChange = -1;
    }
  }

  private void change(long iova, long bytes, boolean isCaredFor) {
    changes.put(iova, new Change(bytes, changesTotal++, isCaredFor));
  }

  private NavigableMap<Long, Change> changedIn(long iova, long bytes) {
    Long before = changes.lowerKey(iova);
    boolean isWithin = before != null && before + changes.get(before).bytes() > iova;
    return changes.subMap(isWithin ? before : iova, true, iova + bytes, false);
  }
}
