package io.github.bellwire.cache;

import static io.github.bellwire.kernel.Requirements.require;

/**
 * One shared last-level cache and one private cache per core.
 *
 * @param llcSets sets of the last-level cache, a power of two, 1..2^20
 * @param llcWays 1..32
 * @param llcHitPs from arrival to data, 0..1 us
 * @param coreLines lines of a core's private cache, a power of two, 1..2^20
 * @param coreHitPs what a load that hits the private cache costs the core, 1..1 us
 * @param storePs what a store costs the core, 1..1 us; the store buffer hides the rest
 */
public record SimpleCacheConfig(
    int llcSets, int llcWays, long llcHitPs, int coreLines, long coreHitPs, long storePs)
    implements CacheConfig {
  private static final int LINES_MAX = 1 << 20;
  private static final int WAYS_MAX = 32;
  private static final long LATENCY_MAX_PS = 1_000_000;

  /** Costs a device nothing and a core next to nothing. */
  public static final SimpleCacheConfig IDEAL = new SimpleCacheConfig(32_768, 16, 0, 16_384, 1, 1);

  /**
   * A server: 32 MiB in 16 ways; 25 ns to the last-level cache (Skylake-SP 25 to 27 ns, AnandTech
   * article 11544, page 13); 1 MiB private per core, direct-mapped. Loads that hit are pipelined: a
   * core issues two per cycle, one cycle each at 3 GHz with address arithmetic is an assumption.
   */
  public static final SimpleCacheConfig SERVER =
      new SimpleCacheConfig(32_768, 16, 25_000, 16_384, 333, 333);

  // Checked here and nowhere else.
  public SimpleCacheConfig {
    requirePowerOfTwo(llcSets, "llcSets");
    require(llcWays >= 1 && llcWays <= WAYS_MAX, "llcWays", llcWays, "1.." + WAYS_MAX);
    require(llcHitPs >= 0 && llcHitPs <= LATENCY_MAX_PS, "llcHitPs", llcHitPs, "0..1000000");
    requirePowerOfTwo(coreLines, "coreLines");
    require(coreHitPs >= 1 && coreHitPs <= LATENCY_MAX_PS, "coreHitPs", coreHitPs, "1..1000000");
    require(storePs >= 1 && storePs <= LATENCY_MAX_PS, "storePs", storePs, "1..1000000");
  }

  private static void requirePowerOfTwo(int value, String name) {
    require(
        value >= 1 && value <= LINES_MAX && Integer.bitCount(value) == 1,
        name,
        value,
        "a power of two, 1..2^20");
  }
}
