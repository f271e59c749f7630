package io.github.bellwire.iommu.driver;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * IOVAs of one size that were given back and wait for reuse, after struct iova_rcache of Linux
 * 6.12.
 *
 * <pre>{@code
 * core 0:  loaded [######....]  previous [##########]
 * core 1:  loaded [#.........]  previous [..........]
 * depot:   [##########] [##########] ...                  full magazines, last in, first out
 * }</pre>
 *
 * <p>The last one given back is taken first. Cores run ahead of the clock, so that one may put a
 * magazine into the depot later than another one looks that runs after it. Allocates nothing once
 * there are magazines enough.
 */
final class IovaCache {
  /** A stack of IOVAs. */
  static final class Magazine {
    final long[] pfns;
    int size;

    /** When it has come into the depot. */
    long sincePs;

    @Nullable Magazine next;

    Magazine(int entries) {
      pfns = new long[entries];
    }

    boolean isFull() {
      return size == pfns.length;
    }

    void push(long pfn) {
      pfns[size++] = pfn;
    }

    /** Takes the last one that is at or below a limit; what was last fills its place. */
    long pop(long limitPfn) {
      int i = size - 1;
      while (i >= 0 && pfns[i] > limitPfn) {
        i--;
      }
      if (i < 0) {
        return IovaTree.NONE;
      }
      long pfn = pfns[i];
      pfns[i] = pfns[--size];
      return pfn;
    }
  }

  private final int magazineEntries;
  private final int depotMax;
  private final Magazine[] loaded;
  private final Magazine[] previous;
  private final long[] lastPutPs;
  private @Nullable Magazine depot;
  private int depotSize;
  private @Nullable Magazine spare;
  private boolean isDepotTouched;

  IovaCache(int coresCount, int magazineEntries, int depotMax) {
    this.magazineEntries = magazineEntries;
    this.depotMax = depotMax;
    loaded = new Magazine[coresCount];
    previous = new Magazine[coresCount];
    lastPutPs = new long[coresCount];
    Arrays.setAll(loaded, i -> new Magazine(magazineEntries));
    Arrays.setAll(previous, i -> new Magazine(magazineEntries));
  }

  /** Takes an IOVA at or below a limit, or returns NONE. */
  long take(int core, long limitPfn, long nowPs) {
    isDepotTouched = false;
    if (loaded[core].size == 0) {
      if (previous[core].size != 0) {
        swap(core);
      } else {
        isDepotTouched = true;
        Magazine full = popDepot(nowPs);
        if (full == null) {
          return IovaTree.NONE;
        }
        recycle(loaded[core]);
        loaded[core] = full;
      }
    }
    return loaded[core].pop(limitPfn);
  }

  /**
   * Puts an IOVA in. Returns a magazine whose IOVAs leave the cache, because the depot is full, to
   * be {@linkplain #recycle recycled}.
   */
  @Nullable Magazine put(int core, long pfn, long nowPs) {
    isDepotTouched = false;
    lastPutPs[core] = nowPs;
    Magazine dropped = null;
    if (loaded[core].isFull()) {
      if (!previous[core].isFull()) {
        swap(core);
      } else {
        isDepotTouched = true;
        if (depotSize < depotMax) {
          pushDepot(loaded[core], nowPs);
        } else {
          dropped = loaded[core];
        }
        loaded[core] = takeSpare();
      }
    }
    loaded[core].push(pfn);
    return dropped;
  }

  private void swap(int core) {
    Magazine full = previous[core];
    previous[core] = loaded[core];
    loaded[core] = full;
  }

  private void pushDepot(Magazine magazine, long nowPs) {
    magazine.sincePs = nowPs;
    magazine.next = depot;
    depot = magazine;
    depotSize++;
  }

  /**
   * Takes the full magazine out of the depot that came last of those that are there at a time, or
   * returns null.
   */
  @Nullable Magazine popDepot(long nowPs) {
    Magazine above = null;
    Magazine magazine = depot;
    while (magazine != null && magazine.sincePs > nowPs) {
      above = magazine;
      magazine = magazine.next;
    }
    if (magazine != null) {
      if (above == null) {
        depot = magazine.next;
      } else {
        above.next = magazine.next;
      }
      magazine.next = null;
      depotSize--;
    }
    return magazine;
  }

  /** Empties a magazine and keeps it for later. */
  void recycle(Magazine magazine) {
    magazine.size = 0;
    magazine.next = spare;
    spare = magazine;
  }

  private Magazine takeSpare() {
    Magazine magazine = spare;
    if (magazine == null) {
      return new Magazine(magazineEntries);
    }
    spare = magazine.next;
    magazine.next = null;
    return magazine;
  }

  Magazine loaded(int core) {
    return loaded[core];
  }

  Magazine previous(int core) {
    return previous[core];
  }

  /** {@return when a core has given something back last} */
  long lastPutPs(int core) {
    return lastPutPs[core];
  }

  int depotSize() {
    return depotSize;
  }

  /** {@return whether the last call looked into the depot or changed it} */
  boolean isDepotTouched() {
    return isDepotTouched;
  }
}
