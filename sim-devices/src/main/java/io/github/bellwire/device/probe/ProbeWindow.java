package io.github.bellwire.device.probe;

import static io.github.bellwire.kernel.Requirements.require;

import io.github.bellwire.kernel.RandomStream;

/**
 * Where a probe goes: a window of memory cut into slots, each holding one operation that starts at
 * an offset.
 *
 * @param iova first byte of the window, a multiple of 64
 * @param windowBytes at least one slot, 64 B..1 GiB
 * @param slotBytes a multiple of 64, at least offset and size
 * @param offsetBytes 0..4095
 * @param sizeBytes bytes of one operation, 1 B..1 MiB
 * @param isRandom whether slots are drawn at random or taken in order
 */
public record ProbeWindow(
    long iova, long windowBytes, int slotBytes, int offsetBytes, int sizeBytes, boolean isRandom) {
  private static final int LINE_BYTES = 64;
  private static final long WINDOW_MAX_BYTES = 1L << 30;

  /** The largest operation. */
  public static final int SIZE_MAX_BYTES = 1 << 20;

  /** Starts of operations, one after the other. */
  public static final class Addresses {
    private final ProbeWindow window;
    private final RandomStream random;
    private final int slotsCount;
    private int next;

    private Addresses(ProbeWindow window, RandomStream random) {
      this.window = window;
      this.random = random;
      this.slotsCount = window.slotsCount();
    }

    /** {@return where the next operation starts} */
    public long next() {
      int slot;
      if (window.isRandom) {
        slot = random.nextInt(slotsCount);
      } else {
        slot = next;
        next = next + 1 == slotsCount ? 0 : next + 1;
      }
      return window.iova + (long) slot * window.slotBytes + window.offsetBytes;
    }
  }

  // Checked here and nowhere else: a window that exists is a valid one.
  public ProbeWindow {
    require(iova % LINE_BYTES == 0, "iova", iova, "a multiple of 64");
    require(
        sizeBytes >= 1 && sizeBytes <= SIZE_MAX_BYTES,
        "sizeBytes",
        sizeBytes,
        "1.." + SIZE_MAX_BYTES);
    require(offsetBytes >= 0 && offsetBytes < 4096, "offsetBytes", offsetBytes, "0..4095");
    require(
        slotBytes % LINE_BYTES == 0 && slotBytes >= offsetBytes + sizeBytes,
        "slotBytes",
        slotBytes,
        "a multiple of 64, at least " + (offsetBytes + sizeBytes));
    require(
        windowBytes >= slotBytes && windowBytes <= WINDOW_MAX_BYTES,
        "windowBytes",
        windowBytes,
        slotBytes + ".." + WINDOW_MAX_BYTES);
  }

  /** {@return how many operations have a place of their own} */
  public int slotsCount() {
    return (int) (windowBytes / slotBytes);
  }

  /**
   * {@return the sequence of starts; the same seed and name give the same}
   *
   * @param random where random slots come from, used by nobody else
   */
  public Addresses addresses(RandomStream random) {
    return new Addresses(this, random);
  }
}
