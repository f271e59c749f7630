package io.github.bellwire.iommu.walk;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.memory.CommitQueue;

/** Reads tables, and takes the time for it. */
final class TableReader {
  private final CommitQueue commits;
  private final DeviceCachePort port;
  private final TranslationStatistics statistics;
  private final boolean isNoSnoop;
  private final long perReadPs;

  TableReader(
      TranslationConfig config,
      CommitQueue commits,
      DeviceCachePort port,
      TranslationStatistics statistics) {
    this.commits = commits;
    this.port = port;
    this.statistics = statistics;
    isNoSnoop = !config.capabilities().isSnooped();
    perReadPs = config.walkers().perReadPs();
  }

  /** {@return whether an entry is in memory} */
  boolean isReadable(long pa, int lengthBytes) {
    return commits.memory().contains(pa, lengthBytes);
  }

  /** {@return 8 bytes of an entry that is readable; takes no time of its own} */
  long entry(long pa) {
    return commits.memory().getLong(pa);
  }

  /** {@return when an entry is there that is asked for at a time} */
  long readPs(long pa, int lengthBytes, long atPs) {
    statistics.memoryReads++;
    return port.read(pa, lengthBytes, isNoSnoop, atPs) + perReadPs;
  }

  /** {@return whether bits in entries can be set: an update that does not snoop could be lost} */
  boolean canMark() {
    return !isNoSnoop;
  }

  /** Sets bits in an entry, see {@link #canMark}; nobody waits for it. */
  void mark(long pa, long entry, long atPs) {
    statistics.memoryWrites++;
    commits.memory().putLong(pa, entry);
    port.write(pa, Long.BYTES, false, atPs);
  }
}
