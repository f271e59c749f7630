package io.github.bellwire.device.nic.driver;

/** How the driver learns of received frames, and how it maps their buffers. */
public enum DriverMode {
  /**
   * Polls descriptors in memory for ever, with buffers mapped once at set-up: kernel bypass, as
   * DPDK and ixy do.
   */
  POLL,
  /** Drains the ring in the interrupt handler; each buffer is mapped and unmapped per packet. */
  INTERRUPT,
  /**
   * The interrupt handler masks its vector and schedules polls of at most 64 frames until one finds
   * fewer, as NAPI of Linux does; each buffer is mapped and unmapped per packet.
   */
  NAPI;

  /** {@return whether buffers are mapped once at set-up rather than per packet} */
  public boolean isPreMapped() {
    return this == POLL;
  }
}
