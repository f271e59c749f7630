package io.github.bellwire.memory;

import io.github.bellwire.memory.DramTiming.Column;
import io.github.bellwire.memory.DramTiming.Row;

/**
 * The JEDEC side of one channel: open rows, and the earliest time of each command. Keeps absolute
 * times only; commands are issued in the order of time, and a caller issues none before its
 * earliest time.
 *
 * <p>A bank's number is (rank x groups + group) x banks per group + bank. The precharges and the
 * command of a refresh take no slot on the command bus. Confined to the simulation thread.
 */
final class DramBanks {
  /** No row is open. */
  static final long CLOSED = -1;

  private static final int BANK_SHIFT = 3;
  private static final int ROW = 0;
  private static final int ACTIVATE_AT = 1;
  private static final int PRECHARGE_AT = 2;
  private static final int READ_AT = 3;
  private static final int WRITE_AT = 4;
  private static final int ACCESSES = 5;

  private static final int GROUP_SHIFT = 2;
  private static final int GROUP_ACTIVATE_AT = 0;
  private static final int GROUP_READ_AT = 1;
  private static final int GROUP_WRITE_AT = 2;

  private static final int RANK_SHIFT = 3;
  private static final int REFRESH_DUE = 0;
  private static final int WINDOW_NEXT = 1;
  private static final int WINDOW = 2; // and the three after it: the last four activates
  private static final int WINDOW_MASK = 3;

  private final int banksCount;
  private final int groupsCount;
  private final int groupBits;
  private final int bankInGroupBits;
  private final int bankInRankBits;
  private final int groupBase;
  private final int rankBase;
  private final int rowBus;
  private final int columnBus;

  private final long clockPs;
  private final long activateBusPs;
  private final long columnBusPs;
  private final long activateToReadPs;
  private final long activateToWritePs;
  private final long activateToPrechargePs;
  private final long activateToActivatePs;
  private final long prechargePs;
  private final long readToPrechargePs;
  private final long writeToPrechargePs;
  private final long activateShortPs;
  private final long activateLongPs;
  private final long fourActivatesPs;
  private final long refreshPs;
  private final long refreshIntervalPs;
  private final long readToDataEndPs;
  // From a read or a write to the next read and write: same group, same rank, other rank.
  private final Distances afterRead;
  private final Distances afterWrite;

  /** All mutable state: banks, groups, ranks, command buses. */
  private final long[] state;

  /** Distances to the next columns; those to another rank are 0 if the ranks share no data bus. */
  private record Distances(
      long readLong,
      long readShort,
      long readOther,
      long writeLong,
      long writeShort,
      long writeOther) {}

  /**
   * Creates closed banks.
   *
   * @param timing the part
   * @param ranksCount of the channel
   * @param refreshStaggerPs how much later each rank refreshes than the one before it
   */
  DramBanks(DramTiming timing, int ranksCount, long refreshStaggerPs) {
    DramTiming.Organization organization = timing.organization();
    banksCount = ranksCount * organization.banksCount();
    groupsCount = ranksCount * organization.bankGroupsCount();
    groupBits = Integer.numberOfTrailingZeros(organization.bankGroupsCount());
    bankInGroupBits = Integer.numberOfTrailingZeros(organization.banksPerGroupCount());
    bankInRankBits = groupBits + bankInGroupBits;
    groupBase = banksCount << BANK_SHIFT;
    rankBase = groupBase + (groupsCount << GROUP_SHIFT);
    rowBus = rankBase + (ranksCount << RANK_SHIFT);
    columnBus = timing.commandBus().isRowBusSeparate() ? rowBus + 1 : rowBus;
    state = new long[rowBus + 2];

    clockPs = timing.clockPs();
    activateBusPs = timing.commandBus().activateClocks() * clockPs;
    columnBusPs = timing.commandBus().columnClocks() * clockPs;
    Row row = timing.row();
    activateToReadPs = row.activateToRead() * clockPs;
    activateToWritePs = row.activateToWrite() * clockPs;
    activateToPrechargePs = row.activateToPrecharge() * clockPs;
    prechargePs = row.precharge() * clockPs;
    activateToActivatePs = activateToPrechargePs + prechargePs;
    activateShortPs = row.spacingShort() * clockPs;
    activateLongPs = row.spacingLong() * clockPs;
    fourActivatesPs = row.fourActivates() * clockPs;
    readToPrechargePs = row.readToPrecharge() * clockPs;
    Column column = timing.column();
    long writeToDataEndPs = (column.writeLatency() + column.burst()) * clockPs;
    writeToPrechargePs = writeToDataEndPs + row.writeRecovery() * clockPs;
    readToDataEndPs = (column.readLatency() + column.burst()) * clockPs;
    afterRead = afterRead(timing);
    afterWrite = afterWrite(timing);
    refreshPs = timing.refresh().cyclePs();
    refreshIntervalPs = timing.refresh().intervalPs();
    reset(ranksCount, refreshStaggerPs);
  }

