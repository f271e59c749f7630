package io.github.bellwire.cache;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.memory.PhysicalMemory;

/** Physical memory as cores see it through caches that hide themselves. */
final class CoherentCoreMemory implements CoreMemory {
  private final PhysicalMemory memory;

  CoherentCoreMemory(PhysicalMemory memory) {
    this.memory = requireNonNull(memory, "memory");
  }

  @Override
  public long get(long pa, int sizeBytes) {
    return memory.get(pa, sizeBytes);
  }

  @Override
  public void put(long pa, int sizeBytes, long value) {
    memory.put(pa, sizeBytes, value);
  }

  @Override
  public void putLongs(long pa, long first, long second) {
    memory.putLongs(pa, first, second);
  }

  @Override
  public void copyOut(long pa, byte[] destination, int offset, int lengthBytes) {
    memory.copyOut(pa, destination, offset, lengthBytes);
  }

  @Override
  public void copyIn(long pa, byte[] source, int offset, int lengthBytes) {
    memory.copyIn(pa, source, offset, lengthBytes);
  }
}
