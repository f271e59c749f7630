package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.ContextEntryLayout;
import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.iommu.layout.PasidLayout;
import io.github.bellwire.iommu.layout.RootEntryLayout;
import io.github.bellwire.iommu.layout.ScalableContextLayout;
import io.github.bellwire.pcie.TranslationRequest;
import org.jspecify.annotations.Nullable;

/** The root, context and PASID tables of VT-d, remembered in the context and PASID caches. */
final class ContextReader extends ContextSource {
  private static final long LEGACY = 0;
  private static final long SCALABLE = 1;

  private static final int DEVFN_MASK = 0xFF;
  private static final int HALF_DEVFN_MASK = 0x7F;
  private static final int THREE_LEVELS = 1;
  private static final int LEVELS_BASE = 2;
  private static final int FIRST_LEVELS_BASE = 4;

  private long rootPa;
  private boolean isScalable;
  private boolean isKnownMode = true;

  ContextReader(
      TranslationConfig config,
      TableReader reader,
      TranslationCaches caches,
      TranslationStatistics statistics) {
    super(config, reader, caches, statistics);
  }

  @Override
  void setTables(long pa, long shape) {
    rootPa = pa;
    isScalable = shape == SCALABLE;
    isKnownMode = shape == LEGACY || isScalable;
  }

  @Override
  FaultCode deviceTlbDisabled() {
    return isScalable ? FaultReason.DEVICE_TLB_DISABLED : FaultReason.TRANSLATION_REQUEST_BLOCKED;
  }

  @Override
  FaultCode beyondWidth() {
    return isScalable
        ? FaultReason.SCALABLE_ADDRESS_BEYOND_WIDTH
        : FaultReason.ADDRESS_BEYOND_WIDTH;
  }

  @Override
  FaultCode interruptRange() {
    return isScalable ? FaultReason.SCALABLE_INTERRUPT_RANGE : FaultReason.INTERRUPT_RANGE;
  }

  @Override
  @Nullable FaultCode pageRequestDenied(DeviceContext context) {
    if (!isScalable) {
      return FaultReason.PAGE_REQUEST_IN_LEGACY_MODE;
    }
    return context.allowsPageRequests ? null : FaultReason.PAGE_REQUEST_DISABLED;
  }

  @Override
  @Nullable DeviceContext find(TranslationRequest request) {
    begin(request);
    if (!isKnownMode) {
      return refused(FaultReason.SCALABLE_ROOT_POINTER_INVALID);
    }
    int sourceId = request.requesterId();
    int slot = findRemembered(caches.contexts, 0, sourceId);
    boolean isHit = slot != EntryTable.NONE;
    if (!isHit) {
      slot = readContext(sourceId);
      if (slot == EntryTable.NONE) {
        return null;
      }
    }
    DeviceContext context = caches.contextEntries[slot];
    isFaultSilent = context.isFaultSilent;
    if (!isScalable) {
      statistics.contextHits += isHit ? 1 : 0;
      return request.pasid() == TranslationRequest.NO_PASID
          ? context
          : refused(FaultReason.PASID_IN_LEGACY_MODE);
    }
    return findPasid(request, context, isHit);
  }

  private @Nullable DeviceContext findPasid(
      TranslationRequest request, DeviceContext context, boolean isContextHit) {
    int pasid = request.pasid();
    boolean isPrivileged = false;
    if (pasid == TranslationRequest.NO_PASID) {
      pasid = context.ridPasid;
      isPrivileged = context.isRidPrivileged;
      if (pasid >= context.pasidsCount) {
        return refused(FaultReason.RID_PASID_BEYOND_DIRECTORY);
      }
    } else if (!context.allowsPasid) {
      return refused(FaultReason.PASID_DISABLED);
    } else if (pasid >= context.pasidsCount) {
      return refused(FaultReason.PASID_BEYOND_DIRECTORY);
    }
    int slot = findRemembered(caches.pasids, pasid, request.requesterId());
    if (slot == EntryTable.NONE) {
      slot = readPasid(context, pasid, request.requesterId());
      if (slot == EntryTable.NONE) {
        return null;
      }
    } else {
      statistics.contextHits += isContextHit ? 1 : 0;
    }
    DeviceContext entry = caches.pasidEntries[slot];
    isFaultSilent |= entry.isFaultSilent;
    if (isPrivileged && entry.firstLevels != 0 && !entry.allowsSupervisor) {
      return refused(FaultReason.SUPERVISOR_REQUEST_DISABLED);
    }
    entry.hasDeviceTlb = context.hasDeviceTlb;
    entry.allowsPageRequests = context.allowsPageRequests;
    entry.isPrivileged = isPrivileged;
    return entry;
  }

