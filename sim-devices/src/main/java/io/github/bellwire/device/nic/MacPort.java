package io.github.bellwire.device.nic;

/** What the transmit side needs of the MAC: the wire, or the loop back into the receive side. */
interface MacPort {
  /** {@return whether frames can leave: the link is up or looped back} */
  boolean canTransmit();

  /**
   * Takes the wire for a frame, behind all earlier ones.
   *
   * @param lengthBytes bytes without FCS
   * @param readyPs when it could start
   * @return when its last bit has left
   */
  long transmit(int lengthBytes, long readyPs);

  /**
   * Hands a frame over, at the time of its last bit.
   *
   * @param frame holds the frame until the call returns
   * @param offset first byte
   * @param lengthBytes bytes without FCS
   * @param nowPs the current time
   */
  void deliver(byte[] frame, int offset, int lengthBytes, long nowPs);
}
