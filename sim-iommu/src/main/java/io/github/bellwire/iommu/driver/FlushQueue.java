package io.github.bellwire.iommu.driver;

import io.github.bellwire.cpu.Core;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.cpu.SpinLock;
import io.github.bellwire.kernel.Simulation;
import java.util.Arrays;
import java.util.List;

/**
 * Ranges that are unmapped but that the hardware may remember, after the flush queue of Linux 6.12
 * (drivers/iommu/dma-iommu.c).
 *
 * <pre>{@code
 * core 0:  [ range, tables, time | ... ]           255 of 256 entries
 * core 1:  [ ...                               ]
 *               |
 *     the 256th unmap of a core, or 10 ms after the first entry
 *               v
 *     invalidate the whole domain, give back the ranges and tables that were queued before
 * }</pre>
 *
 * <p>A full ring is drained by the core that finds it full; the timer drains the rings of all
 * cores. It is armed by an entry that finds it off, whatever is in the rings. What a flush that the
 * hardware does not confirm should have made it forget waits for the next one. Allocates nothing
 * after construction.
 */
final class FlushQueue {
  private static final class Ring {
    final long[] pfns;
    final long[] pages;
    final long[] queuedPs;
    final long[] unmappedPs;
    final IommuMapper[] owners;
    final TableList[] tables;
    final SpinLock lock;
    int head;
    int tail;

    Ring(int entries, SpinLock lock) {
      pfns = new long[entries];
      pages = new long[entries];
      queuedPs = new long[entries];
      unmappedPs = new long[entries];
      owners = new IommuMapper[entries];
      tables = new TableList[entries];
      Arrays.setAll(tables, i -> new TableList());
      this.lock = lock;
    }

    int next(int entry) {
      return entry + 1 & pfns.length - 1;
    }

    boolean isFull() {
      return next(tail) == head;
    }

    /** {@return when an entry was queued first after a time; MAX_VALUE if none was} */
    long firstQueuedAfter(long ps) {
      for (int entry = head; entry != tail; entry = next(entry)) {
        if (queuedPs[entry] > ps) {
          return queuedPs[entry];
        }
      }
      return Long.MAX_VALUE;
    }
  }

  private final DmaDomain domain;
  private final IommuDriverConfig config;
  private final Ring[] rings;
  private final Routine[] timers;
  private final FlushHistory flushes = new FlushHistory();

  private boolean isTimerOn;
  private long fullFlushesCount;
  private long timerFlushesCount;

  FlushQueue(Simulation simulation, DmaDomain domain, IommuDriverConfig config, List<Core> cores) {
    this.domain = domain;
    this.config = config;
    rings = new Ring[cores.size()];
    Arrays.setAll(
        rings, i -> new Ring(config.flushQueueEntries(), config.costs().newLock(simulation)));
    timers = new Routine[cores.size()];
    Arrays.setAll(timers, i -> newTimer(cores.get(i)));
  }

  private Routine newTimer(Core core) {
    return new Routine(core) {
      @Override
      protected void run(CpuPort port) {
        onTimer(port);
      }
    };
  }

  /**
   * Enters a range whose last entries have been cleared.
   *
   * <p>If the ring is full and the hardware does not confirm a flush, the range is quarantined.
   *
   * @param tables nothing points to them any more; empty afterwards
   * @param unmappedPs when the range was unmapped
   * @param owner who had mapped it
   */
  void add(
      CpuPort port, long pfn, long pages, TableList tables, long unmappedPs, IommuMapper owner) {
    Ring ring = rings[port.coreIndex()];
    drain(port, ring);
    while (ring.isFull()) {
      fullFlushesCount++;
      owner.statistics().flushesCount++;
      if (!flush(port)) {
        owner.quarantine(pages, tables);
        return;
      }
      drain(port, ring);
    }
    int entry = ring.tail;
    ring.tail = ring.next(entry);
    ring.pfns[entry] = pfn;
    ring.pages[entry] = pages;
    ring.queuedPs[entry] = Long.MAX_VALUE; // Whoever looks before it is there leaves it alone.
    ring.unmappedPs[entry] = unmappedPs;
    ring.owners[entry] = owner;
    ring.tables[entry].addAll(tables);
    owner.tellQueued(pfn, pages, port.nowPs());
    ring.lock.acquire(port);
    port.compute(config.costs().queueCycles());
    ring.lock.release(port);
    ring.queuedPs[entry] = port.nowPs();
    arm(port, port.coreIndex(), port.nowPs());
  }

