package io.github.bellwire.kernel;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One simulated world: its clock, its pending events and its seed. Events happen in the total order
 * (time, sequence of scheduling): events of equal time happen first in, first out.
 *
 * <p>Not thread-safe; confined to the thread that runs it. Several simulations in one process do
 * not know of each other.
 */
public final class Simulation {
  /** What {@link #nextEventPs()} returns when nothing is pending. */
  public static final long NEVER_PS = Long.MAX_VALUE;

  // Limits before any time, so that nothing repeats itself: there is no event, or just the one.
  private static final long NO_EVENT_PS = -2;
  private static final long ONE_EVENT_PS = -1;
  private static final Deferred[] NOTHING_DEFERRED = {};

  private final EventQueue queue = new EventQueue();
  private final long seed;
  private Deferred[] deferred = NOTHING_DEFERRED;
  private long nowPs;
  private long eventsTotal;
  // How far events may take the clock, and how many there may be, without the loop below.
  private long limitPs = NO_EVENT_PS;
  private long limitEvents;

  /**
   * Creates a simulation at time 0.
   *
   * @param seed every random stream of this simulation derives from it; any value
   */
  public Simulation(long seed) {
    this.seed = seed;
  }

  /** {@return the current simulated time in picoseconds} */
  public long nowPs() {
    return nowPs;
  }

  /** {@return the seed given at construction} */
  public long seed() {
    return seed;
  }

  /** {@return the number of events that have happened} */
  public long eventsTotal() {
    return eventsTotal;
  }

  /** {@return whether an event is happening, so that whoever asks is called by it} */
  public boolean isInEvent() {
    return limitPs != NO_EVENT_PS;
  }

  /**
   * Takes in work that needs no events. It is settled whenever {@link #run}, {@link #runUntil} or
   * {@link #step} returns or throws what an event has thrown, and simulated time does not end
   * before it does: when no event is left, a run without a limit of time takes the clock to the
   * last of it.
   *
   * @param work kept for ever
   */
  public void defer(Deferred work) {
    Objects.requireNonNull(work, "work");
    deferred = Arrays.copyOf(deferred, deferred.length + 1);
    deferred[deferred.length - 1] = work;
  }

  /**
   * Makes an event happen at a time.
   *
   * @param event an event that is not scheduled
   * @param atPs time in picoseconds, not before {@link #nowPs()}
   * @throws IllegalStateException if the event is scheduled already
   * @throws IllegalArgumentException if the time has passed
   */
  public void schedule(Event event, long atPs) {
    requireNotScheduled(event, atPs);
    requireNotPassed(atPs);
    queue.add(event, atPs);
  }

  /**
   * Moves an event to another time, whether it was scheduled or not. Among events of equal time it
   * comes last, as if it had just been scheduled.
   *
   * @param event the event
   * @param atPs time in picoseconds, not before {@link #nowPs()}
   * @throws IllegalArgumentException if the time has passed; the event stays where it was
   */
  public void reschedule(Event event, long atPs) {
    requireNotPassed(atPs);
    cancel(event);
    queue.add(event, atPs);
  }

  /**
   * Takes back an event.
   *
   * @param event the event
   * @return whether it was scheduled
   */
  public boolean cancel(Event event) {
    if (!event.isScheduled()) {
      return false;
    }
    queue.remove(event);
    return true;
  }

  /**
   * Repeats the event that is happening at a later time without returning from it, if no other
   * event comes before and the run reaches that far. On success the clock stands at that time, one
   * more event is counted, and the caller does its work once more; on failure nothing has changed,
   * and the caller {@linkplain #schedule schedules} the event. The order of events is the same
   * either way, but a periodic event that repeats itself does not pass through the queue each time.
   *
   * <p>Always fails within {@link #step()}, which is one event, and when a pending event has the
   * same time, as that one was scheduled first.
   *
   * @param event the event that is happening
   * @param atPs time in picoseconds, not before {@link #nowPs()}
   * @return whether the event happens again now, at the new time
   * @throws IllegalStateException if the event is scheduled already
   * @throws IllegalArgumentException if the time has passed
   */
  public boolean tryRepeatAt(Event event, long atPs) {
    requireNotScheduled(event, atPs);
    requireNotPassed(atPs);
    if (atPs > limitPs || eventsTotal >= limitEvents || atPs >= queue.firstPs()) {
      return false;
    }
    event.timePs = atPs;
    nowPs = atPs;
    eventsTotal++;
    return true;
  }

  /**
   * {@return the time of the next event, or {@link #NEVER_PS} when none is pending; work that is
   * {@linkplain #defer deferred} is no event}
   */
  public long nextEventPs() {
    return queue.firstPs();
  }

