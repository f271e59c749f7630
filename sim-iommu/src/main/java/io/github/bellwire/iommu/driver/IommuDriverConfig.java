package io.github.bellwire.iommu.driver;

import static io.github.bellwire.kernel.Requirements.requireRange;
import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * How an operating system drives an IOMMU. Construction throws {@link IllegalArgumentException}
 * naming the property, the bound it breaks and its value.
 *
 * @param name of the preset
 * @param costs what its code takes
 * @param levels of tables that domains have: 3 for 39 bits, 4 for 48, 5 for 57
 * @param largestPageLevel largest page that is used where addresses allow: 1 for 4 KiB, 2 for 2
 *     MiB, 3 for 1 GiB
 * @param keepsInvalidationHint whether the hardware is told that only leaf entries have changed, so
 *     that it may keep its paging-structure caches
 * @param commandsPerBatch commands that are put into the queue before software waits, 1..64
 * @param magazineEntries IOVAs of one size in a magazine, 1..1024
 * @param isDepotTrimmed whether the depot takes any number of magazines and gives one up each
 *     {@code depotTrimPs} while it has more than there are cores
 * @param depotMagazinesMax magazines that a depot holds which is not trimmed, 0..1024
 * @param depotTrimPs see above
 * @param flushQueueEntries entries of the ring of each core, of which one stays empty: 2^k,
 *     2..65536
 * @param flushTimeoutPs how long the first entry of empty rings waits for its flush at most
 * @param triesBelow4GiB whether IOVAs of PCI devices lie below 4 GiB as long as there is room
 *     ({@code iommu.forcedac=0})
 * @param staysAbove4GiB whether a device for which there was no room there is never tried there
 *     again
 */