  private @Nullable DeviceContext refused(FaultReason reason) {
    fault = reason;
    return null;
  }

  /** Reads root and context entry; returns the slot, or none after a fault. */
  private int readContext(int sourceId) {
    int devfn = sourceId & DEVFN_MASK;
    boolean isUpper = isScalable && devfn > HALF_DEVFN_MASK;
    long rootEntryPa =
        rootPa
            + (long) (sourceId >>> Byte.SIZE) * RootEntryLayout.ENTRY_BYTES
            + (isUpper ? RootEntryLayout.HIGH : RootEntryLayout.LOW);
    int entryBytes = RootEntryLayout.ENTRY_BYTES / (isScalable ? 2 : 1);
    long rootEntry = readEntry(rootEntryPa, entryBytes);
    if (fault != null) {
      fault = isScalable ? FaultReason.SCALABLE_ROOT_TABLE_INVALID : FaultReason.ROOT_TABLE_INVALID;
    } else if ((rootEntry & RootEntryLayout.PRESENT) == 0) {
      fault =
          isScalable
              ? FaultReason.SCALABLE_ROOT_ENTRY_NOT_PRESENT
              : FaultReason.ROOT_ENTRY_NOT_PRESENT;
    } else if ((rootEntry & (RootEntryLayout.RESERVED | beyondHost())) != 0
        || !isScalable && reader.entry(rootEntryPa + RootEntryLayout.HIGH) != 0) {
      fault =
          isScalable ? FaultReason.SCALABLE_ROOT_ENTRY_RESERVED : FaultReason.ROOT_ENTRY_RESERVED;
    }
    if (fault != null) {
      return EntryTable.NONE;
    }
    long table = rootEntry & RootEntryLayout.TABLE_MASK;
    return isScalable
        ? readScalableContext(table, devfn & HALF_DEVFN_MASK, sourceId)
        : readLegacyContext(table, devfn, sourceId);
  }

  private int readLegacyContext(long table, int devfn, int sourceId) {
    long pa = table + (long) devfn * ContextEntryLayout.ENTRY_BYTES;
    long low = readEntry(pa, ContextEntryLayout.ENTRY_BYTES);
    if (fault != null) {
      fault = FaultReason.CONTEXT_TABLE_INVALID;
      return EntryTable.NONE;
    }
    long high = reader.entry(pa + ContextEntryLayout.HIGH);
    isFaultSilent = (low & ContextEntryLayout.FAULT_PROCESSING_DISABLE) != 0;
    int type =
        (int) (low >>> ContextEntryLayout.TRANSLATION_TYPE_SHIFT)
            & ContextEntryLayout.TRANSLATION_TYPE_MASK;
    int width = (int) high & ContextEntryLayout.ADDRESS_WIDTH_MASK;
    if ((low & ContextEntryLayout.PRESENT) == 0) {
      fault = FaultReason.CONTEXT_ENTRY_NOT_PRESENT;
    } else if ((low & (ContextEntryLayout.LOW_RESERVED | beyondHost())) != 0
        || (high & ContextEntryLayout.HIGH_RESERVED) != 0) {
      fault = FaultReason.CONTEXT_ENTRY_RESERVED;
    } else if (!isPossible(type) || !isWidthPossible(width)) {
      fault = FaultReason.CONTEXT_ENTRY_INVALID;
    }
    if (fault != null) {
      return EntryTable.NONE;
    }
    int domainId =
        (int) (high >>> ContextEntryLayout.DOMAIN_SHIFT) & ContextEntryLayout.DOMAIN_MASK;
    long tag = EntryTag.ofDomain(domainId);
    int slot = insert(caches.contexts, caches.pendingContexts, 0, sourceId, tag);
    DeviceContext context = caches.contextEntries[slot];
    context.kind =
        type == ContextEntryLayout.PASS_THROUGH
            ? DeviceContext.Kind.PASS_THROUGH
            : DeviceContext.Kind.SECOND_LEVEL;
    context.isLegacy = true;
    context.isFaultSilent = isFaultSilent;
    context.hasDeviceTlb = type == ContextEntryLayout.TRANSLATE_WITH_DEVICE_TLB;
    context.domainId = domainId;
    context.tag = tag;
    context.secondRoot = low & ContextEntryLayout.TABLE_MASK;
    context.secondLevels = width + LEVELS_BASE;
    context.marksSecondLevel = false;
    context.firstLevels = 0;
    return slot;
  }

