package io.github.bellwire.cache;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * What cleaning and invalidating lines costs a core. There is no instruction for a range: every
 * line has its own, and a barrier follows the last.
 *
 * @param linePs one line, 0..1 us
 * @param barrierPs to wait until all is done, beyond the last write to DRAM, 0..10 us
 */
public record MaintenanceConfig(long linePs, long barrierPs) {
  private static final long LINE_MAX_PS = 1_000_000;
  private static final long BARRIER_MAX_PS = 10_000_000;

  /**
   * CLFLUSHOPT and MFENCE of an x86 server: 2.5 ns per line, 314 ns for one line with its fence
   * (measured on a Zen 4 virtual machine).
   */
  public static final MaintenanceConfig X86 = new MaintenanceConfig(2_500, 300_000);

  /**
   * A Cortex-A core with an L2 cache: 10 ns per line and 100 ns for the barrier make 0.74 us per 4
   * KiB; 0.3 to 1 us are usual (assumption).
   */
  public static final MaintenanceConfig CORTEX_A = new MaintenanceConfig(10_000, 100_000);

  // Checked here and nowhere else.
  public MaintenanceConfig {
    requireRange("linePs", linePs, 0, LINE_MAX_PS);
    requireRange("barrierPs", barrierPs, 0, BARRIER_MAX_PS);
  }
}
