package io.github.bellwire.pcie;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import java.util.Arrays;

/**
 * Register writes on their way to a device, delivered in the order of their arrival by one event.
 * Cores run ahead of the clock by different times, so a write may be added that arrives before
 * others. Grows to the most that are under way at once and allocates nothing beyond.
 */
final class PostedWriteQueue extends Event {
  private final Simulation simulation;
  private final Endpoint endpoint;
  private long[] readyPs = new long[16];
  private long[] arrivalPs = new long[16];
  private long[] offsets = new long[16];
  private long[] values = new long[16];
  private int[] barsAndSizes = new int[16];
  private int head;
  private int count;
  private long acceptedTotal;

  PostedWriteQueue(Simulation simulation, Endpoint endpoint) {
    this.simulation = simulation;
    this.endpoint = endpoint;
  }

  /**
   * Adds a write.
   *
   * @param newReadyPs when the root port got it
   * @param atPs when it arrives
   */
  void add(int bar, long offset, int sizeBytes, long value, long newReadyPs, long atPs) {
    int slot = insert(atPs);
    readyPs[slot] = newReadyPs;
    arrivalPs[slot] = atPs;
    offsets[slot] = offset;
    values[slot] = value;
    barsAndSizes[slot] = bar << 8 | sizeBytes;
    acceptedTotal++;
    if (!isScheduled() || arrivalPs[head] < timePs()) {
      simulation.reschedule(this, arrivalPs[head]);
    }
  }

  /**
   * {@return when the last of the writes arrives that the root port got up to a time; 0 if none of
   * them is under way}
   */
  long lastArrivalPs(long upToReadyPs) {
    for (int i = count - 1; i >= 0; i--) {
      int slot = slot(i);
      if (readyPs[slot] <= upToReadyPs) {
        return arrivalPs[slot];
      }
    }
    return 0;
  }

  @Override
  protected void onEvent(long nowPs) {
    int slot = head;
    head = slot(1);
    count--;
    if (count > 0) {
      simulation.schedule(this, arrivalPs[head]);
    }
    int barAndSize = barsAndSizes[slot];
    endpoint.mmioWrite(barAndSize >>> 8, offsets[slot], barAndSize & 0xff, values[slot], nowPs);
  }

  long acceptedTotal() {
    return acceptedTotal;
  }

  /** Makes room at the place in the order of arrival; almost always the end. */
  private int insert(long atPs) {
    if (count == arrivalPs.length) {
      grow();
    }
    int index = count++;
    for (; index > 0 && arrivalPs[slot(index - 1)] > atPs; index--) {
      move(slot(index - 1), slot(index));
    }
    return slot(index);
  }

  private void move(int from, int to) {
    readyPs[to] = readyPs[from];
    arrivalPs[to] = arrivalPs[from];
    offsets[to] = offsets[from];
    values[to] = values[from];
    barsAndSizes[to] = barsAndSizes[from];
  }

  private void grow() {
    int length = arrivalPs.length;
    readyPs = unrolled(readyPs);
    arrivalPs = unrolled(arrivalPs);
    offsets = unrolled(offsets);
    values = unrolled(values);
    int[] newBarsAndSizes = Arrays.copyOf(barsAndSizes, length * 2);
    for (int i = 0; i < length; i++) {
      newBarsAndSizes[i] = barsAndSizes[head + i & length - 1];
    }
    barsAndSizes = newBarsAndSizes;
    head = 0;
  }

  private long[] unrolled(long[] ring) {
    long[] result = Arrays.copyOf(ring, ring.length * 2);
    for (int i = 0; i < ring.length; i++) {
      result[i] = ring[head + i & ring.length - 1];
    }
    return result;
  }

  private int slot(int index) {
    return head + index & arrivalPs.length - 1;
  }
}
