package io.github.bellwire.kernel;

/**
 * Something that happens at a simulated time. The owner creates it once and schedules it as often
 * as it likes, one time at a time; scheduling allocates nothing.
 *
 * <p>Confined to the thread that runs its {@link Simulation}.
 */
public abstract class Event {
  long timePs;

  /** The slot that the queue keeps this event in, or another mark of the queue; none if nowhere. */
  int slot;

  /** Creates an event that is not scheduled. */
  protected Event() {}

  /**
   * Called when simulated time has reached this event. The event is no longer scheduled and may be
   * scheduled again from here.
   *
   * @param nowPs the current time in picoseconds
   */
  protected abstract void onEvent(long nowPs);

  /** {@return whether the event is waiting in a queue} */
  public final boolean isScheduled() {
    return slot != EventSlots.NONE;
  }

  /**
   * {@return the time of the pending or, if none is pending, the last occurrence, in picoseconds}
   */
  public final long timePs() {
    return timePs;
  }
}
