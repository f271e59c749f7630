package io.github.bellwire.device.nic;

/**
 * Transmit checksum offload of a single packet: writes the checksum fields that its descriptors ask
 * for (82598 datasheet section 3.5.3.5; SCTP as in the 82599).
 *
 * <p>For TCP and UDP the driver leaves the sum of the pseudo header, length included and not
 * complemented, in the checksum field, as Linux and DPDK do; the hardware sums from the transport
 * header to the end of the frame, that field included, and knows nothing of addresses. A driver
 * that leaves something else there sends a bad checksum, as it would on hardware. The old content
 * of the IPv4 header checksum and of the SCTP checksum does not matter (assumption; drivers write
 * zero). A result of zero is sent as FFFF for UDP, where zero means "none" (RFC 768).
 *
 * <p>A request that points outside the frame is refused and changes nothing. Allocates nothing
 * after construction.
 */
final class TransmitChecksum {
  private static final int IPV4_BYTES_MIN = 20;
  private static final int IPV4_CHECKSUM_OFFSET = 10;
  private static final int TCP_CHECKSUM_OFFSET = 16;
  private static final int UDP_CHECKSUM_OFFSET = 6;

  private final Crc32c crc32c = new Crc32c();

  /** Creates the block; it keeps no state between calls. */
  TransmitChecksum() {}

  /**
   * Inserts the checksums of an advanced data descriptor.
   *
   * @param frame holds the frame ahead of VLAN insertion, padding and FCS; changed in place
   * @param offset first byte
   * @param length bytes
   * @param context header lengths and types
   * @param ipChecksum IXSM: insert the IPv4 header checksum; ignored if the context is not IPv4
   * @param l4Checksum TXSM: insert the transport checksum
   * @return {@code false} if a header does not lie inside the frame, or its type is reserved;
   *     nothing changed
   */
  boolean insert(
      byte[] frame,
      int offset,
      int length,
      TransmitContext context,
      boolean ipChecksum,
      boolean l4Checksum) {
    boolean wantsIp = ipChecksum && context.isIpv4();
    if (wantsIp && !fitsIpv4(length, context) || l4Checksum && !fitsTransport(length, context)) {
      return false;
    }
    if (wantsIp) {
      insertIpv4(frame, offset + context.macBytes(), context.ipBytes());
    }
    if (l4Checksum) {
      int l4 = context.macBytes() + context.ipBytes();
      insertTransport(frame, offset + l4, length - l4, context.l4Type());
    }
    return true;
  }

  /**
   * Inserts the checksum of a legacy descriptor: the sum from {@code css} to the end of the frame,
   * complemented, at {@code cso}. The field is part of the sum if it lies behind {@code css}.
   *
   * @param frame holds the frame; changed in place
   * @param offset first byte
   * @param length bytes
   * @param css first byte to sum, from the start of the frame
   * @param cso place of the checksum, from the start of the frame
   * @return {@code false} if either lies outside the frame; nothing changed
   */
  boolean insertLegacy(byte[] frame, int offset, int length, int css, int cso) {
    if (css >= length || cso + 2 > length) {
      return false;
    }
    long sum = InternetChecksum.sum(frame, offset + css, length - css);
    NetworkOrder.putU16(frame, offset + cso, InternetChecksum.checksum(sum));
    return true;
  }

  /**
   * Replaces the checksum of an IPv4 header.
   *
   * @param frame holds the header
   * @param ip first byte of the header
   * @param ipBytes header with options, at least 20
   */
  static void insertIpv4(byte[] frame, int ip, int ipBytes) {
    NetworkOrder.putU16(frame, ip + IPV4_CHECKSUM_OFFSET, 0);
    int checksum = InternetChecksum.checksum(InternetChecksum.sum(frame, ip, ipBytes));
    NetworkOrder.putU16(frame, ip + IPV4_CHECKSUM_OFFSET, checksum);
  }

  /**
   * Completes the checksum of a TCP segment or UDP datagram.
   *
   * @param frame holds the segment; its checksum field holds the sum of the pseudo header
   * @param l4 first byte of the transport header
   * @param l4Bytes header and payload
   * @param l4Type {@link TransmitContext#L4_TCP} or {@link TransmitContext#L4_UDP}
   */
  static void completeInternet(byte[] frame, int l4, int l4Bytes, int l4Type) {
    boolean udp = l4Type == TransmitContext.L4_UDP;
    int checksum = InternetChecksum.checksum(InternetChecksum.sum(frame, l4, l4Bytes));
    if (udp && checksum == 0) {
      checksum = 0xFFFF;
    }
    NetworkOrder.putU16(frame, l4 + checksumOffset(l4Type), checksum);
  }

  /**
   * {@return the offset of the checksum field in a transport header}
   *
   * @param l4Type {@link TransmitContext#L4_TCP} or {@link TransmitContext#L4_UDP}
   */
  static int checksumOffset(int l4Type) {
    return l4Type == TransmitContext.L4_TCP ? TCP_CHECKSUM_OFFSET : UDP_CHECKSUM_OFFSET;
  }

  private void insertTransport(byte[] frame, int l4, int l4Bytes, int l4Type) {
    if (l4Type == TransmitContext.L4_SCTP) {
      int field = crc32c.field(frame, l4, l4Bytes);
      NetworkOrder.putU32(frame, l4 + Crc32c.FIELD_OFFSET, field);
    } else {
      completeInternet(frame, l4, l4Bytes, l4Type);
    }
  }

  private static boolean fitsIpv4(int length, TransmitContext context) {
    return context.ipBytes() >= IPV4_BYTES_MIN && context.macBytes() + context.ipBytes() <= length;
  }

  private static boolean fitsTransport(int length, TransmitContext context) {
    int available = length - context.macBytes() - context.ipBytes();
    return switch (context.l4Type()) {
      case TransmitContext.L4_TCP, TransmitContext.L4_UDP ->
          checksumOffset(context.l4Type()) + 2 <= available;
      case TransmitContext.L4_SCTP -> Crc32c.FIELD_OFFSET + 4 <= available;
      default -> false;
    };
  }
}
