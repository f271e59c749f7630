package io.github.bellwire.examples.iommu;

import io.github.bellwire.device.striding.FrameListener;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.RandomStream;
import io.github.bellwire.kernel.Simulation;
import java.util.Arrays;

/**
 * Flows that send as much as their windows let them over one wire, taking turns in bursts. A window
 * grows per round trip and shrinks once per round trip in which a frame is lost; a frame is lost
 * when one that was sent later has arrived.
 *
 * <p>Not modelled: marks and queues of switches, slow start, retransmission timeouts behind the
 * probe.
 */
final class Senders implements FrameListener {
  private static final int MASK = StreamReceiver.WINDOW - 1;

  /** Where frames go; says whether there was room for one. */
  interface Wire {
    boolean send(int flow, int sequence, int lengthBytes);
  }

  private final Simulation simulation;
  private final SenderConfig config;
  private final CongestionControl control;
  private final Wire wire;
  private final Flow[] flows;
  private final int burstFrames;
  private final double windowFramesMax;

  // Flows that may send, in turn.
  private final int[] turns;
  private int turnsHead;
  private int turnsCount;
  private int burstLeft;
  private final Event transmitter;
  private boolean isBusy;

  // Acknowledgements on their way, in the order of arrival.
  private byte[] acks = new byte[AckLayout.LENGTH_BYTES * 64];
  private long[] ackPs = new long[64];
  private int acksCount;
  private final Event arrival;
  private final Event probe;

  private long sentFrames;
  private long retransmittedFrames;
  private long probes;
  private boolean isStopped;

  private static final class Flow {
    final long[] stamps = new long[StreamReceiver.WINDOW];
    final boolean[] isArrived = new boolean[StreamReceiver.WINDOW];
    final boolean[] isLost = new boolean[StreamReceiver.WINDOW];
    int first;
    int next;
    int arrived;
    int lost;
    int lossEnd;
    long stamp;
    long newestArrived;
    double window;
    long heardPs;
    boolean isInTurn;
    long writtenBytes;
  }

  Senders(Simulation simulation, SenderConfig config, int flowsCount, Wire wire) {
    this.simulation = simulation;
    this.config = config;
    control = config.control();
    this.wire = wire;
    flows = new Flow[flowsCount];
    Arrays.setAll(flows, i -> new Flow());
    turns = new int[flowsCount];
    burstFrames = Math.max(1, config.burstBytes() / config.payloadBytes());
    windowFramesMax =
        Math.min(
            AckLayout.ARRIVED_WORDS * Long.SIZE,
            (double) config.windowBytesMax() / config.payloadBytes());
    double start = (double) config.startBytes() / config.payloadBytes() / flowsCount;
    for (Flow flow : flows) {
      flow.window = Math.max(2, Math.min(windowFramesMax, start));
    }
    transmitter = new Transmitter();
    arrival = new Arrival();
    probe = new Probe();
  }

  /** All flows begin to send. */
  void start() {
    RandomStream phases = simulation.randomStream("writes");
    for (int i = 0; i < flows.length; i++) {
      flows[i].heardPs = simulation.nowPs();
      if (config.writeBytes() == 0) {
        offer(i);
      } else {
        long phasePs = (long) (phases.nextDouble() * config.writeIntervalPs());
        simulation.schedule(new Writer(i), simulation.nowPs() + phasePs);
      }
    }
    simulation.schedule(probe, simulation.nowPs() + config.probePs() / 8);
  }

  /** Nothing more is sent. */
  void stop() {
    isStopped = true;
    simulation.cancel(probe);
  }

  private final class Transmitter extends Event {
    @Override
    protected void onEvent(long nowPs) {
      sendNext();
    }
  }

  private final class Arrival extends Event {
    @Override
    protected void onEvent(long nowPs) {
      takeAck(nowPs);
    }
  }

  private final class Probe extends Event {
    @Override
    protected void onEvent(long nowPs) {
      probeSilent(nowPs);
      simulation.schedule(this, nowPs + config.probePs() / 8);
    }
  }

  /** The application of a flow hands over what it sends next. */
  private final class Writer extends Event {
    private final int index;

    Writer(int index) {
      this.index = index;
    }

    @Override
    protected void onEvent(long nowPs) {
      flows[index].writtenBytes += config.writeBytes();
      offer(index);
      simulation.schedule(this, nowPs + config.writeIntervalPs());
    }
  }

  private boolean maySend(Flow flow) {
    int underWay = flow.next - flow.first - flow.arrived - flow.lost;
    return underWay < (int) flow.window && (flow.lost > 0 || hasNew(flow));
  }

  private boolean hasNew(Flow flow) {
    boolean isWritten =
        config.writeBytes() == 0 || flow.writtenBytes >= (flow.next + 1L) * config.payloadBytes();
    return isWritten && flow.next - flow.first < windowFramesMax;
  }

  private void offer(int index) {
    Flow flow = flows[index];
    if (flow.isInTurn || !maySend(flow) || isStopped) {
      return;
    }
    flow.isInTurn = true;
    turns[(turnsHead + turnsCount) % turns.length] = index;
    turnsCount++;
    if (!isBusy) {
      isBusy = true;
      burstLeft = burstFrames;
      simulation.schedule(transmitter, simulation.nowPs() + config.framePs());
    }
  }

  /** The last bit of a frame is at the receiver: it is the flow's whose turn it is. */
  private void sendNext() {
    int index = turns[turnsHead];
    Flow flow = flows[index];
    if (maySend(flow) && !isStopped) {
      send(index, flow);
      burstLeft--;
    } else {
      burstLeft = 0;
    }
    if (burstLeft == 0 || !maySend(flow)) {
      burstLeft = burstFrames;
      turnsHead = (turnsHead + 1) % turns.length;
      turnsCount--;
      flow.isInTurn = false;
      offer(index);
    }
    isBusy = turnsCount > 0 && !isStopped;
    if (isBusy && !transmitter.isScheduled()) {
      simulation.schedule(transmitter, simulation.nowPs() + config.framePs());
    }
  }

