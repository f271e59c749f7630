package io.github.bellwire.dma;

/**
 * Memory that host and device may both access at any time, without sync calls: rings, queues,
 * status blocks. Made by {@link DmaDevice#allocateCoherent}.
 *
 * @param pa first byte for the host, a multiple of 4 KiB
 * @param iova first byte for the device
 * @param sizeBytes as requested, at least 1
 */
public record CoherentBuffer(long pa, long iova, int sizeBytes) {
  // Checked here and nowhere else.
  public CoherentBuffer {
    if (sizeBytes < 1) {
      throw new IllegalArgumentException("sizeBytes must be >= 1: sizeBytes=" + sizeBytes);
    }
  }
}
