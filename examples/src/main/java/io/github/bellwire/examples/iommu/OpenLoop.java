package io.github.bellwire.examples.iommu;

import io.github.bellwire.device.striding.FrameListener;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.stats.LatencyHistogram;

/** Flows that send at a fixed rate in turn, whatever becomes of their frames. */
final class OpenLoop implements FrameListener, StreamReceiver.Delivery {
  private static final int MASK = StreamReceiver.WINDOW - 1;

  private final Simulation simulation;
  private final Senders.Wire wire;
  private final int frameBytes;
  private final long intervalPs;
  private final int[] next;
  private final long[][] arrivalPs;
  private final LatencyHistogram latency = new LatencyHistogram();
  private final Event sender;
  private int turn;
  private long sentTotal;

  OpenLoop(
      Simulation simulation, Senders.Wire wire, int flowsCount, int frameBytes, long intervalPs) {
    this.simulation = simulation;
    this.wire = wire;
    this.frameBytes = frameBytes;
    this.intervalPs = intervalPs;
    next = new int[flowsCount];
    arrivalPs = new long[flowsCount][StreamReceiver.WINDOW];
    sender =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            send(nowPs);
          }
        };
  }

  void start() {
    simulation.schedule(sender, simulation.nowPs() + intervalPs);
  }

  void stop() {
    simulation.cancel(sender);
  }

  private void send(long nowPs) {
    sentTotal++;
    arrivalPs[turn][next[turn] & MASK] = nowPs;
    // A frame that finds the buffer full is sent again in its turn: nothing waits behind a gap.
    if (wire.send(turn, next[turn], frameBytes)) {
      next[turn]++;
    }
    turn = turn + 1 == next.length ? 0 : turn + 1;
    simulation.schedule(sender, nowPs + intervalPs);
  }

  @Override
  public void onFrame(byte[] frame, int lengthBytes, long atPs) {
    // Nobody waits for acknowledgements.
  }

  @Override
  public void onDelivered(int flow, int sequence, long atPs) {
    latency.record(atPs - arrivalPs[flow][sequence & MASK]);
  }

  /** {@return frames sent, those that are sent again included} */
  long sentTotal() {
    return sentTotal;
  }

  LatencyHistogram latency() {
    return latency;
  }
}
