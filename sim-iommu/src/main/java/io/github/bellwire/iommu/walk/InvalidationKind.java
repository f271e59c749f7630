package io.github.bellwire.iommu.walk;

/** What an invalidation is about; see {@link #matches}. */
enum InvalidationKind {
  /** Everything. */
  ALL,
  /** A domain. */
  DOMAIN,
  /** Functions of a device whose entries name a domain. */
  DEVICE,
  /** Functions of a device, whatever their domain. */
  REQUESTER,
  /** Pages of a domain by the second level; whatever the first level has a part in. */
  PAGES,
  /** A PASID of a domain. */
  PASID,
  /** Pages of a PASID of a domain. */
  PASID_PAGES;

  /**
   * {@return whether an entry is meant}
   *
   * @param tag the domain and PASID of the invalidation
   * @param address an address of the pages, or the requester ID
   * @param mask pages: the bits of the range; device: bits of the requester ID that do not count
   * @param entryTag see {@link EntryTag}
   * @param entryPage the number of its page, or its requester ID
   */
  boolean matches(long tag, long address, int mask, long entryTag, long entryPage) {
    if (this == ALL) {
      return true;
    }
    if (this == REQUESTER) {
      return ((address ^ entryPage) & ~mask) == 0;
    }
    if (EntryTag.domain(tag) != EntryTag.domain(entryTag)) {
      return false;
    }
    boolean isSecondLevel = EntryTag.tables(entryTag) == EntryTag.SECOND_LEVEL;
    switch (this) {
      case DEVICE:
        return ((address ^ entryPage) & ~mask) == 0;
      case PAGES:
        return !isSecondLevel || overlaps(address, mask, entryTag, entryPage);
      case PASID:
        return !isSecondLevel && EntryTag.pasid(tag) == EntryTag.pasid(entryTag);
      case PASID_PAGES:
        return PASID.matches(tag, address, mask, entryTag, entryPage)
            && overlaps(address, mask, entryTag, entryPage);
      default:
        return true;
    }
  }

  /** Both ranges are naturally aligned: one holds the other, or they are apart. */
  private static boolean overlaps(long address, int bits, long entryTag, long entryPage) {
    int shift = EntryTag.shift(entryTag);
    int larger = Math.min(Long.SIZE - 1, Math.max(bits, shift));
    return (address ^ entryPage << shift) >>> larger == 0;
  }
}
