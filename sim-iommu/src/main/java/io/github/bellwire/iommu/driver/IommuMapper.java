package io.github.bellwire.iommu.driver;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.BounceBufferPool;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.ScatterList;
import io.github.bellwire.iommu.layout.SecondLevelLayout;

/**
 * Maps memory for one device through the tables of its domain, as drivers/iommu/dma-iommu.c of
 * Linux does.
 *
 * <pre>{@code
 * map    addresses --> entries
 * unmap  clear entries --> strict: invalidate, wait, give addresses back
 *                      '-> lazy:   into the flush queue of the core
 * }</pre>
 *
 * <p>Addresses and tables that the hardware does not confirm to have forgotten are never used
 * again.
 *
 * <p>Made by {@link IommuDriver}. Allocates nothing after warm-up. Confined to the simulation
 * thread.
 */
public final class IommuMapper implements DmaMapper {
  private static final int PAGE_MASK = PageTables.PAGE_BYTES - 1;
  private static final long LAST_PFN_BELOW_4_GIB = (1L << 32 - PageTables.PAGE_BYTES_SHIFT) - 1;

  /** The largest size that IOVA caches hold: 32 pages. */
  private static final int OPTIMAL_BYTES = PageTables.PAGE_BYTES << IovaAllocator.CACHED_ORDERS - 1;

  private final IommuDriverConfig config;
  private final DmaCostConfig costs;
  private final DmaDomain domain;
  private final int requesterId;
  private final boolean isBounced;
  private final MappingStatistics statistics = new MappingStatistics();

  // Lists of tables of calls in progress: one may let time run, in which another begins.
  private TableList[] lists = {new TableList(), new TableList()};
  private int nesting;
  private boolean isAbove4GiB;

  IommuMapper(IommuDriverConfig config, DmaDomain domain, int requesterId, boolean isBounced) {
    this.config = config;
    this.costs = config.costs();
    this.domain = domain;
    this.requesterId = requesterId;
    this.isBounced = isBounced;
  }

  @Override
  public boolean reaches(long pa, int lengthBytes, long mask) {
    // Addresses within the mask are found for any memory.
    return !isBounced || ((pa | lengthBytes) & PAGE_MASK) == 0;
  }

  @Override
  public int listGranuleBytes() {
    return isBounced ? 0 : PageTables.PAGE_BYTES;
  }

  @Override
  public int bounceGranuleBytes() {
    return isBounced ? PageTables.PAGE_BYTES : 1;
  }

  @Override
  public int maxMappingBytes() {
    return isBounced ? BounceBufferPool.MAPPING_BYTES_MAX : Integer.MAX_VALUE;
  }

  @Override
  public int optimalMappingBytes() {
    return OPTIMAL_BYTES;
  }

  @Override
  public long map(CpuPort port, long pa, int lengthBytes, DmaDirection direction, long mask) {
    domain.requireAlive();
    port.compute(costs.mapCycles());
    int inPage = (int) pa & PAGE_MASK;
    long pages = pages(inPage + (long) lengthBytes);
    long pfn = allocate(port, pages, mask);
    if (pfn == IovaAllocator.NO_ROOM) {
      return refused();
    }
    long iova = pfn << PageTables.PAGE_BYTES_SHIFT;
    if (!mapPages(port, iova, pa - inPage, pages, rights(direction))) {
      // Entries that are taken back because there is no memory for others may have been used.
      unmapPages(port, pfn, pages);
      return refused();
    }
    statistics.onMap(pages);
    return iova + inPage;
  }

  @Override
  public long mapList(CpuPort port, ScatterList list, DmaDirection direction, long mask) {
    domain.requireAlive();
    port.compute(costs.mapCycles());
    long pages = list.layoutBytes() >>> PageTables.PAGE_BYTES_SHIFT;
    long pfn = allocate(port, pages, mask);
    if (pfn == IovaAllocator.NO_ROOM) {
      return refused();
    }
    long iova = pfn << PageTables.PAGE_BYTES_SHIFT;
    if (!mapPieces(port, iova, list, rights(direction))) {
      unmapPages(port, pfn, pages);
      return refused();
    }
    statistics.onMap(pages);
    return iova;
  }

