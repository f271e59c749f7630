package io.github.bellwire.device.probe;

/**
 * Tags of a probe as the times at which they are free again. Completions that are served out of
 * order free tags out of order: those that are taken as they are free are a binary heap. Those that
 * are taken in turn are a ring: each waits for its last read, whichever others are free.
 *
 * <p>Allocates nothing after construction.
 */
final class OutstandingTags {
  private final long[] freePs;
  private final long[] tickets;
  private final long[] retirePs;
  private final boolean isInTurn;
  private int first;
  private long heldPsTotal;

  OutstandingTags(int tags, boolean isInTurn) {
    this.isInTurn = isInTurn;
    freePs = new long[tags];
    tickets = new long[tags];
    retirePs = new long[tags];
  }

  /** {@return when the next tag is free; 0 if it has never been used} */
  long nextFreePs() {
    return freePs[first];
  }

  /**
   * {@return the ticket of the read that holds the tag that is free first; 0 if that is certain}
   */
  long firstTicket() {
    return tickets[first];
  }

  /** {@return how long after its data the tag that is free first is free} */
  long firstRetirePs() {
    return retirePs[first];
  }

  /** It is certain when the tag that is free first is free. */
  void confirmFirst() {
    tickets[first] = 0;
  }

  /** The tag that is free first will be free at another time, which may make another the first. */
  void postponeFirst(long untilPs) {
    if (isInTurn) {
      heldPsTotal += untilPs - freePs[first];
      freePs[first] = untilPs;
    } else {
      take(freePs[0], untilPs, tickets[0], retirePs[0]);
    }
  }

  /**
   * Takes the tag that is free first.
   *
   * @param fromPs from when it is in use
   * @param untilPs when it is free again
   */
  void take(long fromPs, long untilPs) {
    take(fromPs, untilPs, 0, 0);
  }

  /**
   * Takes the tag that is free first, for a read of which it is not certain when it is answered.
   *
   * @param fromPs from when it is in use
   * @param untilPs when it is free again
   * @param ticket of the read
   * @param newRetirePs how long it is in use when the data is there
   */
  void take(long fromPs, long untilPs, long ticket, long newRetirePs) {
    heldPsTotal += untilPs - fromPs;
    if (isInTurn) {
      put(first, untilPs, ticket, newRetirePs);
      first = first + 1 == freePs.length ? 0 : first + 1;
      return;
    }
    int parent = 0;
    for (int child = 1; child < freePs.length; child = 2 * parent + 1) {
      if (child + 1 < freePs.length && freePs[child + 1] < freePs[child]) {
        child++;
      }
      if (freePs[child] >= untilPs) {
        break;
      }
      freePs[parent] = freePs[child];
      tickets[parent] = tickets[child];
      retirePs[parent] = retirePs[child];
      parent = child;
    }
    put(parent, untilPs, ticket, newRetirePs);
  }

  private void put(int place, long untilPs, long ticket, long newRetirePs) {
    freePs[place] = untilPs;
    tickets[place] = ticket;
    retirePs[place] = newRetirePs;
  }

  /** {@return how many tags are in use at a time} */
  int inUseCount(long atPs) {
    int count = 0;
    for (long free : freePs) {
      count += free > atPs ? 1 : 0;
    }
    return count;
  }

  /** {@return for how long all tags taken so far are in use, summed up} */
  long heldPsTotal() {
    return heldPsTotal;
  }
}
