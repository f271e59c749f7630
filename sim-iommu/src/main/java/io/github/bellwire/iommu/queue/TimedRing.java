package io.github.bellwire.iommu.queue;

import io.github.bellwire.kernel.Simulation;

/**
 * What comes true at known times, in the order of these, first in first out among equals: two words
 * each, whose meaning is the owner's. Grows to the most that are under way at once.
 */
public final class TimedRing {
  private static final int INITIAL_DEPTH = 16;

  private long[] times = new long[INITIAL_DEPTH];
  private long[] firsts = new long[INITIAL_DEPTH];
  private long[] seconds = new long[INITIAL_DEPTH];
  private int head;
  private int count;

  /** Creates an empty ring. */
  public TimedRing() {}

  /**
   * Adds an element, almost always the last.
   *
   * @param atPs when it comes true, in picoseconds
   * @param first a word
   * @param second another
   */
  public void add(long atPs, long first, long second) {
    if (count == times.length) {
      grow();
    }
    int index = count++;
    for (; index > 0 && times[slot(index - 1)] > atPs; index--) {
      put(slot(index), times[slot(index - 1)], firsts[slot(index - 1)], seconds[slot(index - 1)]);
    }
    put(slot(index), atPs, first, second);
  }

  /** {@return how many elements there are} */
  public int count() {
    return count;
  }

  /** {@return when the first element comes true; {@link Simulation#NEVER_PS} if there is none} */
  public long nextPs() {
    return count == 0 ? Simulation.NEVER_PS : times[head];
  }

  /** {@return the first word of the first element, of which there is one} */
  public long first() {
    return firsts[head];
  }

  /** {@return the second word of the first element, of which there is one} */
  public long second() {
    return seconds[head];
  }

  /** Takes the first element out, of which there is one. */
  public void remove() {
    assert count > 0 : "there is no element";
    head = slot(1);
    count--;
  }

  /** Takes all elements out. */
  public void clear() {
    count = 0;
  }

  private void put(int slot, long atPs, long first, long second) {
    times[slot] = atPs;
    firsts[slot] = first;
    seconds[slot] = second;
  }

  private void grow() {
    int depth = times.length;
    long[] newTimes = new long[depth * 2];
    long[] newFirsts = new long[depth * 2];
    long[] newSeconds = new long[depth * 2];
    for (int i = 0; i < depth; i++) {
      newTimes[i] = times[slot(i)];
      newFirsts[i] = firsts[slot(i)];
      newSeconds[i] = seconds[slot(i)];
    }
    times = newTimes;
    firsts = newFirsts;
    seconds = newSeconds;
    head = 0;
  }

  private int slot(int index) {
    return head + index & times.length - 1;
  }
}
