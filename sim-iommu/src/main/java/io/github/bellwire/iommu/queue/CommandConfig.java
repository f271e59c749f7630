package io.github.bellwire.iommu.queue;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * What a command queue takes whose commands overlap: they leave one after the other for the caches
 * that are spread over the unit, and a completion command waits until all before it have come back.
 *
 * @param commandPs to decode a command and send it off, 0..1 ms
 * @param configurationPs from there until a device's configuration is forgotten and that is
 *     acknowledged, 0..1 ms
 * @param translationPs the same for translations, 0..1 ms
 * @param syncPs of a completion command, when all before it have come back, until what is in flight
 *     has been made sure of, 0..1 ms
 * @param deviceTlbTimeoutPs after which a device that has not answered is given up, 1 us..90 s
 */
public record CommandConfig(
    long commandPs,
    long configurationPs,
    long translationPs,
    long syncPs,
    long deviceTlbTimeoutPs) {
  private static final long TIME_MAX_PS = 1_000_000_000;
  private static final long TIMEOUT_MIN_PS = 1_000_000;
  private static final long TIMEOUT_MAX_PS = 90_000_000_000_000L;
  private static final long TIMEOUT_PS = 10_000_000_000L;

  /**
   * AMD servers: nothing is published, so that all is an assumption: that an invalidation and the
   * wait behind it take as long as on Intel's (350 ns and 50 ns of {@link
   * InvalidationConfig#XEON}), and 10 ns a command, a dozen clock cycles.
   */
  public static final CommandConfig EPYC =
      new CommandConfig(10_000, 340_000, 340_000, 50_000, TIMEOUT_PS);

  /**
   * An SMMUv3 of NVIDIA Grace: NVIDIA's pull requests 182 and 184 to NV-Kernels show 2.8 million
   * strict reads of 4 KiB per second from eight drives, 357 ns each, all of them behind one
   * another. How they divide is an assumption: 10 ns to decode a command, a dozen clock cycles; 160
   * ns for the way from the unit to the TLBs at its ports and back, once for the invalidation and
   * once for the synchronization behind it. What remains, some 27 ns, is the fetch of the line with
   * both commands through the caches of the host.
   */
  public static final CommandConfig GRACE =
      new CommandConfig(10_000, 160_000, 160_000, 160_000, TIMEOUT_PS);

  // Checked here and nowhere else.
  public CommandConfig {
    requireRange("commandPs", commandPs, 0, TIME_MAX_PS);
    requireRange("configurationPs", configurationPs, 0, TIME_MAX_PS);
    requireRange("translationPs", translationPs, 0, TIME_MAX_PS);
    requireRange("syncPs", syncPs, 0, TIME_MAX_PS);
    requireRange("deviceTlbTimeoutPs", deviceTlbTimeoutPs, TIMEOUT_MIN_PS, TIMEOUT_MAX_PS);
  }
}
