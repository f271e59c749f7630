package io.github.bellwire.device.nic;

import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceSink;
import org.jspecify.annotations.Nullable;

/**
 * Brings receive descriptors onto the chip: those a frame needs when there are none, and ahead of
 * frames when few are left.
 */
final class RxFetcher {
  private final NicConfig config;
  private final DmaGate dma;
  private final @Nullable TraceSink trace;
  private final int prefetchDescriptors;
  private final int threshold;
  private final byte[] scratch;
  private long lastReadPs;
  private long lastTicket;

  RxFetcher(NicConfig config, DmaGate dma, @Nullable TraceSink trace) {
    this.config = config;
    this.dma = dma;
    this.trace = trace;
    prefetchDescriptors = config.rxPrefetchDescriptors();
    threshold = config.rxFetchThreshold();
    scratch = new byte[prefetchDescriptors * RxDescriptorLayout.SIZE_BYTES];
  }

  void reset() {
    lastReadPs = 0;
    lastTicket = 0;
  }

  /** {@return when the last read has been answered or will have been} */
  long lastReadPs() {
    return lastReadPs;
  }

  /** {@return the ticket of the last read} */
  long lastTicket() {
    return lastTicket;
  }

  /** Fetches until a queue has descriptors for a frame; returns false if a read was refused. */
  boolean fetch(RxQueue queue, int count, long nowPs) {
    while (queue.unclaimedCount < count) {
      if (!read(queue, nowPs)) {
        return false;
      }
    }
    return true;
  }

  /** {@return whether fewer descriptors than wanted are on the chip and more can be had now} */
  boolean isPrefetchDue(RxQueue queue, long nowPs) {
    return queue.unclaimedCount < threshold
        && queue.fetchableCount() > 0
        && dma.tagFreePs() <= nowPs;
  }

  /** Reads the next descriptors, as many at once as the part does; false if that was refused. */
  boolean read(RxQueue queue, long nowPs) {
    int count = Math.min(prefetchDescriptors, queue.fetchableCount());
    long address = queue.address(queue.fetched);
    long readPs = dma.read(address, scratch, 0, count * RxDescriptorLayout.SIZE_BYTES, nowPs);
    if (dma.status() != DmaStatus.OK) {
      return false;
    }
    lastReadPs = Math.max(lastReadPs, readPs);
    lastTicket = dma.readTicket();
    if (trace != null) {
      traceFetched(trace, queue, count, readPs);
    }
    queue.fetch(scratch, count, lastReadPs);
    return true;
  }

  private void traceFetched(TraceSink sink, RxQueue queue, int count, long readPs) {
    long sequence = queue.sequence + queue.unclaimedCount;
    for (int i = 0; i < count; i++) {
      sink.onStep(
          OperationId.receive(config.portIndex(), queue.index, sequence + i),
          LifecycleStep.DEVICE_DMA,
          TraceCause.DESCRIPTOR_FETCHED,
          readPs,
          queue.address(queue.fetched + i),
          RxDescriptorLayout.SIZE_BYTES);
    }
  }
}
