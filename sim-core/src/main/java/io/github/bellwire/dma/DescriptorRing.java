package io.github.bellwire.dma;

import static io.github.bellwire.kernel.Requirements.require;

import java.util.Objects;

/**
 * Where the descriptors of a ring lie and which of them belong to whom, whatever is in them.
 *
 * <pre>{@code
 * index    0     1     2     3     4     5     6     7
 *       +-----+-----+-----+-----+-----+-----+-----+-----+
 *       |     |     |  U  |  U  |  U  |     |     |     |     U: used, the consumer's
 *       +-----+-----+-----+-----+-----+-----+-----+-----+
 *                      ^ head            ^ tail
 *                      consumer index    producer index
 * }</pre>
 *
 * <p>The producer fills free descriptors from the tail on, the consumer takes used ones from the
 * head on. One slot is kept empty, so that head = tail means an empty ring: of N descriptors N - 1
 * are usable. Beside the indices there are sequence numbers that never wrap and count the
 * descriptors since the last {@link #reset()}; they name operations.
 *
 * <p>This is the view of host software: it touches no memory and takes no time. Any number of
 * descriptors from 2 on is possible; indices wrap by a compare. Confined to the simulation thread.
 */
public final class DescriptorRing {
  private final long pa;
  private final long iova;
  private final int descriptorShift;
  private final int descriptorCount;

  private int head;
  private int tail;
  private long headSequence;
  private long tailSequence;

  /**
   * Creates an empty ring.
   *
   * @param memory holds the descriptors from its first byte on
   * @param descriptorBytes size of one descriptor, 2^k, 4..4096
   * @param descriptorCount at least 2
   * @throws IllegalArgumentException if an argument is out of range or the memory too small
   */
  public DescriptorRing(CoherentBuffer memory, int descriptorBytes, int descriptorCount) {
    require(
        descriptorBytes >= 4 && descriptorBytes <= 4096 && Integer.bitCount(descriptorBytes) == 1,
        "descriptorBytes",
        descriptorBytes,
        "2^k, 4..4096");
    require(descriptorCount >= 2, "descriptorCount", descriptorCount, ">= 2");
    require(
        (long) descriptorBytes * descriptorCount <= memory.sizeBytes(),
        "descriptorCount",
        descriptorCount,
        "<= " + memory.sizeBytes() / descriptorBytes);
    pa = memory.pa();
    iova = memory.iova();
    descriptorShift = Integer.numberOfTrailingZeros(descriptorBytes);
    this.descriptorCount = descriptorCount;
  }

  /**
   * {@return where the host finds a descriptor}
   *
   * @param index 0 to below {@link #descriptorCount()}
   * @throws IndexOutOfBoundsException if the index is out of range
   */
  public long descriptorPa(int index) {
    return pa + ((long) Objects.checkIndex(index, descriptorCount) << descriptorShift);
  }

  /**
   * {@return where the device finds a descriptor}
   *
   * @param index 0 to below {@link #descriptorCount()}
   * @throws IndexOutOfBoundsException if the index is out of range
   */
  public long descriptorIova(int index) {
    return iova + ((long) Objects.checkIndex(index, descriptorCount) << descriptorShift);
  }

  /**
   * {@return the index behind an index}
   *
   * @param index 0 to below {@link #descriptorCount()}
   */
  public int next(int index) {
    int next = index + 1;
    return next == descriptorCount ? 0 : next;
  }

  /**
   * Hands descriptors to the consumer.
   *
   * @param count 0..{@link #freeCount()}
   * @throws IllegalArgumentException if so many are not free
   */
  public void advanceTail(int count) {
    if (count < 0 || count > freeCount()) {
      throw advanceRefused(count, freeCount());
    }
    tail = wrap(tail + count);
    tailSequence += count;
  }

  /**
   * Takes descriptors back from the consumer.
   *
   * @param count 0..{@link #usedCount()}
   * @throws IllegalArgumentException if so many are not used
   */
  public void advanceHead(int count) {
    if (count < 0 || count > usedCount()) {
      throw advanceRefused(count, usedCount());
    }
    head = wrap(head + count);
    headSequence += count;
  }

  /**
   * Takes back all descriptors up to the consumer index that a device reports.
   *
   * @param newHead the first descriptor that the consumer still has, or the tail
   * @return how many were taken back
   * @throws IllegalArgumentException if the index is not between head and tail
   */
  public int advanceHeadTo(int newHead) {
    Objects.checkIndex(newHead, descriptorCount);
    int distance = newHead - head;
    int count = distance < 0 ? distance + descriptorCount : distance;
    advanceHead(count);
    return count;
  }

  /** Empties the ring and starts at index 0 and sequence number 0 again. */
  public void reset() {
    head = 0;
    tail = 0;
    headSequence = 0;
    tailSequence = 0;
  }

  /** {@return the consumer index: the oldest used descriptor} */
  public int head() {
    return head;
  }

  /** {@return the producer index: the next descriptor to fill} */
  public int tail() {
    return tail;
  }

  /** {@return how many descriptors were taken back before the one at the head} */
  public long headSequence() {
    return headSequence;
  }

  /** {@return how many descriptors were handed over before the one at the tail} */
  public long tailSequence() {
    return tailSequence;
  }

  /** {@return the descriptors that are the consumer's} */
  public int usedCount() {
    return (int) (tailSequence - headSequence);
  }

  /** {@return the descriptors that the producer may fill} */
  public int freeCount() {
    return descriptorCount - 1 - usedCount();
  }

  /** {@return whether the consumer has nothing} */
  public boolean isEmpty() {
    return head == tail;
  }

  /** {@return whether the producer may fill nothing} */
  public boolean isFull() {
    return next(tail) == head;
  }

  /** {@return the number of descriptors, the empty one included} */
  public int descriptorCount() {
    return descriptorCount;
  }

  /** {@return the size of a descriptor in bytes} */
  public int descriptorBytes() {
    return 1 << descriptorShift;
  }

  /** {@return where the host finds the ring} */
  public long pa() {
    return pa;
  }

  /** {@return where the device finds the ring} */
  public long iova() {
    return iova;
  }

  /** {@return the bytes of all descriptors} */
  public int sizeBytes() {
    return descriptorCount << descriptorShift;
  }

  private int wrap(int index) {
    return index >= descriptorCount ? index - descriptorCount : index;
  }

  private static IllegalArgumentException advanceRefused(int count, int limit) {
    return new IllegalArgumentException("count must be 0.." + limit + ": count=" + count);
  }
}
