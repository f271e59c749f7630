package io.github.bellwire.iommu.driver;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.iommu.layout.InvalidationDescriptorLayout;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.kernel.Simulation;
import org.jspecify.annotations.Nullable;

/**
 * Software's side of the VT-d invalidation queue, after qi_submit_sync of Linux
 * (drivers/iommu/intel/dmar.c).
 *
 * <pre>{@code
 * lock | descriptors, wait descriptor --> ring | tail register | unlock | spin on status | lock, reclaim
 *    ^                                                               |
 *    '------------ all of them again <---- refused or aborted -------'
 * }</pre>
 *
 * <p>Each submission waits for a status word of its own, whose value is the number of the
 * submission. Whichever core sees an error first clears and counts it, and marks the submissions
 * that it has cost; their owners submit all of their commands again. Three things differ from
 * Linux: a device that has not answered is left out then, where Linux asks for ever unless the
 * device is gone; a refused command is repeated, where Linux gives it up; and the lock is free
 * while a core waits, where Linux takes it for a moment in each turn of the loop to look at the
 * fault status.
 */
final class CommandQueue extends HardwareQueue {
  /** Descriptors in the ring: a page of 16 bytes each (QI_LENGTH of Linux). */
  static final int DESCRIPTORS = 256;

  private static final int SUBMISSIONS = DESCRIPTORS / 2;
  private static final int STATUS_BYTES = 4;
  private static final long CHECK_PS = 1_000_000_000L; // 1 ms

  // Then the hardware is taken for dead, after 1 s. An assumption: Linux waits for ever.
  private static final int CHECKS_MAX = 1000;

  // Of commands that are refused, or aborted because of somebody else's device. An assumption.
  private static final int ATTEMPTS_MAX = 8;

  private static final int ERRORS =
      RegisterLayout.FSTS_QUEUE_ERROR
          | RegisterLayout.FSTS_COMPLETION_ERROR
          | RegisterLayout.FSTS_TIMEOUT_ERROR;

  private final IommuDriverConfig config;
  private final long registersPa;
  private final long ringPa;
  private final long statusPa;
  private final boolean isPageSelective;
  private final int addressMaskMax;

  private int tail;
  private int sequence;
  private int stored;

  // What is in the ring, oldest first; null behind the newest. Each takes two slots at least.
  private final @Nullable Submission[] outstanding = new Submission[SUBMISSIONS];
  private int oldestIndex;
  private int newestIndex;
  private int firstSlot;
  private final Submission[] spares = new Submission[SUBMISSIONS];
  private int sparesCount;

  /**
   * Creates an empty ring.
   *
   * @param simulation the clock
   * @param pages where ring and status words come from
   * @param registersPa the IOMMU
   * @param capability its capability register
   */
  CommandQueue(
      Simulation simulation,
      IommuDriverConfig config,
      PageAllocator pages,
      long registersPa,
      long capability) {
    super(config.costs().newLock(simulation));
    this.config = config;
    this.registersPa = registersPa;
    ringPa = pages.allocate(PageAllocator.PAGE_BYTES);
    statusPa = pages.allocate(PageAllocator.PAGE_BYTES);
    if (ringPa == PageAllocator.NO_MEMORY || statusPa == PageAllocator.NO_MEMORY) {
      throw new IllegalStateException("there is no memory for an invalidation queue");
    }
    isPageSelective = (capability & RegisterLayout.CAP_PAGE_SELECTIVE) != 0;
    addressMaskMax = (int) (capability >>> RegisterLayout.CAP_ADDRESS_MASK_SHIFT) & 0x3F;
  }

  /**
   * Clears ring and status words.
   *
   * @param isSnooped whether the hardware looks at the caches; if not, they are mapped uncached
   */
  void clear(CpuPort port, boolean isSnooped) {
    clear(port, ringPa, isSnooped);
    clear(port, statusPa, isSnooped);
  }

  private static void clear(CpuPort port, long pa, boolean isSnooped) {
    port.store(pa, new byte[PageAllocator.PAGE_BYTES], 0, PageAllocator.PAGE_BYTES);
    if (!isSnooped) {
      port.maintainCache(CacheOperation.CLEAN_AND_INVALIDATE, pa, PageAllocator.PAGE_BYTES);
      port.setCacheable(pa, PageAllocator.PAGE_BYTES, false);
    }
  }

  /** {@return host physical address of the ring} */
  long ringPa() {
    return ringPa;
  }

