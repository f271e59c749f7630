package io.github.bellwire.iommu.walk;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.dma.TranslationListener;
import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.pcie.AddressType;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.Translation;
import io.github.bellwire.pcie.TranslationRequest;
import io.github.bellwire.pcie.TranslationResult;
import org.jspecify.annotations.Nullable;

/**
 * Translates the addresses of device requests by the tables that software has put into memory.
 *
 * <p>Passive: a function from arrival time to completion time. A hit takes no time. A page that is
 * missed is remembered at once with the time at which its walk ends, for which later requests to it
 * wait. Of what software may have written wrongly nothing throws: a table that is not in memory is
 * a fault. Allocates nothing after construction. Confined to the simulation thread.
 */
public final class TranslationUnit implements Translation {
  private static final int READ = PageTableFormat.READ;
  private static final int WRITE = PageTableFormat.WRITE;

  /** Beside the rights of a remembered page: a write has no bit to set. */
  private static final int DIRTY = 1 << 8;

  private static final long PAGE_4K_BYTES = 1L << PageTableFormat.PAGE_SHIFT;
  private static final int LEAF_TABLE_SHIFT = 21;
  private static final int LINE_SHIFT = 6;
  private static final int INTERRUPT_SHIFT = 20;
  private static final long INTERRUPT_RANGE = 0xFEE;

  private final TranslationConfig config;
  private final FaultSink faults;
  private final TranslationStatistics statistics = new TranslationStatistics();
  private final TranslationCaches caches;
  private final ContextSource contexts;
  private final AddressWalk walker;
  private final Walkers walkers;
  private final EntryTable iotlb;
  private final TableLookup tables;
  private final int waysOfSet;
  private final int setsShift;
  private boolean isEnabled;
  private final long inOrderLinePs;
  private @Nullable TranslationListener listener;
  // When all requests so far have passed, if they keep in order.
  private long passedPs;
  // Bit n: there have been pages of 2^n bytes.
  private long pageSizes;

  /**
   * Creates a unit that lets all requests pass as they are.
   *
   * @param config what it can do and what it takes
   * @param commits memory with the bytes of the tables
   * @param port the time that reading them takes
   * @param faults takes the faults
   */
  public TranslationUnit(
      TranslationConfig config, CommitQueue commits, DeviceCachePort port, FaultSink faults) {
    this(TableKind.VT_D, config, commits, port, faults);
  }

  /**
   * Creates a unit of a kind that lets all requests pass as they are.
   *
   * @param kind whose tables it reads
   * @param config what it can do and what it takes
   * @param commits memory with the bytes of the tables
   * @param port the time that reading them takes
   * @param faults takes the faults
   */
  public TranslationUnit(
      TableKind kind,
      TranslationConfig config,
      CommitQueue commits,
      DeviceCachePort port,
      FaultSink faults) {
    this.config = requireNonNull(config, "config");
    this.faults = requireNonNull(faults, "faults");
    requireNonNull(commits, "commits");
    requireNonNull(port, "port");
    caches = new TranslationCaches(config, statistics);
    TableReader reader = new TableReader(config, commits, port, statistics);
    contexts = kind.contexts(config, reader, caches, statistics);
    walker = kind.walker(config, reader, caches, statistics);
    walkers = new Walkers(config.walkers(), statistics);
    iotlb = caches.iotlb;
    tables = new TableLookup(kind.formats(config), config, reader);
    waysOfSet = config.iotlb().ways();
    setsShift = Integer.numberOfTrailingZeros(config.iotlb().sets());
    inOrderLinePs = config.walkers().inOrderLinePs();
  }

  /**
   * Sets the root of the tables. What is remembered stays: software invalidates it.
   *
   * @param pa of the root table, a multiple of 4 KiB
   * @param mode the translation table mode: 0 legacy, 1 scalable, whose contexts have PASID
   *     directories; with any other, every request is refused
   */
  public void setRootTable(long pa, int mode) {
    contexts.setTables(pa, mode);
  }

  /**
   * Sets the table of devices of other kinds. What is remembered stays: software invalidates it.
   *
   * @param pa of the first entry
   * @param shape AMD-Vi: the number of entries; SMMUv3: the register STRTAB_BASE_CFG
   */
  public void setDeviceTable(long pa, long shape) {
    contexts.setTables(pa, shape);
  }

  /**
   * Tells somebody of each request that is about to be served by what the tables no longer say.
   *
   * @param newListener replaces who was told before
   */
  public void listen(TranslationListener newListener) {
    listener = requireNonNull(newListener, "newListener");
  }

  /**
   * Switches translation on or off.
   *
   * @param newIsEnabled false to begin with
   */
  public void setEnabled(boolean newIsEnabled) {
    isEnabled = newIsEnabled;
  }

  /** {@return whether translation is on} */
  public boolean isEnabled() {
    return isEnabled;
  }

