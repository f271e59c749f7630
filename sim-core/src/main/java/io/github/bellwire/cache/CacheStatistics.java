package io.github.bellwire.cache;

/** What the caches have counted, in lines. Confined to the simulation thread. */
public final class CacheStatistics {
  long deviceReadHits;
  long deviceReadMisses;
  long devicePartialWriteHits;
  long devicePartialWriteMisses;
  long deviceFullWriteHits;
  long deviceFullWriteMisses;
  long dramReads;
  long dramWrites;
  long writeBacks;
  long coreSnoops;
  long backInvalidations;
  long noSnoopHazards;
  long overruledReads;

  /** Creates statistics of nothing. */
  public CacheStatistics() {}

  void countDeviceWrite(boolean isHit, boolean isPartial) {
    if (isHit) {
      if (isPartial) {
        devicePartialWriteHits++;
      } else {
        deviceFullWriteHits++;
      }
    } else if (isPartial) {
      devicePartialWriteMisses++;
    } else {
      deviceFullWriteMisses++;
    }
  }

  /** {@return lines that devices read and found in the caches of the port's socket} */
  public long deviceReadHitsTotal() {
    return deviceReadHits;
  }

  /** {@return lines that devices read and that came from DRAM or another socket} */
  public long deviceReadMissesTotal() {
    return deviceReadMisses;
  }

  /** {@return lines that devices wrote and found in the caches of the port's socket} */
  public long deviceWriteHitsTotal() {
    return devicePartialWriteHits + deviceFullWriteHits;
  }

  /** {@return lines that devices wrote and that were not in the caches of the port's socket} */
  public long deviceWriteMissesTotal() {
    return devicePartialWriteMisses + deviceFullWriteMisses;
  }

  /** {@return lines that devices wrote as a whole and found, as the write hits of Xeon counters} */
  public long deviceFullWriteHitsTotal() {
    return deviceFullWriteHits;
  }

  /** {@return lines that devices wrote as a whole and did not find} */
  public long deviceFullWriteMissesTotal() {
    return deviceFullWriteMisses;
  }

  /** {@return lines read from DRAM, by whomever} */
  public long dramReadsTotal() {
    return dramReads;
  }

  /** {@return lines written to DRAM, by whomever} */
  public long dramWritesTotal() {
    return dramWrites;
  }

  /** {@return dirty lines that were written to DRAM to make room or for coherence} */
  public long writeBacksTotal() {
    return writeBacks;
  }

  /** {@return how often a core's cache was asked for its copy} */
  public long coreSnoopsTotal() {
    return coreSnoops;
  }

  /** {@return lines taken from cores because the last-level cache or the filter needed room} */
  public long backInvalidationsTotal() {
    return backInvalidations;
  }

  /**
   * {@return accesses with No Snoop to lines of which a cache held a copy that made a difference:
   * dirty when memory was read, any when memory was written}
   */
  public long noSnoopHazardsTotal() {
    return noSnoopHazards;
  }

  /**
   * {@return reads of DRAM whose data was not used, because a cache on another socket was newer}
   */
  public long overruledReadsTotal() {
    return overruledReads;
  }
}
