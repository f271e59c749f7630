package io.github.bellwire.device.nic.driver;

import io.github.bellwire.cpu.CpuPort;

/** What becomes of received frames: an application, a network stack, a forwarder. */
@FunctionalInterface
public interface FrameHandler {
  /** A time that does not come: nothing is held back. */
  long NEVER_PS = Long.MAX_VALUE;

  /**
   * Takes a frame, whole and in the order of its queue. Its buffers go back to the pool when this
   * returns or throws, unless they were {@linkplain ReceivedFrame#detach detached}.
   *
   * @param port the core that received it; the handler's own work is charged here
   * @param frame valid until this returns
   */
  void onFrame(CpuPort port, ReceivedFrame frame);

  /**
   * Called after the last frame of a batch: the place to announce what was sent meanwhile. Does
   * nothing unless overridden.
   *
   * @param port the core that received
   */
  default void onBatchEnd(CpuPort port) {}

  /**
   * {@return when {@link #drain} is to be called at the latest, in picoseconds; {@link #NEVER_PS}
   * unless overridden}
   */
  default long drainAtPs() {
    return NEVER_PS;
  }

  /**
   * Lets go of what was held back in order to gather more. Does nothing unless overridden.
   *
   * @param port the core that received
   */
  default void drain(CpuPort port) {}
}