  @Override
  public void translate(TranslationRequest request, TranslationResult result) {
    if (!isEnabled) {
      Translation.IDENTITY.translate(request, result);
      return;
    }
    DeviceContext context = contexts.find(request);
    long readyPs = contexts.readyPs();
    if (context == null) {
      FaultCode fault = contexts.fault();
      assert fault != null;
      refuse(request, result, fault, readyPs);
      return;
    }
    if (request.addressType() == AddressType.UNTRANSLATED) {
      translate(request, context, result, readyPs);
    } else if (!context.hasDeviceTlb) {
      refuse(request, result, contexts.deviceTlbDisabled(), readyPs);
    } else if (request.addressType() == AddressType.TRANSLATED) {
      pass(request, result, request.iova(), readyPs);
    } else {
      answer(request, context, result, readyPs);
    }
  }

  /**
   * {@return whether the tables let a device ask software for a page; if not, the fault has been
   * recorded}
   *
   * @param request who asks for what, and when
   */
  public boolean permitsPageRequest(TranslationRequest request) {
    DeviceContext context = contexts.find(request);
    FaultCode fault = context == null ? contexts.fault() : contexts.pageRequestDenied(context);
    if (fault == null) {
      return true;
    }
    record(request, fault, contexts.readyPs());
    return false;
  }

  private void translate(
      TranslationRequest request, DeviceContext context, TranslationResult result, long readyPs) {
    long iova = request.iova();
    if (context.kind == DeviceContext.Kind.PASS_THROUGH) {
      passThrough(request, result, readyPs);
      return;
    }
    boolean isWrite = request.isWrite();
    int needed = context.neededRights(isWrite) | (isWrite ? DIRTY : 0);
    long turnPs = Math.max(readyPs, passedPs);
    int slot = lookup(context, iova, needed, turnPs);
    if (slot == EntryTable.NONE) {
      slot = fill(request, context, turnPs);
      if (slot == EntryTable.NONE) {
        FaultCode fault = walker.fault();
        assert fault != null;
        refuse(request, result, fault, passed(request, walker.endPs()));
        return;
      }
    }
    long pa = pa(slot, iova);
    if (listener != null && !tables.leads(context, iova, pa, context.neededRights(isWrite))) {
      listener.onStaleTranslation(request.requesterId(), iova, request.atPs());
    }
    long donePs = passed(request, Math.max(turnPs, iotlb.readyPs(slot)));
    pass(request, result, pa, donePs);
  }

  /** Where requests keep in order, the next one has its turn when this one has passed. */
  private long passed(TranslationRequest request, long translatedPs) {
    if (inOrderLinePs == 0) {
      return translatedPs;
    }
    long first = request.iova() >>> LINE_SHIFT;
    long last = request.iova() + Math.max(1, request.lengthBytes()) - 1 >>> LINE_SHIFT;
    passedPs = translatedPs + (last - first + 1) * inOrderLinePs;
    return passedPs;
  }

  /** Answers a translation request of a device TLB. */
  private void answer(
      TranslationRequest request, DeviceContext context, TranslationResult result, long readyPs) {
    long iova = request.iova();
    if (context.kind == DeviceContext.Kind.PASS_THROUGH) {
      boolean isReachable = iova >>> config.capabilities().hostAddressBits() == 0;
      give(request, result, iova, PAGE_4K_BYTES, isReachable, isReachable, readyPs);
      return;
    }
    boolean isWrite = request.isWrite();
    int needed = context.neededRights(isWrite) | (isWrite ? DIRTY : 0);
    int slot = lookup(context, iova, needed, readyPs);
    if (slot == EntryTable.NONE) {
      slot = fill(request, context, readyPs);
    }
    if (slot != EntryTable.NONE) {
      int flags = iotlb.flags(slot);
      long bytes = 1L << EntryTag.shift(iotlb.tag(slot));
      boolean isWritable = (flags & (WRITE | DIRTY)) == (WRITE | DIRTY);
      long answerPs = Math.max(readyPs, iotlb.readyPs(slot));
      give(request, result, pa(slot, iova), bytes, (flags & READ) != 0, isWritable, answerPs);
      return;
    }
    FaultCode fault = walker.fault();
    assert fault != null;
    if (fault.isAnswer()) {
      result.translatedRange(iova, PAGE_4K_BYTES, false, false, walker.endPs());
    } else {
      record(request, fault, walker.endPs());
      result.refused(DmaStatus.COMPLETER_ABORT, walker.endPs());
    }
  }

  /** Gives a device a translation, of no part of the interrupt range. */
  private void give(
      TranslationRequest request,
      TranslationResult result,
      long pa,
      long rangeBytes,
      boolean isReadable,
      boolean isWritable,
      long atPs) {
    FaultCode fault = contexts.interruptRange();
    if (fault != null && pa >>> INTERRUPT_SHIFT == INTERRUPT_RANGE) {
      record(request, fault, atPs);
      result.refused(DmaStatus.COMPLETER_ABORT, atPs);
      return;
    }
    long unit = Math.max(rangeBytes, 1L << INTERRUPT_SHIFT);
    boolean isBeside = ((pa ^ INTERRUPT_RANGE << INTERRUPT_SHIFT) & -unit) == 0;
    result.translatedRange(pa, isBeside ? PAGE_4K_BYTES : rangeBytes, isReadable, isWritable, atPs);
  }

