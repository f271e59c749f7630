package io.github.bellwire.iommu.driver;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.SpinLock;
import io.github.bellwire.iommu.driver.IovaCache.Magazine;
import io.github.bellwire.kernel.Simulation;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Hands out the bus addresses of a domain as Linux does (drivers/iommu/iova.c): from the top down,
 * aligned to their size, and with caches per core in front of the tree, which hold ranges of 1 to
 * 32 pages and give back first what came in last.
 *
 * <p>Cached sizes are rounded up to a power of two. So addresses scatter over time, and the leaf
 * tables of what is mapped at one time with them. Numbers are pages of 4 KiB. What it does costs
 * the calling core time; the locks of tree and depots are contended. Allocates nothing after
 * warm-up. Confined to the simulation thread.
 */
public final class IovaAllocator {
  /** Returned instead of a page number when there is no room. */
  public static final long NO_ROOM = IovaTree.NONE;

  /** Sizes of 2^0 to 2^5 pages are cached (IOVA_RANGE_CACHE_MAX_SIZE of Linux). */
  public static final int CACHED_ORDERS = 6;

  /** Called when the depot of a size is to be trimmed after a while. */
  interface TrimTimer {
    void arm(CpuPort port, int order);
  }

  private final IommuDriverConfig config;
  private final DmaCostConfig costs;
  private final int coresCount;
  private final TrimTimer timer;
  private final Simulation simulation;
  private final IovaTree tree;
  private final FreedRanges freed = new FreedRanges();
  private final IovaCache[] caches = new IovaCache[CACHED_ORDERS];
  private final SpinLock treeLock;
  private final SpinLock[] depotLocks = new SpinLock[CACHED_ORDERS];

  private long cacheHitsCount;
  private long treeAllocationsCount;
  private long refusedCount;

  /**
   * Creates a space of which nothing is taken.
   *
   * @param simulation the clock
   * @param config sizes of caches, costs
   * @param coresCount cores of the machine, at least 1
   * @param startPfn first page that may be handed out, at least 1
   * @param timer asked to call {@link #trimDepot} later
   */
  IovaAllocator(
      Simulation simulation,
      IommuDriverConfig config,
      int coresCount,
      long startPfn,
      TrimTimer timer) {
    this.simulation = simulation;
    this.config = config;
    this.costs = config.costs();
    this.coresCount = coresCount;
    this.timer = timer;
    tree = new IovaTree(startPfn);
    int depotMax = config.isDepotTrimmed() ? Integer.MAX_VALUE : config.depotMagazinesMax();
    Arrays.setAll(caches, i -> new IovaCache(coresCount, config.magazineEntries(), depotMax));
    treeLock = costs.newLock(simulation);
    Arrays.setAll(depotLocks, i -> costs.newLock(simulation));
  }

  /**
   * Takes a range.
   *
   * @param port the core that allocates
   * @param pages at least 1
   * @param lastPfn highest page that the range may have
   * @param flushesCaches whether to empty all caches before it is said that there is no room
   * @return first page, or {@link #NO_ROOM}
   */
  public long allocate(CpuPort port, long pages, long lastPfn, boolean flushesCaches) {
    long size = roundedPages(pages);
    int order = order(size);
    if (order < CACHED_ORDERS) {
      long pfn = caches[order].take(port.coreIndex(), lastPfn + 1 - size, port.nowPs());
      chargeCache(port, order);
      if (pfn != NO_ROOM) {
        cacheHitsCount++;
        return pfn;
      }
    }
    long pfn = allocateFromTree(port, size, lastPfn + 1);
    if (pfn == NO_ROOM && flushesCaches) {
      flushCaches(port);
      pfn = allocateFromTree(port, size, lastPfn + 1);
    }
    if (pfn == NO_ROOM) {
      refusedCount++;
    }
    return pfn;
  }

  /**
   * Gives a range back.
   *
   * @param port the core that frees
   * @param pfn first page, as allocated
   * @param pages as asked for
   */
  public void free(CpuPort port, long pfn, long pages) {
    int order = order(pages);
    if (order >= CACHED_ORDERS) {
      freeInTree(pfn, port.nowPs());
      chargeTree(port, tree.height());
      return;
    }
    Magazine dropped = caches[order].put(port.coreIndex(), pfn, port.nowPs());
    boolean isDepotTouched = caches[order].isDepotTouched();
    chargeCache(port, order);
    if (dropped != null) {
      freeAll(port, order, dropped);
    } else if (isDepotTouched && config.isDepotTrimmed()) {
      timer.arm(port, order);
    }
  }