  private static Distances afterRead(DramTiming timing) {
    Column column = timing.column();
    long clockPs = timing.clockPs();
    long toWrite =
        Math.max(
            column.burst(),
            column.readLatency()
                + column.burst()
                + column.readToWriteGap()
                - column.writeLatency());
    boolean isShared = !timing.organization().isBusPerRank();
    return new Distances(
        Math.max(column.burst(), column.spacingLong()) * clockPs,
        Math.max(column.burst(), column.spacingShort()) * clockPs,
        isShared ? (column.burst() + column.rankSwitch()) * clockPs : 0,
        toWrite * clockPs,
        toWrite * clockPs,
        isShared ? toWrite * clockPs : 0);
  }

  private static Distances afterWrite(DramTiming timing) {
    Column column = timing.column();
    long clockPs = timing.clockPs();
    long toDataEnd = column.writeLatency() + column.burst();
    boolean isShared = !timing.organization().isBusPerRank();
    long toOtherRead =
        Math.max(column.burst(), toDataEnd + column.rankSwitch() - column.readLatency());
    return new Distances(
        (toDataEnd + column.writeToReadLong()) * clockPs,
        (toDataEnd + column.writeToReadShort()) * clockPs,
        isShared ? toOtherRead * clockPs : 0,
        Math.max(column.burst(), column.spacingLongWrite()) * clockPs,
        Math.max(column.burst(), column.spacingShort()) * clockPs,
        isShared ? column.burst() * clockPs : 0);
  }

  private void reset(int ranksCount, long refreshStaggerPs) {
    for (int bank = 0; bank < banksCount; bank++) {
      state[(bank << BANK_SHIFT) + ROW] = CLOSED;
    }
    for (int rank = 0; rank < ranksCount; rank++) {
      int at = rankBase + (rank << RANK_SHIFT);
      state[at + REFRESH_DUE] = refreshIntervalPs + rank * refreshStaggerPs;
      for (int i = 0; i <= WINDOW_MASK; i++) {
        state[at + WINDOW + i] = -fourActivatesPs; // no activate yet
      }
    }
  }

  /**
   * Takes over another channel's state.
   *
   * @param other made from the same configuration
   */
  void copyFrom(DramBanks other) {
    System.arraycopy(other.state, 0, state, 0, state.length);
  }

  int banksCount() {
    return banksCount;
  }

  int banksPerRankCount() {
    return 1 << bankInRankBits;
  }

  int bank(long rank, long group, long bank) {
    return (int) ((rank << groupBits | group) << bankInGroupBits | bank);
  }

  int rank(int bank) {
    return bank >> bankInRankBits;
  }

  /** {@return the open row of a bank, or {@link #CLOSED}} */
  long row(int bank) {
    return state[(bank << BANK_SHIFT) + ROW];
  }

  /** {@return reads and writes of the open row so far} */
  long accesses(int bank) {
    return state[(bank << BANK_SHIFT) + ACCESSES];
  }

  long activateAt(int bank) {
    int group = bank >> bankInGroupBits;
    int rank = rankBase + (bank >> bankInRankBits << RANK_SHIFT);
    long bankPs = state[(bank << BANK_SHIFT) + ACTIVATE_AT];
    long groupPs = state[groupBase + (group << GROUP_SHIFT) + GROUP_ACTIVATE_AT];
    // The slot to be overwritten next holds the fourth last activate.
    long windowPs = state[rank + WINDOW + (int) state[rank + WINDOW_NEXT]] + fourActivatesPs;
    return Math.max(Math.max(bankPs, groupPs), Math.max(windowPs, state[rowBus]));
  }

  long prechargeAt(int bank) {
    return Math.max(state[(bank << BANK_SHIFT) + PRECHARGE_AT], state[rowBus]);
  }

  long readAt(int bank) {
    int group = groupBase + (bank >> bankInGroupBits << GROUP_SHIFT);
    long bankPs = state[(bank << BANK_SHIFT) + READ_AT];
    return Math.max(Math.max(bankPs, state[group + GROUP_READ_AT]), state[columnBus]);
  }

  long writeAt(int bank) {
    int group = groupBase + (bank >> bankInGroupBits << GROUP_SHIFT);
    long bankPs = state[(bank << BANK_SHIFT) + WRITE_AT];
    return Math.max(Math.max(bankPs, state[group + GROUP_WRITE_AT]), state[columnBus]);
  }

