package io.github.bellwire.iommu;

import io.github.bellwire.iommu.interrupt.InterruptConfig;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.iommu.queue.CommandConfig;
import io.github.bellwire.iommu.queue.InvalidationConfig;
import io.github.bellwire.iommu.queue.RegisterConfig;
import io.github.bellwire.iommu.walk.TableKind;
import io.github.bellwire.iommu.walk.TranslationConfig;
import io.github.bellwire.iommu.walk.TranslationConfig.Capabilities;
import io.github.bellwire.iommu.walk.TranslationConfig.Iotlb;
import io.github.bellwire.iommu.walk.TranslationConfig.PagingCaches;
import io.github.bellwire.iommu.walk.TranslationConfig.Walkers;
import io.github.bellwire.iommu.walk.TranslationPresets;
import java.util.List;

/** IOMMUs of real machines. */
public final class IommuPresets {
  private static final int ALL_PAGES =
      TranslationConfig.PAGES_2_MIB | TranslationConfig.PAGES_1_GIB;

  /**
   * What a walk's read that hits the last-level cache takes in a server of the presets of hosts.
   */
  private static final long LLC_HIT_PS = 25_000;

  /** The same if two entries of five come from memory, 50 ns behind the cache. */
  private static final long MIXED_READ_PS = LLC_HIT_PS + 20_000;

  /** E5-2630 (Sandy Bridge), of the pcie-bench study (SIGCOMM 2018). */
  public static final IommuConfig SNB = xeonE5("xeon-e5-snb", TranslationPresets.SNB);

  /** E5-2620 v2 (Ivy Bridge), of the pcie-bench study. */
  public static final IommuConfig IB = xeonE5("xeon-e5-ib", TranslationPresets.IB);

  /** E5-2620 v3 (Haswell), of the pcie-bench study. */
  public static final IommuConfig HSW = xeonE5("xeon-e5-hsw", TranslationPresets.HSW);

  /** E5-2637 v3 (Haswell), of the pcie-bench study. */
  public static final IommuConfig HSW_SM = xeonE5("xeon-e5-hsw-sm", TranslationPresets.HSW_SM);

  /** E5-2630 v4 (Broadwell), of the pcie-bench study. */
  public static final IommuConfig BDW = xeonE5("xeon-e5-bdw", TranslationPresets.BDW);

  /** E3-1226 v3 (Haswell), of the pcie-bench study. */
  public static final IommuConfig E3 = xeonE5("xeon-e3", TranslationPresets.E3);

  /**
   * Xeon 6234 (Cascade Lake) as measured in "Fast &amp; Safe IO Memory Protection" (SOSP 2024): 197
   * ns per read of a walk, here of an entry in the last-level cache, and one walk at a time (their
   * throughput follows from the sum of all reads), in order: a page of 4 KiB takes 65 ns without
   * misses, which is 64 lines of 1.016 ns. They estimate that between 64 and 128 entries for 2 MiB
   * are remembered; 80 are calibrated on what they found with 5 flows. Assumptions: 64
   * translations, 32 entries of each level above; and that invalidations with which tables may have
   * changed abandon walks under way. For that speaks that IOTLB misses beyond those without such
   * invalidations (figure 7c, 1.2 to 1.25 per page with any number of flows) grow with misses of
   * the first level, of which each tells of an invalidation: by 0.06, 0.22, 0.74 and 0.98 as
   * against 0.05, 0.16, 0.43 and 0.63 (figure 2). The unit heeds the leaf hint; Linux 6.0 does not
   * give it.
   */
  public static final IommuConfig CASCADE_LAKE =
      xeonE5(
          "cascade-lake",
          new TranslationConfig(
              new Capabilities(46, TranslationConfig.WIDTH_48, ALL_PAGES, true, true, false, true),
              new Iotlb(1, 64, 1, 1),
              new PagingCaches(32, 32, 80),
              64,
              64,
              new Walkers(1, 0, 0, 197_000 - LLC_HIT_PS, false, 1_016),
              true,
              true));

  private static final Capabilities ICE_LAKE_CAPABILITIES =
      new Capabilities(
          52,
          TranslationConfig.WIDTH_48 | TranslationConfig.WIDTH_57,
          ALL_PAGES,
          true,
          true,
          false,
          true);

