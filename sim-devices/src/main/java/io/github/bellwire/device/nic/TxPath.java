package io.github.bellwire.device.nic;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceSink;
import org.jspecify.annotations.Nullable;

/**
 * The transmit side between host memory and wire.
 *
 * <pre>{@code
 * tail --> fetch descriptors --> read data --> offloads --> FIFO --> wire
 *                                    |
 *                                    +--> descriptor done --> TxReporter
 * }</pre>
 *
 * <p>One engine serves the queues in turn, packet by packet. It processes a descriptor when its own
 * rate, a tag and the FIFO allow; a descriptor is done when its data is on the device.
 */
final class TxPath {
  private final NicConfig config;
  private final Simulation simulation;
  private final RegisterFile registers;
  private final NicStatistics statistics;
  private final DmaGate dma;
  private final MacPort mac;
  private final @Nullable TraceSink trace;
  private final TxReporter reporter;
  private final TxFrameBuilder builder;
  private final TxQueue[] queues;
  private final Event[] fetched;
  private final Event advance;
  private final Event depart;
  private final Event dataArrived;
  private final long psPerDescriptor;
  private final FrameQueue fifo = new FrameQueue();
  private final TxPacket packet = new TxPacket();
  private final DoneQueue arriving = new DoneQueue();
  private final byte[] scratch;

  private int turn;
  private int fetchesCount;
  // Above the highest enabled queue.
  private int queuesEnd;
  private long engineFreePs;
  private long lastReadPs;
  private long emptyDescriptorsTotal;
  private long discardedTotal;

