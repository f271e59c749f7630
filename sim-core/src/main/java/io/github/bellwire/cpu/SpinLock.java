package io.github.bellwire.cpu;

import java.util.Arrays;

/**
 * A spin lock of host software, as a passive stage: it remembers when it was held, and whoever
 * comes waits until it is free.
 *
 * <pre>{@code
 * core 0   ---|=====held=====|--------------------|===held===|-->
 * core 1   ------wait........|==held==|------------------------>
 * core 2   (called later, its time is earlier)  |==| fits the gap
 * }</pre>
 *
 * <p>Routines of several cores run one after the other, each ahead of the clock, so that one which
 * is called later may come earlier: it takes the first gap that is as long as the lock was held the
 * last time. If it then holds the lock for longer, the excess is counted ({@link
 * #overlapPsTotal()}), for the holder behind it has been there already. Waiting passes on the order
 * of arrival among those that wait, as a ticket lock does. Between {@link #acquire} and {@link
 * #release} code must not wait for anything.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
public final class SpinLock {
  private static final int INTERVALS = 64;

  private final int acquireCycles;
  private final long handoverPs;

  // When the lock was or will be held, in order of time; the youngest are kept.
  private final long[] startsPs = new long[INTERVALS];
  private final long[] endsPs = new long[INTERVALS];
  private final int[] owners = new int[INTERVALS];
  private int count;

  private boolean isHeld;
  private long heldSincePs;
  private long lastHoldPs = 1;

  private long acquisitionsCount;
  private long contendedCount;
  private long waitPsTotal;
  private long waitPsMax;
  private long holdPsTotal;
  private long overlapPsTotal;

  /**
   * Creates a free lock.
   *
   * @param acquireCycles what taking and releasing a free lock costs in clock cycles, at least 0
   * @param handoverPs what it takes to fetch the lock's cache line from another core, in
   *     picoseconds, at least 0
   */
  public SpinLock(int acquireCycles, long handoverPs) {
    LocalTimePort.requireNotNegative(acquireCycles, "acquireCycles");
    this.acquireCycles = acquireCycles;
    this.handoverPs = LocalTimePort.requireNotNegative(handoverPs, "handoverPs");
  }

  /**
   * Takes the lock; returns when the core has it.
   *
   * @param port the core
   */
  public void acquire(CpuPort port) {
    if (isHeld) {
      throw new IllegalStateException("lock must be free: heldSincePs=" + heldSincePs);
    }
    port.beginCritical();
    port.compute(acquireCycles);
    long nowPs = port.nowPs();
    int place = 0;
    while (place < count && endsPs[place] <= nowPs) {
      place++;
    }
    long startPs = startBehind(place - 1, port.coreIndex(), nowPs);
    while (place < count && startsPs[place] < startPs + lastHoldPs) {
      startPs = startBehind(place, port.coreIndex(), nowPs);
      place++;
    }
    insert(place, startPs, startPs + lastHoldPs, port.coreIndex());
    isHeld = true;
    heldSincePs = startPs;
    acquisitionsCount++;
    long waitPs = startPs - nowPs;
    if (waitPs > handoverPs) {
      contendedCount++;
    }
    waitPsTotal += waitPs;
    waitPsMax = Math.max(waitPsMax, waitPs);
    port.delay(waitPs);
  }

  /** Returns when the lock can be taken behind one of those who hold it. */
  private long startBehind(int holder, int core, long nowPs) {
    if (holder < 0) {
      return nowPs;
    }
    long freePs = Math.max(nowPs, endsPs[holder]);
    return owners[holder] == core ? freePs : freePs + handoverPs;
  }

  private void insert(int at, long startPs, long endPs, int owner) {
    int place = at;
    if (count == INTERVALS) {
      if (place == 0) {
        return; // Older than everything that is remembered.
      }
      System.arraycopy(startsPs, 1, startsPs, 0, count - 1);
      System.arraycopy(endsPs, 1, endsPs, 0, count - 1);
      System.arraycopy(owners, 1, owners, 0, count - 1);
      count--;
      place--;
    }
    System.arraycopy(startsPs, place, startsPs, place + 1, count - place);
    System.arraycopy(endsPs, place, endsPs, place + 1, count - place);
    System.arraycopy(owners, place, owners, place + 1, count - place);
    startsPs[place] = startPs;
    endsPs[place] = endPs;
    owners[place] = owner;
    count++;
  }

  /**
   * Gives the lock back.
   *
   * @param port the core that took it last
   * @throws IllegalStateException if nobody holds it
   */
  public void release(CpuPort port) {
    if (!isHeld) {
      throw new IllegalStateException("lock must be held to be released");
    }
    isHeld = false;
    long startPs = heldSincePs;
    long endPs = Math.max(port.nowPs(), startPs + 1);
    lastHoldPs = endPs - startPs;
    holdPsTotal += lastHoldPs;
    int place = Arrays.binarySearch(startsPs, 0, count, startPs);
    if (place >= 0) {
      endsPs[place] = endPs;
      if (place + 1 < count) {
        overlapPsTotal += Math.max(0, endPs - startsPs[place + 1]);
      }
    }
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

  /** {@return for how long two held it at once, as far as that could not be foreseen} */
  public long overlapPsTotal() {
    return overlapPsTotal;
  }
}
