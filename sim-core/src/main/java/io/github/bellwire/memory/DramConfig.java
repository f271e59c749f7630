package io.github.bellwire.memory;

import static io.github.bellwire.kernel.Requirements.require;
import static io.github.bellwire.kernel.Requirements.requirePowerOfTwo;
import static java.util.Objects.requireNonNull;

/**
 * DRAM with banks and rows behind FR-FCFS schedulers, one per channel.
 *
 * @param timing the part
 * @param channels independent channels, a power of two, 1..64; a subchannel of DDR5 is one
 * @param ranks per channel, a power of two, 1..8; a pseudo-channel of HBM is one
 * @param mapping order of the address bits, as {@link #ROW_BANK_RANK_COLUMN} and the other
 *     constants show it
 * @param pagePolicy when a row is closed
 * @param rowAccessesMax after how many accesses a row is closed if another one of its bank is
 *     wanted, 1..1024
 * @param queues how many requests a channel holds
 * @param refreshStaggerPs how much later a rank refreshes than the one before it; 0 means all at
 *     the same time, at most the refresh interval
 * @param firstRefreshPs when the first rank is refreshed for the first time, 1 up to the refresh
 *     interval: the phase of all refreshes
 * @param frontPs from arrival at the controller to the scheduler, 0..1 us
 * @param backPs from the last data on the bus to the requester, 0..1 us
 * @param horizonPs how much earlier than one before it a request may arrive and still be scheduled
 *     as if it had been first, 0..1 us
 */
