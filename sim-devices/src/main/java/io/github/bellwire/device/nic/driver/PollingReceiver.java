package io.github.bellwire.device.nic.driver;

import io.github.bellwire.cpu.Core;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.PollLoop;
import io.github.bellwire.kernel.Requirements;
import java.util.Collections;
import java.util.List;

/**
 * Receives by polling, one batch from each of its queues in turn, for ever: kernel bypass. The
 * queues may belong to several ports. Wake it once to start it.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
public final class PollingReceiver extends PollLoop {
  private final RxRing[] rings;
  private final FrameHandler[] handlers;
  private final int batch;
  private final int cyclesPerBatch;

  /**
   * Creates a receiver that gives all frames to one handler.
   *
   * @param core where it runs
   * @param config batch size and costs
   * @param rings at least one, in the order in which they are polled
   * @param handler gets the frames
   */
  public PollingReceiver(
      Core core, NicDriverConfig config, List<RxRing> rings, FrameHandler handler) {
    this(core, config, rings, Collections.nCopies(rings.size(), handler));
  }

  /**
   * Creates a receiver with a handler for each queue.
   *
   * @param core where it runs
   * @param config batch size and costs
   * @param rings at least one, in the order in which they are polled
   * @param handlers as many
   * @throws IllegalArgumentException if there are no rings or another number of handlers
   */
  public PollingReceiver(
      Core core, NicDriverConfig config, List<RxRing> rings, List<FrameHandler> handlers) {
    super(core, requireSame(rings, handlers));
    this.rings = rings.toArray(new RxRing[0]);
    this.handlers = handlers.toArray(new FrameHandler[0]);
    batch = config.batch();
    cyclesPerBatch = config.profile().perBatch();
  }

  @Override
  protected boolean poll(CpuPort port) {
    boolean isFound = false;
    long nextPs = FrameHandler.NEVER_PS;
    for (int i = 0; i < rings.length; i++) {
      RxRing ring = rings[i];
      port.compute(cyclesPerBatch);
      isFound |= ring.receive(port, batch, handlers[i]) > 0;
      nextPs = Math.min(nextPs, drainIfDue(port, handlers[i]));
      if (ring.isStarved()) {
        ring.awaitBuffers(port, this);
      }
    }
    if (!isFound && nextPs != FrameHandler.NEVER_PS) {
      wakeAt(Math.max(nextPs, port.nowPs()));
    }
    return isFound;
  }

  @Override
  protected long watchedPa(int index) {
    return rings[index].nextStatusPa();
  }

  /** Returns when the handler is to be drained next. */
  private static long drainIfDue(CpuPort port, FrameHandler handler) {
    if (handler.drainAtPs() <= port.nowPs()) {
      handler.drain(port);
    }
    return handler.drainAtPs();
  }

  private static int requireSame(List<RxRing> rings, List<FrameHandler> handlers) {
    Requirements.require(!rings.isEmpty(), "rings", 0, "at least one");
    Requirements.require(
        handlers.size() == rings.size(), "handlers", handlers.size(), "" + rings.size());
    return rings.size();
  }
}