  private void passThrough(TranslationRequest request, TranslationResult result, long readyPs) {
    if (request.iova() >>> config.capabilities().hostAddressBits() != 0) {
      refuse(request, result, contexts.beyondWidth(), readyPs);
      return;
    }
    pass(request, result, request.iova(), readyPs);
  }

  /** The access goes on unless its address is in the interrupt range. */
  private void pass(TranslationRequest request, TranslationResult result, long pa, long readyPs) {
    FaultCode fault = pa >>> INTERRUPT_SHIFT == INTERRUPT_RANGE ? contexts.interruptRange() : null;
    if (fault != null) {
      refuse(request, result, fault, readyPs);
    } else {
      result.translated(pa, readyPs);
    }
  }

  /** Returns the slot of a remembered page with rights, or none. */
  private int lookup(DeviceContext context, long iova, int needed, long atPs) {
    statistics.lookups++;
    long address = iova & PageTableFormat.ADDRESS_MASK;
    if (iova != (context.firstLevels == 0 ? address : PageTableFormat.signExtended(iova))) {
      return EntryTable.NONE; // Beyond every width; the walk says so.
    }
    for (long sizes = pageSizes; sizes != 0; sizes &= sizes - 1) {
      int shift = Long.numberOfTrailingZeros(sizes);
      int slot = iotlb.find(EntryTag.withShift(context.tag, shift), address >>> shift, atPs);
      if (slot != EntryTable.NONE && (iotlb.flags(slot) & needed) == needed) {
        iotlb.touch(slot);
        statistics.iotlbHits++;
        statistics.pagingHits4k += shift == PageTableFormat.PAGE_SHIFT ? 1 : 0;
        return slot;
      }
    }
    return EntryTable.NONE;
  }

  /** Walks for a page that was not found; returns its slot, or none after a fault. */
  private int fill(TranslationRequest request, DeviceContext context, long readyPs) {
    long iova = request.iova();
    boolean isWrite = request.isWrite();
    long leafTable = context.tag << Long.SIZE - 40 ^ iova >>> LEAF_TABLE_SHIFT;
    long startPs = walkers.begin(leafTable, isWrite, readyPs);
    boolean isFound = walker.walk(context, iova, isWrite, startPs);
    walkers.end(startPs, walker.endPs());
    if (!isFound) {
      return EntryTable.NONE;
    }
    int shift = walker.pageShift();
    long tag = EntryTag.withShift(context.tag, shift);
    long page = (iova & PageTableFormat.ADDRESS_MASK) >>> shift;
    pageSizes |= 1L << shift;
    int old = iotlb.find(tag, page, readyPs);
    if (old != EntryTable.NONE) {
      iotlb.remove(old); // It has lacked a right.
    }
    int slot = iotlb.insert(tag, page, waysOfSet - reserved(startPs));
    int flags = walker.rights() | (walker.isDirty() ? DIRTY : 0);
    long untilPs = caches.pendingPages.untilPs(tag, page, request.atPs());
    untilPs = Math.min(untilPs, caches.abandonedPs(startPs, walker.endPs()));
    iotlb.set(slot, walker.pagePa(), flags, startPs, walker.endPs(), untilPs);
    statistics.iotlbFills++;
    return slot;
  }

  /** {@return entries of a set that walks under way keep to themselves} */
  private int reserved(long atPs) {
    TranslationConfig.Iotlb sizes = config.iotlb();
    int entries =
        walkers.busyCount(false, atPs) * (sizes.entriesPerReadWalk() - 1)
            + walkers.busyCount(true, atPs) * (sizes.entriesPerWriteWalk() - 1);
    return entries >> setsShift;
  }

  private long pa(int slot, long iova) {
    return iotlb.value(slot) | iova & (1L << EntryTag.shift(iotlb.tag(slot))) - 1;
  }

  private void refuse(
      TranslationRequest request, TranslationResult result, FaultCode fault, long atPs) {
    record(request, fault, atPs);
    result.refused(DmaStatus.UNSUPPORTED_REQUEST, atPs);
  }

  private void record(TranslationRequest request, FaultCode fault, long atPs) {
    statistics.faults++;
    if (!(contexts.isFaultSilent() && fault.isQualified())) {
      faults.onFault(
          fault, request.requesterId(), request.pasid(), request.iova(), request.isWrite(), atPs);
    }
  }

  /** {@return what it can do and what it takes} */
  public TranslationConfig config() {
    return config;
  }

  /** {@return what it remembers} */
  public TranslationCaches caches() {
    return caches;
  }

  /** {@return what it has done} */
  public TranslationStatistics statistics() {
    return statistics;
  }
}
