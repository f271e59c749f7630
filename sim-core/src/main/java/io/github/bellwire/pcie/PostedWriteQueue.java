package io.github.bellwire.pcie;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import java.util.Arrays;

/**
 * Register writes on their way to a device, delivered in order by one event. Grows to the most that
 * are under way at once and allocates nothing beyond.
 */
final class PostedWriteQueue extends Event {
  private final Simulation simulation;
  private final Endpoint endpoint;
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

  void add(int bar, long offset, int sizeBytes, long value, long atPs) {
    if (count == arrivalPs.length) {
      grow();
    }
    int slot = head + count++ & arrivalPs.length - 1;
    arrivalPs[slot] = atPs;
    offsets[slot] = offset;
    values[slot] = value;
    barsAndSizes[slot] = bar << 8 | sizeBytes;
    acceptedTotal++;
    if (!isScheduled()) {
      simulation.schedule(this, arrivalPs[head]);
    }
  }

  @Override
  protected void onEvent(long nowPs) {
    int slot = head;
    head = head + 1 & arrivalPs.length - 1;
    count--;
    if (count > 0) {
      simulation.schedule(this, Math.max(arrivalPs[head], nowPs));
    }
    int barAndSize = barsAndSizes[slot];
    endpoint.mmioWrite(barAndSize >>> 8, offsets[slot], barAndSize & 0xff, values[slot], nowPs);
  }

  long acceptedTotal() {
    return acceptedTotal;
  }

  private void grow() {
    int length = arrivalPs.length;
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
}
