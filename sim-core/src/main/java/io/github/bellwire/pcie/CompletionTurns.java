package io.github.bellwire.pcie;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.kernel.TurnQueue;

/**
 * How the answers to several reads share the way down from a root port: some bytes of each in turn,
 * in the order in which the reads were made, and again from the first.
 *
 * <pre>{@code
 * reads that have data:   1: [128][128]   2: [65]   3: [128][128]      next turn: 2
 * on the link:            1  2  3  1  3   a completion has left with its last turn
 * }</pre>
 *
 * <p>Who comes later joins at the end, so it may get its turn before those that wait for their
 * second. Turns need not be whole completions: the root complex collects the data of one, turn by
 * turn, while the link is paced by what it collects. Reads take part as soon as there is room for
 * all their data. What is no such answer, requests above all, goes before the next turn, in the
 * order in which it is ready: no answer may pass a write, nor may another write.
 *
 * <p>All turns that begin before the present are settled: nobody can be ready then any more who is
 * not known. What lies ahead is told as it would be at the earliest, and later if somebody comes,
 * as in {@link TurnQueue}: whoever asks again when the time has come gets the true time or a later
 * one. If more is under way than is remembered, some turns are settled ahead of time. Allocates
 * nothing after construction. Confined to the simulation thread.
 */
final class CompletionTurns {
  // A read, in a ring.
  private static final int READ_SHIFT = 3;
  private static final int READY = 0;
  private static final int FIRST_TLP = 1;
  private static final int END_TLP = 2;
  private static final int SHORTEST_TURN = 3;
  private static final int STATE = 4;

  // Its states: something else than an answer, which goes as it is and needs no room; an answer
  // that has none yet, or has.
  private static final int NO_ANSWER = 0;
  private static final int OUTSIDE = 1;
  private static final int INSIDE = 2;

  // A completion, in a ring.
  private static final int TLP_SHIFT = 3;
  private static final int TURN = 0; // how long a turn lasts
  private static final int LAST_TURN = 1;
  private static final int FRACTION = 2; // of a picosecond, with the last turn
  private static final int TURNS = 3;
  private static final int SENT = 4; // UNSENT as long as that is not settled
  private static final int READ = 5; // the read's number
  private static final int JOINS = 6; // 1 if it begins in the turn that ends the one before

  private static final long UNSENT = -1;

  /** Where root ports collect what they send: 32 reads of 512 B. Assumption. */
  private static final int BUFFER_BYTES = 16 << 10;

  private static final int READS_PER_TAG = 4;
  private static final int COMPLETIONS_MAX = 1 << 14;

  private final Simulation simulation;
  private final long denominator;
  private final int bufferTurns;
  private final int readMask;
  private final int tlpMask;
  private final long[] reads;
  private final long[] tlps;
  private long readsTotal;
  private long tlpsTotal;

  // Who waits, in the order of the reads: number, completion, turns of it that are done, what is
  // left of the whole read, where a turn that two completions share counts twice, and for how many
  // turns it needs room, where it counts once.
  private final long[] number;
  private final long[] tlp;
  private final int[] turnsDone;
  private final int[] turnsLeft;
  private final long[] leftPs;
  private final int[] owedTurns;
  private int count;
  private int next; // whose turn it is
  private int requestsCount; // of those that wait, what is no answer
  private int outsideCount;
  private int bufferedTurns; // of those inside
  private long freePs;
  private long carry;

  /**
   * Creates an idle way.
   *
   * @param simulation the clock
   * @param bufferTurns for how many turns there is room in the buffer of the root port
   * @param readsCount how many reads may wait, a power of two
   * @param tlpsCount how many completions are remembered, a power of two, at least as many
   * @param denominator of the fraction of a picosecond
   */
  CompletionTurns(
      Simulation simulation, int bufferTurns, int readsCount, int tlpsCount, long denominator) {
    this.simulation = simulation;
    this.bufferTurns = bufferTurns;
    this.denominator = denominator;
    readMask = readsCount - 1;
    tlpMask = tlpsCount - 1;
    reads = new long[readsCount << READ_SHIFT];
    tlps = new long[tlpsCount << TLP_SHIFT];
    number = new long[readsCount];
    tlp = new long[readsCount];
    turnsDone = new int[readsCount];
    turnsLeft = new int[readsCount];
    leftPs = new long[readsCount];
    owedTurns = new int[readsCount];
  }

