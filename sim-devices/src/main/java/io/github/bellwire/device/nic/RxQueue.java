package io.github.bellwire.device.nic;

import io.github.bellwire.memory.LittleEndian;

/**
 * One receive queue: its ring in host memory and what the device keeps of it.
 *
 * <pre>{@code
 *   written back   done   claimed   fetched   owned by the device   owned by the driver
 * ...............|......|.........|.........|.....................|....................
 *              head             claimed  fetched                 tail
 * }</pre>
 */
final class RxQueue {
  final int index;

  boolean isEnabled;

  /** Descriptors that are written back at once at most. */
  private static final int DONE_MAX = 64;

  private final int groupDescriptors;

  /** What has been written to its buffers. */
  final FrameTotals delivered;

  /** Grows when the queue is enabled, so that what belongs to an earlier ring can be told. */
  int epoch;

  boolean isLegacy;

  /** 0 while the queue is off, so that no frame fits. */
  int bufferBytes;

  long base;
  int size;
  int head;
  int fetched;
  int tail;

  /** Frames that have left the FIFO for this queue point here; follows the fetched descriptors. */
  int claimed;

  /** Fetched descriptors that no frame has claimed yet. */
  int unclaimedCount;

  /**
   * Descriptors used since the queue was enabled: the sequence numbers of operations. Kept for who
   * listens to them, so {@link #claimNext} leaves it alone.
   */
  long sequence;

  /** Descriptors written back since the queue was enabled. */
  long reported;

  // Of the descriptors on chip: buffer, and when it is known, side by side.
  private long[] onChip = new long[0];

  // Done descriptors from the head on that have not been written back, in the bytes that will be
  // written, when the last one may be, and when all are to be at the latest.
  final byte[] done = new byte[DONE_MAX * RxDescriptorLayout.SIZE_BYTES];
  int doneCount;
  long donePs;
  long flushPs;
  private int groupCount;

  /**
   * Creates a queue that is off.
   *
   * @param index its number
   * @param groupDescriptors how many are written back together, a power of two in 1..64
   * @param delivered counts what is written to its buffers
   */
  RxQueue(int index, int groupDescriptors, FrameTotals delivered) {
    this.index = index;
    this.delivered = delivered;
    this.groupDescriptors = groupDescriptors;
  }

  void enable(RegisterFile registers) {
    int srrctl = registers.get(NicRegisters.srrctl(index));
    isLegacy = (srrctl & NicRegisters.SRRCTL_DESCTYPE_MASK) == NicRegisters.SRRCTL_DESCTYPE_LEGACY;
    base = registers.get64(NicRegisters.rdbal(index));
    size = registers.get(NicRegisters.rdlen(index)) / RxDescriptorLayout.SIZE_BYTES;
    if (onChip.length < 2 * size) {
      onChip = new long[2 * size];
    }
    startGroup(withinRing(registers.get(NicRegisters.rdh(index)), 0));
    fetched = head;
    claimed = head;
    unclaimedCount = 0;
    tail = withinRing(registers.get(NicRegisters.rdt(index)), head);
    sequence = 0;
    reported = 0;
    epoch++;
    isEnabled = size > 0;
    bufferBytes = isEnabled ? (srrctl & NicRegisters.SRRCTL_BSIZEPACKET_MASK) << 10 : 0;
  }

  void disable() {
    isEnabled = false;
    bufferBytes = 0;
  }

  void moveTail(int value) {
    tail = withinRing(value, tail);
  }

  /** {@return descriptors that no frame has claimed yet} */
  int availableCount() {
    return distance(claimed, tail);
  }

  /** {@return descriptors up to the tail or the end of the ring that one read can fetch} */
  int fetchableCount() {
    int toTail = distance(fetched, tail);
    return Math.min(toTail, size - fetched);
  }

  /**
   * Takes the next descriptors onto the chip.
   *
   * @param descriptors as read
   * @param count up to {@link #fetchableCount()}
   * @param atPs when they are there
   */
  void fetch(byte[] descriptors, int count, long atPs) {
    int first = 2 * fetched;
    for (int i = 0; i < count; i++) {
      onChip[first + 2 * i] = LittleEndian.getLong(descriptors, i * RxDescriptorLayout.SIZE_BYTES);
      onChip[first + 2 * i + 1] = atPs;
    }
    fetched = fetched + count == size ? 0 : fetched + count;
    unclaimedCount += count;
  }

  /** {@return the buffer of a descriptor on chip} */
  long bufferAddress(int descriptor) {
    return onChip[2 * descriptor];
  }

  /** {@return when the next descriptor is on chip, in picoseconds; only if there is one} */
  long nextKnownPs() {
    return onChip[2 * claimed + 1];
  }

  /** Gives a frame the next descriptor while nobody listens; returns its buffer. */
  long claimNext() {
    int descriptor = claimed;
    claimed = next(descriptor);
    unclaimedCount--;
    return onChip[2 * descriptor];
  }

  /** Gives a frame its descriptors; returns when the last of them is on chip, in picoseconds. */
  long claim(int count) {
    int last = count == 1 ? claimed : plus(claimed, count - 1);
    claimed = next(last);
    unclaimedCount -= count;
    return onChip[2 * last + 1];
  }

  /** Adds a done descriptor. */
  void addDone(long low, long high) {
    int offset = doneCount++ * RxDescriptorLayout.SIZE_BYTES;
    LittleEndian.putLong(done, offset, low);
    LittleEndian.putLong(done, offset + Long.BYTES, high);
  }

  /** {@return whether the done descriptors, of whole frames, are all that are written together} */
  boolean isGroupDone() {
    return doneCount >= groupCount;
  }

  /** {@return whether they have to be written although their last frame goes on} */
  boolean isGroupFull() {
    return groupDescriptors == 1
        ? doneCount == DONE_MAX || head + doneCount == size
        : doneCount == groupCount;
  }

  /** The done descriptors have been written back. */
  void onWrittenBack() {
    reported += doneCount;
    int next = head + doneCount;
    startGroup(next == size ? 0 : next);
  }

  /** A group ends where the index is a multiple of its size, and with the ring. */
  private void startGroup(int first) {
    head = first;
    doneCount = 0;
    int toBoundary = groupDescriptors - (first & groupDescriptors - 1);
    groupCount = Math.min(toBoundary, size - first);
  }

  /** {@return the descriptor so many behind another} */
  int plus(int descriptor, int distance) {
    int sum = descriptor + distance;
    return sum < size ? sum : sum - size;
  }

  int next(int descriptor) {
    return descriptor + 1 == size ? 0 : descriptor + 1;
  }

  long address(int descriptor) {
    return DmaGate.address(base, descriptor * RxDescriptorLayout.SIZE_BYTES);
  }

  private int distance(int from, int to) {
    int difference = to - from;
    return difference < 0 ? difference + size : difference;
  }

  /** An index beyond the ring is a driver's mistake, which must not lead out of the ring. */
  private int withinRing(int value, int otherwise) {
    return value < size ? value : otherwise;
  }
}
