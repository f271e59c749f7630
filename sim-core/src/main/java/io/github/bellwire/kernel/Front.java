package io.github.bellwire.kernel;

import java.util.Arrays;

/**
 * The pending events that happen first, sorted: a stack with the earliest on top, and of equal
 * times the one that was scheduled first. What happens soon is thus moved in and out for the price
 * of the few events that happen before.
 *
 * <pre>{@code
 * bottom                     top
 *  950   910   910   800    700      timesPs
 *    f     h     g     k      e      slots     (g was scheduled before h)
 * }</pre>
 */
final class Front {
  private static final int INITIAL_LENGTH = 32;

  private long[] timesPs = new long[INITIAL_LENGTH];
  private int[] slots = new int[INITIAL_LENGTH];
  private int count;

  int count() {
    return count;
  }

  boolean isEmpty() {
    return count == 0;
  }

  /** {@return the earliest time; only if there is one} */
  long firstPs() {
    return timesPs[count - 1];
  }

  /** {@return the slot that is so many from the bottom} */
  int slot(int index) {
    return slots[index];
  }

  /** {@return the time of the slot that is so many from the bottom} */
  long timePs(int index) {
    return timesPs[index];
  }

  /** Takes the first event out. */
  int take() {
    return slots[--count];
  }

  /** Adds an event that was scheduled after all others. */
  void add(int slot, long atPs) {
    int index = open();
    while (index > 0 && timesPs[index - 1] <= atPs) {
      index = moveUp(index);
    }
    timesPs[index] = atPs;
    slots[index] = slot;
  }

  /** Adds an event that was scheduled before all others. */
  void addOlder(int slot, long atPs) {
    int index = open();
    while (index > 0 && timesPs[index - 1] < atPs) {
      index = moveUp(index);
    }
    timesPs[index] = atPs;
    slots[index] = slot;
  }

  void remove(int slot) {
    int index = count - 1;
    while (slots[index] != slot) {
      index--;
    }
    remove(index, index + 1);
  }

  /** Removes a range of events, counted from the bottom. */
  void remove(int from, int to) {
    System.arraycopy(timesPs, to, timesPs, from, count - to);
    System.arraycopy(slots, to, slots, from, count - to);
    count -= to - from;
  }

  private int open() {
    if (count == slots.length) {
      timesPs = Arrays.copyOf(timesPs, 2 * count);
      slots = Arrays.copyOf(slots, 2 * count);
    }
    return count++;
  }

  private int moveUp(int index) {
    timesPs[index] = timesPs[index - 1];
    slots[index] = slots[index - 1];
    return index - 1;
  }
}
