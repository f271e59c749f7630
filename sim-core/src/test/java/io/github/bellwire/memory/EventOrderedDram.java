package io.github.bellwire.memory;

import io.github.bellwire.kernel.Simulation;

/**
 * DRAM with banks and rows that is asked in the order of time and answers when a request is served,
 * not before: what {@link DramController} predicts, for tests of the prediction.
 */
public final class EventOrderedDram {
  /** No read takes less from its command to its data, so none is told too late. */
  private static final long STEP_PS = 5_000;

  private static final int INBOX_COUNT = 4096;

  private final Simulation simulation;
  private final DramAddress address;
  private final DramChannel[] channels;
  private long followedPs;

  /** Who waits for reads. */
  public interface Listener {
    /**
     * A request will have been served.
     *
     * @param tag as it was asked for
     * @param donePs when, not before the current time
     */
    void onDone(long tag, long donePs);
  }

  /**
   * Creates an idle DRAM.
   *
   * @param config what it is made of
   * @param simulation the clock
   * @param listener who waits
   */
  public EventOrderedDram(DramConfig config, Simulation simulation, Listener listener) {
    this.simulation = simulation;
    address = new DramAddress(config);
    channels = new DramChannel[config.channels()];
    for (int i = 0; i < channels.length; i++) {
      channels[i] =
          new DramChannel(
              config, INBOX_COUNT, (tag, acceptedPs, donePs) -> listener.onDone(tag, donePs));
    }
  }

  /**
   * Asks for a line now.
   *
   * @param pa its address
   * @param isWrite direction
   * @param tag for the listener
   */
  public void ask(long pa, boolean isWrite, long tag) {
    address.decode(pa);
    channels[address.channel()].post(address, isWrite, tag, simulation.nowPs());
  }

  /**
   * Does all that happens before the next event, which may come to be while it does.
   *
   * @param limitPs if there is none, what happens before this
   */
  public void catchUp(long limitPs) {
    while (followedPs < Math.min(simulation.nextEventPs(), limitPs)) {
      followedPs = Math.min(followedPs + STEP_PS, simulation.nextEventPs());
      for (DramChannel channel : channels) {
        channel.run(followedPs);
      }
    }
  }
}
