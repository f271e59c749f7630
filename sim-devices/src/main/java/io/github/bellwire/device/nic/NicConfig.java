package io.github.bellwire.device.nic;

import static io.github.bellwire.kernel.Requirements.require;

/**
 * The fixed properties of one NIC port. Construction throws {@link IllegalArgumentException} naming
 * the property, the bound it breaks and its value; a configuration that exists is valid.
 *
 * @param deviceId PCI device ID, 0..FFFF; with 10FB Linux expects an SFP module, the backplane IDs
 *     10F7 and 10FC need none
 * @param macAddress station address as it is written: the first byte on the wire is 47:40; neither
 *     zero nor a group address
 * @param portIndex LAN ID in STATUS, 0..3
 * @param lineBitsPerSecond line rate in bits per second, 1e9..800e9
 * @param descriptorsPerSecond what the descriptor engine sustains per direction, at least 1; {@link
 *     #UNLIMITED} leaves it to the line and PCIe
 * @param rxFifoBytes receive packet buffer, a multiple of 1 KiB, 16 KiB..1023 KiB
 * @param txFifoBytes transmit packet buffer, a multiple of 1 KiB, 16 KiB..1023 KiB
 * @param onChipTxDescriptors transmit descriptors a queue holds on chip, 1..128
 * @param rxPrefetchDescriptors receive descriptors fetched by one read, 1..64; 1 is on demand,
 *     singly
 * @param rxFetchThreshold receive descriptors of a queue on chip below which more are fetched,
 *     0..63; 0 waits for a frame that finds none
 * @param rxWriteBackDescriptors receive descriptors written back at once, a power of two in 1..64;
 *     1 is each packet's at once
 * @param rxWriteBackDelayPs how long done receive descriptors wait for others at most, in
 *     picoseconds, 0..1 s; without effect if they are written back at once
 * @param rxLatencyPs what the part itself takes from a frame's last bit to its first write, beside
 *     fetching the descriptor, 0..100 us
 * @param txLatencyPs what the part itself takes from a frame's data to its first bit, 0..100 us
 * @param resetPs from CTRL.RST set to cleared, in picoseconds, 0..10 ms
 * @param linkUpPs from AUTOC.AN_RESTART to link up, in picoseconds, 0..10 s
 * @param rxQueues receive queues, 1..64
 * @param txQueues transmit queues, 1..64
 * @param maxFrameBytes reset value of MAXFRS, FCS included, 64..16383
 */
