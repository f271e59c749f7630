package io.github.bellwire.device.nic.driver;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cpu.CpuPort;

/**
 * Sends every frame on through a transmit queue, without copying it: a layer-2 forwarder like
 * ixy's. The tail is written once per receive batch. A frame that finds the queue full is dropped
 * and counted.
 *
 * <p>Not charged unless asked for: looking at the frame. Confined to the simulation thread.
 */
public final class Forwarder implements FrameHandler {
  private final TxRing ring;
  private final boolean isTouching;
  private long droppedTotal;

  /**
   * Creates a forwarder.
   *
   * @param ring where frames go; its driver has the pool of the receiving one
   * @param isTouching whether the core loads the first bytes of each frame
   */
  public Forwarder(TxRing ring, boolean isTouching) {
    this.ring = requireNonNull(ring, "ring");
    this.isTouching = isTouching;
  }

  @Override
  public void onFrame(CpuPort port, ReceivedFrame frame) {
    if (isTouching) {
      port.load(frame.pa(0), Long.BYTES);
    }
    if (ring.freeCount() < frame.segmentCount()) {
      ring.clean(port, Integer.MAX_VALUE);
    }
    if (!ring.tryForward(port, frame)) {
      droppedTotal++;
    }
  }

  @Override
  public void onBatchEnd(CpuPort port) {
    ring.clean(port, Integer.MAX_VALUE);
    ring.flush(port);
  }

  /** {@return the frames dropped because the transmit queue was full} */
  public long droppedTotal() {
    return droppedTotal;
  }
}
