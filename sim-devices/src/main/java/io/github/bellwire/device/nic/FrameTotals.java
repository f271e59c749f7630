package io.github.bellwire.device.nic;

/** How many frames of how many bytes have passed a place. */
final class FrameTotals {
  private long frames;
  private long bytes;

  /**
   * Counts a frame.
   *
   * @param frameBytes its size, FCS included
   */
  void add(int frameBytes) {
    frames++;
    bytes += frameBytes;
  }

  long frames() {
    return frames;
  }

  long bytes() {
    return bytes;
  }
}
