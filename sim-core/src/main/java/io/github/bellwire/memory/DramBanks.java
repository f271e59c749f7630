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

  // Commands. Each is also the index of its earliest time in a bank, in a group and on its bus.
  /** No command. */
  static final int NOTHING = 0;

  static final int PRECHARGE = 1;
  static final int ACTIVATE = 2;
  static final int READ = 3;
  static final int WRITE = 4;

  private static final int COMMAND_MASK = 7;

  private static final int SHIFT = 3; // of banks, groups and ranks
  private static final int ROW = 5;
  private static final int ACCESSES = 6;

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
  private final int busBase;
  private final boolean isRowBusSeparate;

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
   * @param firstRefreshPs when the first rank is refreshed for the first time
   * @param refreshStaggerPs how much later each rank refreshes than the one before it
   */
  DramBanks(DramTiming timing, int ranksCount, long firstRefreshPs, long refreshStaggerPs) {
    DramTiming.Organization organization = timing.organization();
    banksCount = ranksCount * organization.banksCount();
    groupsCount = ranksCount * organization.bankGroupsCount();
    groupBits = Integer.numberOfTrailingZeros(organization.bankGroupsCount());
    bankInGroupBits = Integer.numberOfTrailingZeros(organization.banksPerGroupCount());
    bankInRankBits = groupBits + bankInGroupBits;
    groupBase = banksCount << SHIFT;
    rankBase = groupBase + (groupsCount << SHIFT);
    busBase = rankBase + (ranksCount << SHIFT);
    isRowBusSeparate = timing.commandBus().isRowBusSeparate();
    state = new long[busBase + WRITE + 1];

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
    reset(ranksCount, firstRefreshPs, refreshStaggerPs);
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

  private void reset(int ranksCount, long firstRefreshPs, long refreshStaggerPs) {
    for (int bank = 0; bank < banksCount; bank++) {
      state[(bank << SHIFT) + ROW] = CLOSED;
    }
    for (int rank = 0; rank < ranksCount; rank++) {
      int at = rankBase + (rank << SHIFT);
      state[at + REFRESH_DUE] = firstRefreshPs + rank * refreshStaggerPs;
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

  int rank(int bank) {
    return bank >> bankInRankBits;
  }

  /** {@return the open row of a bank, or {@link #CLOSED}} */
  long row(int bank) {
    return state[(bank << SHIFT) + ROW];
  }

  /** {@return reads and writes of the open row so far} */
  long accesses(int bank) {
    return state[(bank << SHIFT) + ACCESSES];
  }

  /**
   * {@return the earliest time of a command as far as its bank is concerned}
   *
   * @param command not {@link #NOTHING}
   * @param bank whose row is open or closed as the command needs it
   */
  long bankPs(int command, int bank) {
    return state[(bank << SHIFT) + command];
  }

  /**
   * {@return where {@link #groupPs} and {@link #busPs} find what limits a command beside its bank}
   *
   * @param command not {@link #NOTHING}
   * @param bank of the command
   */
  int groupCell(int command, int bank) {
    return groupBase + (bank >> bankInGroupBits << SHIFT) + command;
  }

  /**
   * {@return the earliest time of a command as far as its group, its rank and the data bus are
   * concerned}
   *
   * @param groupCell as {@link #groupCell} returns it
   */
  long groupPs(int groupCell) {
    return state[groupCell];
  }

  /**
   * {@return when the command bus of a command is free}
   *
   * @param groupCell as {@link #groupCell} returns it
   */
  long busPs(int groupCell) {
    // All parts of the state begin at multiples, so the low bits are the command.
    return state[busBase + (groupCell & COMMAND_MASK)];
  }

  /** {@return whether commands of rows have a bus of their own} */
  boolean isRowBusSeparate() {
    return isRowBusSeparate;
  }

  void activate(int bank, long row, long atPs) {
    int at = bank << SHIFT;
    state[at + ROW] = row;
    state[at + ACTIVATE] = atPs + activateToActivatePs;
    state[at + PRECHARGE] = atPs + activateToPrechargePs;
    state[at + READ] = atPs + activateToReadPs;
    state[at + WRITE] = atPs + activateToWritePs;
    state[at + ACCESSES] = 0;
    int rank = rankBase + (bank >> bankInRankBits << SHIFT);
    int next = (int) state[rank + WINDOW_NEXT];
    state[rank + WINDOW + next] = atPs;
    next = next + 1 & WINDOW_MASK;
    state[rank + WINDOW_NEXT] = next;
    // What the next activate overwrites is by then the fifth last.
    long windowPs = state[rank + WINDOW + next] + fourActivatesPs;
    int own = bank >> bankInGroupBits;
    int first = own >> groupBits << groupBits;
    for (int group = first; group < first + (1 << groupBits); group++) {
      long distancePs = group == own ? activateLongPs : activateShortPs;
      raise(groupBase + (group << SHIFT) + ACTIVATE, Math.max(windowPs, atPs + distancePs));
    }
    occupyRowBus(atPs + activateBusPs);
  }

  void precharge(int bank, long atPs) {
    close(bank, atPs);
    occupyRowBus(atPs + clockPs);
  }

  /** Closes a row as soon as that is allowed, by the last read or write itself. */
  void autoPrecharge(int bank) {
    close(bank, state[(bank << SHIFT) + PRECHARGE]);
  }

  private void close(int bank, long atPs) {
    int at = bank << SHIFT;
    state[at + ROW] = CLOSED;
    raise(at + ACTIVATE, atPs + prechargePs);
  }

  /**
   * {@return when the last data of the read is on the bus}
   *
   * @param bank with an open row
   * @param atPs not before {@link #readAt}
   */
  long read(int bank, long atPs) {
    column(bank, atPs, afterRead);
    raise((bank << SHIFT) + PRECHARGE, atPs + readToPrechargePs);
    return atPs + readToDataEndPs;
  }

  void write(int bank, long atPs) {
    column(bank, atPs, afterWrite);
    raise((bank << SHIFT) + PRECHARGE, atPs + writeToPrechargePs);
  }

  private void column(int bank, long atPs, Distances distances) {
    int own = bank >> bankInGroupBits;
    int first = own >> groupBits << groupBits;
    int last = first + (1 << groupBits) - 1;
    for (int group = 0; group < groupsCount; group++) {
      boolean isOther = group < first || group > last;
      int at = groupBase + (group << SHIFT);
      raise(at + READ, atPs + (isOther ? distances.readOther : distances.readShort));
      raise(at + WRITE, atPs + (isOther ? distances.writeOther : distances.writeShort));
    }
    int at = groupBase + (own << SHIFT);
    raise(at + READ, atPs + distances.readLong);
    raise(at + WRITE, atPs + distances.writeLong);
    state[(bank << SHIFT) + ACCESSES]++;
    occupyColumnBus(atPs + columnBusPs);
  }

  private void occupyRowBus(long untilPs) {
    state[busBase + PRECHARGE] = untilPs;
    state[busBase + ACTIVATE] = untilPs;
    if (!isRowBusSeparate) {
      state[busBase + READ] = untilPs;
      state[busBase + WRITE] = untilPs;
    }
  }

  private void occupyColumnBus(long untilPs) {
    state[busBase + READ] = untilPs;
    state[busBase + WRITE] = untilPs;
    if (!isRowBusSeparate) {
      state[busBase + PRECHARGE] = untilPs;
      state[busBase + ACTIVATE] = untilPs;
    }
  }

  /** {@return when a rank has to be refreshed next} */
  long refreshDuePs(int rank) {
    return state[rankBase + (rank << SHIFT) + REFRESH_DUE];
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
    int dueAt = rankBase + (rank << SHIFT) + REFRESH_DUE;
    // Rounds down: the last interval that has begun.
    long count = (nowPs - state[dueAt]) / refreshIntervalPs + 1;
    long firstDuePs = state[dueAt];
    long duePs = firstDuePs + (count - 1) * refreshIntervalPs;
    int first = rank << bankInRankBits;
    int end = first + (1 << bankInRankBits);
    long startPs = duePs;
    for (int bank = first; bank < end; bank++) {
      int at = bank << SHIFT;
      if (state[at + ROW] != CLOSED) {
        close(bank, Math.max(firstDuePs, state[at + PRECHARGE]));
      }
      startPs = Math.max(startPs, state[at + ACTIVATE]);
    }
    for (int bank = first; bank < end; bank++) {
      state[(bank << SHIFT) + ACTIVATE] = startPs + refreshPs;
    }
    state[dueAt] = duePs + refreshIntervalPs;
    return count;
  }

  /** {@return when a rank is back from its last refresh, if it has not been used since} */
  long backPs(int rank) {
    return state[(rank << bankInRankBits << SHIFT) + ACTIVATE];
  }

  private void raise(int at, long ps) {
    state[at] = max(state[at], ps);
  }

  /**
   * {@return the larger one, without a branch} JDK 17 compiles {@link Math#max(long, long)} to one,
   * and here nobody can predict it.
   *
   * @param left less than 2^63 away from right
   * @param right the other
   */
  static long max(long left, long right) {
    long difference = left - right;
    return left - (difference & difference >> Long.SIZE - 1);
  }

  /**
   * {@return the smaller one, without a branch}
   *
   * @param left less than 2^63 away from right
   * @param right the other
   */
  static long min(long left, long right) {
    long difference = left - right;
    return right + (difference & difference >> Long.SIZE - 1);
  }
}