  @Override
  public boolean invalidatePages(
      CpuPort port, DmaDomain domain, long iova, long pages, boolean isLeafOnly) {
    int mask = alignedMask(iova >>> PageTables.PAGE_BYTES_SHIFT, pages);
    if (!isPageSelective || mask > addressMaskMax) {
      return invalidateDomain(port, domain);
    }
    pageInvalidationsCount++;
    long address = iova & -(1L << mask + PageTables.PAGE_BYTES_SHIFT);
    boolean hasHint = isLeafOnly && config.keepsInvalidationHint();
    long low = iotlb(domain, InvalidationDescriptorLayout.IOTLB_PAGE);
    long high = address | mask | (hasHint ? InvalidationDescriptorLayout.HINT : 0);
    return submitWithDevices(port, domain, low, high, DeviceTlbRange.of(address, mask));
  }

  @Override
  public boolean invalidateDomain(CpuPort port, DmaDomain domain) {
    domainInvalidationsCount++;
    long low = iotlb(domain, InvalidationDescriptorLayout.DOMAIN);
    return submitWithDevices(port, domain, low, 0, DeviceTlbRange.ALL);
  }

  /** Makes the hardware forget the context entries of one function, or of all. */
  void invalidateContext(CpuPort port, boolean isGlobal, int domainId, int requesterId) {
    int granularity =
        isGlobal
            ? InvalidationDescriptorLayout.GLOBAL
            : InvalidationDescriptorLayout.CONTEXT_DEVICE;
    long low =
        InvalidationDescriptorLayout.CONTEXT
            | (long) granularity << InvalidationDescriptorLayout.GRANULARITY_SHIFT
            | (long) domainId << InvalidationDescriptorLayout.DOMAIN_SHIFT
            | (long) requesterId << InvalidationDescriptorLayout.CONTEXT_SOURCE_SHIFT;
    submit(port, low, 0);
  }

  @Override
  void invalidateAll(CpuPort port) {
    submit(
        port,
        InvalidationDescriptorLayout.IOTLB
            | InvalidationDescriptorLayout.GLOBAL << InvalidationDescriptorLayout.GRANULARITY_SHIFT
            | InvalidationDescriptorLayout.DRAIN_READS
            | InvalidationDescriptorLayout.DRAIN_WRITES,
        0);
  }

  /** Makes the hardware forget an interrupt remapping entry. */
  void invalidateInterruptEntry(CpuPort port, int index) {
    submit(
        port,
        InvalidationDescriptorLayout.INTERRUPT_ENTRY
            | InvalidationDescriptorLayout.INTERRUPT_SELECTIVE
            | (long) index << InvalidationDescriptorLayout.INTERRUPT_INDEX_SHIFT,
        0);
  }

  /** Makes the hardware forget all interrupt remapping entries. */
  void invalidateInterruptEntries(CpuPort port) {
    submit(port, InvalidationDescriptorLayout.INTERRUPT_ENTRY, 0);
  }

  private static long iotlb(DmaDomain domain, int granularity) {
    return InvalidationDescriptorLayout.IOTLB
        | (long) granularity << InvalidationDescriptorLayout.GRANULARITY_SHIFT
        | InvalidationDescriptorLayout.DRAIN_READS
        | InvalidationDescriptorLayout.DRAIN_WRITES
        | (long) domain.id() << InvalidationDescriptorLayout.DOMAIN_SHIFT;
  }

  /**
   * Returns k such that the aligned 2^k pages around the first page hold all: the range is rounded
   * up to a power of two, and if it is not aligned to that, up to the block that holds both ends.
   */
  static int alignedMask(long pfn, long pages) {
    int mask = Long.SIZE - Long.numberOfLeadingZeros(pages - 1);
    long inBlock = (1L << mask) - 1;
    if ((pfn & inBlock) != 0) {
      long lastPfn = pfn + pages - 1;
      long same = ~(pfn ^ lastPfn) & ~inBlock;
      mask = same == 0 ? Long.SIZE - PageTables.PAGE_BYTES_SHIFT : Long.numberOfTrailingZeros(same);
    }
    return mask;
  }

  /** Invalidates in the IOMMU first, then in the devices, in as few submissions as may be. */
  private boolean submitWithDevices(
      CpuPort port, DmaDomain domain, long low, long high, long deviceRange) {
    int commands = 1 + domain.deviceTlbsCount();
    for (int next = 0; next < commands; ) {
      int last = Math.min(commands, next + config.commandsPerBatch());
      Submission submission = take(null);
      for (int i = next; i < last; i++) {
        if (i == 0) {
          submission.add(low, high);
        } else {
          submission.add(deviceTlb(domain.deviceTlbSource(i - 1)), deviceRange);
        }
      }
      if (!execute(port, submission)) {
        return false;
      }
      next = last;
    }
    return true;
  }

