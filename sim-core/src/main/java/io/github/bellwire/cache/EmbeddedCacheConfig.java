package io.github.bellwire.cache;

import static io.github.bellwire.kernel.Requirements.requirePowerOfTwo;
import static io.github.bellwire.kernel.Requirements.requireRange;
import static java.util.Objects.requireNonNull;

/**
 * The cache of a cluster of embedded cores. The cores see one and the same cache; what they have
 * beyond it is part of the latency.
 *
 * @param sets a power of two, 256..16384
 * @param ways 1..24
 * @param hitPs what a load that hits costs the core, 1 ps..1 us
 * @param storePs what a store costs the core, 1 ps..1 us; the store buffer hides the rest
 * @param devicePs from the root complex to the cache or to DRAM, 0..1 us
 * @param maintenance what cleaning and invalidating costs
 * @param prefetchesNextLine whether a load that misses fetches the following line as well
 * @param snoopsForDevices whether devices read and write through the cache (I/O coherent) or past
 *     it
 */
public record EmbeddedCacheConfig(
    int sets,
    int ways,
    long hitPs,
    long storePs,
    long devicePs,
    MaintenanceConfig maintenance,
    boolean prefetchesNextLine,
    boolean snoopsForDevices)
    implements CacheConfig {
  private static final int SETS_MIN = 256;
  private static final int SETS_MAX = 16_384;
  private static final long LATENCY_MAX_PS = 1_000_000;

  /**
   * Four Cortex-A72 cores at 1.5 GHz with 1 MiB of L2 in 16 ways (BCM2711), devices not coherent.
   * Assumptions: 2 ns per load and 1 ns per store that hit, 30 ns from the root complex, a
   * prefetcher that takes the next line.
   */
  public static final EmbeddedCacheConfig CORTEX_A72_NONCOHERENT =
      new EmbeddedCacheConfig(
          1024, 16, 2_000, 1_000, 30_000, MaintenanceConfig.CORTEX_A, true, false);

  // Checked here and nowhere else.
  public EmbeddedCacheConfig {
    requirePowerOfTwo("sets", sets, SETS_MIN, SETS_MAX);
    requireRange("ways", ways, 1, TagArray.WAYS_MAX);
    requireRange("hitPs", hitPs, 1, LATENCY_MAX_PS);
    requireRange("storePs", storePs, 1, LATENCY_MAX_PS);
    requireRange("devicePs", devicePs, 0, LATENCY_MAX_PS);
    requireNonNull(maintenance, "maintenance");
  }

  @Override
  public boolean isCoherent() {
    return snoopsForDevices;
  }

  /**
   * {@return this configuration, coherent for devices or not}
   *
   * @param newSnoopsForDevices as in the constructor
   */
  public EmbeddedCacheConfig withSnoopsForDevices(boolean newSnoopsForDevices) {
    return new EmbeddedCacheConfig(
        sets, ways, hitPs, storePs, devicePs, maintenance, prefetchesNextLine, newSnoopsForDevices);
  }

  /**
   * {@return this configuration with or without a prefetcher}
   *
   * @param newPrefetchesNextLine as in the constructor
   */
  public EmbeddedCacheConfig withPrefetchesNextLine(boolean newPrefetchesNextLine) {
    return new EmbeddedCacheConfig(
        sets, ways, hitPs, storePs, devicePs, maintenance, newPrefetchesNextLine, snoopsForDevices);
  }
}
