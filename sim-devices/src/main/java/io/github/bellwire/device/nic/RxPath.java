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
  // What start returns instead of a time.
  private static final long WAITS = -1;
  private static final long DROPPED = -2;

  private final NicConfig config;
  private final Simulation simulation;
  private final RegisterFile registers;
  private final NicStatistics statistics;
  private final InterruptUnit interrupts;
  private final DmaGate dma;
  private final @Nullable TraceSink trace;
  private final RxClassifier classifier;
  private final RxQueue[] queues;
  private final RxFetcher fetcher;
  private final RxReporter reporter;
  private final long psPerDescriptor;
  private final long latencyPs;
  private final Event startNext;
  private final Event writeNext;

  // The FIFO: frames at the front have been given their descriptors, those behind wait for them.
  private final FrameQueue fifo = new FrameQueue();
  private int fetchedFrames;
  // Frames whose payload is leaving still occupy the FIFO.
  private final ReleaseQueue leaving = new ReleaseQueue();
  private final Frame passing = new Frame();

  // Derived from registers.
  private long changesSeen;
  private boolean isReceiving;
  private boolean isListening;
  private int fifoBytes;

  private long engineFreePs;
  private long lastReadyPs;
  private long lastSentPs;
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
      queues[i] = new RxQueue(i, config.rxWriteBackDescriptors(), statistics.delivered(i));
    }
    fetcher = new RxFetcher(config, dma, trace);
    reporter = new RxReporter(config, simulation, queues, interrupts, dma, trace);
    psPerDescriptor = Nic.psPerDescriptor(config);
    latencyPs = config.rxLatencyPs();
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
    lastReadyPs = 0;
    lastSentPs = 0;
    fetcher.reset();
    reporter.reset();
    for (RxQueue queue : queues) {
      queue.disable();
    }
  }

  /** The driver has handed over descriptors: a frame may have waited for them. */
  void onTail(RxQueue queue, int value, long nowPs) {
    queue.moveTail(value);
    startWaiting(nowPs);
  }

  /** The driver asks for the write-back of what is done. */
  void flush(RxQueue queue, long nowPs) {
    reporter.flush(queue, nowPs);
  }

  /** The driver stops a queue: what is done is written back, what is not is dropped. */
  void disable(RxQueue queue, long nowPs) {
    reporter.flush(queue, nowPs);
    reporter.cancel(queue);
    queue.disable();
  }

  /** Goes on as far as possible. To be called when anything that frames wait for has changed. */
  void kick(long nowPs) {
    reporter.resume(nowPs);
    startWaiting(nowPs);
    if (fetchedFrames > 0 && !writeNext.isScheduled()) {
      simulation.schedule(writeNext, Math.max(nowPs, fifo.get(0).readyPs));
    }
  }

  /** The last bit of a frame has arrived at the MAC, from the wire or looped back. */
  void onFrame(byte[] bytes, int offset, int lengthBytes, boolean isLoopback, long nowPs) {
    followRegisters();
    boolean isPlain = classifier.isPlain(bytes, offset, lengthBytes);
    if (!isPlain && !admit(bytes, offset, lengthBytes, isLoopback)) {
      return;
    }
    passing.arrive(bytes, offset, lengthBytes);
    if (!isPlain) {
      classifier.classify(passing, isLoopback);
    }
    if (!hasRoom(passing.lengthBytes, nowPs)) {
      statistics.onMissed(0);
      interrupts.onOther(NicRegisters.EICR_RX_MISS, nowPs);
      return;
    }
    statistics.onFrameAccepted(passing.wireBytes);
    if (!isPlain && RxFilter.isMulticast(bytes, offset)) {
      statistics.onGroupFrameAccepted(RxFilter.isBroadcast(bytes, offset));
    }
    if (passing.queueIndex >= queues.length || !queues[passing.queueIndex].isEnabled) {
      statistics.onNoDescriptorDrop(passing.queueIndex);
      return;
    }
    accept(queues[passing.queueIndex], nowPs);
  }

  /** Frames from the wire are here, one after another. */
  void onFrames(FrameStream frames) {
    while (!takePlain(frames)) {
      onFrame(frames.frame(), frames.offset(), frames.lengthBytes(), false, frames.nowPs());
      if (!frames.tryNext()) {
        return;
      }
    }
  }

  /**
   * Does what {@link #onFrame} does for frames that need nothing but a descriptor that is on chip,
   * and that find the device idle.
   *
   * @return whether no frame is left; if not, the next one needs more
   */
  private boolean takePlain(FrameStream frames) {
    followRegisters();
    RxQueue queue = queues[0]; // Where frames go of which nothing is known.
    if (!isQuiet(queue)) {
      return false;
    }
    do {
      byte[] bytes = frames.frame();
      int offset = frames.offset();
      int lengthBytes = frames.lengthBytes();
      long nowPs = frames.nowPs();
      if (lengthBytes > queue.bufferBytes
          || lengthBytes > fifoBytes
          || queue.unclaimedCount == 0
          || lastSentPs > nowPs
          || engineFreePs > nowPs
          || queue.nextKnownPs() > nowPs
          || !classifier.isPlain(bytes, offset, lengthBytes)) {
        return false;
      }
      engineFreePs = nowPs + psPerDescriptor;
      writePlain(bytes, offset, lengthBytes, queue, nowPs);
    } while (frames.tryNext());
    return true;
  }

  /** {@return whether nothing is under way, and nobody listens} */
  private boolean isQuiet(RxQueue queue) {
    return trace == null && latencyPs == 0 && fifo.count() == 0 && !queue.isLegacy && dma.isOpen();
  }

  private void writePlain(byte[] bytes, int offset, int lengthBytes, RxQueue queue, long nowPs) {
    int wireBytes = lengthBytes + EthernetWire.FCS_BYTES;
    statistics.onFrameAccepted(wireBytes);
    queue.delivered.add(wireBytes);
    long address = queue.claimNext();
    prefetch(queue, nowPs);
    dma.write(address, bytes, offset, lengthBytes, nowPs);
    if (dma.status() != DmaStatus.OK) {
      reporter.onFault(nowPs);
    }
    long sentPs = dma.sentPs();
    leaving.add(lengthBytes, sentPs, nowPs);
    reporter.onPlainFrameDone(lengthBytes, queue, sentPs);
    lastSentPs = Math.max(sentPs, reporter.lastSentPs());
  }

  /** {@return accesses that memory refused} */
  long faultsTotal() {
    return reporter.faultsTotal();
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
    return fetcher.lastReadPs() <= nowPs && lastSentPs <= nowPs && reporter.lastSentPs() <= nowPs;
  }

  /** Derives anew what is derived from registers, if they have changed. */
  private void followRegisters() {
    if (changesSeen != registers.changesTotal()) {
      changesSeen = registers.changesTotal();
      isReceiving = registers.hasBits(NicRegisters.RXCTRL, NicRegisters.RXCTRL_RXEN);
      isListening =
          isReceiving
              && registers.hasBits(NicRegisters.LINKS, NicRegisters.LINKS_UP)
              && !registers.hasBits(NicRegisters.HLREG0, NicRegisters.HLREG0_LPBK);
      fifoBytes = registers.get(NicRegisters.rxpbsize(0));
      classifier.refresh(isListening);
    }
  }

  /** Decides whether a frame gets past the MAC, and counts it if not. */
  private boolean admit(byte[] bytes, int offset, int lengthBytes, boolean isLoopback) {
    if (isLoopback ? !isReceiving : !isListening) {
      statistics.onUnheard();
      return false;
    }
    RxFilter filter = classifier.filter();
    if (filter.isOversize(bytes, offset, lengthBytes)) {
      statistics.onOversize();
      return false;
    }
    if (lengthBytes < EthernetWire.FRAME_MIN_WITHOUT_FCS_BYTES) {
      statistics.onUndersize();
      return false;
    }
    if (!filter.isWanted(bytes, offset, lengthBytes)) {
      statistics.onFiltered();
      return false;
    }
    return true;
  }

  private void accept(RxQueue queue, long nowPs) {
    passing.arrivedPs = nowPs;
    if (fifo.count() != fetchedFrames) {
      startWaiting(nowPs); // Memory may be open again; nothing else would tell.
    }
    long readyPs = fifo.count() == fetchedFrames ? start(passing, queue, nowPs) : WAITS;
    if (readyPs >= 0 && fetchedFrames == 0 && isWithinHorizon(readyPs, nowPs)) {
      write(passing, queue, readyPs);
    } else if (readyPs != DROPPED) {
      keep(readyPs, queue, nowPs);
    }
  }

  /** Keeps the passing frame until it can start, or be written. */
  private void keep(long readyPs, RxQueue queue, long nowPs) {
    Frame frame = fifo.add(passing.lengthBytes);
    frame.copyOf(passing);
    passing.hasLackedDescriptor = false;
    if (readyPs != WAITS) {
      onStarted(frame, readyPs, queue, nowPs);
    }
  }

  /**
   * {@return whether the writes of a frame may be computed now} One frame's at most: they take
   * their turn in caches and memory, where the next frame's descriptor read, though earlier, would
   * then queue behind them. At line rate that would make every frame later than the one before.
   */
  private boolean isWithinHorizon(long atPs, long nowPs) {
    long aheadPs = atPs - nowPs;
    return aheadPs <= 0
        || aheadPs <= dma.horizonPs()
            && (lastSentPs <= nowPs || aheadPs <= DmaGate.SHARED_HORIZON_PS);
  }

  private boolean hasRoom(int lengthBytes, long nowPs) {
    int freeBytes = fifoBytes - fifo.bytes() - lengthBytes;
    return leaving.bytesAtMost() <= freeBytes || leaving.bytesAt(nowPs) <= freeBytes;
  }

  private void startWaiting(long nowPs) {
    while (fetchedFrames < fifo.count()) {
      Frame frame = fifo.get(fetchedFrames);
      RxQueue queue = queues[frame.queueIndex];
      long readyPs = start(frame, queue, nowPs);
      if (readyPs == WAITS) {
        return;
      }
      if (readyPs >= 0 && fetchedFrames == 0 && isWithinHorizon(readyPs, nowPs)) {
        write(frame, queue, readyPs);
        fifo.removeFirst();
      } else {
        onStarted(frame, readyPs, queue, nowPs);
      }
    }
  }

  /** The first frame in the FIFO that had no descriptors has got them, or is to be dropped. */
  private void onStarted(Frame frame, long readyPs, RxQueue queue, long nowPs) {
    frame.isDropped = readyPs == DROPPED;
    frame.readyPs = Math.max(nowPs, readyPs); // Now, if it is to be dropped.
    frame.epoch = queue.epoch;
    fetchedFrames++;
    if (!writeNext.isScheduled()) {
      simulation.schedule(writeNext, Math.max(nowPs, fifo.get(0).readyPs));
    }
  }

  private void writeFetched(long nowPs) {
    while (fetchedFrames > 0 && isReady(fifo.get(0), nowPs)) {
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

  /** Returns whether a frame can be written; its descriptors may be later than they seemed. */
  private boolean isReady(Frame frame, long nowPs) {
    if (frame.readyPs <= nowPs && frame.fetchTicket != 0) {
      long fetchedPs = dma.arrivalPs(frame.fetchTicket);
      frame.readyPs = Math.max(frame.readyPs, fetchedPs + config.rxLatencyPs());
    }
    return frame.readyPs <= nowPs;
  }

  /** A queue may have been disabled, or got another ring, since it gave the frame descriptors. */
  private void writeUnlessStale(Frame frame, long nowPs) {
    RxQueue queue = queues[frame.queueIndex];
    if (queue.isEnabled && queue.epoch == frame.epoch) {
      write(frame, queue, nowPs);
    } else {
      statistics.onNoDescriptorDrop(queue.index);
    }
  }

  /**
   * Gives a frame its descriptors, or drops it, or finds that it has to wait.
   *
   * @return when it can be written, {@link #DROPPED}, or {@link #WAITS}; an event will come if
   *     nothing else can wake it
   */
  private long start(Frame frame, RxQueue queue, long nowPs) {
    if (!dma.isOpen()) {
      return WAITS;
    }
    if (engineFreePs > nowPs) {
      return startAt(engineFreePs);
    }
    int count = 1;
    if (frame.lengthBytes > queue.bufferBytes) {
      if (queue.bufferBytes == 0) {
        return drop(queue);
      }
      count = Nic.ceilDiv(frame.lengthBytes, queue.bufferBytes);
    }
    frame.descriptorsCount = count;
    if (queue.unclaimedCount < count) {
      if (dma.tagFreePs() > nowPs) {
        return startAt(dma.tagFreePs());
      }
      if (queue.availableCount() < count) {
        return dropWithoutDescriptor(frame, queue);
      }
    }
    return fetch(frame, queue, nowPs);
  }

  private long startAt(long atPs) {
    simulation.reschedule(startNext, atPs);
    return WAITS;
  }

  private long dropWithoutDescriptor(Frame frame, RxQueue queue) {
    // A frame that no ring of this size can ever hold must not block the port for ever.
    int srrctl = NicRegisters.srrctl(queue.index);
    if (registers.hasBits(srrctl, NicRegisters.SRRCTL_DROP_EN)
        || frame.descriptorsCount >= queue.size) {
      return drop(queue);
    }
    if (!frame.hasLackedDescriptor) {
      frame.hasLackedDescriptor = true;
      statistics.onNoBuffer(0);
    }
    return WAITS;
  }

  private long drop(RxQueue queue) {
    statistics.onNoDescriptorDrop(queue.index);
    return DROPPED;
  }

  private long fetch(Frame frame, RxQueue queue, long nowPs) {
    int count = frame.descriptorsCount;
    if (trace != null) {
      frame.sequence = queue.sequence;
      TraceCause cause = TraceCause.FRAME_ARRIVED;
      traceStep(queue.sequence, queue, cause, frame.arrivedPs, 0, frame.lengthBytes);
    }
    if (!fetcher.fetch(queue, count, nowPs)) {
      reporter.onFault(nowPs);
      lostTotal++;
      return DROPPED;
    }
    frame.firstDescriptor = queue.claimed;
    frame.bufferAddress = queue.bufferAddress(queue.claimed);
    long fetchedPs = queue.claim(count);
    long startPs = nowPs;
    frame.fetchTicket = 0;
    if (fetchedPs > nowPs) {
      startPs = fetchedPs;
      frame.fetchTicket = estimateTicket();
    }
    long readyPs = Math.max(lastReadyPs, startPs + latencyPs);
    lastReadyPs = readyPs;
    engineFreePs = nowPs + count * psPerDescriptor;
    queue.sequence += count;
    prefetch(queue, nowPs);
    return readyPs;
  }

  private void prefetch(RxQueue queue, long nowPs) {
    if (fetcher.isPrefetchDue(queue, nowPs) && !fetcher.read(queue, nowPs)) {
      reporter.onFault(nowPs);
    }
  }

  /** Alone, nobody comes in between but register writes, for which asking is not worth its cost. */
  private long estimateTicket() {
    return dma.horizonPs() <= DmaGate.SHARED_HORIZON_PS ? fetcher.lastTicket() : 0;
  }

  /** Writes payload, then the descriptors: posted writes commit in order, so data comes first. */
  private void write(Frame frame, RxQueue queue, long atPs) {
    long sentPs = writePayload(frame, queue, atPs);
    long nowPs = simulation.nowPs();
    leaving.add(frame.lengthBytes, sentPs, nowPs);
    queue.delivered.add(frame.wireBytes);
    reporter.onFrameDone(frame, queue, sentPs);
    lastSentPs = Math.max(sentPs, reporter.lastSentPs());
  }

  private long writePayload(Frame frame, RxQueue queue, long atPs) {
    if (frame.descriptorsCount == 1) {
      return writePiece(frame, queue, 0, frame.lengthBytes, atPs, atPs); // Nearly always.
    }
    long sentPs = atPs;
    for (int i = 0; i < frame.descriptorsCount; i++) {
      sentPs = writePiece(frame, queue, i, pieceBytes(frame, queue, i), sentPs, atPs);
    }
    return sentPs;
  }

  /** Writes what is for one of a frame's descriptors; returns when it has left. */
  private long writePiece(
      Frame frame, RxQueue queue, int index, int pieceBytes, long atPs, long startPs) {
    int offset = frame.offset + index * queue.bufferBytes;
    long address = pieceAddress(frame, queue, index);
    long writtenPs = dma.write(address, frame.bytes, offset, pieceBytes, atPs);
    long sentPs = dma.sentPs();
    if (dma.status() != DmaStatus.OK) {
      reporter.onFault(startPs);
    }
    if (trace != null) {
      tracePiece(frame, queue, index, writtenPs);
    }
    return sentPs;
  }

  private static long pieceAddress(Frame frame, RxQueue queue, int index) {
    return index == 0
        ? frame.bufferAddress
        : queue.bufferAddress(queue.plus(frame.firstDescriptor, index));
  }

  /** Of a frame's bytes, how many its descriptor with an index takes. */
  private static int pieceBytes(Frame frame, RxQueue queue, int index) {
    return Math.min(frame.lengthBytes - index * queue.bufferBytes, queue.bufferBytes);
  }

  private void tracePiece(Frame frame, RxQueue queue, int index, long writtenPs) {
    TraceCause cause =
        dma.status() == DmaStatus.OK ? TraceCause.PAYLOAD_WRITTEN : TraceCause.ACCESS_REFUSED;
    long address = pieceAddress(frame, queue, index);
    int bytes = pieceBytes(frame, queue, index);
    traceStep(frame.sequence + index, queue, cause, writtenPs, address, bytes);
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
}
