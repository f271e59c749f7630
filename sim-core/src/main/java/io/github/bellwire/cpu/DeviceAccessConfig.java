package io.github.bellwire.cpu;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * What streams of accesses to device memory cost a core, beside the fabric.
 *
 * @param storeGapPs least time between two uncached stores that leave the core, 1 ps..10 us
 * @param vectorBytes widest load or store of one instruction: 8, 16, 32 or 64
 * @param vectorStorePs what such a store into a write-combining buffer costs, the load of what is
 *     stored from the first-level cache included, 0..1 us
 * @param buffersCount write-combining buffers of a line each, 1..64
 * @param handoverPs from the eviction of a buffer to the acknowledgement that frees it, the time on
 *     the link apart, 0..10 us
 * @param fencePs what a fence costs on top of waiting for the buffers, 0..10 us
 * @param streamingLoadsCount loads from write-combining memory that may be under way at once, 1..64
 */
public record DeviceAccessConfig(
    long storeGapPs,
    int vectorBytes,
    long vectorStorePs,
    int buffersCount,
    long handoverPs,
    long fencePs,
    int streamingLoadsCount) {
  private static final long GAP_MAX_PS = 10_000_000;
  private static final long VECTOR_STORE_MAX_PS = 1_000_000;
  private static final int BUFFERS_MAX = 64;

  /** Costs next to nothing. */
  public static final DeviceAccessConfig IDEAL = new DeviceAccessConfig(1, 64, 1, 64, 0, 0, 64);

  /**
   * A server core of 2020. Uncached stores leave as fast as one costs the core, see {@link
   * CoreConfig#SERVER}. 12 line fill buffers (Intel Optimization Reference Manual, Skylake server)
   * double as write-combining buffers; the rest is that of {@link #BROADWELL}, an assumption.
   */
  public static final DeviceAccessConfig SERVER =
      new DeviceAccessConfig(40_000, 32, 500, 12, 56_000, 28_000, 12);

  /**
   * A Broadwell server core, as in the host of the published gdrcopy measurements.
   *
   * <ul>
   *   <li>100 ns between uncached stores: 50 to 300 ns are measured (Intel community, thread
   *       1186313).
   *   <li>16 bytes per instruction, as the SSE copy loops of gdrcopy use; 0.5 ns for each is an
   *       assumption, one per cycle at about 2 GHz.
   *   <li>10 line fill buffers (Intel Optimization Reference Manual, Haswell and Broadwell).
   *   <li>Handover and fence are calibrated on the figures of gdrcopy's README for a V100, copies
   *       of 8 B and 64 KiB: together with the first line they take 88 ns, and ten lines per
   *       handover, line and fill time make 10.1 GB/s.
   *   <li>8 streaming loads: a load takes 0.9 us and 64 KiB in lines of 64 B take 114 us (same).
   * </ul>
   */
  public static final DeviceAccessConfig BROADWELL =
      new DeviceAccessConfig(100_000, 16, 500, 10, 55_000, 27_000, 8);

  // Checked here and nowhere else.
  public DeviceAccessConfig {
    requireRange("storeGapPs", storeGapPs, 1, GAP_MAX_PS);
    if (vectorBytes < 8 || vectorBytes > 64 || Integer.bitCount(vectorBytes) != 1) {
      throw new IllegalArgumentException(
          "vectorBytes must be 8, 16, 32 or 64: vectorBytes=" + vectorBytes);
    }
    requireRange("vectorStorePs", vectorStorePs, 0, VECTOR_STORE_MAX_PS);
    requireRange("buffersCount", buffersCount, 1, BUFFERS_MAX);
    requireRange("handoverPs", handoverPs, 0, GAP_MAX_PS);
    requireRange("fencePs", fencePs, 0, GAP_MAX_PS);
    requireRange("streamingLoadsCount", streamingLoadsCount, 1, BUFFERS_MAX);
  }

  /**
   * {@return this configuration with another gap}
   *
   * @param newStoreGapPs as in the constructor
   */
  public DeviceAccessConfig withStoreGapPs(long newStoreGapPs) {
    return new DeviceAccessConfig(
        newStoreGapPs,
        vectorBytes,
        vectorStorePs,
        buffersCount,
        handoverPs,
        fencePs,
        streamingLoadsCount);
  }

  /**
   * {@return this configuration with other vector registers}
   *
   * @param newVectorBytes as in the constructor
   */
  public DeviceAccessConfig withVectorBytes(int newVectorBytes) {
    return new DeviceAccessConfig(
        storeGapPs,
        newVectorBytes,
        vectorStorePs,
        buffersCount,
        handoverPs,
        fencePs,
        streamingLoadsCount);
  }

  /**
   * {@return this configuration with another number of write-combining buffers}
   *
   * @param newBuffersCount as in the constructor
   */
  public DeviceAccessConfig withBuffersCount(int newBuffersCount) {
    return new DeviceAccessConfig(
        storeGapPs,
        vectorBytes,
        vectorStorePs,
        newBuffersCount,
        handoverPs,
        fencePs,
        streamingLoadsCount);
  }

  /**
   * {@return this configuration with another number of streaming loads}
   *
   * @param newStreamingLoadsCount as in the constructor
   */
  public DeviceAccessConfig withStreamingLoadsCount(int newStreamingLoadsCount) {
    return new DeviceAccessConfig(
        storeGapPs,
        vectorBytes,
        vectorStorePs,
        buffersCount,
        handoverPs,
        fencePs,
        newStreamingLoadsCount);
  }
}
