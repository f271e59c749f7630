package io.github.bellwire.iommu.driver;

import io.github.bellwire.iommu.layout.AmdLayout;
import io.github.bellwire.iommu.layout.SecondLevelLayout;
import io.github.bellwire.iommu.layout.SmmuTableLayout;

/**
 * How the operating system writes the entries of page tables: all architectures here have tables of
 * 512 entries for pages of 4 KiB, with addresses in the same bits.
 */
public enum EntryFormat {
  /** Second-level tables of VT-d. */
  VT_D {
    @Override
    long page(long pa, int level, long rights) {
      return pa | (level > 1 ? SecondLevelLayout.PAGE_SIZE : 0) | rights;
    }

    @Override
    long table(long pa, int level) {
      return pa | SecondLevelLayout.READ | SecondLevelLayout.WRITE;
    }

    @Override
    boolean isPresent(long entry) {
      return (entry & (SecondLevelLayout.READ | SecondLevelLayout.WRITE)) != 0;
    }
  },

  /** AMD-Vi: entries tell the level of the table below. */
  AMD_VI {
    @Override
    long page(long pa, int level, long rights) {
      return pa
          | AmdLayout.PAGE_PRESENT
          | AmdLayout.FORCE_COHERENT
          | ((rights & SecondLevelLayout.READ) != 0 ? AmdLayout.READ : 0)
          | ((rights & SecondLevelLayout.WRITE) != 0 ? AmdLayout.WRITE : 0);
    }

    @Override
    long table(long pa, int level) {
      return pa
          | AmdLayout.PAGE_PRESENT
          | (long) (level - 1) << AmdLayout.NEXT_LEVEL_SHIFT
          | AmdLayout.READ
          | AmdLayout.WRITE;
    }

    @Override
    boolean isPresent(long entry) {
      return (entry & AmdLayout.PAGE_PRESENT) != 0;
    }
  },

  /**
   * Stage 1 of SMMUv3 with a granule of 4 KiB. What may be written may be read: there is no other
   * way to say it, and Linux does so.
   */
  SMMU_V3 {
    @Override
    long page(long pa, int level, long rights) {
      return pa
          | SmmuTableLayout.VALID
          | (level > 1 ? 0 : SmmuTableLayout.TABLE)
          | SmmuTableLayout.UNPRIVILEGED
          | SmmuTableLayout.INNER_SHAREABLE
          | SmmuTableLayout.ACCESSED
          | SmmuTableLayout.NOT_GLOBAL
          | ((rights & SecondLevelLayout.WRITE) != 0 ? 0 : SmmuTableLayout.READ_ONLY);
    }

    @Override
    long table(long pa, int level) {
      return pa | SmmuTableLayout.VALID | SmmuTableLayout.TABLE;
    }

    @Override
    boolean isPresent(long entry) {
      return (entry & SmmuTableLayout.VALID) != 0;
    }
  };

  /**
   * {@return an entry that maps a page}
   *
   * @param pa of the page
   * @param level 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB
   * @param rights READ, WRITE or both of {@link SecondLevelLayout}
   */
  abstract long page(long pa, int level, long rights);

  /**
   * {@return an entry that points to a table}
   *
   * @param pa of the table
   * @param level of the entry
   */
  abstract long table(long pa, int level);

  /** {@return whether an entry says anything} */
  abstract boolean isPresent(long entry);
}
