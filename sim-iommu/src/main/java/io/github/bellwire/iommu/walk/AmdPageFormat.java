package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.AmdLayout;

/**
 * Page tables of AMD-Vi: an entry says the level of the next table, so that levels may be skipped,
 * and a page has any size, which takes as many equal entries as there are pages of the level in it.
 */
final class AmdPageFormat implements PageTableFormat {
  private final long reserved;

  AmdPageFormat(TranslationConfig.Capabilities capabilities) {
    reserved =
        AmdLayout.PAGE_RESERVED | AmdLayout.ADDRESS_MASK & -1L << capabilities.hostAddressBits();
  }

  @Override
  public boolean isPresent(long entry, int level) {
    return (entry & AmdLayout.PAGE_PRESENT) != 0;
  }

  @Override
  public boolean isReserved(long entry, int level) {
    int next = next(entry);
    if (next != AmdLayout.ANY_SIZE) {
      return next >= level || (entry & reserved) != 0;
    }
    int shift = AmdLayout.sizeShift(entry);
    int levelShift = PageTableFormat.shift(level);
    return shift <= levelShift
        || shift >= levelShift + LEVEL_BITS
        || (entry & reserved & -1L << shift) != 0;
  }

  @Override
  public int nextLevel(long entry, int level) {
    int next = next(entry);
    return next == AmdLayout.ANY_SIZE ? 0 : next;
  }

  @Override
  public int pageShift(long entry, int level) {
    return next(entry) == AmdLayout.ANY_SIZE
        ? AmdLayout.sizeShift(entry)
        : PageTableFormat.shift(level);
  }

  @Override
  public long address(long entry, int level) {
    long address = entry & AmdLayout.ADDRESS_MASK;
    return nextLevel(entry, level) == 0 ? address & -1L << pageShift(entry, level) : address;
  }

  @Override
  public int rights(long entry, int level) {
    return ((entry & AmdLayout.READ) != 0 ? READ : 0)
        | ((entry & AmdLayout.WRITE) != 0 ? WRITE : 0)
        | USER;
  }

  private static int next(long entry) {
    return (int) (entry >>> AmdLayout.NEXT_LEVEL_SHIFT) & AmdLayout.NEXT_LEVEL_MASK;
  }
}
