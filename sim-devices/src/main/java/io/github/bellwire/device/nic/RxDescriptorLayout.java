package io.github.bellwire.device.nic;

/**
 * The 16-byte receive descriptor as two little-endian long words (82599 data sheet 7.1.5 and 7.1.6;
 * Intel ixgbe_type.h). Software writes the read format, hardware overwrites it with the write-back.
 *
 * <pre>{@code
 * advanced, read       63                                                             0
 *   low                [ packet buffer address                                        ]
 *   high               [ header buffer address, bit 0 = 0 because DD will be there    ]
 *
 * advanced, write-back 63                32 31  30      21 20    17 16       4 3      0
 *   low                [ RSS hash         | SPH | HDR_LEN | RSCCNT | packet    | RSS    ]
 *                      [ or csum | IP id  |     |         |        | type      | type   ]
 *                      63      48 47    32 31          20 19                           0
 *   high               [ VLAN    | length | errors       | status: NEXTP 19:4, EOP, DD ]
 *
 * legacy, write-back   63      48 47    40 39    32 31              16 15             0
 *   high               [ VLAN    | errors | status | fragment checksum | length         ]
 * }</pre>
 *
 * <p>The bit constants are ints: test them on what {@link #status}, {@link #errors} and so on
 * return, never on the long word itself, where bit 31 would be sign-extended.
 */
public final class RxDescriptorLayout {
  /** Size of a descriptor in bytes. */
  public static final int SIZE_BYTES = 16;

  /** Offset of the low long word in bytes. */
  public static final int LOW_OFFSET = 0;

  /** Offset of the high long word in bytes; DD is bit 0 of its first byte. */
  public static final int HIGH_OFFSET = 8;

  // ---- Status, bits of the high long word ----

  /** Descriptor done. */
  public static final int STATUS_DD = 1;

  /** End of packet. */
  public static final int STATUS_EOP = 1 << 1;

  /** Flow director filter match. */
  public static final int STATUS_FLM = 1 << 2;

  /** VLAN packet; the tag is valid. */
  public static final int STATUS_VP = 1 << 3;

  /** UDP checksum or fragment checksum calculated. */
  public static final int STATUS_UDPCS = 1 << 4;

  /** Layer 4 checksum calculated. */
  public static final int STATUS_L4CS = 1 << 5;

  /** IPv4 header checksum calculated. */
  public static final int STATUS_IPCS = 1 << 6;

  /** Passed an inexact filter only. */
  public static final int STATUS_PIF = 1 << 7;

  /** Outer VLAN found. */
  public static final int STATUS_VEXT = 1 << 9;

  /** UDP checksum valid. */
  public static final int STATUS_UDPV = 1 << 10;

  /** Low-latency interrupt. */
  public static final int STATUS_LLINT = 1 << 11;

  /** Time stamp taken. */
  public static final int STATUS_TS = 1 << 16;

  /** Looped back. */
  public static final int STATUS_LB = 1 << 18;

  /** First bit of NEXTP, the next descriptor of a coalesced packet, 19:4; without EOP only. */
  public static final int STATUS_NEXTP_SHIFT = 4;

  // ---- Errors, bits of the low half of the high long word ----

  /** Header buffer overflow. */
  public static final int ERROR_HBO = 1 << 23;

  /** CRC error. */
  public static final int ERROR_CE = 1 << 24;

  /** Length error. */
  public static final int ERROR_LE = 1 << 25;

  /** Packet error. */
  public static final int ERROR_PE = 1 << 27;

  /** Oversize. */
  public static final int ERROR_OSE = 1 << 28;

  /** Undersize; on the 82599 any MAC error (RXE). */
  public static final int ERROR_RXE = 1 << 29;

  /** TCP or UDP checksum error. */
  public static final int ERROR_TCPE = 1 << 30;

  /** IPv4 header checksum error. */
  public static final int ERROR_IPE = 1 << 31;

  // ---- Packet type, bits of the low long word ----

  /** IPv4 header. */
  public static final int TYPE_IPV4 = 1 << 4;

