package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.AmdFault;
import io.github.bellwire.iommu.layout.AmdLayout;
import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.pcie.TranslationRequest;
import org.jspecify.annotations.Nullable;

/**
 * The device table of AMD-Vi: one flat table of 32-byte entries by bus, device and function, read
 * with one access and remembered in the context cache. Requests with a PASID are those of guest
 * tables, which are not there.
 */
final class AmdDeviceTable extends ContextSource {
  private static final int LEVELS_MAX = 5;
  private static final int INPUT_BITS_MAX = 57;

  private long tablePa;
  private long entriesCount;

  AmdDeviceTable(
      TranslationConfig config,
      TableReader reader,
      TranslationCaches caches,
      TranslationStatistics statistics) {
    super(config, reader, caches, statistics);
  }

  @Override
  void setTables(long pa, long shape) {
    tablePa = pa;
    entriesCount = shape;
  }

  @Override
  @Nullable DeviceContext find(TranslationRequest request) {
    begin(request);
    int slot = findRemembered(caches.contexts, 0, request.requesterId());
    if (slot == EntryTable.NONE) {
      slot = read(request.requesterId());
      if (slot == EntryTable.NONE) {
        return null;
      }
    } else {
      statistics.contextHits++;
    }
    DeviceContext context = caches.contextEntries[slot];
    isFaultSilent = context.isFaultSilent;
    if (request.pasid() != TranslationRequest.NO_PASID) {
      fault = AmdFault.INVALID_DEVICE_REQUEST;
    } else if (context.kind == DeviceContext.Kind.PASS_THROUGH
        && (context.neededRights(request.isWrite()) & context.deviceRights) == 0) {
      fault = AmdFault.ACCESS_DENIED;
    }
    return fault == null ? context : null;
  }

  /** Reads an entry; returns its slot, or none after a fault. */
  private int read(int requesterId) {
    long pa = tablePa + (long) requesterId * AmdLayout.DEVICE_ENTRY_BYTES;
    if (requesterId >= entriesCount) {
      fault = AmdFault.ILLEGAL_DEVICE_ENTRY;
      return EntryTable.NONE;
    }
    if (!reader.isReadable(pa, AmdLayout.DEVICE_ENTRY_BYTES)) {
      fault = AmdFault.DEVICE_TABLE_ERROR;
      return EntryTable.NONE;
    }
    readyPs = reader.readPs(pa, AmdLayout.DEVICE_ENTRY_BYTES, readyPs);
    long low = reader.entry(pa);
    long high = reader.entry(pa + Long.BYTES);
    boolean isValid = (low & AmdLayout.DEVICE_VALID) != 0;
    boolean isTranslated = isValid && (low & AmdLayout.DEVICE_TRANSLATION_VALID) != 0;
    int levels = (int) (low >>> AmdLayout.DEVICE_MODE_SHIFT) & AmdLayout.DEVICE_MODE_MASK;
    long beyondHost = AmdLayout.ADDRESS_MASK & -1L << capabilities.hostAddressBits();
    if (isTranslated
        && ((low & (AmdLayout.DEVICE_RESERVED_0 | beyondHost)) != 0 || levels > LEVELS_MAX)) {
      fault = AmdFault.ILLEGAL_DEVICE_ENTRY;
      return EntryTable.NONE;
    }
    isFaultSilent = (high & AmdLayout.DEVICE_SILENT) != 0;
    if (isValid && !isTranslated) {
      fault = AmdFault.PAGE_NOT_PRESENT; // Nothing is said of translation: nothing is reached.
      return EntryTable.NONE;
    }
    return insert(requesterId, low, high, isTranslated, levels);
  }

  private int insert(int requesterId, long low, long high, boolean isTranslated, int levels) {
    int domainId = (int) high & AmdLayout.DOMAIN_MASK;
    long tag = EntryTag.ofDomain(domainId);
    int slot = insert(caches.contexts, caches.pendingContexts, 0, requesterId, tag);
    DeviceContext context = caches.contextEntries[slot];
    context.kind =
        isTranslated && levels > 0
            ? DeviceContext.Kind.SECOND_LEVEL
            : DeviceContext.Kind.PASS_THROUGH;
    context.isFaultSilent = isFaultSilent;
    context.hasDeviceTlb =
        isTranslated && capabilities.hasDeviceTlbs() && (high & AmdLayout.DEVICE_TLB) != 0;
    context.domainId = domainId;
    context.tag = tag;
    context.secondRoot = low & AmdLayout.ADDRESS_MASK;
    context.secondLevels = levels;
    context.inputBits = Math.min(INPUT_BITS_MAX, PageTableFormat.shift(levels + 1));
    context.deviceRights = isTranslated ? rights(low) : PageTableFormat.ALL_RIGHTS;
    return slot;
  }

  private static int rights(long low) {
    return ((low & AmdLayout.READ) != 0 ? PageTableFormat.READ : 0)
        | ((low & AmdLayout.WRITE) != 0 ? PageTableFormat.WRITE : 0)
        | PageTableFormat.USER;
  }

  @Override
  FaultCode deviceTlbDisabled() {
    return AmdFault.INVALID_DEVICE_REQUEST;
  }

  @Override
  FaultCode beyondWidth() {
    return AmdFault.PAGE_NOT_PRESENT;
  }

  @Override
  FaultCode interruptRange() {
    return AmdFault.ACCESS_DENIED;
  }

  @Override
  FaultCode pageRequestDenied(DeviceContext context) {
    return AmdFault.INVALID_DEVICE_REQUEST;
  }
}
