package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.SmmuTableLayout;

/**
 * Stage 1 tables of SMMUv3 with one granule: levels count from 1, Arm's level 3. A table fills a
 * granule; only the levels that the granule provides for have blocks.
 */
final class SmmuStageFormat implements PageTableFormat {
  private static final int GRANULE_4_KIB = 12;

  private final int granuleShift;
  private final int levelBits;
  private final int blockLevelMax;
  private final long addressMask;
  private final long beyondHost;

  /**
   * Creates a format.
   *
   * @param granuleShift 12, 14 or 16: bits of the smallest page
   * @param capabilities how wide addresses are
   */
  SmmuStageFormat(int granuleShift, TranslationConfig.Capabilities capabilities) {
    this.granuleShift = granuleShift;
    levelBits = granuleShift - 3;
    blockLevelMax = granuleShift == GRANULE_4_KIB ? 3 : 2;
    addressMask = SmmuTableLayout.ADDRESS_MASK & -1L << granuleShift;
    beyondHost = addressMask & -1L << capabilities.hostAddressBits();
  }

  @Override
  public int levelShift(int level) {
    return granuleShift + levelBits * (level - 1);
  }

  @Override
  public int entryOffset(long address, int level) {
    return (int) (address >>> levelShift(level) & (1 << levelBits) - 1) * Long.BYTES;
  }

  @Override
  public boolean isPresent(long entry, int level) {
    if ((entry & SmmuTableLayout.VALID) == 0) {
      return false;
    }
    boolean isBlock = (entry & SmmuTableLayout.TABLE) == 0;
    return !isBlock || level > 1 && level <= blockLevelMax;
  }

  @Override
  public boolean isReserved(long entry, int level) {
    return (entry & beyondHost) != 0;
  }

  @Override
  public boolean isUsable(long entry, int level) {
    return nextLevel(entry, level) != 0 || (entry & SmmuTableLayout.ACCESSED) != 0;
  }

  @Override
  public int nextLevel(long entry, int level) {
    return (entry & SmmuTableLayout.TABLE) == 0 ? 0 : level - 1;
  }

  @Override
  public int pageShift(long entry, int level) {
    return levelShift(level);
  }

  @Override
  public long address(long entry, int level) {
    long address = entry & addressMask;
    return nextLevel(entry, level) == 0 ? address & -1L << levelShift(level) : address;
  }

  /** What a table descriptor forbids is forbidden below it. */
  @Override
  public int rights(long entry, int level) {
    boolean isTable = nextLevel(entry, level) != 0;
    boolean isUnprivileged =
        isTable
            ? (entry & SmmuTableLayout.TABLE_PRIVILEGED) == 0
            : (entry & SmmuTableLayout.UNPRIVILEGED) != 0;
    boolean isReadOnly =
        (entry & (isTable ? SmmuTableLayout.TABLE_READ_ONLY : SmmuTableLayout.READ_ONLY)) != 0;
    return !isUnprivileged ? USER : isReadOnly ? READ | USER : READ | WRITE | USER;
  }
}
