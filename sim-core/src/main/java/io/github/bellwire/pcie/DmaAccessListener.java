package io.github.bellwire.pcie;

/**
 * Hears which requests of devices reach the root complex and what becomes of them, as a checker
 * does; requests that turn to a peer on their way do not. Called on the simulation thread when the
 * request is issued: its times may lie ahead of the clock.
 */
public interface DmaAccessListener {
  /**
   * A device has read memory.
   *
   * @param requesterId who it is, or claims to be, see {@link Bdf#requesterId()}
   * @param iova first byte as the device says
   * @param pa first byte in RAM
   * @param data what is read; not to be kept
   * @param offset first index in {@code data}
   * @param lengthBytes 1..4096
   * @param atPs when memory is read, in picoseconds
   */
  void onRead(
      int requesterId, long iova, long pa, byte[] data, int offset, int lengthBytes, long atPs);

  /**
   * A device has written memory.
   *
   * @param requesterId who it is, or claims to be
   * @param iova first byte as the device says
   * @param pa first byte in RAM
   * @param data what is written; not to be kept
   * @param offset first index in {@code data}
   * @param lengthBytes 1..4096
   * @param atPs when the write becomes visible, in picoseconds
   */
  void onWrite(
      int requesterId, long iova, long pa, byte[] data, int offset, int lengthBytes, long atPs);

  /**
   * A request has been refused.
   *
   * @param requesterId who it is, or claims to be
   * @param iova first byte as the device says
   * @param lengthBytes 1..4096
   * @param isWrite whether the device writes
   * @param atPs when, in picoseconds
   */
  void onRefused(int requesterId, long iova, int lengthBytes, boolean isWrite, long atPs);

  /**
   * A device has sent an interrupt message.
   *
   * @param requesterId who it is, or claims to be
   * @param atPs when it is at the interrupt controller, in picoseconds
   */
  void onMessage(int requesterId, long atPs);

  /**
   * A core has read a register: everything that the device had written before is visible.
   *
   * @param requesterId whose register it is
   * @param atPs when the value is at the core, in picoseconds
   */
  void onRegisterRead(int requesterId, long atPs);

  /**
   * A core has written a register, which may be a doorbell.
   *
   * @param requesterId whose register it is
   * @param atPs when the write has left the core, in picoseconds
   */
  void onRegisterWrite(int requesterId, long atPs);
}
