package io.github.bellwire.memory;

import static io.github.bellwire.memory.DramChannelLayout.ACTIVATES;
import static io.github.bellwire.memory.DramChannelLayout.ADMITTED;
import static io.github.bellwire.memory.DramChannelLayout.BANK_SHIFT;
import static io.github.bellwire.memory.DramChannelLayout.COMMAND;
import static io.github.bellwire.memory.DramChannelLayout.DRAINING;
import static io.github.bellwire.memory.DramChannelLayout.FORWARDED;
import static io.github.bellwire.memory.DramChannelLayout.IDLE_WRITING;
import static io.github.bellwire.memory.DramChannelLayout.LAST_BANK;
import static io.github.bellwire.memory.DramChannelLayout.LAST_DIRECTION;
import static io.github.bellwire.memory.DramChannelLayout.MERGED;
import static io.github.bellwire.memory.DramChannelLayout.MODE;
import static io.github.bellwire.memory.DramChannelLayout.NOW;
import static io.github.bellwire.memory.DramChannelLayout.OWNER;
import static io.github.bellwire.memory.DramChannelLayout.PENDING_READS;
import static io.github.bellwire.memory.DramChannelLayout.RANKS;
import static io.github.bellwire.memory.DramChannelLayout.READING;
import static io.github.bellwire.memory.DramChannelLayout.READS;
import static io.github.bellwire.memory.DramChannelLayout.READS_COUNT;
import static io.github.bellwire.memory.DramChannelLayout.READS_TOTAL;
import static io.github.bellwire.memory.DramChannelLayout.REFRESHES;
import static io.github.bellwire.memory.DramChannelLayout.REFRESH_STALL;
import static io.github.bellwire.memory.DramChannelLayout.ROW_CLOSED;
import static io.github.bellwire.memory.DramChannelLayout.ROW_CONFLICTS;
import static io.github.bellwire.memory.DramChannelLayout.ROW_HITS;
import static io.github.bellwire.memory.DramChannelLayout.SLOT;
import static io.github.bellwire.memory.DramChannelLayout.STATISTICS;
import static io.github.bellwire.memory.DramChannelLayout.TURNAROUNDS;
import static io.github.bellwire.memory.DramChannelLayout.TURN_WRITES;
import static io.github.bellwire.memory.DramChannelLayout.WAS_CONFLICT;
import static io.github.bellwire.memory.DramChannelLayout.WRITES;
import static io.github.bellwire.memory.DramChannelLayout.WRITES_TOTAL;

import io.github.bellwire.memory.DramConfig.Arbitration;
import io.github.bellwire.memory.DramConfig.PagePolicy;
import io.github.bellwire.memory.DramConfig.Queues;

/**
 * One channel with its scheduler. Requests arrive in an inbox, wait in a queue per bank and
 * direction, and leave with their read or write command. {@link #advance} carries out the next
 * step, an admission or a command, whichever is earlier.
 *
 * <p>First ready, first come: of all commands that would serve a waiting request the one that may
 * be issued earliest; among equals a read or write before an activate or precharge, then the older
 * request (or the next bank, if banks have their turn). A row is not closed while requests for it
 * wait, up to a limit. A request whose bank was activated for it keeps the row until it is served,
 * and no longer counts as waiting.
 *
 * <p>All state is primitive and can be copied, so that a twin can look ahead. Allocates nothing
 * after construction. Confined to the simulation thread.
 */
final class DramChannel {
  /** No time. */
  static final long NEVER = Long.MAX_VALUE;

  private static final int NONE = DramRequests.NONE;

  // The order of service as a number: time to wait, command of a row, age, bank.
  private static final int BANK_BITS = 10;
  private static final int BANK_MASK = (1 << BANK_BITS) - 1;
  private static final int AGE_BITS = 20;
  private static final long AGES = 1L << AGE_BITS;
  private static final int WAIT_SHIFT = BANK_BITS + AGE_BITS + 1;
  private static final long NO_RANK = Long.MAX_VALUE;

  private final Queues queues;
  private final PagePolicy pagePolicy;
  private final int rowAccessesMax;
  private final boolean isInTurn;
  private final int readsPerBankCount;
  private final int readsSeenCount;
  private final long frontPs;
  private final long backPs;
  private final long refreshPs;
  private final long refreshIntervalPs;
  private final int burstBytes;
  private final int requestsMax;
  private final Completions completions;

