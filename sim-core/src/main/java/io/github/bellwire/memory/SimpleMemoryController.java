package io.github.bellwire.memory;

/**
 * DRAM as one pipe: every line occupies it for a while, and an access takes a fixed latency behind
 * its turn. Not modelled: banks, rows, refresh, turnarounds.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
public final class SimpleMemoryController implements MemoryController {
  private static final int LINE_SHIFT = 6;

  private final SimpleMemoryControllerConfig config;
  private long freePs;
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
    freePs = Math.max(freePs, atPs) + lines * config.psPerLine();
    return freePs;
  }

  private static int lines(long pa, int lengthBytes) {
    return (int) ((pa + lengthBytes - 1 >>> LINE_SHIFT) - (pa >>> LINE_SHIFT)) + 1;
  }
}
