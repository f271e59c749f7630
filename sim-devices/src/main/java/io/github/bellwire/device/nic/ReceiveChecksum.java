package io.github.bellwire.device.nic;

/**
 * Receive checksum offload: the status and error bits of a frame, at their place in the write-back.
 *
 * <p>What is checked follows the 82598 datasheet section 3.5.2.12, tables 3-55, 3-57 and 3-59; the
 * 82599 adds SCTP, whose CRC32c it reports through the same L4CS and TCPE bits.
 *
 * <pre>{@code
 * packet                              IPCS   L4CS   UDPCS   errors
 * IPv4, any payload                     1                    IPE
 * TCP, SCTP; IPv6 or IPv4                      1      0      TCPE
 * UDP; IPv6 or IPv4                            1      1      TCPE
 * UDP over IPv4 with checksum 0                0      0
 * IPv4 fragment, fragment sum on               0      1      (UDPV: first, UDP, checksum not 0)
 * other fragment, routed IPv6, cut short       0      0
 * }</pre>
 *
 * <p>Assumptions where the tables are silent: a UDP length field that contradicts the IP length
 * leaves the packet unchecked, and so does a frame that ends before its IP packet. Allocates
 * nothing after construction.
 */
final class ReceiveChecksum {
  private final Crc32c crc32c = new Crc32c();
  private int status;
  private int errors;
  private int fragmentChecksum;

  /** Creates the block; its result is that of a frame without checksums. */
  ReceiveChecksum() {}

  /**
   * Checks a frame; the accessors below tell about it until the next call.
   *
   * @param parsed the parse of exactly this frame
   * @param frame its bytes; only read
   * @param offset first byte
   * @param fragmentSums whether to sum the payload of IPv4 fragments: RXCSUM.PCSD clear and IPPCSE
   *     set
   */
  void check(FrameParser parsed, byte[] frame, int offset, boolean fragmentSums) {
    status = 0;
    errors = 0;
    fragmentChecksum = 0;
    if (parsed.isIpv4()) {
      checkIpv4Header(parsed, frame, offset);
    }
    if (!parsed.isComplete()) {
      return;
    }
    if (parsed.isFragment()) {
      if (fragmentSums && parsed.isIpv4()) {
        sumFragment(parsed, frame, offset);
      }
    } else if (!parsed.isAddressRouted()) {
      checkTransport(parsed, frame, offset);
    }
  }

  /** {@return the status bits IPCS, L4CS, UDPCS and UDPV that apply} */
  int status() {
    return status;
  }

  /** {@return the error bits IPE and TCPE that apply} */
  int errors() {
    return errors;
  }

  /**
   * {@return the sum of the IPv4 payload of a fragment, 0..FFFF, neither complemented nor adjusted
   * for a pseudo header; 0 for anything else} Over all fragments of an intact UDP packet these sums
   * and the pseudo header add up to FFFF.
   */
  int fragmentChecksum() {
    return fragmentChecksum;
  }

  private void checkIpv4Header(FrameParser parsed, byte[] frame, int offset) {
    int ip = offset + parsed.l3Offset();
    int ipBytes = (frame[ip] & 0xF) * 4;
    status |= RxDescriptorLayout.STATUS_IPCS;
    long sum = InternetChecksum.sum(frame, ip, ipBytes);
    if (InternetChecksum.fold(sum) != InternetChecksum.INTACT) {
      errors |= RxDescriptorLayout.ERROR_IPE;
    }
  }

  private void sumFragment(FrameParser parsed, byte[] frame, int offset) {
    int payload = offset + parsed.l4Offset();
    int bytes = parsed.l4Bytes();
    status |= RxDescriptorLayout.STATUS_UDPCS;
    fragmentChecksum = InternetChecksum.fold(InternetChecksum.sum(frame, payload, bytes));
    if (parsed.isFirstFragment()
        && parsed.protocol() == FrameParser.PROTOCOL_UDP
        && bytes >= 8
        && NetworkOrder.u16(frame, payload + 6) != 0) {
      status |= RxDescriptorLayout.STATUS_UDPV;
    }
  }

  private void checkTransport(FrameParser parsed, byte[] frame, int offset) {
    int l4 = offset + parsed.l4Offset();
    if (parsed.isTcp()) {
      report(RxDescriptorLayout.STATUS_L4CS, isIntact(parsed, frame, offset, parsed.l4Bytes()));
    } else if (parsed.isUdp()) {
      checkUdp(parsed, frame, offset);
    } else if (parsed.isSctp()) {
      int expected = crc32c.field(frame, l4, parsed.l4Bytes());
      report(
          RxDescriptorLayout.STATUS_L4CS,
          NetworkOrder.u32(frame, l4 + Crc32c.FIELD_OFFSET) == expected);
    }
  }

  private void checkUdp(FrameParser parsed, byte[] frame, int offset) {
    int l4 = offset + parsed.l4Offset();
    int udpBytes = NetworkOrder.u16(frame, l4 + 4);
    boolean absent = parsed.isIpv4() && NetworkOrder.u16(frame, l4 + 6) == 0;
    if (absent || udpBytes < 8 || udpBytes > parsed.l4Bytes()) {
      return;
    }
    report(
        RxDescriptorLayout.STATUS_L4CS | RxDescriptorLayout.STATUS_UDPCS,
        isIntact(parsed, frame, offset, udpBytes));
  }

  private static boolean isIntact(FrameParser parsed, byte[] frame, int offset, int l4Bytes) {
    int ip = offset + parsed.l3Offset();
    long pseudo =
        parsed.isIpv4()
            ? InternetChecksum.pseudoHeaderIpv4(frame, ip, parsed.protocol(), l4Bytes)
            : InternetChecksum.pseudoHeaderIpv6(frame, ip, parsed.protocol(), l4Bytes);
    long sum = InternetChecksum.sum(frame, offset + parsed.l4Offset(), l4Bytes);
    return InternetChecksum.fold(pseudo + sum) == InternetChecksum.INTACT;
  }

  private void report(int calculated, boolean intact) {
    status |= calculated;
    if (!intact) {
      errors |= RxDescriptorLayout.ERROR_TCPE;
    }
  }
}
