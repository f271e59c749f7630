package io.github.bellwire.cpu;

import io.github.bellwire.cache.CacheHierarchy;
import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cache.CoreMemory;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.MmioResult;

/**
 * The port of a running {@link Routine}: costs add up in the core's local time, which runs ahead of
 * the clock. Memory is seen as of the start of the routine, or of its last MMIO read.
 */
final class LocalTimePort implements CpuPort {
  private static final int LINE_MASK = CacheHierarchy.LINE_BYTES - 1;

  private final int coreIndex;
  private final CycleTime cycleTime;
  private final MachinePorts machine;
  private final CacheHierarchy caches;
  private final CoreMemory memory;
  private final DeviceAccess devices;
  private final LineStream lines;
  private final MmioResult mmioResult = new MmioResult();
  private long localPs;
  // What was computed last: most often the next is the same.
  private int knownCycles;
  private long knownPs;

  LocalTimePort(int coreIndex, CoreConfig config, WriteCombiner combiner, MachinePorts machine) {
    this.coreIndex = coreIndex;
    this.machine = machine;
    caches = machine.caches();
    memory = machine.memory();
    cycleTime = new CycleTime(config.frequencyHz());
    devices = new DeviceAccess(config, combiner, machine.rootComplex());
    lines = new LineStream(coreIndex, config, machine);
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
  public void touch(long pa, int sizeBytes) {
    localPs = lines.touch(pa, sizeBytes, localPs);
  }

  @Override
  public void store(long pa, int sizeBytes, long value) {
    localPs = caches.coreStore(coreIndex, pa, sizeBytes, localPs);
    memory.put(pa, sizeBytes, value);
  }

  @Override
  public void storeLongs(long pa, long first, long second) {
    if ((pa & LINE_MASK) > CacheHierarchy.LINE_BYTES - 2 * Long.BYTES) {
      CpuPort.super.storeLongs(pa, first, second);
      return;
    }
    localPs = caches.coreStoreTwice(coreIndex, pa, Long.BYTES, localPs);
    memory.putLongs(pa, first, second);
  }

  @Override
  public void load(long pa, byte[] destination, int offset, int lengthBytes) {
    localPs =
        ((int) pa & LINE_MASK) <= CacheHierarchy.LINE_BYTES - lengthBytes
            ? caches.coreLoad(coreIndex, pa, lengthBytes, localPs) // no stream
            : lines.load(pa, lengthBytes, localPs);
    memory.copyOut(pa, destination, offset, lengthBytes);
  }

  @Override
  public void store(long pa, byte[] source, int offset, int lengthBytes) {
    localPs = caches.coreStore(coreIndex, pa, lengthBytes, localPs);
    memory.copyIn(pa, source, offset, lengthBytes);
  }

  @Override
  public long mmioRead(long address, int sizeBytes) {
    devices.evictAll(localPs);
    machine.rootComplex().mmioRead(address, sizeBytes, localPs, mmioResult);
    catchUp(mmioResult.donePs());
    return mmioResult.value();
  }

  @Override
  public void mmioWrite(long address, int sizeBytes, long value) {
    localPs = devices.storeLeavesPs(localPs);
    devices.sendStore(address, sizeBytes, value, localPs);
  }

  @Override
  public void mmioRead(long address, byte[] destination, int offset, int lengthBytes) {
    catchUp(devices.load(address, destination, offset, lengthBytes, localPs));
  }

  @Override
  public void mmioWrite(long address, byte[] source, int offset, int lengthBytes) {
    localPs = devices.store(address, source, offset, lengthBytes, localPs);
  }

  @Override
  public void wcStore(long address, byte[] source, int offset, int lengthBytes) {
    localPs = devices.wcStore(address, source, offset, lengthBytes, localPs);
  }

  @Override
  public void wcLoad(long address, byte[] destination, int offset, int lengthBytes) {
    catchUp(devices.streamingLoad(address, destination, offset, lengthBytes, localPs));
  }

  @Override
  public void movdir64b(long address, byte[] source, int offset) {
    localPs = devices.storeLine(address, source, offset, localPs);
  }

  @Override
  public void fence() {
    localPs = devices.fence(localPs);
  }

  @Override
  public void copy(long fromPa, long toPa, int lengthBytes) {
    localPs = lines.copy(fromPa, toPa, lengthBytes, localPs);
  }

  @Override
  public void maintainCache(CacheOperation operation, long pa, int lengthBytes) {
    localPs = caches.maintain(operation, pa, lengthBytes, localPs);
  }

  @Override
  public void setCacheable(long pa, int lengthBytes, boolean isCacheable) {
    caches.setCacheable(pa, lengthBytes, isCacheable);
  }

  @Override
  public long spinUntil(long pa, int sizeBytes, long value, long timeoutPs) {
    long startPs = localPs;
    long deadlinePs = startPs + requireNotNegative(timeoutPs, "timeoutPs");
    long seenPs = machine.commits().firstTimeOf(pa, sizeBytes, value, localPs);
    while (seenPs > deadlinePs) {
      long nextPs = machine.simulation().nextEventPs();
      if (seenPs != Simulation.NEVER_PS || nextPs > deadlinePs) {
        localPs = deadlinePs;
        return NOT_SEEN;
      }
      // Nothing is booked: whoever will write has yet to get that far.
      machine.simulation().runUntil(nextPs);
      localPs = Math.max(localPs, nextPs);
      seenPs = machine.commits().firstTimeOf(pa, sizeBytes, value, localPs);
    }
    localPs = caches.coreLoad(coreIndex, pa, sizeBytes, seenPs);
    return localPs - startPs;
  }

  @Override
  public void beginCritical() {}

  @Override
  public void endCritical() {}

  @Override
  public void delay(long durationPs) {
    localPs += requireNotNegative(durationPs, "durationPs");
  }

  @Override
  public void compute(int cycles) {
    if (cycles != knownCycles) {
      requireNotNegative(cycles, "cycles");
      knownPs = cycleTime.toPs(cycles);
      knownCycles = cycles;
    }
    localPs += knownPs;
  }

  /** Lets the clock run to where the core is after it has waited for a device. */
  private void catchUp(long donePs) {
    machine.simulation().runUntil(Math.max(localPs, donePs));
    localPs = machine.simulation().nowPs();
  }

  static long requireNotNegative(long value, String name) {
    if (value < 0) {
      throw new IllegalArgumentException(name + " must be >= 0: " + name + "=" + value);
    }
    return value;
  }
}
