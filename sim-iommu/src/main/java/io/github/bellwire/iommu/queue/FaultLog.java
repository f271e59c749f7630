package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_COMPLETION_ERROR;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_INDEX_SHIFT;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_OVERFLOW;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_PENDING;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_QUEUE_ERROR;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_TIMEOUT_ERROR;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQERCD_COMPLETION_SOURCE_SHIFT;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQERCD_REASON_MASK;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQERCD_TIMEOUT_SOURCE_SHIFT;

import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.iommu.layout.FaultRecordLayout;
import io.github.bellwire.iommu.walk.FaultSink;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.InterruptSink;
import io.github.bellwire.pcie.TranslationRequest;

/**
 * Primary fault logging (VT-d specification 4.1, section 7.2.1): faults go to the recording
 * registers in turn. One that finds its register taken sets the overflow bit; it is lost, and so
 * are all others until software clears that bit. Errors of the invalidation queue share the status
 * register and the interrupt.
 *
 * <p>An interrupt is due when the first of the bits of the status register is set; more that are
 * set before software has cleared all give no other one.
 */
public final class FaultLog implements FaultSink {
  private static final int ERRORS =
      FSTS_OVERFLOW | FSTS_QUEUE_ERROR | FSTS_COMPLETION_ERROR | FSTS_TIMEOUT_ERROR;

  private final EventRegisters event;
  private final TimedEffects effects;
  private final long[] lows;
  private final long[] highs;
  private int nextIndex;
  private int firstIndex;
  private int pendingCount;
  // All bits but that of pending faults.
  private int errors;
  private long errorRecord;

  private final long[] totals = new long[0x100];
  private long recordedTotal;
  private long droppedTotal;

  /**
   * Creates an empty log.
   *
   * @param recordsCount recording registers, at least 1
   * @param simulation the clock
   * @param interrupts where its messages go
   */
  public FaultLog(int recordsCount, Simulation simulation, InterruptSink interrupts) {
    lows = new long[recordsCount];
    highs = new long[recordsCount];
    event = new EventRegisters(interrupts);
    effects =
        new TimedEffects(simulation) {
          @Override
          protected void apply(long first, long second, long atPs) {
            if (second < 0) { // The bit that marks a fault.
              record(first, second, atPs);
            } else {
              setError((int) second, first, atPs);
            }
          }
        };
  }

  @Override
  public void onFault(
      FaultCode reason, int sourceId, int pasid, long address, boolean isWrite, long atPs) {
    totals[reason.code()]++;
    long low = isInterrupt(reason) ? address : address & FaultRecordLayout.ADDRESS;
    long high =
        FaultRecordLayout.FAULT
            | (isWrite ? 0 : FaultRecordLayout.READ)
            | (long) reason.code() << FaultRecordLayout.REASON_SHIFT
            | sourceId & FaultRecordLayout.SOURCE_MASK;
    if (pasid != TranslationRequest.NO_PASID) {
      high |= FaultRecordLayout.PASID_PRESENT;
      high |= (pasid & FaultRecordLayout.PASID_MASK) << FaultRecordLayout.PASID_SHIFT;
    }
    effects.add(atPs, low, high);
  }

  private static boolean isInterrupt(FaultCode reason) {
    return reason instanceof FaultReason ofVtd && ofVtd.isInterrupt();
  }

  /** {@return faults that were to be recorded, whatever became of them} */
  public long faultsTotal() {
    long total = 0;
    for (long ofReason : totals) {
      total += ofReason;
    }
    return total;
  }

  /**
   * {@return of these, how many have one reason}
   *
   * @param reason why
   */
  public long faultsTotal(FaultReason reason) {
    return totals[reason.code()];
  }

  /** {@return faults that a register has held so far} */
  public long recordedTotal() {
    return recordedTotal;
  }

  /** {@return faults that are lost because registers were taken} */
  public long droppedTotal() {
    return droppedTotal;
  }

  /** {@return interrupts sent} */
  public long messagesTotal() {
    return event.messagesTotal();
  }

  /** An error of the invalidation queue will be seen. */
  void addError(int statusBit, long newErrorRecord, long atPs) {
    effects.add(atPs, newErrorRecord, statusBit);
  }

  void settle(long atPs) {
    effects.settle(atPs);
  }

  EventRegisters event() {
    return event;
  }

  int status() {
    return pendingCount == 0 ? errors : errors | FSTS_PENDING | firstIndex << FSTS_INDEX_SHIFT;
  }

  long errorRecord() {
    return errorRecord;
  }

  /** Clears bits of the status register by ones; returns which of them were set. */
  int clear(int bits) {
    int cleared = bits & errors & ERRORS;
    errors &= ~cleared;
    errorRecord &= ~recordMask(cleared);
    withdrawIfIdle();
    return cleared;
  }

  long low(int index) {
    return lows[index];
  }

  long high(int index) {
    return highs[index];
  }

  /** Clears the mark of a record by a one. */
  void clearRecord(int index) {
    if (highs[index] < 0) {
      highs[index] &= ~FaultRecordLayout.FAULT;
      pendingCount--;
      withdrawIfIdle();
    }
  }

  private void record(long low, long high, long atPs) {
    if ((errors & FSTS_OVERFLOW) != 0) {
      droppedTotal++;
      return;
    }
    if (highs[nextIndex] < 0) {
      droppedTotal++;
      errors |= FSTS_OVERFLOW;
      return;
    }
    recordedTotal++;
    lows[nextIndex] = low;
    highs[nextIndex] = high;
    boolean isFirst = status() == 0;
    if (pendingCount++ == 0) {
      firstIndex = nextIndex;
    }
    nextIndex = nextIndex + 1 == lows.length ? 0 : nextIndex + 1;
    if (isFirst) {
      event.raise(atPs);
    }
  }

  private void setError(int bit, long newErrorRecord, long atPs) {
    boolean isFirst = status() == 0;
    errors |= bit;
    errorRecord = errorRecord & ~recordMask(bit) | newErrorRecord;
    if (isFirst) {
      event.raise(atPs);
    }
  }

  private void withdrawIfIdle() {
    if (status() == 0) {
      event.withdraw();
    }
  }

  private static long recordMask(int bits) {
    return ((bits & FSTS_QUEUE_ERROR) == 0 ? 0 : IQERCD_REASON_MASK)
        | ((bits & FSTS_TIMEOUT_ERROR) == 0 ? 0 : 0xFFFFL << IQERCD_TIMEOUT_SOURCE_SHIFT)
        | ((bits & FSTS_COMPLETION_ERROR) == 0 ? 0 : 0xFFFFL << IQERCD_COMPLETION_SOURCE_SHIFT);
  }
}
