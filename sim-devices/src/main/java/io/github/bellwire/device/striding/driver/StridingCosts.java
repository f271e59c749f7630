package io.github.bellwire.device.striding.driver;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * What the driver's instructions cost a core in clock cycles, beside loads, stores, register
 * accesses and the DMA API, which are charged where they happen. Each 0..1,000,000.
 *
 * @param perEvent interrupt and softirq, entry to exit
 * @param perCompletion of a completion
 * @param perPage to take a page for an entry and put it back
 * @param perTransmit of a frame that is sent
 */
public record StridingCosts(int perEvent, int perCompletion, int perPage, int perTransmit) {
  private static final int CYCLES_MAX = 1_000_000;

  /**
   * A kernel driver. Assumptions: 2000 cycles per interrupt with its softirq and 150 per frame as
   * of other drivers here; 60 for a page from a per-core list, its reference counts included.
   */
  public static final StridingCosts KERNEL = new StridingCosts(2000, 150, 60, 150);

  // Checked here and nowhere else.
  public StridingCosts {
    requireRange("perEvent", perEvent, 0, CYCLES_MAX);
    requireRange("perCompletion", perCompletion, 0, CYCLES_MAX);
    requireRange("perPage", perPage, 0, CYCLES_MAX);
    requireRange("perTransmit", perTransmit, 0, CYCLES_MAX);
  }
}
