package io.github.bellwire.examples.iommu;

import io.github.bellwire.cache.SimpleCacheConfig;
import io.github.bellwire.cpu.CoreConfig;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.IommuPresets;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.memory.SimpleMemoryControllerConfig;
import io.github.bellwire.pcie.FlowControlConfig;
import io.github.bellwire.pcie.FlowControlCredits;
import io.github.bellwire.pcie.PcieLinkConfig;

/** The published receive experiments. */
final class CongestionPresets {
  private static final long GBIT = 1_000_000_000L;

  /**
   * 92 lines of writes are under way behind the root port ("Understanding the Host Network",
   * SIGCOMM 2024), and 80 wait in its buffer: 64 headers and 320 data credits (Xeon C5500 x16, data
   * sheet 323103-001, volume 1, table 76; an assumption for its successors).
   */
  private static final FlowControlConfig CREDITS =
      FlowControlConfig.UNLIMITED.withRootPort(
          new FlowControlCredits(127, 92 * 4 + 320, 0, 0, 0, 0));

  /** Twice as many for twice the rate: an assumption. */
  private static final FlowControlConfig CREDITS_GEN4 =
      FlowControlConfig.UNLIMITED.withRootPort(
          new FlowControlCredits(2 * 127, 2 * (92 * 4 + 320), 0, 0, 0, 0));

  /**
   * The latencies of {@link SimpleMemoryControllerConfig#DDR4_3200_8CH} without its limit: neither
   * experiment is bound by the bandwidth of memory, and host software runs ahead of the clock.
   */
  private static final SimpleMemoryControllerConfig DRAM =
      new SimpleMemoryControllerConfig(50_000, 20_000, 0);

  private static final PcieLinkConfig GEN3_X16 =
      PcieLinkConfig.GEN3_X8.withLanes(16).withTags(256).withFlowControl(CREDITS);

  /**
   * "Fast and Safe IO Memory Protection" (SOSP'24), section 2.2: four Xeon Gold 6234 with eight
   * cores of two threads each, a ConnectX-5, Linux 6.0.3, DCTCP, five cores that receive. A buffer
   * of 262,016 bytes, all of it for one priority ("HowTo Tune Receive Buffers on Mellanox Adapter
   * Cards"). Assumptions: interrupt moderation of 32 us at the receiver and of 8 us at the sender
   * ({@code senderModerationNs}), both steps of Linux's dynamic moderation (lib/dim/net_dim.c), and
   * the other host's delays. They are calibrated on the figures of 5 flows, drops included, with
   * those of 20 in view: with longer delays, which fit the throughput of 5 flows as well, 20 flows
   * lose too seldom to keep pages from being recycled.
   */
  static final CongestionPreset CASCADE_LAKE_STRICT_100G =
      new CongestionPreset(
          host("cascade-lake", 64, 3_300_000_000L, GEN3_X16),
          IommuPresets.CASCADE_LAKE,
          IommuDriverConfig.LINUX_6_0,
          MappingPolicy.STRICT,
          100 * GBIT,
          4096,
          256,
          64,
          5,
          5,
          32_000,
          8_000,
          262_016,
          CongestionControl.DCTCP,
          0,
          false);

  /**
   * "Overcoming the IOTLB wall for multi-100-Gbps Linux-based networking" (PeerJ CS 9:e1385): Xeon
   * Gold 6346, a ConnectX-6 of 200 Gb/s, Linux 5.15, 384 connections, 32 queues of 1024. Each
   * connection writes 128 KiB at once, 550 Mb/s on average, its senders use CUBIC, and the
   * receiver's lro is on (the authors' aliireza/iommu-bench, experiments/iommu.npf), of which only
   * how frames are stored is modelled, not that the adapter merges them. Assumptions as above, but
   * a moderation of 64 us on both sides, the longest step, and a buffer of 1 MiB.
   */
  static final CongestionPreset ICE_LAKE_LAZY_200G =
      new CongestionPreset(
          host(
              "ice-lake",
              32,
              3_100_000_000L,
              PcieLinkConfig.GEN4_X16.withFlowControl(CREDITS_GEN4)),
          IommuPresets.ICE_LAKE,
          IommuDriverConfig.LINUX_6_12,
          MappingPolicy.LAZY,
          200 * GBIT,
          1500,
          1024,
          32,
          32,
          384,
          64_000,
          64_000,
          1 << 20,
          CongestionControl.CUBIC,
          550_000_000L,
          true);

  private CongestionPresets() {}

  private static HostConfig host(String name, int cores, long frequencyHz, PcieLinkConfig link) {
    return new HostConfig(
        name,
        1L << 31,
        1L << 36,
        cores,
        CoreConfig.SERVER.withFrequencyHz(frequencyHz),
        SimpleCacheConfig.SERVER,
        DRAM,
        HostConfig.GEN4_SERVER.rootComplex(),
        link);
  }
}
