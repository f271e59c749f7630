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
 * core 0:  [ range, tables, flush number | ... ]   255 of 256 entries
 * core 1:  [ ...                               ]
 *               |
 *     the 256th unmap of a core, or 10 ms after the first entry
 *               v
 *     invalidate the whole domain, give back the ranges and tables that were queued before
 * }</pre>
 *
 * <p>A full ring is drained by the core that finds it full; the timer drains the rings of all
 * cores. It is armed by an entry that finds it off, whatever is in the rings. Allocates nothing
 * after construction.
 */
final class FlushQueue {
  /** Of more flushes than this that follow an entry, the oldest ones are not remembered. */
  private static final int FINISHES = 4096;

  private static final class Ring {
    final long[] pfns;
    final long[] pages;
    final long[] flushNumbers;
    final long[] unmappedPs;
    final IommuMapper[] owners;
    final TableList[] tables;
    final SpinLock lock;
    int head;
    int tail;

    Ring(int entries, SpinLock lock) {
      pfns = new long[entries];
      pages = new long[entries];
      flushNumbers = new long[entries];
      unmappedPs = new long[entries];
      owners = new IommuMapper[entries];
      tables = new TableList[entries];
      Arrays.setAll(tables, i -> new TableList());
      this.lock = lock;
    }

    boolean isFull() {
      return (tail + 1 & pfns.length - 1) == head;
    }
  }

  private final DmaDomain domain;
  private final IommuDriverConfig config;
  private final Ring[] rings;
  private final Routine[] timers;
  private final long[] finishedPs = new long[FINISHES];

  private long started;
  private long finished;
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
      flush(port);
      drain(port, ring);
    }
    int entry = ring.tail;
    ring.tail = entry + 1 & ring.pfns.length - 1;
    ring.pfns[entry] = pfn;
    ring.pages[entry] = pages;
    ring.flushNumbers[entry] = started;
    ring.unmappedPs[entry] = unmappedPs;
    ring.owners[entry] = owner;
    ring.tables[entry].addAll(tables);
    owner.tellQueued(pfn, pages, port.nowPs());
    ring.lock.acquire(port);
    port.compute(config.costs().queueCycles());
    ring.lock.release(port);
    if (!isTimerOn) {
      isTimerOn = true;
      timers[port.coreIndex()].wakeAt(port.nowPs() + config.flushTimeoutPs());
    }
  }

  private void flush(CpuPort port) {
    started++;
    domain.invalidate(port);
    finished++;
    finishedPs[(int) finished & FINISHES - 1] = port.nowPs();
  }

  /** Gives back what was entered before a flush began that has finished. */
  private void drain(CpuPort port, Ring ring) {
    int drained = 0;
    while (ring.head != ring.tail && ring.flushNumbers[ring.head] < finished) {
      int entry = ring.head;
      ring.head = entry + 1 & ring.pfns.length - 1;
      long finishPs = finishedPs[(int) (ring.flushNumbers[entry] + 1) & FINISHES - 1];
      IommuMapper owner = ring.owners[entry];
      owner.statistics().onForgotten(finishPs - ring.unmappedPs[entry]);
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

  private void onTimer(CpuPort port) {
    isTimerOn = false;
    timerFlushesCount++;
    flush(port);
    for (Ring ring : rings) {
      drain(port, ring);
    }
  }

  /** {@return the ranges of a core that wait for a flush, or have not been given back yet} */
  int pending(int core) {
    Ring ring = rings[core];
    return ring.tail - ring.head & ring.pfns.length - 1;
  }

  long fullFlushesCount() {
    return fullFlushesCount;
  }

  long timerFlushesCount() {
    return timerFlushesCount;
  }
}
