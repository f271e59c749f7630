package io.github.bellwire.examples.iommu;

/**
 * What the network stack costs a core, in clock cycles, and how it gathers frames.
 *
 * @param perFrame of a frame, up to its place in a segment
 * @param perSegment of a segment: protocol, acknowledgement, waking the application
 * @param copyBytesPerCycle that reach the application
 * @param segmentBytesMax of a segment
 */
record StreamCosts(int perFrame, int perSegment, int copyBytesPerCycle, int segmentBytesMax) {
  /**
   * Linux with generic receive offload, segments of up to 64 KiB (GSO_MAX_SIZE). "Understanding Host
   * Network Stack Overheads" (SIGCOMM 2021) measures 42 Gb/s per core with all offloads, about half
   * of which is copying: 3.4 GHz / (42 Gb/s / 8) is 0.65 cycles per byte, so that 3 bytes are
   * copied per cycle, and of frames of 9000 bytes some 1400 cycles are left for the frame and its
   * share of a segment. 700 and 3000 cycles are assumptions that make that up.
   */
  static final StreamCosts LINUX = new StreamCosts(700, 3000, 3, 65_536);
}
