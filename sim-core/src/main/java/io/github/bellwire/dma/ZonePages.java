package io.github.bellwire.dma;

import org.jspecify.annotations.Nullable;

/** The pages of one zone: a row of regions of 1 GiB, each made when it is first needed. */
final class ZonePages {
  private static final int PAGE_SHIFT = 12;
  private static final int REGION_SHIFT = PAGE_SHIFT + BuddyRegion.ORDER_MAX;

  private final MemoryZone zone;
  private final long firstRegion;
  private final @Nullable BuddyRegion[] regions;

  ZonePages(MemoryZone zone) {
    this.zone = zone;
    firstRegion = zone.basePa() >>> REGION_SHIFT;
    long regionCount = zone.isEmpty() ? 0 : (zone.endPa() - 1 >>> REGION_SHIFT) - firstRegion + 1;
    regions = new BuddyRegion[Math.toIntExact(regionCount)];
  }

  /** Takes a block of 2^order pages that ends at or below an address, or returns NO_MEMORY. */
  long allocate(int order, long highestPa) {
    for (int i = 0; i < regions.length; i++) {
      long regionPa = firstRegion + i << REGION_SHIFT;
      if (regionPa > highestPa) {
        break;
      }
      // The page that holds highestPa counts only if the mask includes its last byte.
      long lastPage = (highestPa - regionPa + 1 >>> PAGE_SHIFT) - 1;
      int page = region(i).allocate(order, lastPage);
      if (page >= 0) {
        return regionPa + ((long) page << PAGE_SHIFT);
      }
    }
    return PageAllocator.NO_MEMORY;
  }

  /** Gives a block back; returns false if no such block is allocated here. */
  boolean tryFree(long pa, int order) {
    if (pa < zone.basePa() || pa >= zone.endPa() || (pa & PageAllocator.PAGE_BYTES - 1) != 0) {
      return false;
    }
    BuddyRegion region = regions[(int) ((pa >>> REGION_SHIFT) - firstRegion)];
    int page = (int) (pa >>> PAGE_SHIFT) & BuddyRegion.PAGES - 1;
    return region != null && region.tryFree(page, order);
  }

  private BuddyRegion region(int index) {
    BuddyRegion region = regions[index];
    if (region == null) {
      long regionPa = firstRegion + index << REGION_SHIFT;
      long fromPage = Math.max(0, zone.basePa() - regionPa) >>> PAGE_SHIFT;
      long toPage = Math.min(BuddyRegion.PAGES, zone.endPa() - regionPa >>> PAGE_SHIFT);
      region = new BuddyRegion((int) fromPage, (int) toPage);
      regions[index] = region;
    }
    return region;
  }
}