  /** IPv4 header with options. */
  public static final int TYPE_IPV4_EXT = 1 << 5;

  /** IPv6 header. */
  public static final int TYPE_IPV6 = 1 << 6;

  /** IPv6 header with extensions. */
  public static final int TYPE_IPV6_EXT = 1 << 7;

  /** TCP header. */
  public static final int TYPE_TCP = 1 << 8;

  /** UDP header. */
  public static final int TYPE_UDP = 1 << 9;

  /** SCTP header. */
  public static final int TYPE_SCTP = 1 << 10;

  /** All packet type bits. */
  public static final int TYPE_MASK = 0x1FFF0;

  // ---- RSS types ----

  /** No hash. */
  public static final int RSS_NONE = 0;

  /** TCP over IPv4. */
  public static final int RSS_IPV4_TCP = 1;

  /** IPv4. */
  public static final int RSS_IPV4 = 2;

  /** TCP over IPv6. */
  public static final int RSS_IPV6_TCP = 3;

  /** IPv6 with extensions. */
  public static final int RSS_IPV6_EX = 4;

  /** IPv6. */
  public static final int RSS_IPV6 = 5;

  /** TCP over IPv6 with extensions. */
  public static final int RSS_IPV6_EX_TCP = 6;

  /** UDP over IPv4. */
  public static final int RSS_IPV4_UDP = 7;

  /** UDP over IPv6. */
  public static final int RSS_IPV6_UDP = 8;

  /** UDP over IPv6 with extensions. */
  public static final int RSS_IPV6_EX_UDP = 9;

  private static final int STATUS_MASK = 0xFFFFF;
  private static final int ERROR_MASK = ~STATUS_MASK;
  private static final int RSC_COUNT_SHIFT = 17;
  private static final int HEADER_LENGTH_SHIFT = 21;
  private static final int LENGTH_SHIFT = 32;
  private static final int VLAN_SHIFT = 48;

  private RxDescriptorLayout() {}

  /**
   * {@return the low long word of an advanced write-back}
   *
   * @param rssType one of the {@code RSS_} codes
   * @param packetTypeBits {@code TYPE_} bits
   * @param headerLengthBytes length of the split header, 0..1023; 0 without header split
   * @param isSplit whether the header went to the header buffer (SPH)
   * @param hashOrChecksum RSS hash, or {@link #fragmentChecksum} if RXCSUM.PCSD is clear
   */
  public static long writeBackLow(
      int rssType, int packetTypeBits, int headerLengthBytes, boolean isSplit, int hashOrChecksum) {
    int info =
        rssType
            | packetTypeBits & TYPE_MASK
            | headerLengthBytes << HEADER_LENGTH_SHIFT
            | (isSplit ? 1 << 31 : 0);
    return Integer.toUnsignedLong(info) | (long) hashOrChecksum << 32;
  }

  /**
   * {@return the upper half of the low long word when it carries no hash}
   *
   * @param ipId IPv4 identification, 16 bits
   * @param checksum fragment checksum, 16 bits
   */
  public static int fragmentChecksum(int ipId, int checksum) {
    return ipId & 0xFFFF | checksum << 16;
  }

  /**
   * {@return the high long word of an advanced write-back}
   *
   * @param statusAndErrors {@code STATUS_} and {@code ERROR_} bits
   * @param lengthBytes bytes in this descriptor's buffer, 0..65535
   * @param vlanTag VLAN tag, 16 bits
   */
  public static long writeBackHigh(int statusAndErrors, int lengthBytes, int vlanTag) {
    return Integer.toUnsignedLong(statusAndErrors)
        | (long) (lengthBytes & 0xFFFF) << LENGTH_SHIFT
        | (long) vlanTag << VLAN_SHIFT;
  }

  /**
   * {@return whether hardware has written the descriptor back}
   *
   * @param high high long word
   */
  public static boolean isDone(long high) {
    return (high & STATUS_DD) != 0;
  }

