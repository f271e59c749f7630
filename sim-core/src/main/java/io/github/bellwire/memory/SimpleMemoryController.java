package io.github.bellwire.memory;

import io.github.bellwire.kernel.TurnQueue;

/**
 * DRAM as one pipe: every line occupies it for a while, in the order of arrival, and an access
 * takes a fixed latency behind its turn. Not modelled: banks, rows, refresh, turnarounds.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
public final class SimpleMemoryController implements MemoryController {
  private static final int LINE_SHIFT = 6;
  private static final int TURNS = 1 << 12;

  /** So long after a line has passed nobody asks for it any more, if its data waits for a link. */
  private static final long TURN_OLD_PS = 10_000_000;

  private final SimpleMemoryControllerConfig config;
  private final TurnQueue turns = new TurnQueue(TURNS, 1);
  private long readLinesTotal;
  private long writeLinesTotal;

  /**
   * Creates an idle controller.
   *
   * @param config latency and data rate
   */
  public SimpleMemoryController(SimpleMemoryControllerConfig config) {
    this.config = config;
  }

  @Override
  public long read(long pa, int lengthBytes, long atPs) {
    int lines = lines(pa, lengthBytes);
    readLinesTotal += lines;
    return occupy(lines, atPs) + config.readLatencyPs();
  }

  @Override
  public long write(long pa, int lengthBytes, long atPs) {
    int lines = lines(pa, lengthBytes);
    writeLinesTotal += lines;
    return occupy(lines, atPs) + config.writeLatencyPs();
  }

  @Override
  public long askedTotal() {
    return turns.addedTotal();
  }

  @Override
  public long delayPs(long from, long to, long nowPs) {
    long delayPs = turns.delayPs(from, to);
    return delayPs == TurnQueue.FORGOTTEN ? FORGOTTEN : delayPs;
  }

  @Override
  public long changesTotal() {
    return turns.changesTotal();
  }

  /** {@return lines read so far} */
  public long readLinesTotal() {
    return readLinesTotal;
  }

  /** {@return lines written so far} */
  public long writeLinesTotal() {
    return writeLinesTotal;
  }

  /** Returns when the last line has passed the channels. */
  private long occupy(int lines, long atPs) {
    if (config.psPerLine() == 0) {
      return atPs; // Without a limit nobody waits for an access that was computed before.
    }
    long ticket = turns.add(atPs, lines * config.psPerLine(), 0, atPs - TURN_OLD_PS);
    return turns.endPs(ticket);
  }

  private static int lines(long pa, int lengthBytes) {
    return (int) ((pa + lengthBytes - 1 >>> LINE_SHIFT) - (pa >>> LINE_SHIFT)) + 1;
  }
}
