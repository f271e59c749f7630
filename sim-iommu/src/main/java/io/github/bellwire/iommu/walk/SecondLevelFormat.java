package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.SecondLevelLayout;

/** Second-level tables of VT-d. */
final class SecondLevelFormat implements PageTableFormat {
  private final LargePages largePages;

  SecondLevelFormat(TranslationConfig.Capabilities capabilities) {
    largePages = new LargePages(capabilities, capabilities.superPages());
  }

  @Override
  public boolean isPresent(long entry, int level) {
    return (entry & (SecondLevelLayout.READ | SecondLevelLayout.WRITE)) != 0;
  }

  @Override
  public boolean isReserved(long entry, int level) {
    return largePages.isReserved(entry, level, 0);
  }

  @Override
  public int nextLevel(long entry, int level) {
    return (entry & SecondLevelLayout.PAGE_SIZE) != 0 && level > 1 ? 0 : level - 1;
  }

  @Override
  public long address(long entry, int level) {
    return entry & SecondLevelLayout.ADDRESS_MASK;
  }

  @Override
  public int rights(long entry, int level) {
    return (int) entry & (READ | WRITE) | USER; // The bits are the same.
  }

  @Override
  public long accessedBit() {
    return SecondLevelLayout.ACCESSED;
  }

  @Override
  public long dirtyBit() {
    return SecondLevelLayout.DIRTY;
  }
}
