package io.github.bellwire.trace;

/** The seven steps of a DMA operation, in their order. */
public enum LifecycleStep {
  /** Host software obtains a buffer. */
  ALLOCATE,
  /** Host software makes the buffer reachable for the device and learns its bus address. */
  MAP,
  /** Host software writes the descriptor. */
  BUILD,
  /** Host software tells the device about new descriptors by an MMIO write. */
  DOORBELL,
  /** The device reads or writes memory. */
  DEVICE_DMA,
  /** The device reports that it is done, and host software notices. */
  COMPLETION,
  /** Host software takes the buffer back from the device. */
  UNMAP
}
