package io.github.bellwire.kernel;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Pending events in the order (time, order of adding): a short sorted list of the next ones in
 * front of a radix wheel that holds the others.
 *
 * <pre>{@code
 * front   0 <-> 250 <-> 250 <-> 4000            sorted, times up to frontLastPs
 * level 2     [ ][*][ ][*] ... one bit and one list per slot of 4096 ps
 * level 3     [ ][ ][*][ ] ... per slot of 262144 ps
 * }</pre>
 *
 * <p>A level is the highest 6-bit digit in which a time differs from {@code basePs}, a slot is the
 * value of that digit. When the front runs dry the earliest slot moves there; a slot with too many
 * events is first spread over the levels below, relative to its earliest time, so an event moves at
 * most once per level. Every list is first in, first out, which keeps events of equal time in order
 * without comparing sequence numbers.
 *
 * <p>Lists link numbers of nodes rather than events: the links then live in three dense arrays and
 * need none of the collector's write barriers. Adding and cancelling take constant time beside the
 * search in the short front. No operation allocates, unless more events are pending than ever
 * before.
 */
final class EventQueue {
  private static final int DIGIT_BITS = 6;
  private static final int SLOTS = 1 << DIGIT_BITS;
  private static final int LEVELS = 11; // 11 digits of 6 bits hold 63-bit times.

  /** Longest front worth searching linearly; measured with the hold model, 16 to 65536 events. */
  private static final int FRONT_MAX = 16;

  /** Nodes below are the heads of the slots' lists, numbered level by level. */
  private static final int FRONT = LEVELS * SLOTS;

  private static final int FIRST_FREE = FRONT + 1;
  private static final int NO_NODE = Event.NOT_QUEUED;
  private static final long UNKNOWN_PS = 0;

  private long[] timesPs = new long[FIRST_FREE + 63];
  private int[] next = new int[FIRST_FREE + 63];
  private int[] previous = new int[FIRST_FREE + 63];
  private @Nullable Event[] events = new Event[FIRST_FREE + 63];
  private int freeNode;

  private long basePs;
  private long frontLastPs = Long.MAX_VALUE;
  private int frontCount;
  private int wheelCount;
  private int levelBits;
  private final long[] slotBits = new long[LEVELS];

  /** The earliest time in the wheel if known; only asked for while the front is empty. */
  private long wheelFirstPs;

  EventQueue() {
    for (int node = 0; node < FIRST_FREE; node++) {
      next[node] = node;
      previous[node] = node;
    }
    timesPs[FRONT] = -1; // Before every time, so that a search from the end stops here.
    freeNodesFrom(FIRST_FREE);
  }

  void add(Event event, long atPs) {
    if (freeNode == NO_NODE) {
      grow();
    }
    int node = freeNode;
    freeNode = next[node];
    if (events[node] != event) {
      events[node] = event;
    }
    event.node = node;
    event.timePs = atPs;
    timesPs[node] = atPs;
    if (atPs <= frontLastPs) {
      insertIntoFront(node, atPs);
      if (frontCount > FRONT_MAX) {
        shortenFront();
      }
    } else {
      appendToWheel(node, atPs);
      wheelFirstPs = Math.min(wheelFirstPs, atPs);
    }
  }

  void remove(Event event) {
    int node = event.node;
    event.node = Event.NOT_QUEUED;
    int before = previous[node];
    int after = next[node];
    next[before] = after;
    previous[after] = before;
    if (timesPs[node] <= frontLastPs) {
      frontCount--;
    } else {
      wheelCount--;
      if (before == after) {
        clearSlotBit(before);
      }
      if (timesPs[node] == wheelFirstPs) {
        wheelFirstPs = UNKNOWN_PS;
      }
    }
    next[node] = freeNode;
    freeNode = node;
  }

  /** Takes out the first event unless it is later than a time. */
  @Nullable Event pollUntil(long lastPs) {
    int node = next[FRONT];
    if (node == FRONT) {
      if (!fillFront(lastPs)) {
        return null;
      }
      node = next[FRONT];
    }
    if (timesPs[node] > lastPs) {
      return null;
    }
    int after = next[node];
    next[FRONT] = after;
    previous[after] = FRONT;
    frontCount--;
    next[node] = freeNode;
    freeNode = node;
    Event event = events[node];
    event.node = Event.NOT_QUEUED;
    return event;
  }

  /** Returns the time of the first event, or {@link Simulation#NEVER_PS}; moves nothing. */
  long firstPs() {
    int node = next[FRONT];
    if (node != FRONT) {
      return timesPs[node];
    }
    if (wheelCount == 0) {
      return Simulation.NEVER_PS;
    }
    if (wheelFirstPs == UNKNOWN_PS) {
      wheelFirstPs = earliestIn(firstSlot());
    }
    return wheelFirstPs;
  }

