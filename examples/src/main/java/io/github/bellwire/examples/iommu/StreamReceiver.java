package io.github.bellwire.examples.iommu;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.device.striding.driver.FrameHandler;
import io.github.bellwire.device.striding.driver.RxPage;
import io.github.bellwire.device.striding.driver.StridingChannel;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The network stack of the receiving host, as far as it rules what devices see: consecutive frames
 * of a flow that come in one turn are handled as one segment; what is in order is read by the
 * application on the same core, after the turn, which lets go of its pages; the rest waits, and so
 * do its pages. Segments are acknowledged at once only if they have a gap before them, fill one or
 * bring nothing new; else what the application reads is, a single frame after 40 ms (tcp_input.c
 * and tcp_cleanup_rbuf of Linux).
 */
final class StreamReceiver implements FrameHandler {
  /** Frames of a flow that may wait behind a gap, a power of two. */
  static final int WINDOW = 512;

  private static final int MASK = WINDOW - 1;
  private static final int PAGES_PER_FRAME = 4;

  /** Acknowledgements at once while there is a gap (TCP_FASTRETRANS_THRESH); then one per turn. */
  private static final int REPEATED_MAX = 3;

  /** TCP_DELACK_MIN of Linux. */
  private static final long DELAY_PS = 40_000_000_000L;

  private static final long NOT_DUE = Long.MAX_VALUE;

  /** Hears when applications have got a frame. */
  interface Delivery {
    void onDelivered(int flow, int sequence, long atPs);
  }

  private final StreamCosts costs;
  private final int payloadBytes;
  private final int segmentFramesMax;
  private final int readFramesMax;
  private final Flow[] flows;
  private final Delivery delivery;
  private final byte[] ack = new byte[AckLayout.LENGTH_BYTES];

  private final Map<StridingChannel, Readers> readers = new IdentityHashMap<>();
  private final Map<StridingChannel, DelayedAcks> delayed = new IdentityHashMap<>();

  private long deliveredFrames;
  private long duplicateFrames;
  private long acksTotal;
  private long acksRefusedTotal;
  private long segmentsTotal;

  private static final class Flow {
    final @Nullable RxPage[] pages = new @Nullable RxPage[WINDOW * PAGES_PER_FRAME];
    final boolean[] isHere = new boolean[WINDOW];
    int expected;
    int read;
    int openSegment = -1;
    int ahead;
    // The acknowledgement that has been sent last, and how often there was a gap before it since.
    int acknowledged;
    int repeated;
    boolean owesSelective;
    long duePs = NOT_DUE;
    boolean isReading;

    void release(int slot) {
      for (int i = slot * PAGES_PER_FRAME; i < (slot + 1) * PAGES_PER_FRAME; i++) {
        RxPage page = pages[i];
        if (page != null) {
          page.release();
          pages[i] = null;
        }
      }
    }
  }

  StreamReceiver(int flowsCount, int payloadBytes, StreamCosts costs, Delivery delivery) {
    this.delivery = delivery;
    this.costs = costs;
    this.payloadBytes = payloadBytes;
    segmentFramesMax = Math.max(1, costs.segmentBytesMax() / payloadBytes);
    readFramesMax = Math.max(1, costs.readBytesMax() / payloadBytes);
    flows = new Flow[flowsCount];
    Arrays.setAll(flows, i -> new Flow());
  }

  /** The applications of a channel's core, one per flow, which take turns. */
  private final class Readers extends Routine {
    // Segments of the channel's turn.
    private int[] segmentFlows = new int[64];
    private int[] segmentFirsts = new int[64];
    private int[] segmentFrames = new int[64];
    private int segments;
    private final int[] waiting = new int[flows.length];
    private int head;
    private int count;
    private int running = -1;

    private final StridingChannel channel;

    Readers(StridingChannel channel) {
      super(channel.core());
      this.channel = channel;
    }

    /** There is something to read for a flow's application. */
    void wake(int flow) {
      if (!flows[flow].isReading) {
        flows[flow].isReading = true;
        waiting[(head + count) % waiting.length] = flow;
        count++;
      }
    }

    @Override
    protected void run(CpuPort port) {
      if (count == 0) {
        return;
      }
      int index = waiting[head];
      Flow flow = flows[index];
      head = (head + 1) % waiting.length;
      count--;
      port.compute(costs.perRead());
      if (index != running) {
        running = index;
        port.compute(costs.perSwitch());
      }
      for (int frames = 0; frames < readFramesMax && flow.read < flow.expected; frames++) {
        port.compute(payloadBytes / costs.copyBytesPerCycle());
        flow.release(flow.read & MASK);
        delivery.onDelivered(index, flow.read, port.nowPs());
        flow.read++;
        deliveredFrames++;
      }
      flow.isReading = false;
      acknowledgeRead(port, channel, index, flow);
      channel.ring(port);
      if (flow.read < flow.expected) {
        wake(index);
      }
      if (count > 0) {
        wakeAt(port.nowPs());
      }
    }
  }

  private Readers readers(StridingChannel channel) {
    return Objects.requireNonNull(readers.get(channel));
  }

