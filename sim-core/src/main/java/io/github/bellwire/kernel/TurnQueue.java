package io.github.bellwire.kernel;

/**
 * One server whose customers are served in the order in which they are ready, although it hears of
 * them in another order: a chain of stages is computed when it starts, and who starts later may be
 * ready earlier. A customer takes its place among those who are ready, and moves the ones behind.
 *
 * <pre>{@code
 * add(readyPs, durationPs) --> ticket      [ earlier | here | later, moved on ] --> endPs(ticket)
 * }</pre>
 *
 * <p>An end is therefore an estimate until it has passed, and never too late: nobody who is ready
 * later comes in between. Whoever asks again when the estimate has come gets the true end, or a
 * later estimate. What the caller of {@link #add} was told stays on record, for {@link #delayPs}.
 *
 * <p>For servers that know beforehand how long each takes, and whose customers ask again: the pipe
 * of a memory, a direction of a link. {@link FifoServer} serves by the same rule where the duration
 * comes out only while somebody is served.
 *
 * <p>Durations may have a fraction, which is carried from one customer to the next without a pause.
 * Remembers the customers added last: those whose ends are still of interest, up to a number. Who
 * is forgotten keeps the end, and whoever comes later is served behind it; except that a booking
 * far ahead, which is forgotten before its time has come, no longer counts: it must not take the
 * time before it away. Allocates nothing after construction. Confined to the simulation thread.
 */
public final class TurnQueue {
  /** What {@link #endPs} and {@link #delayPs} return of whoever is forgotten. */
  public static final long FORGOTTEN = Long.MIN_VALUE;

  private static final int NONE = -1;

  // A customer, on one line of the host's cache. The order is a list over the slots.
  private static final int SHIFT = 3;
  private static final int READY = 0;
  private static final int DURATION = 1;
  private static final int FRACTION = 2;
  private static final int END = 3;
  private static final int CARRY = 4;
  private static final int TOLD = 5;
  private static final int BEFORE = 6;
  private static final int BEHIND = 7;

  private static final int UNLINKED = -2;

  // No more slots are in use than needed, so that they stay in the host's cache.
  private static final int SLOTS_MIN = 16;

  private final int maskMax;
  private final long denominator;
  private final long[] cells;
  private int mask;
  private int head = NONE;
  private int tail = NONE;
  private long added;
  private long changesTotal;
  // Of the last customer before the head.
  private long pastEndPs;
  private long pastCarry;

  /**
   * Creates an idle server.
   *
   * @param customersCount how many are remembered at most, a power of two
   * @param denominator of the fraction of a picosecond, at least 1
   */
  public TurnQueue(int customersCount, long denominator) {
    if (customersCount < 1 || Integer.bitCount(customersCount) != 1) {
      throw new IllegalArgumentException(
          "customersCount must be a power of two: customersCount=" + customersCount);
    }
    if (denominator < 1) {
      throw new IllegalArgumentException("denominator must be >= 1: denominator=" + denominator);
    }
    maskMax = customersCount - 1;
    mask = Math.min(customersCount, SLOTS_MIN) - 1;
    this.denominator = denominator;
    cells = new long[customersCount << SHIFT];
    for (int slot = 0; slot < customersCount; slot++) {
      clear(slot);
    }
  }

  /** Whoever asks for a customer that has left a slot must not get another's end. */
  private void clear(int slot) {
    cells[(slot << SHIFT) + BEFORE] = UNLINKED;
    cells[(slot << SHIFT) + END] = FORGOTTEN;
  }

  /**
   * Adds a customer, behind those that are ready no later.
   *
   * @param readyPs from when on it could be served, at least 0
   * @param durationPs how long that takes, whole picoseconds, at least 0
   * @param fraction the rest of a picosecond, below the denominator
   * @param oldPs ends before this are of no interest any more, and nobody comes who was ready then
   * @return its ticket; tickets are numbered from 0
   */
  public long add(long readyPs, long durationPs, long fraction, long oldPs) {
    int slot = (int) added & mask;
    int at = slot << SHIFT;
    if (added > mask && cells[at + END] >= oldPs && mask < maskMax) {
      slot = grow();
      at = slot << SHIFT;
    }
    if (cells[at + BEFORE] != UNLINKED) {
      if (readyPs < cells[at + READY]) {
        remove(slot);
      } else {
        forgetUntil(slot);
      }
    }
    long ticket = added++;
    cells[at + DURATION] = durationPs;
    cells[at + FRACTION] = fraction;
    insert(slot, readyPs);
    cells[at + TOLD] = cells[at + END];
    return ticket;
  }

  /** {@return how many customers have been added, which is the next ticket} */
  public long addedTotal() {
    return added;
  }

  /** {@return how often an end has changed since it was told} */
  public long changesTotal() {
    return changesTotal;
  }

  /**
   * {@return when a customer has been served, as known now, or {@link #FORGOTTEN}}
   *
   * @param ticket its ticket
   */
  public long endPs(long ticket) {
    return isRemembered(ticket) ? cells[(((int) ticket & mask) << SHIFT) + END] : FORGOTTEN;
  }