public record IommuDriverConfig(
    String name,
    DmaCostConfig costs,
    int levels,
    int largestPageLevel,
    boolean keepsInvalidationHint,
    int commandsPerBatch,
    int magazineEntries,
    boolean isDepotTrimmed,
    int depotMagazinesMax,
    long depotTrimPs,
    int flushQueueEntries,
    long flushTimeoutPs,
    boolean triesBelow4GiB,
    boolean staysAbove4GiB) {
  private static final long PS_PER_MS = 1_000_000_000L;
  private static final long TIME_MAX_PS = 10_000 * PS_PER_MS;

  /**
   * Linux 6.12 on Intel VT-d: magazines of 127 and a depot that is trimmed each 100 ms
   * (drivers/iommu/iova.c), rings of 256 entries and 10 ms (dma-iommu.c), up to 16 descriptors in a
   * batch (intel/iommu.h, QI_MAX_BATCHED_DESC_COUNT), invalidation hint if no table page was freed.
   */
  public static final IommuDriverConfig LINUX_6_12 =
      new IommuDriverConfig(
          "linux-6.12",
          DmaCostConfig.VTD,
          4,
          3,
          true,
          16,
          127,
          true,
          0,
          100 * PS_PER_MS,
          256,
          10 * PS_PER_MS,
          true,
          true);

  /**
   * Linux 6.0 on Intel VT-d: magazines of 128, 32 of them in a depot, each IOTLB command waited for
   * by itself; the invalidation hint is lost on its way to the descriptor (intel/dmar.c, as "Fast
   * and Safe IO Memory Protection", SOSP'24, found), so that each command empties paging-structure
   * caches.
   */
  public static final IommuDriverConfig LINUX_6_0 =
      new IommuDriverConfig(
          "linux-6.0",
          DmaCostConfig.VTD,
          4,
          3,
          false,
          1,
          128,
          false,
          32,
          100 * PS_PER_MS,
          256,
          10 * PS_PER_MS,
          true,
          false);

  /**
   * Linux 6.12 on an Arm server with an SMMUv3, which takes batches of 64 commands
   * (CMDQ_BATCH_ENTRIES of arm-smmu-v3.h) and keeps walk caches when a leaf entry is invalidated.
   */
  public static final IommuDriverConfig ARM64_SMMU =
      new IommuDriverConfig(
          "arm64-smmu",
          DmaCostConfig.SMMU,
          4,
          3,
          true,
          64,
          127,
          true,
          0,
          100 * PS_PER_MS,
          256,
          10 * PS_PER_MS,
          true,
          true);

  /**
   * Linux 6.12 on AMD-Vi: tables of three levels to begin with (DEFAULT_PGTABLE_LEVEL), all else as
   * on Intel but that each invalidation drops directory entries too (amd/iommu.c,
   * build_inv_iommu_pages). What its code takes is taken to be what Intel's does; an assumption.
   */
  public static final IommuDriverConfig AMD_VI =
      new IommuDriverConfig(
          "linux-6.12-amd",
          DmaCostConfig.VTD,
          3,
          3,
          false,
          16,
          127,
          true,
          0,
          100 * PS_PER_MS,
          256,
          10 * PS_PER_MS,
          true,
          true);

  /** All presets. */
  public static final List<IommuDriverConfig> PRESETS =
      List.of(LINUX_6_12, LINUX_6_0, ARM64_SMMU, AMD_VI);

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public IommuDriverConfig {
    requireNonNull(name, "name");
    requireNonNull(costs, "costs");
    requireRange("levels", levels, 3, 5);
    requireRange("largestPageLevel", largestPageLevel, 1, 3);
    requireRange("commandsPerBatch", commandsPerBatch, 1, 64);
    requireRange("magazineEntries", magazineEntries, 1, 1024);
    requireRange("depotMagazinesMax", depotMagazinesMax, 0, 1024);
    requireRange("depotTrimPs", depotTrimPs, 1, TIME_MAX_PS);
    requireRange("flushQueueEntries", flushQueueEntries, 2, 65_536);
    if (Integer.bitCount(flushQueueEntries) != 1) {
      throw new IllegalArgumentException(
          "flushQueueEntries must be 2^k: flushQueueEntries=" + flushQueueEntries);
    }
    requireRange("flushTimeoutPs", flushTimeoutPs, 1, TIME_MAX_PS);
  }

  /** {@return highest bus address of a domain} */
  public long highestIova() {
    return (1L << 12 + 9 * levels) - 1;
  }

  /**
   * {@return this configuration with other costs}
   *
   * @param newCosts as in the constructor
   */
  public IommuDriverConfig withCosts(DmaCostConfig newCosts) {
    return with(newCosts, levels, largestPageLevel, keepsInvalidationHint, triesBelow4GiB);
  }

  /**
   * {@return this configuration with another number of levels}
   *
   * @param newLevels as in the constructor
   */
  public IommuDriverConfig withLevels(int newLevels) {
    return with(costs, newLevels, largestPageLevel, keepsInvalidationHint, triesBelow4GiB);
  }

  /**
   * {@return this configuration with another largest page}
   *
   * @param newLevel as in the constructor
   */
  public IommuDriverConfig withLargestPageLevel(int newLevel) {
    return with(costs, levels, newLevel, keepsInvalidationHint, triesBelow4GiB);
  }

  /**
   * {@return this configuration with or without the hint}
   *
   * @param newKeepsInvalidationHint as in the constructor
   */
  public IommuDriverConfig withKeepsInvalidationHint(boolean newKeepsInvalidationHint) {
    return with(costs, levels, largestPageLevel, newKeepsInvalidationHint, triesBelow4GiB);
  }

  /**
   * {@return this configuration with or without the preference for low addresses}
   *
   * @param newTriesBelow4GiB as in the constructor
   */
  public IommuDriverConfig withTriesBelow4GiB(boolean newTriesBelow4GiB) {
    return with(costs, levels, largestPageLevel, keepsInvalidationHint, newTriesBelow4GiB);
  }

  private IommuDriverConfig with(
      DmaCostConfig newCosts,
      int newLevels,
      int newLargestPageLevel,
      boolean newKeepsInvalidationHint,
      boolean newTriesBelow4GiB) {
    return new IommuDriverConfig(
        name,
        newCosts,
        newLevels,
        newLargestPageLevel,
        newKeepsInvalidationHint,
        commandsPerBatch,
        magazineEntries,
        isDepotTrimmed,
        depotMagazinesMax,
        depotTrimPs,
        flushQueueEntries,
        flushTimeoutPs,
        newTriesBelow4GiB,
        staysAbove4GiB);
  }
}
