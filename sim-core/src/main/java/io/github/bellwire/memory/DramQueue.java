package io.github.bellwire.memory;

/**
 * DRAM for sources that keep many requests outstanding: a request is submitted, accepted when there
 * is room, and completed later, in the order that suits the banks. Nothing is predicted, so a
 * completion is told as soon as it is certain, which is before its time.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
public final class DramQueue {
  private final DramConfig config;
  private final DramAddress address;
  private final DramChannel[] channels;

  /** Who waits for requests. */
  public interface Listener {
    /**
     * A request is certain to complete.
     *
     * @param tag as it was submitted
     * @param acceptedPs when it was accepted, in picoseconds
     * @param donePs when its last byte is there, or the write is visible, in picoseconds
     */
    void onDone(long tag, long acceptedPs, long donePs);
  }

  /**
   * Creates an idle DRAM.
   *
   * @param config what it is made of
   * @param listener who is told of completions; must not submit
   */
  public DramQueue(DramConfig config, Listener listener) {
    this.config = config;
    address = new DramAddress(config);
    channels = new DramChannel[config.channels()];
    for (int i = 0; i < channels.length; i++) {
      channels[i] = new DramChannel(config, 1, listener::onDone);
    }
  }

  /**
   * Submits a request for the burst that an address lies in.
   *
   * @param pa host physical address
   * @param isWrite direction
   * @param tag for the completion
   * @param atPs when it is offered, in picoseconds, not before the last one was accepted by the
   *     same channel
   * @return when it is accepted, in picoseconds; later than offered if the queue was full
   */
  public long submit(long pa, boolean isWrite, long tag, long atPs) {
    address.decode(pa);
    DramChannel channel = channels[address.channel()];
    channel.post(address, isWrite, tag, atPs);
    while (!channel.isInboxEmpty()) {
      channel.advance(DramChannel.NEVER);
    }
    return channel.nowPs() - config.frontPs();
  }

  /** Completes everything that was submitted. */
  public void drain() {
    for (DramChannel channel : channels) {
      channel.run(DramChannel.NEVER);
    }
  }

  /** {@return what it has done so far} */
  public DramStatistics statistics() {
    return DramChannel.statistics(channels);
  }
}
