package io.github.bellwire.cpu;

import io.github.bellwire.cache.CacheOperation;

/** A port somebody listens to: each call goes on as it is, and loads and stores are told. */
final class ObservedPort implements CpuPort {
  private final CpuPort port;
  private final CpuListener listener;

  ObservedPort(CpuPort port, CpuListener listener) {
    this.port = port;
    this.listener = listener;
  }

  @Override
  public long nowPs() {
    return port.nowPs();
  }

  @Override
  public int coreIndex() {
    return port.coreIndex();
  }

  @Override
  public long load(long pa, int sizeBytes) {
    long value = port.load(pa, sizeBytes);
    listener.onLoad(port.coreIndex(), pa, sizeBytes, port.nowPs());
    return value;
  }

  @Override
  public void touch(long pa, int sizeBytes) {
    port.touch(pa, sizeBytes);
  }

  @Override
  public void store(long pa, int sizeBytes, long value) {
    port.store(pa, sizeBytes, value);
    listener.onStore(port.coreIndex(), pa, sizeBytes, port.nowPs());
  }

  @Override
  public void load(long pa, byte[] destination, int offset, int lengthBytes) {
    port.load(pa, destination, offset, lengthBytes);
    listener.onLoad(port.coreIndex(), pa, lengthBytes, port.nowPs());
  }

  @Override
  public void store(long pa, byte[] source, int offset, int lengthBytes) {
    port.store(pa, source, offset, lengthBytes);
    listener.onStore(port.coreIndex(), pa, lengthBytes, port.nowPs());
  }

  @Override
  public void storeLongs(long pa, long first, long second) {
    port.storeLongs(pa, first, second);
    listener.onStore(port.coreIndex(), pa, 2 * Long.BYTES, port.nowPs());
  }

  @Override
  public long spinUntil(long pa, int sizeBytes, long value, long timeoutPs) {
    long tookPs = port.spinUntil(pa, sizeBytes, value, timeoutPs);
    listener.onLoad(port.coreIndex(), pa, sizeBytes, port.nowPs());
    return tookPs;
  }

  @Override
  public void beginCritical() {
    port.beginCritical();
  }

  @Override
  public void endCritical() {
    port.endCritical();
  }

  @Override
  public long mmioRead(long address, int sizeBytes) {
    return port.mmioRead(address, sizeBytes);
  }

  @Override
  public void mmioWrite(long address, int sizeBytes, long value) {
    port.mmioWrite(address, sizeBytes, value);
  }

  @Override
  public void mmioRead(long address, byte[] destination, int offset, int lengthBytes) {
    port.mmioRead(address, destination, offset, lengthBytes);
  }

  @Override
  public void mmioWrite(long address, byte[] source, int offset, int lengthBytes) {
    port.mmioWrite(address, source, offset, lengthBytes);
  }

  @Override
  public void wcStore(long address, byte[] source, int offset, int lengthBytes) {
    port.wcStore(address, source, offset, lengthBytes);
  }

  @Override
  public void wcLoad(long address, byte[] destination, int offset, int lengthBytes) {
    port.wcLoad(address, destination, offset, lengthBytes);
  }

  @Override
  public void movdir64b(long address, byte[] source, int offset) {
    port.movdir64b(address, source, offset);
  }

  @Override
  public void fence() {
    port.fence();
  }

  @Override
  public void copy(long fromPa, long toPa, int lengthBytes) {
    port.copy(fromPa, toPa, lengthBytes);
    listener.onLoad(port.coreIndex(), fromPa, lengthBytes, port.nowPs());
    listener.onStore(port.coreIndex(), toPa, lengthBytes, port.nowPs());
  }

  @Override
  public void maintainCache(CacheOperation operation, long pa, int lengthBytes) {
    port.maintainCache(operation, pa, lengthBytes);
  }

  @Override
  public void setCacheable(long pa, int lengthBytes, boolean isCacheable) {
    port.setCacheable(pa, lengthBytes, isCacheable);
  }

  @Override
  public void delay(long durationPs) {
    port.delay(durationPs);
  }

  @Override
  public void compute(int cycles) {
    port.compute(cycles);
  }
}
