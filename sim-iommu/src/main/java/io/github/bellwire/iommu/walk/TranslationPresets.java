package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.walk.TranslationConfig.Capabilities;
import io.github.bellwire.iommu.walk.TranslationConfig.Iotlb;
import io.github.bellwire.iommu.walk.TranslationConfig.PagingCaches;
import io.github.bellwire.iommu.walk.TranslationConfig.Walkers;

/**
 * Translation units of real machines. The page sim-iommu/docs/calibration.md shows how their
 * numbers follow from published latencies, and which of them are assumptions.
 */
public final class TranslationPresets {
  /** What a root port's read that hits the last-level cache takes there; see the hosts. */
  private static final long LLC_HIT_PS = 20_000;

  private static final int IOTLB_ENTRIES = 128;

  private static final Capabilities XEON_E5_CAPABILITIES =
      new Capabilities(
          46,
          TranslationConfig.WIDTH_48,
          TranslationConfig.PAGES_2_MIB | TranslationConfig.PAGES_1_GIB,
          true,
          true,
          false,
          true);

  /** E5-2630 (Sandy Bridge). */
  public static final TranslationConfig SNB = xeonE5(4, 239_000, true);

  /** E5-2620 v2 (Ivy Bridge). */
  public static final TranslationConfig IB = xeonE5(4, 297_000, false);

  /** E5-2620 v3 (Haswell). */
  public static final TranslationConfig HSW = xeonE5(11, 228_000, false);

  /** E5-2637 v3 (Haswell). */
  public static final TranslationConfig HSW_SM = xeonE5(11, 266_000, false);

  /** E5-2630 v4 (Broadwell). */
  public static final TranslationConfig BDW = xeonE5(11, 291_000, false);

  /** E3-1226 v3 (Haswell). */
  public static final TranslationConfig E3 = xeonE5(11, 307_000, false);

  /**
   * Cascade Lake, from "Fast and Safe IO Memory Protection" (SOSP'24), section 2.2: a page of 4 KiB
   * takes 65 ns, which is 64 lines of 1.016 ns, and each read of a table 197 ns, of which 25 ns are
   * the last-level cache's; one after the other. Its paging-structure caches hold between 64 and
   * 128 entries of the lowest level, of which this is the middle, and at least 32 of the others.
   * Assumption: 64 entries in the IOTLB.
   */
  public static final TranslationConfig CASCADE_LAKE =
      new TranslationConfig(
          XEON_E5_CAPABILITIES,
          new Iotlb(1, 64, 1, 1),
          new PagingCaches(32, 32, 96),
          64,
          64,
          new Walkers(1, 0, 172_000, false, 1_016),
          true);

  /**
   * Ice Lake. "Overcoming the IOTLB wall" (PeerJ CS 9:e1385) shows that about 8 million misses per
   * second are served, whatever the frames. Assumptions: two walkers of 250 ns, which is what walks
   * take on the hosts of pcie-bench, 25 ns of it the last-level cache's; an IOTLB of 64 entries.
   */
  public static final TranslationConfig ICE_LAKE =
      new TranslationConfig(
          XEON_E5_CAPABILITIES,
          new Iotlb(1, 64, 1, 1),
          new PagingCaches(32, 32, 128),
          64,
          64,
          new Walkers(2, 0, 225_000, false),
          true);

  /**
   * An SMMUv3 under NVIDIA Grace, with the sizes of gem5's SMMUv3 (src/dev/arm/SMMUv3.py): a TLB of
   * 2048 entries in 4 ways, walk caches of 4, 28 and 348, 16 walks at once. Assumption: 75 ns around
   * each read of a table.
   */
  public static final TranslationConfig SMMUV3_GRACE =
      new TranslationConfig(
          new Capabilities(
              46,
              TranslationConfig.WIDTH_48,
              TranslationConfig.PAGES_2_MIB | TranslationConfig.PAGES_1_GIB,
              true,
              true,
              false,
              true),
          new Iotlb(512, 4, 1, 1),
          new PagingCaches(4, 28, 348),
          64,
          64,
          new Walkers(16, 0, 75_000, false),
          true);

  private TranslationPresets() {}

  /**
   * The family.
   *
   * @param entriesPerReadWalk so that one read at a time finds as many entries as its latencies
   *     show
   * @param missPs what a read takes longer that misses
   */
  private static TranslationConfig xeonE5(
      int entriesPerReadWalk, long missPs, boolean serializesPerLeafTable) {
    return new TranslationConfig(
        XEON_E5_CAPABILITIES,
        new Iotlb(
            1,
            IOTLB_ENTRIES,
            entriesPerReadWalk,
            Integer.getInteger("x.wr", 2)),
        new PagingCaches(32, 32, 64),
        64,
        64,
        new Walkers(
            Integer.getInteger("x.walkers", 6),
            missPs - LLC_HIT_PS + 1000L * Integer.getInteger("x.add", 0),
            0,
            serializesPerLeafTable),
        false);
  }
}
