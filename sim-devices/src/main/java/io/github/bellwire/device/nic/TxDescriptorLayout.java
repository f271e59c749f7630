package io.github.bellwire.device.nic;

/**
 * The 16-byte transmit descriptor as two little-endian long words (82599 data sheet 7.2.3; Intel
 * ixgbe_type.h). Command bits lie in the lower half of the high long word, at the same place in all
 * three formats; DEXT tells legacy from advanced and DTYP data from context.
 *
 * <pre>{@code
 * advanced data    63         46 45  40 39 38 36 35  32 31    24 23  20 19  16 15       0
 *   low            [ buffer address                                                     ]
 *   high           [ PAYLEN    | POPTS |CC| IDX | STA  | DCMD   | DTYP=3|      | DTALEN  ]
 *
 * advanced context 63       48 47  40 39 38 36 35    31    24 23  20 19     9 8         0
 *   low            [                                 | VLAN 31:16 | MACLEN 15:9 | IPLEN  ]
 *   high           [ MSS     | L4LEN |  | IDX |      | DEXT     | DTYP=2| TUCMD 12:9    ]
 *
 * legacy           63       48 47  40 39       32 31    24 23    16 15                  0
 *   low            [ buffer address                                                     ]
 *   high           [ VLAN    | CSS   | STA       | CMD    | CSO    | length              ]
 *
 * write-back: DD is bit 32 of the high long word in all formats
 * }</pre>
 *
 * <p>The bit constants are ints: test them on what {@link #command}, {@link #options} and so on
 * return, never on the long word itself, where bit 31 would be sign-extended.
 */
public final class TxDescriptorLayout {
  /** Size of a descriptor in bytes. */
  public static final int SIZE_BYTES = 16;

  /** Offset of the low long word in bytes. */
  public static final int LOW_OFFSET = 0;

  /** Offset of the high long word in bytes. */
  public static final int HIGH_OFFSET = 8;

  /** Offset of the status in bytes; DD is bit 0 of its first byte. */
  public static final int STATUS_OFFSET = 12;

  // ---- Command, bits of the lower half of the high long word ----

  /** End of packet. */
  public static final int COMMAND_EOP = 1 << 24;

  /** Insert FCS. */
  public static final int COMMAND_IFCS = 1 << 25;

  /** Insert checksum as CSS and CSO say; legacy only. */
  public static final int COMMAND_IC = 1 << 26;

  /** Report status. */
  public static final int COMMAND_RS = 1 << 27;

  /** Descriptor extension: not legacy. */
  public static final int COMMAND_DEXT = 1 << 29;

  /** Insert a VLAN tag. */
  public static final int COMMAND_VLE = 1 << 30;

  /** Segment; advanced data only. */
  public static final int COMMAND_TSE = 1 << 31;

  // ---- Status and options, bits of the upper half of the high long word ----

  /** Descriptor done. */
  public static final int STATUS_DD = 1;

  /** Check context. */
  public static final int OPTION_CC = 1 << 7;

  /** Insert the IPv4 header checksum. */
  public static final int OPTION_IXSM = 1 << 8;

  /** Insert the TCP, UDP or SCTP checksum. */
  public static final int OPTION_TXSM = 1 << 9;

  // ---- Context command, bits of the lower half of the high long word ----

  /** IPv4, otherwise IPv6. */
  public static final int TUCMD_IPV4 = 1 << 10;

  /** First bit of the layer 4 type. */
  public static final int TUCMD_L4T_SHIFT = 11;

  /** Layer 4 type: UDP. */
  public static final int L4T_UDP = 0;

  /** Layer 4 type: TCP. */
  public static final int L4T_TCP = 1;

  /** Layer 4 type: SCTP. */
  public static final int L4T_SCTP = 2;