  private static long deviceTlb(int requesterId) {
    return InvalidationDescriptorLayout.DEVICE_TLB
        | (long) requesterId << InvalidationDescriptorLayout.DEVICE_SOURCE_SHIFT;
  }

  private void submit(CpuPort port, long low, long high) {
    Submission submission = take(null);
    submission.add(low, high);
    execute(port, submission);
  }

  /** Has commands executed, if need be again and again; returns whether they are done. */
  private boolean execute(CpuPort port, Submission first) {
    Submission submission = first;
    boolean isDone = false;
    for (int attempts = 0; !isDone && attempts < ATTEMPTS_MAX; ) {
      if (!begin(port, submission.commandsCount())) {
        break;
      }
      finish(port, submission);
      if (submission.status == Submission.Status.IN_USE) {
        break;
      }
      isDone = submission.status == Submission.Status.DONE && !submission.isRefused;
      if (!isDone) {
        // Not into the same object, which may have to stay in the queue for a while.
        Submission again = take(submission);
        attempts += again.remove(deviceTlb(submission.silentSource)) ? 0 : 1;
        release(submission);
        submission = again;
        isDone = again.commandsCount() == 0;
      }
    }
    release(submission);
    if (!isDone) {
      unansweredCount++;
    }
    return isDone;
  }

  /** Takes the lock and finds room; without the lock and false if the hardware makes none. */
  private boolean begin(CpuPort port, int commands) {
    lock.acquire(port);
    for (int checks = 0; DESCRIPTORS - used() < commands + 2; checks++) {
      Submission oldest = outstanding[oldestIndex];
      lock.release(port);
      if (oldest == null || checks == CHECKS_MAX) {
        return false;
      }
      look(port, oldest);
      lock.acquire(port);
      reclaim();
    }
    port.compute(config.costs().submitCycles());
    stored = 0;
    return true;
  }

  private int used() {
    return tail - firstSlot & DESCRIPTORS - 1;
  }

  private void store(CpuPort port, long low, long high) {
    storeAt(port, tail, low, high);
    tail = tail + 1 & DESCRIPTORS - 1;
    stored++;
  }

  private void storeAt(CpuPort port, int slot, long low, long high) {
    long pa = ringPa + (long) slot * InvalidationDescriptorLayout.NARROW_BYTES;
    port.store(pa, Long.BYTES, low);
    port.store(pa + Long.BYTES, Long.BYTES, high);
  }

  /** Stores commands and the wait descriptor, tells the hardware, and waits. */
  private void finish(CpuPort port, Submission submission) {
    for (int i = 0; i < submission.commandsCount(); i++) {
      store(port, submission.low(i), submission.high(i));
    }
    sequence++;
    onSubmit(stored);
    submission.waitSlot = tail;
    submission.value = sequence;
    submission.holders++;
    outstanding[newestIndex] = submission;
    newestIndex = newestIndex + 1 & SUBMISSIONS - 1;
    store(port, wait(submission.value), statusPa(submission));
    writeTail(port);
    lock.release(port);
    long startPs = port.nowPs();
    for (int checks = 0;
        checks < CHECKS_MAX && submission.status == Submission.Status.IN_USE;
        checks++) {
      look(port, submission);
    }
    onWaited(port.nowPs() - startPs);
    lock.acquire(port);
    reclaim();
    lock.release(port);
  }

  private void writeTail(CpuPort port) {
    port.mmioWrite(
        registersPa + RegisterLayout.IQT,
        Long.BYTES,
        (long) tail * InvalidationDescriptorLayout.NARROW_BYTES);
  }

  private long statusPa(Submission submission) {
    return statusPa + (long) submission.waitSlot * STATUS_BYTES;
  }

  /** Waits for a submission for a while, and looks for errors if it is not done. */
  private void look(CpuPort port, Submission submission) {
    int value = submission.value;
    long expected = value & 0xffff_ffffL;
    if (port.spinUntil(statusPa(submission), STATUS_BYTES, expected, CHECK_PS)
        == CpuPort.NOT_SEEN) {
      repair(port);
    } else if (submission.value == value && submission.status == Submission.Status.IN_USE) {
      submission.status = Submission.Status.DONE;
    }
  }

  /** Frees the slots of submissions that the hardware has behind it. */
  private void reclaim() {
    Submission oldest = outstanding[oldestIndex];
    while (oldest != null && oldest.status != Submission.Status.IN_USE) {
      firstSlot = oldest.waitSlot + 1 & DESCRIPTORS - 1;
      outstanding[oldestIndex] = null;
      oldestIndex = oldestIndex + 1 & SUBMISSIONS - 1;
      release(oldest);
      oldest = outstanding[oldestIndex];
    }
  }

