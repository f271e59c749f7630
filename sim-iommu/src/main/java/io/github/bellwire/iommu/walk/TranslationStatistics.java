package io.github.bellwire.iommu.walk;

/**
 * What a translation unit has done. Counters only grow; the names follow the performance monitoring
 * events of Ice Lake servers' IIO and IOMMU units where there is one.
 */
public final class TranslationStatistics {
  long lookups;
  long iotlbHits;
  long iotlbFills;
  long contextLookups;
  long contextHits;
  long pagingHits4k;
  long pagingHits2m;
  long pagingHits1g;
  long pagingHits512g;
  long pagingMissesL1;
  long pagingMissesL2;
  long pagingMissesL3;
  long walks;
  long walkerFullPs;
  long walkerBusyPs;
  long globalInvalidations;
  long domainInvalidations;
  long pageInvalidations;
  long contextInvalidations;
  long pasidInvalidations;
  long memoryReads;
  long memoryWrites;
  long faults;

  TranslationStatistics() {}

  /** {@return requests that were looked up in the IOTLB} */
  public long lookupsTotal() {
    return lookups;
  }

  /** {@return of these, how many found their page, or found it on its way} */
  public long iotlbHitsTotal() {
    return iotlbHits;
  }

  /** {@return of these, how many did not} */
  public long iotlbMissesTotal() {
    return lookups - iotlbHits;
  }

  /** {@return translations put into the IOTLB} */
  public long iotlbFillsTotal() {
    return iotlbFills;
  }

  /** {@return requests whose device's entry was looked for} */
  public long contextLookupsTotal() {
    return contextLookups;
  }

  /** {@return of these, how many found it in the context and PASID caches} */
  public long contextHitsTotal() {
    return contextHits;
  }

  /** {@return lookups that the IOTLB answered from a page of 4 KiB, as PWT_CACHE hits there} */
  public long pagingHits4kTotal() {
    return pagingHits4k;
  }

  /** {@return walks that began at a remembered entry for 2 MiB: one read} */
  public long pagingHits2mTotal() {
    return pagingHits2m;
  }

  /** {@return walks that began at a remembered entry for 1 GiB: up to two reads} */
  public long pagingHits1gTotal() {
    return pagingHits1g;
  }

  /** {@return walks that began at a remembered entry for 512 GiB: up to three reads} */
  public long pagingHits512gTotal() {
    return pagingHits512g;
  }

  /** {@return walks that had to read an entry for 512 GiB} */
  public long pagingMissesL1Total() {
    return pagingMissesL1;
  }

  /** {@return walks that had to read an entry for 1 GiB} */
  public long pagingMissesL2Total() {
    return pagingMissesL2;
  }

  /** {@return walks that had to read an entry for 2 MiB} */
  public long pagingMissesL3Total() {
    return pagingMissesL3;
  }

  /** {@return walks of page tables} */
  public long walksTotal() {
    return walks;
  }

  /** {@return how long requests have waited for a walker, in picoseconds} */
  public long walkerFullPsTotal() {
    return walkerFullPs;
  }

  /** {@return how long walkers have been busy, all of them together, in picoseconds} */
  public long walkerBusyPsTotal() {
    return walkerBusyPs;
  }

  /** {@return invalidations of the whole IOTLB} */
  public long globalInvalidationsTotal() {
    return globalInvalidations;
  }

  /** {@return invalidations of a domain or PASID in the IOTLB} */
  public long domainInvalidationsTotal() {
    return domainInvalidations;
  }

  /** {@return invalidations of pages in the IOTLB} */
  public long pageInvalidationsTotal() {
    return pageInvalidations;
  }

  /** {@return invalidations in the context cache} */
  public long contextInvalidationsTotal() {
    return contextInvalidations;
  }

  /** {@return invalidations in the PASID cache} */
  public long pasidInvalidationsTotal() {
    return pasidInvalidations;
  }

  /** {@return accesses to memory, of all walks} */
  public long memoryAccessesTotal() {
    return memoryReads + memoryWrites;
  }

  /** {@return of these, how many set accessed or dirty bits} */
  public long memoryWritesTotal() {
    return memoryWrites;
  }

  /** {@return requests that were blocked, recorded or not} */
  public long faultsTotal() {
    return faults;
  }
}
