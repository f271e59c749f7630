package io.github.bellwire.cpu;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.MmioResult;

/**
 * A core for code that expects to block: a test, an embedding program, a driver written for real
 * hardware that polls a register or a descriptor in a loop. Every call lets simulated time run
 * until the access is complete, and everything that is due by then happens first; every access
 * takes more than no time, so a loop that only polls makes progress.
 *
 * <p>To be called from outside the simulation: within an event, memory may not have been brought up
 * to the present, so every access throws {@link IllegalStateException} there. What runs within
 * events is a {@link Routine}, which gets a port of its own.
 */
public final class SynchronousPort implements CpuPort {
  private final Core core;
  private final int coreIndex;
  private final CoreConfig config;
  private final CycleTime cycleTime;
  private final MachinePorts machine;
  private final Simulation simulation;
  private final DeviceAccess devices;
  private final LineStream lines;
  private final MmioResult mmioResult = new MmioResult();
  private int criticalDepth;
  private long localPs;

  /**
   * Creates a port that executes on a core.
   *
   * @param core whose costs and private cache count
   */
  public SynchronousPort(Core core) {
    this.core = core;
    coreIndex = core.index();
    config = core.config();
    machine = core.machine();
    simulation = machine.simulation();
    cycleTime = new CycleTime(config.frequencyHz());
    devices = new DeviceAccess(config, core.combiner(), machine.rootComplex());
    lines = new LineStream(coreIndex, config, machine);
  }

  @Override
  public long nowPs() {
    return criticalDepth == 0 ? simulation.nowPs() : localPs;
  }

  @Override
  public int coreIndex() {
    return coreIndex;
  }

  @Override
  public long load(long pa, int sizeBytes) {
    runUntil(machine.caches().coreLoad(coreIndex, pa, sizeBytes, startPs()));
    tellLoad(pa, sizeBytes);
    return machine.memory().get(pa, sizeBytes);
  }

  @Override
  public void touch(long pa, int sizeBytes) {
    runOn(lines.touch(pa, sizeBytes, startPs()));
  }

  @Override
  public void store(long pa, int sizeBytes, long value) {
    runUntil(machine.caches().coreStore(coreIndex, pa, sizeBytes, startPs()));
    machine.memory().put(pa, sizeBytes, value);
    tellStore(pa, sizeBytes);
  }

  @Override
  public void load(long pa, byte[] destination, int offset, int lengthBytes) {
    runUntil(lines.load(pa, lengthBytes, startPs()));
    machine.memory().copyOut(pa, destination, offset, lengthBytes);
    tellLoad(pa, lengthBytes);
  }

  @Override
  public void store(long pa, byte[] source, int offset, int lengthBytes) {
    runUntil(machine.caches().coreStore(coreIndex, pa, lengthBytes, startPs()));
    machine.memory().copyIn(pa, source, offset, lengthBytes);
    tellStore(pa, lengthBytes);
  }

  @Override
  public long mmioRead(long address, int sizeBytes) {
    devices.evictAll(startPs());
    machine.rootComplex().mmioRead(address, sizeBytes, nowPs(), mmioResult);
    runOn(mmioResult.donePs());
    return mmioResult.value();
  }

  @Override
  public void mmioWrite(long address, int sizeBytes, long value) {
    runUntil(devices.storeLeavesPs(startPs()));
    devices.sendStore(address, sizeBytes, value, nowPs());
  }

  @Override
  public void mmioRead(long address, byte[] destination, int offset, int lengthBytes) {
    runOn(devices.load(address, destination, offset, lengthBytes, startPs()));
  }

  @Override
  public void mmioWrite(long address, byte[] source, int offset, int lengthBytes) {
    runOn(devices.store(address, source, offset, lengthBytes, startPs()));
  }

  @Override
  public void wcStore(long address, byte[] source, int offset, int lengthBytes) {
    runOn(devices.wcStore(address, source, offset, lengthBytes, startPs()));
  }

  @Override
  public void wcLoad(long address, byte[] destination, int offset, int lengthBytes) {
    runOn(devices.streamingLoad(address, destination, offset, lengthBytes, startPs()));
  }

