package io.github.bellwire.pcie;

import org.jspecify.annotations.Nullable;

/**
 * The data link layer above one direction of a link, where it costs more than a share of the rate:
 * acknowledgements that occupy the opposite direction, and replay of what arrived broken (PCI
 * Express Base Specification 5.0, section 3.6).
 *
 * <pre>{@code
 * TLP 1 --ok-->   TLP 2 --broken-->   TLP 3, 4: discarded   TLP 2, 3, 4 again -->
 *                        <--------------- Nak
 * }</pre>
 *
 * <p>From a broken TLP on nothing counts until its Nak is back, so the direction is taken until
 * then; what is offered meanwhile follows the replay. A lost Nak is found out by the replay timer.
 * A lost Ack is counted and made good by the next one. Not modelled: a full replay buffer; in FLIT
 * mode replay works on TLPs, not FLITs. Allocates nothing after construction.
 */
final class DataLinkLayer {
  private static final int DLLP_BYTES = 8;
  private static final int REPLAY_TIMER_LIMITS = 3; // The replay timer in latency limits.
  private static final int REPLAYS_MAX = 4; // Then the replay number rolls over.

  private final LinkDirection direction;
  private final LinkDirection opposite;
  private final boolean isChargedToOpposite;
  private final @Nullable BitErrors tlpErrors;
  private final @Nullable BitErrors ackErrors;
  private final PortErrors senderErrors;
  private final PortErrors receiverErrors;
  private final long propagationPs;
  private final long latencyLimitPs;
  private final long retrainPs;

  private long nextAckPs;
  // While this lasts, TLPs are sent for nothing.
  private long discardFromPs;
  private long discardToPs;
  private long replaysTotal;

  /**
   * Creates the layer.
   *
   * @param config rate, delays, and how acknowledgements are charged
   * @param direction where TLPs go
   * @param opposite where acknowledgements go
   * @param tlpErrors of this direction, null if there are none
   * @param ackErrors of the opposite direction, null if there are none
   * @param senderErrors the errors that the sender of the TLPs detects
   * @param receiverErrors the errors that their receiver detects
   */
  DataLinkLayer(
      PcieLinkConfig config,
      LinkDirection direction,
      LinkDirection opposite,
      @Nullable BitErrors tlpErrors,
      @Nullable BitErrors ackErrors,
      PortErrors senderErrors,
      PortErrors receiverErrors) {
    this.direction = direction;
    this.opposite = opposite;
    this.tlpErrors = tlpErrors;
    this.ackErrors = ackErrors;
    this.senderErrors = senderErrors;
    this.receiverErrors = receiverErrors;
    isChargedToOpposite = chargesOpposite(config);
    propagationPs = config.propagationPs();
    latencyLimitPs = config.ackLimitPs();
    retrainPs = config.faults().retrainPs();
  }

  /** {@return whether a link needs this layer at all} */
  static boolean isNeeded(PcieLinkConfig config) {
    return config.faults().bitErrorRatio() > 0 || chargesOpposite(config);
  }

  /**
   * Sends a TLP until it has arrived in good order.
   *
   * @param wireBytes everything that is sent for it
   * @param readyPs when it could start
   * @return when the last bit of the copy that arrived has left
   */
  long transmit(int wireBytes, long readyPs) {
    direction.payDllps(readyPs);
    countDiscarded(wireBytes, readyPs);
    long sentPs = direction.serialize(wireBytes, readyPs);
    BitErrors errors = tlpErrors;
    if (errors != null) {
      sentPs = deliver(errors, wireBytes, sentPs);
    }
    if (isChargedToOpposite && sentPs >= nextAckPs) {
      // One Ack and one UpdateFC for all TLPs within the limit from now on.
      nextAckPs = sentPs + latencyLimitPs;
      opposite.oweDllps(2 * DLLP_BYTES);
    }
    return sentPs;
  }

  /** {@return TLPs sent again} */
  long replaysTotal() {
    return replaysTotal;
  }

  private long deliver(BitErrors errors, int wireBytes, long firstSentPs) {
    long sentPs = firstSentPs;
    int replays = 0;
    while (errors.corrupts(wireBytes)) {
      receiverErrors.record(PcieError.BAD_TLP, sentPs + propagationPs);
      long restartPs = nakPs(sentPs);
      if (++replays == REPLAYS_MAX) {
        replays = 0;
        senderErrors.record(PcieError.REPLAY_NUM_ROLLOVER, restartPs);
        opposite.blockFrom(restartPs, restartPs + retrainPs);
        restartPs += retrainPs;
      }
      direction.blockFrom(sentPs, restartPs);
      discardFromPs = sentPs;
      discardToPs = restartPs;
      replaysTotal++;
      sentPs = direction.serialize(wireBytes, restartPs);
    }
    if (isAckLost()) {
      senderErrors.record(PcieError.BAD_DLLP, sentPs + 2 * propagationPs);
    }
    return sentPs;
  }

  /** Returns when the sender knows that a TLP must be sent again. */
  private long nakPs(long sentPs) {
    long arrivalPs = sentPs + 2 * propagationPs + opposite.durationPs(DLLP_BYTES);
    if (!isAckLost()) {
      return arrivalPs;
    }
    senderErrors.record(PcieError.BAD_DLLP, arrivalPs);
    long timeoutPs = Math.max(arrivalPs, sentPs + REPLAY_TIMER_LIMITS * latencyLimitPs);
    senderErrors.record(PcieError.REPLAY_TIMER_TIMEOUT, timeoutPs);
    return timeoutPs;
  }

  private boolean isAckLost() {
    return ackErrors != null && ackErrors.corrupts(DLLP_BYTES);
  }

  private void countDiscarded(int wireBytes, long readyPs) {
    long startPs = Math.max(readyPs, discardFromPs);
    if (startPs < discardToPs) {
      discardFromPs = startPs + direction.durationPs(wireBytes);
      replaysTotal++;
    }
  }

  private static boolean chargesOpposite(PcieLinkConfig config) {
    return config.dllpCharge() == PcieLinkConfig.DllpCharge.OPPOSITE
        && !config.generation().isFlitMode();
  }
}
