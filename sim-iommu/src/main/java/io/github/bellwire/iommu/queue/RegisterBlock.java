package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.RegisterLayout.*;
import static java.util.Objects.requireNonNull;

import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.iommu.walk.TranslationUnit;

/**
 * The registers by which software drives the unit (VT-d specification 4.1, chapter 11).
 *
 * <p>Commands take effect when the write arrives. What does not exist reads as zero.
 */
public final class RegisterBlock extends WordRegisters {
  private static final int ENABLES =
      TRANSLATION_ENABLE
          | QUEUED_INVALIDATION_ENABLE
          | INTERRUPT_REMAPPING_ENABLE
          | COMPATIBILITY_INTERRUPTS;
  private static final int SCALABLE_ONLY = (int) (RTADDR_MODE_MASK << RTADDR_MODE_SHIFT | IQA_WIDE);
  private static final long LOW_MASK = 0xFFFF_FFFFL;

  private final RegisterConfig config;
  private final TranslationUnit translation;
  private final InterruptControl interrupts;
  private final FaultLog faults;
  private final CompletionStatus completions;
  private final InvalidationQueue queue;
  private final InvalidationRegisters invalidations;
  private final PageRequestQueue pageRequests;
  private final ProtectedMemory protectedMemory = new ProtectedMemory();
  private final long cap;
  private final long ecap;
  private final int recordsEnd;
  private int globalStatus;

  /**
   * Creates the registers, and the queues behind them.
   *
   * @param config the registers
   * @param invalidation the invalidation queue
   * @param ports the machine
   * @param translation that is controlled
   * @param interrupts that are controlled
   * @param faults that are shown
   * @param deviceTlbs caches of devices
   */
  public RegisterBlock(
      RegisterConfig config,
      InvalidationConfig invalidation,
      RemappingPorts ports,
      TranslationUnit translation,
      InterruptControl interrupts,
      FaultLog faults,
      DeviceTlbs deviceTlbs) {
    super(requireNonNull(config, "config").baseAddress(), SIZE_BYTES);
    this.config = config;
    this.translation = requireNonNull(translation, "translation");
    this.interrupts = requireNonNull(interrupts, "interrupts");
    this.faults = requireNonNull(faults, "faults");
    CacheInvalidations commands = new CacheInvalidations(translation.caches(), interrupts);
    completions = new CompletionStatus(ports.simulation(), ports.interrupts());
    invalidations = new InvalidationRegisters(invalidation, commands);
    queue =
        new InvalidationQueue(
            ports.simulation(),
            invalidation,
            commands,
            deviceTlbs,
            ports.commits(),
            ports.caches(),
            faults,
            completions);
    pageRequests =
        new PageRequestQueue(
            ports.simulation(), ports.commits(), ports.caches(), deviceTlbs, ports.interrupts());
    cap = Capabilities.cap(config, invalidation, translation.config());
    ecap = Capabilities.ecap(config, translation.config());
    recordsEnd = FRCD + config.faultRecordsCount() * FRCD_BYTES;
  }

  /**
   * {@return whether a region of memory is protected from devices, which it is while nothing is
   * translated}
   *
   * @param pa first byte
   * @param lengthBytes at least 1
   */
  public boolean isProtected(long pa, int lengthBytes) {
    return protectedMemory.isEnabled()
        && (globalStatus & TRANSLATION_ENABLE) == 0
        && protectedMemory.contains(pa, lengthBytes);
  }

  /**
   * A device asks for a page, see {@link io.github.bellwire.pcie.RemappingUnit}.
   *
   * @param requesterId who asks
   * @param pasid process address space, or none
   * @param iova first byte of the page
   * @param isRead whether the device wants to read
   * @param isWrite whether the device wants to write
   * @param isLast whether this is the last of its group
   * @param groupIndex 0..511
   * @param atPs when it arrives
   */
  public void onPageRequest(
      int requesterId,
      int pasid,
      long iova,
      boolean isRead,
      boolean isWrite,
      boolean isLast,
      int groupIndex,
      long atPs) {
    pageRequests.onPageRequest(requesterId, pasid, iova, isRead, isWrite, isLast, groupIndex, atPs);
  }

  /** {@return the invalidation queue} */
  public InvalidationQueue invalidationQueue() {
    return queue;
  }

  /** {@return the page request queue} */
  public PageRequestQueue pageRequests() {
    return pageRequests;
  }

  @Override
  protected void settle(long atPs) {
    faults.settle(atPs);
    completions.settle(atPs);
    pageRequests.settle(atPs);
  }

  @Override
  protected int readWord(int offset, long atPs) {
    if (offset >= FRCD && offset < recordsEnd) {
      int index = (offset - FRCD) / FRCD_BYTES;
      long half = (offset & 8) == 0 ? faults.low(index) : faults.high(index);
      return (offset & 4) == 0 ? (int) half : high(half);
    }
    return switch (offset) {
      case VER -> config.version();
      case CAP -> (int) cap;
      case CAP + 4 -> high(cap);
      case ECAP -> (int) ecap;
      case ECAP + 4 -> high(ecap);
      case GSTS -> globalStatus;
      case CCMD -> (int) invalidations.contextCommand(atPs);
      case CCMD + 4 -> high(invalidations.contextCommand(atPs));
      case RegisterLayout.IOTLB -> (int) invalidations.iotlbCommand(atPs);
      case RegisterLayout.IOTLB + 4 -> high(invalidations.iotlbCommand(atPs));
      case FSTS -> faults.status();
      case FECTL, FEDATA, FEADDR, FEUADDR -> faults.event().read(offset - FECTL);
      case PMEN -> protectedMemory.isEnabled() ? PMEN_ENABLE | PMEN_STATUS : 0;
      case IQH -> queue.head(atPs);
      case IQT -> queue.tail();
      case ICS -> completions.status();
      case IECTL, IEDATA, IEADDR, IEUADDR -> completions.event().read(offset - IECTL);
      case IQERCD -> (int) faults.errorRecord();
      case IQERCD + 4 -> high(faults.errorRecord());
      case PQH -> pageRequests.head();
      case PQT -> pageRequests.tail();
      case PRS -> pageRequests.status();
      case PECTL, PEDATA, PEADDR, PEUADDR -> pageRequests.event().read(offset - PECTL);
      default -> word(offset);
    };
  }

