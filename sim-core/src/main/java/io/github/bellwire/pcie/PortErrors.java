package io.github.bellwire.pcie;

import org.jspecify.annotations.Nullable;

/**
 * The errors that one end of a link has detected: a counter per kind, the registers, one listener.
 * Allocates nothing after construction. Confined to the simulation thread.
 */
public final class PortErrors {
  private static final int KINDS = PcieError.values().length;

  private final long[] totals = new long[KINDS];
  private @Nullable PcieErrorListener registers;
  private @Nullable PcieErrorListener listener;

  PortErrors() {}

  /** Tells the registers of every error from now on, whoever else listens. */
  void reportTo(PcieErrorListener newRegisters) {
    registers = newRegisters;
  }

  /**
   * Tells a listener of every error from now on, instead of the one before.
   *
   * @param newListener null for nobody
   */
  public void listen(@Nullable PcieErrorListener newListener) {
    listener = newListener;
  }

  /**
   * {@return how often an error was detected}
   *
   * @param error its kind
   */
  public long total(PcieError error) {
    return totals[error.ordinal()];
  }

  /**
   * Counts an error that concerns no TLP.
   *
   * @param error its kind
   * @param atPs when it was detected
   */
  void record(PcieError error, long atPs) {
    record(error, 0, 0, atPs);
  }

  /**
   * Counts an error.
   *
   * @param error its kind
   * @param header01 double words 0 and 1 of the header of the TLP concerned
   * @param header23 double words 2 and 3
   * @param atPs when it was detected
   */
  void record(PcieError error, long header01, long header23, long atPs) {
    totals[error.ordinal()]++;
    PcieErrorListener log = registers;
    if (log != null) {
      log.onError(error, header01, header23, atPs);
    }
    PcieErrorListener current = listener;
    if (current != null) {
      current.onError(error, header01, header23, atPs);
    }
  }
}
