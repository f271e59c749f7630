package io.github.bellwire.device.nic.driver;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.kernel.Requirements;

/**
 * Sends every frame on through a transmit queue, without copying it: a layer-2 forwarder. A frame
 * that finds the queue full is dropped and counted.
 *
 * <p>The tail is written at the end of each receive batch, however small, as ixy does; or, with a
 * drain time, once a whole batch has gathered or its first frame has waited for so long, as DPDK's
 * forwarders do.
 *
 * <p>Not charged unless asked for: looking at the frame. Allocates nothing after construction.
 * Confined to the simulation thread.
 */
public final class Forwarder implements FrameHandler {
  /** How long DPDK's layer-3 example holds frames back (BURST_TX_DRAIN_US). */
  public static final long DPDK_DRAIN_PS = 100_000_000;

  private final TxRing ring;
  private final boolean isTouching;
  private final int batch;
  private final long drainPs;
  private int heldCount;
  private long drainAtPs = NEVER_PS;
  private long droppedTotal;

  /**
   * Creates a forwarder that sends at the end of each receive batch.
   *
   * @param ring where frames go; its driver has the pool of the receiving one
   * @param isTouching whether the core loads the first bytes of each frame
   */
  public Forwarder(TxRing ring, boolean isTouching) {
    this(ring, isTouching, Integer.MAX_VALUE, 0);
  }

  /**
   * Creates a forwarder that gathers frames. Only a {@link PollingReceiver} lets it wait beyond the
   * end of a receive batch.
   *
   * @param ring where frames go; its driver has the pool of the receiving one
   * @param isTouching whether the core loads the first bytes of each frame
   * @param batch frames that are sent at once, at least 1
   * @param drainPs how long a frame waits for others, in picoseconds, at least 0
   */
  public Forwarder(TxRing ring, boolean isTouching, int batch, long drainPs) {
    this.ring = requireNonNull(ring, "ring");
    this.isTouching = isTouching;
    Requirements.require(batch >= 1, "batch", batch, ">= 1");
    Requirements.require(drainPs >= 0, "drainPs", drainPs, ">= 0");
    this.batch = batch;
    this.drainPs = drainPs;
  }

  @Override
  public void onFrame(CpuPort port, ReceivedFrame frame) {
    if (isTouching) {
      port.touch(frame.pa(0), Long.BYTES); // ixy counts up a byte, which nothing waits for
    }
    if (ring.freeCount() < frame.segmentCount()) {
      ring.clean(port, Integer.MAX_VALUE);
    }
    if (!ring.tryForward(port, frame)) {
      droppedTotal++;
      return;
    }
    if (heldCount++ == 0) {
      drainAtPs = port.nowPs() + drainPs;
    }
    if (heldCount >= batch) {
      drain(port);
    }
  }

  @Override
  public void onBatchEnd(CpuPort port) {
    if (drainPs == 0) {
      drain(port);
    }
  }

  @Override
  public long drainAtPs() {
    return drainAtPs;
  }

  @Override
  public void drain(CpuPort port) {
    ring.clean(port, Integer.MAX_VALUE);
    ring.flush(port);
    heldCount = 0;
    drainAtPs = NEVER_PS;
  }

  /** {@return the frames dropped because the transmit queue was full} */
  public long droppedTotal() {
    return droppedTotal;
  }
}