  /**
   * {@return an idle way for a link}
   *
   * @param link what its ends have agreed on
   * @param simulation the clock
   * @param denominator of the fraction of a picosecond
   */
  static CompletionTurns of(PcieLinkConfig link, Simulation simulation, long denominator) {
    int bufferTurns = Math.max(1, BUFFER_BYTES / link.completionTurnBytes());
    int readsCount = Integer.highestOneBit(READS_PER_TAG * 2 * link.tags() - 1);
    boolean isLongest = link.completionCut() == CompletionCut.LONGEST;
    int pieceBytes = isLongest ? link.maxPayloadBytes() : link.readCompletionBoundaryBytes();
    int tlpsCount = readsCount * (TlpLayout.REQUEST_BOUNDARY_BYTES / pieceBytes);
    tlpsCount = Math.max(readsCount, Math.min(tlpsCount, COMPLETIONS_MAX));
    return new CompletionTurns(simulation, bufferTurns, readsCount, tlpsCount, denominator);
  }

  /** {@return the ticket of the next completion; they are numbered from 0} */
  long nextTicket() {
    return tlpsTotal;
  }

  /**
   * Adds a completion.
   *
   * @param isFirst whether a new read begins with it, which has data from {@code readyPs} on
   * @param readyPs when it could start
   * @param durationPs how long it lasts, whole picoseconds
   * @param fraction the rest of a picosecond, below the denominator
   * @param newOwedTurns in how many turns the read is served from here on, for whose data there
   *     must be room; 0 if this is no answer
   * @param turns in how many turns it is served, at least 1
   * @param joins whether its first turn is the last one of the completion before
   * @return its ticket
   */
  long add(
      boolean isFirst,
      long readyPs,
      long durationPs,
      long fraction,
      int newOwedTurns,
      int turns,
      boolean joins) {
    settle(simulation.nowPs());
    makeRoom(readyPs);
    long ticket = tlpsTotal++;
    if (isFirst || count == 0 || number[count - 1] != readsTotal - 1) {
      begin(readyPs, ticket, newOwedTurns);
    }
    long turnPs = durationPs / turns;
    int at = tlpAt(ticket);
    tlps[at + TURN] = turnPs;
    tlps[at + LAST_TURN] = durationPs - (turns - 1) * turnPs;
    tlps[at + FRACTION] = fraction;
    tlps[at + TURNS] = turns;
    tlps[at + SENT] = UNSENT;
    tlps[at + READ] = readsTotal - 1;
    tlps[at + JOINS] = joins ? 1 : 0;
    int read = readAt(readsTotal - 1);
    reads[read + END_TLP] = ticket + 1;
    reads[read + SHORTEST_TURN] = Math.min(reads[read + SHORTEST_TURN], turnPs);
    turnsLeft[count - 1] += turns;
    leftPs[count - 1] += durationPs;
    return ticket;
  }

  /**
   * {@return when a completion has left, as known now; {@link TurnQueue#FORGOTTEN} if that was long
   * ago}
   */
  long sentPs(long ticket) {
    if (!isRemembered(ticket)) {
      return TurnQueue.FORGOTTEN;
    }
    settle(simulation.nowPs());
    long sentPs = tlps[tlpAt(ticket) + SENT];
    return sentPs == UNSENT ? earliestPs(ticket) : sentPs;
  }

  /** A read has its data at another time than was thought, unless it has had a turn already. */
  void move(long firstTicket, long readyPs) {
    if (isRemembered(firstTicket)) {
      settle(simulation.nowPs());
      int place = place(tlps[tlpAt(firstTicket) + READ]);
      if (place >= 0 && tlp[place] == firstTicket && turnsDone[place] == 0) {
        reads[readAt(number[place]) + READY] = readyPs;
      }
    }
  }

  private boolean isRemembered(long ticket) {
    return ticket >= 0 && ticket >= tlpsTotal - tlpMask - 1;
  }

  private void begin(long readyPs, long firstTlp, int newOwedTurns) {
    int at = readAt(readsTotal);
    boolean isAnswer = newOwedTurns > 0;
    reads[at + STATE] = isAnswer ? OUTSIDE : NO_ANSWER;
    outsideCount += isAnswer ? 1 : 0;
    requestsCount += isAnswer ? 0 : 1;
    reads[at + READY] = readyPs;
    reads[at + FIRST_TLP] = firstTlp;
    reads[at + SHORTEST_TURN] = Long.MAX_VALUE;
    number[count] = readsTotal++;
    tlp[count] = firstTlp;
    turnsDone[count] = 0;
    turnsLeft[count] = 0;
    leftPs[count] = 0;
    owedTurns[count] = newOwedTurns;
    count++;
  }

