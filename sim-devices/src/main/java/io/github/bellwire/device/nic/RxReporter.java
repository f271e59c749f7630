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
 * Tells software which receive descriptors are done, by writing them back.
 *
 * <p>The 82599 writes the descriptors of a packet back as soon as its payload is on its way. A part
 * that gathers them, as the 82598 does with RXDCTL.WTHRESH, writes a group at once: it ends where
 * the ring's index is a multiple of the group, so that groups of four fill whole cache lines, or
 * with the ring. A group that stays incomplete is written after a delay, or when software sets
 * RXDCTL.SWFLSH or stops the queue, and so is never lost.
 */
final class RxReporter {
  private static final int DONE = RxDescriptorLayout.STATUS_DD | RxDescriptorLayout.STATUS_EOP;

  private final NicConfig config;
  private final Simulation simulation;
  private final RxQueue[] queues;
  private final InterruptUnit interrupts;
  private final DmaGate dma;
  private final @Nullable TraceSink trace;
  private final Event flushWaiting;
  // Queues with descriptors that wait for their group, a bit each.
  private long waitingQueues;
  private long lastSentPs;
  private long faultsTotal;

  RxReporter(
      NicConfig config,
      Simulation simulation,
      RxQueue[] queues,
      InterruptUnit interrupts,
      DmaGate dma,
      @Nullable TraceSink trace) {
    this.config = config;
    this.simulation = simulation;
    this.queues = queues;
    this.interrupts = interrupts;
    this.dma = dma;
    this.trace = trace;
    flushWaiting =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            flushDue(nowPs);
          }
        };
  }

  void reset() {
    simulation.cancel(flushWaiting);
    waitingQueues = 0;
    lastSentPs = 0;
  }

  void onFault(long nowPs) {
    faultsTotal++;
    interrupts.onOther(NicRegisters.EICR_PCI, nowPs);
  }

  /** {@return accesses that memory refused} */
  long faultsTotal() {
    return faultsTotal;
  }

  /** {@return when the last write-back has left the device or will have} */
  long lastSentPs() {
    return lastSentPs;
  }

  /** Memory may be reached again: reports what could not be reported meanwhile. */
  void resume(long nowPs) {
    if (waitingQueues != 0 && !flushWaiting.isScheduled()) {
      simulation.schedule(flushWaiting, nowPs);
    }
  }

  /**
   * A frame's payload is on its way: its descriptors are done, the last with EOP.
   *
   * @param atPs when the payload has left, so that data comes before status
   */
  void onFrameDone(Frame frame, RxQueue queue, long atPs) {
    queue.donePs = atPs;
    int left = frame.lengthBytes;
    boolean isWritten = false;
    for (; left > queue.bufferBytes; left -= queue.bufferBytes) {
      encode(frame, queue, queue.bufferBytes, false);
      if (queue.isGroupFull()) {
        write(queue);
        isWritten = true;
      }
    }
    encode(frame, queue, left, true);
    if (queue.isGroupDone()) {
      write(queue);
      isWritten = true;
    } else {
      await(queue, atPs);
    }
    if (isWritten) {
      // The message follows the write-back out of the device; posted order keeps it behind.
      interrupts.onRxCause(queue.index, dma.sentPs());
    }
  }

  /**
   * As {@link #onFrameDone}, of a frame in one buffer of which nothing is known but its length.
   *
   * @param lengthBytes what the buffer holds
   * @param queue writes advanced descriptors
   * @param atPs when the payload has left
   */
  void onPlainFrameDone(int lengthBytes, RxQueue queue, long atPs) {
    queue.donePs = atPs;
    queue.addDone(0, RxDescriptorLayout.writeBackHigh(DONE, lengthBytes, 0));
    if (queue.isGroupDone()) {
      write(queue);
      interrupts.onRxCause(queue.index, dma.sentPs());
    } else {
      await(queue, atPs);
    }
  }

  /** Writes back what is done, however little. */
  void flush(RxQueue queue, long nowPs) {
    if (queue.doneCount > 0 && queue.isEnabled && dma.isOpen()) {
      queue.donePs = Math.max(queue.donePs, nowPs);
      write(queue);
      interrupts.onRxCause(queue.index, dma.sentPs());
    }
  }

  /** Forgets what a queue that stops has not reported. */
  void cancel(RxQueue queue) {
    waitingQueues &= ~(1L << queue.index);
  }

  /** An earlier one of the queue may wait already; the delay is its, too. */
  private void await(RxQueue queue, long atPs) {
    long bit = 1L << queue.index;
    if ((waitingQueues & bit) == 0) {
      waitingQueues |= bit;
      queue.flushPs = atPs + config.rxWriteBackDelayPs();
      if (!flushWaiting.isScheduled()) {
        simulation.schedule(flushWaiting, queue.flushPs);
      }
    }
  }

  /** Groups that became complete meanwhile left the event where it was. */
  private void flushDue(long nowPs) {
    if (!dma.isOpen()) {
      return; // Whoever opens it resumes.
    }
    long nextPs = Simulation.NEVER_PS;
    for (long rest = waitingQueues; rest != 0; rest &= rest - 1) {
      RxQueue queue = queues[Long.numberOfTrailingZeros(rest)];
      if (queue.flushPs <= nowPs) {
        flush(queue, nowPs);
      } else {
        nextPs = Math.min(nextPs, queue.flushPs);
      }
    }
    if (nextPs != Simulation.NEVER_PS) {
      simulation.schedule(flushWaiting, nextPs);
    }
  }

  private void write(RxQueue queue) {
    long address = queue.address(queue.head);
    int bytes = queue.doneCount * RxDescriptorLayout.SIZE_BYTES;
    long visiblePs = dma.writeStatus(address, queue.done, 0, bytes, queue.donePs);
    if (dma.status() != DmaStatus.OK) {
      onFault(queue.donePs);
    }
    queue.donePs = dma.sentPs();
    lastSentPs = Math.max(lastSentPs, queue.donePs);
    if (trace != null) {
      traceCompletions(trace, queue, visiblePs);
    }
    queue.onWrittenBack();
    waitingQueues &= ~(1L << queue.index);
  }

  private static void encode(Frame frame, RxQueue queue, int pieceBytes, boolean isLast) {
    if (queue.isLegacy) {
      encodeLegacy(frame, queue, pieceBytes, isLast);
      return;
    }
    int status = RxDescriptorLayout.STATUS_DD;
    long known = frame.writeBackHigh;
    if (isLast) {
      status |= RxDescriptorLayout.STATUS_EOP;
    } else {
      known = RxDescriptorLayout.writeBackHigh(0, 0, RxDescriptorLayout.vlanTag(known));
    }
    queue.addDone(
        frame.writeBackLow, known | RxDescriptorLayout.writeBackHigh(status, pieceBytes, 0));
  }

  /** The address stays in place. */
  private static void encodeLegacy(Frame frame, RxQueue queue, int pieceBytes, boolean isLast) {
    long known = frame.writeBackHigh;
    int status = isLast ? RxDescriptorLayout.STATUS_EOP | RxDescriptorLayout.status(known) : 0;
    queue.addDone(
        queue.bufferAddress(queue.head + queue.doneCount),
        RxDescriptorLayout.legacyWriteBackHigh(
            pieceBytes,
            isLast ? frame.fragmentChecksum : 0,
            RxDescriptorLayout.STATUS_DD | status,
            isLast ? RxDescriptorLayout.errors(known) >>> 24 : 0,
            RxDescriptorLayout.vlanTag(known)));
  }

  private void traceCompletions(TraceSink sink, RxQueue queue, long atPs) {
    for (int i = 0; i < queue.doneCount; i++) {
      sink.onStep(
          OperationId.receive(config.portIndex(), queue.index, queue.reported + i),
          LifecycleStep.COMPLETION,
          TraceCause.DESCRIPTOR_WRITTEN_BACK,
          atPs,
          queue.address(queue.head + i),
          RxDescriptorLayout.SIZE_BYTES);
    }
  }
}
