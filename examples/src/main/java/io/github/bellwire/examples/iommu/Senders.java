package io.github.bellwire.examples.iommu;

import io.github.bellwire.device.striding.FrameListener;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.RandomStream;
import io.github.bellwire.kernel.Simulation;
import java.util.Arrays;

/**
 * Flows that send as much as their windows let them over one wire, taking turns in bursts. Losses
 * that acknowledgements do not tell of are found by timers of Linux: three ticks after some frames
 * have arrived behind a gap, or without any, by a probe; and else by a timeout of 200 ms, which
 * doubles. Acknowledgements are heard together, by the events of the adapter that sends.
 *
 * <p>Not modelled: marks and queues of switches, slow start of new connections, limits of what an
 * acknowledgement can tell.
 */
final class Senders implements FrameListener {
  private static final int NEVER = -1;
  private static final int BACKOFF_MAX = 6;

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
  private final int windowFramesMax;
  private int tick;

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
  private final long[] eventPs;
  private final Event arrival;
  private final Event ticker;

  private long sentFrames;
  private long retransmittedFrames;
  private long probesTotal;
  private long timeoutsTotal;
  private long lateLossesTotal;
  private boolean isStopped;

  private final class Flow {
    final SendFlow frames =
        new SendFlow(new SendWindow(control, startFrames(), windowFramesMax), windowFramesMax);
    // The tick in which something was heard or sent last that timers count from.
    int heardTick;
    int lookTick = NEVER;
    boolean isProbed;
    int timeouts;
    boolean isInTurn;
    long writtenBytes;
  }

  Senders(Simulation simulation, SenderConfig config, int flowsCount, Wire wire) {
    this.simulation = simulation;
    this.config = config;
    control = config.control();
    this.wire = wire;
    turns = new int[flowsCount];
    burstFrames = Math.max(1, config.burstBytes() / config.payloadBytes());
    windowFramesMax =
        Math.min(
            AckLayout.ARRIVED_WORDS * Long.SIZE, config.windowBytesMax() / config.payloadBytes());
    flows = new Flow[flowsCount];
    Arrays.setAll(flows, i -> new Flow());
    eventPs = new long[config.queues()];
    transmitter = new Transmitter();
    arrival = new Arrival();
    ticker = new Ticker();
  }

  /** All flows begin to send. */
  void start() {
    RandomStream phases = simulation.randomStream("writes");
    for (int i = 0; i < flows.length; i++) {
      if (config.writeBytes() == 0) {
        offer(i);
      } else {
        long phasePs = (long) (phases.nextDouble() * config.writeIntervalPs());
        simulation.schedule(new Writer(i), simulation.nowPs() + phasePs);
      }
    }
    simulation.schedule(ticker, simulation.nowPs() + config.tickPs());
  }

