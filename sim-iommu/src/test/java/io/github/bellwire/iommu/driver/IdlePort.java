package io.github.bellwire.iommu.driver;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.memory.PhysicalMemory;

/** A core whose accesses to memory take no time, and whose computing takes 1 ns per cycle. */
final class IdlePort implements CpuPort {
  final PhysicalMemory memory;
  int coreIndex;
  long nowPs;
  long loadsCount;
  long storesCount;

  IdlePort(PhysicalMemory memory) {
    this.memory = memory;
  }

  @Override
  public long nowPs() {
    return nowPs;
  }

  @Override
  public int coreIndex() {
    return coreIndex;
  }

  @Override
  public long load(long pa, int sizeBytes) {
    loadsCount++;
    return memory.get(pa, sizeBytes);
  }

  @Override
  public void touch(long pa, int sizeBytes) {}

  @Override
  public void store(long pa, int sizeBytes, long value) {
    storesCount++;
    memory.put(pa, sizeBytes, value);
  }

  @Override
  public void load(long pa, byte[] destination, int offset, int lengthBytes) {
    memory.copyOut(pa, destination, offset, lengthBytes);
  }

  @Override
  public void store(long pa, byte[] source, int offset, int lengthBytes) {
    memory.copyIn(pa, source, offset, lengthBytes);
  }

  @Override
  public long mmioRead(long address, int sizeBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void mmioWrite(long address, int sizeBytes, long value) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void mmioRead(long address, byte[] destination, int offset, int lengthBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void mmioWrite(long address, byte[] source, int offset, int lengthBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void wcStore(long address, byte[] source, int offset, int lengthBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void wcLoad(long address, byte[] destination, int offset, int lengthBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void movdir64b(long address, byte[] source, int offset) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void fence() {}

  @Override
  public void copy(long fromPa, long toPa, int lengthBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void maintainCache(CacheOperation operation, long pa, int lengthBytes) {}

  @Override
  public void setCacheable(long pa, int lengthBytes, boolean isCacheable) {}

  @Override
  public long spinUntil(long pa, int sizeBytes, long value, long timeoutPs) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void beginCritical() {}

  @Override
  public void endCritical() {}

  @Override
  public void delay(long durationPs) {
    nowPs += durationPs;
  }

  @Override
  public void compute(int cycles) {
    nowPs += cycles * 1_000L;
  }
}
