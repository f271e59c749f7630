package io.github.bellwire.iommu.walk;

/**
 * Everything that a translation unit remembers, and how software makes it forget.
 *
 * <p>Each method takes the time at which the invalidation takes effect. That may be ahead of the
 * clock: until then what is remembered still serves the requests that arrive before, and what is
 * put in for one of them is forgotten then as well. Times are picoseconds.
 */
public final class TranslationCaches {
  TranslationCaches() {}

  /**
   * Forgets all devices.
   *
   * @param atPs when
   */
  public void invalidateContexts(long atPs) {}

  /**
   * Forgets the devices of a domain.
   *
   * @param domainId 0..FFFFh
   * @param atPs when
   */
  public void invalidateContextsOfDomain(int domainId, long atPs) {}

  /**
   * Forgets functions of a device.
   *
   * @param domainId of the entry as it was
   * @param sourceId bus, device and function
   * @param functionMask how many high bits of the function do not count: 0 none, 1 bit 2, 2 bits 2
   *     and 1, 3 all three
   * @param atPs when
   */
  public void invalidateContextsOfDevice(int domainId, int sourceId, int functionMask, long atPs) {}

  /**
   * Forgets all translations, and all entries of the paging-structure caches.
   *
   * @param atPs when
   */
  public void invalidateIotlb(long atPs) {}

  /**
   * Forgets the translations of a domain, of all its PASIDs.
   *
   * @param domainId 0..FFFFh
   * @param atPs when
   */
  public void invalidateIotlbOfDomain(int domainId, long atPs) {}

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
      int domainId, long iova, int addressMask, boolean isLeafOnly, long atPs) {}

  /**
   * Forgets the translations of a PASID by the first level.
   *
   * @param domainId 0..FFFFh
   * @param pasid 0..FFFFFh
   * @param atPs when
   */
  public void invalidateIotlbOfPasid(int domainId, int pasid, long atPs) {}

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
      int domainId, int pasid, long iova, int addressMask, boolean isLeafOnly, long atPs) {}

  /**
   * Forgets all PASID entries.
   *
   * @param atPs when
   */
  public void invalidatePasids(long atPs) {}

  /**
   * Forgets the PASID entries of a domain.
   *
   * @param domainId 0..FFFFh
   * @param atPs when
   */
  public void invalidatePasidsOfDomain(int domainId, long atPs) {}

  /**
   * Forgets a PASID entry.
   *
   * @param domainId of the entry as it was
   * @param pasid 0..FFFFFh
   * @param atPs when
   */
  public void invalidatePasid(int domainId, int pasid, long atPs) {}
}
