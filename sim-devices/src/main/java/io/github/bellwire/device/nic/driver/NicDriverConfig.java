package io.github.bellwire.device.nic.driver;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.device.nic.NicRegisters;
import io.github.bellwire.kernel.Requirements;

/**
 * How the driver of one port works. Construction throws {@link IllegalArgumentException} naming the
 * property, the bound it breaks and its value; a configuration that exists is valid.
 *
 * @param mode how received frames are noticed and buffers mapped
 * @param rxQueues receive queues, 1..64; RSS reaches the first 16, spread round robin over RETA
 * @param txQueues transmit queues, 1..64
 * @param ringSize descriptors of a receive ring, of which one stays unused: a multiple of 8 (RDLEN
 *     and TDLEN are multiples of 128 bytes), 8..4096; drivers for the real part start at 64
 * @param txRingSize descriptors of a transmit ring, as {@code ringSize}
 * @param bufferBytes size of a receive buffer in bytes, a multiple of 1 KiB (SRRCTL.BSIZEPACKET),
 *     1..16 KiB
 * @param batch frames per poll, and received descriptors per write of RDT, 1..ringSize
 * @param itrPs least distance of two interrupts of a vector (EITR) in picoseconds, rounded up to
 *     2.048 us, 0..1,046,528,000; 0 is no limit
 * @param pthresh TXDCTL.PTHRESH, 0..40: descriptors on chip below which more are fetched
 * @param hthresh TXDCTL.HTHRESH, 0..127: descriptors in memory that make a fetch worth while
 * @param wthresh TXDCTL.WTHRESH, 0..txRingSize / 2: descriptors written back at a time; with
 *     pthresh at most 40 (Linux ixgbe)
 * @param maxFrameBytes largest frame, FCS included, 64..16383; above 1518 jumbo frames are enabled
 * @param promiscuous whether frames for any address are accepted
 * @param crcStrip whether the FCS is left out of the buffer
 * @param dropEnable whether a queue without descriptors drops at once instead of filling the packet
 *     buffer (SRRCTL.DROP_EN)
 * @param fragmentChecksum whether IPv4 fragments are summed (RXCSUM.IPPCSE); the write-back then
 *     carries that instead of the RSS hash, so only with one receive queue
 * @param loopback whether the MAC loops transmitted frames back (HLREG0.LPBK)
 * @param rssKey key of the hash that spreads frames over several queues
 * @param profile what the software costs
 */
