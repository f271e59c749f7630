package io.github.bellwire.device.nic.driver;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A core whose every memory access takes 1 ns, and a BAR whose registers hold what was written.
 * Subclasses make registers do something.
 */
class FakePort implements CpuPort {
  static final long ACCESS_PS = 1_000;
  static final long BAR0 = 0xF_0000_0000L;

  final PhysicalMemory memory = new PhysicalMemory(16 << 20, 64 << 20);
  final Map<Integer, Integer> registers = new TreeMap<>();
  final List<Write> mmioWrites = new ArrayList<>();
  final List<Integer> computations = new ArrayList<>();
  long loadsCount;
  long blockStoresCount;
  private long nowPs;

  /** A register write, by its offset in BAR0. */
  record Write(int offset, int value) {}

  /** Called before a register is read. */
  void onRead(int offset) {}

  /** Called after a register was written. */
  void onWrite(int offset, int value) {}

  /** Returns the values written to a register, in order. */
  List<Integer> written(int offset) {
    return mmioWrites.stream().filter(w -> w.offset == offset).map(Write::value).toList();
  }

  @Override
  public long nowPs() {
    return nowPs;
  }

  @Override
  public int coreIndex() {
    return 0;
  }

  @Override
  public long load(long pa, int sizeBytes) {
    nowPs += ACCESS_PS;
    loadsCount++;
    return memory.get(pa, sizeBytes);
  }

  @Override
  public void touch(long pa, int sizeBytes) {
    load(pa, sizeBytes);
  }

  @Override
  public void store(long pa, int sizeBytes, long value) {
    nowPs += ACCESS_PS;
    memory.put(pa, sizeBytes, value);
  }

  @Override
  public void load(long pa, byte[] destination, int offset, int lengthBytes) {
    nowPs += ACCESS_PS;
    loadsCount++;
    memory.copyOut(pa, destination, offset, lengthBytes);
  }

  @Override
  public void store(long pa, byte[] source, int offset, int lengthBytes) {
    nowPs += ACCESS_PS;
    blockStoresCount++;
    memory.copyIn(pa, source, offset, lengthBytes);
  }

  @Override
  public long mmioRead(long address, int sizeBytes) {
    nowPs += ACCESS_PS;
    int offset = (int) (address - BAR0);
    onRead(offset);
    return Integer.toUnsignedLong(registers.getOrDefault(offset, 0));
  }

  @Override
  public void mmioWrite(long address, int sizeBytes, long value) {
    nowPs += ACCESS_PS;
    int offset = (int) (address - BAR0);
    registers.put(offset, (int) value);
    mmioWrites.add(new Write(offset, (int) value));
    onWrite(offset, (int) value);
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
  public void fence() {
    throw new UnsupportedOperationException();
  }

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
    computations.add(cycles);
  }
}
