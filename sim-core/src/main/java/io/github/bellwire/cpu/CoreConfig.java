package io.github.bellwire.cpu;

/**
 * What a core's work costs beside the caches.
 *
 * @param frequencyHz clock, 100 MHz..10 GHz
 * @param mmioWritePs what an uncached posted store costs the core before it goes on, 1 ps..10 us
 * @param interruptPs from a message's arrival at the interrupt controller to the first instruction
 *     of the handler, 0..100 us
 */
public record CoreConfig(long frequencyHz, long mmioWritePs, long interruptPs) {
  private static final long FREQUENCY_MIN_HZ = 100_000_000;
  private static final long FREQUENCY_MAX_HZ = 10_000_000_000L;
  private static final long MMIO_WRITE_MAX_PS = 10_000_000;
  private static final long INTERRUPT_MAX_PS = 100_000_000;

  /** Costs next to nothing. */
  public static final CoreConfig IDEAL = new CoreConfig(FREQUENCY_MAX_HZ, 1, 0);

  /**
   * A server core at 3 GHz. Assumptions: 40 ns per doorbell (half of the per-batch cost of 96 ns,
   * two doorbells and the loop, that the published ixy batch curve gives), 1 us from message to
   * handler.
   */
  public static final CoreConfig SERVER = new CoreConfig(3_000_000_000L, 40_000, 1_000_000);

  // Checked here and nowhere else.
  public CoreConfig {
    require(frequencyHz, "frequencyHz", FREQUENCY_MIN_HZ, FREQUENCY_MAX_HZ);
    require(mmioWritePs, "mmioWritePs", 1, MMIO_WRITE_MAX_PS);
    require(interruptPs, "interruptPs", 0, INTERRUPT_MAX_PS);
  }

  /**
   * {@return this configuration with another clock}
   *
   * @param newFrequencyHz as in the constructor
   */
  public CoreConfig withFrequencyHz(long newFrequencyHz) {
    return new CoreConfig(newFrequencyHz, mmioWritePs, interruptPs);
  }

  private static void require(long value, String name, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          name + " must be " + min + ".." + max + ": " + name + "=" + value);
    }
  }
}
