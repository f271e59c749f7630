package io.github.bellwire.cpu;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;

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
  private final LocalTimePort port;
  private final List<Routine> waiting = new ArrayList<>();
  private boolean isExecuting;
  private long busyUntilPs;
  private long busyPsTotal;
  private long spinPsTotal;

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
    port = new LocalTimePort(index, config, machine);
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

  /** {@return how long a polling loop has spun between two polls that were run, in picoseconds} */
  public long spinPsTotal() {
    return spinPsTotal;
  }

  MachinePorts machine() {
    return machine;
  }

  void addSpin(long durationPs) {
    spinPsTotal += durationPs;
  }

  void execute(Routine routine, long nowPs) {
    if (isExecuting) {
      // Only while the running routine waits for an MMIO read: its end is not known yet.
      waiting.add(routine);
    } else if (busyUntilPs > nowPs) {
      routine.wakeAt(busyUntilPs);
    } else {
      isExecuting = true;
      port.begin(nowPs);
      routine.run(port);
      isExecuting = false;
      busyUntilPs = port.nowPs();
      busyPsTotal += busyUntilPs - nowPs;
      wakeWaiting();
    }
  }

  private void wakeWaiting() {
    for (int i = 0; i < waiting.size(); i++) {
      waiting.get(i).wakeAt(busyUntilPs);
    }
    waiting.clear();
  }
}
