package io.github.bellwire.cpu;

/** How a core treats accesses to a range of device memory (Intel SDM volume 3, section 11.3). */
public enum MemoryType {
  /** Uncached: every store is a request of its own, and loads wait for each other. */
  UC,
  /** Write combining: stores gather in line buffers, streaming loads overlap. */
  WC
}
