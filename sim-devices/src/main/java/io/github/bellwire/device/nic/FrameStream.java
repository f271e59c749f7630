package io.github.bellwire.device.nic;

/**
 * Frames that follow each other on a wire, seen from its far end: the one whose last bit has just
 * arrived, and a way to the next one for as long as nothing else happens before that. Whoever takes
 * several in a row looks once at what can change only between events.
 */
public interface FrameStream {
  /** {@return what holds the frame; as it is until {@link #tryNext}} */
  byte[] frame();

  /** {@return index of the frame's first byte; 0 unless overridden} */
  default int offset() {
    return 0;
  }

  /** {@return bytes of the frame without FCS} */
  int lengthBytes();

  /**
   * {@return when its last bit arrives: the current time in picoseconds; until {@link #tryNext}}
   */
  long nowPs();

  /**
   * Moves on to the next frame, and the clock with it, if there is one and no event comes before
   * its last bit, as {@link io.github.bellwire.kernel.Simulation#tryRepeatAt} says.
   *
   * @return whether it is there; if not, the stream goes on by itself when its time has come
   */
  boolean tryNext();
}
