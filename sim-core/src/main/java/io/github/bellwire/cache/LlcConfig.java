package io.github.bellwire.cache;

import static io.github.bellwire.kernel.Requirements.requirePowerOfTwo;
import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * A last-level cache: one per socket, made of slices.
 *
 * @param slices 1..64; need not be a power of two
 * @param setsPerSlice a power of two, 256..16384
 * @param ways 1..24
 * @param ioWays the ways that device writes may allocate in, bit by bit, at least one of those that
 *     exist (IIO LLC WAYS, MSR 0xC8B of Xeon servers)
 * @param isInclusive whether every line of a core's cache is here too; if not, the cache takes what
 *     the cores evict, and a line that a core fetches moves out
 * @param snoopFilterWays ways of the filter that knows the cores' lines if the cache is not
 *     inclusive, 1..24
 * @param hitPs from arrival at the cache to data, also how long it takes to find nothing, 0..1 us
 */
public record LlcConfig(
    int slices,
    int setsPerSlice,
    int ways,
    int ioWays,
    boolean isInclusive,
    int snoopFilterWays,
    long hitPs) {
  private static final int SLICES_MAX = 64;
  private static final int SETS_MIN = 256;
  private static final int SETS_MAX = 16_384;
  private static final long HIT_MAX_PS = 1_000_000;

  // Checked here and nowhere else.
  public LlcConfig {
    requireRange("slices", slices, 1, SLICES_MAX);
    requirePowerOfTwo("setsPerSlice", setsPerSlice, SETS_MIN, SETS_MAX);
    requireRange("ways", ways, 1, TagArray.WAYS_MAX);
    int allWays = (1 << ways) - 1;
    if (ioWays == 0 || (ioWays & ~allWays) != 0) {
      throw new IllegalArgumentException(
          String.format("ioWays must be a mask within 0x%x: ioWays=0x%x", allWays, ioWays));
    }
    requireRange("snoopFilterWays", snoopFilterWays, 1, TagArray.WAYS_MAX);
    requireRange("hitPs", hitPs, 0, HIT_MAX_PS);
  }

  /**
   * {@return a mask of so many ways, from the highest down, as firmware sets it}
   *
   * @param ioWaysCount 1 to the number of ways
   */
  public int highestWays(int ioWaysCount) {
    requireRange("ioWaysCount", ioWaysCount, 1, ways);
    return (1 << ioWaysCount) - 1 << ways - ioWaysCount;
  }

  /**
   * {@return this configuration with other ways for devices}
   *
   * @param newIoWays as in the constructor
   */
  public LlcConfig withIoWays(int newIoWays) {
    return new LlcConfig(
        slices, setsPerSlice, ways, newIoWays, isInclusive, snoopFilterWays, hitPs);
  }
}
