package io.github.bellwire.cache;

import static java.util.Objects.requireNonNull;

/**
 * Coherent caches of a server: private caches of each core, a sliced last-level cache of each
 * socket, and the way between sockets.
 *
 * @param core the private caches
 * @param llc the last-level cache of each socket
 * @param numa the sockets
 * @param maintenance what cleaning and invalidating lines costs a core
 */
public record CoherentCacheConfig(
    CoreCacheConfig core, LlcConfig llc, NumaConfig numa, MaintenanceConfig maintenance)
    implements CacheConfig {

  /**
   * A Xeon Gold 6140 (Skylake-SP, 18 cores at 2.3 GHz): L1D 32 KiB in 8 ways, L2 1 MiB in 16 ways,
   * 18 slices of 2048 sets in 11 ways = 24.75 MiB, not inclusive, devices in the highest 2 ways
   * (mask 0x600, the default of MSR 0xC8B); snoop filter of 12 ways per slice (Yan et al., "Attack
   * Directories, Not Caches", S&P 2019). L2 14 cycles = 6.1 ns; L3 25 to 27 ns from the core
   * (AnandTech article 11544, page 13), so 20 ns beyond the L2. Assumptions: loads that hit the
   * first level are pipelined, one per cycle; a store occupies the core for one cycle; 10 ns to
   * snoop a core. Remote DRAM 139 ns against 81 ns local: 58 ns round trip between sockets.
   */
  public static final CoherentCacheConfig XEON_GOLD_6140 =
      new CoherentCacheConfig(
          new CoreCacheConfig(64, 8, 435, 1024, 16, 6_087, 435, 10_000),
          new LlcConfig(18, 2048, 11, 0x600, false, 12, 20_000),
          NumaConfig.ONE_SOCKET,
          MaintenanceConfig.X86);

  /**
   * A Xeon E5-2630 v4 (Broadwell-EP, 10 cores at 2.2 GHz): L1D 32 KiB in 8 ways, L2 256 KiB in 8
   * ways, 10 slices of 2048 sets in 20 ways = 25 MiB, inclusive, devices in the highest 2 ways. L2
   * 12 cycles = 5.5 ns. Assumptions: L3 20 ns beyond the L2, loads and stores as above, 10 ns to
   * snoop a core.
   */
  public static final CoherentCacheConfig XEON_E5_2630_V4 =
      new CoherentCacheConfig(
          new CoreCacheConfig(64, 8, 455, 512, 8, 5_455, 455, 10_000),
          new LlcConfig(10, 2048, 20, 0xC0000, true, 1, 20_000),
          NumaConfig.ONE_SOCKET,
          MaintenanceConfig.X86);

  // Checked here and nowhere else.
  public CoherentCacheConfig {
    requireNonNull(core, "core");
    requireNonNull(llc, "llc");
    requireNonNull(numa, "numa");
    requireNonNull(maintenance, "maintenance");
  }

  @Override
  public int sockets() {
    return numa.sockets();
  }

  /**
   * {@return this configuration with another last-level cache}
   *
   * @param newLlc as in the constructor
   */
  public CoherentCacheConfig withLlc(LlcConfig newLlc) {
    return new CoherentCacheConfig(core, newLlc, numa, maintenance);
  }

  /**
   * {@return this configuration with other sockets}
   *
   * @param newNuma as in the constructor
   */
  public CoherentCacheConfig withNuma(NumaConfig newNuma) {
    return new CoherentCacheConfig(core, llc, newNuma, maintenance);
  }
}
