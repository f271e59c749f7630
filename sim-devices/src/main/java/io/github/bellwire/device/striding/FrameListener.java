package io.github.bellwire.device.striding;

/** The far end of the wire. */
public interface FrameListener {
  /**
   * A frame leaves the adapter.
   *
   * @param frame its bytes, to be copied before the call returns
   * @param lengthBytes of the frame
   * @param atPs when its last bit leaves, not before now; frames may be told out of order
   */
  void onFrame(byte[] frame, int lengthBytes, long atPs);
}
