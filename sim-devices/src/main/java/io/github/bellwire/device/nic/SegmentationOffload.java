package io.github.bellwire.device.nic;

/**
 * Transmit segmentation (TSO): cuts a large TCP or UDP packet into frames that share its headers.
 *
 * <pre>{@code
 * packet   | MAC | IP | L4 | payload: MSS | MSS | ... | rest |
 * frames   | MAC | IP | L4 | MSS |   | MAC | IP | L4 | MSS |  ...  | MAC | IP | L4 | rest |
 * }</pre>
 *
 * <p>Per frame (82598 datasheet section 3.5.3.4.7): the IPv4 identification grows by one; IPv4
 * total length, IPv6 payload length and UDP length fit the frame; the TCP sequence number grows by
 * the payload sent; the checksums are recomputed. There are ceil(payload / MSS) frames.
 *
 * <p>TCP flags are masked by the registers DTXTCPFLGL and DTXTCPFLGH: one 12-bit mask each for the
 * first, the middle and the last frame. Their reset values FF6, FF6, F7F are those read from 82599
 * silicon (FreeBSD review D44258): FIN and PSH survive in the last frame only, and CWR in all but
 * the last. RFC 3168 section 6.1.2 wants CWR in the first frame only, which takes a middle mask of
 * F76. A packet that fits one frame is both first and last and keeps every flag that either mask
 * keeps (assumption).
 *
 * <p>The driver leaves the pseudo-header sum with a length of zero in the transport checksum field,
 * as Linux and DPDK do; the length of each frame is added here. VLAN insertion, padding and FCS
 * come later and are not part of the frames.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
final class SegmentationOffload {
  /** Largest payload: 18 bits of PAYLEN. */
  static final int PAYLOAD_BYTES_MAX = (1 << 18) - 1;

  /** Reset value of DTXTCPFLGL: first-frame mask in bits 11:0, middle in 27:16. */
  static final int DTXTCPFLGL_RESET = 0x0FF6_0FF6;

  /** Reset value of DTXTCPFLGH: last-frame mask in bits 11:0. */
  static final int DTXTCPFLGH_RESET = 0x0000_0F7F;

  private static final int IPV4_BYTES_MIN = 20;
  private static final int IPV6_BYTES = 40;
  private static final int TCP_BYTES_MIN = 20;
  private static final int UDP_BYTES = 8;
  private static final int TCP_FLAGS_OFFSET = 12; // Data offset 15:12 shares the word.
  private static final int TCP_DATA_OFFSET_MASK = 0xF000;
  private static final int HEADER_BYTES_MAX = 511;
  private static final byte[] EMPTY = new byte[0];

  private int firstMask;
  private int middleMask;
  private int lastMask;

  private byte[] packet = EMPTY;
  private int packetOffset;
  private int macBytes;
  private int ipBytes;
  private int l4HeaderBytes;
  private int mssBytes;
  private int l4Type;
  private boolean ipv4;
  private boolean ipChecksum;
  private boolean l4Checksum;
  private int payloadBytes;
  private int sentBytes;
  private int segmentIndex;

  /** Creates an idle unit with the flag masks in their reset state. */
  SegmentationOffload() {
    writeFlagMasks(DTXTCPFLGL_RESET, DTXTCPFLGH_RESET);
  }

  /**
   * Sets the TCP flag masks; flags whose bit is clear are cleared in the frame.
   *
   * @param dtxtcpflgl first frame in bits 11:0, middle frames in bits 27:16
   * @param dtxtcpflgh last frame in bits 11:0
   */
  void writeFlagMasks(int dtxtcpflgl, int dtxtcpflgh) {
    firstMask = TCP_DATA_OFFSET_MASK | dtxtcpflgl & 0xFFF;
    middleMask = TCP_DATA_OFFSET_MASK | dtxtcpflgl >>> 16 & 0xFFF;
    lastMask = TCP_DATA_OFFSET_MASK | dtxtcpflgh & 0xFFF;
  }

  /**
   * Starts on a packet; the values of the context are taken over.
   *
   * @param newPacket holds headers and payload one behind the other; must not change until the last
   *     frame has been taken
   * @param offset first byte of the headers
   * @param length headers and payload in bytes
   * @param context header lengths, MSS and types
   * @param withIpChecksum IXSM: compute the IPv4 header checksum of each frame
   * @param withL4Checksum TXSM: compute the transport checksum of each frame
   * @return {@code false} if the context makes no sense for this packet: a header shorter than its
   *     protocol or longer than the packet, SCTP, no MSS, no payload or more than {@link
   *     #PAYLOAD_BYTES_MAX}; there are then no frames
   */
  boolean begin(
      byte[] newPacket,
      int offset,
      int length,
      TransmitContext context,
      boolean withIpChecksum,
      boolean withL4Checksum) {
    packet = newPacket;
    packetOffset = offset;
    macBytes = context.macBytes();
    ipBytes = context.ipBytes();
    l4HeaderBytes = context.l4Bytes();
    mssBytes = context.mssBytes();
    l4Type = context.l4Type();
    ipv4 = context.isIpv4();
    ipChecksum = withIpChecksum && ipv4;
    l4Checksum = withL4Checksum;
    sentBytes = 0;
    segmentIndex = 0;
    payloadBytes = length - context.headerBytes();
    if (!isValid(context)) {
      payloadBytes = 0;
      return false;
    }
    return true;
  }

  /** {@return whether frames are left} */
  boolean hasNext() {
    return sentBytes < payloadBytes;
  }

  /** {@return the frames of the packet, ceil(payload / MSS); 0 when idle or refused} */
  int segmentCount() {
    return payloadBytes == 0 ? 0 : (payloadBytes + mssBytes - 1) / mssBytes;
  }

  /**
   * {@return the length in bytes of the next frame, which it writes}
   *
   * @param out takes the frame
   * @param offset first byte to write; headers and MSS must fit
   * @throws IllegalStateException if no frame is left
   */
  int next(byte[] out, int offset) {
    if (!hasNext()) {
      throw new IllegalStateException("no segment left: payloadBytes=" + payloadBytes);
    }
    int headerBytes = macBytes + ipBytes + l4HeaderBytes;
    int segmentBytes = Math.min(mssBytes, payloadBytes - sentBytes);
    System.arraycopy(packet, packetOffset, out, offset, headerBytes);
    System.arraycopy(
        packet, packetOffset + headerBytes + sentBytes, out, offset + headerBytes, segmentBytes);
    int l4Bytes = l4HeaderBytes + segmentBytes;
    updateIp(out, offset + macBytes, l4Bytes);
    updateTransport(out, offset + macBytes + ipBytes, l4Bytes, segmentBytes);
    sentBytes += segmentBytes;
    segmentIndex++;
    return headerBytes + segmentBytes;
  }

  private boolean isValid(TransmitContext context) {
    int l4BytesMin = l4Type == TransmitContext.L4_TCP ? TCP_BYTES_MIN : UDP_BYTES;
    return l4Type <= TransmitContext.L4_TCP
        && macBytes >= EthernetLayout.HEADER_BYTES
        && ipBytes >= (ipv4 ? IPV4_BYTES_MIN : IPV6_BYTES)
        && l4HeaderBytes >= l4BytesMin
        && context.headerBytes() <= HEADER_BYTES_MAX
        && mssBytes > 0
        && payloadBytes > 0
        && payloadBytes <= PAYLOAD_BYTES_MAX;
  }

  private void updateIp(byte[] out, int ip, int l4Bytes) {
    if (!ipv4) {
      NetworkOrder.putU16(out, ip + 4, ipBytes - IPV6_BYTES + l4Bytes);
      return;
    }
    NetworkOrder.putU16(out, ip + 2, ipBytes + l4Bytes);
    NetworkOrder.putU16(out, ip + 4, NetworkOrder.u16(out, ip + 4) + segmentIndex);
    if (ipChecksum) {
      TransmitChecksum.insertIpv4(out, ip, ipBytes);
    }
  }

  private void updateTransport(byte[] out, int l4, int l4Bytes, int segmentBytes) {
    if (l4Type == TransmitContext.L4_TCP) {
      NetworkOrder.putU32(out, l4 + 4, NetworkOrder.u32(out, l4 + 4) + sentBytes);
      int flags = NetworkOrder.u16(out, l4 + TCP_FLAGS_OFFSET) & flagMask(segmentBytes);
      NetworkOrder.putU16(out, l4 + TCP_FLAGS_OFFSET, flags);
    } else {
      NetworkOrder.putU16(out, l4 + 4, l4Bytes);
    }
    if (l4Checksum) {
      // The driver's pseudo-header sum lacks the length, which differs from frame to frame.
      int field = l4 + TransmitChecksum.checksumOffset(l4Type);
      int pseudo = InternetChecksum.fold((long) NetworkOrder.u16(out, field) + l4Bytes);
      NetworkOrder.putU16(out, field, pseudo);
      TransmitChecksum.completeInternet(out, l4, l4Bytes, l4Type);
    }
  }

  private int flagMask(int segmentBytes) {
    boolean first = sentBytes == 0;
    boolean last = sentBytes + segmentBytes == payloadBytes;
    if (first && last) {
      return firstMask | lastMask;
    }
    if (first) {
      return firstMask;
    }
    return last ? lastMask : middleMask;
  }
}