  /**
   * Takes a range for good, as far as it is free.
   *
   * @param fromPfn its first page
   * @param toPfn its last page
   */
  public void reserve(long fromPfn, long toPfn) {
    tree.reserve(fromPfn, toPfn);
  }

  /** Returns whether any page of a range is taken, in a cache or reserved. */
  boolean isTaken(long fromPfn, long toPfn) {
    return tree.isTaken(fromPfn, toPfn);
  }

  /** Takes a magazine out of a depot that has more than there are cores; returns whether it did. */
  boolean trimDepot(CpuPort port, int order) {
    IovaCache cache = caches[order];
    Magazine magazine = cache.depotSize() > coresCount ? cache.popDepot(port.nowPs()) : null;
    depotLocks[order].acquire(port);
    depotLocks[order].release(port);
    if (magazine == null) {
      return false;
    }
    freeAll(port, order, magazine);
    return true;
  }

  private long allocateFromTree(CpuPort port, long pages, long limitPfn) {
    freed.settle(port.nowPs(), tree);
    long pfn = tree.allocate(pages, limitPfn);
    if (pfn != NO_ROOM) {
      treeAllocationsCount++;
    }
    chargeTree(port, tree.visits());
    return pfn;
  }

  private void flushCaches(CpuPort port) {
    for (int order = 0; order < CACHED_ORDERS; order++) {
      IovaCache cache = caches[order];
      for (int core = 0; core < coresCount; core++) {
        freeContent(port, cache.loaded(core), cache.lastPutPs(core));
        freeContent(port, cache.previous(core), cache.lastPutPs(core));
      }
      @Nullable Magazine magazine;
      while ((magazine = cache.popDepot(port.nowPs())) != null) {
        freeAll(port, order, magazine);
      }
    }
  }

  private void freeAll(CpuPort port, int order, Magazine magazine) {
    freeContent(port, magazine, port.nowPs());
    caches[order].recycle(magazine);
  }

  private void freeContent(CpuPort port, Magazine magazine, long atPs) {
    int nodes = 0;
    int size = magazine.size;
    magazine.size = 0;
    for (int i = 0; i < size; i++) {
      freeInTree(magazine.pfns[i], atPs);
      nodes += tree.height();
    }
    if (size > 0) {
      chargeTree(port, nodes);
    }
  }

  /** A core ahead of the clock frees what others have to wait for until then. */
  private void freeInTree(long pfn, long atPs) {
    if (atPs > simulation.nowPs()) {
      freed.add(pfn, atPs);
    } else {
      tree.free(pfn);
    }
  }

  private void chargeCache(CpuPort port, int order) {
    if (caches[order].isDepotTouched()) {
      depotLocks[order].acquire(port);
      port.compute(costs.iovaCacheCycles());
      depotLocks[order].release(port);
    } else {
      port.compute(costs.iovaCacheCycles());
    }
  }

  private void chargeTree(CpuPort port, int nodes) {
    treeLock.acquire(port);
    port.compute(costs.iovaTreeCycles() + nodes * costs.iovaNodeCycles());
    treeLock.release(port);
  }

  /** Returns the pages that a range takes: what is cached is rounded up to a power of two. */
  static long roundedPages(long pages) {
    return pages < 1 << CACHED_ORDERS - 1 ? 1L << order(pages) : pages;
  }

  private static int order(long pages) {
    return Long.SIZE - Long.numberOfLeadingZeros(pages - 1);
  }

  /** {@return the ranges that are taken, those in caches and reserved ones included} */
  public int rangesCount() {
    return tree.count() - freed.count();
  }

  /**
   * {@return the full magazines in a depot}
   *
   * @param order of sizes of 2^order pages, 0..5
   */
  public int depotMagazines(int order) {
    return caches[order].depotSize();
  }

  /** {@return how often a cache had a range} */
  public long cacheHitsCount() {
    return cacheHitsCount;
  }

  /** {@return how often the tree gave a range} */
  public long treeAllocationsCount() {
    return treeAllocationsCount;
  }

  /** {@return how often there was no room} */
  public long refusedCount() {
    return refusedCount;
  }

  /** {@return the lock of the tree} */
  public SpinLock treeLock() {
    return treeLock;
  }
}