  TxPath(
      NicConfig config,
      Simulation simulation,
      RegisterFile registers,
      NicStatistics statistics,
      InterruptUnit interrupts,
      DmaGate dma,
      MacPort mac,
      @Nullable TraceSink trace) {
    this.config = config;
    this.simulation = simulation;
    this.registers = registers;
    this.statistics = statistics;
    this.dma = dma;
    this.mac = mac;
    this.trace = trace;
    queues = new TxQueue[config.txQueues()];
    fetched = new Event[queues.length];
    for (int i = 0; i < queues.length; i++) {
      queues[i] = new TxQueue(i);
      fetched[i] = fetchEvent(queues[i]);
    }
    reporter = new TxReporter(config, simulation, queues, interrupts, dma, trace);
    builder = new TxFrameBuilder(registers);
    scratch = new byte[config.onChipTxDescriptors() * TxDescriptorLayout.SIZE_BYTES];
    psPerDescriptor = Nic.psPerDescriptor(config);
    advance =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            kick(nowPs);
          }
        };
    depart =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            onDeparture(nowPs);
          }
        };
    dataArrived =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            onDataArrived(nowPs);
          }
        };
  }

  TxQueue queue(int index) {
    return queues[index];
  }

  void reset() {
    for (int i = 0; i < queues.length; i++) {
      disable(queues[i]);
    }
    simulation.cancel(advance);
    simulation.cancel(depart);
    simulation.cancel(dataArrived);
    reporter.reset();
    fifo.clear();
    arriving.clear();
    fetchesCount = 0;
    dma.setTransmitting(false);
    turn = 0;
    engineFreePs = 0;
    lastReadPs = 0;
  }

  void enable(TxQueue queue) {
    disable(queue); // What is left of an earlier ring must not meet the new one.
    queue.enable(registers);
    queuesEnd = Math.max(queuesEnd, queue.index + 1);
  }

  /** Stops a queue where it is; frames that it has completed still leave. */
  void disable(TxQueue queue) {
    if (queue.isEnabled) {
      registers.set(NicRegisters.tdh(queue.index), queue.done);
    }
    queue.disable();
    if (simulation.cancel(fetched[queue.index])) {
      fetchesCount--;
    }
    reporter.cancel(queue);
    arriving.forget(queue.index);
    if (turn == queue.index && !packet.isEmpty()) {
      discardedTotal++;
      packet.clear();
    }
    while (queuesEnd > 0 && !queues[queuesEnd - 1].isEnabled) {
      queuesEnd--;
    }
  }

  void onTail(TxQueue queue, int value, long nowPs) {
    queue.moveTail(value);
    kick(nowPs);
    dma.setTransmitting(!isIdle());
  }

  /** Software asks for the report of what is done. */
  void flush(TxQueue queue, long nowPs) {
    reporter.flush(queue, nowPs);
  }

  /**
   * Goes on as far as possible. To be called when anything that the engine waits for has changed.
   */
  void kick(long nowPs) {
    reporter.resume(nowPs);
    boolean isEnabled = registers.hasBits(NicRegisters.DMATXCTL, NicRegisters.DMATXCTL_TE);
    if (!isEnabled || !dma.isOpen() || !mac.canTransmit()) {
      return;
    }
    int idle = 0;
    while (idle < queuesEnd) {
      turn = turn < queuesEnd ? turn : 0;
      TxQueue queue = queues[turn];
      fetch(queue, nowPs);
      boolean hasMore = queue.isEnabled && queue.onChipCount() > 0;
      if (hasMore && !tryProcess(queue, nowPs)) {
        return;
      }
      idle = hasMore ? 0 : idle + 1;
      if (packet.isEmpty()) {
        turn++;
      } else if (!hasMore) {
        return; // The rest of the packet has not been fetched yet.
      }
    }
  }

  /** {@return accesses that memory refused, and descriptors that describe nothing} */
  long faultsTotal() {
    return emptyDescriptorsTotal + reporter.faultsTotal();
  }

  /** {@return packets not sent because of a fault or because their descriptors made no sense} */
  long discardedTotal() {
    return discardedTotal;
  }

  /** {@return whether nothing is outstanding towards the host} */
  boolean isIdle() {
    return fetchesCount == 0 && arriving.isEmpty();
  }

  private Event fetchEvent(TxQueue queue) {
    return new Event() {
      @Override
      protected void onEvent(long nowPs) {
        long arrivalPs = dma.arrivalPs(queue.fetchTicket);
        if (arrivalPs > nowPs) {
          simulation.schedule(this, arrivalPs); // Others were served first.
          return;
        }
        queue.isFetching = false;
        fetchesCount--;
        queue.fetched = queue.fetchedNext;
        kick(nowPs);
        dma.setTransmitting(!isIdle());
      }
    };
  }

  private void fetch(TxQueue queue, long nowPs) {
    int count = queue.fetchCount(config.onChipTxDescriptors());
    if (count == 0) {
      return;
    }
    if (dma.tagFreePs() > nowPs) {
      advanceAt(dma.tagFreePs());
      return;
    }
    long address = queue.address(queue.fetched);
    int bytes = count * TxDescriptorLayout.SIZE_BYTES;
    long fetchedPs = dma.read(address, scratch, 0, bytes, nowPs);
    if (dma.status() != DmaStatus.OK) {
      // Without descriptors the queue cannot go on; software sees that it does not.
      disable(queue);
      registers.clearBits(NicRegisters.txdctl(queue.index), NicRegisters.TXDCTL_ENABLE);
      reporter.onFault(nowPs);
      return;
    }
    int descriptor = queue.fetched;
    for (int i = 0; i < count; i++) {
      int at = i * TxDescriptorLayout.SIZE_BYTES;
      queue.low[descriptor] = LittleEndian.getLong(scratch, at);
      queue.high[descriptor] = LittleEndian.getLong(scratch, at + TxDescriptorLayout.HIGH_OFFSET);
      traceFetch(queue, i, descriptor, fetchedPs);
      descriptor = queue.next(descriptor);
    }
    queue.isFetching = true;
    queue.fetchTicket = dma.readTicket();
    fetchesCount++;
    queue.fetchedNext = descriptor;
    simulation.schedule(fetched[queue.index], fetchedPs);
  }

  /**
   * Processes the next descriptor of a queue.
   *
   * @return false if it has to wait; an event will come
   */
  private boolean tryProcess(TxQueue queue, long nowPs) {
    if (engineFreePs > nowPs) {
      advanceAt(engineFreePs);
      return false;
    }
    int descriptor = queue.processed;
    long high = queue.high[descriptor];
    if (TxDescriptorLayout.isContext(high)) {
      long low = queue.low[descriptor];
      int contextIndex = TxDescriptorLayout.contextIndex(high) & 1;
      queue.contexts[contextIndex].decode((int) low, (int) high, (int) (high >>> 32));
      finishDescriptor(queue, Math.max(lastReadPs, nowPs), nowPs);
      return true;
    }
    boolean isEnd = (TxDescriptorLayout.command(high) & TxDescriptorLayout.COMMAND_EOP) != 0;
    if (!tryRead(queue, queue.low[descriptor], high, nowPs)) {
      return false;
    }
    if (isEnd) {
      send(queue, high, nowPs);
      packet.clear();
    }
    finishDescriptor(queue, lastReadPs, nowPs);
    return true;
  }

  private boolean tryRead(TxQueue queue, long address, long high, long nowPs) {
    int bytes = TxDescriptorLayout.bufferBytes(high);
    if (bytes == 0 || !packet.tryReserve(bytes)) {
      emptyDescriptorsTotal++;
      packet.markBroken();
      lastReadPs = Math.max(lastReadPs, nowPs);
      return true;
    }
    int limitBytes = registers.get(NicRegisters.txpbsize(0));
    if (fifo.count() > 0 && fifo.bytes() + packet.lengthBytes() + bytes > limitBytes) {
      return false; // The next departure kicks.
    }
    if (dma.tagFreePs() > nowPs) {
      advanceAt(dma.tagFreePs());
      return false;
    }
    long readPs = dma.read(address, packet.bytes(), packet.lengthBytes(), bytes, nowPs);
    lastReadPs = Math.max(lastReadPs, readPs);
    boolean isRead = dma.status() == DmaStatus.OK;
    if (!isRead) {
      reporter.onFault(nowPs);
      packet.markBroken();
    }
    packet.addPart(bytes, lastReadPs);
    traceRead(queue, isRead, address, bytes);
    return true;
  }

  private void finishDescriptor(TxQueue queue, long donePs, long nowPs) {
    engineFreePs = nowPs + psPerDescriptor;
    queue.processed = queue.next(queue.processed);
    queue.sequence++;
    arriving.add(queue.index, donePs);
    if (!dataArrived.isScheduled()) {
      simulation.schedule(dataArrived, arriving.firstPs());
    }
  }

  private void onDataArrived(long nowPs) {
    while (!arriving.isEmpty() && arriving.firstPs() <= nowPs) {
      int queueIndex = arriving.firstQueue();
      arriving.removeFirst();
      if (queueIndex != DoneQueue.NO_QUEUE) {
        reporter.onDone(queues[queueIndex], nowPs);
      }
    }
    if (!arriving.isEmpty()) {
      simulation.schedule(dataArrived, arriving.firstPs());
    }
    dma.setTransmitting(!isIdle());
  }

  /** Puts the frames of the packet on the wire, each when its last byte has been read. */
  private void send(TxQueue queue, long high, long nowPs) {
    if (!builder.begin(packet, queue, high)) {
      discardedTotal++;
      return;
    }
    long operationId = OperationId.transmit(config.portIndex(), queue.index, queue.sequence);
    if (!TxFrameBuilder.isSegmented(high)) {
      Frame frame = builder.whole(packet, queue, high, fifo);
      enqueue(frame, queue, operationId, lastReadPs);
      return;
    }
    TransmitContext context = queue.contexts[TxDescriptorLayout.contextIndex(high) & 1];
    int used = context.headerBytes();
    while (builder.hasNext()) {
      used = Math.min(used + context.mssBytes(), packet.lengthBytes());
      Frame frame = builder.nextSegment(queue, high, fifo);
      enqueue(frame, queue, operationId, packet.readyPs(used));
    }
  }

  private void enqueue(Frame frame, TxQueue queue, long operationId, long readPs) {
    frame.readyPs = mac.transmit(frame.lengthBytes, readPs + config.txLatencyPs());
    frame.queueIndex = queue.index;
    frame.operationId = operationId;
    if (!depart.isScheduled()) {
      simulation.schedule(depart, frame.readyPs);
    }
  }

  private void onDeparture(long nowPs) {
    Frame frame = fifo.get(0);
    statistics.onFrameSent(
        frame.lengthBytes + EthernetWire.FCS_BYTES,
        RxFilter.isBroadcast(frame.bytes, 0),
        RxFilter.isMulticast(frame.bytes, 0),
        frame.queueIndex);
    if (trace != null) {
      trace.onStep(
          frame.operationId,
          LifecycleStep.DEVICE_DMA,
          TraceCause.FRAME_SENT,
          nowPs,
          0,
          frame.lengthBytes);
    }
    mac.deliver(frame.bytes, 0, frame.lengthBytes, nowPs);
    fifo.removeFirst();
    if (fifo.count() > 0) {
      simulation.schedule(depart, Math.max(nowPs, fifo.get(0).readyPs));
    }
    kick(nowPs);
  }

  /** Looks again at a time, unless it will do so earlier anyway. */
  private void advanceAt(long atPs) {
    if (!advance.isScheduled() || advance.timePs() > atPs) {
      simulation.reschedule(advance, atPs);
    }
  }

  private void traceFetch(TxQueue queue, int index, int descriptor, long atPs) {
    if (trace != null) {
      trace.onStep(
          OperationId.transmit(
              config.portIndex(), queue.index, queue.sequence + queue.onChipCount() + index),
          LifecycleStep.DEVICE_DMA,
          TraceCause.DESCRIPTOR_FETCHED,
          atPs,
          queue.address(descriptor),
          TxDescriptorLayout.SIZE_BYTES);
    }
  }

  private void traceRead(TxQueue queue, boolean isRead, long address, int lengthBytes) {
    if (trace != null) {
      trace.onStep(
          OperationId.transmit(config.portIndex(), queue.index, queue.sequence),
          LifecycleStep.DEVICE_DMA,
          isRead ? TraceCause.PAYLOAD_READ : TraceCause.ACCESS_REFUSED,
          lastReadPs,
          address,
          lengthBytes);
    }
  }
}