  private final DramBanks banks;
  private final DramRequests requests;
  private final int[] bankState;
  private final long[] state;
  private final long[] busy; // one bit per bank with requests
  private final long[] ready; // one bit per bank with a next command
  // Per bank, of its next command: earliest time as far as the bank is concerned, where the time
  // of its group is kept, and the order among equals.
  private final long[] bankPs;
  private final int[] groupCells;
  private final long[] places;

  // The step that comes next; not part of the state, as it follows from it.
  private boolean isChosen;
  private int bestBank;
  private int secondBank;
  private long bestPs;

  private long stepsTotal; // not part of the state, either

  /** Who is told of served requests. */
  interface Completions {
    /**
     * A request is served, or will be.
     *
     * @param tag as it was posted
     * @param acceptedPs when the queue took it
     * @param donePs when the data is there, or the write visible; may lie in the future
     */
    void onDone(long tag, long acceptedPs, long donePs);
  }

  /**
   * Creates an idle channel.
   *
   * @param config what it is made of
   * @param inboxCount requests that may have arrived but not been accepted, at least 1
   * @param completions who is told
   */
  DramChannel(DramConfig config, int inboxCount, Completions completions) {
    queues = config.queues();
    pagePolicy = config.pagePolicy();
    rowAccessesMax = config.rowAccessesMax();
    isInTurn = queues.arbitration() == Arbitration.BANKS_IN_TURN;
    readsPerBankCount = queues.readsPerBankCount();
    readsSeenCount = readsPerBankCount == 0 ? Integer.MAX_VALUE : readsPerBankCount;
    frontPs = config.frontPs();
    backPs = config.backPs();
    refreshPs = config.timing().refresh().cyclePs();
    refreshIntervalPs = config.timing().refresh().intervalPs();
    burstBytes = config.timing().organization().burstBytes();
    this.completions = completions;
    banks =
        new DramBanks(
            config.timing(), config.ranks(), config.firstRefreshPs(), config.refreshStaggerPs());
    int banksCount = banks.banksCount();
    bankState = new int[banksCount << BANK_SHIFT];
    bankPs = new long[banksCount];
    groupCells = new int[banksCount];
    places = new long[banksCount];
    busy = new long[(banksCount + Long.SIZE - 1) / Long.SIZE];
    ready = new long[busy.length];
    int perBankCount = queues.readsPerBankCount() + 1; // and one whose row is open
    requestsMax =
        queues.readsCount() + queues.writesCount() + banksCount * perBankCount + inboxCount;
    requests = new DramRequests(requestsMax, banksCount);
    state = new long[RANKS + 2 * config.ranks()];
    for (int bank = 0; bank < banksCount; bank++) {
      bankState[(bank << BANK_SHIFT) + OWNER] = NONE;
    }
  }

  /**
   * Takes over another channel's state, statistics included.
   *
   * @param other made from the same configuration
   */
  void copyFrom(DramChannel other) {
    banks.copyFrom(other.banks);
    requests.copyFrom(other.requests);
    System.arraycopy(other.bankState, 0, bankState, 0, bankState.length);
    System.arraycopy(other.state, 0, state, 0, state.length);
    System.arraycopy(other.busy, 0, busy, 0, busy.length);
    System.arraycopy(other.ready, 0, ready, 0, ready.length);
    System.arraycopy(other.bankPs, 0, bankPs, 0, bankPs.length);
    System.arraycopy(other.groupCells, 0, groupCells, 0, groupCells.length);
    System.arraycopy(other.places, 0, places, 0, places.length);
    isChosen = other.isChosen;
    bestBank = other.bestBank;
    secondBank = other.secondBank;
    bestPs = other.bestPs;
  }

  /** {@return when the last step was} */
  long nowPs() {
    return state[NOW];
  }

  /** {@return how often it was asked to advance} */
  long stepsTotal() {
    return stepsTotal;
  }

  /** {@return how many requests there may be at the same time} */
  int requestsMax() {
    return requestsMax;
  }

  /** {@return whether another request may be posted} */
  boolean hasRoom() {
    return requests.hasRoom();
  }

  /** {@return whether all posted requests have been accepted} */
  boolean isInboxEmpty() {
    return requests.inboxHead() == NONE;
  }

  /**
   * Lets a request arrive.
   *
   * @param address where it lies
   * @param isWrite direction
   * @param tag for the completion
   * @param atPs arrival at the controller
   */
  void post(DramAddress address, boolean isWrite, long tag, long atPs) {
    requests.post(address.bank(), address.row(), address.burst(), isWrite, tag, atPs + frontPs);
  }

