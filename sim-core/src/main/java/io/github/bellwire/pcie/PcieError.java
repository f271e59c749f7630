package io.github.bellwire.pcie;

/**
 * Errors that a port or function detects, with their places in the Advanced Error Reporting
 * registers (PCI Express Base Specification 5.0, sections 6.2 and 7.8.4).
 */
public enum PcieError {
  /** Physical layer: a symbol or block that cannot be. */
  RECEIVER_ERROR(Severity.CORRECTABLE, 0),
  /** A TLP with a wrong LCRC or sequence number; a Nak asks for it again. */
  BAD_TLP(Severity.CORRECTABLE, 6),
  /** A DLLP with a wrong CRC; it is dropped. */
  BAD_DLLP(Severity.CORRECTABLE, 7),
  /** The fourth replay of one TLP in a row: the link retrains. */
  REPLAY_NUM_ROLLOVER(Severity.CORRECTABLE, 8),
  /** No Ack and no Nak came in time: everything unacknowledged was sent again. */
  REPLAY_TIMER_TIMEOUT(Severity.CORRECTABLE, 12),
  /** An uncorrectable error that its detector leaves to somebody else to report. */
  ADVISORY_NON_FATAL(Severity.CORRECTABLE, 13),
  /** The data link protocol was violated. */
  DATA_LINK_PROTOCOL(Severity.FATAL, 4),
  /** The device has gone without notice. */
  SURPRISE_DOWN(Severity.FATAL, 5),
  /** A TLP came whose data its sender marked as bad (EP bit). */
  POISONED_TLP(Severity.NON_FATAL, 12),
  /** Credits were handled in a way that the protocol forbids. */
  FLOW_CONTROL_PROTOCOL(Severity.FATAL, 13),
  /** No completion came in time. */
  COMPLETION_TIMEOUT(Severity.NON_FATAL, 14),
  /** A request was answered by the completion status CA. */
  COMPLETER_ABORT(Severity.NON_FATAL, 15),
  /** A completion came that nobody had asked for. */
  UNEXPECTED_COMPLETION(Severity.NON_FATAL, 16),
  /** A TLP came for which no credit had been given. */
  RECEIVER_OVERFLOW(Severity.FATAL, 17),
  /** A TLP came that breaks the rules of its format. */
  MALFORMED_TLP(Severity.FATAL, 18),
  /** The end-to-end CRC of a TLP is wrong. */
  ECRC(Severity.NON_FATAL, 19),
  /** A request came that this function does not support. */
  UNSUPPORTED_REQUEST(Severity.NON_FATAL, 20),
  /** Access control services refused a request. */
  ACS_VIOLATION(Severity.NON_FATAL, 21);

  /** How bad an error is as long as software has not said otherwise. */
  public enum Severity {
    /** Hardware has recovered: no information was lost. */
    CORRECTABLE,
    /** A transaction was lost; the link is sound. */
    NON_FATAL,
    /** The link can no longer be trusted. */
    FATAL
  }

  private final Severity severity;
  private final int bit;

  PcieError(Severity severity, int bit) {
    this.severity = severity;
    this.bit = bit;
  }

  /** {@return the severity after reset} */
  public Severity severity() {
    return severity;
  }

  /** {@return the bit in the correctable or uncorrectable error status register, 0..31} */
  public int bit() {
    return bit;
  }

  /** {@return whether the error belongs to the correctable error status register} */
  public boolean isCorrectable() {
    return severity == Severity.CORRECTABLE;
  }
}