  @Override
  public void movdir64b(long address, byte[] source, int offset) {
    runOn(devices.storeLine(address, source, offset, startPs()));
  }

  @Override
  public void fence() {
    runOn(devices.fence(startPs()));
  }

  @Override
  public void copy(long fromPa, long toPa, int lengthBytes) {
    runOn(lines.copy(fromPa, toPa, lengthBytes, startPs()));
    tellLoad(fromPa, lengthBytes);
    tellStore(toPa, lengthBytes);
  }

  @Override
  public void maintainCache(CacheOperation operation, long pa, int lengthBytes) {
    runOn(machine.caches().maintain(operation, pa, lengthBytes, startPs()));
  }

  @Override
  public void setCacheable(long pa, int lengthBytes, boolean isCacheable) {
    requireNotInEvent();
    machine.caches().setCacheable(pa, lengthBytes, isCacheable);
  }

  @Override
  public long spinUntil(long pa, int sizeBytes, long value, long timeoutPs) {
    long startPs = startPs();
    long deadlinePs = startPs + LocalTimePort.requireNotNegative(timeoutPs, "timeoutPs");
    while (machine.commits().firstTimeOf(pa, sizeBytes, value, nowPs()) != nowPs()) {
      long seenPs = machine.commits().firstTimeOf(pa, sizeBytes, value, nowPs());
      long nextPs = Math.min(seenPs, simulation.nextEventPs());
      if (nextPs > deadlinePs) {
        runUntil(deadlinePs);
        return NOT_SEEN;
      }
      runUntil(nextPs);
    }
    runOn(machine.caches().coreLoad(coreIndex, pa, sizeBytes, nowPs()));
    return nowPs() - startPs;
  }

  @Override
  public void beginCritical() {
    localPs = startPs();
    criticalDepth++;
  }

  @Override
  public void endCritical() {
    if (criticalDepth == 0) {
      throw new IllegalStateException("a critical section must have begun");
    }
    requireNotInEvent();
    criticalDepth--;
    if (criticalDepth == 0) {
      runUntil(localPs);
    }
  }

  @Override
  public void delay(long durationPs) {
    runUntil(startPs() + LocalTimePort.requireNotNegative(durationPs, "durationPs"));
  }

  @Override
  public void compute(int cycles) {
    LocalTimePort.requireNotNegative(cycles, "cycles");
    delay(cycleTime.toPs(cycles));
  }

  /**
   * Waits for an interrupt that has not been waited for yet.
   *
   * @param vector allocated without a handler
   * @param timeoutPs how long to wait, in picoseconds, at least 0
   * @return false if none arrived in time; the time has passed then
   */
  public boolean waitForInterrupt(InterruptVector vector, long timeoutPs) {
    long deadlinePs = startPs() + LocalTimePort.requireNotNegative(timeoutPs, "timeoutPs");
    while (!vector.tryConsume()) {
      if (simulation.nextEventPs() > deadlinePs) {
        runUntil(deadlinePs);
        return vector.tryConsume();
      }
      simulation.step();
    }
    runUntil(nowPs() + config.interruptPs());
    return true;
  }

  private void tellLoad(long pa, int lengthBytes) {
    CpuListener listener = core.listener();
    if (listener != null) {
      listener.onLoad(coreIndex, pa, lengthBytes, nowPs());
    }
  }

  private void tellStore(long pa, int lengthBytes) {
    CpuListener listener = core.listener();
    if (listener != null) {
      listener.onStore(coreIndex, pa, lengthBytes, nowPs());
    }
  }

  /** Returns when an access begins, unless it must not. */
  private long startPs() {
    requireNotInEvent();
    return nowPs();
  }

  private void requireNotInEvent() {
    if (simulation.isInEvent()) {
      throw new IllegalStateException(
          String.format(
              "synchronous port must not be used within an event: coreIndex=%d, nowPs=%d",
              coreIndex, simulation.nowPs()));
    }
  }

  /** Completes an access, which takes more than no time. */
  private void runOn(long donePs) {
    runUntil(Math.max(donePs, nowPs() + 1));
  }

  private void runUntil(long ps) {
    if (criticalDepth > 0) {
      localPs = Math.max(localPs, ps);
      return;
    }
    simulation.runUntil(ps);
  }
}