  /**
   * Makes the oldest leave if it stands where a new one is to be remembered: others come too late
   * for the turns that are settled by that. A booking far ahead is forgotten instead: it keeps the
   * time it was told, but must not take the time before it away.
   */
  private void makeRoom(long newReadyPs) {
    while (count > 0 && (readsTotal - number[0] > readMask || tlpsTotal - tlp[0] > tlpMask)) {
      if (readyPs(0) <= Math.max(freePs, newReadyPs)) {
        serveNext(Simulation.NEVER_PS);
      } else {
        forgetFirst();
      }
    }
  }

  private void forgetFirst() {
    long end = reads[readAt(number[0]) + END_TLP];
    for (long ticket = tlp[0]; ticket < end; ticket++) {
      tlps[tlpAt(ticket) + SENT] = earliestPs(ticket);
    }
    remove(0);
  }

  private void settle(long nowPs) {
    while (count > 0 && serveNext(nowPs)) {
      // One turn after the other.
    }
  }

  /** Serves the next turn if it begins before a time; returns whether it does. */
  private boolean serveNext(long beforePs) {
    admit();
    long startPs = freePs;
    int place = placeReadyAt(startPs);
    if (place < 0) {
      startPs = earliestReadyPs();
      place = placeReadyAt(startPs);
    }
    if (startPs >= beforePs) {
      return false;
    }
    if (startPs > freePs) {
      carry = 0; // The link was idle, so the fraction of the last picosecond has passed too.
    }
    serve(place, startPs);
    return true;
  }

  /** Lets answers take part, in their order, as far as there is room for their data. */
  private void admit() {
    for (int place = 0; place < count && outsideCount > 0; place++) {
      if (state(place) == OUTSIDE) {
        if (bufferedTurns > 0 && bufferedTurns + owedTurns[place] > bufferTurns) {
          return;
        }
        bufferedTurns += owedTurns[place];
        outsideCount--;
        reads[readAt(number[place]) + STATE] = INSIDE;
      }
    }
  }

  private void serve(int place, long startPs) {
    int at = tlpAt(tlp[place]);
    boolean isShared = turnsDone[place] == 0 && tlps[at + JOINS] != 0;
    boolean isLast = ++turnsDone[place] == tlps[at + TURNS];
    long turnPs = tlps[at + (isLast ? LAST_TURN : TURN)];
    turnsLeft[place]--;
    leftPs[place] -= turnPs;
    freePs = startPs + turnPs;
    if (state(place) == INSIDE) {
      owedTurns[place] -= isShared ? 0 : 1;
      bufferedTurns -= isShared ? 0 : 1;
      next = place + 1;
    }
    if (isLast) {
      end(place, at);
    }
  }

  private void end(int place, int at) {
    carry += tlps[at + FRACTION];
    if (carry >= denominator) {
      carry -= denominator;
      freePs++;
    }
    tlps[at + SENT] = freePs;
    turnsDone[place] = 0;
    long following = ++tlp[place];
    if (following == reads[readAt(number[place]) + END_TLP]) {
      remove(place);
    } else if (tlps[tlpAt(following) + JOINS] != 0) {
      next = place;
    }
  }

  private void remove(int place) {
    bufferedTurns -= state(place) == INSIDE ? owedTurns[place] : 0;
    outsideCount -= state(place) == OUTSIDE ? 1 : 0;
    requestsCount -= state(place) == NO_ANSWER ? 1 : 0;
    int behind = count - place - 1;
    System.arraycopy(number, place + 1, number, place, behind);
    System.arraycopy(tlp, place + 1, tlp, place, behind);
    System.arraycopy(turnsDone, place + 1, turnsDone, place, behind);
    System.arraycopy(turnsLeft, place + 1, turnsLeft, place, behind);
    System.arraycopy(leftPs, place + 1, leftPs, place, behind);
    System.arraycopy(owedTurns, place + 1, owedTurns, place, behind);
    count--;
    if (place < next) {
      next--;
    }
  }

  /** Returns who is the next of those who are ready, or -1. */
  private int placeReadyAt(long atPs) {
    int request = requestsCount == 0 ? -1 : requestReadyAt(atPs);
    return request < 0 ? answerReadyAt(atPs) : request;
  }

  private int answerReadyAt(long atPs) {
    for (int place = next; place < count; place++) {
      if (readyPs(place) <= atPs && state(place) == INSIDE) {
        return place;
      }
    }
    for (int place = 0; place < next && place < count; place++) {
      if (readyPs(place) <= atPs && state(place) == INSIDE) {
        return place;
      }
    }
    return -1;
  }

  private int requestReadyAt(long atPs) {
    int first = -1;
    for (int place = 0; place < count; place++) {
      if (state(place) == NO_ANSWER
          && readyPs(place) <= atPs
          && (first < 0 || readyPs(place) < readyPs(first))) {
        first = place;
      }
    }
    return first;
  }

