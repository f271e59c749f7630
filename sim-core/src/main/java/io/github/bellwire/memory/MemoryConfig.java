package io.github.bellwire.memory;

/** What the DRAM of a host is: one pipe, or channels with banks and rows. */
public sealed interface MemoryConfig permits SimpleMemoryControllerConfig, DramConfig {
  /** {@return a new, idle controller of this kind} */
  MemoryController newController();
}
