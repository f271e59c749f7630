package io.github.bellwire.device.nic;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceSink;
import org.jspecify.annotations.Nullable;

/**
 * The receive side between MAC and host memory.
 *
 * <pre>{@code
 * frame --> FIFO --(descriptor and tag free)--> fetch --(descriptor here)--> payload, write-back
 *            | full: missed                      | none and DROP_EN: dropped
 * }</pre>
 *
 * <p>Frames keep their order; a frame whose queue has no descriptor holds up those behind it, as in
 * the part, unless the queue drops. A frame occupies the FIFO until its payload has left the
 * device. When its turn comes at once and everything it needs is free, the whole chain is computed
 * in the call of its arrival and no further event is needed.
 */
final class RxPath {
  private static final int BATCH_DESCRIPTORS_MAX = 64;

  private final NicConfig config;
  private final Simulation simulation;
  private final RegisterFile registers;
  private final NicStatistics statistics;
  private final InterruptUnit interrupts;
  private final DmaGate dma;
  private final @Nullable TraceSink trace;
  private final RxClassifier classifier;
  private final RxQueue[] queues;
  private final long psPerDescriptor;
  private final Event startNext;
  private final Event writeNext;

  // The FIFO: frames at the front have been given their descriptors, those behind wait for them.
  private final FrameQueue fifo = new FrameQueue();
  private int fetchedFrames;
  // Frames whose payload is leaving still occupy the FIFO.
  private final ReleaseQueue leaving = new ReleaseQueue();
  private final Frame passing = new Frame();
  private final byte[] scratch = new byte[BATCH_DESCRIPTORS_MAX * RxDescriptorLayout.SIZE_BYTES];

  // Derived from registers.
  private long changesSeen;
  private boolean isReceiving;
  private int fifoBytes;

  private long engineFreePs;
  private long lastFetchedPs;
  private long lastSentPs;
  private long faultsTotal;
  private long lostTotal;
  private long resetLossesTotal;

