package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.DOMAIN;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.GLOBAL;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.PASID_ALL;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.PASID_CACHE_DOMAIN;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.PASID_CACHE_GLOBAL;

import io.github.bellwire.iommu.layout.InvalidationDescriptorLayout;
import io.github.bellwire.iommu.walk.TranslationCaches;

/** What software asks to be forgotten, by whatever way, told to those who remember. */
final class CacheInvalidations {
  private static final long ADDRESS = InvalidationDescriptorLayout.ADDRESS;
  private static final int INDEX_BITS = 16;

  private final TranslationCaches caches;
  private final InterruptControl interrupts;

  CacheInvalidations(TranslationCaches caches, InterruptControl interrupts) {
    this.caches = caches;
    this.interrupts = interrupts;
  }

  void contexts(int granularity, int domainId, int sourceId, int functionMask, long atPs) {
    switch (granularity) {
      case GLOBAL -> caches.invalidateContexts(atPs);
      case DOMAIN -> caches.invalidateContextsOfDomain(domainId, atPs);
      default -> caches.invalidateContextsOfDevice(domainId, sourceId, functionMask, atPs);
    }
  }

  /**
   * Forgets IOTLB entries.
   *
   * @param pages address, hint and mask, as in word 1 of a descriptor and in the register IVA
   */
  void iotlb(int granularity, int domainId, long pages, long atPs) {
    switch (granularity) {
      case GLOBAL -> caches.invalidateIotlb(atPs);
      case DOMAIN -> caches.invalidateIotlbOfDomain(domainId, atPs);
      default ->
          caches.invalidateIotlbPages(
              domainId, pages & ADDRESS, addressMask(pages), isLeafOnly(pages), atPs);
    }
  }

  void iotlbOfPasid(int granularity, int domainId, int pasid, long pages, long atPs) {
    if (granularity == PASID_ALL) {
      caches.invalidateIotlbOfPasid(domainId, pasid, atPs);
    } else {
      caches.invalidateIotlbPagesOfPasid(
          domainId, pasid, pages & ADDRESS, addressMask(pages), isLeafOnly(pages), atPs);
    }
  }

  void pasids(int granularity, int domainId, int pasid, long atPs) {
    switch (granularity) {
      case PASID_CACHE_GLOBAL -> caches.invalidatePasids(atPs);
      case PASID_CACHE_DOMAIN -> caches.invalidatePasidsOfDomain(domainId, atPs);
      default -> caches.invalidatePasid(domainId, pasid, atPs);
    }
  }

  void interruptEntries(boolean isSelective, int index, int indexMask, long atPs) {
    if (isSelective && indexMask < INDEX_BITS) {
      interrupts.invalidateEntries(index & -1 << indexMask, 1 << indexMask, atPs);
    } else {
      interrupts.invalidateAllEntries(atPs);
    }
  }

  private static int addressMask(long pages) {
    return (int) (pages & InvalidationDescriptorLayout.ADDRESS_MASK);
  }

  private static boolean isLeafOnly(long pages) {
    return (pages & InvalidationDescriptorLayout.HINT) != 0;
  }
}