  /**
   * Carries out all steps before a time.
   *
   * @param limitPs steps at or after it are left
   */
  void run(long limitPs) {
    boolean isRunning = true;
    while (isRunning) {
      isRunning = advance(limitPs);
    }
  }

  /**
   * Carries out the next step.
   *
   * @param limitPs if it is before this
   * @return whether there was one
   */
  boolean advance(long limitPs) {
    stepsTotal++;
    if (!isChosen) {
      choose();
    }
    long admissionPs = admissionPs();
    if (admissionPs <= bestPs) {
      if (admissionPs >= limitPs) {
        return false;
      }
      state[NOW] = admissionPs;
      admit();
      return true;
    }
    if (bestPs >= limitPs) {
      return false;
    }
    int rank = banks.rank(bestBank);
    if (banks.refreshDuePs(rank) <= bestPs && state[RANKS + 2 * rank + 1] == 0) {
      beginRefresh(rank);
      return true;
    }
    issue(bestBank, bestPs);
    return true;
  }

  // Admission

  /** Returns when the oldest request of the inbox can be accepted as things are now. */
  private long admissionPs() {
    int slot = requests.inboxHead();
    if (slot == NONE) {
      return NEVER;
    }
    boolean isFull =
        requests.isWrite(slot)
            ? state[WRITES] >= queues.writesCount()
            : state[READS] >= queues.readsCount();
    return isFull ? NEVER : Math.max(requests.arrivalPs(slot), state[NOW]);
  }

  private void admit() {
    int slot = requests.inboxHead();
    boolean isWrite = requests.isWrite(slot);
    long acceptedPs = state[NOW] - frontPs;
    requests.accept(acceptedPs);
    if (state[WRITES] > 0 && requests.isWritten(slot)) {
      state[isWrite ? MERGED : FORWARDED]++;
      long donePs = isWrite ? state[NOW] : state[NOW] + backPs;
      completions.onDone(requests.tag(slot), acceptedPs, donePs);
      requests.release(slot);
      return;
    }
    requests.append(slot, state[ADMITTED]++);
    int bank = requests.bank(slot);
    if (isWrite) {
      state[WRITES]++;
      completions.onDone(requests.tag(slot), acceptedPs, state[NOW]);
    } else {
      if (bankState[(bank << BANK_SHIFT) + READS_COUNT]++ >= readsPerBankCount) {
        state[READS]++;
      }
      state[PENDING_READS]++;
    }
    busy[bank >> 6] |= 1L << bank;
    if (!turn()) {
      reconsider(bank);
    }
  }

  // Reads or writes

  /** Turns to the other direction if it is time to; returns whether it did. */
  private boolean turn() {
    long mode = state[MODE];
    long next;
    if (state[WRITES] >= queues.writesHighCount()) {
      next = DRAINING;
    } else if (state[WRITES] == 0) {
      next = READING;
    } else if (mode == DRAINING) {
      boolean isEnough =
          state[WRITES] <= queues.writesLowCount()
              && state[TURN_WRITES] >= queues.writesPerTurnMin();
      next = isEnough && state[READS] > 0 ? READING : DRAINING;
    } else {
      next = state[PENDING_READS] > 0 ? READING : IDLE_WRITING;
    }
    if (next == mode) {
      return false;
    }
    if (next == DRAINING) {
      state[TURN_WRITES] = 0;
    }
    state[MODE] = next;
    updateAll();
    return true;
  }

  private void updateAll() {
    for (int word = 0; word < busy.length; word++) {
      for (long bits = busy[word]; bits != 0; bits &= bits - 1) {
        update((word << 6) + Long.numberOfTrailingZeros(bits));
      }
    }
    isChosen = false;
  }

  // Choice

  /** Finds out what a bank would do next, and for which request. */
  private void update(int bank) {
    int owner = bankState[(bank << BANK_SHIFT) + OWNER];
    if (owner != NONE) {
      decide(bank, requests.isWrite(owner) ? DramBanks.WRITE : DramBanks.READ, owner);
      return;
    }
    boolean isWriting = state[MODE] != READING;
    int head = requests.head(bank, isWriting);
    if (head == NONE || state[RANKS + 2 * banks.rank(bank) + 1] != 0) {
      decide(bank, DramBanks.NOTHING, NONE);
      if (!requests.isBankWanted(bank)) {
        busy[bank >> 6] &= ~(1L << bank);
      }
      return;
    }
    long row = banks.row(bank);
    if (row == DramBanks.CLOSED) {
      decide(bank, DramBanks.ACTIVATE, head);
      return;
    }
    int hit = requests.firstOfRow(head, row, isWriting ? Integer.MAX_VALUE : readsSeenCount);
    if (hit == NONE || hit != head && banks.accesses(bank) >= rowAccessesMax) {
      decide(bank, DramBanks.PRECHARGE, head);
    } else {
      decide(bank, isWriting ? DramBanks.WRITE : DramBanks.READ, hit);
    }
  }

