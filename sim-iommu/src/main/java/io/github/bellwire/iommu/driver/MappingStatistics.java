package io.github.bellwire.iommu.driver;

import io.github.bellwire.stats.LatencyHistogram;

/**
 * What a device's mappings have cost and exposed. A range is exposed from the moment at which it is
 * unmapped until no translation of it can be used any more.
 */
public final class MappingStatistics {
  private final LatencyHistogram exposure = new LatencyHistogram();

  long mapsCount;
  long unmapsCount;
  long refusedCount;
  long livePages;
  long livePagesMax;
  long liveRanges;
  long pageInvalidationsCount;
  long flushesCount;
  long quarantinedPages;

  MappingStatistics() {}

  void onMap(long pages) {
    mapsCount++;
    liveRanges++;
    livePages += pages;
    livePagesMax = Math.max(livePagesMax, livePages);
  }

  void onUnmap(long pages) {
    unmapsCount++;
    liveRanges--;
    livePages -= pages;
  }

  void onForgotten(long sinceUnmapPs) {
    exposure.record(Math.max(0, sinceUnmapPs));
  }

  /** {@return the ranges mapped} */
  public long mapsCount() {
    return mapsCount;
  }

  /** {@return the ranges unmapped} */
  public long unmapsCount() {
    return unmapsCount;
  }

  /** {@return how often there were no addresses or no memory for tables} */
  public long refusedCount() {
    return refusedCount;
  }

  /** {@return the ranges that are mapped at present: what grows for ever is leaked} */
  public long liveRanges() {
    return liveRanges;
  }

  /** {@return the pages of 4 KiB that are mapped at present} */
  public long livePages() {
    return livePages;
  }

  /** {@return the most pages that were mapped at one time} */
  public long livePagesMax() {
    return livePagesMax;
  }

  /** {@return how often an unmap waited for an invalidation of its own} */
  public long pageInvalidationsCount() {
    return pageInvalidationsCount;
  }

  /** {@return how often an unmap found its queue full and waited for a flush of the domain} */
  public long flushesCount() {
    return flushesCount;
  }

  /**
   * {@return the pages of 4 KiB whose addresses are never used again, because the hardware did not
   * confirm that it has forgotten them}
   */
  public long quarantinedPages() {
    return quarantinedPages;
  }

  /**
   * {@return for how long unmapped ranges were exposed; those that still are do not count yet, see
   * {@link IommuMapper#exposurePsMax}}
   */
  public LatencyHistogram exposure() {
    return exposure;
  }
}
