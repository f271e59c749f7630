package io.github.bellwire.memory;

/**
 * A channel and its twin, which runs ahead to find out when a request will be served. Confined to
 * the simulation thread.
 */
final class Lookahead {
  private final long horizonPs;
  private final long frontPs;
  private final DramAnswers answers;
  private DramChannel settled;
  private DramChannel ahead;
  private boolean isAheadCurrent;
  private long latestPs;
  private long settledPs; // up to where, but for what had to make room

  // Bursts that the twin has served since it was made equal; certain if it becomes the channel.
  private final long[] aheadTags;
  private int aheadCount;
  private boolean isRunningAhead;

  // The call whose completion is looked for, known by its first burst.
  private long call;
  private int missing;
  private long donePs;
  // When its first burst could be accepted at the earliest, and when its last one is.
  private long arrivalPs;
  private long acceptedPs;

  Lookahead(DramConfig config, int inboxCount, DramAnswers answers) {
    horizonPs = config.horizonPs();
    frontPs = config.frontPs();
    this.answers = answers;
    settled = new DramChannel(config, inboxCount, this::onDone);
    ahead = new DramChannel(config, inboxCount, this::onDone);
    aheadTags = new long[settled.requestsMax()];
    call = -1;
  }

  DramChannel settled() {
    return settled;
  }

  /**
   * Adds a burst of a call.
   *
   * @param address where it lies
   * @param isWrite direction
   * @param tag number of the burst, one more than that of the burst before it
   * @param newCall number of the first burst of the call
   * @param atPs its arrival
   */
  void post(DramAddress address, boolean isWrite, long tag, long newCall, long atPs) {
    if (newCall != call) {
      call = newCall;
      missing = 0;
      donePs = 0;
      if (atPs > latestPs) {
        latestPs = atPs;
        settle(atPs - horizonPs);
      }
      // Behind what was settled because of its time it is late, and that is not waiting for room.
      arrivalPs = Math.max(atPs, Math.min(settled.nowPs(), settledPs) - frontPs);
      acceptedPs = arrivalPs;
    }
    missing++;
    while (!settled.hasRoom()) {
      // More than the inbox holds: what is next is certain by now.
      settled.advance(DramChannel.NEVER);
    }
    isAheadCurrent = false;
    settled.post(address, isWrite, tag, atPs);
  }

  private void settle(long limitPs) {
    settledPs = Math.max(settledPs, limitPs);
    if (isAheadCurrent && ahead.nowPs() < limitPs) {
      // The twin has done nothing that the channel would not do.
      DramChannel twin = settled;
      settled = ahead;
      ahead = twin;
      isAheadCurrent = false;
      for (int i = 0; i < aheadCount; i++) {
        answers.setCertain(aheadTags[i]);
      }
    }
    settled.run(limitPs);
  }

  /** {@return when all bursts of a call are done, or 0 if it has none here} */
  long answer(long askedCall) {
    if (askedCall != call) {
      return 0;
    }
    if (missing > 0) {
      beginAhead();
      isRunningAhead = true;
      while (missing > 0) {
        ahead.advance(DramChannel.NEVER);
      }
      isRunningAhead = false;
    }
    return donePs;
  }

  /** {@return how long the last burst of an answered call waits for room, 0 if it has none here} */
  long waitPs(long askedCall) {
    return askedCall == call ? acceptedPs - arrivalPs : 0;
  }

  /** {@return steps of the channel and its twin} */
  long stepsTotal() {
    return settled.stepsTotal() + ahead.stepsTotal();
  }

  /** Brings the answer of a burst up to date with all that has been asked for since. */
  void update(long tag, long nowPs) {
    if (answers.isCertain(tag)) {
      return;
    }
    settle(nowPs);
    if (!isAheadCurrent) {
      beginAhead();
    }
    isRunningAhead = true;
    while (!answers.isCertain(tag) && !isServedAhead(tag)) {
      ahead.advance(DramChannel.NEVER);
    }
    isRunningAhead = false;
  }

  private boolean isServedAhead(long tag) {
    for (int i = aheadCount - 1; i >= 0; i--) {
      if (aheadTags[i] == tag) {
        return true;
      }
    }
    return false;
  }

  private void beginAhead() {
    ahead.copyFrom(settled);
    aheadCount = 0;
    isAheadCurrent = true;
  }

  private void onDone(long tag, long admittedPs, long atPs) {
    answers.set(tag, atPs, !isRunningAhead);
    if (isRunningAhead) {
      aheadTags[aheadCount++] = tag;
    }
    if (tag >= call && missing > 0) {
      missing--;
      donePs = Math.max(donePs, atPs);
      acceptedPs = Math.max(acceptedPs, admittedPs);
    }
  }
}
