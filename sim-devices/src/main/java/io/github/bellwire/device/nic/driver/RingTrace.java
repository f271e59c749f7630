package io.github.bellwire.device.nic.driver;

import io.github.bellwire.dma.DescriptorRing;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceSink;
import org.jspecify.annotations.Nullable;

/** Reports the steps of one ring's operations. Exists only if somebody listens. */
final class RingTrace {
  private final TraceSink sink;
  private final long firstId;

  private RingTrace(TraceSink sink, long firstId) {
    this.sink = sink;
    this.firstId = firstId;
  }

  static @Nullable RingTrace receive(@Nullable TraceSink sink, int portIndex, int queue) {
    return sink == null ? null : new RingTrace(sink, OperationId.receive(portIndex, queue, 0));
  }

  static @Nullable RingTrace transmit(@Nullable TraceSink sink, int portIndex, int queue) {
    return sink == null ? null : new RingTrace(sink, OperationId.transmit(portIndex, queue, 0));
  }

  void allocated(long sequence, long timePs, long pa, int lengthBytes) {
    report(sequence, LifecycleStep.ALLOCATE, TraceCause.BUFFER_FROM_POOL, timePs, pa, lengthBytes);
  }

  void mapped(long sequence, boolean isReused, long timePs, long iova, int lengthBytes) {
    TraceCause cause = isReused ? TraceCause.POOL_MAPPING_REUSED : TraceCause.BUFFER_MAPPED;
    report(sequence, LifecycleStep.MAP, cause, timePs, iova, lengthBytes);
  }

  void built(long sequence, long timePs, long descriptorPa, int descriptorBytes) {
    report(
        sequence,
        LifecycleStep.BUILD,
        TraceCause.DESCRIPTOR_WRITTEN,
        timePs,
        descriptorPa,
        descriptorBytes);
  }

  /**
   * Descriptors that are handed over next have been written.
   *
   * @param ring the ring
   * @param distance how many descriptors the first of them lies behind the tail
   * @param count how many they are
   * @param timePs when
   * @param firstPa where the first of them lies
   */
  void built(DescriptorRing ring, int distance, int count, long timePs, long firstPa) {
    int descriptorBytes = ring.descriptorBytes();
    for (int i = 0; i < count; i++) {
      long sequence = ring.tailSequence() + distance + i;
      built(sequence, timePs, firstPa + (long) i * descriptorBytes, descriptorBytes);
    }
  }

  /** The last descriptors handed over have been announced. */
  void announced(DescriptorRing ring, int count, long timePs, long registerPa) {
    for (long sequence = ring.tailSequence() - count; sequence < ring.tailSequence(); sequence++) {
      report(
          sequence,
          LifecycleStep.DOORBELL,
          TraceCause.TAIL_WRITTEN,
          timePs,
          registerPa,
          Integer.BYTES);
    }
  }

  void completed(long sequence, long timePs, long descriptorPa, int descriptorBytes) {
    report(
        sequence,
        LifecycleStep.COMPLETION,
        TraceCause.DONE_BIT_SEEN,
        timePs,
        descriptorPa,
        descriptorBytes);
  }

  void unmapped(long sequence, long timePs, long iova, int lengthBytes) {
    report(sequence, LifecycleStep.UNMAP, TraceCause.BUFFER_UNMAPPED, timePs, iova, lengthBytes);
  }

  void returned(long sequence, long timePs, long pa, int lengthBytes) {
    report(sequence, LifecycleStep.UNMAP, TraceCause.BUFFER_TO_POOL, timePs, pa, lengthBytes);
  }

  private void report(
      long sequence,
      LifecycleStep step,
      TraceCause cause,
      long timePs,
      long address,
      int lengthBytes) {
    sink.onStep(firstId + sequence, step, cause, timePs, address, lengthBytes);
  }
}
