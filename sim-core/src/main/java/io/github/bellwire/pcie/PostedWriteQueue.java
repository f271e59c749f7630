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
  private static final int BAR_SHIFT = 8;
  private static final int BLOCK = 1 << 7;
  private static final int SIZE_MASK = BLOCK - 1;

  private final Simulation simulation;
  private final Endpoint endpoint;
  private long[] readyPs = new long[16];
  private long[] arrivalPs = new long[16];
  private long[] offsets = new long[16];
  private long[] values = new long[16];
  private int[] barsAndSizes = new int[16];
  // Of writes of more than a register, one line per slot.
  private byte[] blocks = new byte[16 * MmioBlock.BYTES_MAX];
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
    int slot = insert(bar << BAR_SHIFT | sizeBytes, offset, newReadyPs, atPs);
    values[slot] = value;
  }

  /**
   * Adds a write of up to a line.
   *
   * @param source the bytes, copied before the call returns
   * @param newReadyPs when the root port got it
   * @param atPs when it arrives
   */
  void addBlock(
      int bar,
      long offset,
      byte[] source,
      int sourceOffset,
      int lengthBytes,
      long newReadyPs,
      long atPs) {
    int slot = insert(bar << BAR_SHIFT | BLOCK | lengthBytes, offset, newReadyPs, atPs);
    System.arraycopy(source, sourceOffset, blocks, slot * MmioBlock.BYTES_MAX, lengthBytes);
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
    int bar = barsAndSizes[slot] >>> BAR_SHIFT;
    int sizeBytes = barsAndSizes[slot] & SIZE_MASK;
    if ((barsAndSizes[slot] & BLOCK) != 0) {
      int block = slot * MmioBlock.BYTES_MAX;
      endpoint.mmioWrite(bar, offsets[slot], blocks, block, sizeBytes, nowPs);
    } else {
      endpoint.mmioWrite(bar, offsets[slot], sizeBytes, values[slot], nowPs);
    }
  }

  long acceptedTotal() {
    return acceptedTotal;
  }

  /** Puts a write at its place in the order of arrival, almost always the end, and returns it. */
  private int insert(int barAndSize, long offset, long newReadyPs, long atPs) {
    if (count == arrivalPs.length) {
      grow();
    }
    int index = count++;
    for (; index > 0 && arrivalPs[slot(index - 1)] > atPs; index--) {
      move(slot(index - 1), slot(index));
    }
    int slot = slot(index);
    readyPs[slot] = newReadyPs;
    arrivalPs[slot] = atPs;
    offsets[slot] = offset;
    barsAndSizes[slot] = barAndSize;
    acceptedTotal++;
    if (!isScheduled() || arrivalPs[head] < timePs()) {
      simulation.reschedule(this, arrivalPs[head]);
    }
    return slot;
  }

  private void move(int from, int to) {
    readyPs[to] = readyPs[from];
    arrivalPs[to] = arrivalPs[from];
    offsets[to] = offsets[from];
    values[to] = values[from];
    barsAndSizes[to] = barsAndSizes[from];
    if ((barsAndSizes[from] & BLOCK) != 0) {
      int line = MmioBlock.BYTES_MAX;
      System.arraycopy(blocks, from * line, blocks, to * line, line);
    }
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
    byte[] newBlocks = new byte[blocks.length * 2];
    int headByte = head * MmioBlock.BYTES_MAX;
    System.arraycopy(blocks, headByte, newBlocks, 0, blocks.length - headByte);
    System.arraycopy(blocks, 0, newBlocks, blocks.length - headByte, headByte);
    blocks = newBlocks;
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
