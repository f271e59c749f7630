package io.github.bellwire.device.nic;

/** The far end of an Ethernet wire. */
@FunctionalInterface
public interface FrameReceiver {
  /**
   * The last bit of a frame has arrived.
   *
   * @param frame holds the frame; owned by the caller again when the call returns
   * @param offset index of the first byte
   * @param lengthBytes bytes of the frame without FCS
   * @param nowPs the current time in picoseconds
   */
  void onFrame(byte[] frame, int offset, int lengthBytes, long nowPs);

  /**
   * The last bit of a stream's frame has arrived. Takes it, and those behind it for as long as
   * nothing else happens: {@link FrameStream#tryNext} has to be called until it returns false.
   *
   * @param frames the frame that is here, and the way to the next
   */
  default void onFrames(FrameStream frames) {
    do {
      onFrame(frames.frame(), frames.offset(), frames.lengthBytes(), frames.nowPs());
    } while (frames.tryNext());
  }
}
