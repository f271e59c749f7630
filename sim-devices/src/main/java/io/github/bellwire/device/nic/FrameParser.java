package io.github.bellwire.device.nic;

/**
 * The header parser of the receive path: one reusable result, filled by {@link #parse}.
 *
 * <pre>{@code
 * | Ethernet | 802.1ad | 802.1Q | IPv4 or IPv6 (options, extensions) | TCP, UDP, SCTP | payload
 * 0                             l3Offset                             l4Offset         headerBytes
 *                               |<------------------ l3End ------------------------------>|
 * }</pre>
 *
 * <p>Offsets and lengths are in bytes from the first byte of the frame; zero stands for "not
 * there", since no header above Ethernet can start at zero. Any input is legal: a header that is
 * cut short or contradicts itself is reported as absent, and no byte outside the frame is read.
 *
 * <p>Packet-type bits are those of the advanced receive write-back (Intel 82599 datasheet section
 * 7.1.6.2; names as in DPDK ixgbe): an IP header with options or extensions sets the plain and the
 * extended bit. A transport header counts only when its fixed part is complete and the packet is
 * not a fragment. IPv6 packets with a fragment header count as fragments even when whole, because
 * the hardware does not look behind that header (82598 datasheet table 3-59).
 *
 * <p>Not modelled: 802.2 LLC/SNAP, tunnels, IPsec headers; what follows them stays unparsed. Keeps
 * no reference to the frame. Allocates nothing after construction.
 */
final class FrameParser {
  /** IP protocol number of TCP. */
  static final int PROTOCOL_TCP = 6;

  /** IP protocol number of UDP. */
  static final int PROTOCOL_UDP = 17;

  /** IP protocol number of SCTP. */
  static final int PROTOCOL_SCTP = 132;

  private static final int ETHERTYPE_IPV4 = 0x0800;
  private static final int ETHERTYPE_IPV6 = 0x86DD;
  private static final int ETHERTYPE_VLAN = 0x8100;
  private static final int ETHERTYPE_SERVICE_VLAN = 0x88A8;

  private static final int IPV4_BYTES = 20;
  private static final int IPV4_FRAGMENT_MASK = 0x3FFF; // More-fragments bit and offset, not DF.
  private static final int IPV6_BYTES = 40;
  private static final int TCP_BYTES = 20;
  private static final int UDP_BYTES = 8;
  private static final int SCTP_BYTES = 12;

  private static final int HEADER_HOP_BY_HOP = 0;
  private static final int HEADER_ROUTING = 43;
  private static final int HEADER_FRAGMENT = 44;
  private static final int HEADER_DESTINATION_OPTIONS = 60;
  private static final int OPTION_PAD1 = 0;
  private static final int OPTION_HOME_ADDRESS = 0xC9; // RFC 6275 section 6.3
  private static final int ROUTING_TYPE_2_BYTES = 24; // RFC 6275 section 6.4

  private int packetType;
  private int etherType;
  private int vlanCount;
  private int vlanTci;
  private int l3Offset;
  private int l3End;
  private int l4Offset;
  private int headerBytes;
  private int protocol;
  private int fragmentOffset;
  private boolean fragment;
  private boolean complete;
  private boolean addressesRouted;
  private int homeAddressOffset;
  private int finalDestinationOffset;

  /** Creates a parser whose result is that of an empty frame. */
  FrameParser() {}

  /** Of the EtherTypes that {@link #looksInto} knows: the last six bits, a bit each. */
  static final long HEADER_TYPES =
      1L << ETHERTYPE_IPV4
          | 1L << ETHERTYPE_IPV6
          | 1L << ETHERTYPE_VLAN
          | 1L << ETHERTYPE_SERVICE_VLAN;

  /**
   * {@return whether {@link #parse} finds more in a frame than its EtherType}
   *
   * @param etherType the frame's first one
   */
  static boolean looksInto(int etherType) {
    return etherType == ETHERTYPE_IPV4
        || etherType == ETHERTYPE_IPV6
        || etherType == ETHERTYPE_VLAN
        || etherType == ETHERTYPE_SERVICE_VLAN;
  }

  /**
   * Parses a frame; every accessor below tells about this frame until the next call.
   *
   * @param frame holds the frame without its FCS; only read
   * @param offset first byte
   * @param length bytes, 0 or more, inside {@code frame}
   */
  void parse(byte[] frame, int offset, int length) {
    clear();
    if (length < EthernetLayout.HEADER_BYTES) {
      return;
    }
    parseEthernet(frame, offset, length);
    if (etherType == ETHERTYPE_IPV4) {
      parseIpv4(frame, offset, length);
    } else if (etherType == ETHERTYPE_IPV6) {
      parseIpv6(frame, offset, length);
    }
  }

  /** {@return the packet-type bits at their place in the write-back, 0 if nothing above layer 2} */
  int packetType() {
    return packetType;
  }