  private static final int DTYP_SHIFT = 20;
  private static final int DTYP_CONTEXT = 2;
  private static final int DTYP_DATA = 3;
  private static final int INDEX_SHIFT = 36;
  private static final int OPTION_MASK = 0x3F80;
  private static final int PAYLEN_SHIFT = 46;
  private static final int L4LEN_SHIFT = 40;
  private static final int MSS_SHIFT = 48;
  private static final int MACLEN_SHIFT = 9;
  private static final int CONTEXT_VLAN_SHIFT = 16;
  private static final int LEGACY_VLAN_SHIFT = 48;
  private static final long DONE = (long) STATUS_DD << 32;

  private TxDescriptorLayout() {}

  /**
   * {@return the high long word of an advanced data descriptor}
   *
   * @param bufferBytes bytes in this descriptor's buffer, 0..65535
   * @param commandBits {@code COMMAND_} bits; DEXT is added
   * @param optionBits {@code OPTION_} bits
   * @param contextIndex context to use with CC, 0..7
   * @param payloadBytes bytes of the packet; with TSE those behind the headers, 0..262143
   */
  public static long dataHigh(
      int bufferBytes, int commandBits, int optionBits, int contextIndex, int payloadBytes) {
    int lower = bufferBytes & 0xFFFF | DTYP_DATA << DTYP_SHIFT | COMMAND_DEXT | commandBits;
    return Integer.toUnsignedLong(lower)
        | (long) (optionBits & OPTION_MASK) << 32
        | (contextIndex & 7L) << INDEX_SHIFT
        | (long) payloadBytes << PAYLEN_SHIFT;
  }

  /**
   * {@return the low long word of a context descriptor}
   *
   * @param macHeaderBytes 0..127
   * @param ipHeaderBytes 0..511
   * @param vlanTag 16 bits
   */
  public static long contextLow(int macHeaderBytes, int ipHeaderBytes, int vlanTag) {
    return ipHeaderBytes & 0x1FF
        | (macHeaderBytes & 0x7F) << MACLEN_SHIFT
        | (vlanTag & 0xFFFFL) << CONTEXT_VLAN_SHIFT;
  }

  /**
   * {@return the high long word of a context descriptor}
   *
   * @param isIpv4 IPv4 rather than IPv6
   * @param l4Type one of the {@code L4T_} codes
   * @param contextIndex context to set, 0..7
   * @param l4HeaderBytes 0..255
   * @param mssBytes 0..65535
   */
  public static long contextHigh(
      boolean isIpv4, int l4Type, int contextIndex, int l4HeaderBytes, int mssBytes) {
    int lower =
        (isIpv4 ? TUCMD_IPV4 : 0)
            | l4Type << TUCMD_L4T_SHIFT
            | DTYP_CONTEXT << DTYP_SHIFT
            | COMMAND_DEXT;
    return Integer.toUnsignedLong(lower)
        | (contextIndex & 7L) << INDEX_SHIFT
        | (l4HeaderBytes & 0xFFL) << L4LEN_SHIFT
        | (long) mssBytes << MSS_SHIFT;
  }

  /**
   * {@return the high long word of a legacy descriptor}
   *
   * @param bufferBytes bytes in the buffer, 0..65535
   * @param checksumOffset CSO, 8 bits
   * @param commandBits {@code COMMAND_} bits without DEXT
   * @param checksumStart CSS, 8 bits
   * @param vlanTag 16 bits
   */
  public static long legacyHigh(
      int bufferBytes, int checksumOffset, int commandBits, int checksumStart, int vlanTag) {
    int lower = bufferBytes & 0xFFFF | (checksumOffset & 0xFF) << 16 | commandBits;
    return Integer.toUnsignedLong(lower)
        | (checksumStart & 0xFFL) << 40
        | (long) vlanTag << LEGACY_VLAN_SHIFT;
  }

  /**
   * {@return whether the descriptor is a legacy one}
   *
   * @param high high long word
   */
  public static boolean isLegacy(long high) {
    return (high & COMMAND_DEXT) == 0;
  }

