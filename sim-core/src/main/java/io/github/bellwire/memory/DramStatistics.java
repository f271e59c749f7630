package io.github.bellwire.memory;

/**
 * What a DRAM has done since it was built.
 *
 * @param readsTotal reads that the DRAM served, in bursts
 * @param writesTotal writes that the DRAM took, in bursts
 * @param forwardedReadsTotal reads answered from the write queue, which no DRAM saw
 * @param mergedWritesTotal writes that replaced one of the write queue, which no DRAM saw
 * @param rowHitsTotal bursts that found their row open
 * @param rowClosedTotal bursts that found their bank closed
 * @param rowConflictsTotal bursts that found another row open
 * @param activatesTotal rows opened
 * @param turnaroundsTotal how often data buses changed direction
 * @param refreshesTotal refreshes of a rank
 * @param refreshStallPs sum of the times from a refresh being due to its rank being back, in
 *     picoseconds
 * @param bytesRead moved from DRAM
 * @param bytesWritten moved to DRAM
 */
public record DramStatistics(
    long readsTotal,
    long writesTotal,
    long forwardedReadsTotal,
    long mergedWritesTotal,
    long rowHitsTotal,
    long rowClosedTotal,
    long rowConflictsTotal,
    long activatesTotal,
    long turnaroundsTotal,
    long refreshesTotal,
    long refreshStallPs,
    long bytesRead,
    long bytesWritten) {

  /** {@return the share of bursts that found their row open, 0 if there were none} */
  public double rowHitRatio() {
    long all = rowHitsTotal + rowClosedTotal + rowConflictsTotal;
    return all == 0 ? 0 : (double) rowHitsTotal / all;
  }
}