  /**
   * Lets the next event happen; if none is pending, what is deferred.
   *
   * @return false if nothing was pending; the clock has not moved
   */
  public boolean step() {
    if (!stepAlone()) {
      return finishDeferred();
    }
    settleDeferred();
    return true;
  }

  /** Lets events happen until none is pending, and what is deferred. */
  public void run() {
    run(Long.MAX_VALUE);
  }

  /**
   * Lets a number of events happen, or all that there are and what is deferred if they are fewer.
   * Events that happen while one of them waits, in a nested {@link #runUntil} for instance, count
   * as well; these alone may make it more.
   *
   * @param eventsMax at least 0
   * @return false if nothing is pending any more
   */
  public boolean run(long eventsMax) {
    if (stepAllUntil(Long.MAX_VALUE, eventsMax)) {
      finishDeferred();
      return false;
    }
    settleDeferred();
    return nextEventPs() != NEVER_PS || lastDeferredPs() > nowPs;
  }

  /**
   * Lets all events up to and including a time happen, then sets the clock to it. May be called
   * from within an event: time then moves on while that event waits, and the clock may end up later
   * than asked for if an event in between waits for longer itself.
   *
   * @param untilPs time in picoseconds; a time that has passed does nothing
   */
  public void runUntil(long untilPs) {
    stepAllUntil(untilPs, Long.MAX_VALUE);
    nowPs = Math.max(nowPs, untilPs);
    settleDeferred();
  }

  /**
   * {@return a stream of random numbers that depends on the seed and the name alone, so that one
   * component's draws do not shift another's}
   *
   * @param name names the component, such as {@code nic0.traffic}
   */
  public RandomStream randomStream(String name) {
    return new RandomStream(seed, name);
  }

  private static void requireNotScheduled(Event event, long atPs) {
    if (event.isScheduled()) {
      throw new IllegalStateException(
          "event is scheduled already: timePs=" + event.timePs + ", atPs=" + atPs);
    }
  }

  private void requireNotPassed(long atPs) {
    if (atPs < nowPs) {
      throw new IllegalArgumentException(
          "atPs must be >= nowPs: atPs=" + atPs + ", nowPs=" + nowPs);
    }
  }

  /** Lets one event happen that does not repeat itself. */
  private boolean stepAlone() {
    long outerLimitPs = limitPs;
    limitPs = ONE_EVENT_PS;
    try {
      return stepUntil(Long.MAX_VALUE);
    } catch (Throwable thrown) {
      settleBehind(thrown);
      throw thrown;
    } finally {
      limitPs = outerLimitPs;
    }
  }

  /** Returns whether no event is left until then, rather than too many have happened. */
  private boolean stepAllUntil(long lastPs, long eventsMax) {
    long outerLimitPs = limitPs;
    long outerLimitEvents = limitEvents;
    limitPs = lastPs;
    limitEvents = eventsMax > NEVER_PS - eventsTotal ? NEVER_PS : eventsTotal + eventsMax;
    try {
      while (eventsTotal < limitEvents) {
        if (!stepUntil(lastPs)) {
          return true;
        }
      }
      return false;
    } catch (Throwable thrown) {
      settleBehind(thrown);
      throw thrown;
    } finally {
      limitPs = outerLimitPs;
      limitEvents = outerLimitEvents;
    }
  }

  private boolean stepUntil(long lastPs) {
    @Nullable Event event = queue.pollUntil(lastPs);
    if (event == null) {
      return false;
    }
    nowPs = event.timePs;
    eventsTotal++;
    event.onEvent(nowPs);
    return true;
  }

  /** Takes the clock to the last of what is deferred; returns whether that lay ahead. */
  private boolean finishDeferred() {
    long lastPs = lastDeferredPs();
    boolean isAhead = lastPs > nowPs;
    nowPs = lastPs;
    settleDeferred();
    return isAhead;
  }

  /** Returns when the last of what is deferred is due, or the present. */
  private long lastDeferredPs() {
    long lastPs = nowPs;
    for (Deferred work : deferred) {
      lastPs = Math.max(lastPs, work.lastPs());
    }
    return lastPs;
  }

  private void settleDeferred() {
    for (Deferred work : deferred) {
      work.settle(nowPs);
    }
  }

  /** Settles for those who look although an event has thrown, which must not get lost over it. */
  private void settleBehind(Throwable thrown) {
    try {
      settleDeferred();
    } catch (Throwable further) {
      thrown.addSuppressed(further);
    }
  }
}
