package io.github.bellwire.examples.iommu;

import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.MappingPolicy;

/**
 * A published receive experiment.
 *
 * @param host the machine
 * @param iommu its IOMMU
 * @param system how the operating system drives it
 * @param policy of mappings
 * @param bitsPerSecond of the wire
 * @param mtuBytes of the network
 * @param ringFrames that a receive ring has as the administrator sees it
 * @param channels that the driver sets up, one per core
 * @param activeChannels of these that flows come in through
 * @param flows that are received
 * @param moderationNs from a completion to its event
 * @param senderModerationNs the same of the adapter that sends and hears acknowledgements
 * @param bufferBytes of the adapter
 * @param control of the senders' windows
 * @param flowBitsPerSecond that the application of a flow sends in writes of {@link #WRITE_BYTES};
 *     0 if it always has more to send
 * @param isPacked whether frames lie close to each other, as Linux's mlx5 driver stores them where
 *     the adapter may merge them (ethtool -K lro on): with strides of 64 bytes (en/params.c,
 *     mlx5e_rx_is_linear_skb and MLX5_MPWRQ_MIN_LOG_STRIDE_SZ); else a frame that fits with its
 *     overhead takes half a page or a page
 */
record CongestionPreset(
    HostConfig host,
    IommuConfig iommu,
    IommuDriverConfig system,
    MappingPolicy policy,
    long bitsPerSecond,
    int mtuBytes,
    int ringFrames,
    int channels,
    int activeChannels,
    int flows,
    long moderationNs,
    long senderModerationNs,
    int bufferBytes,
    CongestionControl control,
    long flowBitsPerSecond,
    boolean isPacked) {
  /** What iperf writes at once (its default, and {@code -l 128K}). */
  static final int WRITE_BYTES = 128 << 10;

  /** {@return the same machines and wire with other traffic and software} */
  CongestionPreset with(
      int newFlows,
      int newMtuBytes,
      int newRingFrames,
      MappingPolicy newPolicy,
      IommuDriverConfig newSystem) {
    return new CongestionPreset(
        host,
        iommu,
        newSystem,
        newPolicy,
        bitsPerSecond,
        newMtuBytes,
        newRingFrames,
        channels,
        activeChannels,
        newFlows,
        moderationNs,
        senderModerationNs,
        bufferBytes,
        control,
        flowBitsPerSecond,
        isPacked);
  }
}
