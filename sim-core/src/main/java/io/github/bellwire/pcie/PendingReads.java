package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.kernel.TurnQueue;
import io.github.bellwire.memory.MemoryController;

/**
 * A function's read requests that were answered last, a ring: when their last completions arrive,
 * as known at the call, and as known now.
 *
 * <pre>{@code
 * told:  memory answers -----------> turn on the link --> arrival
 * now:   memory answers, delayed --> moved on the link --> arrival, asked for again
 * }</pre>
 *
 * <p>A chain of stages is computed when a request starts, so others that start later may still take
 * a bank or the link before it. When the time that was told has come, all of them are known: then
 * the arrival is either certain or later. Whoever asks in the order of these times gets the times
 * that a simulation of every step would give.
 *
 * <p>Allocates nothing after construction.
 */
final class PendingReads {
  /** The number of no request. */
  static final long NONE = -1;

  /** How often all estimates are brought up to date, less than an answer takes on its way down. */
  private static final long REFRESH_INTERVAL_PS = 30_000;

  /** So long after an arrival nobody asks for it any more. */
  static final long OLD_PS = 1_000_000;

  // No more of the ring is in use than needed, so that it stays in the host's cache.
  private static final int COUNT_MIN = 8;

  // Per request.
  private static final int SHIFT = 3;
  private static final int ARRIVAL = 0;
  private static final int CACHES = 1; // when the caches had the data, as told
  private static final int FLOOR = 2; // until when it waits for writes before it
  private static final int FROM = 3; // memory mark, NONE if the arrival is certain
  private static final int TO = 4;
  private static final int FIRST_TLP = 5; // on the link
  private static final int END_TLP = 6;
  private static final int DELAY = 7; // of the caches' answer, so far

  private static final int COUNT_BITS = 16;
  private static final int COUNT_MAX = (1 << COUNT_BITS) - 1;

  private final Simulation simulation;
  private final DeviceCachePort caches;
  private final LinkDirection downstream;
  private final long rootDownstreamPs;
  private final long[] cells;
  private final int maskMax;
  private int mask;
  private long added;
  private long oldestEstimate;
  private long newestOfMemory = NONE;
  private long changesSeen;
  private long refreshPs;
  private long movesTotal;

  /**
   * Creates an empty ring.
   *
   * @param tags requests that may be outstanding
   * @param simulation the clock
   * @param caches where the data comes from
   * @param downstream where it goes to the device
   * @param rootDownstreamPs between both
   */
  PendingReads(
      int tags,
      Simulation simulation,
      DeviceCachePort caches,
      LinkDirection downstream,
      long rootDownstreamPs) {
    this.simulation = simulation;
    this.caches = caches;
    this.downstream = downstream;
    this.rootDownstreamPs = rootDownstreamPs;
    int count = 2 * Integer.highestOneBit(2 * tags - 1); // more than may be outstanding
    maskMax = count - 1;
    mask = Math.min(count, COUNT_MIN) - 1;
    cells = new long[count << SHIFT];
  }

  /** Begins the next request: its arrival is certain unless {@link #estimate} is called. */
  void begin() {
    if (added > mask && mask < maskMax) {
      long oldPs = simulation.nowPs() - OLD_PS;
      if (cells[at(added) + ARRIVAL] >= oldPs) {
        grow();
      }
    }
    cells[at(added) + FROM] = NONE;
  }

  /** Doubles the part of the ring that is in use: every second round moves up. */
  private void grow() {
    int count = mask + 1;
    for (long number = added - count; number < added; number++) {
      int slot = (int) number & mask;
      int to = (int) number & (mask << 1 | 1);
      if (to != slot) {
        System.arraycopy(cells, slot << SHIFT, cells, to << SHIFT, 1 << SHIFT);
      }
    }
    mask += count;
  }

  /**
   * The request goes to memory and straight back, so its arrival is an estimate.
   *
   * @param cachesPs when the caches have the data
   * @param floorPs until when it waits for writes before it, in memory and on the way down
   * @param from memory mark before the data was asked for
   * @param firstTlp ticket of the first completion
   */
  void estimate(long cachesPs, long floorPs, long from, long to, long firstTlp) {
    int at = at(added);
    cells[at + CACHES] = cachesPs;
    cells[at + FLOOR] = floorPs;
    cells[at + FROM] = from;
    cells[at + TO] = to;
    cells[at + FIRST_TLP] = firstTlp;
    cells[at + END_TLP] = downstream.nextTicket();
    cells[at + DELAY] = 0;
    if (from != to) {
      newestOfMemory = added;
    }
  }