  private void decide(int bank, int command, int slot) {
    int at = bank << BANK_SHIFT;
    bankState[at + COMMAND] = command;
    bankState[at + SLOT] = slot;
    if (command == DramBanks.NOTHING) {
      ready[bank >> 6] &= ~(1L << bank);
    } else {
      ready[bank >> 6] |= 1L << bank;
      bankPs[bank] = banks.bankPs(command, bank);
      groupCells[bank] = banks.groupCell(command, bank);
      places[bank] = requests.order(slot) + (command < DramBanks.READ ? 2 * AGES : AGES);
    }
  }

  /** As {@link #update} after a request was added, keeping the choice where that is possible. */
  private void reconsider(int bank) {
    boolean isKept = isChosen && bestPs != NEVER;
    update(bank);
    if (!isKept) {
      isChosen = false;
      return;
    }
    if ((ready[bank >> 6] & 1L << bank) == 0) {
      return; // a write while the bus is for reads, say
    }
    int before = bestBank;
    choose(before, bank);
    secondBank = bestBank == before ? NONE : before;
  }

  private void choose() {
    long floorPs = floorPs();
    long best = NO_RANK;
    for (int word = 0; word < ready.length; word++) {
      for (long bits = ready[word]; bits != 0; bits &= bits - 1) {
        int bank = (word << 6) + Long.numberOfTrailingZeros(bits);
        best = DramBanks.min(best, rank(bank, floorPs));
      }
    }
    take(best, floorPs);
  }

  private void choose(int left, int right) {
    long floorPs = floorPs();
    take(DramBanks.min(rank(left, floorPs), rank(right, floorPs)), floorPs);
  }

  /** Returns a time before which there is no command. */
  private long floorPs() {
    // With one bus for all commands, that is free at the same time for each.
    return banks.isRowBusSeparate()
        ? state[NOW]
        : Math.max(state[NOW], banks.busPs(DramBanks.PRECHARGE));
  }

  private void take(long best, long floorPs) {
    secondBank = NONE;
    bestBank = (int) best & BANK_MASK;
    bestPs = best == NO_RANK ? NEVER : floorPs + (best >>> WAIT_SHIFT);
    isChosen = true;
  }

  /**
   * Returns a bank's place in the order of service: the time that its command has to wait, then the
   * arbitration, then its number, in the bits of one number. Without a branch: which of the banks
   * comes first cannot be predicted, and this is where the time of a simulation goes.
   */
  private long rank(int bank, long floorPs) {
    int cell = groupCells[bank];
    long earliestPs = DramBanks.max(bankPs[bank], banks.groupPs(cell));
    if (banks.isRowBusSeparate()) {
      earliestPs = DramBanks.max(earliestPs, banks.busPs(cell));
    }
    // The wait fits, as a refresh interval does.
    long waitPs = DramBanks.max(earliestPs - floorPs, 0);
    long place =
        isInTurn
            ? bank - state[LAST_BANK] - 1 & BANK_MASK
            : DramBanks.max(places[bank] - state[ADMITTED], 0);
    return waitPs << WAIT_SHIFT | place << BANK_BITS | bank;
  }

  // Commands

  private void issue(int bank, long atPs) {
    int at = bank << BANK_SHIFT;
    int slot = bankState[at + SLOT];
    state[NOW] = atPs;
    state[LAST_BANK] = bank;
    isChosen = false;
    switch (bankState[at + COMMAND]) {
      case DramBanks.PRECHARGE -> {
        banks.precharge(bank, atPs);
        bankState[at + WAS_CONFLICT] = 1;
        update(bank);
        if (secondBank != NONE) {
          // Nothing else has changed since that was the choice.
          choose(secondBank, bank);
        }
      }
      case DramBanks.ACTIVATE -> activate(bank, slot, atPs);
      case DramBanks.READ -> {
        long donePs = banks.read(bank, atPs) + backPs;
        completions.onDone(requests.tag(slot), requests.acceptedPs(slot), donePs);
        served(bank, slot, false);
      }
      default -> {
        banks.write(bank, atPs);
        served(bank, slot, true);
      }
    }
  }

