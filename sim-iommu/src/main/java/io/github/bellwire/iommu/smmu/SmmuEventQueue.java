package io.github.bellwire.iommu.smmu;

import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.iommu.layout.SmmuEvent;
import io.github.bellwire.iommu.layout.SmmuLayout;
import io.github.bellwire.iommu.queue.RecordRing;
import io.github.bellwire.iommu.walk.FaultSink;
import io.github.bellwire.pcie.TranslationRequest;

/**
 * The event queue: records of 32 bytes. What finds it full is lost; the first loss toggles the
 * overflow flag of the producer, which software acknowledges by that of the consumer.
 */
public final class SmmuEventQueue extends RecordRing implements FaultSink {
  private static final int CODES = 0x100;

  /** In the packed record: a read; not a bit of word 0. */
  private static final long PACKED_READ = 1 << 8;

  private static final long STREAM_MASK = 0xFFFF_FFFFL;

  private final EventListener listener;
  private final long[] totals = new long[CODES];
  private boolean overflowFlag;
  private boolean overflowAcknowledged;

  /** Is told when the queue is not empty any more. */
  @FunctionalInterface
  interface EventListener {
    void onEvent(long atPs);
  }

  SmmuEventQueue(RemappingPorts ports, EventListener listener) {
    super(ports, SmmuLayout.EVENT_BYTES);
    this.listener = listener;
  }

  @Override
  public void onFault(
      FaultCode reason, int sourceId, int pasid, long address, boolean isWrite, long atPs) {
    totals[reason.code()]++;
    long packed = reason.code() | (sourceId & STREAM_MASK) << SmmuLayout.STREAM_SHIFT;
    packed |= isWrite ? 0 : PACKED_READ;
    if (pasid != TranslationRequest.NO_PASID) {
      packed |= SmmuLayout.SUBSTREAM_VALID;
      packed |= (long) pasid << SmmuLayout.SUBSTREAM_SHIFT;
    }
    add(atPs, packed, address);
  }

  @Override
  protected long word(int index, long first, long second) {
    return switch (index) {
      case 0 -> first & ~PACKED_READ;
      case 1 ->
          ((first & PACKED_READ) != 0 ? SmmuLayout.EVENT_READ : 0)
              | ((int) (first & SmmuLayout.CODE_MASK) >= SmmuEvent.TRANSLATION.code()
                  ? SmmuLayout.EVENT_CLASS_INPUT
                  : 0);
      case 2 -> second;
      default -> 0;
    };
  }

  @Override
  protected boolean isFull() {
    return usedCount() >= slotsCount();
  }

  @Override
  protected void onOverflow(long atPs) {
    if (overflowFlag == overflowAcknowledged) {
      overflowFlag = !overflowFlag;
    }
  }

  @Override
  protected void onRecorded(long atPs) {
    listener.onEvent(atPs);
  }

  int producer() {
    return tail() | (overflowFlag ? SmmuLayout.QUEUE_OVERFLOW : 0);
  }

  int consumer() {
    return head() | (overflowAcknowledged ? SmmuLayout.QUEUE_OVERFLOW : 0);
  }

  void writeConsumer(int value) {
    setHead(value);
    overflowAcknowledged = (value & SmmuLayout.QUEUE_OVERFLOW) != 0;
  }

  /**
   * {@return events of a number, whatever became of them}
   *
   * @param code 1..FFh
   */
  public long eventsTotal(int code) {
    return totals[code];
  }
}
