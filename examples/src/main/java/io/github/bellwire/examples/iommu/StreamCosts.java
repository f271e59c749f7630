package io.github.bellwire.examples.iommu;

/**
 * What the network stack costs a core, in clock cycles, and how it gathers frames.
 *
 * @param perFrame of a frame, up to its place in a segment
 * @param perSegment of a segment: protocol, acknowledgement, waking the application
 * @param perRead of a call that reads up to a segment
 * @param perSwitch from one application to another
 * @param copyBytesPerCycle that reach the application
 * @param segmentBytesMax of a segment
 * @param readBytesMax of a call that reads
 */
record StreamCosts(
    int perFrame,
    int perSegment,
    int perRead,
    int perSwitch,
    int copyBytesPerCycle,
    int segmentBytesMax,
    int readBytesMax) {
  /**
   * Linux with generic receive offload, segments of up to 64 KiB (GSO_MAX_SIZE). "Understanding
   * Host Network Stack Overheads" (SIGCOMM 2021) measures 42 Gb/s per core with all offloads at 3.4
   * GHz, 0.65 cycles per byte, about half of them for copying: 3 bytes per cycle. Of frames of 9000
   * bytes that leaves some 2900 cycles for a frame and its share of a segment and a call; how they
   * are divided is an assumption, and so is a switch, 2.4 us at 3.3 GHz with its cache misses.
   */
  static final StreamCosts LINUX = new StreamCosts(700, 4500, 1000, 8000, 3, 65_536, 131_072);
}
