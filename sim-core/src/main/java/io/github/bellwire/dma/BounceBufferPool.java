package io.github.bellwire.dma;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.cpu.SpinLock;
import io.github.bellwire.cpu.WaitQueue;
import io.github.bellwire.kernel.Simulation;

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
 * and take its time. Slots lie in areas, one per core and each with a lock; a core looks into its
 * own first.
 *
 * <p>When there are no slots, the mapping is refused and counted, with the occupancy. Not modelled:
 * growth on demand.
 *
 * <p>One pool serves all devices of a machine. Allocates nothing after construction, except where
 * interrupt handlers that copy interrupt each other, and where routines wait for slots. Confined to
 * the simulation thread.
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

  /** A locked instruction, and the transfer of a line from another core: assumptions. */
  private static final int LOCK_CYCLES = 20;

  private static final long LOCK_HANDOVER_PS = 60_000;

  private static final byte[] ZEROS = new byte[1 << 16];
  private static final int SLOT_SHIFT = 11;
  private static final int GROUP_SHIFT = 7;
  private static final int STAGING_BYTES = 4096;
  private static final int NESTING_EXPECTED = 4;

  private final WaitQueue waiting = new WaitQueue(WaitQueue.LOOK_AGAIN_PS);
  private final long basePa;
  private final int sizeBytes;
  private final SlotMap[] areas;
  private final SpinLock[] locks;
  private final int areaShift;
  private final int searchCycles;
  private boolean isCopyAtMapLeftOut;
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
   * Creates a pool of free slots in one area without a lock, whose search takes no time.
   *
   * @param allocator provides the memory, from below 4 GiB
   * @param sizeBytes 2^k, 1 MiB..1 GiB
   * @throws IllegalArgumentException if the size is out of range or the zone has no such block
   */
  public BounceBufferPool(PageAllocator allocator, int sizeBytes) {
    this(new Simulation(0), allocator, sizeBytes, 1, 0);
  }

  /**
   * Creates a pool of free slots; its memory is taken for good.
   *
   * @param simulation the clock
   * @param allocator provides the memory, from below 4 GiB
   * @param sizeBytes 2^k, 1 MiB..1 GiB
   * @param coresCount cores of the machine; each has an area of its own if there are groups enough,
   *     at least 1
   * @param searchCycles clock cycles to find, mark or free slots, while the area is locked, at
   *     least 0
   * @throws IllegalArgumentException if an argument is out of range or the zone has no such block
   */
  public BounceBufferPool(
      Simulation simulation,
      PageAllocator allocator,
      int sizeBytes,
      int coresCount,
      int searchCycles) {
    if (sizeBytes < SIZE_BYTES_MIN || Integer.bitCount(sizeBytes) != 1) {
      throw new IllegalArgumentException(
          "sizeBytes must be 2^k, 1 MiB..1 GiB: sizeBytes=" + sizeBytes);
    }
    if (coresCount < 1 || searchCycles < 0) {
      throw new IllegalArgumentException(
          String.format(
              "coresCount must be >= 1 and searchCycles >= 0: coresCount=%d, searchCycles=%d",
              coresCount, searchCycles));
    }
    basePa = allocator.allocate(sizeBytes, MemoryZones.NORMAL_BASE - 1);
    if (basePa == PageAllocator.NO_MEMORY) {
      throw new IllegalArgumentException(
          "sizeBytes must be <= a free block below 4 GiB: sizeBytes=" + sizeBytes);
    }
    this.sizeBytes = sizeBytes;
    this.searchCycles = searchCycles;
    int groups = sizeBytes >>> SLOT_SHIFT >>> GROUP_SHIFT;
    int areasWanted = Integer.highestOneBit(2 * coresCount - 1); // rounded up to a power of two
    areas = new SlotMap[Math.min(areasWanted, groups)];
    locks = new SpinLock[areas.length];
    int groupsPerArea = groups / areas.length;
    for (int i = 0; i < areas.length; i++) {
      areas[i] = new SlotMap(groupsPerArea);
      locks[i] = new SpinLock(simulation, LOCK_CYCLES, LOCK_HANDOVER_PS);
    }
    areaShift = SLOT_SHIFT + GROUP_SHIFT + Integer.numberOfTrailingZeros(groupsPerArea);
  }

  /**
   * Takes the slots for a mapping, in the area of the calling core if there are any.
   *
   * @param port the core
   * @param originalPa first byte of the original
   * @param lengthBytes its length
   * @param minAlignMask address bits that the copy shares with the original, 0 or 2^k - 1 up to
   *     65535
   * @param granuleBytes to what the slots are rounded, so that nothing else lies beside the copy,
   *     2^k up to 64 KiB
   * @return where the copy begins, or {@link #NO_SLOTS}
   */
  long allocate(
      CpuPort port, long originalPa, int lengthBytes, int minAlignMask, int granuleBytes) {
    int allocationMask = Math.max(granuleBytes, SLOT_BYTES) - 1;
    int low = (int) originalPa & minAlignMask;
    int offset = low & allocationMask;
    long needed = (long) offset + lengthBytes + allocationMask >>> SLOT_SHIFT;
    needed -= needed & allocationMask >>> SLOT_SHIFT;
    // Groups are aligned to more than any mask, so these bits decide the place in the group.
    int residue = (low & ~allocationMask) >>> SLOT_SHIFT;
    if (residue + needed > SLOTS_PER_MAPPING_MAX) {
      tooLargeCount++;
      return refused(lengthBytes);
    }
    int alignment = (minAlignMask | allocationMask) + 1 >>> SLOT_SHIFT;
    int first = port.coreIndex() & areas.length - 1;
    for (int i = 0; i < areas.length; i++) {
      int area = first + i & areas.length - 1;
      int slot = areas[area].allocate((int) needed, alignment, residue);
      search(port, area);
      if (slot >= 0) {
        allocationsCount++;
        slotsUsed += (int) needed;
        slotsUsedMax = Math.max(slotsUsedMax, slotsUsed);
        return basePa + ((long) area << areaShift) + ((long) slot << SLOT_SHIFT) + offset;
      }
    }
    exhaustedCount++;
    return refused(lengthBytes);
  }

  private long refused(int lengthBytes) {
    refusedBytesLast = lengthBytes;
    slotsUsedAtRefusalLast = slotsUsed;
    return NO_SLOTS;
  }

  /**
   * Wakes a routine once slots have been given back, by whichever device.
   *
   * @param routine to be woken once
   */
  public void awaitSlots(Routine routine) {
    waiting.add(routine);
  }

  /** Gives the slots of a mapping back. */
  void free(CpuPort port, long bouncePa, int lengthBytes, int granuleBytes) {
    undo(port, bouncePa, lengthBytes, granuleBytes);
    waiting.wakeAll();
  }

  /** Gives slots back that have been taken in vain: there are no more than before. */
  void undo(CpuPort port, long bouncePa, int lengthBytes, int granuleBytes) {
    int allocationMask = Math.max(granuleBytes, SLOT_BYTES) - 1;
    int inPool = (int) (bouncePa - basePa);
    int area = inPool >>> areaShift;
    int firstByte = inPool & ~allocationMask;
    int needed =
        (inPool + lengthBytes + allocationMask & ~allocationMask) - firstByte >>> SLOT_SHIFT;
    areas[area].free(firstByte - (area << areaShift) >>> SLOT_SHIFT, needed);
    slotsUsed -= needed;
    search(port, area);
  }

  /** The time that it takes to look at an area. */
  private void search(CpuPort port, int area) {
    if (searchCycles > 0) {
      locks[area].acquire(port);
      port.compute(searchCycles);
      locks[area].release(port);
    }
  }

  /** Stores zeros beside a copy, up to the granules that the device will be able to reach. */
  void clearPadding(CpuPort port, long bouncePa, int lengthBytes, int granuleBytes) {
    int before = (int) bouncePa & granuleBytes - 1;
    if (before > 0) {
      port.store(bouncePa - before, ZEROS, 0, before);
    }
    int behind = (int) -(bouncePa + lengthBytes) & granuleBytes - 1;
    if (behind > 0) {
      port.store(bouncePa + lengthBytes, ZEROS, 0, behind);
    }
  }

  /**
   * From now on maps without copying the original to the slots, so that a device may see what they
   * held before: for the demonstration of what the copy is good for, never otherwise.
   */
  public void leaveOutCopyAtMap() {
    isCopyAtMapLeftOut = true;
  }

  /** Copies from the original to the slots. */
  void copyToBounce(CpuPort port, long originalPa, long bouncePa, int lengthBytes) {
    if (isCopyAtMapLeftOut) {
      return;
    }
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

  /** {@return the areas, each with its own lock} */
  public int areasCount() {
    return areas.length;
  }

  /** {@return the time that cores have waited for the locks of areas, in picoseconds} */
  public long lockWaitPsTotal() {
    long sum = 0;
    for (SpinLock lock : locks) {
      sum += lock.waitPsTotal();
    }
    return sum;
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
