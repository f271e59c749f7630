package io.github.bellwire.iommu.walk;

import static io.github.bellwire.kernel.Requirements.require;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a translation unit remembers, and how software makes it forget.
 *
 * <p>Each method takes the time at which the invalidation takes effect. That may be ahead of the
 * clock: until then what is remembered still serves the requests that arrive before, and what is
 * put in for one of them is forgotten then as well. Times are picoseconds.
 */
public final class TranslationCaches {
  private static final int PAGE_SHIFT = 12;
  private static final int LEVELS_MAX = 5;
  private static final int DOMAIN_MAX = 0xFFFF;
  private static final int PASID_MAX = 0xFFFFF;
  private static final int ADDRESS_MASK_MAX = 52;

  /** Bits of a requester ID that a function mask leaves out. */
  private static final int[] FUNCTION_MASKS = {0, 4, 6, 7};

  private final TranslationStatistics statistics;
  private final boolean preservesPagingCaches;
  final EntryTable contexts;
  final DeviceContext[] contextEntries;
  final EntryTable pasids;
  final DeviceContext[] pasidEntries;
  final EntryTable iotlb;

  /** By the level of the entries that are remembered, 2 to 5. */
  final @Nullable EntryTable[] paging = new @Nullable EntryTable[LEVELS_MAX + 1];

  final PendingInvalidations pendingContexts = new PendingInvalidations();
  final PendingInvalidations pendingPasids = new PendingInvalidations();
  final PendingInvalidations pendingPages = new PendingInvalidations();
  final PendingInvalidations pendingPaging = new PendingInvalidations();

  TranslationCaches(TranslationConfig config, TranslationStatistics statistics) {
    this.statistics = statistics;
    preservesPagingCaches = config.preservesPagingCachesOnLeafInvalidate();
    contexts = new EntryTable(1, config.contextEntries());
    contextEntries = entries(config.contextEntries());
    pasids = new EntryTable(1, config.pasidEntries());
    pasidEntries = entries(config.pasidEntries());
    iotlb = new EntryTable(config.iotlb().sets(), config.iotlb().ways());
    TranslationConfig.PagingCaches sizes = config.pagingCaches();
    paging[2] = table(sizes.l3Entries());
    paging[3] = table(sizes.l2Entries());
    paging[4] = table(sizes.l1Entries());
    paging[5] = table(sizes.l1Entries());
  }

  private static DeviceContext[] entries(int count) {
    DeviceContext[] entries = new DeviceContext[count];
    Arrays.setAll(entries, i -> new DeviceContext());
    return entries;
  }

  private static @Nullable EntryTable table(int entries) {
    return entries == 0 ? null : new EntryTable(1, entries);
  }

  /**
   * Forgets all devices.
   *
   * @param atPs when
   */
  public void invalidateContexts(long atPs) {
    statistics.contextInvalidations++;
    forgetDevices(InvalidationKind.ALL, 0, 0, 0, atPs);
  }

  /**
   * Forgets the devices of a domain.
   *
   * @param domainId 0..FFFFh
   * @param atPs when
   */
  public void invalidateContextsOfDomain(int domainId, long atPs) {
    requireDomain(domainId);
    statistics.contextInvalidations++;
    forgetDevices(InvalidationKind.DOMAIN, EntryTag.ofDomain(domainId), 0, 0, atPs);
  }

  /**
   * Forgets functions of a device.
   *
   * @param domainId of the entry as it was
   * @param sourceId bus, device and function
   * @param functionMask how many high bits of the function do not count: 0 none, 1 bit 2, 2 bits 2
   *     and 1, 3 all three
   * @param atPs when
   */
  public void invalidateContextsOfDevice(int domainId, int sourceId, int functionMask, long atPs) {
    requireDomain(domainId);
    require(functionMask >= 0 && functionMask <= 3, "functionMask", functionMask, "0..3");
    statistics.contextInvalidations++;
    forgetDevices(
        InvalidationKind.DEVICE,
        EntryTag.ofDomain(domainId),
        sourceId,
        FUNCTION_MASKS[functionMask],
        atPs);
  }

  /**
   * Forgets a device, whatever its domain.
   *
   * @param sourceId bus, device and function
   * @param ignoredBits of that, 0 for one function
   * @param atPs when
   */
  public void invalidateContextsOfRequester(int sourceId, int ignoredBits, long atPs) {
    statistics.contextInvalidations++;
    forgetDevices(InvalidationKind.REQUESTER, 0, sourceId, ignoredBits, atPs);
  }

  /**
   * Forgets all translations, and all entries of the paging-structure caches.
   *
   * @param atPs when
   */
  public void invalidateIotlb(long atPs) {
    statistics.globalInvalidations++;
    forgetTranslations(InvalidationKind.ALL, 0, 0, 0, false, atPs);
  }

  /**
   * Forgets the translations of a domain, of all its PASIDs.
   *
   * @param domainId 0..FFFFh
   * @param atPs when
   */
  public void invalidateIotlbOfDomain(int domainId, long atPs) {
    requireDomain(domainId);
    statistics.domainInvalidations++;
    forgetTranslations(InvalidationKind.DOMAIN, EntryTag.ofDomain(domainId), 0, 0, false, atPs);
  }

