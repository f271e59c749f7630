package io.github.bellwire.examples.iommu;

import io.github.bellwire.device.nic.EthernetLayout;
import io.github.bellwire.device.nic.EthernetWire;

/**
 * The hosts that send, and the wire between.
 *
 * @param bitsPerSecond of the wire
 * @param frameBytes with the Ethernet header, without FCS
 * @param payloadBytes of the application in a frame
 * @param windowBytesMax that a flow may have under way
 * @param startBytes that all flows together may have under way at first
 * @param delayPs from an acknowledgement on the wire to the completion at the sender, and from the
 *     frame that it lets go to the receiver
 * @param queues of the adapter that sends; flows take turns
 * @param moderationPs from the first completion in one of them to its event
 * @param burstBytes that a flow sends back to back
 * @param probeTicks how long something may stay unknown before it is looked for
 * @param timeoutTicks how long nothing is heard before all is lost
 * @param tickPs of timers
 * @param control of windows
 * @param writeBytes that an application hands over at once; 0 if it always has more to send
 * @param writeIntervalPs from one of its writes to the next
 */
record SenderConfig(
    long bitsPerSecond,
    int frameBytes,
    int payloadBytes,
    int windowBytesMax,
    int startBytes,
    long delayPs,
    int queues,
    long moderationPs,
    int burstBytes,
    int probeTicks,
    int timeoutTicks,
    long tickPs,
    CongestionControl control,
    int writeBytes,
    long writeIntervalPs) {
  /** IPv4 and TCP with time stamps. */
  private static final int HEADERS_BYTES = 52;

  /** A jiffy of Linux at 250 Hz, as Ubuntu builds it. */
  private static final long TICK_PS = 4_000_000_000L;

  private static final long START_US = 60;
  private static final long SENDER_PS = 16_000_000;
  private static final long PS_PER_NS = 1_000;
  private static final double PS_PER_SECOND = 1e12;

  /**
   * {@return senders of a rate and an MTU} One socket buffer of 1 MB per flow, as the scripts of
   * "Fast and Safe IO Memory Protection" set; bursts of 64 KiB (TCP segmentation offload). Timers
   * of Linux at 250 Hz: two jiffies of 4 ms and one for two round trips, or a part of one, before a
   * tail loss probe and before what may be out of order is lost (TCP_TIMEOUT_MIN); 50 and one
   * before a timeout (TCP_RTO_MIN). Assumptions: 16 us for the other host and a switch; at first
   * all flows together have as much under way as the wire carries in 60 us.
   *
   * @param queues of the adapter that sends
   * @param moderationNs from a completion to its event in the adapter that sends
   */
  static SenderConfig of(long bitsPerSecond, int mtuBytes, int queues, long moderationNs) {
    return new SenderConfig(
        bitsPerSecond,
        mtuBytes + EthernetLayout.HEADER_BYTES,
        mtuBytes - HEADERS_BYTES,
        1_000_000,
        (int) (bitsPerSecond / 8 * START_US / 1_000_000),
        SENDER_PS,
        queues,
        moderationNs * PS_PER_NS,
        65_536,
        3,
        51,
        TICK_PS,
        CongestionControl.DCTCP,
        0,
        0);
  }

  /**
   * {@return these senders with applications that write so much at once at a mean rate} The writes
   * of different flows are not in step.
   *
   * @param newWriteBytes at least 1
   * @param writeBitsPerSecond of each flow, at least 1
   */
  SenderConfig withWrites(int newWriteBytes, long writeBitsPerSecond) {
    return new SenderConfig(
        bitsPerSecond,
        frameBytes,
        payloadBytes,
        windowBytesMax,
        startBytes,
        delayPs,
        queues,
        moderationPs,
        burstBytes,
        probeTicks,
        timeoutTicks,
        tickPs,
        control,
        newWriteBytes,
        Math.round(newWriteBytes * 8 * PS_PER_SECOND / writeBitsPerSecond));
  }

  /** {@return these senders with another control of windows} */
  SenderConfig withControl(CongestionControl newControl) {
    return new SenderConfig(
        bitsPerSecond,
        frameBytes,
        payloadBytes,
        windowBytesMax,
        startBytes,
        delayPs,
        queues,
        moderationPs,
        burstBytes,
        probeTicks,
        timeoutTicks,
        tickPs,
        newControl,
        writeBytes,
        writeIntervalPs);
  }

  long framePs() {
    return Math.round(EthernetWire.wireBytes(frameBytes) * 8 * PS_PER_SECOND / bitsPerSecond);
  }
}
