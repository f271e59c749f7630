package io.github.bellwire.kernel;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Numbers for pending events, so that a list of events is a list of numbers.
 *
 * <pre>{@code
 * slot       0     1     2     3   ...
 * events     -     e     -     f         who has the slot
 * timesPs    -   700     -   950         when it happens
 * next       -     3     ...   0         in the same bucket of a rung, or the next free slot
 * previous   -     0     ...   1
 * }</pre>
 *
 * <p>Scheduling so stores numbers but hardly ever a reference, which garbage collectors charge for:
 * the event that was taken out last keeps its slot until another one is taken out, for most events
 * schedule themselves again.
 */
final class EventSlots {
  /** No slot; also where a list ends. */
  static final int NONE = 0;

  private static final int INITIAL_LENGTH = 64;

  long[] timesPs = new long[INITIAL_LENGTH];
  int[] next = new int[INITIAL_LENGTH];
  int[] previous = new int[INITIAL_LENGTH];

  private @Nullable Event[] events = new Event[INITIAL_LENGTH];
  private int unusedFrom = NONE + 1;
  private int firstFree = NONE;

  /** The slot of the event that was taken out last, or none. */
  private int vacated = NONE;

  /** Gives an event a slot. */
  int enter(Event event) {
    int slot = vacated;
    if (events[slot] == event) {
      vacated = NONE;
    } else {
      slot = allocate();
      events[slot] = event;
    }
    event.slot = slot;
    return slot;
  }

  /** Takes out the event that has a slot. */
  Event leave(int slot) {
    Event event = events[slot];
    event.slot = NONE;
    int free = vacated;
    if (free != NONE) {
      events[free] = null;
      next[free] = firstFree;
      firstFree = free;
    }
    vacated = slot;
    return event;
  }

  private int allocate() {
    int slot = firstFree;
    if (slot != NONE) {
      firstFree = next[slot];
      return slot;
    }
    if (unusedFrom == events.length) {
      int length = 2 * unusedFrom;
      timesPs = Arrays.copyOf(timesPs, length);
      next = Arrays.copyOf(next, length);
      previous = Arrays.copyOf(previous, length);
      events = Arrays.copyOf(events, length);
    }
    return unusedFrom++;
  }
}