  void activate(int bank, long row, long atPs) {
    int at = bank << BANK_SHIFT;
    state[at + ROW] = row;
    state[at + ACTIVATE_AT] = atPs + activateToActivatePs;
    state[at + PRECHARGE_AT] = atPs + activateToPrechargePs;
    state[at + READ_AT] = atPs + activateToReadPs;
    state[at + WRITE_AT] = atPs + activateToWritePs;
    state[at + ACCESSES] = 0;
    int own = bank >> bankInGroupBits;
    int first = own >> groupBits << groupBits;
    for (int group = first; group < first + (1 << groupBits); group++) {
      long distancePs = group == own ? activateLongPs : activateShortPs;
      raise(groupBase + (group << GROUP_SHIFT) + GROUP_ACTIVATE_AT, atPs + distancePs);
    }
    int rank = rankBase + (bank >> bankInRankBits << RANK_SHIFT);
    int next = (int) state[rank + WINDOW_NEXT];
    state[rank + WINDOW + next] = atPs;
    state[rank + WINDOW_NEXT] = next + 1 & WINDOW_MASK;
    state[rowBus] = atPs + activateBusPs;
  }

  void precharge(int bank, long atPs) {
    close(bank, atPs);
    state[rowBus] = atPs + clockPs;
  }

  /** Closes a row as soon as that is allowed, by the last read or write itself. */
  void autoPrecharge(int bank) {
    close(bank, state[(bank << BANK_SHIFT) + PRECHARGE_AT]);
  }

  private void close(int bank, long atPs) {
    int at = bank << BANK_SHIFT;
    state[at + ROW] = CLOSED;
    raise(at + ACTIVATE_AT, atPs + prechargePs);
  }

  /**
   * {@return when the last data of the read is on the bus}
   *
   * @param bank with an open row
   * @param atPs not before {@link #readAt}
   */
  long read(int bank, long atPs) {
    column(bank, atPs, afterRead);
    raise((bank << BANK_SHIFT) + PRECHARGE_AT, atPs + readToPrechargePs);
    return atPs + readToDataEndPs;
  }

  void write(int bank, long atPs) {
    column(bank, atPs, afterWrite);
    raise((bank << BANK_SHIFT) + PRECHARGE_AT, atPs + writeToPrechargePs);
  }

  private void column(int bank, long atPs, Distances distances) {
    int own = bank >> bankInGroupBits;
    int first = own >> groupBits << groupBits;
    int last = first + (1 << groupBits) - 1;
    for (int group = 0; group < groupsCount; group++) {
      boolean isOther = group < first || group > last;
      int at = groupBase + (group << GROUP_SHIFT);
      raise(at + GROUP_READ_AT, atPs + (isOther ? distances.readOther : distances.readShort));
      raise(at + GROUP_WRITE_AT, atPs + (isOther ? distances.writeOther : distances.writeShort));
    }
    int at = groupBase + (own << GROUP_SHIFT);
    raise(at + GROUP_READ_AT, atPs + distances.readLong);
    raise(at + GROUP_WRITE_AT, atPs + distances.writeLong);
    state[(bank << BANK_SHIFT) + ACCESSES]++;
    state[columnBus] = atPs + columnBusPs;
  }

  /** {@return when a rank has to be refreshed next} */
  long refreshDuePs(int rank) {
    return state[rankBase + (rank << RANK_SHIFT) + REFRESH_DUE];
  }

  /**
   * Refreshes a rank: closes its rows and keeps it away for a while. A rank that has been idle may
   * have missed several refreshes; all but the last one are over before anybody notices.
   *
   * @param rank whose next refresh is due by now
   * @param nowPs not before the refresh is due
   * @return how many refreshes this were
   */
  long refresh(int rank, long nowPs) {
    int dueAt = rankBase + (rank << RANK_SHIFT) + REFRESH_DUE;
    // Rounds down: the last interval that has begun.
    long count = (nowPs - state[dueAt]) / refreshIntervalPs + 1;
    long firstDuePs = state[dueAt];
    long duePs = firstDuePs + (count - 1) * refreshIntervalPs;
    int first = rank << bankInRankBits;
    int end = first + (1 << bankInRankBits);
    long startPs = duePs;
    for (int bank = first; bank < end; bank++) {
      int at = bank << BANK_SHIFT;
      if (state[at + ROW] != CLOSED) {
        close(bank, Math.max(firstDuePs, state[at + PRECHARGE_AT]));
      }
      startPs = Math.max(startPs, state[at + ACTIVATE_AT]);
    }
    for (int bank = first; bank < end; bank++) {
      state[(bank << BANK_SHIFT) + ACTIVATE_AT] = startPs + refreshPs;
    }
    state[dueAt] = duePs + refreshIntervalPs;
    return count;
  }

  /** {@return when a rank is back from its last refresh, if it has not been used since} */
  long backPs(int rank) {
    return state[(rank << bankInRankBits << BANK_SHIFT) + ACTIVATE_AT];
  }

  private void raise(int at, long ps) {
    if (state[at] < ps) {
      state[at] = ps;
    }
  }
}