  /**
   * {@return whether the descriptor sets a context}
   *
   * @param high high long word
   */
  public static boolean isContext(long high) {
    return !isLegacy(high) && (high >>> DTYP_SHIFT & 0xF) == DTYP_CONTEXT;
  }

  /**
   * {@return whether the descriptor is an advanced data descriptor}
   *
   * @param high high long word
   */
  public static boolean isData(long high) {
    return !isLegacy(high) && (high >>> DTYP_SHIFT & 0xF) == DTYP_DATA;
  }

  /**
   * {@return the command bits, in place; for legacy and data descriptors}
   *
   * @param high high long word
   */
  public static int command(long high) {
    return (int) high & 0xFF000000;
  }

  /**
   * {@return the bytes in this descriptor's buffer; for legacy and data descriptors}
   *
   * @param high high long word
   */
  public static int bufferBytes(long high) {
    return (int) high & 0xFFFF;
  }

  /**
   * {@return the {@code OPTION_} bits of a data descriptor, in place}
   *
   * @param high high long word
   */
  public static int options(long high) {
    return (int) (high >>> 32) & OPTION_MASK;
  }

  /**
   * {@return the bytes of the packet, or with TSE of the payload, of a data descriptor}
   *
   * @param high high long word
   */
  public static int payloadBytes(long high) {
    return (int) (high >>> PAYLEN_SHIFT);
  }

  /**
   * {@return the context index, 0..7, of a data or context descriptor}
   *
   * @param high high long word
   */
  public static int contextIndex(long high) {
    return (int) (high >>> INDEX_SHIFT) & 7;
  }

  /**
   * {@return the MAC header length of a context}
   *
   * @param low low long word
   */
  public static int macHeaderBytes(long low) {
    return (int) low >>> MACLEN_SHIFT & 0x7F;
  }

  /**
   * {@return the IP header length of a context}
   *
   * @param low low long word
   */
  public static int ipHeaderBytes(long low) {
    return (int) low & 0x1FF;
  }

  /**
   * {@return the VLAN tag of a context}
   *
   * @param low low long word
   */
  public static int contextVlanTag(long low) {
    return (int) low >>> CONTEXT_VLAN_SHIFT;
  }

  /**
   * {@return whether a context is IPv4 rather than IPv6}
   *
   * @param high high long word
   */
  public static boolean isIpv4(long high) {
    return (high & TUCMD_IPV4) != 0;
  }

  /**
   * {@return the layer 4 type of a context, an {@code L4T_} code}
   *
   * @param high high long word
   */
  public static int l4Type(long high) {
    return (int) high >>> TUCMD_L4T_SHIFT & 3;
  }

  /**
   * {@return the layer 4 header length of a context}
   *
   * @param high high long word
   */
  public static int l4HeaderBytes(long high) {
    return (int) (high >>> L4LEN_SHIFT) & 0xFF;
  }

  /**
   * {@return the maximum segment size of a context}
   *
   * @param high high long word
   */
  public static int mssBytes(long high) {
    return (int) (high >>> MSS_SHIFT);
  }

  /**
   * {@return the checksum offset of a legacy descriptor}
   *
   * @param high high long word
   */
  public static int legacyChecksumOffset(long high) {
    return (int) high >>> 16 & 0xFF;
  }

  /**
   * {@return the checksum start of a legacy descriptor}
   *
   * @param high high long word
   */
  public static int legacyChecksumStart(long high) {
    return (int) (high >>> 40) & 0xFF;
  }

  /**
   * {@return the VLAN tag of a legacy descriptor}
   *
   * @param high high long word
   */
  public static int legacyVlanTag(long high) {
    return (int) (high >>> LEGACY_VLAN_SHIFT);
  }

  /**
   * {@return the high long word that reports a descriptor as done}
   *
   * @param high high long word as read
   */
  public static long done(long high) {
    return high | DONE;
  }

  /**
   * {@return whether hardware has reported the descriptor as done}
   *
   * @param high high long word
   */
  public static boolean isDone(long high) {
    return (high & DONE) != 0;
  }
}