  @Override
  protected void writeWord(int offset, int value, long atPs) {
    if (offset >= FRCD && offset < recordsEnd) {
      if ((offset & FRCD_BYTES - 1) == FRCD_BYTES - Integer.BYTES && value < 0) {
        faults.clearRecord((offset - FRCD) / FRCD_BYTES);
      }
      return;
    }
    switch (offset) {
      case GCMD -> command(value, atPs);
      case CCMD, CCMD + 4 ->
          invalidations.writeContextCommand(offset != CCMD, value, isQueued(), atPs);
      case IVA, IVA + 4 -> invalidations.writeAddress(offset != IVA, value);
      case RegisterLayout.IOTLB, RegisterLayout.IOTLB + 4 ->
          invalidations.writeIotlbCommand(offset != RegisterLayout.IOTLB, value, isQueued(), atPs);
      case FSTS -> queue.onErrorsCleared(faults.clear(value), atPs);
      case FECTL, FEDATA, FEADDR, FEUADDR -> faults.event().write(offset - FECTL, value, atPs);
      case IQT -> queue.writeTail(value, atPs);
      case ICS -> completions.clear(value);
      case IECTL, IEDATA, IEADDR, IEUADDR -> completions.event().write(offset - IECTL, value, atPs);
      case PQH -> pageRequests.writeHead(value);
      case PQT -> pageRequests.writeTail(value);
      case PRS -> pageRequests.clear(value);
      case PECTL, PEDATA, PEADDR, PEUADDR ->
          pageRequests.event().write(offset - PECTL, value, atPs);
      case PMEN -> protect(value);
      case PLMBASE, PLMLIMIT, PHMBASE, PHMLIMIT -> keep(offset, value & (int) protectedBlocks());
      case PHMBASE + 4, PHMLIMIT + 4 -> keep(offset, config.hasProtectedMemory() ? value : 0);
      case RTADDR, IQA -> keep(offset, isScalable() ? value : value & ~SCALABLE_ONLY);
      case RTADDR + 4, IQA + 4, IRTA, IRTA + 4 -> keep(offset, value);
      case PQA, PQA + 4 -> {
        keep(offset, value);
        pageRequests.setUp(wide(PQA));
      }
      default -> {
        // Nothing is there, or only to be read.
      }
    }
  }

  /** Does what bits of the command register say that are not so yet, or are one-shot. */
  private void command(int value, long atPs) {
    if ((value & SET_ROOT_POINTER) != 0) {
      long address = wide(RTADDR);
      int mode = (int) (address >>> RTADDR_MODE_SHIFT) & RTADDR_MODE_MASK;
      translation.setRootTable(address & PAGE_MASK, mode);
      globalStatus |= SET_ROOT_POINTER;
    }
    if ((value & SET_INTERRUPT_POINTER) != 0) {
      long address = wide(IRTA);
      int entries = 2 << (int) (address & IRTA_SIZE_MASK);
      interrupts.setTable(address & PAGE_MASK, entries, (address & IRTA_EXTENDED) != 0);
      globalStatus |= SET_INTERRUPT_POINTER;
    }
    int changed = (globalStatus ^ value) & ENABLES;
    globalStatus ^= changed;
    if ((changed & TRANSLATION_ENABLE) != 0) {
      translation.setEnabled((value & TRANSLATION_ENABLE) != 0);
    }
    if ((changed & QUEUED_INVALIDATION_ENABLE) != 0) {
      queue.setEnabled(isQueued(), wide(IQA), atPs);
    }
    if ((changed & INTERRUPT_REMAPPING_ENABLE) != 0) {
      interrupts.setEnabled((value & INTERRUPT_REMAPPING_ENABLE) != 0);
    }
    if ((changed & COMPATIBILITY_INTERRUPTS) != 0) {
      interrupts.setCompatibilityPassed((value & COMPATIBILITY_INTERRUPTS) != 0);
    }
  }

  private boolean isScalable() {
    return translation.config().capabilities().isScalable();
  }

  private boolean isQueued() {
    return (globalStatus & QUEUED_INVALIDATION_ENABLE) != 0;
  }

  private void protect(int value) {
    protectedMemory.setLow(word(PLMBASE) & LOW_MASK, word(PLMLIMIT) & LOW_MASK);
    protectedMemory.setHigh(wide(PHMBASE), wide(PHMLIMIT));
    protectedMemory.setEnabled(config.hasProtectedMemory() && (value & PMEN_ENABLE) != 0);
  }

  private long protectedBlocks() {
    return config.hasProtectedMemory() ? ProtectedMemory.BLOCK_MASK : 0;
  }

  private static int high(long value) {
    return (int) (value >>> Integer.SIZE);
  }
}
