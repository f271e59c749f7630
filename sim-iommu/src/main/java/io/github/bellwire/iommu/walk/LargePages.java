package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.SecondLevelLayout;

/** The bits that must be 0 in entries of both levels, which have PS and the address in common. */
final class LargePages {
  private static final long PAGE_SIZE = SecondLevelLayout.PAGE_SIZE;

  private final long beyondHost;
  private final int superPages;

  LargePages(TranslationConfig.Capabilities capabilities, int superPages) {
    beyondHost = SecondLevelLayout.ADDRESS_MASK & -1L << capabilities.hostAddressBits();
    this.superPages = superPages;
  }

  /** {@return whether reserved bits are set, apart from those that large pages use otherwise} */
  boolean isReserved(long entry, int level, long usedInLargePages) {
    if ((entry & beyondHost) != 0) {
      return true;
    }
    if ((entry & PAGE_SIZE) == 0 || level == 1) {
      return false;
    }
    boolean isPossible = level <= 3 && (superPages & 1 << level - 2) != 0;
    long belowPage = (1L << PageTableFormat.shift(level)) - (1L << PageTableFormat.PAGE_SHIFT);
    return !isPossible || (entry & belowPage & ~usedInLargePages) != 0;
  }
}