  /** Ends the request; returns its number, counted from 0. */
  long end(long arrivalPs) {
    cells[at(added) + ARRIVAL] = arrivalPs;
    return added++;
  }

  /** The arrival of the request in progress is certain after all. */
  void giveUp() {
    cells[at(added) + FROM] = NONE;
  }

  /**
   * {@return a ticket for the requests since one, which is never negative}
   *
   * @param first number of the first
   */
  long ticketSince(long first) {
    return added << COUNT_BITS | Math.min(added - first, COUNT_MAX);
  }

  /** {@return how many requests there have been, the number of the next one} */
  long addedTotal() {
    return added;
  }

  /**
   * {@return when the last completion of some requests arrives, as known now; certain if that is
   * not in the future; 0 if it was long ago}
   *
   * @param ticket of the requests
   */
  long arrivalOfTicketPs(long ticket) {
    refresh(simulation.nowPs());
    long end = ticket >>> COUNT_BITS;
    long arrivalPs = 0;
    for (long number = end - (ticket & COUNT_MAX); number < end; number++) {
      arrivalPs = Math.max(arrivalPs, arrivalPs(number));
    }
    return arrivalPs;
  }

  /** {@return when the last completion of a request arrives, as above} */
  long arrivalPs(long number) {
    if (number < added - mask - 1) {
      return 0;
    }
    int at = at(number);
    return cells[at + FROM] == NONE ? cells[at + ARRIVAL] : estimatePs(at);
  }

  /**
   * Brings all estimates up to date, unless that was done a short time ago: a request may be served
   * before one whose answer was thought to come first.
   */
  void refresh(long nowPs) {
    if (nowPs >= refreshPs && newestOfMemory >= oldestEstimate) {
      refreshPs = nowPs + REFRESH_INTERVAL_PS;
      if (caches.memoryChangesTotal() != changesSeen) {
        changesSeen = caches.memoryChangesTotal();
        followMemory(nowPs);
      }
    }
  }

  private void followMemory(long nowPs) {
    oldestEstimate = Math.max(oldestEstimate, added - mask - 1);
    while (oldestEstimate <= newestOfMemory && cells[at(oldestEstimate) + FROM] == NONE) {
      oldestEstimate++;
    }
    for (long number = oldestEstimate; number <= newestOfMemory; number++) {
      int at = at(number);
      if (cells[at + FROM] != NONE) {
        followMemory(at, nowPs);
      }
    }
  }

  /** {@return how often a request has moved on the link because memory answered at another time} */
  long movesTotal() {
    return movesTotal;
  }

  private long estimatePs(int at) {
    long nowPs = simulation.nowPs();
    if (cells[at + ARRIVAL] <= nowPs) {
      followMemory(at, nowPs);
    }
    long sentPs = downstream.sentPs(cells[at + END_TLP] - 1);
    if (sentPs != TurnQueue.FORGOTTEN) {
      cells[at + ARRIVAL] = downstream.arrivalPs(sentPs);
    }
    if (cells[at + ARRIVAL] <= nowPs) {
      cells[at + FROM] = NONE;
    }
    return cells[at + ARRIVAL];
  }

  /** Asks memory again, if it was asked at all. */
  private void followMemory(int at, long nowPs) {
    if (cells[at + TO] == cells[at + FROM]) {
      return;
    }
    long delayPs = caches.delayPs(cells[at + FROM], cells[at + TO], nowPs);
    if (delayPs != cells[at + DELAY] && delayPs != MemoryController.FORGOTTEN) {
      cells[at + DELAY] = delayPs;
      long dataPs = Math.max(cells[at + CACHES] + delayPs, cells[at + FLOOR]);
      downstream.move(cells[at + FIRST_TLP], cells[at + END_TLP], dataPs + rootDownstreamPs);
      movesTotal++;
    }
  }

  private int at(long number) {
    return ((int) number & mask) << SHIFT;
  }
}
