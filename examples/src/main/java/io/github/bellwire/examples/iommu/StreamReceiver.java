package io.github.bellwire.examples.iommu;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.device.striding.driver.FrameHandler;
import io.github.bellwire.device.striding.driver.RxPage;
import io.github.bellwire.device.striding.driver.StridingChannel;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The network stack of the receiving host, as far as it rules what devices see: consecutive frames
 * of a flow that come in one turn are handled as one segment; bytes in order are copied to the
 * application, which lets go of their pages; others wait, and so do their pages. Each segment of
 * several frames, or with a gap before it, is acknowledged at once, of others every second one.
 */
final class StreamReceiver implements FrameHandler {
  /** Frames of a flow that may wait behind a gap, a power of two. */
  static final int WINDOW = 512;

  private static final int MASK = WINDOW - 1;
  private static final int PAGES_PER_FRAME = 4;

  private final StreamCosts costs;
  private final int payloadBytes;
  private final int segmentFramesMax;
  private final Flow[] flows;
  private final byte[] ack = new byte[AckLayout.LENGTH_BYTES];

  // Segments of the turn; turns of channels do not overlap.
  private int[] segmentFlows = new int[64];
  private int[] segmentFirsts = new int[64];
  private int[] segmentFrames = new int[64];
  private int segments;

  private long deliveredFrames;
  private long duplicateFrames;
  private long acksTotal;
  private long acksRefusedTotal;
  private long segmentsTotal;

  private static final class Flow {
    final @Nullable RxPage[] pages = new @Nullable RxPage[WINDOW * PAGES_PER_FRAME];
    final boolean[] isHere = new boolean[WINDOW];
    int expected;
    int openSegment = -1;
    int ahead;
    boolean owesAck;
  }

  StreamReceiver(int flowsCount, int payloadBytes, StreamCosts costs) {
    this.costs = costs;
    this.payloadBytes = payloadBytes;
    segmentFramesMax = Math.max(1, costs.segmentBytesMax() / payloadBytes);
    flows = new Flow[flowsCount];
    Arrays.setAll(flows, i -> new Flow());
  }

  @Override
  public void onFrame(
      CpuPort port,
      StridingChannel channel,
      int flowIndex,
      int sequence,
      int lengthBytes,
      RxPage[] pages,
      int firstPage,
      int lastPage) {
    port.compute(costs.perFrame());
    Flow flow = flows[flowIndex];
    int slot = sequence & MASK;
    if (sequence < flow.expected || flow.isHere[slot]) {
      duplicateFrames++;
    } else {
      flow.isHere[slot] = true;
      flow.ahead++;
      for (int i = firstPage; i <= lastPage; i++) {
        pages[i].hold();
        flow.pages[slot * PAGES_PER_FRAME + i - firstPage] = pages[i];
      }
    }
    addToSegment(flow, flowIndex, sequence);
  }

  private void addToSegment(Flow flow, int flowIndex, int sequence) {
    int open = flow.openSegment;
    if (open >= 0
        && segmentFirsts[open] + segmentFrames[open] == sequence
        && segmentFrames[open] < segmentFramesMax) {
      segmentFrames[open]++;
      return;
    }
    if (segments == segmentFlows.length) {
      segmentFlows = Arrays.copyOf(segmentFlows, 2 * segments);
      segmentFirsts = Arrays.copyOf(segmentFirsts, 2 * segments);
      segmentFrames = Arrays.copyOf(segmentFrames, 2 * segments);
    }
    segmentFlows[segments] = flowIndex;
    segmentFirsts[segments] = sequence;
    segmentFrames[segments] = 1;
    flow.openSegment = segments++;
  }

  @Override
  public void onTurnEnd(CpuPort port, StridingChannel channel) {
    for (int i = 0; i < segments; i++) {
      Flow flow = flows[segmentFlows[i]];
      flow.openSegment = -1;
      port.compute(costs.perSegment());
      segmentsTotal++;
      deliver(port, flow);
      boolean hasGap = flow.ahead > 0;
      if (hasGap || segmentFrames[i] > 1 || flow.owesAck) {
        flow.owesAck = false;
        acknowledge(port, channel, segmentFlows[i], flow);
      } else {
        flow.owesAck = true;
      }
    }
    segments = 0;
  }

  /** The application reads what is in order. */
  private void deliver(CpuPort port, Flow flow) {
    while (flow.isHere[flow.expected & MASK]) {
      int slot = flow.expected & MASK;
      flow.isHere[slot] = false;
      flow.ahead--;
      flow.expected++;
      deliveredFrames++;
      port.compute(payloadBytes / costs.copyBytesPerCycle());
      for (int i = slot * PAGES_PER_FRAME; i < (slot + 1) * PAGES_PER_FRAME; i++) {
        RxPage page = flow.pages[i];
        if (page != null) {
          page.release();
          flow.pages[i] = null;
        }
      }
    }
  }

  private void acknowledge(CpuPort port, StridingChannel channel, int index, Flow flow) {
    AckLayout.put(ack, AckLayout.FLOW, index, Integer.BYTES);
    AckLayout.put(ack, AckLayout.EXPECTED, flow.expected, Integer.BYTES);
    for (int word = 0; word < AckLayout.ARRIVED_WORDS; word++) {
      long bits = 0;
      int first = flow.expected + word * Long.SIZE;
      for (int bit = 0; flow.ahead > 0 && bit < Long.SIZE; bit++) {
        bits |= flow.isHere[first + bit & MASK] ? 1L << bit : 0;
      }
      AckLayout.put(ack, AckLayout.ARRIVED + word * Long.BYTES, bits, Long.BYTES);
    }
    if (channel.transmit(port, ack, AckLayout.LENGTH_BYTES)) {
      acksTotal++;
    } else {
      acksRefusedTotal++;
    }
  }

  /** {@return frames that the application has got, each once and in order} */
  long deliveredFrames() {
    return deliveredFrames;
  }

  /** {@return their payload} */
  long deliveredBytes() {
    return deliveredFrames * payloadBytes;
  }

  /** {@return frames that wait behind gaps} */
  long waitingFrames() {
    long waiting = 0;
    for (Flow flow : flows) {
      waiting += flow.ahead;
    }
    return waiting;
  }

  /** {@return frames that had come before} */
  long duplicateFrames() {
    return duplicateFrames;
  }

  /** {@return acknowledgements sent} */
  long acksTotal() {
    return acksTotal;
  }

  /** {@return acknowledgements for which the send ring had no room} */
  long acksRefusedTotal() {
    return acksRefusedTotal;
  }

  /** {@return segments handled} */
  long segmentsTotal() {
    return segmentsTotal;
  }
}