  /**
   * {@return how much later than told the last of some customers is served, as known now, or {@link
   * #FORGOTTEN}}
   *
   * @param fromTicket the first
   * @param toTicket behind the last
   */
  public long delayPs(long fromTicket, long toTicket) {
    if (endPs(fromTicket) == FORGOTTEN) {
      return FORGOTTEN;
    }
    long toldPs = 0;
    long endPs = 0;
    for (long ticket = fromTicket; ticket < toTicket; ticket++) {
      int at = ((int) ticket & mask) << SHIFT;
      toldPs = Math.max(toldPs, cells[at + TOLD]);
      endPs = Math.max(endPs, cells[at + END]);
    }
    return endPs - toldPs;
  }

  /**
   * Gives customers another place: they are ready at another time than was thought. They stay in
   * their order.
   *
   * @param fromTicket the first
   * @param toTicket behind the last
   * @param readyPs when all of them are ready
   */
  public void move(long fromTicket, long toTicket, long readyPs) {
    for (long ticket = fromTicket; ticket < toTicket; ticket++) {
      int slot = (int) ticket & mask;
      if (isRemembered(ticket) && cells[(slot << SHIFT) + BEFORE] != UNLINKED) {
        remove(slot);
        insert(slot, readyPs);
      }
    }
  }

  private boolean isRemembered(long ticket) {
    return ticket >= 0 && ticket < added && added - ticket <= mask + 1;
  }

  /** Doubles the slots in use; returns the one for the next customer. */
  private int grow() {
    int count = mask + 1;
    for (int slot = 0; slot < count; slot++) {
      int at = slot << SHIFT;
      cells[at + BEFORE] = grown((int) cells[at + BEFORE]);
      cells[at + BEHIND] = grown((int) cells[at + BEHIND]);
    }
    head = grown(head);
    tail = grown(tail);
    for (int slot = 0; slot < count; slot++) {
      int to = grown(slot);
      if (to != slot) {
        System.arraycopy(cells, slot << SHIFT, cells, to << SHIFT, 1 << SHIFT);
        clear(slot);
      }
    }
    mask += count;
    return (int) added & mask;
  }

  /** Returns where a slot will be with twice as many of them: every second round moves up. */
  private int grown(int slot) {
    if (slot < 0) {
      return slot;
    }
    long ticket = added - 1 - (added - 1 - slot & mask);
    return (int) ticket & (mask << 1 | 1);
  }

  private void insert(int slot, long readyPs) {
    int at = slot << SHIFT;
    cells[at + READY] = readyPs;
    int before = tail;
    while (before != NONE && cells[(before << SHIFT) + READY] > readyPs) {
      before = (int) cells[(before << SHIFT) + BEFORE];
    }
    int behind = before == NONE ? head : (int) cells[(before << SHIFT) + BEHIND];
    cells[at + BEFORE] = before;
    cells[at + BEHIND] = behind;
    link(before, slot);
    linkBack(slot, behind);
    serve(slot);
    if (behind != NONE) {
      serveOn(behind);
    }
  }

  private void remove(int slot) {
    int at = slot << SHIFT;
    int before = (int) cells[at + BEFORE];
    int behind = (int) cells[at + BEHIND];
    link(before, behind);
    linkBack(before, behind);
    cells[at + BEFORE] = UNLINKED;
    if (behind != NONE) {
      serveOn(behind);
    }
  }

  private void link(int before, int behind) {
    if (before == NONE) {
      head = behind;
    } else {
      cells[(before << SHIFT) + BEHIND] = behind;
    }
  }

  private void linkBack(int before, int behind) {
    if (behind == NONE) {
      tail = before;
    } else {
      cells[(behind << SHIFT) + BEFORE] = before;
    }
  }

  /** Serves customers from one on, until nothing changes any more. */
  private void serveOn(int first) {
    int slot = first;
    while (slot != NONE && serve(slot)) {
      changesTotal++;
      slot = (int) cells[(slot << SHIFT) + BEHIND];
    }
  }

  /** Serves a customer behind the one before it; returns whether its end has changed. */
  private boolean serve(int slot) {
    int at = slot << SHIFT;
    int before = (int) cells[at + BEFORE];
    long freePs = before == NONE ? pastEndPs : cells[(before << SHIFT) + END];
    long endPs = cells[at + READY];
    long carry = cells[at + FRACTION];
    if (endPs <= freePs) { // Idle time takes the fraction of the last picosecond, too.
      endPs = freePs;
      carry += before == NONE ? pastCarry : cells[(before << SHIFT) + CARRY];
    }
    endPs += cells[at + DURATION];
    if (carry >= denominator) {
      carry -= denominator;
      endPs++;
    }
    boolean isChanged = endPs != cells[at + END] || carry != cells[at + CARRY];
    cells[at + END] = endPs;
    cells[at + CARRY] = carry;
    return isChanged;
  }

  /** Forgets the customers up to one, which keep their ends. */
  private void forgetUntil(int last) {
    int slot = head;
    while (slot != last) {
      cells[(slot << SHIFT) + BEFORE] = UNLINKED;
      slot = (int) cells[(slot << SHIFT) + BEHIND];
    }
    int at = last << SHIFT;
    cells[at + BEFORE] = UNLINKED;
    pastEndPs = cells[at + END];
    pastCarry = cells[at + CARRY];
    int next = (int) cells[at + BEHIND];
    head = next;
    linkBack(NONE, next);
  }
}