  private int readScalableContext(long table, int index, int sourceId) {
    long pa = table + (long) index * ScalableContextLayout.ENTRY_BYTES;
    long low = readEntry(pa, ScalableContextLayout.ENTRY_BYTES);
    if (fault != null) {
      fault = FaultReason.SCALABLE_CONTEXT_TABLE_INVALID;
      return EntryTable.NONE;
    }
    long high = reader.entry(pa + ScalableContextLayout.HIGH);
    isFaultSilent = (low & ScalableContextLayout.FAULT_PROCESSING_DISABLE) != 0;
    boolean hasDeviceTlb = (low & ScalableContextLayout.DEVICE_TLB_ENABLE) != 0;
    if ((low & ScalableContextLayout.PRESENT) == 0) {
      fault = FaultReason.SCALABLE_CONTEXT_NOT_PRESENT;
    } else if ((low & (ScalableContextLayout.LOW_RESERVED | beyondHost())) != 0
        || (high & ScalableContextLayout.HIGH_RESERVED) != 0
        || (reader.entry(pa + 16) | reader.entry(pa + 24)) != 0) {
      fault = FaultReason.SCALABLE_CONTEXT_RESERVED;
    } else if (hasDeviceTlb && !capabilities.hasDeviceTlbs()) {
      fault = FaultReason.SCALABLE_CONTEXT_INVALID;
    }
    if (fault != null) {
      return EntryTable.NONE;
    }
    int slot = insert(caches.contexts, caches.pendingContexts, 0, sourceId, 0);
    DeviceContext context = caches.contextEntries[slot];
    int size =
        (int) (low >>> ScalableContextLayout.DIRECTORY_SIZE_SHIFT)
            & ScalableContextLayout.DIRECTORY_SIZE_MASK;
    context.kind = DeviceContext.Kind.BY_PASID;
    context.isFaultSilent = isFaultSilent;
    context.hasDeviceTlb = hasDeviceTlb;
    context.directoryPa = low & ScalableContextLayout.DIRECTORY_MASK;
    context.pasidsCount = PasidLayout.ENTRIES << size + ScalableContextLayout.DIRECTORY_SIZE_BASE;
    context.allowsPasid = (low & ScalableContextLayout.PASID_ENABLE) != 0;
    context.allowsPageRequests = (low & ScalableContextLayout.PAGE_REQUEST_ENABLE) != 0;
    context.ridPasid = (int) high & ScalableContextLayout.RID_PASID_MASK;
    context.isRidPrivileged = (high & ScalableContextLayout.RID_PRIVILEGED) != 0;
    return slot;
  }

  private int readPasid(DeviceContext context, int pasid, int sourceId) {
    long directoryPa =
        context.directoryPa
            + (long) (pasid >>> PasidLayout.DIRECTORY_SHIFT) * PasidLayout.DIRECTORY_ENTRY_BYTES;
    long directory = readEntry(directoryPa, PasidLayout.DIRECTORY_ENTRY_BYTES);
    if (fault != null) {
      fault = FaultReason.PASID_DIRECTORY_INVALID;
      return EntryTable.NONE;
    }
    isFaultSilent |= (directory & PasidLayout.DIRECTORY_FAULT_PROCESSING_DISABLE) != 0;
    if ((directory & PasidLayout.DIRECTORY_PRESENT) == 0) {
      fault = FaultReason.PASID_DIRECTORY_NOT_PRESENT;
    } else if ((directory & (PasidLayout.DIRECTORY_RESERVED | beyondHost())) != 0) {
      fault = FaultReason.PASID_DIRECTORY_RESERVED;
    }
    if (fault != null) {
      return EntryTable.NONE;
    }
    long pa =
        (directory & PasidLayout.TABLE_MASK)
            + (long) (pasid & PasidLayout.ENTRIES - 1) * PasidLayout.ENTRY_BYTES;
    long second = readEntry(pa, PasidLayout.ENTRY_BYTES);
    if (fault != null) {
      fault = FaultReason.PASID_TABLE_INVALID;
      return EntryTable.NONE;
    }
    isFaultSilent |= (second & PasidLayout.FAULT_PROCESSING_DISABLE) != 0;
    return decodePasid(pa, second, pasid, sourceId);
  }