  private void activate(int bank, int slot, long atPs) {
    int at = bank << BANK_SHIFT;
    banks.activate(bank, requests.row(slot), atPs);
    leaveQueue(bank, slot, requests.isWrite(slot));
    bankState[at + OWNER] = slot;
    state[RANKS + 2 * banks.rank(bank)]++;
    state[ACTIVATES]++;
    state[bankState[at + WAS_CONFLICT] != 0 ? ROW_CONFLICTS : ROW_CLOSED]++;
    bankState[at + WAS_CONFLICT] = 0;
    if (!turn()) {
      update(bank);
    }
  }

  private void leaveQueue(int bank, int slot, boolean isWrite) {
    requests.unlink(slot);
    if (isWrite) {
      state[WRITES]--;
      state[TURN_WRITES]++;
    } else if (--bankState[(bank << BANK_SHIFT) + READS_COUNT] >= readsPerBankCount) {
      state[READS]--;
    }
  }

  private void served(int bank, int slot, boolean isWrite) {
    int at = bank << BANK_SHIFT;
    int rank = banks.rank(bank);
    if (bankState[at + OWNER] == slot) {
      bankState[at + OWNER] = NONE;
      state[RANKS + 2 * rank]--;
    } else {
      leaveQueue(bank, slot, isWrite);
      state[ROW_HITS]++;
    }
    requests.release(slot);
    state[isWrite ? WRITES_TOTAL : READS_TOTAL]++;
    if (!isWrite) {
      state[PENDING_READS]--;
    }
    int direction = isWrite ? DramBanks.WRITE : DramBanks.READ;
    if (state[LAST_DIRECTION] != direction) {
      state[TURNAROUNDS] += state[LAST_DIRECTION] == 0 ? 0 : 1;
      state[LAST_DIRECTION] = direction;
    }
    if (isToBeClosed(bank)) {
      banks.autoPrecharge(bank);
    }
    boolean isTurned = turn();
    if (state[RANKS + 2 * rank + 1] != 0 && state[RANKS + 2 * rank] == 0) {
      refresh(rank);
    } else if (!isTurned) {
      update(bank);
    }
  }

  private boolean isToBeClosed(int bank) {
    if (pagePolicy == PagePolicy.OPEN) {
      return false;
    }
    return !requests.isRowWanted(bank, banks.row(bank), readsSeenCount)
        && (pagePolicy == PagePolicy.CLOSED || requests.isBankWanted(bank));
  }

  // Refresh

  /** Lets the rank finish what it was activated for, and nothing else. */
  private void beginRefresh(int rank) {
    state[RANKS + 2 * rank + 1] = 1;
    if (state[RANKS + 2 * rank] == 0) {
      refresh(rank);
    } else {
      updateRank(rank);
    }
  }

  private void refresh(int rank) {
    long duePs = banks.refreshDuePs(rank);
    long count = banks.refresh(rank, Math.max(bestPs, duePs));
    state[RANKS + 2 * rank + 1] = 0;
    state[REFRESHES] += count;
    long lastDuePs = duePs + (count - 1) * refreshIntervalPs;
    state[REFRESH_STALL] += (count - 1) * refreshPs + banks.backPs(rank) - lastDuePs;
    updateRank(rank);
  }

  private void updateRank(int rank) {
    int first = rank * banks.banksPerRankCount();
    for (int bank = first; bank < first + banks.banksPerRankCount(); bank++) {
      bankState[(bank << BANK_SHIFT) + WAS_CONFLICT] = 0;
      if ((busy[bank >> 6] & 1L << bank) != 0) {
        update(bank);
      }
    }
    isChosen = false;
  }

  // Statistics

  /**
   * Adds this channel's counters.
   *
   * @param sum in the order of {@link DramStatistics}, but for the bytes
   */
  void addStatistics(long[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += state[STATISTICS + i];
    }
  }

  /** {@return the counters of channels as one} */
  static DramStatistics statistics(DramChannel[] channels) {
    long[] sum = new long[RANKS - STATISTICS];
    for (DramChannel channel : channels) {
      channel.addStatistics(sum);
    }
    return DramChannelLayout.statistics(sum, channels[0].burstBytes);
  }
}
