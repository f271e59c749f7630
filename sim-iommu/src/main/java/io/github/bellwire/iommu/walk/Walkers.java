package io.github.bellwire.iommu.walk;

import java.util.Arrays;

/**
 * When walks begin: each takes the walker that is free first. Where walks that end in the same leaf
 * table exclude each other, they are dispatched in order, so that one that has to wait holds up
 * those behind it.
 */
final class Walkers {
  private static final long NO_TABLE = -1;

  private final TranslationStatistics statistics;
  private final boolean isSerialized;
  private final int forReads;
  private final long[] freePs;
  private final long[] leafTables;
  private final boolean[] isWrite;
  private int chosen;
  private long lastStartPs;

  Walkers(TranslationConfig.Walkers config, TranslationStatistics statistics) {
    this.statistics = statistics;
    isSerialized = config.serializesPerLeafTable();
    forReads = config.count() - config.forWritesOnly();
    freePs = new long[config.count()];
    leafTables = new long[config.count()];
    isWrite = new boolean[config.count()];
    Arrays.fill(leafTables, NO_TABLE);
  }

  /**
   * Takes a walker.
   *
   * @param leafTable what stands for the table in which the walk ends
   * @param forWrite whether a write asks for it
   * @param atPs when it is asked for
   * @return when the walk begins
   */
  long begin(long leafTable, boolean forWrite, long atPs) {
    chosen = 0;
    long startPs = atPs;
    int usable = forWrite ? freePs.length : forReads;
    for (int i = 0; i < usable; i++) {
      if (freePs[i] < freePs[chosen]) {
        chosen = i;
      }
    }
    for (int i = 0; isSerialized && i < freePs.length; i++) {
      if (leafTables[i] == leafTable) {
        startPs = Math.max(startPs, freePs[i]);
      }
    }
    startPs = Math.max(startPs, freePs[chosen]);
    if (isSerialized) {
      startPs = Math.max(startPs, lastStartPs);
      lastStartPs = startPs;
    }
    statistics.walkerFullPs += startPs - atPs;
    leafTables[chosen] = leafTable;
    isWrite[chosen] = forWrite;
    return startPs;
  }

  /** Gives the walker back that was taken last. */
  void end(long startPs, long endPs) {
    freePs[chosen] = endPs;
    statistics.walkerBusyPs += endPs - startPs;
  }

  /** {@return how many walkers are busy for reads, or for writes, at a time} */
  int busyCount(boolean forWrite, long atPs) {
    int count = 0;
    for (int i = 0; i < freePs.length; i++) {
      count += freePs[i] > atPs && isWrite[i] == forWrite ? 1 : 0;
    }
    return count;
  }
}
