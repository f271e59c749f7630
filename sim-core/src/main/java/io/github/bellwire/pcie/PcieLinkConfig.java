package io.github.bellwire.pcie;

import static io.github.bellwire.kernel.Requirements.require;
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
 * @param tags non-posted requests that the endpoint may have outstanding, 1..768, in FLIT mode
 *     1..15360
 * @param dllpCharge how Ack, UpdateFC and SKP traffic is charged
 * @param completionCut where the host cuts its answers
 * @param completionTurnBytes how much of a read's answer the root port sends before the next read
 *     gets its turn: 0, or 2^k in 64..4096; 0: all of it, in the order in which reads have their
 *     data, as links do that replay or lead to a switch, and as answers of peers are sent
 * @param ecrc whether every TLP carries an end-to-end CRC of 4 bytes, which its receiver checks
 * @param flowControl credits
 * @param requester the device's side of its requests
 * @param faults what goes wrong
 */
public record PcieLinkConfig(
    PcieGeneration generation,
    int lanes,
    long propagationPs,
    int maxPayloadBytes,
    int maxReadRequestBytes,
    int readCompletionBoundaryBytes,
    int tags,
    DllpCharge dllpCharge,
    CompletionCut completionCut,
    int completionTurnBytes,
    boolean ecrc,
    FlowControlConfig flowControl,
    RequesterConfig requester,
    LinkFaultConfig faults) {

  /** How link traffic other than TLPs takes its share of the rate; FLIT mode has none. */
  public enum DllpCharge {
    /** Not at all: every bit of the coded rate carries TLPs. */
    NONE,
    /**
     * At the rates of the specification's guide (latency limits of sections 3.5.3.1 and 2.6.1.2,
     * one Ack and one UpdateFC of 8 bytes each per limit, 4 SKP symbols per 1538), all to the
     * direction that carries the TLPs, as the analytic model of pcie-bench does (model/pcie.py).
     */
    GUIDE_RATE,
    /**
     * One Ack and one UpdateFC of 8 bytes each to the direction opposite to the TLPs that they
     * answer, at most once per latency limit; 4 SKP symbols per 1538 to both directions.
     */
    OPPOSITE
  }

  /** Tags without extended tags: 5 bits. */
  public static final int TAGS_5_BITS = 32;

  /** Extended tags: 8 bits. */
  public static final int TAGS_8_BITS = 256;

  /** The most tags outside FLIT mode: 10 bits leave 768 usable. */
  public static final int TAGS_MAX = 768;

  /** The most tags in FLIT mode: 14 bits, of which those below 1024 belong to others. */
  public static final int TAGS_14_BITS = 15_360;

  // Without scaled flow control, which came with generation 4 (section 2.6.1).
  private static final int UNSCALED_HEADERS_MAX = 127;
  private static final int UNSCALED_DATA_MAX = 2047;

  private static final long PROPAGATION_MAX_PS = 100_000_000;
  private static final int SIZE_MIN_BYTES = 128;
  private static final int TURN_MIN_BYTES = 64;
  private static final int SIZE_MAX_BYTES = 4096;
  private static final int LANES_MAX = 32;

  /**
   * Gen 3 x8, MPS 256, MRRS 512, RCB 64, 32 tags: the slots of the hosts in "Understanding PCIe
   * performance for end host networking" (SIGCOMM 2018). The delay of 60 ns is an assumption.
   */
  public static final PcieLinkConfig GEN3_X8 =
      new PcieLinkConfig(
          PcieGeneration.GEN3,
          8,
          60_000,
          256,
          512,
          64,
          TAGS_5_BITS,
          DllpCharge.GUIDE_RATE,
          CompletionCut.LONGEST,
          0,
          false,
          FlowControlConfig.UNLIMITED,
          RequesterConfig.DEFAULT,
          LinkFaultConfig.NONE);

  /** Gen 2 x8, the slot of an 82599; otherwise as {@link #GEN3_X8}. */
  public static final PcieLinkConfig GEN2_X8 = GEN3_X8.withGeneration(PcieGeneration.GEN2);

  /**
   * Gen 4 x16, MPS 256, MRRS 512, 256 tags (extended tags): a server of 2020. The delay of 60 ns is
   * an assumption.
   */
  public static final PcieLinkConfig GEN4_X16 =
      GEN3_X8.withGeneration(PcieGeneration.GEN4).withLanes(16).withTags(TAGS_8_BITS);

  /**
   * Gen 5 x16, MPS 512, 768 tags (10-bit tags): a server of 2023; otherwise as {@link #GEN4_X16}.
   */
  public static final PcieLinkConfig GEN5_X16 =
      GEN4_X16.withGeneration(PcieGeneration.GEN5).withMaxPayloadBytes(512).withTags(TAGS_MAX);

  /** Gen 6 x16 in FLIT mode; otherwise as {@link #GEN5_X16}. Assumption. */
  public static final PcieLinkConfig GEN6_X16 = GEN5_X16.withGeneration(PcieGeneration.GEN6);

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
    int tagsMax = generation.isFlitMode() ? TAGS_14_BITS : TAGS_MAX;
    require(tags >= 1 && tags <= tagsMax, "tags", tags, "1.." + tagsMax);
    requireNonNull(completionCut, "completionCut");
    require(
        completionTurnBytes == 0
            || completionTurnBytes >= TURN_MIN_BYTES
                && completionTurnBytes <= SIZE_MAX_BYTES
                && Integer.bitCount(completionTurnBytes) == 1,
        "completionTurnBytes",
        completionTurnBytes,
        "0, or 2^k in 64..4096");
    requireNonNull(flowControl, "flowControl");
    requireNonNull(requester, "requester");
    requireNonNull(faults, "faults");
    requireCredits(flowControl.rootPort(), generation, maxPayloadBytes);
    requireCredits(flowControl.endpoint(), generation, maxPayloadBytes);
  }

  /**
   * {@return this configuration with another generation}
   *
   * @param newGeneration as in the constructor
   */
  public PcieLinkConfig withGeneration(PcieGeneration newGeneration) {
    Draft draft = new Draft(this);
    draft.generation = newGeneration;
    return draft.toConfig();
  }

  /**
   * {@return this configuration with another width}
   *
   * @param newLanes as in the constructor
   */
  public PcieLinkConfig withLanes(int newLanes) {
    Draft draft = new Draft(this);
    draft.lanes = newLanes;
    return draft.toConfig();
  }

  /**
   * {@return this configuration with another delay}
   *
   * @param newPropagationPs as in the constructor
   */
  public PcieLinkConfig withPropagationPs(long newPropagationPs) {
    Draft draft = new Draft(this);
    draft.propagationPs = newPropagationPs;
    return draft.toConfig();
  }

  /**
   * {@return this configuration with another MPS}
   *
   * @param newMaxPayloadBytes as in the constructor
   */
  public PcieLinkConfig withMaxPayloadBytes(int newMaxPayloadBytes) {
    Draft draft = new Draft(this);
    draft.maxPayloadBytes = newMaxPayloadBytes;
    return draft.toConfig();
  }

  /**
   * {@return this configuration with another MRRS}
   *
   * @param newMaxReadRequestBytes as in the constructor
   */
  public PcieLinkConfig withMaxReadRequestBytes(int newMaxReadRequestBytes) {
    Draft draft = new Draft(this);
    draft.maxReadRequestBytes = newMaxReadRequestBytes;
    return draft.toConfig();
  }

  /**
   * {@return this configuration with another RCB}
   *
   * @param newReadCompletionBoundaryBytes as in the constructor
   */
  public PcieLinkConfig withReadCompletionBoundaryBytes(int newReadCompletionBoundaryBytes) {
    Draft draft = new Draft(this);
    draft.readCompletionBoundaryBytes = newReadCompletionBoundaryBytes;
    return draft.toConfig();
  }

  /**
   * {@return this configuration with another number of tags}
   *
   * @param newTags as in the constructor
   */
  public PcieLinkConfig withTags(int newTags) {
    Draft draft = new Draft(this);
    draft.tags = newTags;
    return draft.toConfig();
  }

  /**
   * {@return this configuration with link traffic charged in another way}
   *
   * @param newDllpCharge as in the constructor
   */
  public PcieLinkConfig withDllpCharge(DllpCharge newDllpCharge) {
    Draft draft = new Draft(this);
    draft.dllpCharge = newDllpCharge;
    return draft.toConfig();
  }

  /**
   * {@return this configuration with completions cut in another way}
   *
   * @param newCompletionCut as in the constructor
   */
  public PcieLinkConfig withCompletionCut(CompletionCut newCompletionCut) {
    Draft draft = new Draft(this);
    draft.completionCut = newCompletionCut;
    return draft.toConfig();
  }

  /**
   * {@return this configuration with answers taking turns in another way}
   *
   * @param newCompletionTurnBytes as in the constructor
   */
  public PcieLinkConfig withCompletionTurnBytes(int newCompletionTurnBytes) {
    Draft draft = new Draft(this);
    draft.completionTurnBytes = newCompletionTurnBytes;
    return draft.toConfig();
  }

  /**
   * {@return this configuration with or without end-to-end CRC}
   *
   * @param newEcrc as in the constructor
   */
  public PcieLinkConfig withEcrc(boolean newEcrc) {
    Draft draft = new Draft(this);
    draft.ecrc = newEcrc;
    return draft.toConfig();
  }

  /**
   * {@return this configuration with other credits}
   *
   * @param newFlowControl as in the constructor
   */
  public PcieLinkConfig withFlowControl(FlowControlConfig newFlowControl) {
    Draft draft = new Draft(this);
    draft.flowControl = newFlowControl;
    return draft.toConfig();
  }

  /**
   * {@return this configuration with another device's side}
   *
   * @param newRequester as in the constructor
   */
  public PcieLinkConfig withRequester(RequesterConfig newRequester) {
    Draft draft = new Draft(this);
    draft.requester = newRequester;
    return draft.toConfig();
  }

  /**
   * {@return this configuration with other faults}
   *
   * @param newFaults as in the constructor
   */
  public PcieLinkConfig withFaults(LinkFaultConfig newFaults) {
    Draft draft = new Draft(this);
    draft.faults = newFaults;
    return draft.toConfig();
  }

  /**
   * {@return the Ack latency limit, which is also the UpdateFC limit, in symbol times: {@code
   * floor((MPS + 28) * factor / lanes + internal delay)} with the factors of the specification's
   * tables 3-7 to 3-9; means nothing in FLIT mode}
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

  /** {@return {@link #ackLimitSymbols} in picoseconds, rounded down} */
  long ackLimitPs() {
    long symbolBits = 8L * generation.codeTotalBits();
    long bits = ackLimitSymbols() * symbolBits / generation.codePayloadBits();
    return bits * 1_000_000 / generation.megatransfersPerSecond();
  }

  private static void requireSize(int value, String name) {
    require(
        value >= SIZE_MIN_BYTES && value <= SIZE_MAX_BYTES && Integer.bitCount(value) == 1,
        name,
        value,
        "128, 256, 512, 1024, 2048 or 4096");
  }

  private static void requireCredits(
      FlowControlCredits credits, PcieGeneration generation, int maxPayloadBytes) {
    int pdMin = maxPayloadBytes / 16;
    require(
        credits.pd() == 0 || credits.pd() >= pdMin, "pd", credits.pd(), "0 or at least " + pdMin);
    if (generation.compareTo(PcieGeneration.GEN4) < 0) {
      requireUnscaled(credits.ph(), "ph", UNSCALED_HEADERS_MAX);
      requireUnscaled(credits.pd(), "pd", UNSCALED_DATA_MAX);
      requireUnscaled(credits.nph(), "nph", UNSCALED_HEADERS_MAX);
      requireUnscaled(credits.npd(), "npd", UNSCALED_DATA_MAX);
    }
  }

  private static void requireUnscaled(int value, String name, int max) {
    require(value <= max, name, value, "0.." + max + " before generation 4");
  }

  /** All components, to change one of them. */
  private static final class Draft {
    private PcieGeneration generation;
    private int lanes;
    private long propagationPs;
    private int maxPayloadBytes;
    private int maxReadRequestBytes;
    private int readCompletionBoundaryBytes;
    private int tags;
    private DllpCharge dllpCharge;
    private CompletionCut completionCut;
    private int completionTurnBytes;
    private boolean ecrc;
    private FlowControlConfig flowControl;
    private RequesterConfig requester;
    private LinkFaultConfig faults;

    Draft(PcieLinkConfig from) {
      generation = from.generation;
      lanes = from.lanes;
      propagationPs = from.propagationPs;
      maxPayloadBytes = from.maxPayloadBytes;
      maxReadRequestBytes = from.maxReadRequestBytes;
      readCompletionBoundaryBytes = from.readCompletionBoundaryBytes;
      tags = from.tags;
      dllpCharge = from.dllpCharge;
      completionCut = from.completionCut;
      completionTurnBytes = from.completionTurnBytes;
      ecrc = from.ecrc;
      flowControl = from.flowControl;
      requester = from.requester;
      faults = from.faults;
    }

    PcieLinkConfig toConfig() {
      return new PcieLinkConfig(
          generation,
          lanes,
          propagationPs,
          maxPayloadBytes,
          maxReadRequestBytes,
          readCompletionBoundaryBytes,
          tags,
          dllpCharge,
          completionCut,
          completionTurnBytes,
          ecrc,
          flowControl,
          requester,
          faults);
    }
  }
}