  /** Applications on a core read what comes in through its channel. */
  void serve(StridingChannel channel) {
    readers.put(channel, new Readers(channel));
    delayed.put(channel, new DelayedAcks(channel));
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
    // Beyond the window there is no room in the socket.
    if (sequence < flow.expected || flow.isHere[slot] || sequence - flow.read >= WINDOW) {
      duplicateFrames++;
    } else {
      flow.isHere[slot] = true;
      flow.ahead++;
      for (int i = firstPage; i <= lastPage; i++) {
        pages[i].hold();
        flow.pages[slot * PAGES_PER_FRAME + i - firstPage] = pages[i];
      }
    }
    addToSegment(readers(channel), flow, flowIndex, sequence);
  }

  private void addToSegment(Readers channel, Flow flow, int flowIndex, int sequence) {
    int open = flow.openSegment;
    if (open >= 0
        && channel.segmentFirsts[open] + channel.segmentFrames[open] == sequence
        && channel.segmentFrames[open] < segmentFramesMax) {
      channel.segmentFrames[open]++;
      return;
    }
    int count = channel.segments;
    if (count == channel.segmentFlows.length) {
      channel.segmentFlows = Arrays.copyOf(channel.segmentFlows, 2 * count);
      channel.segmentFirsts = Arrays.copyOf(channel.segmentFirsts, 2 * count);
      channel.segmentFrames = Arrays.copyOf(channel.segmentFrames, 2 * count);
    }
    channel.segmentFlows[count] = flowIndex;
    channel.segmentFirsts[count] = sequence;
    channel.segmentFrames[count] = 1;
    flow.openSegment = count;
    channel.segments++;
  }

  @Override
  public void onTurnEnd(CpuPort port, StridingChannel channel) {
    Readers applications = readers(channel);
    int segments = applications.segments;
    int[] segmentFlows = applications.segmentFlows;
    for (int i = 0; i < segments; i++) {
      Flow flow = flows[segmentFlows[i]];
      flow.openSegment = -1;
      port.compute(costs.perSegment());
      segmentsTotal++;
      boolean hadGap = flow.ahead > 0;
      boolean isAdvanced = advance(flow);
      if (isAdvanced) {
        flow.repeated = 0;
        applications.wake(segmentFlows[i]);
      }
      if (flow.ahead > 0 && flow.repeated >= REPEATED_MAX) {
        flow.owesSelective = true;
      } else if (flow.ahead > 0 || !isAdvanced || hadGap) {
        flow.repeated++;
        acknowledge(port, channel, segmentFlows[i], flow);
      }
    }
    for (int i = 0; i < segments; i++) {
      Flow flow = flows[segmentFlows[i]];
      if (flow.owesSelective) {
        acknowledge(port, channel, segmentFlows[i], flow);
      }
    }
    applications.segments = 0;
    if (applications.count > 0) {
      applications.wakeAt(port.nowPs());
    }
  }

  /** Acknowledgements of single frames, in the order in which they fall due. */
  private final class DelayedAcks extends Routine {
    private final StridingChannel channel;
    private final int[] waiting = new int[flows.length];
    private int head;
    private int count;

    DelayedAcks(StridingChannel channel) {
      super(channel.core());
      this.channel = channel;
    }

    void add(int index, long nowPs) {
      Flow flow = flows[index];
      if (flow.duePs == NOT_DUE) {
        flow.duePs = nowPs + DELAY_PS;
        waiting[(head + count) % waiting.length] = index;
        count++;
        wakeAt(flow.duePs);
      }
    }

    @Override
    protected void run(CpuPort port) {
      while (count > 0 && flows[waiting[head]].duePs <= port.nowPs()) {
        int index = waiting[head];
        Flow flow = flows[index];
        head = (head + 1) % waiting.length;
        count--;
        flow.duePs = NOT_DUE;
        if (flow.acknowledged < flow.expected) {
          acknowledge(port, channel, index, flow);
        }
      }
      channel.ring(port);
      if (count > 0) {
        wakeAt(flows[waiting[head]].duePs);
      }
    }
  }

  private DelayedAcks delayed(StridingChannel channel) {
    return Objects.requireNonNull(delayed.get(channel));
  }

  /** Returns whether there is more in order than before. */
  private static boolean advance(Flow flow) {
    int before = flow.expected;
    while (flow.isHere[flow.expected & MASK]) {
      flow.isHere[flow.expected & MASK] = false;
      flow.ahead--;
      flow.expected++;
    }
    return flow.expected > before;
  }

  /** An application has read: more than one frame is acknowledged at once, one a while later. */
  private void acknowledgeRead(CpuPort port, StridingChannel channel, int index, Flow flow) {
    int news = flow.expected - flow.acknowledged;
    if (news > 1) {
      acknowledge(port, channel, index, flow);
    } else if (news == 1) {
      delayed(channel).add(index, port.nowPs());
    }
  }

  private void acknowledge(CpuPort port, StridingChannel channel, int index, Flow flow) {
    flow.acknowledged = flow.expected;
    flow.owesSelective = false;
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

  /** {@return frames that wait behind gaps or for their application} */
  long heldFrames() {
    long held = 0;
    for (Flow flow : flows) {
      held += flow.ahead + flow.expected - flow.read;
    }
    return held;
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
