package io.github.bellwire.iommu.walk;

import static io.github.bellwire.kernel.Requirements.require;

/**
 * What a translation unit can do, remembers, and takes time for.
 *
 * @param capabilities what software may ask for
 * @param iotlb translations that are remembered
 * @param pagingCaches table addresses that are remembered
 * @param contextEntries devices whose entries are remembered, 1..4096
 * @param pasidEntries PASID entries that are remembered, 1..4096
 * @param walkers what walks take
 * @param preservesPagingCachesOnLeafInvalidate whether invalidating pages with the hint that only
 *     leaf entries have changed leaves the paging-structure caches alone
 */
public record TranslationConfig(
    Capabilities capabilities,
    Iotlb iotlb,
    PagingCaches pagingCaches,
    int contextEntries,
    int pasidEntries,
    Walkers walkers,
    boolean preservesPagingCachesOnLeafInvalidate) {
  private static final int ENTRIES_MAX = 4096;
  private static final long OVERHEAD_MAX_PS = 1_000_000_000;

  /** A bit of {@link Capabilities#addressWidths}: 39 bits in 3 levels. */
  public static final int WIDTH_39 = 1 << 1;

  /** A bit of {@link Capabilities#addressWidths}: 48 bits in 4 levels. */
  public static final int WIDTH_48 = 1 << 2;

  /** A bit of {@link Capabilities#addressWidths}: 57 bits in 5 levels. */
  public static final int WIDTH_57 = 1 << 3;

  /** A bit of {@link Capabilities#superPages}. */
  public static final int PAGES_2_MIB = 1;

  /** A bit of {@link Capabilities#superPages}. */
  public static final int PAGES_1_GIB = 1 << 1;

  /**
   * What software may ask for.
   *
   * @param hostAddressBits of a physical address, 32..52; higher bits in entries are reserved
   * @param addressWidths what domains may have: {@link #WIDTH_39}, {@link #WIDTH_48}, {@link
   *     #WIDTH_57}, as in the SAGAW field of the capability register
   * @param superPages larger pages: {@link #PAGES_2_MIB}, {@link #PAGES_1_GIB}, as in its SLLPS
   *     field
   * @param hasPassThrough whether a device's requests may pass untranslated
   * @param hasDeviceTlbs whether devices may send translation requests
   * @param isScalable whether there are PASIDs, first-level tables and nested translation
   * @param isSnooped whether accesses to tables look at the caches
   */
  public record Capabilities(
      int hostAddressBits,
      int addressWidths,
      int superPages,
      boolean hasPassThrough,
      boolean hasDeviceTlbs,
      boolean isScalable,
      boolean isSnooped) {
    // Checked here and nowhere else.
    public Capabilities {
      require(
          hostAddressBits >= 32 && hostAddressBits <= 52,
          "hostAddressBits",
          hostAddressBits,
          "32..52");
      int widths = WIDTH_39 | WIDTH_48 | WIDTH_57;
      require(
          addressWidths != 0 && (addressWidths & ~widths) == 0,
          "addressWidths",
          addressWidths,
          "made of bits 1, 2 and 3");
      require(superPages >= 0 && superPages <= 3, "superPages", superPages, "0..3");
    }

    /** {@return the same of a unit whose accesses to tables do not look at the caches} */
    public Capabilities withoutSnooping() {
      return new Capabilities(
          hostAddressBits,
          addressWidths,
          superPages,
          hasPassThrough,
          hasDeviceTlbs,
          isScalable,
          false);
    }

    /** {@return the highest width of a domain's addresses in bits} */
    public int maxAddressBits() {
      return (addressWidths & WIDTH_57) != 0 ? 57 : (addressWidths & WIDTH_48) != 0 ? 48 : 39;
    }
  }

  /**
   * Translations that are remembered; the least recently used of a set makes room. A page of any
   * size takes one entry.
   *
   * @param sets a power of two, 1..4096; 1 is fully associative
   * @param ways entries of each set, 1..4096
   * @param entriesPerReadWalk how many entries a walk for a read keeps to itself until it ends,
   *     among them the one that it fills; 1..4096
   * @param entriesPerWriteWalk how many a walk for a write keeps, 1..4096
   */
  public record Iotlb(int sets, int ways, int entriesPerReadWalk, int entriesPerWriteWalk) {
    // Checked here and nowhere else.
    public Iotlb {
      require(
          sets >= 1 && sets <= ENTRIES_MAX && Integer.bitCount(sets) == 1,
          "sets",
          sets,
          "a power of two in 1..4096");
      requireEntries("ways", ways, 1);
      requireEntries("entriesPerReadWalk", entriesPerReadWalk, 1);
      requireEntries("entriesPerWriteWalk", entriesPerWriteWalk, 1);
    }
  }

  /**
   * Entries above the last level that are remembered, least recently used out first. Named from the
   * root of a four-level table downwards; a fifth level has as many entries as the first.
   *
   * @param l1Entries for 512 GiB each, 0..4096
   * @param l2Entries for 1 GiB each, 0..4096
   * @param l3Entries for 2 MiB each, 0..4096
   */
  public record PagingCaches(int l1Entries, int l2Entries, int l3Entries) {
    // Checked here and nowhere else.
    public PagingCaches {
      requireEntries("l1Entries", l1Entries, 0);
      requireEntries("l2Entries", l2Entries, 0);
      requireEntries("l3Entries", l3Entries, 0);
    }
  }

  /**
   * What walks take, besides the time of the caches and of memory.
   *
   * @param count walks at the same time, 1..64
   * @param forWritesOnly of these, how many do not serve reads, so that posted requests get on
   *     whatever reads do; 0 to below {@code count}
   * @param overheadPs of a walk, 0..1 ms: to find the request a walker, and on its way again
   * @param perReadPs of each read, 0..1 ms: from the walker to the caches and back
   * @param serializesPerLeafTable whether walks that end in the same table of last-level entries go
   *     one after the other
   * @param inOrderLinePs 0 if requests overtake those that wait for a walk; otherwise all go one
   *     after the other, each line of 64 bytes takes so long, and a request that misses holds up
   *     those behind it; 0..1 ms
   */
  public record Walkers(
      int count,
      int forWritesOnly,
      long overheadPs,
      long perReadPs,
      boolean serializesPerLeafTable,
      long inOrderLinePs) {
    /**
     * Creates walkers for requests that overtake each other.
     *
     * @param count as above
     * @param forWritesOnly as above
     * @param overheadPs as above
     * @param perReadPs as above
     * @param serializesPerLeafTable as above
     */
    public Walkers(
        int count,
        int forWritesOnly,
        long overheadPs,
        long perReadPs,
        boolean serializesPerLeafTable) {
      this(count, forWritesOnly, overheadPs, perReadPs, serializesPerLeafTable, 0);
    }

    // Checked here and nowhere else.
    public Walkers {
      require(count >= 1 && count <= 64, "count", count, "1..64");
      require(
          forWritesOnly >= 0 && forWritesOnly < count,
          "forWritesOnly",
          forWritesOnly,
          "0 to below count=" + count);
      require(
          overheadPs >= 0 && overheadPs <= OVERHEAD_MAX_PS, "overheadPs", overheadPs, "0..1 ms");
      require(perReadPs >= 0 && perReadPs <= OVERHEAD_MAX_PS, "perReadPs", perReadPs, "0..1 ms");
      require(
          inOrderLinePs >= 0 && inOrderLinePs <= OVERHEAD_MAX_PS,
          "inOrderLinePs",
          inOrderLinePs,
          "0..1 ms");
    }
  }

  // Checked here and nowhere else.
  public TranslationConfig {
    requireEntries("contextEntries", contextEntries, 1);
    requireEntries("pasidEntries", pasidEntries, 1);
  }

  /**
   * {@return this configuration with other capabilities}
   *
   * @param newCapabilities as in the constructor
   */
  public TranslationConfig withCapabilities(Capabilities newCapabilities) {
    return new TranslationConfig(
        newCapabilities,
        iotlb,
        pagingCaches,
        contextEntries,
        pasidEntries,
        walkers,
        preservesPagingCachesOnLeafInvalidate);
  }

  /**
   * {@return this configuration with another IOTLB}
   *
   * @param newIotlb as in the constructor
   */
  public TranslationConfig withIotlb(Iotlb newIotlb) {
    return new TranslationConfig(
        capabilities,
        newIotlb,
        pagingCaches,
        contextEntries,
        pasidEntries,
        walkers,
        preservesPagingCachesOnLeafInvalidate);
  }

  /**
   * {@return this configuration with other paging-structure caches}
   *
   * @param newPagingCaches as in the constructor
   */
  public TranslationConfig withPagingCaches(PagingCaches newPagingCaches) {
    return new TranslationConfig(
        capabilities,
        iotlb,
        newPagingCaches,
        contextEntries,
        pasidEntries,
        walkers,
        preservesPagingCachesOnLeafInvalidate);
  }

  /**
   * {@return this configuration with other walkers}
   *
   * @param newWalkers as in the constructor
   */
  public TranslationConfig withWalkers(Walkers newWalkers) {
    return new TranslationConfig(
        capabilities,
        iotlb,
        pagingCaches,
        contextEntries,
        pasidEntries,
        newWalkers,
        preservesPagingCachesOnLeafInvalidate);
  }

  /**
   * {@return this configuration with another answer to the leaf hint}
   *
   * @param newPreserves as in the constructor
   */
  public TranslationConfig withPreservesPagingCachesOnLeafInvalidate(boolean newPreserves) {
    return new TranslationConfig(
        capabilities, iotlb, pagingCaches, contextEntries, pasidEntries, walkers, newPreserves);
  }

  private static void requireEntries(String name, int value, int least) {
    require(value >= least && value <= ENTRIES_MAX, name, value, least + ".." + ENTRIES_MAX);
  }
}