  private void insertIntoFront(int node, long atPs) {
    frontCount++;
    // From both ends at once: device events arrive near the head, timers near the tail.
    int before = previous[FRONT];
    int after = next[FRONT];
    while (true) {
      if (timesPs[before] <= atPs) {
        after = next[before];
        break;
      }
      if (timesPs[after] > atPs) {
        before = previous[after];
        break;
      }
      before = previous[before];
      after = next[after];
    }
    link(before, node, after);
  }

  private void appendToWheel(int node, long atPs) {
    wheelCount++;
    int level = level(atPs ^ basePs);
    int digit = (int) (atPs >>> (DIGIT_BITS * level)) & (SLOTS - 1);
    levelBits |= 1 << level;
    slotBits[level] |= 1L << digit;
    int slot = level * SLOTS + digit;
    link(previous[slot], node, slot);
  }

  /** Moves the front's later part to the wheel, unless all of it has one time. */
  private void shortenFront() {
    long firstPs = timesPs[next[FRONT]];
    int node = previous[FRONT];
    if (timesPs[node] == firstPs) {
      return;
    }
    int level = level(firstPs ^ timesPs[node]);
    basePs = firstPs;
    frontLastPs = lastOfSlot(firstPs, level);
    wheelFirstPs = UNKNOWN_PS;
    while (timesPs[previous[node]] > frontLastPs) {
      node = previous[node];
    }
    int last = previous[node];
    next[last] = FRONT;
    previous[FRONT] = last;
    while (node != FRONT) {
      int after = next[node];
      appendToWheel(node, timesPs[node]);
      frontCount--;
      node = after;
    }
  }

  /** Moves the earliest slot to the empty front, unless it holds nothing up to a time. */
  private boolean fillFront(long lastPs) {
    if (wheelCount == 0) {
      frontLastPs = Long.MAX_VALUE;
      return false;
    }
    if (wheelFirstPs > lastPs) {
      return false;
    }
    int slot = firstSlot();
    wheelFirstPs = earliestIn(slot);
    if (wheelFirstPs > lastPs) {
      return false;
    }
    // From here on the first event happens for sure: nothing earlier than the base can be added.
    while (slot >= SLOTS && isLong(slot)) {
      spread(slot, wheelFirstPs);
      slot = firstSlot();
      wheelFirstPs = earliestIn(slot);
    }
    basePs = wheelFirstPs;
    frontLastPs = lastOfSlot(basePs, slot / SLOTS);
    wheelFirstPs = UNKNOWN_PS;
    int node = detach(slot);
    while (node != slot) {
      int after = next[node];
      wheelCount--;
      insertIntoFront(node, timesPs[node]);
      node = after;
    }
    return true;
  }

  private void spread(int slot, long newBasePs) {
    basePs = newBasePs;
    int node = detach(slot);
    while (node != slot) {
      int after = next[node];
      wheelCount--;
      appendToWheel(node, timesPs[node]);
      node = after;
    }
  }

  private boolean isLong(int slot) {
    int node = next[slot];
    for (int i = 0; i < FRONT_MAX && node != slot; i++) {
      node = next[node];
    }
    return node != slot;
  }

  private long earliestIn(int slot) {
    long earliestPs = Long.MAX_VALUE;
    for (int node = next[slot]; node != slot; node = next[node]) {
      earliestPs = Math.min(earliestPs, timesPs[node]);
    }
    return earliestPs;
  }

  private int firstSlot() {
    int level = Integer.numberOfTrailingZeros(levelBits);
    return level * SLOTS + Long.numberOfTrailingZeros(slotBits[level]);
  }

  /** Empties a slot and returns its first node; the chain still ends in the slot's head. */
  private int detach(int slot) {
    int node = next[slot];
    next[slot] = slot;
    previous[slot] = slot;
    clearSlotBit(slot);
    return node;
  }

  private void clearSlotBit(int slot) {
    int level = slot / SLOTS;
    slotBits[level] &= ~(1L << (slot % SLOTS));
    if (slotBits[level] == 0) {
      levelBits &= ~(1 << level);
    }
  }

  private void link(int before, int node, int after) {
    next[before] = node;
    previous[node] = before;
    next[node] = after;
    previous[after] = node;
  }

  private void grow() {
    int oldLength = next.length;
    timesPs = Arrays.copyOf(timesPs, 2 * oldLength);
    next = Arrays.copyOf(next, 2 * oldLength);
    previous = Arrays.copyOf(previous, 2 * oldLength);
    events = Arrays.copyOf(events, 2 * oldLength);
    freeNodesFrom(oldLength);
  }

  private void freeNodesFrom(int first) {
    for (int node = first; node < next.length; node++) {
      next[node] = node + 1;
    }
    next[next.length - 1] = NO_NODE;
    freeNode = first;
  }

  private static int level(long difference) {
    int highestBit = 63 - Long.numberOfLeadingZeros(difference | 1);
    return highestBit * 43 >> 8; // highestBit / 6, exact up to 63.
  }

  private static long lastOfSlot(long timePs, int level) {
    return timePs | ((1L << (DIGIT_BITS * level)) - 1);
  }
}