  RxPath(
      NicConfig config,
      Simulation simulation,
      RegisterFile registers,
      NicStatistics statistics,
      InterruptUnit interrupts,
      ReceiveSideScaling scaling,
      DmaGate dma,
      @Nullable TraceSink trace) {
    this.config = config;
    this.simulation = simulation;
    this.registers = registers;
    this.statistics = statistics;
    this.interrupts = interrupts;
    this.dma = dma;
    this.trace = trace;
    classifier = new RxClassifier(registers, scaling);
    queues = new RxQueue[config.rxQueues()];
    for (int i = 0; i < queues.length; i++) {
      queues[i] = new RxQueue(i);
    }
    psPerDescriptor = Nic.psPerDescriptor(config);
    startNext =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            startWaiting(nowPs);
          }
        };
    writeNext =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            writeFetched(nowPs);
          }
        };
  }

  RxQueue queue(int index) {
    return queues[index];
  }

  void reset() {
    simulation.cancel(startNext);
    simulation.cancel(writeNext);
    resetLossesTotal += fifo.count();
    fifo.clear();
    fetchedFrames = 0;
    leaving.clear();
    engineFreePs = 0;
    lastFetchedPs = 0;
    lastSentPs = 0;
    for (RxQueue queue : queues) {
      queue.disable();
    }
  }

  /** The driver has handed over descriptors: a frame may have waited for them. */
  void onTail(RxQueue queue, int value, long nowPs) {
    queue.moveTail(value);
    startWaiting(nowPs);
  }

  /** Goes on as far as possible. To be called when anything that frames wait for has changed. */
  void kick(long nowPs) {
    startWaiting(nowPs);
    if (fetchedFrames > 0 && !writeNext.isScheduled()) {
      simulation.schedule(writeNext, Math.max(nowPs, fifo.get(0).readyPs));
    }
  }

  /** A frame has come while there was no link to hear it. */
  void onLinkDown() {
    statistics.onUnheard();
  }

  /** The last bit of a frame has arrived at the MAC. */
  void onFrame(byte[] bytes, int offset, int lengthBytes, boolean isLoopback, long nowPs) {
    followRegisters();
    if (!isReceiving) {
      statistics.onUnheard();
      return;
    }
    if (!admit(bytes, offset, lengthBytes)) {
      return;
    }
    classifier.classify(bytes, offset, lengthBytes, isLoopback, passing);
    classifier.shape(passing);
    if (occupiedBytes(nowPs) + passing.lengthBytes > fifoBytes) {
      statistics.onMissed(0);
      interrupts.onOther(NicRegisters.EICR_RX_MISS, nowPs);
      return;
    }
    statistics.onFrameAccepted(
        passing.wireBytes,
        RxFilter.isBroadcast(bytes, offset),
        RxFilter.isMulticast(bytes, offset));
    if (passing.queueIndex >= queues.length || !queues[passing.queueIndex].isEnabled) {
      statistics.onNoDescriptorDrop(passing.queueIndex);
      return;
    }
    accept(nowPs);
  }

  /** {@return accesses that memory refused} */
  long faultsTotal() {
    return faultsTotal;
  }

  /** {@return frames lost because their descriptors could not be read} */
  long lostTotal() {
    return lostTotal;
  }

  /** {@return frames that waited in the FIFO when the device was reset} */
  long resetLossesTotal() {
    return resetLossesTotal;
  }

  /** {@return frames in the FIFO that have not been written yet} */
  int waitingCount() {
    return fifo.count();
  }

  /** {@return whether nothing is outstanding towards the host} */
  boolean isIdle(long nowPs) {
    return lastFetchedPs <= nowPs && lastSentPs <= nowPs;
  }

  /** Derives anew what is derived from registers, if they have changed. */
  private void followRegisters() {
    if (changesSeen != registers.changesTotal()) {
      changesSeen = registers.changesTotal();
      isReceiving = registers.hasBits(NicRegisters.RXCTRL, NicRegisters.RXCTRL_RXEN);
      fifoBytes = registers.get(NicRegisters.rxpbsize(0));
      classifier.refresh();
    }
  }

  /** Decides whether a frame gets past the MAC, and counts it if not. */
  private boolean admit(byte[] bytes, int offset, int lengthBytes) {
    RxFilter filter = classifier.filter();
    if (filter.isOversize(bytes, offset, lengthBytes)) {
      statistics.onOversize();
      return false;
    }
    if (lengthBytes + EthernetWire.FCS_BYTES < EthernetWire.FRAME_MIN_BYTES) {
      statistics.onUndersize();
      return false;
    }
    if (!filter.isWanted(bytes, offset, lengthBytes)) {
      statistics.onFiltered();
      return false;
    }
    return true;
  }

  private void accept(long nowPs) {
    passing.isDropped = false;
    passing.hasLackedDescriptor = false;
    passing.arrivedPs = nowPs;
    if (fetchedFrames < fifo.count()) {
      startWaiting(nowPs); // Memory may be open again; nothing else would tell.
    }
    boolean isStarted = fifo.count() == fetchedFrames && tryStart(passing, nowPs);
    if (isStarted && passing.isDropped) {
      return;
    }
    if (isStarted && fetchedFrames == 0 && isWithinHorizon(passing.readyPs, nowPs)) {
      write(passing, passing.readyPs);
      return;
    }
    fifo.add(passing.lengthBytes).copyOf(passing);
    if (isStarted) {
      onFetched(nowPs);
    }
  }

  /**
   * {@return whether the writes of a frame may be computed now} One frame's at most: they take
   * their turn in caches and memory, where the next frame's descriptor read, though earlier, would
   * then queue behind them. At line rate that would make every frame later than the one before.
   */
  private boolean isWithinHorizon(long atPs, long nowPs) {
    long aheadPs = atPs - nowPs;
    return aheadPs <= dma.horizonPs()
        && (lastSentPs <= nowPs || aheadPs <= DmaGate.SHARED_HORIZON_PS);
  }

  private int occupiedBytes(long nowPs) {
    return fifo.bytes() + leaving.bytesAt(nowPs);
  }

  private void startWaiting(long nowPs) {
    while (fetchedFrames < fifo.count() && tryStart(fifo.get(fetchedFrames), nowPs)) {
      Frame frame = fifo.get(fetchedFrames);
      if (fetchedFrames == 0 && !frame.isDropped && isWithinHorizon(frame.readyPs, nowPs)) {
        write(frame, frame.readyPs);
        fifo.removeFirst();
      } else {
        onFetched(nowPs);
      }
    }
  }

  private void onFetched(long nowPs) {
    fetchedFrames++;
    if (!writeNext.isScheduled()) {
      simulation.schedule(writeNext, Math.max(nowPs, fifo.get(0).readyPs));
    }
  }

  private void writeFetched(long nowPs) {
    while (fetchedFrames > 0 && fifo.get(0).readyPs <= nowPs) {
      if (!dma.isOpen()) {
        return; // Whoever opens it kicks.
      }
      Frame frame = fifo.get(0);
      if (!frame.isDropped) {
        writeUnlessStale(frame, nowPs);
      }
      fifo.removeFirst();
      fetchedFrames--;
    }
    if (fetchedFrames > 0) {
      simulation.schedule(writeNext, fifo.get(0).readyPs);
    }
  }

  /** A queue may have been disabled, or got another ring, since it gave the frame descriptors. */
  private void writeUnlessStale(Frame frame, long nowPs) {
    RxQueue queue = queues[frame.queueIndex];
    if (queue.isEnabled && queue.epoch == frame.epoch) {
      write(frame, nowPs);
    } else {
      statistics.onNoDescriptorDrop(queue.index);
    }
  }

  /**
   * Gives a frame its descriptors, or drops it, or finds that it has to wait.
   *
   * @return false if it has to wait; an event will come if nothing else can wake it
   */
  private boolean tryStart(Frame frame, long nowPs) {
    RxQueue queue = queues[frame.queueIndex];
    if (!dma.isOpen()) {
      return false;
    }
    long startPs = Math.max(engineFreePs, dma.tagFreePs());
    if (startPs > nowPs) {
      simulation.reschedule(startNext, startPs);
      return false;
    }
    frame.readyPs = nowPs;
    if (!queue.isEnabled || queue.bufferBytes == 0) {
      return drop(frame, queue);
    }
    int count = Nic.ceilDiv(frame.lengthBytes, queue.bufferBytes);
    frame.descriptorsCount = count;
    if (queue.availableCount() < count) {
      return dropWithoutDescriptor(frame, queue, count);
    }
    fetch(frame, queue, nowPs);
    return true;
  }

  private boolean dropWithoutDescriptor(Frame frame, RxQueue queue, int count) {
    // A frame that no ring of this size can ever hold must not block the port for ever.
    int srrctl = NicRegisters.srrctl(queue.index);
    if (registers.hasBits(srrctl, NicRegisters.SRRCTL_DROP_EN) || count >= queue.size) {
      return drop(frame, queue);
    }
    if (!frame.hasLackedDescriptor) {
      frame.hasLackedDescriptor = true;
      statistics.onNoBuffer(0);
    }
    return false;
  }

  private boolean drop(Frame frame, RxQueue queue) {
    frame.isDropped = true;
    statistics.onNoDescriptorDrop(queue.index);
    return true;
  }

  private void fetch(Frame frame, RxQueue queue, long nowPs) {
    int count = frame.descriptorsCount;
    if (trace != null) {
      TraceCause cause = TraceCause.FRAME_ARRIVED;
      traceStep(queue.sequence, queue, cause, frame.arrivedPs, 0, frame.lengthBytes);
    }
    long fetchedPs = lastFetchedPs;
    while (queue.unclaimedFetchedCount() < count) {
      fetchedPs = Math.max(fetchedPs, fetchDescriptors(queue, nowPs));
      if (dma.status() != DmaStatus.OK) {
        onFault(nowPs);
        frame.isDropped = true;
        lostTotal++;
        return;
      }
    }
    frame.firstDescriptor = queue.claimed;
    frame.sequence = queue.sequence;
    frame.epoch = queue.epoch;
    frame.readyPs = Math.max(nowPs, fetchedPs);
    lastFetchedPs = frame.readyPs;
    engineFreePs = nowPs + count * psPerDescriptor;
    queue.sequence += count;
    for (int i = 0; i < count; i++) {
      queue.claimed = queue.next(queue.claimed);
    }
  }

  /** Reads the next descriptors of a queue, as many at once as the part prefetches. */
  private long fetchDescriptors(RxQueue queue, long nowPs) {
    int count = Math.min(config.rxPrefetchDescriptors(), queue.fetchableCount());
    long address = queue.address(queue.fetched);
    int bytes = count * RxDescriptorLayout.SIZE_BYTES;
    long fetchedPs = dma.read(address, scratch, 0, bytes, nowPs);
    if (dma.status() != DmaStatus.OK) {
      return fetchedPs;
    }
    long sequence = queue.sequence + queue.unclaimedFetchedCount();
    for (int i = 0; i < count; i++) {
      queue.bufferAddresses[queue.fetched] =
          LittleEndian.getLong(scratch, i * RxDescriptorLayout.SIZE_BYTES);
      if (trace != null) {
        trace.onStep(
            OperationId.receive(config.portIndex(), queue.index, sequence + i),
            LifecycleStep.DEVICE_DMA,
            TraceCause.DESCRIPTOR_FETCHED,
            fetchedPs,
            queue.address(queue.fetched),
            RxDescriptorLayout.SIZE_BYTES);
      }
      queue.fetched = queue.next(queue.fetched);
    }
    return fetchedPs;
  }

  /** Writes payload, then the descriptors: posted writes commit in order, so data comes first. */
  private void write(Frame frame, long atPs) {
    RxQueue queue = queues[frame.queueIndex];
    long sentPs = writePayload(frame, queue, atPs);
    leaving.add(frame.lengthBytes, Math.max(sentPs, simulation.nowPs()));
    writeBack(frame, queue, sentPs);
    statistics.onFrameDelivered(frame.wireBytes, queue.index);
    // The message follows the write-back out of the device; posted order keeps it behind.
    interrupts.onRxCause(queue.index, dma.sentPs());
  }

  private long writePayload(Frame frame, RxQueue queue, long atPs) {
    long sentPs = atPs;
    int descriptor = frame.firstDescriptor;
    int done = 0;
    for (int i = 0; i < frame.descriptorsCount; i++) {
      int piece = Math.min(frame.lengthBytes - done, queue.bufferBytes);
      long address = queue.bufferAddresses[descriptor];
      long writtenPs = dma.write(address, frame.bytes, frame.offset + done, piece, sentPs);
      sentPs = dma.sentPs();
      if (dma.status() != DmaStatus.OK) {
        onFault(atPs);
      }
      if (trace != null) {
        traceStep(frame.sequence + i, queue, payloadCause(), writtenPs, address, piece);
      }
      descriptor = queue.next(descriptor);
      done += piece;
    }
    return sentPs;
  }

  private TraceCause payloadCause() {
    return dma.status() == DmaStatus.OK ? TraceCause.PAYLOAD_WRITTEN : TraceCause.ACCESS_REFUSED;
  }

  /** Writes all descriptors of a frame, up to the end of the ring at once; the last has EOP. */
  private void writeBack(Frame frame, RxQueue queue, long atPs) {
    long sentPs = atPs;
    int done = 0;
    int first = 0;
    while (first < frame.descriptorsCount) {
      int count = Math.min(frame.descriptorsCount - first, queue.size - queue.head);
      count = Math.min(count, BATCH_DESCRIPTORS_MAX);
      for (int i = 0; i < count; i++) {
        int piece = Math.min(frame.lengthBytes - done, queue.bufferBytes);
        done += piece;
        encode(frame, queue, i, piece, first + i + 1 == frame.descriptorsCount);
      }
      long address = queue.address(queue.head);
      int bytes = count * RxDescriptorLayout.SIZE_BYTES;
      long visiblePs = dma.writeStatus(address, scratch, 0, bytes, sentPs);
      sentPs = dma.sentPs();
      if (dma.status() != DmaStatus.OK) {
        onFault(atPs);
      }
      for (int i = 0; i < count; i++) {
        if (trace != null) {
          traceCompletion(frame.sequence + first + i, queue, visiblePs);
        }
        queue.head = queue.next(queue.head);
      }
      first += count;
    }
    lastSentPs = Math.max(lastSentPs, sentPs);
  }

  private void encode(Frame frame, RxQueue queue, int index, int pieceBytes, boolean isLast) {
    int status = RxDescriptorLayout.STATUS_DD;
    if (isLast) {
      status |= RxDescriptorLayout.STATUS_EOP | frame.statusAndErrors;
    }
    int at = index * RxDescriptorLayout.SIZE_BYTES;
    if (queue.isLegacy) {
      int errors = frame.statusAndErrors >>> 24;
      // The address stays in place.
      LittleEndian.putLong(scratch, at, queue.bufferAddresses[queue.head + index]);
      LittleEndian.putLong(
          scratch,
          at + RxDescriptorLayout.HIGH_OFFSET,
          RxDescriptorLayout.legacyWriteBackHigh(
              pieceBytes,
              isLast ? frame.fragmentChecksum : 0,
              status & 0xff,
              isLast ? errors : 0,
              frame.vlanTci));
      return;
    }
    LittleEndian.putLong(scratch, at, frame.writeBackLow);
    LittleEndian.putLong(
        scratch,
        at + RxDescriptorLayout.HIGH_OFFSET,
        RxDescriptorLayout.writeBackHigh(status, pieceBytes, frame.vlanTci));
  }

  private void onFault(long nowPs) {
    faultsTotal++;
    interrupts.onOther(NicRegisters.EICR_PCI, nowPs);
  }

  private void traceStep(
      long sequence, RxQueue queue, TraceCause cause, long atPs, long address, int lengthBytes) {
    if (trace != null) {
      trace.onStep(
          OperationId.receive(config.portIndex(), queue.index, sequence),
          LifecycleStep.DEVICE_DMA,
          cause,
          atPs,
          address,
          lengthBytes);
    }
  }

  private void traceCompletion(long sequence, RxQueue queue, long atPs) {
    if (trace != null) {
      trace.onStep(
          OperationId.receive(config.portIndex(), queue.index, sequence),
          LifecycleStep.COMPLETION,
          TraceCause.DESCRIPTOR_WRITTEN_BACK,
          atPs,
          queue.address(queue.head),
          RxDescriptorLayout.SIZE_BYTES);
    }
  }
}