public record NicDriverConfig(
    DriverMode mode,
    int rxQueues,
    int txQueues,
    int ringSize,
    int txRingSize,
    int bufferBytes,
    int batch,
    long itrPs,
    int pthresh,
    int hthresh,
    int wthresh,
    int maxFrameBytes,
    boolean promiscuous,
    boolean crcStrip,
    boolean dropEnable,
    boolean fragmentChecksum,
    boolean loopback,
    RssKey rssKey,
    DriverProfile profile) {

  /** Frames that one NAPI poll handles at most (Linux, NAPI_POLL_WEIGHT). */
  public static final int NAPI_WEIGHT = 64;

  /**
   * A polling userspace driver: rings of 512 as ixy's, batches of 32. P/H/W 32/8/8 is DPDK's
   * prefetch threshold, ixy's host threshold, and write-back by eight as in the byte ledger of
   * pcie-bench's niantic model; DPDK has 32/0/0, ixy 36/8/4. With a prefetch threshold of 0 the
   * device fetches only once it has run dry, so that each fetch adds a round trip.
   */
  public static final NicDriverConfig POLLING =
      new NicDriverConfig(
          DriverMode.POLL,
          1,
          1,
          512,
          512,
          2048,
          32,
          0,
          32,
          8,
          8,
          1518,
          true,
          true,
          true,
          false,
          false,
          RssKey.VERIFICATION_SUITE,
          DriverProfile.USERSPACE_C);

  /**
   * A kernel driver that works in its interrupt handler. Rings, thresholds 32/1/8 and the initial
   * EITR of 20,000 interrupts per second follow Linux ixgbe; tail writes by 16 its
   * IXGBE_RX_BUFFER_WRITE.
   */
  public static final NicDriverConfig INTERRUPT =
      POLLING.toBuilder()
          .mode(DriverMode.INTERRUPT)
          .batch(16)
          .itrPs(51_200_000)
          .hthresh(1)
          .profile(DriverProfile.KERNEL)
          .build();

  /** As {@link #INTERRUPT}, with NAPI. */
  public static final NicDriverConfig NAPI = INTERRUPT.toBuilder().mode(DriverMode.NAPI).build();

  private static final int QUEUES_MAX = 64;
  private static final int RING_MIN = 8;
  private static final int RING_MAX = 4096;
  private static final int THRESHOLD_MAX = 127;
  private static final int ON_CHIP_DESCRIPTORS = 40;
  private static final int STANDARD_FRAME_BYTES = 1518;
  private static final int FRAME_MIN_BYTES = 64;
  private static final int FRAME_MAX_BYTES = 16_383;
  private static final int CLEAN_GROUP = 32;
  private static final int SPARE_BUFFERS = 512;

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public NicDriverConfig {
    requireNonNull(mode, "mode");
    requireNonNull(rssKey, "rssKey");
    requireNonNull(profile, "profile");
    Requirements.requireRange("rxQueues", rxQueues, 1, QUEUES_MAX);
    Requirements.requireRange("txQueues", txQueues, 1, QUEUES_MAX);
    requireRingSize(ringSize, "ringSize");
    requireRingSize(txRingSize, "txRingSize");
    Requirements.require(
        bufferBytes >= 1024 && bufferBytes <= 16_384 && bufferBytes % 1024 == 0,
        "bufferBytes",
        bufferBytes,
        "a multiple of 1024 in 1024..16384");
    Requirements.requireRange("batch", batch, 1, ringSize);
    Requirements.requireRange("itrPs", itrPs, 0, NicInterrupts.INTERVAL_MAX_PS);
    Requirements.requireRange("wthresh", wthresh, 0, Math.min(txRingSize / 2, ON_CHIP_DESCRIPTORS));
    Requirements.requireRange("pthresh", pthresh, 0, ON_CHIP_DESCRIPTORS - wthresh);
    Requirements.requireRange("hthresh", hthresh, 0, THRESHOLD_MAX);
    Requirements.requireRange("maxFrameBytes", maxFrameBytes, FRAME_MIN_BYTES, FRAME_MAX_BYTES);
    int segments = segmentsMax(maxFrameBytes, bufferBytes);
    Requirements.require(
        segments <= ringSize - 2,
        "maxFrameBytes",
        maxFrameBytes,
        "<= " + (ringSize - 2) * bufferBytes + ", what a ring can hold");
    Requirements.require(
        !fragmentChecksum || rxQueues == 1, "rxQueues", rxQueues, "1 with fragmentChecksum");
  }

  /**
   * {@return the preset of a mode}
   *
   * @param mode how received frames are noticed
   */
  public static NicDriverConfig forMode(DriverMode mode) {
    return switch (mode) {
      case POLL -> POLLING;
      case INTERRUPT -> INTERRUPT;
      case NAPI -> NAPI;
    };
  }

  /**
   * {@return this configuration with rings of another size; batch and write-back threshold shrink
   * as far as such a ring needs it}
   *
   * @param newRingSize as in the constructor
   */
  public NicDriverConfig withRingSize(int newRingSize) {
    return toBuilder()
        .ringSize(newRingSize)
        .batch(Math.min(batch, newRingSize))
        .wthresh(Math.min(wthresh, newRingSize / 4))
        .build();
  }

  /** {@return a builder that starts from this configuration} */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** {@return buffers enough for all rings, and 512 that the application may keep} */
  public int buffersCount() {
    return rxQueues * ringSize + txQueues * txRingSize + SPARE_BUFFERS;
  }

  /** {@return whether frames above 1518 bytes are accepted} */
  public boolean isJumbo() {
    return maxFrameBytes > STANDARD_FRAME_BYTES;
  }

  /** Returns the thresholds as TXDCTL holds them. */
  int txdctl() {
    return pthresh
        | hthresh << NicRegisters.TXDCTL_HTHRESH_SHIFT
        | wthresh << NicRegisters.TXDCTL_WTHRESH_SHIFT;
  }

  /** Returns how many receive descriptors the largest frame takes. */
  int segmentsMax() {
    return segmentsMax(maxFrameBytes, bufferBytes);
  }

  /**
   * Returns how many refilled descriptors one write of RDT announces: a batch, but so few that the
   * device always has enough for the largest frame and half of the ring.
   */
  int tailThreshold() {
    return Math.min(batch, Math.min(ringSize / 2, ringSize - 1 - segmentsMax()));
  }

  /** Returns how many transmit descriptors are cleaned after one look: ixy's 32, Linux's packet. */
  int cleanGroup() {
    return mode.isPreMapped() ? Math.min(CLEAN_GROUP, txRingSize / 4) : 1;
  }

  private static void requireRingSize(int ringSize, String name) {
    Requirements.require(
        ringSize >= RING_MIN && ringSize <= RING_MAX && ringSize % RING_MIN == 0,
        name,
        ringSize,
        "a multiple of 8 in 8..4096");
  }

  private static int segmentsMax(int frameBytes, int bufferBytes) {
    return (frameBytes + bufferBytes - 1) / bufferBytes; // rounds up
  }

  /** Collects the properties of a configuration; {@link #build} checks them. */
  public static final class Builder {
    private DriverMode mode;
    private int rxQueues;
    private int txQueues;
    private int ringSize;
    private int txRingSize;
    private int bufferBytes;
    private int batch;
    private long itrPs;
    private int pthresh;
    private int hthresh;
    private int wthresh;
    private int maxFrameBytes;
    private boolean promiscuous;
    private boolean crcStrip;
    private boolean dropEnable;
    private boolean fragmentChecksum;
    private boolean loopback;
    private RssKey rssKey;
    private DriverProfile profile;

    private Builder(NicDriverConfig config) {
      mode = config.mode;
      rxQueues = config.rxQueues;
      txQueues = config.txQueues;
      ringSize = config.ringSize;
      txRingSize = config.txRingSize;
      bufferBytes = config.bufferBytes;
      batch = config.batch;
      itrPs = config.itrPs;
      pthresh = config.pthresh;
      hthresh = config.hthresh;
      wthresh = config.wthresh;
      maxFrameBytes = config.maxFrameBytes;
      promiscuous = config.promiscuous;
      crcStrip = config.crcStrip;
      dropEnable = config.dropEnable;
      fragmentChecksum = config.fragmentChecksum;
      loopback = config.loopback;
      rssKey = config.rssKey;
      profile = config.profile;
    }

    /**
     * {@return this builder}
     *
     * @param value mode, as in {@link NicDriverConfig}
     */
    public Builder mode(DriverMode value) {
      mode = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value rxQueues, as in {@link NicDriverConfig}
     */
    public Builder rxQueues(int value) {
      rxQueues = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value txQueues, as in {@link NicDriverConfig}
     */
    public Builder txQueues(int value) {
      txQueues = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value ringSize, as in {@link NicDriverConfig}; txRingSize follows unless set
     *     afterwards
     */
    public Builder ringSize(int value) {
      ringSize = value;
      txRingSize = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value txRingSize, as in {@link NicDriverConfig}
     */
    public Builder txRingSize(int value) {
      txRingSize = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value bufferBytes, as in {@link NicDriverConfig}
     */
    public Builder bufferBytes(int value) {
      bufferBytes = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value batch, as in {@link NicDriverConfig}
     */
    public Builder batch(int value) {
      batch = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value itrPs, as in {@link NicDriverConfig}
     */
    public Builder itrPs(long value) {
      itrPs = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value pthresh, as in {@link NicDriverConfig}
     */
    public Builder pthresh(int value) {
      pthresh = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value hthresh, as in {@link NicDriverConfig}
     */
    public Builder hthresh(int value) {
      hthresh = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value wthresh, as in {@link NicDriverConfig}
     */
    public Builder wthresh(int value) {
      wthresh = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value maxFrameBytes, as in {@link NicDriverConfig}
     */
    public Builder maxFrameBytes(int value) {
      maxFrameBytes = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value promiscuous, as in {@link NicDriverConfig}
     */
    public Builder promiscuous(boolean value) {
      promiscuous = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value crcStrip, as in {@link NicDriverConfig}
     */
    public Builder crcStrip(boolean value) {
      crcStrip = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value dropEnable, as in {@link NicDriverConfig}
     */
    public Builder dropEnable(boolean value) {
      dropEnable = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value fragmentChecksum, as in {@link NicDriverConfig}
     */
    public Builder fragmentChecksum(boolean value) {
      fragmentChecksum = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value loopback, as in {@link NicDriverConfig}
     */
    public Builder loopback(boolean value) {
      loopback = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value rssKey, as in {@link NicDriverConfig}
     */
    public Builder rssKey(RssKey value) {
      rssKey = value;
      return this;
    }

    /**
     * {@return this builder}
     *
     * @param value profile, as in {@link NicDriverConfig}
     */
    public Builder profile(DriverProfile value) {
      profile = value;
      return this;
    }

    /**
     * {@return the configuration}
     *
     * @throws IllegalArgumentException if a property breaks its bound
     */
    public NicDriverConfig build() {
      return new NicDriverConfig(
          mode,
          rxQueues,
          txQueues,
          ringSize,
          txRingSize,
          bufferBytes,
          batch,
          itrPs,
          pthresh,
          hthresh,
          wthresh,
          maxFrameBytes,
          promiscuous,
          crcStrip,
          dropEnable,
          fragmentChecksum,
          loopback,
          rssKey,
          profile);
    }
  }
}
