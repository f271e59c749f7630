package io.github.bellwire.cpu;

import static io.github.bellwire.kernel.Requirements.requireRange;
import static java.util.Objects.requireNonNull;

/**
 * What a core's work costs beside the caches.
 *
 * @param frequencyHz clock, 100 MHz..10 GHz
 * @param mmioWritePs what an uncached posted store costs the core before it goes on, 1 ps..10 us
 * @param interruptPs from a message's arrival at the interrupt controller to the first instruction
 *     of the handler, 0..100 us
 * @param linesOutstanding cache lines that a stream of loads may wait for at once, those that the
 *     hardware prefetches included, 1..64
 * @param lookAheadCycles how far an out-of-order core runs ahead of a load that nothing depends on,
 *     0..10,000; 0 is a core that executes in order
 * @param deviceAccess what streams of accesses to device memory cost
 */
public record CoreConfig(
    long frequencyHz,
    long mmioWritePs,
    long interruptPs,
    int linesOutstanding,
    int lookAheadCycles,
    DeviceAccessConfig deviceAccess) {
  private static final long FREQUENCY_MIN_HZ = 100_000_000;
  private static final long FREQUENCY_MAX_HZ = 10_000_000_000L;
  private static final long MMIO_WRITE_MAX_PS = 10_000_000;
  private static final long INTERRUPT_MAX_PS = 100_000_000;
  private static final int LINES_MAX = 64;
  private static final int LOOK_AHEAD_MAX = 10_000;

  /** Costs next to nothing. */
  public static final CoreConfig IDEAL =
      new CoreConfig(FREQUENCY_MAX_HZ, 1, 0, LINES_MAX, LOOK_AHEAD_MAX, DeviceAccessConfig.IDEAL);

  /**
   * A server core at 3 GHz. Assumptions: 40 ns per doorbell (half of the per-batch cost of 96 ns,
   * two doorbells and the loop, that the published ixy batch curve gives), 1 us from message to
   * handler. 12 lines: the line fill buffers of a Skylake server core (Intel Optimization Reference
   * Manual), which makes 10 GB/s of a stream that takes 76 ns per line. The core looks ahead by the
   * 168 instructions that Sandy Bridge and Ivy Bridge hold in flight (same) at two per cycle, an
   * assumption: later cores hold more.
   */
  public static final CoreConfig SERVER =
      new CoreConfig(3_000_000_000L, 40_000, 1_000_000, 12, 84, DeviceAccessConfig.SERVER);

  // Checked here and nowhere else.
  public CoreConfig {
    requireRange("frequencyHz", frequencyHz, FREQUENCY_MIN_HZ, FREQUENCY_MAX_HZ);
    requireRange("mmioWritePs", mmioWritePs, 1, MMIO_WRITE_MAX_PS);
    requireRange("interruptPs", interruptPs, 0, INTERRUPT_MAX_PS);
    requireRange("linesOutstanding", linesOutstanding, 1, LINES_MAX);
    requireRange("lookAheadCycles", lookAheadCycles, 0, LOOK_AHEAD_MAX);
    requireNonNull(deviceAccess, "deviceAccess");
  }

  /**
   * {@return this configuration with another clock}
   *
   * @param newFrequencyHz as in the constructor
   */
  public CoreConfig withFrequencyHz(long newFrequencyHz) {
    return new CoreConfig(
        newFrequencyHz, mmioWritePs, interruptPs, linesOutstanding, lookAheadCycles, deviceAccess);
  }

  /**
   * {@return this core with another number of cache lines in flight}
   *
   * @param newLinesOutstanding as in the constructor
   */
  public CoreConfig withLinesOutstanding(int newLinesOutstanding) {
    return new CoreConfig(
        frequencyHz, mmioWritePs, interruptPs, newLinesOutstanding, lookAheadCycles, deviceAccess);
  }

  /**
   * {@return this configuration with other costs of device memory}
   *
   * @param newDeviceAccess as in the constructor
   */
  public CoreConfig withDeviceAccess(DeviceAccessConfig newDeviceAccess) {
    return new CoreConfig(
        frequencyHz, mmioWritePs, interruptPs, linesOutstanding, lookAheadCycles, newDeviceAccess);
  }
}
