package io.github.bellwire.cache;

import io.github.bellwire.memory.MemoryController;

/** A root port's way into caches before one memory controller, which may change its answers. */
abstract class MemoryPort implements DeviceCachePort {
  private final MemoryController dram;

  MemoryPort(MemoryController dram) {
    this.dram = dram;
  }

  @Override
  public final long memoryMark() {
    return dram.askedTotal();
  }

  @Override
  public final long delayPs(long from, long to, long nowPs) {
    return dram.delayPs(from, to, nowPs);
  }

  @Override
  public final long memoryChangesTotal() {
    return dram.changesTotal();
  }
}
