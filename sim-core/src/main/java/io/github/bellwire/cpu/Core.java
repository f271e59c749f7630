package io.github.bellwire.cpu;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Event;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One core: runs one {@link Routine} at a time. A routine that is due while another one runs starts
 * when that one is done, in the order in which they became due.
 *
 * <p>Confined to the simulation thread.
 */
public final class Core {
  private final int index;
  private final CoreConfig config;
  private final MachinePorts machine;
  private final WriteCombiner combiner;
  private final LocalTimePort port;
  private @Nullable CpuListener listener;
  private CpuPort software;
  private final ArrayDeque<Routine> waiting = new ArrayDeque<>();
  private final Event startNext;
  private boolean isExecuting;
  private long busyUntilPs;
  private long busyPsTotal;
  // Until the routine that ran last.
  private long spinPsTotal;
  private int spinningCount;

  /**
   * Creates an idle core.
   *
   * @param index 0, 1, ... unique on the machine
   * @param config costs
   * @param machine what it is wired to
   */
  public Core(int index, CoreConfig config, MachinePorts machine) {
    this.index = index;
    this.config = requireNonNull(config, "config");
    this.machine = requireNonNull(machine, "machine");
    combiner = new WriteCombiner(config.deviceAccess(), machine.rootComplex());
    port = new LocalTimePort(index, config, combiner, machine);
    software = port;
    startNext =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            Routine routine = waiting.remove();
            routine.isWaiting = false;
            start(routine, nowPs);
          }
        };
  }

  /** {@return 0, 1, ... unique on the machine} */
  public int index() {
    return index;
  }

  /** {@return what its work costs} */
  public CoreConfig config() {
    return config;
  }

  /** {@return how long routines have run, in picoseconds} */
  public long busyPsTotal() {
    return busyPsTotal;
  }

  /**
   * {@return how long polling loops have spun beside the polls that were run, up to the current
   * time, in picoseconds}
   */
  public long spinPsTotal() {
    return spinPsTotal + openSpinPs(machine.simulation().nowPs());
  }

  /**
   * Tells somebody of every load and store from now on.
   *
   * @param newListener replaces who was told before
   */
  public void listen(CpuListener newListener) {
    listener = requireNonNull(newListener, "newListener");
    software = new ObservedPort(port, newListener);
  }

  /** {@return who is told of loads and stores, or null} */
  @Nullable CpuListener listener() {
    return listener;
  }

  MachinePorts machine() {
    return machine;
  }

  WriteCombiner combiner() {
    return combiner;
  }

  /** A polling loop spins from the end of what runs now on. */
  void beginSpin() {
    spinningCount++;
  }

  void endSpin() {
    spinningCount--;
  }

  /** Returns how long the core has spun since a routine ran. */
  private long openSpinPs(long nowPs) {
    return isExecuting || spinningCount == 0 ? 0 : Math.max(0, nowPs - busyUntilPs);
  }

  /** Runs a routine that is due, or lets it wait its turn. */
  void execute(Routine routine, long nowPs) {
    // Behind those that wait, even if the core is free again: they have been due for longer.
    if (isExecuting || busyUntilPs > nowPs || !waiting.isEmpty()) {
      routine.isWaiting = true;
      waiting.add(routine);
      wakeNext();
    } else {
      start(routine, nowPs);
    }
  }

  private void start(Routine routine, long nowPs) {
    spinPsTotal += openSpinPs(nowPs);
    isExecuting = true;
    port.begin(nowPs);
    try {
      routine.run(software);
    } finally {
      isExecuting = false;
      // A wait that has failed may have left local time behind the clock.
      busyUntilPs = Math.max(port.nowPs(), machine.simulation().nowPs());
      busyPsTotal += busyUntilPs - nowPs;
      wakeNext(); // Also behind a routine that has thrown.
    }
  }

  /** While a routine runs, its end is not known: it may wait for an MMIO read. */
  private void wakeNext() {
    if (!isExecuting && !waiting.isEmpty() && !startNext.isScheduled()) {
      machine.simulation().schedule(startNext, busyUntilPs);
    }
  }
}