  /** At once if a flush has taken longer than entries may wait. */
  private void arm(CpuPort port, int core, long queuedPs) {
    if (!isTimerOn) {
      isTimerOn = true;
      timers[core].wakeAt(Math.max(port.nowPs(), queuedPs + config.flushTimeoutPs()));
    }
  }

  /** Returns whether the hardware has forgotten what was entered before. */
  private boolean flush(CpuPort port) {
    long startPs = port.nowPs();
    if (!domain.invalidate(port)) {
      return false;
    }
    flushes.add(startPs, port.nowPs());
    return true;
  }

  /** Gives back what was entered before a flush began that has finished by now. */
  private void drain(CpuPort port, Ring ring) {
    long nowPs = port.nowPs();
    int drained = 0;
    while (ring.head != ring.tail) {
      int entry = ring.head;
      long forgottenPs = flushes.forgottenPs(ring.queuedPs[entry], nowPs);
      if (forgottenPs == FlushHistory.NOT_YET_PS) {
        break;
      }
      ring.head = ring.next(entry);
      IommuMapper owner = ring.owners[entry];
      owner.statistics().onForgotten(forgottenPs - ring.unmappedPs[entry]);
      domain.tables().free(ring.tables[entry]);
      owner.free(port, ring.pfns[entry], ring.pages[entry]);
      drained++;
    }
    if (drained > 0) {
      ring.lock.acquire(port);
      port.compute(drained * config.costs().queueCycles());
      ring.lock.release(port);
    }
  }

  /** Flushes at once and gives back everything; returns whether the hardware has forgotten it. */
  boolean flushAll(CpuPort port) {
    if (!flush(port)) {
      return false;
    }
    drainAll(port);
    return true;
  }

  private void drainAll(CpuPort port) {
    for (Ring ring : rings) {
      drain(port, ring);
    }
  }

  private void onTimer(CpuPort port) {
    long firedPs = port.nowPs();
    isTimerOn = false;
    if (domain.isEnded() || isEmpty()) {
      return;
    }
    timerFlushesCount++;
    flush(port);
    drainAll(port);
    armForLaterEntries(port, firedPs);
  }

  /** {@return whether a device that was detached has left nothing to do} */
  private boolean isEmpty() {
    for (Ring ring : rings) {
      if (ring.head != ring.tail) {
        return false;
      }
    }
    return true;
  }

  /** What cores ahead of the clock have queued after the timer has gone off finds it off. */
  private void armForLaterEntries(CpuPort port, long firedPs) {
    int core = -1;
    long earliestPs = Long.MAX_VALUE;
    for (int i = 0; i < rings.length; i++) {
      long queuedPs = rings[i].firstQueuedAfter(firedPs);
      if (queuedPs < earliestPs) {
        earliestPs = queuedPs;
        core = i;
      }
    }
    if (core >= 0) {
      arm(port, core, earliestPs);
    }
  }

  /** {@return the ranges of a core that wait for a flush, or have not been given back yet} */
  int pending(int core) {
    Ring ring = rings[core];
    return ring.tail - ring.head & ring.pfns.length - 1;
  }

  /** {@return for how long the range of an owner has been exposed at most that is still queued} */
  long exposurePsMax(IommuMapper owner, long nowPs) {
    long longestPs = 0;
    for (Ring ring : rings) {
      for (int entry = ring.head; entry != ring.tail; entry = ring.next(entry)) {
        if (ring.owners[entry] == owner) {
          long forgottenPs = flushes.forgottenPs(ring.queuedPs[entry], nowPs);
          long untilPs = forgottenPs == FlushHistory.NOT_YET_PS ? nowPs : forgottenPs;
          longestPs = Math.max(longestPs, untilPs - ring.unmappedPs[entry]);
        }
      }
    }
    return longestPs;
  }

  long fullFlushesCount() {
    return fullFlushesCount;
  }

  long timerFlushesCount() {
    return timerFlushesCount;
  }
}