  /**
   * Xeon 6346 (Ice Lake) as measured in "Overcoming the IOTLB wall" (PeerJ CS 9:e1385): misses
   * cannot be served faster than about 8 million per second, 125 ns each. Assumptions: two walkers
   * of 250 ns, about what a walk takes in the E5 family, of which a read of the last level takes
   * 45, since some entries come from the last-level cache (25) and some from memory (75); 128
   * translations, as the E5 family's latencies show: with pages of 2 MiB a tenth of the misses was
   * measured, and rings and completions of 32 queues cause twice that here, with 64 yet more; 32
   * remembered entries of the upper levels as in {@link #CASCADE_LAKE} and 64 for 2 MiB.
   */
  public static final IommuConfig ICE_LAKE =
      xeonE5(
          "ice-lake",
          new TranslationConfig(
              ICE_LAKE_CAPABILITIES,
              new Iotlb(1, 128, 1, 1),
              new PagingCaches(32, 32, 64),
              64,
              64,
              new Walkers(2, 0, 250_000 - MIXED_READ_PS, 0, false),
              true));

  /**
   * A unit that can do everything that is modelled: scalable mode and page requests, which Sapphire
   * Rapids brought to servers (Linux enables shared virtual addressing there). Its times are those
   * of {@link #ICE_LAKE}; assumptions.
   */
  public static final IommuConfig SAPPHIRE_RAPIDS =
      new IommuConfig(
          "sapphire-rapids",
          new RegisterConfig(RegisterLayout.BASE_ADDRESS, 0x60, 8, 16, true, true),
          ICE_LAKE
              .translation()
              .withCapabilities(
                  new Capabilities(
                      52,
                      TranslationConfig.WIDTH_48 | TranslationConfig.WIDTH_57,
                      ALL_PAGES,
                      true,
                      true,
                      true,
                      true)),
          InvalidationConfig.XEON,
          InterruptConfig.XEON,
          List.of());

  /**
   * EPYC Milan. AMD publishes no sizes or times; "Overcoming the IOTLB wall" (PeerJ CS 9:e1385)
   * found that an EPYC 74F3 loses nothing at 200 Gb/s. Assumptions: 512 translations of any size,
   * 64 remembered table addresses of each level, 8 walks at once of 100 ns beside their reads,
   * which makes misses cheap enough for that.
   */
  public static final IommuConfig AMD_MILAN =
      xeonE5(
              "amd-milan",
              new TranslationConfig(
                  new Capabilities(
                      48,
                      TranslationConfig.WIDTH_39
                          | TranslationConfig.WIDTH_48
                          | TranslationConfig.WIDTH_57,
                      ALL_PAGES,
                      true,
                      true,
                      false,
                      true),
                  new Iotlb(1, 512, 1, 1),
                  new PagingCaches(64, 64, 64),
                  64,
                  1,
                  new Walkers(8, 0, 100_000, 0, false),
                  true))
          .withKind(TableKind.AMD_VI, CommandConfig.EPYC);

  /**
   * The SMMUv3 of NVIDIA Grace with the sizes of gem5's (src/dev/arm/SMMUv3.py): 2048 translations
   * in 4 ways, 64 remembered configurations, 4, 28 and 348 remembered table addresses, 16 walks at
   * once; its micro-TLB of 32 entries is left out, as a hit takes no time in the other either.
   * Assumption: 75 ns around each read of a table, the way to the caches and back.
   */
  public static final IommuConfig SMMUV3_GRACE =
      xeonE5(
              "smmuv3-grace",
              new TranslationConfig(
                  new Capabilities(
                      48, TranslationConfig.WIDTH_48, ALL_PAGES, true, true, true, true),
                  new Iotlb(512, 4, 1, 1),
                  new PagingCaches(4, 28, 348),
                  64,
                  1,
                  new Walkers(16, 0, 0, 75_000, false),
                  true))
          .withKind(TableKind.SMMU_V3, CommandConfig.GRACE);

  private IommuPresets() {}

  /** {@return all of them, each name once} */
  public static List<IommuConfig> all() {
    return List.of(
        SNB,
        IB,
        HSW,
        HSW_SM,
        BDW,
        E3,
        CASCADE_LAKE,
        ICE_LAKE,
        SAPPHIRE_RAPIDS,
        AMD_MILAN,
        SMMUV3_GRACE);
  }

  private static IommuConfig xeonE5(String name, TranslationConfig translation) {
    return new IommuConfig(
        name,
        RegisterConfig.XEON_E5,
        translation,
        InvalidationConfig.XEON,
        InterruptConfig.XEON,
        List.of());
  }
}