  private void send(int index, Flow flow) {
    int sequence = flow.next;
    if (flow.lost > 0) {
      sequence = flow.first;
      while (!flow.isLost[sequence & MASK]) {
        sequence++;
      }
      flow.isLost[sequence & MASK] = false;
      flow.lost--;
      retransmittedFrames++;
    } else {
      if (flow.next == flow.first) {
        flow.heardPs = simulation.nowPs();
      }
      flow.isArrived[sequence & MASK] = false;
      flow.next++;
    }
    flow.stamps[sequence & MASK] = ++flow.stamp;
    sentFrames++;
    wire.send(index, sequence, config.frameBytes());
  }

  @Override
  public void onFrame(byte[] frame, int lengthBytes, long atPs) {
    if (acksCount == ackPs.length) {
      ackPs = Arrays.copyOf(ackPs, 2 * acksCount);
      acks = Arrays.copyOf(acks, 2 * acksCount * AckLayout.LENGTH_BYTES);
    }
    long arrivalPs = atPs + config.delayPs();
    int place = acksCount++;
    int bytes = AckLayout.LENGTH_BYTES;
    while (place > 0 && ackPs[place - 1] > arrivalPs) {
      ackPs[place] = ackPs[place - 1];
      System.arraycopy(acks, (place - 1) * bytes, acks, place * bytes, bytes);
      place--;
    }
    ackPs[place] = arrivalPs;
    System.arraycopy(frame, 0, acks, place * bytes, bytes);
    simulation.reschedule(arrival, ackPs[0]);
  }

  private void takeAck(long nowPs) {
    int index = (int) AckLayout.get(acks, AckLayout.FLOW, Integer.BYTES);
    int expected = (int) AckLayout.get(acks, AckLayout.EXPECTED, Integer.BYTES);
    onAck(index, flows[index], expected, nowPs);
    acksCount--;
    int bytes = AckLayout.LENGTH_BYTES;
    System.arraycopy(ackPs, 1, ackPs, 0, acksCount);
    System.arraycopy(acks, bytes, acks, 0, acksCount * bytes);
    if (acksCount > 0) {
      simulation.schedule(arrival, Math.max(nowPs, ackPs[0]));
    }
  }

  private void onAck(int index, Flow flow, int expected, long nowPs) {
    flow.heardPs = nowPs;
    int fresh = 0;
    while (flow.first < expected) {
      fresh += arrive(flow, flow.first & MASK);
      flow.arrived--;
      flow.first++;
    }
    if (flow.first == expected) {
      for (int word = 0; word < AckLayout.ARRIVED_WORDS; word++) {
        int offset = AckLayout.ARRIVED + word * Long.BYTES;
        for (long bits = AckLayout.get(acks, offset, Long.BYTES); bits != 0; bits &= bits - 1) {
          int sequence = expected + word * Long.SIZE + Long.numberOfTrailingZeros(bits);
          fresh += arrive(flow, sequence & MASK);
        }
      }
    }
    boolean hasLoss = findLost(flow);
    if (hasLoss && flow.first >= flow.lossEnd) {
      flow.lossEnd = flow.next;
      flow.window = Math.max(2, flow.window * control.keptRatio());
    } else if (flow.first >= flow.lossEnd) {
      flow.window =
          Math.min(windowFramesMax, flow.window + control.growthFrames() * fresh / flow.window);
    }
    offer(index);
  }

  /** Returns 1 if that is news. */
  private static int arrive(Flow flow, int slot) {
    if (flow.isArrived[slot]) {
      return 0;
    }
    flow.isArrived[slot] = true;
    flow.arrived++;
    flow.newestArrived = Math.max(flow.newestArrived, flow.stamps[slot]);
    if (flow.isLost[slot]) {
      flow.isLost[slot] = false;
      flow.lost--;
    }
    return 1;
  }

  /** Frames that others have overtaken are lost. */
  private static boolean findLost(Flow flow) {
    boolean isFound = false;
    if (flow.arrived == 0 && flow.newestArrived == 0) {
      return false;
    }
    for (int sequence = flow.first; sequence < flow.next; sequence++) {
      int slot = sequence & MASK;
      if (!flow.isArrived[slot] && !flow.isLost[slot] && flow.stamps[slot] < flow.newestArrived) {
        flow.isLost[slot] = true;
        flow.lost++;
        isFound = true;
      }
    }
    return isFound;
  }

  private void probeSilent(long nowPs) {
    for (int i = 0; i < flows.length; i++) {
      Flow flow = flows[i];
      if (flow.next == flow.first || nowPs - flow.heardPs < config.probePs()) {
        continue;
      }
      flow.heardPs = nowPs;
      probes++;
      // All is lost that has not arrived: a window of one frame probes for the rest.
      for (int sequence = flow.first; sequence < flow.next; sequence++) {
        int slot = sequence & MASK;
        if (!flow.isArrived[slot] && !flow.isLost[slot]) {
          flow.isLost[slot] = true;
          flow.lost++;
        }
      }
      flow.window = Math.max(2, flow.window * control.keptRatio());
      flow.lossEnd = flow.next;
      offer(i);
    }
  }

  /** {@return frames sent, those sent again included} */
  long sentFrames() {
    return sentFrames;
  }

  /** {@return frames sent again} */
  long retransmittedFrames() {
    return retransmittedFrames;
  }

  /** {@return how often a flow heard nothing for too long} */
  long probes() {
    return probes;
  }
}
