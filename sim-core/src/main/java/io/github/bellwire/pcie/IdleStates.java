package io.github.bellwire.pcie;

import io.github.bellwire.kernel.RandomStream;

/**
 * A root complex that may be asleep: a function from a request's arrival to when it goes on.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
final class IdleStates {
  private static final int MILLION = 1_000_000;

  private final long idlePs;
  private final long[] exitPs;
  private final int[] upToMillionths;
  private final RandomStream random;
  private long lastPs = Long.MIN_VALUE / 2; // long ago, but not so long that a difference overflows
  private long awakePs;

  IdleStates(IdleStatesConfig config, RandomStream random) {
    this.random = random;
    idlePs = config.idlePs();
    exitPs = config.states().stream().mapToLong(IdleStatesConfig.State::exitPs).toArray();
    upToMillionths = new int[exitPs.length];
    int sum = 0;
    for (int i = 0; i < exitPs.length; i++) {
      sum += config.states().get(i).perMillion();
      upToMillionths[i] = sum;
    }
  }

  /**
   * {@return when a request goes on: at once, unless it wakes the root complex or comes while that
   * wakes up}
   *
   * @param arrivalPs when it arrives; requests may be told of in another order
   */
  long awakePs(long arrivalPs) {
    if (arrivalPs - lastPs >= idlePs) {
      awakePs = arrivalPs + drawExitPs();
    }
    long goesOnPs = Math.max(arrivalPs, awakePs);
    lastPs = Math.max(lastPs, goesOnPs);
    return goesOnPs;
  }

  /**
   * It does not fall asleep before the last answer has left.
   *
   * @param sentPs when an answer leaves
   */
  void busyUntil(long sentPs) {
    lastPs = Math.max(lastPs, sentPs);
  }

  private long drawExitPs() {
    int drawn = random.nextInt(MILLION);
    int state = 0;
    while (upToMillionths[state] <= drawn) {
      state++;
    }
    return exitPs[state];
  }
}
