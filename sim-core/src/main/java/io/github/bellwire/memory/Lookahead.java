package io.github.bellwire.memory;

/**
 * A channel and its twin, which runs ahead to find out when a request will be served. Confined to
 * the simulation thread.
 */
final class Lookahead {
  private final long horizonPs;
  private DramChannel settled;
  private DramChannel ahead;
  private boolean isAheadCurrent;
  private long latestPs;

  // The call whose completion is looked for.
  private long call;
  private int missing;
  private long donePs;

  Lookahead(DramConfig config, int inboxCount) {
    horizonPs = config.horizonPs();
    settled = new DramChannel(config, inboxCount, this::onDone);
    ahead = new DramChannel(config, inboxCount, this::onDone);
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
   * @param newCall number of the call, at least 0
   * @param atPs its arrival
   */
  void post(DramAddress address, boolean isWrite, long newCall, long atPs) {
    if (newCall != call) {
      call = newCall;
      missing = 0;
      donePs = 0;
      if (atPs > latestPs) {
        latestPs = atPs;
        settle(atPs - horizonPs);
      }
    }
    missing++;
    while (!settled.hasRoom()) {
      // More than the inbox holds: what is next is certain by now.
      settled.advance(DramChannel.NEVER);
    }
    isAheadCurrent = false;
    settled.post(address, isWrite, newCall, atPs);
  }

  private void settle(long limitPs) {
    if (isAheadCurrent && ahead.nowPs() < limitPs) {
      // The twin has done nothing that the channel would not do.
      DramChannel twin = settled;
      settled = ahead;
      ahead = twin;
    }
    isAheadCurrent = false;
    settled.run(limitPs);
  }

  /** {@return when all bursts of a call are done, or 0 if it has none here} */
  long answer(long askedCall) {
    if (askedCall != call) {
      return 0;
    }
    if (missing > 0) {
      ahead.copyFrom(settled);
      isAheadCurrent = true;
      while (missing > 0) {
        ahead.advance(DramChannel.NEVER);
      }
    }
    return donePs;
  }

  private void onDone(long tag, long acceptedPs, long atPs) {
    if (tag == call && missing > 0) {
      missing--;
      donePs = Math.max(donePs, atPs);
    }
  }
}
