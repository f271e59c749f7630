package io.github.bellwire.examples.nic;

/** Frames for a wire, one after another. Confined to one thread. */
interface FrameSource extends AutoCloseable {
  /**
   * Moves on to the next frame.
   *
   * @return false if there is none
   * @throws io.github.bellwire.examples.settings.UserErrorException if the input is broken from
   *     here
   */
  boolean next();

  /** {@return the bytes of the current frame, from index 0 on; valid until the next one} */
  byte[] frame();

  /** {@return the length of the current frame in bytes, without FCS} */
  int lengthBytes();

  /** {@return when the current frame was captured, in nanoseconds; 0 if it was not} */
  long timestampNs();

  @Override
  void close();
}
