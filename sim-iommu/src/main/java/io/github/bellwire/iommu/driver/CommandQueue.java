package io.github.bellwire.iommu.driver;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.iommu.layout.InvalidationDescriptorLayout;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.kernel.Simulation;

/**
 * Software's side of the VT-d invalidation queue, after qi_submit_sync of Linux
 * (drivers/iommu/intel/dmar.c).
 *
 * <pre>{@code
 * lock | descriptors, wait descriptor --> ring | tail register | unlock | spin on status | lock, reclaim
 * }</pre>
 *
 * <p>Each submission waits for a status word of its own, whose value is the number of the
 * submission. An error that the hardware reports is cleared and counted; the commands are then
 * lost, or repeated if a device did not answer in time. Not modelled: the lock is free while a core
 * waits, where Linux takes it for a moment in each turn of the loop to look at the fault status.
 */
final class CommandQueue extends HardwareQueue {
  /** Descriptors in the ring: a page of 16 bytes each (QI_LENGTH of Linux). */
  static final int DESCRIPTORS = 256;

  private static final int STATUS_BYTES = 4;
  private static final long CHECK_PS = 1_000_000_000L; // 1 ms
  private static final int CHECKS_MAX = 1000; // 1 s, DMAR_OPERATION_TIMEOUT of Linux
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
  public void invalidatePages(
      CpuPort port, DmaDomain domain, long iova, long pages, boolean isLeafOnly) {
    int mask = alignedMask(iova >>> PageTables.PAGE_BYTES_SHIFT, pages);
    if (!isPageSelective || mask > addressMaskMax) {
      invalidateDomain(port, domain);
      return;
    }
    pageInvalidationsCount++;
    long address = iova & -(1L << mask + PageTables.PAGE_BYTES_SHIFT);
    boolean hasHint = isLeafOnly && config.keepsInvalidationHint();
    long low = iotlb(domain, InvalidationDescriptorLayout.IOTLB_PAGE);
    long high = address | mask | (hasHint ? InvalidationDescriptorLayout.HINT : 0);
    submitWithDevices(port, domain, low, high, DeviceTlbRange.of(address, mask));
  }

  @Override
  public void invalidateDomain(CpuPort port, DmaDomain domain) {
    domainInvalidationsCount++;
    long low = iotlb(domain, InvalidationDescriptorLayout.DOMAIN);
    submitWithDevices(port, domain, low, 0, DeviceTlbRange.ALL);
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
  private void submitWithDevices(
      CpuPort port, DmaDomain domain, long low, long high, long deviceRange) {
    int commands = 1 + domain.deviceTlbsCount();
    for (int next = 0; next < commands; ) {
      int last = Math.min(commands, next + config.commandsPerBatch());
      begin(port);
      for (int i = next; i < last; i++) {
        if (i == 0) {
          store(port, low, high);
        } else {
          store(port, deviceTlb(domain.deviceTlbSource(i - 1)), deviceRange);
        }
      }
      finish(port);
      next = last;
    }
  }

  private static long deviceTlb(int requesterId) {
    return InvalidationDescriptorLayout.DEVICE_TLB
        | (long) requesterId << InvalidationDescriptorLayout.DEVICE_SOURCE_SHIFT;
  }

  private void submit(CpuPort port, long low, long high) {
    begin(port);
    store(port, low, high);
    finish(port);
  }

  private void begin(CpuPort port) {
    lock.acquire(port);
    port.compute(config.costs().submitCycles());
    stored = 0;
  }

  private void store(CpuPort port, long low, long high) {
    long pa = ringPa + (long) tail * InvalidationDescriptorLayout.NARROW_BYTES;
    port.store(pa, Long.BYTES, low);
    port.store(pa + Long.BYTES, Long.BYTES, high);
    tail = tail + 1 & DESCRIPTORS - 1;
    stored++;
  }

  /** Adds the wait descriptor, tells the hardware, and waits. */
  private void finish(CpuPort port) {
    long wordPa = statusPa + (long) tail * STATUS_BYTES;
    sequence++;
    int value = sequence;
    onSubmit(stored);
    store(port, wait(value), wordPa);
    writeTail(port);
    lock.release(port);
    long startPs = port.nowPs();
    await(port, wordPa, value);
    onWaited(port.nowPs() - startPs);
    lock.acquire(port);
    lock.release(port);
  }

  private void writeTail(CpuPort port) {
    port.mmioWrite(
        registersPa + RegisterLayout.IQT,
        Long.BYTES,
        (long) tail * InvalidationDescriptorLayout.NARROW_BYTES);
  }

  private void await(CpuPort port, long wordPa, int value) {
    long expected = value & 0xffff_ffffL;
    for (int checks = 0; checks < CHECKS_MAX; checks++) {
      if (port.spinUntil(wordPa, STATUS_BYTES, expected, CHECK_PS) != CpuPort.NOT_SEEN) {
        return;
      }
      long status = port.mmioRead(registersPa + RegisterLayout.FSTS, Integer.BYTES) & ERRORS;
      if (status != 0) {
        errorsCount++;
        if ((status & RegisterLayout.FSTS_QUEUE_ERROR) != 0) {
          replaceRefused(port);
        }
        port.mmioWrite(registersPa + RegisterLayout.FSTS, Integer.BYTES, status);
        if ((status & RegisterLayout.FSTS_TIMEOUT_ERROR) != 0) {
          store(port, wait(value), wordPa);
          writeTail(port);
        }
      }
    }
  }

  private static long wait(int value) {
    return InvalidationDescriptorLayout.WAIT
        | InvalidationDescriptorLayout.WAIT_STATUS_WRITE
        | (long) value << InvalidationDescriptorLayout.WAIT_DATA_SHIFT;
  }

  /** Puts a command that does nothing in the place of the one that the hardware refuses. */
  private void replaceRefused(CpuPort port) {
    long offset =
        port.mmioRead(registersPa + RegisterLayout.IQH, Long.BYTES)
            & RegisterLayout.QUEUE_OFFSET_MASK
            & PageAllocator.PAGE_BYTES - 1;
    port.store(ringPa + offset, Long.BYTES, InvalidationDescriptorLayout.WAIT);
    port.store(ringPa + offset + Long.BYTES, Long.BYTES, 0);
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
