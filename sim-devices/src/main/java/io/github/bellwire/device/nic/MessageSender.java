package io.github.bellwire.device.nic;

/** Where the interrupt unit's messages go: the MSI-X table of the function. */
interface MessageSender {
  /**
   * Sends the message of a vector.
   *
   * @param vector MSI-X vector, 0..63; without MSI-X mode always 0
   * @param atPs when the device issues it, in picoseconds; the current time
   */
  void send(int vector, long atPs);
}
