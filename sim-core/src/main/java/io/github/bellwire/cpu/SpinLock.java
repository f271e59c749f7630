package io.github.bellwire.cpu;

import io.github.bellwire.kernel.FifoServer;
import io.github.bellwire.kernel.Simulation;

/**
 * A ticket lock of host software, as a passive stage: it remembers when it was held, and whoever
 * comes waits for those that came before.
 *
 * <p>Routines of several cores run one after the other, each ahead of the clock, so that one which
 * runs later may come earlier; {@link FifoServer} says what happens then. Between {@link #acquire}
 * and {@link #release} code must not wait for anything.
 *
 * <p>Allocates nothing after warm-up. Confined to the simulation thread.
 */
public final class SpinLock {
  private final int acquireCycles;
  private final long handoverPs;
  private final FifoServer holders;

  private long heldSincePs;
  private long acquisitionsCount;
  private long contendedCount;
  private long waitPsTotal;
  private long waitPsMax;
  private long holdPsTotal;

  /**
   * Creates a free lock.
   *
   * @param simulation the clock
   * @param acquireCycles what taking and releasing a free lock costs in clock cycles, at least 0
   * @param handoverPs what it takes to fetch the lock's cache line from another core, in
   *     picoseconds, at least 0
   */
  public SpinLock(Simulation simulation, int acquireCycles, long handoverPs) {
    LocalTimePort.requireNotNegative(acquireCycles, "acquireCycles");
    holders = new FifoServer(simulation);
    this.acquireCycles = acquireCycles;
    this.handoverPs = LocalTimePort.requireNotNegative(handoverPs, "handoverPs");
  }

  /**
   * Takes the lock; returns when the core has it.
   *
   * @param port the core
   * @throws IllegalStateException if the lock is held: whoever holds it must not wait for anything
   */
  public void acquire(CpuPort port) {
    port.beginCritical();
    port.compute(acquireCycles);
    long arrivalPs = port.nowPs();
    long freePs = holders.enter(arrivalPs, port.coreIndex());
    int before = holders.predecessor();
    if (before != FifoServer.NOBODY && before != port.coreIndex()) {
      freePs += handoverPs;
    }
    long waitPs = freePs - arrivalPs;
    if (waitPs > handoverPs) {
      contendedCount++;
    }
    acquisitionsCount++;
    waitPsTotal += waitPs;
    waitPsMax = Math.max(waitPsMax, waitPs);
    heldSincePs = freePs;
    port.delay(waitPs);
  }

  /**
   * Gives the lock back.
   *
   * @param port the core that holds it
   * @throws IllegalStateException if nobody holds it
   */
  public void release(CpuPort port) {
    long endPs = port.nowPs();
    holders.leave(endPs);
    holdPsTotal += endPs - heldSincePs;
    port.endCritical();
  }

  /** {@return how often the lock was taken} */
  public long acquisitionsCount() {
    return acquisitionsCount;
  }

  /** {@return how often somebody had to wait for a holder} */
  public long contendedCount() {
    return contendedCount;
  }

  /** {@return the time spent waiting, fetching the line included, in picoseconds} */
  public long waitPsTotal() {
    return waitPsTotal;
  }

  /** {@return the longest wait in picoseconds} */
  public long waitPsMax() {
    return waitPsMax;
  }

  /** {@return how long the lock was held, in picoseconds} */
  public long holdPsTotal() {
    return holdPsTotal;
  }
}
