package io.github.bellwire.examples.iommu;

/**
 * What a sender of TCP remembers of the frames of a flow: which have arrived and which are lost.
 *
 * <p>Frames that were sent before one that has arrived are lost: at once if three have arrived
 * behind a gap or a loss has been found before; else only when they are late by a part of a round
 * trip, for which somebody has to look again (tcp_recovery.c of Linux, where nothing has come out
 * of order). Times are picoseconds.
 */
final class SendFlow {
  private static final int MASK = StreamReceiver.WINDOW - 1;

  /** TCP_FASTRETRANS_THRESH. */
  private static final int BEHIND_GAP = 3;

  private static final int REORDERING_SHIFT = 2;
  private static final int SMOOTHING_SHIFT = 3;

  /** A frame may be sent at once if it is such a part of the window (tcp_tso_win_divisor). */
  private static final int WINDOW_PARTS = 3;

  private static final long DEFER_PS = 1_000_000_000;

  final SendWindow window;
  private final int framesMax;
  private final long[] sentPs = new long[StreamReceiver.WINDOW];
  private final boolean[] isArrived = new boolean[StreamReceiver.WINDOW];
  private final boolean[] isLost = new boolean[StreamReceiver.WINDOW];
  private int first;
  private int next;
  private int arrived;
  private int lost;
  private long lastSentPs;
  // Of the frame sent last of those that have arrived.
  private long newestPs;
  private long newestTripPs;
  private long leastTripPs = Long.MAX_VALUE;
  private long smoothTripPs;

  /**
   * Creates a flow of which nothing has been sent.
   *
   * @param framesMax from the first that has not arrived to the last that has been sent
   */
  SendFlow(SendWindow window, int framesMax) {
    this.window = window;
    this.framesMax = framesMax;
  }

  int first() {
    return first;
  }

  int next() {
    return next;
  }

  boolean isIdle() {
    return first == next;
  }

  boolean hasLost() {
    return lost > 0;
  }

  boolean hasRoom() {
    return next - first < framesMax;
  }

  /** {@return frames of which nothing is known} */
  int underWay() {
    return next - first - arrived - lost;
  }

  /**
   * {@return whether it is better to wait for more of the window than to send new frames now} As
   * tcp_tso_should_defer of Linux.
   *
   * @param burstFrames that are sent at once at most
   */
  boolean defers(int burstFrames, long nowPs) {
    int room = window.frames() - underWay();
    return window.isOpen()
        && !isIdle()
        && nowPs - lastSentPs <= DEFER_PS
        && room < Math.min(burstFrames, (window.frames() + WINDOW_PARTS - 1) / WINDOW_PARTS)
        && nowPs - sentPs[first & MASK] >= smoothTripPs / 2;
  }

  /** {@return the frame to send next: the first that is lost, or a new one} */
  int take(long nowPs) {
    int sequence = first;
    if (lost == 0) {
      return takeNew(nowPs);
    }
    while (!isLost[sequence & MASK]) {
      sequence++;
    }
    isLost[sequence & MASK] = false;
    lost--;
    return sent(sequence, nowPs);
  }

  /** {@return a new frame to send} */
  int takeNew(long nowPs) {
    isArrived[next & MASK] = false;
    return sent(next++, nowPs);
  }

  /** {@return the last frame, to be sent again} */
  int takeLast(long nowPs) {
    int slot = next - 1 & MASK;
    if (isLost[slot]) {
      isLost[slot] = false;
      lost--;
    }
    return sent(next - 1, nowPs);
  }

  private int sent(int sequence, long nowPs) {
    sentPs[sequence & MASK] = nowPs;
    lastSentPs = nowPs;
    window.onSent();
    return sequence;
  }

  /** All frames before one have arrived; returns how many are news. */
  int arriveBefore(int expected, long nowPs) {
    int news = 0;
    while (first < expected) {
      news += arrive(first, nowPs);
      arrived--;
      first++;
    }
    return news;
  }

  /** A frame has arrived; returns 1 if that is news. */
  int arrive(int sequence, long nowPs) {
    int slot = sequence & MASK;
    if (isArrived[slot]) {
      return 0;
    }
    isArrived[slot] = true;
    arrived++;
    if (isLost[slot]) {
      isLost[slot] = false;
      lost--;
    }
    if (sentPs[slot] > newestPs) {
      newestPs = sentPs[slot];
      newestTripPs = nowPs - newestPs;
      leastTripPs = Math.min(leastTripPs, newestTripPs);
      smoothTripPs +=
          smoothTripPs == 0 ? newestTripPs : newestTripPs - smoothTripPs >> SMOOTHING_SHIFT;
    }
    return 1;
  }

  /**
   * Looks for frames that are lost.
   *
   * @return whether there are some that may be, but are not late enough
   */
  boolean findLost(long nowPs) {
    boolean isSure = !window.isOpen() || arrived >= BEHIND_GAP;
    long patiencePs = isSure ? 0 : Math.min(leastTripPs >> REORDERING_SHIFT, smoothTripPs);
    boolean hasSuspects = false;
    for (int sequence = first; sequence < next; sequence++) {
      int slot = sequence & MASK;
      if (!isArrived[slot] && !isLost[slot] && sentPs[slot] < newestPs) {
        if (nowPs - sentPs[slot] >= newestTripPs + patiencePs) {
          lose(slot);
        } else {
          hasSuspects = true;
        }
      }
    }
    return hasSuspects;
  }

  /** Nothing has been heard for too long: all is lost that has not arrived. */
  void loseAll() {
    for (int sequence = first; sequence < next; sequence++) {
      int slot = sequence & MASK;
      if (!isArrived[slot] && !isLost[slot]) {
        lose(slot);
      }
    }
    window.onTimeout(next);
  }

  private void lose(int slot) {
    isLost[slot] = true;
    lost++;
  }

  /** Tells the window what an acknowledgement, or a look for losses, has brought. */
  void settle(int news, boolean isAdvanced, int lostBefore) {
    window.onAck(first, next, news, lost, underWay(), isAdvanced && lost <= lostBefore);
  }

  int lost() {
    return lost;
  }
}
