package io.github.bellwire.cache;

import static io.github.bellwire.kernel.Requirements.requirePowerOfTwo;
import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * The private caches of one core. The second level holds whatever the first does (assumption).
 *
 * @param l1Sets a power of two, 1..1024
 * @param l1Ways 1..24
 * @param l1HitPs what a load that hits the first level costs the core, 1 ps..1 us
 * @param l2Sets a power of two, 256..16384
 * @param l2Ways 1..24
 * @param l2HitPs from the load to data from the second level, also how long it takes to find
 *     nothing there, 1 ps..1 us
 * @param storePs what a store costs the core, 1 ps..1 us; the store buffer hides the rest
 * @param snoopPs from the last-level cache to a core's cache and back with its data, 0..1 us
 */
public record CoreCacheConfig(
    int l1Sets,
    int l1Ways,
    long l1HitPs,
    int l2Sets,
    int l2Ways,
    long l2HitPs,
    long storePs,
    long snoopPs) {
  private static final int L1_SETS_MAX = 1024;
  private static final int L2_SETS_MIN = 256;
  private static final int L2_SETS_MAX = 16_384;
  private static final long LATENCY_MAX_PS = 1_000_000;

  // Checked here and nowhere else.
  public CoreCacheConfig {
    requirePowerOfTwo("l1Sets", l1Sets, 1, L1_SETS_MAX);
    requireRange("l1Ways", l1Ways, 1, TagArray.WAYS_MAX);
    requireRange("l1HitPs", l1HitPs, 1, LATENCY_MAX_PS);
    requirePowerOfTwo("l2Sets", l2Sets, L2_SETS_MIN, L2_SETS_MAX);
    requireRange("l2Ways", l2Ways, 1, TagArray.WAYS_MAX);
    requireRange("l2HitPs", l2HitPs, 1, LATENCY_MAX_PS);
    requireRange("storePs", storePs, 1, LATENCY_MAX_PS);
    requireRange("snoopPs", snoopPs, 0, LATENCY_MAX_PS);
  }
}