public record NicConfig(
    int deviceId,
    long macAddress,
    int portIndex,
    long lineBitsPerSecond,
    long descriptorsPerSecond,
    int rxFifoBytes,
    int txFifoBytes,
    int onChipTxDescriptors,
    int rxPrefetchDescriptors,
    int rxFetchThreshold,
    int rxWriteBackDescriptors,
    long rxWriteBackDelayPs,
    long rxLatencyPs,
    long txLatencyPs,
    long resetPs,
    long linkUpPs,
    int rxQueues,
    int txQueues,
    int maxFrameBytes) {

  /** A descriptor engine that is never the bottleneck. */
  public static final long UNLIMITED = Long.MAX_VALUE;

  /** PCI device ID of the 82599 with an SFP+ cage. */
  public static final int DEVICE_82599_SFP = 0x10FB;

  /** PCI device ID of the 82599 on a backplane (KX4), which needs no module. */
  public static final int DEVICE_82599_KX4 = 0x10F7;

  /** PCI device ID of the 82599 with XAUI on the board. */
  public static final int DEVICE_82599_XAUI = 0x10FC;

  /**
   * Intel 82599, 10 Gb/s. The packet buffers are those of its data sheet, 40 descriptors on chip
   * Linux's rule PTHRESH + WTHRESH &lt;= 40; receive descriptors are fetched singly (pcie-bench,
   * model/niantic.py) and written back with their packet. No rate of the engine is published that
   * is below the line (FD.io CSIT lists 14.88 Mpps, line rate at 64 bytes, for 10 Gb/s ports), so
   * it is unlimited. Its own latency is not included. Reset within the 10 ms that drivers wait, and
   * the link-up time, are assumptions; so are the locally administered address and the 10 us after
   * which gathered write-backs would leave if {@link #withRxBatches} made the part gather them.
   */
  public static final NicConfig NIC_82599 =
      new NicConfig(
          DEVICE_82599_SFP,
          0x02_00_00_00_00_01L,
          0,
          10_000_000_000L,
          UNLIMITED,
          512 << 10,
          160 << 10,
          40,
          1,
          0,
          1,
          10_000_000L,
          0,
          0,
          1_000_000_000L,
          50_000_000_000L,
          64,
          64,
          1518);

  private static final long MAC_GROUP_BIT = 1L << 40;

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public NicConfig {
    require(deviceId >= 0 && deviceId <= 0xFFFF, "deviceId", deviceId, "0..65535");
    require(
        macAddress > 0 && macAddress >>> 48 == 0 && (macAddress & MAC_GROUP_BIT) == 0,
        "macAddress",
        macAddress,
        "a 48-bit unicast address");
    requireRange("portIndex", portIndex, 0, 3);
    requireRange("lineBitsPerSecond", lineBitsPerSecond, 1_000_000_000L, 800_000_000_000L);
    requireRange("descriptorsPerSecond", descriptorsPerSecond, 1, UNLIMITED);
    requireFifo("rxFifoBytes", rxFifoBytes);
    requireFifo("txFifoBytes", txFifoBytes);
    requireRange("onChipTxDescriptors", onChipTxDescriptors, 1, 128);
    requireRange("rxPrefetchDescriptors", rxPrefetchDescriptors, 1, 64);
    requireRange("rxFetchThreshold", rxFetchThreshold, 0, 63);
    require(
        rxWriteBackDescriptors >= 1
            && rxWriteBackDescriptors <= 64
            && Integer.bitCount(rxWriteBackDescriptors) == 1,
        "rxWriteBackDescriptors",
        rxWriteBackDescriptors,
        "a power of two in 1..64");
    requireRange("rxWriteBackDelayPs", rxWriteBackDelayPs, 0, 1_000_000_000_000L);
    requireRange("rxLatencyPs", rxLatencyPs, 0, 100_000_000L);
    requireRange("txLatencyPs", txLatencyPs, 0, 100_000_000L);
    requireRange("resetPs", resetPs, 0, 10_000_000_000L);
    requireRange("linkUpPs", linkUpPs, 0, 10_000_000_000_000L);
    requireRange("rxQueues", rxQueues, 1, 64);
    requireRange("txQueues", txQueues, 1, 64);
    requireRange("maxFrameBytes", maxFrameBytes, 64, 16383);
  }

  /** {@return a builder that starts from this configuration} */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /**
   * {@return this configuration with another PCI device ID}
   *
   * @param newDeviceId as in the constructor
   */
  public NicConfig withDeviceId(int newDeviceId) {
    return toBuilder().deviceId(newDeviceId).build();
  }

  /**
   * {@return this configuration with another station address}
   *
   * @param newMacAddress as in the constructor
   */
  public NicConfig withMacAddress(long newMacAddress) {
    return toBuilder().macAddress(newMacAddress).build();
  }

  /**
   * {@return this configuration with another port number}
   *
   * @param newPortIndex as in the constructor
   */
  public NicConfig withPortIndex(int newPortIndex) {
    return toBuilder().portIndex(newPortIndex).build();
  }

  /**
   * {@return this configuration with another line rate}
   *
   * @param newLineBitsPerSecond as in the constructor
   */
  public NicConfig withLineBitsPerSecond(long newLineBitsPerSecond) {
    return toBuilder().lineBitsPerSecond(newLineBitsPerSecond).build();
  }

  /**
   * {@return this configuration with another descriptor engine rate}
   *
   * @param newDescriptorsPerSecond as in the constructor
   */
  public NicConfig withDescriptorsPerSecond(long newDescriptorsPerSecond) {
    return toBuilder().descriptorsPerSecond(newDescriptorsPerSecond).build();
  }

  /**
   * {@return this configuration with another receive prefetch depth}
   *
   * @param newRxPrefetchDescriptors as in the constructor
   */
  public NicConfig withRxPrefetchDescriptors(int newRxPrefetchDescriptors) {
    return toBuilder().rxPrefetchDescriptors(newRxPrefetchDescriptors).build();
  }

  /**
   * {@return this configuration with receive descriptors handled in batches, as the 82598 can
   * (RXDCTL.PTHRESH and WTHRESH)}
   *
   * @param fetched rxPrefetchDescriptors, as in the constructor
   * @param threshold rxFetchThreshold, as in the constructor
   * @param writtenBack rxWriteBackDescriptors, as in the constructor
   */
  public NicConfig withRxBatches(int fetched, int threshold, int writtenBack) {
    return toBuilder()
        .rxPrefetchDescriptors(fetched)
        .rxFetchThreshold(threshold)
        .rxWriteBackDescriptors(writtenBack)
        .build();
  }

  /**
   * {@return this configuration with another receive packet buffer}
   *
   * @param newRxFifoBytes as in the constructor
   */
  public NicConfig withRxFifoBytes(int newRxFifoBytes) {
    return toBuilder().rxFifoBytes(newRxFifoBytes).build();
  }

  /**
   * {@return this configuration with another link-up time}
   *
   * @param newLinkUpPs as in the constructor
   */
  public NicConfig withLinkUpPs(long newLinkUpPs) {
    return toBuilder().linkUpPs(newLinkUpPs).build();
  }

  private static void requireFifo(String name, int value) {
    require(
        value >= 16 << 10 && value <= 1023 << 10 && (value & 1023) == 0,
        name,
        value,
        "a multiple of 1024 in 16384..1047552");
  }

  private static void requireRange(String name, long value, long min, long max) {
    require(value >= min && value <= max, name, value, min + ".." + max);
  }

  /** Collects the properties of a configuration; {@link #build} checks them. */
  public static final class Builder {
    private int deviceId;
    private long macAddress;
    private int portIndex;
    private long lineBitsPerSecond;
    private long descriptorsPerSecond;
    private int rxFifoBytes;
    private int txFifoBytes;
    private int onChipTxDescriptors;
    private int rxPrefetchDescriptors;
    private int rxFetchThreshold;
    private int rxWriteBackDescriptors;
    private long rxWriteBackDelayPs;
    private long rxLatencyPs;
    private long txLatencyPs;
    private long resetPs;
    private long linkUpPs;
    private int rxQueues;
    private int txQueues;
    private int maxFrameBytes;

    private Builder(NicConfig config) {
      deviceId = config.deviceId;
      macAddress = config.macAddress;
      portIndex = config.portIndex;
      lineBitsPerSecond = config.lineBitsPerSecond;
      descriptorsPerSecond = config.descriptorsPerSecond;
      rxFifoBytes = config.rxFifoBytes;
      txFifoBytes = config.txFifoBytes;
      onChipTxDescriptors = config.onChipTxDescriptors;
      rxPrefetchDescriptors = config.rxPrefetchDescriptors;
      rxFetchThreshold = config.rxFetchThreshold;
      rxWriteBackDescriptors = config.rxWriteBackDescriptors;
      rxWriteBackDelayPs = config.rxWriteBackDelayPs;
      rxLatencyPs = config.rxLatencyPs;
      txLatencyPs = config.txLatencyPs;
      resetPs = config.resetPs;
      linkUpPs = config.linkUpPs;
      rxQueues = config.rxQueues;
      txQueues = config.txQueues;
      maxFrameBytes = config.maxFrameBytes;
    }

    /**
     * {@return this builder}
     *
     * @param value deviceId, as in {@link NicConfig}
     */
    public Builder deviceId(int value) {
      deviceId = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value macAddress, as in {@link NicConfig}
     */
    public Builder macAddress(long value) {
      macAddress = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value portIndex, as in {@link NicConfig}
     */
    public Builder portIndex(int value) {
      portIndex = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value lineBitsPerSecond, as in {@link NicConfig}
     */
    public Builder lineBitsPerSecond(long value) {
      lineBitsPerSecond = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value descriptorsPerSecond, as in {@link NicConfig}
     */
    public Builder descriptorsPerSecond(long value) {
      descriptorsPerSecond = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value rxFifoBytes, as in {@link NicConfig}
     */
    public Builder rxFifoBytes(int value) {
      rxFifoBytes = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value txFifoBytes, as in {@link NicConfig}
     */
    public Builder txFifoBytes(int value) {
      txFifoBytes = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value onChipTxDescriptors, as in {@link NicConfig}
     */
    public Builder onChipTxDescriptors(int value) {
      onChipTxDescriptors = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value rxPrefetchDescriptors, as in {@link NicConfig}
     */
    public Builder rxPrefetchDescriptors(int value) {
      rxPrefetchDescriptors = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value rxFetchThreshold, as in {@link NicConfig}
     */
    public Builder rxFetchThreshold(int value) {
      rxFetchThreshold = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value rxWriteBackDescriptors, as in {@link NicConfig}
     */
    public Builder rxWriteBackDescriptors(int value) {
      rxWriteBackDescriptors = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value rxWriteBackDelayPs, as in {@link NicConfig}
     */
    public Builder rxWriteBackDelayPs(long value) {
      rxWriteBackDelayPs = value;
      return this;
    }

    /**
     * Sets the part's own latency on receiving.
     *
     * @param value rxLatencyPs, as in {@link NicConfig}
     * @return this builder
     */
    public Builder rxLatencyPs(long value) {
      rxLatencyPs = value;
      return this;
    }

    /**
     * Sets the part's own latency on sending.
     *
     * @param value txLatencyPs, as in {@link NicConfig}
     * @return this builder
     */
    public Builder txLatencyPs(long value) {
      txLatencyPs = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value resetPs, as in {@link NicConfig}
     */
    public Builder resetPs(long value) {
      resetPs = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value linkUpPs, as in {@link NicConfig}
     */
    public Builder linkUpPs(long value) {
      linkUpPs = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value rxQueues, as in {@link NicConfig}
     */
    public Builder rxQueues(int value) {
      rxQueues = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value txQueues, as in {@link NicConfig}
     */
    public Builder txQueues(int value) {
      txQueues = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value maxFrameBytes, as in {@link NicConfig}
     */
    public Builder maxFrameBytes(int value) {
      maxFrameBytes = value;
      return this;
    }

    /**
     * {@return the configuration}
     *
     * @throws IllegalArgumentException if a property breaks its bound
     */
    public NicConfig build() {
      return new NicConfig(
          deviceId,
          macAddress,
          portIndex,
          lineBitsPerSecond,
          descriptorsPerSecond,
          rxFifoBytes,
          txFifoBytes,
          onChipTxDescriptors,
          rxPrefetchDescriptors,
          rxFetchThreshold,
          rxWriteBackDescriptors,
          rxWriteBackDelayPs,
          rxLatencyPs,
          txLatencyPs,
          resetPs,
          linkUpPs,
          rxQueues,
          txQueues,
          maxFrameBytes);
    }
  }
}
