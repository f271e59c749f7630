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
 * Tells software which transmit descriptors are done: by writing them back, or the head index
 * (82599 data sheet, section 7.2.3.5).
 *
 * <p>With WTHRESH 0 every descriptor that asks (RS) is reported at once. With WTHRESH above 0
 * reports gather until so many descriptors are done; a group that begins inside a cache line ends
 * with the line, so that the next one is aligned. A group that stays incomplete is reported when
 * the interrupt moderation time of the queue's vector has passed.
 */
final class TxReporter {
  private static final int LINE_DESCRIPTORS = 4;

  /** For vectors without moderation, so that no report is lost: an assumption. */
  private static final long FLUSH_DEFAULT_PS = 10_000_000;

  private final NicConfig config;
  private final Simulation simulation;
  private final TxQueue[] queues;
  private final InterruptUnit interrupts;
  private final DmaGate dma;
  private final @Nullable TraceSink trace;
  private final Event[] flushes;
  private final byte[] scratch = new byte[128 * TxDescriptorLayout.SIZE_BYTES];
  private boolean isHeld;
  private long faultsTotal;

  TxReporter(
      NicConfig config,
      Simulation simulation,
      TxQueue[] queues,
      InterruptUnit interrupts,
      DmaGate dma,
      @Nullable TraceSink trace) {
    this.config = config;
    this.simulation = simulation;
    this.queues = queues;
    this.interrupts = interrupts;
    this.dma = dma;
    this.trace = trace;
    flushes = new Event[queues.length];
    for (int i = 0; i < queues.length; i++) {
      flushes[i] = flushEvent(queues[i]);
    }
  }

  void reset() {
    for (Event flush : flushes) {
      simulation.cancel(flush);
    }
  }

  /** Drops what has not been reported of a queue. */
  void cancel(TxQueue queue) {
    simulation.cancel(flushes[queue.index]);
  }

  void onFault(long nowPs) {
    faultsTotal++;
    interrupts.onOther(NicRegisters.EICR_PCI, nowPs);
  }

  /** {@return accesses that memory refused} */
  long faultsTotal() {
    return faultsTotal;
  }

  /** Memory may be reached again: reports what could not be reported meanwhile. */
  void resume(long nowPs) {
    if (isHeld && dma.isOpen()) {
      isHeld = false;
      for (TxQueue queue : queues) {
        flush(queue, nowPs);
      }
    }
  }

  /** The next descriptor of a queue is done. */
  void onDone(TxQueue queue, long nowPs) {
    boolean wantsReport = wantsReport(queue.high[queue.done]);
    queue.done = queue.next(queue.done);
    queue.hasUnreported |= wantsReport;
    if (!queue.hasUnreported) {
      queue.reported = queue.done; // Nobody asked.
      return;
    }
    if (queue.unreportedCount() >= groupSize(queue)) {
      flush(queue, nowPs);
    } else if (!flushes[queue.index].isScheduled()) {
      simulation.schedule(flushes[queue.index], flushPs(queue, nowPs));
    }
  }

  /** Reports everything that is done and asked for. */
  void flush(TxQueue queue, long nowPs) {
    simulation.cancel(flushes[queue.index]);
    if (!queue.hasUnreported || !queue.isEnabled) {
      return;
    }
    if (!dma.isOpen()) {
      isHeld = true;
      return;
    }
    if (queue.writesHeadBack) {
      writeHead(queue, nowPs);
    } else {
      writeBack(queue, nowPs);
    }
    queue.hasUnreported = false;
    // The message follows the report out of the device; posted order keeps it behind.
    interrupts.onTxCause(queue.index, dma.sentPs());
  }

  private Event flushEvent(TxQueue queue) {
    return new Event() {
      @Override
      protected void onEvent(long nowPs) {
        flush(queue, nowPs);
      }
    };
  }

  private long flushPs(TxQueue queue, long nowPs) {
    long expiryPs =
        interrupts.hasTxVector(queue.index)
            ? interrupts.itrExpiryPs(interrupts.txVector(queue.index), nowPs)
            : Simulation.NEVER_PS;
    return expiryPs == Simulation.NEVER_PS ? nowPs + FLUSH_DEFAULT_PS : expiryPs;
  }

  private static int groupSize(TxQueue queue) {
    if (queue.wthresh == 0) {
      return 1;
    }
    // Groups shorter than a line cannot all end with one.
    int intoLine = queue.wthresh < LINE_DESCRIPTORS ? 0 : queue.reported % LINE_DESCRIPTORS;
    return queue.wthresh - intoLine;
  }

  private void writeHead(TxQueue queue, long nowPs) {
    queue.reported = queue.done;
    LittleEndian.putLong(scratch, 0, queue.done);
    dma.writeStatus(queue.headWriteBackAddress, scratch, 0, Integer.BYTES, nowPs);
    checkWritten(nowPs);
  }

  /** Writes back runs of neighbouring descriptors that ask for it, each run at once. */
  private void writeBack(TxQueue queue, long nowPs) {
    long sentPs = nowPs;
    while (queue.reported != queue.done) {
      int first = queue.reported;
      int count = 0;
      while (queue.reported != queue.done
          && wantsReport(queue.high[queue.reported])
          && queue.reported == first + count
          && count < scratch.length / TxDescriptorLayout.SIZE_BYTES) {
        encode(queue, queue.reported, count++);
        queue.reported = queue.next(queue.reported);
      }
      if (count == 0) {
        queue.reported = queue.next(queue.reported);
        continue;
      }
      int bytes = count * TxDescriptorLayout.SIZE_BYTES;
      long visiblePs = dma.writeStatus(queue.address(first), scratch, 0, bytes, sentPs);
      sentPs = dma.sentPs();
      checkWritten(nowPs);
      traceRun(queue, first, count, visiblePs);
    }
  }

  private void encode(TxQueue queue, int descriptor, int index) {
    long high = queue.high[descriptor];
    int at = index * TxDescriptorLayout.SIZE_BYTES;
    LittleEndian.putLong(scratch, at, queue.low[descriptor]);
    LittleEndian.putLong(
        scratch, at + TxDescriptorLayout.HIGH_OFFSET, TxDescriptorLayout.done(high));
  }

  private void checkWritten(long nowPs) {
    if (dma.status() != DmaStatus.OK) {
      onFault(nowPs);
    }
  }

  private static boolean wantsReport(long high) {
    return !TxDescriptorLayout.isContext(high)
        && (TxDescriptorLayout.command(high) & TxDescriptorLayout.COMMAND_RS) != 0;
  }

  private void traceRun(TxQueue queue, int first, int count, long atPs) {
    if (trace == null) {
      return;
    }
    for (int i = 0; i < count; i++) {
      int behind = queue.processed - first - i;
      long distance = behind <= 0 ? behind + queue.size : behind;
      trace.onStep(
          OperationId.transmit(config.portIndex(), queue.index, queue.sequence - distance),
          LifecycleStep.COMPLETION,
          TraceCause.DESCRIPTOR_WRITTEN_BACK,
          atPs,
          queue.address(first + i),
          TxDescriptorLayout.SIZE_BYTES);
    }
  }
}