  /** Nothing more is sent. */
  void stop() {
    isStopped = true;
    simulation.cancel(ticker);
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

  private final class Ticker extends Event {
    @Override
    protected void onEvent(long nowPs) {
      tick++;
      for (int i = 0; i < flows.length; i++) {
        checkTimers(i, nowPs);
      }
      simulation.schedule(this, nowPs + config.tickPs());
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

  private double startFrames() {
    return (double) config.startBytes() / config.payloadBytes() / turns.length;
  }

  private boolean maySend(Flow flow) {
    SendFlow frames = flow.frames;
    return frames.underWay() < frames.window.frames() && (frames.hasLost() || hasNew(flow));
  }

  private boolean hasNew(Flow flow) {
    long sent = flow.frames.next();
    boolean isWritten =
        config.writeBytes() == 0 || flow.writtenBytes >= (sent + 1) * config.payloadBytes();
    return isWritten && flow.frames.hasRoom();
  }

  private void offer(int index) {
    Flow flow = flows[index];
    if (flow.isInTurn
        || !maySend(flow)
        || isStopped
        || !flow.frames.hasLost() && flow.frames.defers(burstFrames, simulation.nowPs())) {
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
    SendFlow frames = flow.frames;
    retransmittedFrames += frames.hasLost() ? 1 : 0;
    int sequence = frames.take(simulation.nowPs());
    if (sequence == frames.first() || frames.window.isOpen()) {
      flow.heardTick = tick;
    }
    transmit(index, sequence);
  }

  private void transmit(int index, int sequence) {
    sentFrames++;
    wire.send(index, sequence, config.frameBytes());
  }

  @Override
  public void onFrame(byte[] frame, int lengthBytes, long atPs) {
    if (acksCount == ackPs.length) {
      ackPs = Arrays.copyOf(ackPs, 2 * acksCount);
      acks = Arrays.copyOf(acks, 2 * acksCount * AckLayout.LENGTH_BYTES);
    }
    int queue = (int) AckLayout.get(frame, AckLayout.FLOW, Integer.BYTES) % eventPs.length;
    long arrivalPs = atPs + config.delayPs();
    if (arrivalPs > eventPs[queue]) {
      eventPs[queue] = arrivalPs + config.moderationPs();
    }
    arrivalPs = eventPs[queue];
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
    SendFlow frames = flow.frames;
    boolean isAdvanced = expected > frames.first();
    if (isAdvanced) {
      flow.heardTick = tick;
      flow.isProbed = false;
      flow.timeouts = 0;
    }
    int lostBefore = frames.lost();
    int news = frames.arriveBefore(expected, nowPs);
    for (int word = 0; frames.first() == expected && word < AckLayout.ARRIVED_WORDS; word++) {
      int offset = AckLayout.ARRIVED + word * Long.BYTES;
      for (long bits = AckLayout.get(acks, offset, Long.BYTES); bits != 0; bits &= bits - 1) {
        int sequence = expected + word * Long.SIZE + Long.numberOfTrailingZeros(bits);
        news += frames.arrive(sequence, nowPs);
      }
    }
    look(index, flow, news, isAdvanced, lostBefore, nowPs);
  }

  /** Looks for losses, again later if there may be some, and sends. */
  private void look(
      int index, Flow flow, int news, boolean isAdvanced, int lostBefore, long nowPs) {
    flow.lookTick = flow.frames.findLost(nowPs) ? tick + config.probeTicks() : NEVER;
    flow.frames.settle(news, isAdvanced, lostBefore);
    offer(index);
  }

  private void checkTimers(int index, long nowPs) {
    Flow flow = flows[index];
    SendFlow frames = flow.frames;
    if (frames.isIdle()) {
      return;
    }
    if (flow.lookTick != NEVER) {
      if (tick >= flow.lookTick) {
        flow.heardTick = tick;
        lateLossesTotal++;
        look(index, flow, 0, false, frames.lost(), nowPs);
      }
      return;
    }
    int silentTicks = tick - flow.heardTick;
    boolean isAlone = frames.next() - frames.first() == 1;
    boolean isProbe = frames.window.isOpen() && !flow.isProbed;
    if (isProbe && silentTicks >= (isAlone ? config.timeoutTicks() : config.probeTicks())) {
      probe(index, flow, nowPs);
    } else if (silentTicks >= config.timeoutTicks() << Math.min(flow.timeouts, BACKOFF_MAX)) {
      timeOut(index, flow, nowPs);
    }
  }

  /** Sends something, so that what comes back tells of the rest. */
  private void probe(int index, Flow flow, long nowPs) {
    flow.isProbed = true;
    flow.heardTick = tick;
    probesTotal++;
    transmit(index, hasNew(flow) ? flow.frames.takeNew(nowPs) : flow.frames.takeLast(nowPs));
  }

  private void timeOut(int index, Flow flow, long nowPs) {
    flow.heardTick = tick;
    flow.timeouts++;
    timeoutsTotal++;
    flow.frames.loseAll();
    offer(index);
  }

  /** {@return frames sent, those sent again included} */
  long sentFrames() {
    return sentFrames;
  }

  /** {@return frames sent again} */
  long retransmittedFrames() {
    return retransmittedFrames;
  }

  /** {@return how often a flow sent a frame since it had heard nothing} */
  long probesTotal() {
    return probesTotal;
  }

  /** {@return how often a flow found a loss by a timer only} */
  long lateLossesTotal() {
    return lateLossesTotal;
  }

  /** {@return how often a flow gave up everything that was under way} */
  long timeoutsTotal() {
    return timeoutsTotal;
  }
}