  /** {@return the EtherType behind the VLAN tags, or a length below 600; 0 for a runt} */
  int etherType() {
    return etherType;
  }

  /** {@return the tag control information of the inner tag, or of the only one; 0 if untagged} */
  int vlanTci() {
    return vlanTci;
  }

  /** {@return the start of the IP header, or 0 if there is no intact one} */
  int l3Offset() {
    return l3Offset;
  }

  /** {@return where the IP packet ends by its own length or with the frame; 0 if unknown} */
  int l3End() {
    return l3End;
  }

  /** {@return the start of the IP payload behind options and extensions, or 0 if unknown} */
  int l4Offset() {
    return l4Offset;
  }

  /** {@return the bytes of the IP payload that are present, transport header included} */
  int l4Bytes() {
    return l4Offset == 0 ? 0 : l3End - l4Offset;
  }

  /** {@return the bytes of all recognised headers, 0 for a runt; the place to split a frame} */
  int headerBytes() {
    return headerBytes;
  }

  /** {@return the protocol number of the IP payload; meaningful if {@link #l4Offset} is not 0} */
  int protocol() {
    return protocol;
  }

  /** {@return whether an intact IPv4 header is present} */
  boolean isIpv4() {
    return (packetType & RxDescriptorLayout.TYPE_IPV4) != 0;
  }

  /** {@return whether an intact IPv6 header is present} */
  boolean isIpv6() {
    return (packetType & RxDescriptorLayout.TYPE_IPV6) != 0;
  }

  /** {@return whether a TCP header is present} */
  boolean isTcp() {
    return (packetType & RxDescriptorLayout.TYPE_TCP) != 0;
  }

  /** {@return whether a UDP header is present} */
  boolean isUdp() {
    return (packetType & RxDescriptorLayout.TYPE_UDP) != 0;
  }

  /** {@return whether an SCTP header is present} */
  boolean isSctp() {
    return (packetType & RxDescriptorLayout.TYPE_SCTP) != 0;
  }

  /** {@return whether the packet is one of several fragments, or has an IPv6 fragment header} */
  boolean isFragment() {
    return fragment;
  }

  /** {@return whether this is the fragment that begins the packet} */
  boolean isFirstFragment() {
    return fragment && fragmentOffset == 0;
  }

  /** {@return whether the frame holds all bytes that the IP length field promises} */
  boolean isComplete() {
    return complete;
  }

  /** {@return whether a routing or home-address header replaces an address of the IPv6 header} */
  boolean isAddressRouted() {
    return addressesRouted;
  }

  /** {@return the start of the IP source address, or 0} */
  int sourceOffset() {
    return l3Offset == 0 ? 0 : l3Offset + (isIpv4() ? 12 : 8);
  }

  /** {@return the start of the IP destination address, or 0} */
  int destinationOffset() {
    return l3Offset == 0 ? 0 : l3Offset + (isIpv4() ? 16 : 24);
  }

  /** {@return the start of the home address, or of the source address if there is none} */
  int homeAddressOffset() {
    return homeAddressOffset == 0 ? sourceOffset() : homeAddressOffset;
  }

  /** {@return the start of the type 2 routing address, or of the destination if there is none} */
  int finalDestinationOffset() {
    return finalDestinationOffset == 0 ? destinationOffset() : finalDestinationOffset;
  }

  private void clear() {
    packetType = 0;
    etherType = 0;
    vlanCount = 0;
    vlanTci = 0;
    l3Offset = 0;
    l3End = 0;
    l4Offset = 0;
    headerBytes = 0;
    protocol = 0;
    fragmentOffset = 0;
    fragment = false;
    complete = false;
    addressesRouted = false;
    homeAddressOffset = 0;
    finalDestinationOffset = 0;
  }

  /** Leaves {@code headerBytes} behind the EtherType that the next layer belongs to. */
  private void parseEthernet(byte[] frame, int offset, int length) {
    headerBytes = EthernetLayout.HEADER_BYTES;
    etherType = NetworkOrder.u16(frame, offset + EthernetLayout.ETHER_TYPE_OFFSET);
    while (vlanCount < 2
        && (etherType == ETHERTYPE_VLAN || (vlanCount == 0 && etherType == ETHERTYPE_SERVICE_VLAN))
        && length - headerBytes >= EthernetLayout.VLAN_TAG_BYTES) {
      vlanTci = NetworkOrder.u16(frame, offset + headerBytes);
      etherType = NetworkOrder.u16(frame, offset + headerBytes + 2);
      headerBytes += EthernetLayout.VLAN_TAG_BYTES;
      vlanCount++;
    }
  }