  /** Pieces that follow each other in host memory are mapped together, as iommu_map_sg does. */
  private boolean mapPieces(CpuPort port, long iova, ScatterList list, long rights) {
    int next = 0;
    while (next < list.segmentCount()) {
      long firstPa = list.pa(next) & ~PAGE_MASK;
      long firstIova = iova + list.layoutOffset(next) & ~PAGE_MASK;
      long endPa = roundUp(list.pa(next) + list.lengthBytes(next));
      next++;
      while (next < list.segmentCount()
          && (list.pa(next) & ~PAGE_MASK) == endPa
          && (iova + list.layoutOffset(next) & ~PAGE_MASK) == firstIova + endPa - firstPa) {
        endPa = roundUp(list.pa(next) + list.lengthBytes(next));
        next++;
      }
      if (!mapPages(port, firstIova, firstPa, pages(endPa - firstPa), rights)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void unmap(CpuPort port, long iova, int lengthBytes, DmaDirection direction) {
    domain.requireAlive();
    port.compute(costs.unmapCycles());
    long pages = pages((iova & PAGE_MASK) + lengthBytes);
    unmapPages(port, iova >>> PageTables.PAGE_BYTES_SHIFT, pages);
    statistics.onUnmap(pages);
  }

  private void unmapPages(CpuPort port, long pfn, long pages) {
    long iova = pfn << PageTables.PAGE_BYTES_SHIFT;
    long unmappedPs = port.nowPs();
    TableList freed = enter();
    domain.tables().unmap(port, iova, pages << PageTables.PAGE_BYTES_SHIFT, freed);
    chargeTables(port, costs.unmapTableCycles());
    FlushQueue queue = domain.flushQueue();
    if (queue != null) {
      queue.add(port, pfn, pages, freed, unmappedPs, this);
      tellDone(iova, pages, port.nowPs());
    } else {
      statistics.pageInvalidationsCount++;
      boolean isForgotten = domain.invalidatePages(port, iova, pages, freed.isEmpty());
      tellDone(iova, pages, port.nowPs());
      if (isForgotten) {
        statistics.onForgotten(port.nowPs() - unmappedPs);
        domain.tables().free(freed);
        free(port, pfn, pages);
      } else {
        quarantine(pages, freed);
      }
    }
    nesting--;
  }

  private boolean mapPages(CpuPort port, long iova, long pa, long pages, long rights) {
    long lengthBytes = pages << PageTables.PAGE_BYTES_SHIFT;
    TableList replaced = enter();
    boolean isMapped = domain.tables().tryMap(port, iova, pa, lengthBytes, rights, replaced);
    chargeTables(port, costs.mapTableCycles());
    if (!replaced.isEmpty()) {
      if (domain.invalidatePages(port, iova, pages, false)) {
        domain.tables().free(replaced);
      } else {
        replaced.abandon();
      }
    }
    tellDone(iova, pages, port.nowPs());
    nesting--;
    return isMapped;
  }

  private void chargeTables(CpuPort port, int cycles) {
    port.compute(cycles + domain.tables().entriesChanged() * costs.tableEntryCycles());
  }

  /** Keeps addresses and tables from being used again: the hardware may not have forgotten. */
  void quarantine(long pages, TableList tables) {
    statistics.quarantinedPages += pages;
    tables.abandon();
  }

  /** Gives addresses back that the hardware has forgotten. */
  void free(CpuPort port, long pfn, long pages) {
    DomainWatch watch = domain.watch();
    if (watch != null) {
      watch.onFreed(requesterId, pfn << PageTables.PAGE_BYTES_SHIFT, port.nowPs());
    }
    domain.iovas().free(port, pfn, pages);
  }

  /** A range has been entered into the flush queue. */
  void tellQueued(long pfn, long pages, long atPs) {
    DomainWatch watch = domain.watch();
    if (watch != null) {
      long iova = pfn << PageTables.PAGE_BYTES_SHIFT;
      watch.onQueued(requesterId, iova, pages << PageTables.PAGE_BYTES_SHIFT, atPs);
    }
  }

  private void tellDone(long iova, long pages, long atPs) {
    DomainWatch watch = domain.watch();
    if (watch != null) {
      watch.onDone(requesterId, iova, pages << PageTables.PAGE_BYTES_SHIFT, atPs);
    }
  }

  private long allocate(CpuPort port, long pages, long mask) {
    long pfn = take(port, pages, mask);
    DomainWatch watch = domain.watch();
    if (watch != null && pfn != IovaAllocator.NO_ROOM) {
      long iova = pfn << PageTables.PAGE_BYTES_SHIFT;
      watch.onAllocated(requesterId, iova, pages << PageTables.PAGE_BYTES_SHIFT, port.nowPs());
    }
    return pfn;
  }

  /** Takes addresses, below 4 GiB as long as there are any. */
  private long take(CpuPort port, long pages, long mask) {
    long lastPfn = Math.min(mask, config.highestIova()) >>> PageTables.PAGE_BYTES_SHIFT;
    if (config.triesBelow4GiB() && !isAbove4GiB && lastPfn > LAST_PFN_BELOW_4_GIB) {
      long pfn = domain.iovas().allocate(port, pages, LAST_PFN_BELOW_4_GIB, false);
      if (pfn != IovaAllocator.NO_ROOM) {
        return pfn;
      }
      isAbove4GiB = config.staysAbove4GiB();
    }
    return domain.iovas().allocate(port, pages, lastPfn, true);
  }

  private long refused() {
    statistics.refusedCount++;
    return MAPPING_ERROR;
  }

  private TableList enter() {
    if (nesting == lists.length) {
      TableList[] more = new TableList[2 * nesting];
      for (int i = 0; i < more.length; i++) {
        more[i] = i < nesting ? lists[i] : new TableList();
      }
      lists = more;
    }
    return lists[nesting++];
  }

  private static long rights(DmaDirection direction) {
    switch (direction) {
      case TO_DEVICE:
        return SecondLevelLayout.READ;
      case FROM_DEVICE:
        return SecondLevelLayout.WRITE;
      default:
        return SecondLevelLayout.READ | SecondLevelLayout.WRITE;
    }
  }

  private static long pages(long bytes) {
    return bytes + PAGE_MASK >>> PageTables.PAGE_BYTES_SHIFT;
  }

  private static long roundUp(long address) {
    return address + PAGE_MASK & ~PAGE_MASK;
  }

  /** {@return whose tables are used} */
  public DmaDomain domain() {
    return domain;
  }

  /** {@return whether addresses below 4 GiB were used up once, so that others are used since} */
  public boolean isAbove4GiB() {
    return isAbove4GiB;
  }

  /**
   * {@return for how long a range was reachable at most that was not mapped any more, those that
   * still are included; in picoseconds}
   *
   * @param nowPs until when, in picoseconds
   */
  public long exposurePsMax(long nowPs) {
    long longestPs = statistics.exposure().maxPs();
    FlushQueue queue = domain.flushQueue();
    return queue == null ? longestPs : Math.max(longestPs, queue.exposurePsMax(this, nowPs));
  }

  /** {@return what it has done} */
  public MappingStatistics statistics() {
    return statistics;
  }
}