  /**
   * Forgets the translations of pages of a domain by the second level, and all those by its first
   * level.
   *
   * @param domainId 0..FFFFh
   * @param iova an address; bits below the size of the range do not count
   * @param addressMask the range has 2^addressMask pages of 4 KiB, 0..52
   * @param isLeafOnly the hint that only last-level entries have changed
   * @param atPs when
   */
  public void invalidateIotlbPages(
      int domainId, long iova, int addressMask, boolean isLeafOnly, long atPs) {
    requireDomain(domainId);
    requireAddressMask(addressMask);
    statistics.pageInvalidations++;
    forgetTranslations(
        InvalidationKind.PAGES,
        EntryTag.ofDomain(domainId),
        iova & PageTableFormat.ADDRESS_MASK,
        PAGE_SHIFT + addressMask,
        isLeafOnly,
        atPs);
  }

  /**
   * Forgets the translations of a PASID by the first level.
   *
   * @param domainId 0..FFFFh
   * @param pasid 0..FFFFFh
   * @param atPs when
   */
  public void invalidateIotlbOfPasid(int domainId, int pasid, long atPs) {
    statistics.domainInvalidations++;
    forgetTranslations(InvalidationKind.PASID, tag(domainId, pasid), 0, 0, false, atPs);
  }

  /**
   * Forgets the translations of pages of a PASID by the first level.
   *
   * @param domainId 0..FFFFh
   * @param pasid 0..FFFFFh
   * @param iova an address; bits below the size of the range do not count
   * @param addressMask the range has 2^addressMask pages of 4 KiB, 0..52
   * @param isLeafOnly the hint that only last-level entries have changed
   * @param atPs when
   */
  public void invalidateIotlbPagesOfPasid(
      int domainId, int pasid, long iova, int addressMask, boolean isLeafOnly, long atPs) {
    requireAddressMask(addressMask);
    statistics.pageInvalidations++;
    forgetTranslations(
        InvalidationKind.PASID_PAGES,
        tag(domainId, pasid),
        iova & PageTableFormat.ADDRESS_MASK,
        PAGE_SHIFT + addressMask,
        isLeafOnly,
        atPs);
  }

  /**
   * Forgets all PASID entries.
   *
   * @param atPs when
   */
  public void invalidatePasids(long atPs) {
    forgetPasids(InvalidationKind.ALL, 0, atPs);
  }

  /**
   * Forgets the PASID entries of a domain.
   *
   * @param domainId 0..FFFFh
   * @param atPs when
   */
  public void invalidatePasidsOfDomain(int domainId, long atPs) {
    requireDomain(domainId);
    forgetPasids(InvalidationKind.DOMAIN, EntryTag.ofDomain(domainId), atPs);
  }

  /**
   * Forgets a PASID entry.
   *
   * @param domainId of the entry as it was
   * @param pasid 0..FFFFFh
   * @param atPs when
   */
  public void invalidatePasid(int domainId, int pasid, long atPs) {
    forgetPasids(InvalidationKind.PASID, tag(domainId, pasid), atPs);
  }

  private void forgetDevices(InvalidationKind kind, long tag, long sourceId, int mask, long atPs) {
    pendingContexts.add(InvalidationKind.ALL, 0, 0, 0, atPs); // More than needed, but simple.
    for (int slot = 0; slot < contexts.slotsCount(); slot++) {
      // Scalable-mode entries name no domain: any domain is theirs.
      boolean isAnyDomain = contextEntries[slot].isScalable();
      long owner = isAnyDomain ? tag : contexts.value(slot);
      if (contexts.isUsed(slot) && kind.matches(tag, sourceId, mask, owner, contexts.page(slot))) {
        contexts.end(slot, atPs);
      }
    }
  }

  private void forgetPasids(InvalidationKind kind, long tag, long atPs) {
    statistics.pasidInvalidations++;
    pendingPasids.add(kind, tag, 0, 0, atPs);
    for (int slot = 0; slot < pasids.slotsCount(); slot++) {
      if (pasids.isUsed(slot) && kind.matches(tag, 0, 0, pasids.value(slot), pasids.page(slot))) {
        pasids.end(slot, atPs);
      }
    }
  }

  private void forgetTranslations(
      InvalidationKind kind, long tag, long address, int bits, boolean isLeafOnly, long atPs) {
    pendingPages.add(kind, tag, address, bits, atPs);
    forget(iotlb, kind, tag, address, bits, atPs);
    if (isLeafOnly && preservesPagingCaches) {
      return;
    }
    pendingPaging.add(kind, tag, address, bits, atPs);
    for (EntryTable table : paging) {
      if (table != null) {
        forget(table, kind, tag, address, bits, atPs);
      }
    }
  }

  private static void forget(
      EntryTable table, InvalidationKind kind, long tag, long address, int bits, long atPs) {
    for (int slot = 0; slot < table.slotsCount(); slot++) {
      if (table.isUsed(slot)
          && kind.matches(tag, address, bits, table.tag(slot), table.page(slot))) {
        table.end(slot, atPs);
      }
    }
  }

  private static long tag(int domainId, int pasid) {
    requireDomain(domainId);
    require(pasid >= 0 && pasid <= PASID_MAX, "pasid", pasid, "0..FFFFFh");
    return EntryTag.ofPasid(domainId, pasid, EntryTag.FIRST_LEVEL);
  }

  private static void requireDomain(int domainId) {
    require(domainId >= 0 && domainId <= DOMAIN_MAX, "domainId", domainId, "0..FFFFh");
  }

  private static void requireAddressMask(int addressMask) {
    require(
        addressMask >= 0 && addressMask <= ADDRESS_MASK_MAX, "addressMask", addressMask, "0..52");
  }
}
