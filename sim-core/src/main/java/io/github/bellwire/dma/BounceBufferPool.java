package io.github.bellwire.dma;

import io.github.bellwire.cpu.CpuPort;

/**
 * Memory below 4 GiB into which buffers are copied that a device cannot reach: the swiotlb of Linux
 * 6.12, after which slots, limits and moments of copying are modelled.
 *
 * <pre>{@code
 *           256 KiB = 128 slots of 2 KiB
 *          |----------------------------|
 * base --> +----------------------------+----------------------------+--
 *          |##..####....................|#########...................|
 *          +----------------------------+----------------------------+--
 *             a mapping takes slots in a row, within one such group
 * }</pre>
 *
 * <p>Mapping copies the original into the slots, for every direction: if the device then writes
 * less than the whole buffer, the rest comes back unchanged and no byte of a former mapping leaks.
 * Unmapping copies back what the device may have written. All copies are loads and stores of a core
 * and take its time; the search for slots does not.
 *
 * <p>When there are no slots, the mapping is refused and counted, with the occupancy. Not modelled:
 * growth on demand, one lock per area, clearing of the padding for untrusted devices.
 *
 * <p>One pool serves all devices of a machine. Allocates nothing after construction, except where
 * interrupt handlers that copy interrupt each other. Confined to the simulation thread.
 */
public final class BounceBufferPool {
  /** Bytes of a slot: IO_TLB_SIZE of Linux. */
  public static final int SLOT_BYTES = 2048;

  /** The longest row of slots: IO_TLB_SEGSIZE of Linux. */
  public static final int SLOTS_PER_MAPPING_MAX = 128;

  /** The largest mapping, unless an alignment mask takes some of it: 256 KiB. */
  public static final int MAPPING_BYTES_MAX = SLOT_BYTES * SLOTS_PER_MAPPING_MAX;

  /** The smallest pool: 1 MiB (IO_TLB_MIN_SLABS of Linux). */
  public static final int SIZE_BYTES_MIN = 1 << 20;

  /** The size of the pool unless the user says otherwise: 64 MiB (IO_TLB_DEFAULT_SIZE of Linux). */
  public static final int SIZE_BYTES_DEFAULT = 64 << 20;

  /** Returned instead of an address when there are no slots. */
  static final long NO_SLOTS = -1;

  private static final int SLOT_SHIFT = 11;
  private static final int GROUP_SHIFT = 7;
  private static final int STAGING_BYTES = 4096;
  private static final int NESTING_EXPECTED = 4;

  private final long basePa;
  private final int sizeBytes;
  private final SlotMap slots;
  private byte[][] stagings = new byte[NESTING_EXPECTED][STAGING_BYTES];
  private int nesting;

  private int slotsUsed;
  private int slotsUsedMax;
  private long allocationsCount;
  private long bytesToBounce;
  private long bytesFromBounce;
  private long exhaustedCount;
  private long tooLargeCount;
  private int refusedBytesLast;
  private int slotsUsedAtRefusalLast;

  /**
   * Creates a pool of free slots; its memory is taken for good.
   *
   * @param allocator provides the memory, from below 4 GiB
   * @param sizeBytes 2^k, 1 MiB..1 GiB
   * @throws IllegalArgumentException if the size is out of range or the zone has no such block
   */
  public BounceBufferPool(PageAllocator allocator, int sizeBytes) {
    if (sizeBytes < SIZE_BYTES_MIN || Integer.bitCount(sizeBytes) != 1) {
      throw new IllegalArgumentException(
          "sizeBytes must be 2^k, 1 MiB..1 GiB: sizeBytes=" + sizeBytes);
    }
    basePa = allocator.allocate(sizeBytes, MemoryZones.NORMAL_BASE - 1);
    if (basePa == PageAllocator.NO_MEMORY) {
      throw new IllegalArgumentException(
          "sizeBytes must be <= a free block below 4 GiB: sizeBytes=" + sizeBytes);
    }
    this.sizeBytes = sizeBytes;
    slots = new SlotMap(sizeBytes >>> SLOT_SHIFT >>> GROUP_SHIFT);
  }

