package io.github.bellwire.device.nic;

/**
 * The offload parameters of one advanced transmit context descriptor (DTYP 2; Intel 82599 datasheet
 * section 7.2.3.2.3). A queue keeps two such slots and decodes descriptors into them.
 *
 * <pre>{@code
 * vlanMacipLens  | VLAN 31:16          | MACLEN 15:9 | IPLEN 8:0 |
 * tucmd          | ... L4T 12:11 | IPV4 10 | ...                 |
 * mssL4lenIdx    | MSS 31:16           | L4LEN 15:8  | IDX 6:4   |
 * }</pre>
 *
 * <p>Values are taken as the driver wrote them; whoever uses them checks them against the frame.
 */
final class TransmitContext {
  /** L4T value: UDP. */
  static final int L4_UDP = 0;

  /** L4T value: TCP. */
  static final int L4_TCP = 1;

  /** L4T value: SCTP. */
  static final int L4_SCTP = 2;

  private int vlanTci;
  private int macBytes;
  private int ipBytes;
  private int l4Bytes;
  private int mssBytes;
  private int l4Type;
  private int index;
  private boolean ipv4;

  /** Creates a context of zeros, which no offload accepts. */
  TransmitContext() {}

  /**
   * Takes over a descriptor.
   *
   * @param vlanMacipLens bytes 0..3
   * @param tucmd bytes 8..11
   * @param mssL4lenIdx bytes 12..15
   */
  void decode(int vlanMacipLens, int tucmd, int mssL4lenIdx) {
    ipBytes = vlanMacipLens & 0x1FF;
    macBytes = (vlanMacipLens >>> 9) & 0x7F;
    vlanTci = vlanMacipLens >>> 16;
    ipv4 = (tucmd & 1 << 10) != 0;
    l4Type = (tucmd >>> 11) & 3;
    index = (mssL4lenIdx >>> 4) & 7;
    l4Bytes = (mssL4lenIdx >>> 8) & 0xFF;
    mssBytes = mssL4lenIdx >>> 16;
  }

  /** {@return the tag control information to insert if the data descriptor asks for it} */
  int vlanTci() {
    return vlanTci;
  }

  /** {@return MACLEN: bytes ahead of the IP header, 0..127} */
  int macBytes() {
    return macBytes;
  }

  /** {@return IPLEN: bytes of the IP header with options or extensions, 0..511} */
  int ipBytes() {
    return ipBytes;
  }

  /** {@return L4LEN: bytes of the transport header, 0..255} */
  int l4Bytes() {
    return l4Bytes;
  }

  /** {@return MSS: largest payload of a segment in bytes, 0..FFFF} */
  int mssBytes() {
    return mssBytes;
  }

  /** {@return L4T: {@link #L4_UDP}, {@link #L4_TCP}, {@link #L4_SCTP} or 3, which is reserved} */
  int l4Type() {
    return l4Type;
  }

  /** {@return IDX: the slot this descriptor is for, 0..7} */
  int index() {
    return index;
  }

  /** {@return whether the packets are IPv4; otherwise IPv6 or something else} */
  boolean isIpv4() {
    return ipv4;
  }

  /** {@return the bytes of all three headers} */
  int headerBytes() {
    return macBytes + ipBytes + l4Bytes;
  }
}