  private Submission take(@Nullable Submission other) {
    Submission taken =
        sparesCount == 0 ? new Submission(config.commandsPerBatch()) : spares[--sparesCount];
    taken.reset(other);
    taken.holders = 1;
    return taken;
  }

  private void release(Submission submission) {
    submission.holders--;
    if (submission.holders == 0 && sparesCount < SUBMISSIONS) {
      spares[sparesCount++] = submission;
    }
  }

  private static long wait(int value) {
    return InvalidationDescriptorLayout.WAIT
        | InvalidationDescriptorLayout.WAIT_STATUS_WRITE
        | (long) value << InvalidationDescriptorLayout.WAIT_DATA_SHIFT;
  }

  /** Clears what has stopped the hardware, and tells those whose commands are lost. */
  private void repair(CpuPort port) {
    long before = errorsCount;
    long status = port.mmioRead(registersPa + RegisterLayout.FSTS, Integer.BYTES) & ERRORS;
    if (status == 0) {
      return;
    }
    long offset = port.mmioRead(registersPa + RegisterLayout.IQH, Long.BYTES);
    long record = port.mmioRead(registersPa + RegisterLayout.IQERCD, Long.BYTES);
    lock.acquire(port);
    // Reading took time, in which another core may have done it all.
    if (errorsCount == before) {
      errorsCount++;
      int head =
          (int)
              ((offset & RegisterLayout.QUEUE_OFFSET_MASK & PageAllocator.PAGE_BYTES - 1)
                  / InvalidationDescriptorLayout.NARROW_BYTES);
      if ((status & RegisterLayout.FSTS_QUEUE_ERROR) != 0) {
        replaceRefused(port, head);
      }
      if ((status & RegisterLayout.FSTS_TIMEOUT_ERROR) != 0) {
        abortBefore(port, head, (int) (record >>> RegisterLayout.IQERCD_TIMEOUT_SOURCE_SHIFT));
      }
      port.mmioWrite(registersPa + RegisterLayout.FSTS, Integer.BYTES, status);
    }
    lock.release(port);
  }

  /** Puts a command that does nothing in the place of the one that the hardware refuses. */
  private void replaceRefused(CpuPort port, int head) {
    Submission owner = ownerOf(head);
    if (owner != null) {
      owner.isRefused = true;
    }
    if (owner != null && owner.waitSlot == head) {
      storeAt(port, head, wait(owner.value), statusPa(owner));
    } else {
      storeAt(port, head, InvalidationDescriptorLayout.WAIT, 0);
    }
  }

  /** Returns whose commands are in a slot. */
  private @Nullable Submission ownerOf(int slot) {
    int distance = slot - firstSlot & DESCRIPTORS - 1;
    int index = oldestIndex;
    Submission owner = outstanding[index];
    while (owner != null && (owner.waitSlot - firstSlot & DESCRIPTORS - 1) < distance) {
      index = index + 1 & SUBMISSIONS - 1;
      owner = outstanding[index];
    }
    return owner;
  }

  /** The waits that the hardware has behind it but has not answered come to nothing. */
  private void abortBefore(CpuPort port, int head, int silentSource) {
    int distance = head - firstSlot & DESCRIPTORS - 1;
    int index = oldestIndex;
    Submission next = outstanding[index];
    while (next != null && (next.waitSlot - firstSlot & DESCRIPTORS - 1) < distance) {
      long expected = next.value & 0xffff_ffffL;
      if (next.status == Submission.Status.IN_USE
          && port.load(statusPa(next), STATUS_BYTES) != expected) {
        next.status = Submission.Status.ABORTED;
        next.silentSource = silentSource & 0xFFFF;
      }
      index = index + 1 & SUBMISSIONS - 1;
      next = outstanding[index];
    }
  }

  /** The second word of a device TLB command. */
  private static final class DeviceTlbRange {
    /** All addresses: bits 12 to 62 set, bit 63 clear. */
    static final long ALL =
        Long.MAX_VALUE & InvalidationDescriptorLayout.ADDRESS
            | InvalidationDescriptorLayout.DEVICE_SIZE;

    private DeviceTlbRange() {}

    /** 2^mask pages: all address bits below the highest of the block are set, that is clear. */
    static long of(long address, int mask) {
      if (mask == 0) {
        return address;
      }
      long highest = 1L << mask - 1 + PageTables.PAGE_BYTES_SHIFT;
      long belowHighest = highest - 1 & InvalidationDescriptorLayout.ADDRESS;
      return address & ~highest | belowHighest | InvalidationDescriptorLayout.DEVICE_SIZE;
    }
  }
}