  /**
   * Takes the slots for a mapping.
   *
   * @param originalPa first byte of the original
   * @param lengthBytes its length
   * @param minAlignMask address bits that the copy shares with the original, 0 or 2^k - 1 up to
   *     65535
   * @return where the copy begins, or {@link #NO_SLOTS}
   */
  long allocate(long originalPa, int lengthBytes, int minAlignMask) {
    int low = (int) originalPa & minAlignMask;
    int slotOffset = low & SLOT_BYTES - 1;
    long needed = (long) slotOffset + lengthBytes + SLOT_BYTES - 1 >>> SLOT_SHIFT;
    // Groups are aligned to more than any mask, so these bits decide the place in the group.
    int residue = low >>> SLOT_SHIFT;
    if (residue + needed > SLOTS_PER_MAPPING_MAX) {
      tooLargeCount++;
      return refused(lengthBytes);
    }
    int slot = slots.allocate((int) needed, minAlignMask + 1 >>> SLOT_SHIFT, residue);
    if (slot < 0) {
      exhaustedCount++;
      return refused(lengthBytes);
    }
    allocationsCount++;
    slotsUsed += (int) needed;
    slotsUsedMax = Math.max(slotsUsedMax, slotsUsed);
    return basePa + ((long) slot << SLOT_SHIFT) + slotOffset;
  }

  private long refused(int lengthBytes) {
    refusedBytesLast = lengthBytes;
    slotsUsedAtRefusalLast = slotsUsed;
    return NO_SLOTS;
  }

  /** Gives the slots of a mapping back. */
  void free(long bouncePa, int lengthBytes) {
    int offset = (int) (bouncePa - basePa);
    int slot = offset >>> SLOT_SHIFT;
    int needed = (offset & SLOT_BYTES - 1) + lengthBytes + SLOT_BYTES - 1 >>> SLOT_SHIFT;
    slots.free(slot, needed);
    slotsUsed -= needed;
  }

  /** Copies from the original to the slots. */
  void copyToBounce(CpuPort port, long originalPa, long bouncePa, int lengthBytes) {
    bytesToBounce += lengthBytes;
    copy(port, originalPa, bouncePa, lengthBytes);
  }

  /** Copies from the slots to the original. */
  void copyFromBounce(CpuPort port, long originalPa, long bouncePa, int lengthBytes) {
    bytesFromBounce += lengthBytes;
    copy(port, bouncePa, originalPa, lengthBytes);
  }

  private void copy(CpuPort port, long fromPa, long toPa, int lengthBytes) {
    // A load lets time pass, and an interrupt handler that runs then may copy too.
    byte[] staging = enter();
    try {
      for (int done = 0; done < lengthBytes; done += STAGING_BYTES) {
        int part = Math.min(STAGING_BYTES, lengthBytes - done);
        port.load(fromPa + done, staging, 0, part);
        port.store(toPa + done, staging, 0, part);
      }
    } finally {
      nesting--;
    }
  }

  private byte[] enter() {
    if (nesting == stagings.length) {
      byte[][] more = new byte[2 * nesting][];
      for (int i = 0; i < more.length; i++) {
        more[i] = i < nesting ? stagings[i] : new byte[STAGING_BYTES];
      }
      stagings = more;
    }
    return stagings[nesting++];
  }

  /** {@return host physical address of the first slot} */
  public long basePa() {
    return basePa;
  }

  /** {@return the bytes of all slots} */
  public int sizeBytes() {
    return sizeBytes;
  }

  /** {@return the number of slots} */
  public int slotCount() {
    return sizeBytes >>> SLOT_SHIFT;
  }

  /** {@return the slots taken at present} */
  public int slotsUsed() {
    return slotsUsed;
  }

  /** {@return the most slots that were taken at one time} */
  public int slotsUsedMax() {
    return slotsUsedMax;
  }

  /** {@return how often slots were taken} */
  public long allocationsCount() {
    return allocationsCount;
  }

  /** {@return the bytes copied from originals to slots} */
  public long bytesToBounce() {
    return bytesToBounce;
  }

  /** {@return the bytes copied from slots to originals} */
  public long bytesFromBounce() {
    return bytesFromBounce;
  }

  /** {@return how often there was no row of free slots that is long enough} */
  public long exhaustedCount() {
    return exhaustedCount;
  }

  /** {@return how often more was asked for than a mapping may have} */
  public long tooLargeCount() {
    return tooLargeCount;
  }

  /** {@return the bytes asked for when slots were last refused, 0 if they never were} */
  public int refusedBytesLast() {
    return refusedBytesLast;
  }

  /** {@return the slots that were taken when slots were last refused} */
  public int slotsUsedAtRefusalLast() {
    return slotsUsedAtRefusalLast;
  }
}
