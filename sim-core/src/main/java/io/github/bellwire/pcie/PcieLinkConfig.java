package io.github.bellwire.pcie;

import static java.util.Objects.requireNonNull;

/**
 * A link and what its two ends have agreed on. Construction throws {@link IllegalArgumentException}
 * naming the property, the bound it breaks and its value.
 *
 * @param generation signalling rate and line code
 * @param lanes link width: 1, 2, 4, 8, 16 or 32
 * @param propagationPs from the last bit sent to the TLP usable at the far end: flight time and the
 *     physical and data link layers of both ends; 0..100 us
 * @param maxPayloadBytes MPS: 128, 256, 512, 1024, 2048 or 4096
 * @param maxReadRequestBytes MRRS: as MPS
 * @param readCompletionBoundaryBytes RCB: 64 or 128
 * @param tags non-posted requests that the endpoint may have outstanding, 1..768
 * @param dllpCharge how Ack, UpdateFC and SKP traffic is charged
 */
public record PcieLinkConfig(
    PcieGeneration generation,
    int lanes,
    long propagationPs,
    int maxPayloadBytes,
    int maxReadRequestBytes,
    int readCompletionBoundaryBytes,
    int tags,
    DllpCharge dllpCharge) {

  /** How link traffic other than TLPs takes its share of the rate. */
  public enum DllpCharge {
    /** Not at all: every bit of the coded rate carries TLPs. */
    NONE,
    /**
     * At the rates of the specification's guide (latency limits of sections 3.5.3.1 and 2.6.1.2,
     * one Ack and one UpdateFC of 8 bytes each per limit, 4 SKP symbols per 1538), all to the
     * direction that carries the TLPs, as the analytic model of pcie-bench does (model/pcie.py).
     */
    GUIDE_RATE
  }

  /** The most tags: 10-bit tags leave 768 usable. */
  public static final int TAGS_MAX = 768;

  private static final long PROPAGATION_MAX_PS = 100_000_000;
  private static final int SIZE_MIN_BYTES = 128;
  private static final int SIZE_MAX_BYTES = 4096;
  private static final int LANES_MAX = 32;

  /**
   * Gen 3 x8, MPS 256, MRRS 512, RCB 64, 32 tags: the slots of the hosts in "Understanding PCIe
   * performance for end host networking" (SIGCOMM 2018). The delay of 60 ns is an assumption.
   */
  public static final PcieLinkConfig GEN3_X8 =
      new PcieLinkConfig(PcieGeneration.GEN3, 8, 60_000, 256, 512, 64, 32, DllpCharge.GUIDE_RATE);

  /** Gen 2 x8, the slot of an 82599; otherwise as {@link #GEN3_X8}. */
  public static final PcieLinkConfig GEN2_X8 = GEN3_X8.withGeneration(PcieGeneration.GEN2);

  /**
   * Gen 4 x16, MPS 256, MRRS 512, 256 tags (extended tags): a server of 2020. The delay of 60 ns is
   * an assumption.
   */
  public static final PcieLinkConfig GEN4_X16 =
      GEN3_X8.withGeneration(PcieGeneration.GEN4).withLanes(16).withTags(256);

  /**
   * Gen 5 x16, MPS 512, 768 tags (10-bit tags): a server of 2023; otherwise as {@link #GEN4_X16}.
   */
  public static final PcieLinkConfig GEN5_X16 =
      GEN4_X16.withGeneration(PcieGeneration.GEN5).withMaxPayloadBytes(512).withTags(TAGS_MAX);

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public PcieLinkConfig {
    requireNonNull(generation, "generation");
    requireNonNull(dllpCharge, "dllpCharge");
    require(
        Integer.bitCount(lanes) == 1 && lanes > 0 && lanes <= LANES_MAX,
        "lanes",
        lanes,
        "1, 2, 4, 8, 16 or 32");
    require(
        propagationPs >= 0 && propagationPs <= PROPAGATION_MAX_PS,
        "propagationPs",
        propagationPs,
        "0.." + PROPAGATION_MAX_PS);
    requireSize(maxPayloadBytes, "maxPayloadBytes");
    requireSize(maxReadRequestBytes, "maxReadRequestBytes");
    require(
        readCompletionBoundaryBytes == 64 || readCompletionBoundaryBytes == 128,
        "readCompletionBoundaryBytes",
        readCompletionBoundaryBytes,
        "64 or 128");
    require(tags >= 1 && tags <= TAGS_MAX, "tags", tags, "1.." + TAGS_MAX);
  }

  /**
   * {@return this configuration with another generation}
   *
   * @param newGeneration as in the constructor
   */
  public PcieLinkConfig withGeneration(PcieGeneration newGeneration) {
    return new PcieLinkConfig(
        newGeneration,
        lanes,
        propagationPs,
        maxPayloadBytes,
        maxReadRequestBytes,
        readCompletionBoundaryBytes,
        tags,
        dllpCharge);
  }

  /**
   * {@return this configuration with another width}
   *
   * @param newLanes as in the constructor
   */
  public PcieLinkConfig withLanes(int newLanes) {
    return new PcieLinkConfig(
        generation,
        newLanes,
        propagationPs,
        maxPayloadBytes,
        maxReadRequestBytes,
        readCompletionBoundaryBytes,
        tags,
        dllpCharge);
  }

  /**
   * {@return this configuration with another delay}
   *
   * @param newPropagationPs as in the constructor
   */
  public PcieLinkConfig withPropagationPs(long newPropagationPs) {
    return new PcieLinkConfig(
        generation,
        lanes,
        newPropagationPs,
        maxPayloadBytes,
        maxReadRequestBytes,
        readCompletionBoundaryBytes,
        tags,
        dllpCharge);
  }

  /**
   * {@return this configuration with another MPS}
   *
   * @param newMaxPayloadBytes as in the constructor
   */
  public PcieLinkConfig withMaxPayloadBytes(int newMaxPayloadBytes) {
    return new PcieLinkConfig(
        generation,
        lanes,
        propagationPs,
        newMaxPayloadBytes,
        maxReadRequestBytes,
        readCompletionBoundaryBytes,
        tags,
        dllpCharge);
  }

  /**
   * {@return this configuration with another MRRS}
   *
   * @param newMaxReadRequestBytes as in the constructor
   */
  public PcieLinkConfig withMaxReadRequestBytes(int newMaxReadRequestBytes) {
    return new PcieLinkConfig(
        generation,
        lanes,
        propagationPs,
        maxPayloadBytes,
        newMaxReadRequestBytes,
        readCompletionBoundaryBytes,
        tags,
        dllpCharge);
  }

  /**
   * {@return this configuration with another RCB}
   *
   * @param newReadCompletionBoundaryBytes as in the constructor
   */
  public PcieLinkConfig withReadCompletionBoundaryBytes(int newReadCompletionBoundaryBytes) {
    return new PcieLinkConfig(
        generation,
        lanes,
        propagationPs,
        maxPayloadBytes,
        maxReadRequestBytes,
        newReadCompletionBoundaryBytes,
        tags,
        dllpCharge);
  }

  /**
   * {@return this configuration with another number of tags}
   *
   * @param newTags as in the constructor
   */
  public PcieLinkConfig withTags(int newTags) {
    return new PcieLinkConfig(
        generation,
        lanes,
        propagationPs,
        maxPayloadBytes,
        maxReadRequestBytes,
        readCompletionBoundaryBytes,
        newTags,
        dllpCharge);
  }

  /**
   * {@return this configuration with link traffic charged in another way}
   *
   * @param newDllpCharge as in the constructor
   */
  public PcieLinkConfig withDllpCharge(DllpCharge newDllpCharge) {
    return new PcieLinkConfig(
        generation,
        lanes,
        propagationPs,
        maxPayloadBytes,
        maxReadRequestBytes,
        readCompletionBoundaryBytes,
        tags,
        newDllpCharge);
  }

  /**
   * {@return the Ack latency limit, which is also the UpdateFC limit, in symbol times: {@code
   * floor((MPS + 28) * factor / lanes + internal delay)} with the factors of the specification's
   * tables 3-7 to 3-9}
   */
  public int ackLimitSymbols() {
    // Tenths, so that the factors 1.0, 1.4, 2.0, 2.5 and 3.0 stay whole.
    int factorTenths;
    if (maxPayloadBytes >= 512) {
      factorTenths = lanes <= 8 ? 10 : 20;
    } else if (lanes <= 4) {
      factorTenths = 14;
    } else {
      factorTenths = lanes == 8 ? 25 : 30;
    }
    int scaled = (maxPayloadBytes + 28) * factorTenths;
    return scaled / (10 * lanes) + generation.internalDelaySymbols(); // floor, as the tables do
  }

  private static void requireSize(int value, String name) {
    require(
        value >= SIZE_MIN_BYTES && value <= SIZE_MAX_BYTES && Integer.bitCount(value) == 1,
        name,
        value,
        "128, 256, 512, 1024, 2048 or 4096");
  }

  private static void require(boolean ok, String name, long value, String bound) {
    if (!ok) {
      throw new IllegalArgumentException(name + " must be " + bound + ": " + name + "=" + value);
    }
  }
}
