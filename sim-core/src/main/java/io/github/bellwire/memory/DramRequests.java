package io.github.bellwire.memory;

/**
 * The requests of one channel: an inbox in the order of arrivals, and a queue per bank and
 * direction in the order of admission. A request is known by its slot.
 *
 * <p>All state is primitive and can be copied. Allocates nothing after construction. Confined to
 * the simulation thread.
 */
final class DramRequests {
  /** No slot. */
  static final int NONE = -1;

  // Per request.
  private static final int SHIFT = 3;
  private static final int BURST = 0;
  private static final int ROW = 1;
  private static final int ARRIVAL = 2;
  private static final int ACCEPTED = 3;
  private static final int TAG = 4;
  private static final int ORDER = 5;
  private static final int QUEUE = 6;
  private static final int NEXT = 7;

  // Of all.
  private static final int FREE = 0;
  private static final int FREE_COUNT = 1;
  private static final int INBOX_HEAD = 2;
  private static final int INBOX_TAIL = 3;
  private static final int USED = 4; // slots that have ever been used, the lowest ones

  private final long[] requests;
  private final int[] heads; // per queue
  private final int[] tails;
  private final int[] state = new int[USED + 1];

  /**
   * Creates empty queues.
   *
   * @param slotsCount requests that there may be at the same time
   * @param banksCount of the channel
   */
  DramRequests(int slotsCount, int banksCount) {
    requests = new long[slotsCount << SHIFT];
    heads = new int[2 * banksCount];
    tails = new int[2 * banksCount];
    for (int queue = 0; queue < heads.length; queue++) {
      heads[queue] = NONE;
      tails[queue] = NONE;
    }
    state[INBOX_HEAD] = NONE;
    state[INBOX_TAIL] = NONE;
    state[FREE] = NONE;
    for (int slot = slotsCount - 1; slot >= 0; slot--) {
      release(slot);
    }
  }

  /**
   * Takes over another one's state.
   *
   * @param other of the same size
   */
  void copyFrom(DramRequests other) {
    // The slots behind are linked as they were at the beginning.
    int usedCount = Math.max(state[USED], other.state[USED]);
    System.arraycopy(other.requests, 0, requests, 0, usedCount << SHIFT);
    System.arraycopy(other.heads, 0, heads, 0, heads.length);
    System.arraycopy(other.tails, 0, tails, 0, tails.length);
    System.arraycopy(other.state, 0, state, 0, state.length);
  }

  /** {@return whether another request may be posted} */
  boolean hasRoom() {
    return state[FREE_COUNT] > 0;
  }

  /** {@return the request that arrived first of those not admitted, or {@link #NONE}} */
  int inboxHead() {
    return state[INBOX_HEAD];
  }

  /**
   * Puts a request into the inbox, behind those that arrived before it or with it.
   *
   * @param bank number of the bank
   * @param row in the bank
   * @param burst as {@link AddressMapping#burst} returns it
   * @param isWrite direction
   * @param tag for the completion
   * @param arrivalPs when it arrives
   */
  void post(int bank, long row, long burst, boolean isWrite, long tag, long arrivalPs) {
    int slot = state[FREE];
    int at = slot << SHIFT;
    state[FREE] = (int) requests[at + NEXT];
    state[FREE_COUNT]--;
    state[USED] = Math.max(state[USED], slot + 1);
    requests[at + BURST] = burst;
    requests[at + ROW] = row;
    requests[at + ARRIVAL] = arrivalPs;
    requests[at + TAG] = tag;
    requests[at + QUEUE] = queue(bank, isWrite);
    int before = state[INBOX_TAIL]; // the usual case: the latest comes last
    if (before != NONE && arrivalPs(before) > arrivalPs) {
      before = NONE;
      int next = state[INBOX_HEAD];
      while (arrivalPs(next) <= arrivalPs) {
        before = next;
        next = next(next);
      }
    }
    insertInInbox(slot, before);
  }

  private void insertInInbox(int slot, int before) {
    int next;
    if (before == NONE) {
      next = state[INBOX_HEAD];
      state[INBOX_HEAD] = slot;
    } else {
      next = next(before);
      requests[(before << SHIFT) + NEXT] = slot;
    }
    requests[(slot << SHIFT) + NEXT] = next;
    if (next == NONE) {
      state[INBOX_TAIL] = slot;
    }
  }