public record DramConfig(
    DramTiming timing,
    int channels,
    int ranks,
    String mapping,
    PagePolicy pagePolicy,
    int rowAccessesMax,
    Queues queues,
    long refreshStaggerPs,
    long firstRefreshPs,
    long frontPs,
    long backPs,
    long horizonPs)
    implements MemoryConfig {
  /** Rows of one bank follow each other in the ranks, then in the banks; Ramulator's default. */
  public static final String ROW_BANK_RANK_COLUMN = "RoBaRaCoCh";

  /** Four bursts of a row, then the next bank, turned by the column; Ramulator's MOP4CLXOR. */
  public static final String MOP4CLXOR = "MOP4CLXOR";

  /** Consecutive bursts go to different bank groups of one rank: the best case of streams. */
  public static final String GROUP_LOWEST = "rorabacochbg";

  private static final int CHANNELS_MAX = 64;
  private static final int RANKS_MAX = 8;
  private static final int ROW_ACCESSES_MAX = 1_024;
  private static final long LATENCY_MAX_PS = 1_000_000;

  /** When a row is closed. */
  public enum PagePolicy {
    /** When another row of the bank is wanted. */
    OPEN,
    /** When the queue holds no request for it but one for another row of the bank. */
    OPEN_ADAPTIVE,
    /** When the queue holds no request for it. */
    CLOSED
  }

  /** Which of several commands that could be issued at the same time is. */
  public enum Arbitration {
    /** A read or write before commands of rows, then the one for the oldest request. */
    OLDEST_FIRST,
    /** That of the next bank, counted from the last one served. */
    BANKS_IN_TURN
  }

  /**
   * Queues of one channel.
   *
   * @param arbitration whose turn it is
   * @param readsCount reads that wait in the common queue, 1..256
   * @param readsPerBankCount further reads that wait in the queue of their bank, where the
   *     scheduler sees them, 0..64; 0 means that it sees the common queue, and a read leaves that
   *     for its bank when its row is opened
   * @param writesCount writes that wait, 1..256
   * @param writesHighCount the bus turns to writes when so many wait, 1..writesCount
   * @param writesLowCount and back to waiting reads when so few are left, 0 to below
   *     writesHighCount; without reads writes are drained at any number
   * @param writesPerTurnMin but not before so many were written, unless none is left, at least 1
   */
  public record Queues(
      Arbitration arbitration,
      int readsCount,
      int readsPerBankCount,
      int writesCount,
      int writesHighCount,
      int writesLowCount,
      int writesPerTurnMin) {
    private static final int MAX = 256;
    private static final int PER_BANK_MAX = 64;

    /** One queue of 32 reads, one of 32 writes, marks at 80 % and 20 %; as in Ramulator 2.1. */
    public static final Queues SHARED = new Queues(Arbitration.OLDEST_FIRST, 32, 0, 32, 26, 6, 1);

    /**
     * 32 reads before queues of 8 per bank that are served in turn, writes drained when their queue
     * of 32 is full; as in DRAMsim3, which lets reads go on meanwhile.
     */
    public static final Queues PER_BANK =
        new Queues(Arbitration.BANKS_IN_TURN, 32, 8, 32, 32, 6, 1);

    // Checked here and nowhere else.
    public Queues {
      requireNonNull(arbitration, "arbitration");
      require(readsCount >= 1 && readsCount <= MAX, "readsCount", readsCount, "1.." + MAX);
      require(
          readsPerBankCount >= 0 && readsPerBankCount <= PER_BANK_MAX,
          "readsPerBankCount",
          readsPerBankCount,
          "0.." + PER_BANK_MAX);
      require(writesCount >= 1 && writesCount <= MAX, "writesCount", writesCount, "1.." + MAX);
      require(
          writesHighCount >= 1 && writesHighCount <= writesCount,
          "writesHighCount",
          writesHighCount,
          "1.." + writesCount);
      require(
          writesLowCount >= 0 && writesLowCount < writesHighCount,
          "writesLowCount",
          writesLowCount,
          "0 to below " + writesHighCount);
      require(writesPerTurnMin >= 1, "writesPerTurnMin", writesPerTurnMin, ">= 1");
    }
  }

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public DramConfig {
    requireNonNull(timing, "timing");
    requireNonNull(mapping, "mapping");
    requireNonNull(pagePolicy, "pagePolicy");
    requireNonNull(queues, "queues");
    requirePowerOfTwo("channels", channels, 1, CHANNELS_MAX);
    requirePowerOfTwo("ranks", ranks, 1, RANKS_MAX);
    require(
        rowAccessesMax >= 1 && rowAccessesMax <= ROW_ACCESSES_MAX,
        "rowAccessesMax",
        rowAccessesMax,
        "1.." + ROW_ACCESSES_MAX);
    long intervalPs = timing.refresh().intervalPs();
    require(
        refreshStaggerPs >= 0 && refreshStaggerPs <= intervalPs,
        "refreshStaggerPs",
        refreshStaggerPs,
        "0.." + intervalPs);
    require(
        firstRefreshPs >= 1 && firstRefreshPs <= intervalPs,
        "firstRefreshPs",
        firstRefreshPs,
        "1.." + intervalPs);
    requireLatency(frontPs, "frontPs");
    requireLatency(backPs, "backPs");
    requireLatency(horizonPs, "horizonPs");
    new AddressMapping(mapping, timing, channels, ranks); // throws if it is none
  }

  /**
   * {@return one channel with two ranks of a part, open pages, no latency but that of the DRAM}
   *
   * @param timing the part
   */
  public static DramConfig of(DramTiming timing) {
    return new DramConfig(
        timing,
        1,
        2,
        MOP4CLXOR,
        PagePolicy.OPEN,
        16, // gem5's default
        Queues.SHARED,
        0,
        timing.refresh().intervalPs(),
        0,
        0,
        50_000); // what callers keep to, see decision 1
  }

  /**
   * {@return this DRAM made of another part, first refreshed when one of its intervals is over}
   *
   * @param newTiming as in the constructor
   */
  public DramConfig withTiming(DramTiming newTiming) {
    Draft draft = new Draft(this);
    draft.timing = newTiming;
    draft.firstRefreshPs = newTiming.refresh().intervalPs();
    return draft.toConfig();
  }

  /**
   * {@return this DRAM with more or fewer channels and ranks}
   *
   * @param newChannels as in the constructor
   * @param newRanks as in the constructor
   */
  public DramConfig withChannels(int newChannels, int newRanks) {
    Draft draft = new Draft(this);
    draft.channels = newChannels;
    draft.ranks = newRanks;
    return draft.toConfig();
  }

  /**
   * {@return this DRAM with another order of the address bits}
   *
   * @param newMapping as in the constructor
   */
  public DramConfig withMapping(String newMapping) {
    Draft draft = new Draft(this);
    draft.mapping = newMapping;
    return draft.toConfig();
  }

  /**
   * {@return this DRAM with another page policy}
   *
   * @param newPagePolicy as in the constructor
   * @param newRowAccessesMax as in the constructor
   */
  public DramConfig withPagePolicy(PagePolicy newPagePolicy, int newRowAccessesMax) {
    Draft draft = new Draft(this);
    draft.pagePolicy = newPagePolicy;
    draft.rowAccessesMax = newRowAccessesMax;
    return draft.toConfig();
  }

  /**
   * {@return this DRAM with other queues}
   *
   * @param newQueues as in the constructor
   */
  public DramConfig withQueues(Queues newQueues) {
    Draft draft = new Draft(this);
    draft.queues = newQueues;
    return draft.toConfig();
  }

  /**
   * {@return this DRAM with ranks that refresh in turn or all at once}
   *
   * @param newRefreshStaggerPs as in the constructor
   */
  public DramConfig withRefreshStaggerPs(long newRefreshStaggerPs) {
    Draft draft = new Draft(this);
    draft.refreshStaggerPs = newRefreshStaggerPs;
    return draft.toConfig();
  }

  /**
   * {@return this DRAM with another phase of the refreshes}
   *
   * @param newFirstRefreshPs as in the constructor
   */
  public DramConfig withFirstRefreshPs(long newFirstRefreshPs) {
    Draft draft = new Draft(this);
    draft.firstRefreshPs = newFirstRefreshPs;
    return draft.toConfig();
  }

  /**
   * {@return this DRAM behind other fixed latencies}
   *
   * @param newFrontPs as in the constructor
   * @param newBackPs as in the constructor
   */
  public DramConfig withLatency(long newFrontPs, long newBackPs) {
    Draft draft = new Draft(this);
    draft.frontPs = newFrontPs;
    draft.backPs = newBackPs;
    return draft.toConfig();
  }

  /**
   * {@return this DRAM with another horizon}
   *
   * @param newHorizonPs as in the constructor
   */
  public DramConfig withHorizonPs(long newHorizonPs) {
    Draft draft = new Draft(this);
    draft.horizonPs = newHorizonPs;
    return draft.toConfig();
  }

  @Override
  public DramController newController() {
    return new DramController(this);
  }

  private static void requireLatency(long value, String name) {
    require(value >= 0 && value <= LATENCY_MAX_PS, name, value, "0.." + LATENCY_MAX_PS);
  }

  /** All components, to change one of them. */
  private static final class Draft {
    private DramTiming timing;
    private int channels;
    private int ranks;
    private String mapping;
    private PagePolicy pagePolicy;
    private int rowAccessesMax;
    private Queues queues;
    private long refreshStaggerPs;
    private long firstRefreshPs;
    private long frontPs;
    private long backPs;
    private long horizonPs;

    Draft(DramConfig from) {
      timing = from.timing;
      channels = from.channels;
      ranks = from.ranks;
      mapping = from.mapping;
      pagePolicy = from.pagePolicy;
      rowAccessesMax = from.rowAccessesMax;
      queues = from.queues;
      refreshStaggerPs = from.refreshStaggerPs;
      firstRefreshPs = from.firstRefreshPs;
      frontPs = from.frontPs;
      backPs = from.backPs;
      horizonPs = from.horizonPs;
    }

    DramConfig toConfig() {
      return new DramConfig(
          timing,
          channels,
          ranks,
          mapping,
          pagePolicy,
          rowAccessesMax,
          queues,
          refreshStaggerPs,
          firstRefreshPs,
          frontPs,
          backPs,
          horizonPs);
    }
  }
}
