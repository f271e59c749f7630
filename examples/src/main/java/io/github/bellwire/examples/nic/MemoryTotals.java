package io.github.bellwire.examples.nic;

import io.github.bellwire.cache.CacheHierarchy;
import io.github.bellwire.cache.CacheStatistics;
import io.github.bellwire.examples.report.Report;

/** What caches and DRAM have counted, in lines: accesses of devices, and DRAM's of everybody. */
record MemoryTotals(
    long writeHits,
    long writeMisses,
    long readHits,
    long readMisses,
    long dramReads,
    long dramWrites) {
  static final MemoryTotals NONE = new MemoryTotals(0, 0, 0, 0, 0, 0);

  static MemoryTotals of(CacheStatistics statistics) {
    return new MemoryTotals(
        statistics.deviceWriteHitsTotal(),
        statistics.deviceWriteMissesTotal(),
        statistics.deviceReadHitsTotal(),
        statistics.deviceReadMissesTotal(),
        statistics.dramReadsTotal(),
        statistics.dramWritesTotal());
  }

  MemoryTotals minus(MemoryTotals other) {
    return new MemoryTotals(
        writeHits - other.writeHits,
        writeMisses - other.writeMisses,
        readHits - other.readHits,
        readMisses - other.readMisses,
        dramReads - other.dramReads,
        dramWrites - other.dramWrites);
  }

  /** Adds metrics; of a host whose caches devices go past, hit ratios are not measured. */
  void addTo(Report report) {
    addHitRatio(report, "device_write_hit_ratio", writeHits, writeMisses);
    addHitRatio(report, "device_read_hit_ratio", readHits, readMisses);
    report
        .metric("dram_read_bytes", dramReads * CacheHierarchy.LINE_BYTES)
        .metric("dram_write_bytes", dramWrites * CacheHierarchy.LINE_BYTES);
  }

  private static void addHitRatio(Report report, String name, long hits, long misses) {
    long lines = hits + misses;
    report.metric(name, lines == 0 ? 0.0 : (double) hits / lines);
    if (lines == 0) {
      report.unmeasured(name);
    }
  }
}
