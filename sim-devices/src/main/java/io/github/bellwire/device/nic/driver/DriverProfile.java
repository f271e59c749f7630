package io.github.bellwire.device.nic.driver;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * What the driver's instructions cost a core, in clock cycles, beside loads, stores and register
 * accesses: those are charged by the {@link io.github.bellwire.cpu.CpuPort} where they happen, so
 * nothing here stands for them a second time.
 *
 * @param perPacketRx work per received frame, 0..1,000,000
 * @param perPacketTx work per frame handed to the transmit ring, 0..1,000,000
 * @param perBatch work per turn of a receive loop, whether it finds frames or not, 0..1,000,000
 * @param perInterrupt entry to and exit from an interrupt handler, 0..1,000,000
 * @param perPacketStack work per received frame behind the driver, 0..1,000,000
 * @param perMapping work per map or unmap call, on top of what the mapper does, 0..1,000,000
 */
public record DriverProfile(
    int perPacketRx,
    int perPacketTx,
    int perBatch,
    int perInterrupt,
    int perPacketStack,
    int perMapping) {
  private static final int CYCLES_MAX = 1_000_000;

  /** Instructions cost nothing; only memory and register accesses take time. */
  public static final DriverProfile IDEAL = new DriverProfile(0, 0, 0, 0, 0, 0);

  /**
   * A userspace driver in C. The published curve of ixy at 3.3 GHz, throughput over batch size,
   * fits a = 23.6 ns per forwarded packet and c = 96.4 ns per batch (ixy-languages, figure data
   * batches-3.3, batches 1 and 4), which is 77.9 and 318 cycles.
   *
   * <p>Of c, two doorbells of 40 ns are charged by the port, which leaves 16.4 ns = 54 cycles. Of
   * a, the port charges one descriptor line from the last-level cache per four frames, one status
   * line per 32 sent, and four stores, about 8.6 ns on the server preset; the other 15 ns = 50
   * cycles are split evenly between receiving and sending, an assumption. Loading the frame itself
   * hides behind the work on others.
   */
  public static final DriverProfile USERSPACE_C = new DriverProfile(25, 25, 54, 0, 0, 0);

  /**
   * A kernel driver and network stack. Assumptions: 2000 cycles for an interrupt and its softirq
   * (0.7 us at 3 GHz), 1200 per packet through the stack, which with the driver's own 300 makes 2
   * million packets per second and core at 3 GHz; 20 per call of the DMA API without IOMMU.
   */
  public static final DriverProfile KERNEL = new DriverProfile(150, 150, 200, 2000, 1200, 20);

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public DriverProfile {
    requireRange("perPacketRx", perPacketRx, 0, CYCLES_MAX);
    requireRange("perPacketTx", perPacketTx, 0, CYCLES_MAX);
    requireRange("perBatch", perBatch, 0, CYCLES_MAX);
    requireRange("perInterrupt", perInterrupt, 0, CYCLES_MAX);
    requireRange("perPacketStack", perPacketStack, 0, CYCLES_MAX);
    requireRange("perMapping", perMapping, 0, CYCLES_MAX);
  }
}
