package io.github.bellwire.cpu;

import io.github.bellwire.cache.CacheHierarchy;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.MmioResult;

/**
 * The port of a running {@link Routine}: costs add up in the core's local time, which runs ahead of
 * the clock. Memory is seen as of the start of the routine, or of its last MMIO read.
 */
final class LocalTimePort implements CpuPort {
  private final int coreIndex;
  private final CoreConfig config;
  private final CycleTime cycleTime;
  private final MachinePorts machine;
  private final CacheHierarchy caches;
  private final PhysicalMemory memory;
  private final MmioResult mmioResult = new MmioResult();
  private long localPs;

  LocalTimePort(int coreIndex, CoreConfig config, MachinePorts machine) {
    this.coreIndex = coreIndex;
    this.config = config;
    this.machine = machine;
    caches = machine.caches();
    memory = machine.memory();
    cycleTime = new CycleTime(config.frequencyHz());
  }

  void begin(long nowPs) {
    localPs = nowPs;
    machine.commits().settle(nowPs);
  }

  @Override
  public long nowPs() {
    return localPs;
  }

  @Override
  public int coreIndex() {
    return coreIndex;
  }

  @Override
  public long load(long pa, int sizeBytes) {
    localPs = caches.coreLoad(coreIndex, pa, sizeBytes, localPs);
    return memory.get(pa, sizeBytes);
  }

  @Override
  public void store(long pa, int sizeBytes, long value) {
    localPs = caches.coreStore(coreIndex, pa, sizeBytes, localPs);
    memory.put(pa, sizeBytes, value);
  }

  @Override
  public void load(long pa, byte[] destination, int offset, int lengthBytes) {
    localPs = caches.coreLoad(coreIndex, pa, lengthBytes, localPs);
    memory.copyOut(pa, destination, offset, lengthBytes);
  }

  @Override
  public void store(long pa, byte[] source, int offset, int lengthBytes) {
    localPs = caches.coreStore(coreIndex, pa, lengthBytes, localPs);
    memory.copyIn(pa, source, offset, lengthBytes);
  }

  @Override
  public long mmioRead(long address, int sizeBytes) {
    machine.rootComplex().mmioRead(address, sizeBytes, localPs, mmioResult);
    localPs = Math.max(localPs, mmioResult.donePs());
    machine.simulation().runUntil(localPs);
    localPs = machine.simulation().nowPs();
    machine.commits().settle(localPs);
    return mmioResult.value();
  }

  @Override
  public void mmioWrite(long address, int sizeBytes, long value) {
    localPs += config.mmioWritePs();
    machine.rootComplex().mmioWrite(address, sizeBytes, value, localPs);
  }

  @Override
  public void delay(long durationPs) {
    localPs += requireNotNegative(durationPs, "durationPs");
  }

  @Override
  public void compute(int cycles) {
    requireNotNegative(cycles, "cycles");
    localPs += cycleTime.toPs(cycles);
  }

  static long requireNotNegative(long value, String name) {
    if (value < 0) {
      throw new IllegalArgumentException(name + " must be >= 0: " + name + "=" + value);
    }
    return value;
  }
}
