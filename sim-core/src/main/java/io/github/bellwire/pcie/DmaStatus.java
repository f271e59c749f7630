package io.github.bellwire.pcie;

/** How a DMA access of a device ended. A failure is data: nothing throws and no byte moved. */
public enum DmaStatus {
  /** All bytes moved. */
  OK,
  /** The address belongs to nobody: completion status UR for reads, a dropped write. */
  UNSUPPORTED_REQUEST,
  /** The address is known but refused, by translation for instance: completion status CA. */
  COMPLETER_ABORT,
  /** The function's bus-master enable bit is clear; no TLP was sent. */
  BUS_MASTER_DISABLED,
  /** The data was marked as bad by its sender: not used. */
  POISONED,
  /** A read got no answer, or not all of it, in time. */
  COMPLETION_TIMEOUT,
  /** A write was dropped by its receiver: it broke the rules of its format. */
  MALFORMED_TLP,
  /** A write was dropped by its receiver: its end-to-end CRC was wrong. */
  ECRC_ERROR,
  /** The link is down: the device is not in the machine any more; no TLP was sent. */
  LINK_DOWN
}
