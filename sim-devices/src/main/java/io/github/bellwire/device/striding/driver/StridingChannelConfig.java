package io.github.bellwire.device.striding.driver;

import static io.github.bellwire.kernel.Requirements.requirePowerOfTwo;
import static io.github.bellwire.kernel.Requirements.requireRange;
import static java.util.Objects.requireNonNull;

/**
 * A {@link StridingChannel}. Construction throws {@link IllegalArgumentException} naming the
 * property, the bound it breaks and its value.
 *
 * @param rxEntries receive entries, 2^k in 2..1024
 * @param pagesPerEntry 1..64
 * @param strideBytes frames begin at multiples of this: 2^k in 64..4096
 * @param frameMaxBytes the longest frame, without FCS, 64..16384
 * @param txEntries send entries, 2^k in 16..8192
 * @param budget completions handled in one turn, 1..1024
 * @param moderationNs from a completion to its event, 0..1 s
 * @param policy of pages
 * @param recycledMax pages that wait for reuse at most, 0..65536
 * @param costs of the driver's instructions
 */
public record StridingChannelConfig(
    int rxEntries,
    int pagesPerEntry,
    int strideBytes,
    int frameMaxBytes,
    int txEntries,
    int budget,
    long moderationNs,
    RxPages.Policy policy,
    int recycledMax,
    StridingCosts costs) {
  /** Pages of an entry of mlx5 (MLX5_MPWRQ_PAGES_PER_WQE). */
  public static final int MLX5_PAGES_PER_ENTRY = 64;

  /** Pages that mlx5 recycles per queue (MLX5E_CACHE_SIZE is 256, one place stays empty). */
  public static final int MLX5_RECYCLED_MAX = 255;

  // Checked here and nowhere else.
  public StridingChannelConfig {
    requirePowerOfTwo("rxEntries", rxEntries, 2, 1024);
    requireRange("pagesPerEntry", pagesPerEntry, 1, 64);
    requirePowerOfTwo("strideBytes", strideBytes, 64, 4096);
    requireRange("frameMaxBytes", frameMaxBytes, 64, 16_384);
    requirePowerOfTwo("txEntries", txEntries, 16, 8192);
    requireRange("budget", budget, 1, 1024);
    requireRange("moderationNs", moderationNs, 0, 1_000_000_000);
    requireNonNull(policy, "policy");
    requireRange("recycledMax", recycledMax, 0, 65_536);
    requireNonNull(costs, "costs");
  }
}