  private int decodePasid(long pa, long second, int pasid, int sourceId) {
    long domain = reader.entry(pa + PasidLayout.DOMAIN);
    long first = reader.entry(pa + PasidLayout.FIRST_LEVEL);
    int type =
        (int) (second >>> PasidLayout.TRANSLATION_TYPE_SHIFT) & PasidLayout.TRANSLATION_TYPE_MASK;
    boolean hasFirst = type == PasidLayout.FIRST_LEVEL_ONLY || type == PasidLayout.NESTED;
    boolean hasSecond = type == PasidLayout.SECOND_LEVEL_ONLY || type == PasidLayout.NESTED;
    int width = (int) (second >>> PasidLayout.ADDRESS_WIDTH_SHIFT) & PasidLayout.ADDRESS_WIDTH_MASK;
    int mode = (int) (first >>> PasidLayout.PAGING_MODE_SHIFT) & PasidLayout.PAGING_MODE_MASK;
    if ((second & PasidLayout.PRESENT) == 0) {
      fault = FaultReason.PASID_ENTRY_NOT_PRESENT;
    } else if (isPasidReserved(pa, second, domain, first)) {
      fault = FaultReason.PASID_ENTRY_RESERVED;
    } else if (type == 0
        || type > PasidLayout.PASS_THROUGH
        || type == PasidLayout.PASS_THROUGH && !capabilities.hasPassThrough()
        || hasSecond && !isWidthPossible(width)
        || hasFirst && !isModePossible(mode)) {
      fault = FaultReason.PASID_ENTRY_INVALID;
    }
    if (fault != null) {
      return EntryTable.NONE;
    }
    int domainId = (int) domain & PasidLayout.DOMAIN_MASK;
    int tables =
        !hasFirst ? EntryTag.SECOND_LEVEL : hasSecond ? EntryTag.NESTED : EntryTag.FIRST_LEVEL;
    // Invalidations name the domain and the PASID whatever tables the entry has.
    long owner = EntryTag.ofPasid(domainId, pasid, EntryTag.FIRST_LEVEL);
    int slot = insert(caches.pasids, caches.pendingPasids, pasid, sourceId, owner);
    DeviceContext entry = caches.pasidEntries[slot];
    entry.kind = kind(hasFirst, hasSecond);
    entry.isLegacy = false;
    entry.isFaultSilent = isFaultSilent;
    entry.domainId = domainId;
    entry.tag = hasFirst ? EntryTag.ofPasid(domainId, pasid, tables) : EntryTag.ofDomain(domainId);
    entry.secondRoot = second & PasidLayout.ROOT_MASK;
    entry.secondLevels = width + LEVELS_BASE;
    entry.marksSecondLevel = (second & PasidLayout.SECOND_LEVEL_ACCESSED_DIRTY) != 0;
    entry.firstRoot = first & PasidLayout.ROOT_MASK;
    entry.firstLevels = hasFirst ? mode + FIRST_LEVELS_BASE : 0;
    entry.allowsSupervisor = (first & PasidLayout.SUPERVISOR_REQUEST_ENABLE) != 0;
    entry.protectsFromSupervisor = (first & PasidLayout.WRITE_PROTECT_ENABLE) != 0;
    return slot;
  }

  private boolean isPasidReserved(long pa, long second, long domain, long first) {
    long rest = 0;
    for (int offset = 24; offset < PasidLayout.ENTRY_BYTES; offset += Long.BYTES) {
      rest |= reader.entry(pa + offset);
    }
    return (second & (PasidLayout.SECOND_LEVEL_RESERVED | beyondHost())) != 0
        || (domain & PasidLayout.DOMAIN_RESERVED) != 0
        || (first & PasidLayout.FIRST_LEVEL_RESERVED) != 0
        || rest != 0;
  }

  private static DeviceContext.Kind kind(boolean hasFirst, boolean hasSecond) {
    if (hasFirst) {
      return hasSecond ? DeviceContext.Kind.NESTED : DeviceContext.Kind.FIRST_LEVEL;
    }
    return hasSecond ? DeviceContext.Kind.SECOND_LEVEL : DeviceContext.Kind.PASS_THROUGH;
  }

  /** Reads the first 8 bytes of an entry; sets any fault if it is not in memory. */
  private long readEntry(long pa, int lengthBytes) {
    if (!reader.isReadable(pa, lengthBytes)) {
      fault = FaultReason.ROOT_TABLE_INVALID; // The caller knows better.
      return 0;
    }
    readyPs = reader.readPs(pa, lengthBytes, readyPs);
    return reader.entry(pa);
  }

  private boolean isPossible(int type) {
    switch (type) {
      case ContextEntryLayout.TRANSLATE:
        return true;
      case ContextEntryLayout.TRANSLATE_WITH_DEVICE_TLB:
        return capabilities.hasDeviceTlbs();
      case ContextEntryLayout.PASS_THROUGH:
        return capabilities.hasPassThrough();
      default:
        return false;
    }
  }

  private boolean isWidthPossible(int width) {
    return width >= THREE_LEVELS && (capabilities.addressWidths() & 1 << width) != 0;
  }

  private boolean isModePossible(int mode) {
    int widths = capabilities.addressWidths();
    return mode == 0 || mode == 1 && (widths & TranslationConfig.WIDTH_57) != 0;
  }

  private long beyondHost() {
    return -1L << capabilities.hostAddressBits();
  }
}
