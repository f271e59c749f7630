package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.FirstLevelLayout;

/** First-level tables of VT-d: those of an x86 core. */
final class FirstLevelFormat implements PageTableFormat {
  private static final int ALL_SIZES =
      TranslationConfig.PAGES_2_MIB | TranslationConfig.PAGES_1_GIB;

  private final LargePages largePages;

  FirstLevelFormat(TranslationConfig.Capabilities capabilities) {
    largePages = new LargePages(capabilities, ALL_SIZES);
  }

  @Override
  public boolean isPresent(long entry, int level) {
    return (entry & FirstLevelLayout.PRESENT) != 0;
  }

  @Override
  public boolean isReserved(long entry, int level) {
    return largePages.isReserved(entry, level, FirstLevelLayout.LARGE_PAGE_ATTRIBUTE);
  }

  @Override
  public int nextLevel(long entry, int level) {
    return (entry & FirstLevelLayout.PAGE_SIZE) != 0 && level > 1 ? 0 : level - 1;
  }

  @Override
  public long address(long entry, int level) {
    long address = entry & FirstLevelLayout.ADDRESS_MASK;
    return nextLevel(entry, level) == 0 && level > 1
        ? address & ~FirstLevelLayout.LARGE_PAGE_ATTRIBUTE
        : address;
  }

  @Override
  public int rights(long entry, int level) {
    return READ
        | ((entry & FirstLevelLayout.WRITE) != 0 ? WRITE : 0)
        | ((entry & FirstLevelLayout.USER) != 0 ? USER : 0);
  }

  @Override
  public long accessedBit() {
    return FirstLevelLayout.ACCESSED;
  }

  @Override
  public long dirtyBit() {
    return FirstLevelLayout.DIRTY;
  }
}
