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

  private static final int ENTRIES_PER_WRITE_WALK = 5;
  private static final int WALKERS = 6;
  private static final int WALKERS_FOR_WRITES_ONLY = 1;

  /** E5-2630 (Sandy Bridge): reach 125, a miss takes 239 ns. */
  public static final TranslationConfig SNB = xeonE5(125, 239_000, true);

  /** Two E5-2620 v2 (Ivy Bridge): reach 125, a miss takes 297 ns. */
  public static final TranslationConfig IB = xeonE5(125, 297_000, false);

  /** E5-2620 v3 (Haswell): reach 118, a miss takes 228 ns. */
  public static final TranslationConfig HSW = xeonE5(118, 228_000, false);

  /** E5-2637 v3 (Haswell): reach 118, a miss takes 266 ns. */
  public static final TranslationConfig HSW_SM = xeonE5(118, 266_000, false);

  /**
   * Two E5-2630 v4 (Broadwell): reach 118; a miss takes 270 ns by a fit to bandwidths, 286 to 291
   * ns by latencies.
   */
  public static final TranslationConfig BDW = xeonE5(118, 270_000, false);

  /** E3-1226 v3 (Haswell): reach of its generation, a miss takes 307 ns. */
  public static final TranslationConfig E3 = xeonE5(118, 307_000, false);

  private TranslationPresets() {}

  /**
   * The family.
   *
   * @param reach pages that one read at a time finds
   * @param missPs what a read takes longer that misses: a walk with one read
   */
  private static TranslationConfig xeonE5(int reach, long missPs, boolean serializesPerLeafTable) {
    int entriesPerReadWalk = IOTLB_ENTRIES - reach + 1;
    return new TranslationConfig(
        XEON_E5_CAPABILITIES,
        new Iotlb(1, IOTLB_ENTRIES, entriesPerReadWalk, ENTRIES_PER_WRITE_WALK),
        new PagingCaches(32, 32, 64),
        64,
        64,
        new Walkers(
            WALKERS, WALKERS_FOR_WRITES_ONLY, missPs - LLC_HIT_PS, 0, serializesPerLeafTable),
        false);
  }
}
