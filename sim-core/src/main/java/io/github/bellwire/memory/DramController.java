package io.github.bellwire.memory;

/**
 * DRAM with banks and rows as a function from arrival time to completion time. The answer to a read
 * is what the scheduler does with all requests known so far, found by letting a twin of the channel
 * run ahead. The channel itself follows only up to the horizon behind the latest arrival, so that a
 * request which arrives a little earlier than one before it is scheduled where it belongs. Requests
 * that come later may change the schedule: {@link #delayPs} tells those who ask again. Who does not
 * keeps the answer; the time that requests cost each other is found in the answers that follow.
 *
 * <p>A write is visible when the write queue has accepted it. A request that finds its queue full
 * waits for room, and {@link #waitPs} says how long: who holds the next one back as long never has
 * more than one waiting, and the cost of an answer does not grow with what was asked for. Allocates
 * nothing after construction. Confined to the simulation thread.
 */
public final class DramController implements MemoryController {
  private static final int INBOX_COUNT = 64;

  private final DramAddress address;
  private final Lookahead[] channels;
  private final DramChannel[] settled;
  private final DramAnswers answers = new DramAnswers();
  private long waitPs;

  /**
   * Creates an idle controller.
   *
   * @param config what it is made of
   */
  public DramController(DramConfig config) {
    address = new DramAddress(config);
    channels = new Lookahead[config.channels()];
    settled = new DramChannel[config.channels()];
    for (int i = 0; i < channels.length; i++) {
      channels[i] = new Lookahead(config, INBOX_COUNT, answers);
    }
  }

  @Override
  public long read(long pa, int lengthBytes, long atPs) {
    return access(pa, lengthBytes, false, atPs);
  }

  @Override
  public long write(long pa, int lengthBytes, long atPs) {
    return access(pa, lengthBytes, true, atPs);
  }

  private long access(long pa, int lengthBytes, boolean isWrite, long atPs) {
    address.decode(pa + lengthBytes - 1);
    long last = address.burst();
    address.decode(pa);
    long first = address.burst();
    long call = answers.askedTotal();
    for (long burst = first; burst <= last; burst++) {
      address.decodeBurst(burst);
      int channel = address.channel();
      channels[channel].post(address, isWrite, answers.add(channel), call, atPs);
    }
    long donePs = atPs;
    waitPs = 0;
    // As many channels as bursts at most; a channel that was not asked answers at once.
    for (Lookahead channel : channels) {
      donePs = Math.max(donePs, channel.answer(call));
      waitPs = Math.max(waitPs, channel.waitPs(call));
    }
    if (!isWrite) {
      for (long tag = call; tag < answers.askedTotal(); tag++) {
        answers.tell(tag);
      }
    }
    return donePs;
  }

  @Override
  public long waitPs() {
    return waitPs;
  }

  @Override
  public long askedTotal() {
    return answers.askedTotal();
  }

  @Override
  public long delayPs(long from, long to, long nowPs) {
    if (!answers.isRemembered(from)) {
      return FORGOTTEN;
    }
    long toldPs = 0;
    long donePs = 0;
    for (long tag = from; tag < to; tag++) {
      if (answers.toldPs(tag) != 0) {
        if (answers.knownPs(tag) <= nowPs) { // Otherwise it is early enough to look again then.
          channels[answers.channel(tag)].update(tag, nowPs);
        }
        toldPs = Math.max(toldPs, answers.toldPs(tag));
        donePs = Math.max(donePs, answers.knownPs(tag));
      }
    }
    return donePs - toldPs;
  }

  @Override
  public long changesTotal() {
    return answers.changesTotal();
  }

  /**
   * {@return admissions, commands and refreshes worked out so far, those of looking ahead included:
   * what this model costs}
   */
  public long stepsTotal() {
    long steps = 0;
    for (Lookahead channel : channels) {
      steps += channel.stepsTotal();
    }
    return steps;
  }

  /** {@return what it has done up to the horizon behind the latest arrival} */
  public DramStatistics statistics() {
    for (int i = 0; i < channels.length; i++) {
      settled[i] = channels[i].settled();
    }
    return DramChannel.statistics(settled);
  }
}