  /**
   * Takes the head out of the inbox; it is to be appended or released.
   *
   * @param acceptedPs when it was accepted
   */
  void accept(long acceptedPs) {
    int at = state[INBOX_HEAD] << SHIFT;
    requests[at + ACCEPTED] = acceptedPs;
    state[INBOX_HEAD] = (int) requests[at + NEXT];
    if (state[INBOX_HEAD] == NONE) {
      state[INBOX_TAIL] = NONE;
    }
  }

  /**
   * Puts a request at the end of its bank's queue.
   *
   * @param slot in no queue
   * @param order how many were admitted before it
   */
  void append(int slot, long order) {
    int queue = (int) requests[(slot << SHIFT) + QUEUE];
    requests[(slot << SHIFT) + ORDER] = order;
    requests[(slot << SHIFT) + NEXT] = NONE;
    if (tails[queue] == NONE) {
      heads[queue] = slot;
    } else {
      requests[(tails[queue] << SHIFT) + NEXT] = slot;
    }
    tails[queue] = slot;
  }

  /**
   * Takes a request out of its bank's queue.
   *
   * @param slot in the queue
   */
  void unlink(int slot) {
    int queue = (int) requests[(slot << SHIFT) + QUEUE];
    int before = NONE;
    int other = heads[queue];
    while (other != slot) {
      before = other;
      other = next(other);
    }
    int next = next(slot);
    if (before == NONE) {
      heads[queue] = next;
    } else {
      requests[(before << SHIFT) + NEXT] = next;
    }
    if (next == NONE) {
      tails[queue] = before;
    }
  }

  /**
   * Forgets a request.
   *
   * @param slot in no queue
   */
  void release(int slot) {
    requests[(slot << SHIFT) + NEXT] = state[FREE];
    state[FREE] = slot;
    state[FREE_COUNT]++;
  }

  /** {@return the oldest request of a queue, or {@link #NONE}} */
  int head(int bank, boolean isWrite) {
    return heads[queue(bank, isWrite)];
  }

  /**
   * {@return the first of so many requests that is for a row, or {@link #NONE}}
   *
   * @param head where to begin, may be {@link #NONE}
   * @param row in the bank
   * @param count how many to look at
   */
  int firstOfRow(int head, long row, int count) {
    int slot = head;
    for (int i = 0; i < count && slot != NONE; i++) {
      if (row(slot) == row) {
        return slot;
      }
      slot = next(slot);
    }
    return NONE;
  }

  /** {@return whether a read or a write waits for a bank} */
  boolean isBankWanted(int bank) {
    return head(bank, false) != NONE || head(bank, true) != NONE;
  }

  /**
   * {@return whether a read or a write waits for a row}
   *
   * @param bank number of the bank
   * @param row in the bank
   * @param readsCount how many reads to look at
   */
  boolean isRowWanted(int bank, long row, int readsCount) {
    return firstOfRow(head(bank, false), row, readsCount) != NONE
        || firstOfRow(head(bank, true), row, Integer.MAX_VALUE) != NONE;
  }

  /** {@return whether a write of the same burst waits} */
  boolean isWritten(int slot) {
    long burst = requests[(slot << SHIFT) + BURST];
    int write = head(bank(slot), true);
    while (write != NONE && requests[(write << SHIFT) + BURST] != burst) {
      write = next(write);
    }
    return write != NONE;
  }

  int bank(int slot) {
    return (int) requests[(slot << SHIFT) + QUEUE] >> 1;
  }

  boolean isWrite(int slot) {
    return (requests[(slot << SHIFT) + QUEUE] & 1) != 0;
  }

  long row(int slot) {
    return requests[(slot << SHIFT) + ROW];
  }

  long arrivalPs(int slot) {
    return requests[(slot << SHIFT) + ARRIVAL];
  }

  long acceptedPs(int slot) {
    return requests[(slot << SHIFT) + ACCEPTED];
  }

  long tag(int slot) {
    return requests[(slot << SHIFT) + TAG];
  }

  /** {@return how many requests were admitted before it} */
  long order(int slot) {
    return requests[(slot << SHIFT) + ORDER];
  }

  private int next(int slot) {
    return (int) requests[(slot << SHIFT) + NEXT];
  }

  private static int queue(int bank, boolean isWrite) {
    return 2 * bank + (isWrite ? 1 : 0);
  }
}
