package io.github.bellwire.examples.iommu;

/**
 * The hosts that send, and the wire between.
 *
 * @param bitsPerSecond of the wire
 * @param frameBytes with the Ethernet header, without FCS
 * @param payloadBytes of the application in a frame
 * @param windowBytesMax that a flow may have under way
 * @param startBytes that all flows together have under way at first
 * @param delayPs from an acknowledgement on the wire to the frame that it lets go, and from there
 *     to the receiver
 * @param burstBytes that a flow sends back to back
 * @param probePs how long nothing is heard before the last frame is sent again
 */
record SenderConfig(
    long bitsPerSecond,
    int frameBytes,
    int payloadBytes,
    int windowBytesMax,
    int startBytes,
    long delayPs,
    int burstBytes,
    long probePs) {
  /** Preamble, start delimiter, FCS and gap (IEEE 802.3). */
  private static final int OVERHEAD_BYTES = 24;

  private static final int ETHERNET_BYTES = 14;

  /** IPv4 and TCP with time stamps. */
  private static final int HEADERS_BYTES = 52;

  private static final long START_US = 60;
  private static final double PS_PER_SECOND = 1e12;

  /**
   * {@return senders of a rate and an MTU} One socket buffer of 1 MB per flow, as the scripts of
   * "Fast and Safe IO Memory Protection" set; bursts of 64 KiB (TCP segmentation offload); a tail
   * loss probe after two jiffies of 4 ms (TCP_TIMEOUT_MIN of Linux at 250 Hz). Assumptions: 40 us
   * for the other host and a switch; at first all flows together have as much under way as the wire
   * carries in 60 us.
   */
  static SenderConfig of(long bitsPerSecond, int mtuBytes) {
    return new SenderConfig(
        bitsPerSecond,
        mtuBytes + ETHERNET_BYTES,
        mtuBytes - HEADERS_BYTES,
        1_000_000,
        (int) (bitsPerSecond / 8 * START_US / 1_000_000),
        40_000_000,
        65_536,
        8_000_000_000L);
  }

  long framePs() {
    return Math.round((frameBytes + OVERHEAD_BYTES) * 8 * PS_PER_SECOND / bitsPerSecond);
  }
}
