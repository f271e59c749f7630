package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.RegisterLayout.EVENT_MASK;
import static io.github.bellwire.iommu.layout.RegisterLayout.EVENT_PENDING;

import io.github.bellwire.pcie.InterruptSink;

/**
 * Four registers of 32 bits that say whether and how the unit interrupts a core: control, data,
 * address and upper address of the message (VT-d specification 4.1, section 11.4.7.2 and others).
 * The unit's own messages are not remapped.
 */
final class EventRegisters {
  static final int CONTROL = 0;
  static final int DATA = 4;
  static final int ADDRESS = 8;
  static final int UPPER_ADDRESS = 12;

  /** The unit sends its messages as function 0 of device 0 on bus 0. */
  private static final int REQUESTER_ID = 0;

  private static final int ADDRESS_RESERVED = 3;

  private final InterruptSink interrupts;
  private boolean isMasked = true;
  private boolean isPending;
  private int data;
  private int address;
  private int upperAddress;
  private long messagesTotal;

  EventRegisters(InterruptSink interrupts) {
    this.interrupts = interrupts;
  }

  /** A condition has arisen: the message leaves, or waits for the mask to be cleared. */
  void raise(long atPs) {
    if (isMasked) {
      isPending = true;
    } else {
      send(atPs);
    }
  }

  /** Software has dealt with the condition; a message that waits is not needed any more. */
  void withdraw() {
    isPending = false;
  }

  int read(int register) {
    return switch (register) {
      case CONTROL -> (isMasked ? EVENT_MASK : 0) | (isPending ? EVENT_PENDING : 0);
      case DATA -> data;
      case ADDRESS -> address;
      default -> upperAddress;
    };
  }

  void write(int register, int value, long atPs) {
    switch (register) {
      case CONTROL -> setMasked((value & EVENT_MASK) != 0, atPs);
      case DATA -> data = value;
      case ADDRESS -> address = value & ~ADDRESS_RESERVED;
      default -> upperAddress = value;
    }
  }

  long messagesTotal() {
    return messagesTotal;
  }

  private void setMasked(boolean newIsMasked, long atPs) {
    isMasked = newIsMasked;
    if (!isMasked && isPending) {
      isPending = false;
      send(atPs);
    }
  }

  private void send(long atPs) {
    messagesTotal++;
    long wideAddress = (long) upperAddress << Integer.SIZE | address & 0xFFFF_FFFFL;
    interrupts.onMessage(REQUESTER_ID, wideAddress, data, atPs);
  }
}
