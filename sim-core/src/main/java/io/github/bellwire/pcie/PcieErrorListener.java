package io.github.bellwire.pcie;

/** Told of every error at one end of a link, as the Advanced Error Reporting registers are. */
@FunctionalInterface
public interface PcieErrorListener {
  /**
   * An error was detected. Called while an operation is computed: the time may lie ahead of the
   * clock.
   *
   * @param error what happened
   * @param header01 double words 0 (high half) and 1 of the header of the TLP concerned, 0 if there
   *     is none
   * @param header23 double words 2 (high half) and 3
   * @param atPs when it was detected, in picoseconds
   */
  void onError(PcieError error, long header01, long header23, long atPs);
}
