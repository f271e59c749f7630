package io.github.bellwire.memory;

/** Where what a {@link DramChannel} knows lies in its arrays. */
final class DramChannelLayout {
  // Per bank: the request that its row was opened for, its next command and for which request,
  // whether another row was closed for it, reads that wait.
  static final int BANK_SHIFT = 3;
  static final int OWNER = 0;
  static final int COMMAND = 1;
  static final int SLOT = 2;
  static final int WAS_CONFLICT = 3;
  static final int READS_COUNT = 4;

  // What the data bus is for: reads, writes until enough are gone, writes until a read comes.
  static final long READING = 0;
  static final long DRAINING = 1;
  static final long IDLE_WRITING = 2;

  // The rest of the state.
  static final int NOW = 0;
  static final int READS = 1;
  static final int WRITES = 2;
  static final int PENDING_READS = 3;
  static final int MODE = 4;
  static final int TURN_WRITES = 5;
  static final int LAST_DIRECTION = 6;
  static final int ADMITTED = 7;
  static final int LAST_BANK = 8;
  static final int STATISTICS = 9; // from here on, in the order of DramStatistics
  static final int READS_TOTAL = 9;
  static final int WRITES_TOTAL = 10;
  static final int FORWARDED = 11;
  static final int MERGED = 12;
  static final int ROW_HITS = 13;
  static final int ROW_CLOSED = 14;
  static final int ROW_CONFLICTS = 15;
  static final int ACTIVATES = 16;
  static final int TURNAROUNDS = 17;
  static final int REFRESHES = 18;
  static final int REFRESH_STALL = 19;
  static final int RANKS = 20; // two per rank: owners, whether it waits for its refresh

  private DramChannelLayout() {}

  /**
   * {@return counters as users see them}
   *
   * @param sum of all channels, as they lie from {@link #STATISTICS} on
   * @param burstBytes that one burst moves
   */
  static DramStatistics statistics(long[] sum, int burstBytes) {
    long reads = sum[READS_TOTAL - STATISTICS];
    long writes = sum[WRITES_TOTAL - STATISTICS];
    return new DramStatistics(
        reads,
        writes,
        sum[FORWARDED - STATISTICS],
        sum[MERGED - STATISTICS],
        sum[ROW_HITS - STATISTICS],
        sum[ROW_CLOSED - STATISTICS],
        sum[ROW_CONFLICTS - STATISTICS],
        sum[ACTIVATES - STATISTICS],
        sum[TURNAROUNDS - STATISTICS],
        sum[REFRESHES - STATISTICS],
        sum[REFRESH_STALL - STATISTICS],
        reads * burstBytes,
        writes * burstBytes);
  }
}
