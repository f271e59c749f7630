package io.github.bellwire.cpu;

import io.github.bellwire.kernel.Event;

/**
 * A piece of host software that runs to completion on a core: an interrupt handler, one poll, one
 * submit loop. Created once and woken as often as needed; if the core is busy it waits its turn.
 */
public abstract class Routine extends Event {
  private final Core core;
  boolean isWaiting;

  /**
   * Creates a routine that sleeps.
   *
   * @param core where it runs
   */
  protected Routine(Core core) {
    this.core = core;
  }

  /**
   * Does the work. The core is busy until the port's local time at the return.
   *
   * @param port the core, owned by this routine until it returns
   */
  protected abstract void run(CpuPort port);

  /**
   * Makes the routine run at a time, or earlier if it is to be woken earlier already or waits for
   * its core.
   *
   * @param atPs time in picoseconds, not before the current time
   */
  public final void wakeAt(long atPs) {
    if (isWaiting) {
      return;
    }
    if (!isScheduled()) {
      core.machine().simulation().schedule(this, atPs);
    } else if (atPs < timePs()) {
      core.machine().simulation().reschedule(this, atPs);
    }
  }

  /** Makes the routine run a while from now, or earlier as in {@link #wakeAt}. */
  final void wakeAfter(long delayPs) {
    wakeAt(core.machine().simulation().nowPs() + delayPs);
  }

  /** {@return where it runs} */
  public final Core core() {
    return core;
  }

  @Override
  protected final void onEvent(long nowPs) {
    core.execute(this, nowPs);
  }
}