  private long earliestReadyPs() {
    long earliestPs = Long.MAX_VALUE;
    for (int place = 0; place < count; place++) {
      if (state(place) != OUTSIDE) {
        earliestPs = Math.min(earliestPs, readyPs(place));
      }
    }
    return earliestPs;
  }

  /** {@return when what waits has left at the earliest} */
  private long earliestPs(long ticket) {
    int own = place(tlps[tlpAt(ticket) + READ]);
    return state(own) == NO_ANSWER ? earliestRequestPs(own) : earliestAnswerPs(own, ticket);
  }

  /** Exact unless others come, or an answer's turn is in the way, if all have come in order. */
  private long earliestRequestPs(int own) {
    long ownReadyPs = readyPs(own);
    long firstReadyPs = ownReadyPs;
    long othersPs = 0;
    long inOrderPs = freePs;
    long lastReadyPs = 0;
    boolean isInOrder = true;
    for (int place = 0; place < count; place++) {
      long readyPs = readyPs(place);
      boolean isBefore = readyPs < ownReadyPs || readyPs == ownReadyPs && place < own;
      if (isBefore && state(place) == NO_ANSWER) {
        firstReadyPs = Math.min(firstReadyPs, readyPs);
        othersPs += leftPs[place];
        inOrderPs = Math.max(inOrderPs, readyPs) + leftPs[place];
        isInOrder &= readyPs >= lastReadyPs;
        lastReadyPs = readyPs;
      }
    }
    long othersEndPs = isInOrder ? inOrderPs : Math.max(freePs, firstReadyPs) + othersPs;
    return Math.max(othersEndPs, ownReadyPs) + leftPs[own];
  }

  /**
   * {@return when a completion that waits has left at the earliest} Until then the others have had
   * as many turns as it needs, or one less if theirs come behind its own; those who have fewer have
   * had all of them.
   */
  private long earliestAnswerPs(int own, long ticket) {
    int turns = 0;
    long ownPs = 0;
    for (long until = tlp[own]; until <= ticket; until++) {
      int at = tlpAt(until);
      turns += (int) (tlps[at + TURNS] - tlps[at + JOINS]);
      ownPs += (tlps[at + TURNS] - 1) * tlps[at + TURN] + tlps[at + LAST_TURN];
    }
    turns -= turnsDone[own];
    ownPs -= turnsDone[own] * tlps[tlpAt(tlp[own]) + TURN];
    long ownReadyPs = readyPs(own);
    boolean isReady = ownReadyPs <= freePs && state(own) == INSIDE;
    long othersPs = 0;
    long firstReadyPs = ownReadyPs;
    for (int place = 0; place < count; place++) {
      firstReadyPs = Math.min(firstReadyPs, readyPs(place));
      if (place != own && readyPs(place) <= Math.max(freePs, ownReadyPs)) {
        boolean isBefore = isReady && turnsUntil(place) < turnsUntil(own);
        othersPs += othersPs(place, own, isBefore ? turns : turns - 1);
      }
    }
    long startPs = Math.max(freePs, firstReadyPs);
    return Math.max(startPs + othersPs, ownReadyPs) + ownPs;
  }

  /**
   * Returns how long somebody who is ready keeps an answer waiting at least, which gives way some
   * turns. Who is let in later than that answer may not keep it at all.
   */
  private long othersPs(int place, int own, int turns) {
    long state = state(place);
    if (state == NO_ANSWER) {
      return leftPs[place];
    }
    return state == OUTSIDE && (state(own) == INSIDE || place > own) ? 0 : turnsPs(place, turns);
  }

  /** Returns how many others come before a read if all are ready. */
  private int turnsUntil(int place) {
    return place >= next ? place - next : place - next + count;
  }

  /** Returns how long some turns of a read last at least. */
  private long turnsPs(int place, int turns) {
    return turns >= turnsLeft[place]
        ? leftPs[place]
        : Math.max(turns, 0) * reads[readAt(number[place]) + SHORTEST_TURN];
  }

  /** Returns where a read waits, or -1. */
  private int place(long read) {
    for (int place = 0; place < count; place++) {
      if (number[place] == read) {
        return place;
      }
    }
    return -1;
  }

  private long readyPs(int place) {
    return reads[readAt(number[place]) + READY];
  }

  private long state(int place) {
    return reads[readAt(number[place]) + STATE];
  }

  private int readAt(long read) {
    return ((int) read & readMask) << READ_SHIFT;
  }

  private int tlpAt(long ticket) {
    return ((int) ticket & tlpMask) << TLP_SHIFT;
  }
}
