package io.github.bellwire.dma.check;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;

/** A core that executes nothing, at a time that the test chooses. */
final class ClockPort implements CpuPort {
  long nowPs;

  @Override
  public long nowPs() {
    return nowPs;
  }

  @Override
  public int coreIndex() {
    return 3;
  }

  @Override
  public long load(long pa, int sizeBytes) {
    return 0;
  }

  @Override
  public void touch(long pa, int sizeBytes) {}

  @Override
  public void store(long pa, int sizeBytes, long value) {}

  @Override
  public void load(long pa, byte[] destination, int offset, int lengthBytes) {}

  @Override
  public void store(long pa, byte[] source, int offset, int lengthBytes) {}

  @Override
  public long mmioRead(long address, int sizeBytes) {
    return 0;
  }

  @Override
  public void mmioWrite(long address, int sizeBytes, long value) {}

  @Override
  public void mmioRead(long address, byte[] destination, int offset, int lengthBytes) {}

  @Override
  public void mmioWrite(long address, byte[] source, int offset, int lengthBytes) {}

  @Override
  public void wcStore(long address, byte[] source, int offset, int lengthBytes) {}

  @Override
  public void wcLoad(long address, byte[] destination, int offset, int lengthBytes) {}

  @Override
  public void movdir64b(long address, byte[] source, int offset) {}

  @Override
  public void fence() {}

  @Override
  public void copy(long fromPa, long toPa, int lengthBytes) {}

  @Override
  public void maintainCache(CacheOperation operation, long pa, int lengthBytes) {}

  @Override
  public void setCacheable(long pa, int lengthBytes, boolean isCacheable) {}

  @Override
  public long spinUntil(long pa, int sizeBytes, long value, long timeoutPs) {
    return 0;
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
  public void compute(int cycles) {}
}