  private void parseIpv4(byte[] frame, int offset, int length) {
    int start = headerBytes;
    if (length - start < IPV4_BYTES) {
      return;
    }
    int ip = offset + start;
    int ipBytes = (frame[ip] & 0xF) * 4;
    if ((frame[ip] & 0xF0) != 0x40 || ipBytes < IPV4_BYTES || ipBytes > length - start) {
      return;
    }
    packetType =
        ipBytes == IPV4_BYTES
            ? RxDescriptorLayout.TYPE_IPV4
            : RxDescriptorLayout.TYPE_IPV4 | RxDescriptorLayout.TYPE_IPV4_EXT;
    l3Offset = start;
    headerBytes = start + ipBytes;
    int totalBytes = NetworkOrder.u16(frame, ip + 2);
    if (totalBytes < ipBytes) {
      return;
    }
    endAt(start + totalBytes, length);
    protocol = frame[ip + 9] & 0xFF;
    int flagsAndOffset = NetworkOrder.u16(frame, ip + 6) & IPV4_FRAGMENT_MASK;
    fragment = flagsAndOffset != 0;
    fragmentOffset = flagsAndOffset & 0x1FFF;
    l4Offset = headerBytes;
    parseTransport(frame, offset);
  }

  private void parseIpv6(byte[] frame, int offset, int length) {
    int start = headerBytes;
    if (length - start < IPV6_BYTES || (frame[offset + start] & 0xF0) != 0x60) {
      return;
    }
    packetType = RxDescriptorLayout.TYPE_IPV6;
    l3Offset = start;
    headerBytes = start + IPV6_BYTES;
    endAt(headerBytes + NetworkOrder.u16(frame, offset + start + 4), length);
    if (walkExtensions(frame, offset, frame[offset + start + 6] & 0xFF)) {
      l4Offset = headerBytes;
      parseTransport(frame, offset);
    }
  }

  private void endAt(int end, int length) {
    complete = end <= length;
    l3End = Math.min(end, length);
  }

  /** Returns whether the chain ended with a header that is no extension, within the packet. */
  private boolean walkExtensions(byte[] frame, int offset, int firstHeader) {
    int next = firstHeader;
    while (isExtension(next) && !(fragment && fragmentOffset != 0)) {
      packetType |= RxDescriptorLayout.TYPE_IPV6_EXT;
      if (l3End - headerBytes < 8) {
        return false;
      }
      int at = offset + headerBytes;
      int bytes = next == HEADER_FRAGMENT ? 8 : 8 + (frame[at + 1] & 0xFF) * 8;
      if (bytes > l3End - headerBytes) {
        return false;
      }
      noteExtension(next, frame, at, headerBytes, bytes);
      next = frame[at] & 0xFF;
      headerBytes += bytes;
    }
    protocol = next;
    return true;
  }

  private static boolean isExtension(int header) {
    return header == HEADER_HOP_BY_HOP
        || header == HEADER_ROUTING
        || header == HEADER_FRAGMENT
        || header == HEADER_DESTINATION_OPTIONS;
  }

  private void noteExtension(int header, byte[] frame, int at, int position, int bytes) {
    if (header == HEADER_FRAGMENT) {
      fragment = true;
      fragmentOffset = NetworkOrder.u16(frame, at + 2) >>> 3;
    } else if (header == HEADER_ROUTING) {
      noteRouting(frame, at, position, bytes);
    } else if (header == HEADER_DESTINATION_OPTIONS) {
      findHomeAddress(frame, at, position, bytes);
    }
  }

  private void noteRouting(byte[] frame, int at, int position, int bytes) {
    if (bytes > 8) {
      addressesRouted = true;
    }
    if (bytes == ROUTING_TYPE_2_BYTES && frame[at + 2] == 2 && frame[at + 3] == 1) {
      finalDestinationOffset = position + 8;
    }
  }

  private void findHomeAddress(byte[] frame, int at, int position, int bytes) {
    int option = 2;
    while (option + 1 < bytes) {
      int type = frame[at + option] & 0xFF;
      int optionBytes = type == OPTION_PAD1 ? 1 : 2 + (frame[at + option + 1] & 0xFF);
      if (type == OPTION_HOME_ADDRESS && optionBytes == 18 && option + 18 <= bytes) {
        homeAddressOffset = position + option + 2;
        addressesRouted = true;
        return;
      }
      option += optionBytes;
    }
  }

  private void parseTransport(byte[] frame, int offset) {
    if (fragment) {
      return;
    }
    int available = l3End - l4Offset;
    if (protocol == PROTOCOL_TCP && available >= TCP_BYTES) {
      int tcpBytes = (frame[offset + l4Offset + 12] >>> 2) & 0x3C;
      if (tcpBytes >= TCP_BYTES && tcpBytes <= available) {
        packetType |= RxDescriptorLayout.TYPE_TCP;
        headerBytes += tcpBytes;
      }
    } else if (protocol == PROTOCOL_UDP && available >= UDP_BYTES) {
      packetType |= RxDescriptorLayout.TYPE_UDP;
      headerBytes += UDP_BYTES;
    } else if (protocol == PROTOCOL_SCTP && available >= SCTP_BYTES) {
      packetType |= RxDescriptorLayout.TYPE_SCTP;
      headerBytes += SCTP_BYTES;
    }
  }
}
