package io.github.bellwire.device.aperture;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * The fixed properties of a device with an aperture.
 *
 * @param apertureBytes its memory, all of it visible: a power of two, 64 KiB..64 GiB
 * @param readLatencyPs from a read request's arrival to the completion, 0..100 us
 * @param engineStartPs from a descriptor's arrival to the first request for data, 0..100 us
 * @param engineMemoryPs what the copy engine waits for the device's memory, 0..100 us
 */
public record ApertureConfig(
    long apertureBytes, long readLatencyPs, long engineStartPs, long engineMemoryPs) {
  private static final long APERTURE_MIN_BYTES = 1L << 16;
  private static final long APERTURE_MAX_BYTES = 1L << 36;
  private static final long LATENCY_MAX_PS = 100_000_000;

  /**
   * A Tesla V100 with 16 GiB. A load takes about 0.9 us to a Gen 3 GPU (gdrcopy README); what the
   * fabric does not need of that is the device's. Assumption: 500 ns for the engine to start and to
   * reach its memory, each.
   */
  public static final ApertureConfig V100 = new ApertureConfig(1L << 34, 520_000, 500_000, 500_000);

  // Checked here and nowhere else.
  public ApertureConfig {
    if (apertureBytes < APERTURE_MIN_BYTES
        || apertureBytes > APERTURE_MAX_BYTES
        || Long.bitCount(apertureBytes) != 1) {
      throw new IllegalArgumentException(
          "apertureBytes must be a power of two, 64 KiB..64 GiB: apertureBytes=" + apertureBytes);
    }
    requireRange("readLatencyPs", readLatencyPs, 0, LATENCY_MAX_PS);
    requireRange("engineStartPs", engineStartPs, 0, LATENCY_MAX_PS);
    requireRange("engineMemoryPs", engineMemoryPs, 0, LATENCY_MAX_PS);
  }

  /**
   * {@return this device with another amount of memory}
   *
   * @param newApertureBytes as in the constructor
   */
  public ApertureConfig withApertureBytes(long newApertureBytes) {
    return new ApertureConfig(newApertureBytes, readLatencyPs, engineStartPs, engineMemoryPs);
  }

  /**
   * {@return this device with another latency of reads}
   *
   * @param newReadLatencyPs as in the constructor
   */
  public ApertureConfig withReadLatencyPs(long newReadLatencyPs) {
    return new ApertureConfig(apertureBytes, newReadLatencyPs, engineStartPs, engineMemoryPs);
  }
}
