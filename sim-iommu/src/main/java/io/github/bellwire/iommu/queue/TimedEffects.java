package io.github.bellwire.iommu.queue;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;

/**
 * Changes of registers that somebody may be told of by an interrupt: each happens at its time, by
 * an event, or earlier in the course of the run if a core looks that is ahead of the clock.
 */
public abstract class TimedEffects extends Event {
  private final Simulation simulation;
  private final TimedRing pending = new TimedRing();

  /**
   * Creates an empty list.
   *
   * @param simulation the clock
   */
  protected TimedEffects(Simulation simulation) {
    this.simulation = simulation;
  }

  /**
   * Lets a change happen.
   *
   * @param first as given to {@link #add}
   * @param second as given to {@link #add}
   * @param atPs when, in picoseconds
   */
  protected abstract void apply(long first, long second, long atPs);

  /**
   * Adds a change that will happen.
   *
   * @param atPs when, in picoseconds; now at the earliest
   * @param first a word of the owner's
   * @param second another
   */
  public final void add(long atPs, long first, long second) {
    pending.add(Math.max(atPs, simulation.nowPs()), first, second);
    if (!isScheduled() || pending.nextPs() < timePs()) {
      simulation.reschedule(this, pending.nextPs());
    }
  }

  /**
   * Lets all changes happen whose time has come.
   *
   * @param atPs the time of a look at the registers, in picoseconds
   */
  public final void settle(long atPs) {
    while (pending.nextPs() <= atPs) {
      long duePs = pending.nextPs();
      long first = pending.first();
      long second = pending.second();
      pending.remove();
      apply(first, second, duePs);
    }
  }

  @Override
  protected final void onEvent(long nowPs) {
    settle(nowPs);
    if (!isScheduled() && pending.nextPs() != Simulation.NEVER_PS) {
      simulation.schedule(this, pending.nextPs());
    }
  }
}
