package io.github.bellwire.pcie;

/** Takes the interrupt messages that devices write to the interrupt address range. */
@FunctionalInterface
public interface InterruptSink {
  /**
   * A message is on its way.
   *
   * @param requesterId who sent it, see {@link Bdf#requesterId()}
   * @param address where it was written to
   * @param data what was written
   * @param atPs when it arrives, in picoseconds; not before the current time
   */
  void onMessage(int requesterId, long address, int data, long atPs);
}
