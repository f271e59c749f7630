package io.github.bellwire.iommu.amd;

import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.iommu.layout.AmdFault;
import io.github.bellwire.iommu.layout.AmdLayout;
import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.iommu.queue.RecordRing;
import io.github.bellwire.iommu.walk.FaultSink;

/**
 * The event log: records of 16 bytes. One that finds the log full sets the overflow bit, and
 * nothing is logged until software has restarted the log.
 */
public final class AmdEventLog extends RecordRing implements FaultSink {
  private static final int CODES = 16;

  private final Runnable onChange;
  private final long[] totals = new long[CODES];
  private boolean hasOverflown;
  private boolean isInterruptPending;
  private long recordedPs;

  /**
   * Creates a log that is off.
   *
   * @param ports the machine
   * @param onInterrupt called when an event asks for an interrupt, see {@link #recordedPs}
   */
  AmdEventLog(RemappingPorts ports, Runnable onInterrupt) {
    super(ports, AmdLayout.ENTRY_BYTES);
    onChange = onInterrupt;
  }

  @Override
  public void onFault(
      FaultCode reason, int sourceId, int pasid, long address, boolean isWrite, long atPs) {
    long flags = isWrite ? AmdLayout.EVENT_WRITE : 0;
    if (reason instanceof AmdFault fault) {
      flags |= fault.flags();
    }
    add(reason.code(), flags | sourceId & 0xFFFFL, address, atPs);
  }

  /** A command has gone wrong. */
  void onCommand(int code, long word0, long address, long atPs) {
    add(code, word0, address, atPs);
  }

  private void add(int code, long word0, long word1, long atPs) {
    totals[code & CODES - 1]++;
    add(atPs, word0 | (long) code << AmdLayout.CODE_SHIFT, word1);
  }

  @Override
  protected long word(int index, long first, long second) {
    return index == 0 ? first : second;
  }

  /** One entry stays free. */
  @Override
  protected boolean isFull() {
    return hasOverflown || usedCount() == slotsCount() - 1;
  }

  @Override
  protected void onOverflow(long atPs) {
    hasOverflown = true;
    interrupt(atPs);
  }

  @Override
  protected void onRecorded(long atPs) {
    interrupt(atPs);
  }

  private void interrupt(long atPs) {
    recordedPs = atPs;
    if (!isInterruptPending) {
      isInterruptPending = true;
      onChange.run();
    }
  }

  /** {@return when the last interrupt was asked for, in picoseconds} */
  long recordedPs() {
    return recordedPs;
  }

  int statusBits() {
    return (hasOverflown ? AmdLayout.STATUS_EVENT_OVERFLOW : 0)
        | (isInterruptPending ? AmdLayout.STATUS_EVENT_INTERRUPT : 0)
        | (isEnabled() && !hasOverflown ? AmdLayout.STATUS_EVENT_RUNNING : 0);
  }

  /** Clears bits of the status register by ones. */
  void clear(int bits) {
    if ((bits & AmdLayout.STATUS_EVENT_INTERRUPT) != 0) {
      isInterruptPending = false;
    }
    if ((bits & AmdLayout.STATUS_EVENT_OVERFLOW) != 0) {
      hasOverflown = false;
    }
  }

  /**
   * {@return events of a code, whatever became of them}
   *
   * @param code 1..15
   */
  public long eventsTotal(int code) {
    return totals[code];
  }
}