  /**
   * {@return whether the packet ends in this descriptor}
   *
   * @param high high long word of an advanced write-back
   */
  public static boolean isEndOfPacket(long high) {
    return (high & STATUS_EOP) != 0;
  }

  /**
   * {@return whether hardware has written back the only descriptor of a packet, or its last}
   *
   * @param high high long word of an advanced write-back
   */
  public static boolean isPacketDone(long high) {
    return (high & (STATUS_DD | STATUS_EOP)) == (STATUS_DD | STATUS_EOP);
  }

  /**
   * {@return the status bits 19:0}
   *
   * @param high high long word of an advanced write-back
   */
  public static int status(long high) {
    return (int) high & STATUS_MASK;
  }

  /**
   * {@return the error bits, in place (31:20)}
   *
   * @param high high long word of an advanced write-back
   */
  public static int errors(long high) {
    return (int) high & ERROR_MASK;
  }

  /**
   * {@return the bytes in this descriptor's buffer}
   *
   * @param high high long word of an advanced write-back
   */
  public static int lengthBytes(long high) {
    return (int) (high >>> LENGTH_SHIFT) & 0xFFFF;
  }

  /**
   * {@return the VLAN tag, valid with {@link #STATUS_VP}}
   *
   * @param high high long word of a write-back, advanced or legacy
   */
  public static int vlanTag(long high) {
    return (int) (high >>> VLAN_SHIFT);
  }

  /**
   * {@return the RSS type}
   *
   * @param low low long word of an advanced write-back
   */
  public static int rssType(long low) {
    return (int) low & 0xF;
  }

  /**
   * {@return the packet type bits, in place}
   *
   * @param low low long word of an advanced write-back
   */
  public static int packetType(long low) {
    return (int) low & TYPE_MASK;
  }

  /**
   * {@return how many packets were coalesced into the packet}
   *
   * @param low low long word of an advanced write-back
   */
  public static int rscCount(long low) {
    return (int) (low >>> RSC_COUNT_SHIFT) & 0xF;
  }

  /**
   * {@return the length of the split header in bytes}
   *
   * @param low low long word of an advanced write-back
   */
  public static int headerLengthBytes(long low) {
    return (int) (low >>> HEADER_LENGTH_SHIFT) & 0x3FF;
  }

  /**
   * {@return whether the header went to the header buffer}
   *
   * @param low low long word of an advanced write-back
   */
  public static boolean isSplit(long low) {
    return (low & 1L << 31) != 0;
  }

  /**
   * {@return the RSS hash, or the fragment checksum (31:16) and IPv4 identification (15:0)}
   *
   * @param low low long word of an advanced write-back
   */
  public static int rssHash(long low) {
    return (int) (low >>> 32);
  }

  /**
   * {@return the high long word of a legacy write-back}
   *
   * @param lengthBytes bytes in the buffer, 0..65535
   * @param fragmentChecksum 16 bits
   * @param status the low 8 {@code STATUS_} bits
   * @param errors 8 bits, those of the advanced format shifted right by 24
   * @param vlanTag VLAN tag, 16 bits
   */
  public static long legacyWriteBackHigh(
      int lengthBytes, int fragmentChecksum, int status, int errors, int vlanTag) {
    return lengthBytes & 0xFFFF
        | (fragmentChecksum & 0xFFFFL) << 16
        | (status & 0xFFL) << 32
        | (errors & 0xFFL) << 40
        | (long) vlanTag << VLAN_SHIFT;
  }

  /**
   * {@return the bytes in the buffer}
   *
   * @param high high long word of a legacy write-back
   */
  public static int legacyLengthBytes(long high) {
    return (int) high & 0xFFFF;
  }

  /**
   * {@return the low 8 status bits}
   *
   * @param high high long word of a legacy write-back
   */
  public static int legacyStatus(long high) {
    return (int) (high >>> 32) & 0xFF;
  }

  /**
   * {@return the error bits}
   *
   * @param high high long word of a legacy write-back
   */
  public static int legacyErrors(long high) {
    return (int) (high >>> 40) & 0xFF;
  }
}
