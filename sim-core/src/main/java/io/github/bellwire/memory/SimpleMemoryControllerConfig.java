package io.github.bellwire.memory;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * DRAM as a latency and a data rate.
 *
 * @param readLatencyPs from arrival to the first line of data, 0..1 ms
 * @param writeLatencyPs from arrival to global visibility, 0..1 ms
 * @param psPerLine how long one 64-byte line occupies the channels, 0..1 us; 0 means no limit
 */
public record SimpleMemoryControllerConfig(long readLatencyPs, long writeLatencyPs, long psPerLine)
    implements MemoryConfig {

  /** No time at all, for a host that must not limit what is measured. */
  public static final SimpleMemoryControllerConfig IDEAL =
      new SimpleMemoryControllerConfig(0, 0, 0);

  /**
   * Eight channels of DDR4-3200 at 25.6 GB/s each: 64 B / 204.8 GB/s = 312.5 ps, rounded up. An
   * idle access finds its bank closed as a rule: tRCD + tCL + tBURST = 13.75 + 13.75 + 2.5 = 30 ns
   * (JEDEC DDR4-3200AA); 20 ns of controller front and back end (gem5 MemCtrl default).
   */
  public static final SimpleMemoryControllerConfig DDR4_3200_8CH =
      new SimpleMemoryControllerConfig(50_000, 20_000, 313);

  // Checked here and nowhere else.
  public SimpleMemoryControllerConfig {
    requireRange("readLatencyPs", readLatencyPs, 0, 1_000_000_000);
    requireRange("writeLatencyPs", writeLatencyPs, 0, 1_000_000_000);
    requireRange("psPerLine", psPerLine, 0, 1_000_000);
  }

  @Override
  public SimpleMemoryController newController() {
    return new SimpleMemoryController(this);
  }
}
