package io.github.bellwire.pcie;

/**
 * The header of a transaction layer packet, double words 0 and 1 in one {@code long}, 2 and 3 in
 * another (PCI Express Base Specification 5.0, sections 2.2.1 to 2.2.9; not in FLIT mode).
 *
 * <pre>{@code
 *        63  61 60  56 55 54  52 51 50  49 48 47 46 45  44 43 42 41   32
 * DW 0  | Fmt  | Type | T9| TC  |T8|IDO|  |  |TD|EP|RO NS | AT  | Length |
 *        31              16 15   8 7       4 3        0
 * DW 1  | requester ID     | Tag  | last BE | first BE |    requests
 *       | completer ID     | status 15..13  Byte Count 11..0 |  completions
 * DW 2, 3: address of a request; requester ID, Tag, Lower Address of a completion
 * }</pre>
 */
public final class TlpHeader {
  /** Completion status: successful. */
  public static final int STATUS_SUCCESSFUL = 0;

  /** Completion status UR. */
  public static final int STATUS_UNSUPPORTED_REQUEST = 1;

  /** Completion status CA. */
  public static final int STATUS_COMPLETER_ABORT = 4;

  private static final int FMT_4DW = 1 << 29;
  private static final int FMT_WITH_DATA = 1 << 30;
  private static final int TYPE_COMPLETION = 0x0A << 24;
  private static final int TYPE_MASK = 0x1F << 24;
  private static final int TAG_9_SHIFT = 23 - 9;
  private static final int TAG_8_SHIFT = 19 - 8;
  private static final int IDO_SHIFT = 18;
  private static final int DIGEST = 1 << 15;
  private static final int POISONED = 1 << 14;
  private static final int RO_NS_SHIFT = 12;
  private static final int AT_SHIFT = 10;
  private static final int AT_MASK = 3;
  private static final int LENGTH_MASK = 0x3FF;
  private static final int BYTE_COUNT_MASK = 0xFFF;
  private static final int LOWER_ADDRESS_MASK = 0x7F;
  private static final int STATUS_SHIFT = 13;
  private static final int ID_SHIFT = 16;
  private static final int BYTE_SHIFT = 8;
  private static final int ALL_BYTES = 0xF;
  private static final int DW_MASK = 3;
  private static final long LOW_HALF = 0xFFFF_FFFFL;

  private TlpHeader() {}

  /**
   * {@return double words 0 and 1 of a memory request}
   *
   * @param isWrite MWr, else MRd
   * @param address first byte
   * @param lengthBytes 0..4096; 0 is a read of one double word without any byte enabled
   * @param attributes see {@link TlpAttributes}
   * @param requesterId see {@link Bdf#requesterId()}
   * @param tag 0..1023
   */
  public static long request01(
      boolean isWrite, long address, int lengthBytes, int attributes, int requesterId, int tag) {
    int dw0 =
        (isWrite ? FMT_WITH_DATA : 0)
            | (address >>> 32 == 0 ? 0 : FMT_4DW)
            | tagBits(tag)
            | attributeBits(attributes)
            | doubleWords(address, lengthBytes) & LENGTH_MASK;
    int dw1 =
        requesterId << ID_SHIFT
            | (tag & 0xFF) << BYTE_SHIFT
            | lastByteEnables(address, lengthBytes) << 4
            | firstByteEnables(address, lengthBytes);
    return join(dw0, dw1);
  }

  /**
   * {@return double words 2 and 3 of a memory request}
   *
   * @param address first byte
   */
  public static long request23(long address) {
    long aligned = address & ~DW_MASK;
    return address >>> 32 == 0 ? aligned << 32 : aligned;
  }

  /**
   * {@return double words 0 and 1 of a completion}
   *
   * @param address of the first byte it carries
   * @param lengthBytes that it carries, 0 if it has no data
   * @param owedBytes bytes of the request not yet delivered, those carried here included, 1..4096
   * @param status one of the constants of this class
   * @param attributes of the request
   * @param completerId see {@link Bdf#requesterId()}
   * @param tag of the request
   */
  public static long completion01(
      long address,
      int lengthBytes,
      int owedBytes,
      int status,
      int attributes,
      int completerId,
      int tag) {
    int dataWords = lengthBytes == 0 ? 0 : doubleWords(address, lengthBytes);
    int dw0 =
        TYPE_COMPLETION
            | (dataWords == 0 ? 0 : FMT_WITH_DATA)
            | tagBits(tag)
            | attributeBits(attributes)
            | dataWords & LENGTH_MASK;
    int dw1 = completerId << ID_SHIFT | status << STATUS_SHIFT | owedBytes & BYTE_COUNT_MASK;
    return join(dw0, dw1);
  }

  /**
   * {@return double word 2 of a completion, in the high half}
   *
   * @param address of the first byte it carries
   * @param requesterId of the request
   * @param tag of the request
   */
  public static long completion23(long address, int requesterId, int tag) {
    int dw2 =
        requesterId << ID_SHIFT | (tag & 0xFF) << BYTE_SHIFT | (int) address & LOWER_ADDRESS_MASK;
    return join(dw2, 0);
  }

  /**
   * {@return a header with the digest bit TD: an ECRC follows the data}
   *
   * @param header01 double words 0 and 1
   */
  public static long withDigest(long header01) {
    return header01 | (long) DIGEST << 32;
  }

  /**
   * {@return a header with the bit EP: the data is bad}
   *
   * @param header01 double words 0 and 1
   */
  public static long withPoison(long header01) {
    return header01 | (long) POISONED << 32;
  }

  /**
   * {@return a memory request's header with the field AT}
   *
   * @param header01 double words 0 and 1
   * @param type what the address is said to be
   */
  public static long withAddressType(long header01, AddressType type) {
    return header01 | (long) type.ordinal() << 32 + AT_SHIFT;
  }

  /** {@return the field AT of a memory request: 0, 1 or 2, in the order of {@link AddressType}} */
  public static int addressType(long header01) {
    return dw0(header01) >>> AT_SHIFT & AT_MASK;
  }

  /** {@return whether a header is a memory write's} */
  public static boolean isMemoryWrite(long header01) {
    return (dw0(header01) & TYPE_MASK) == 0 && hasData(header01);
  }

  /** {@return whether a header is a memory read's} */
  public static boolean isMemoryRead(long header01) {
    return (dw0(header01) & TYPE_MASK) == 0 && !hasData(header01);
  }

  /** {@return whether a header is a completion's} */
  public static boolean isCompletion(long header01) {
    return (dw0(header01) & TYPE_MASK) == TYPE_COMPLETION;
  }

  /** {@return whether data follows} */
  public static boolean hasData(long header01) {
    return (dw0(header01) & FMT_WITH_DATA) != 0;
  }

  /** {@return whether the bit EP is set} */
  public static boolean isPoisoned(long header01) {
    return (dw0(header01) & POISONED) != 0;
  }

  /** {@return whether an ECRC follows} */
  public static boolean hasDigest(long header01) {
    return (dw0(header01) & DIGEST) != 0;
  }

  /** {@return the Length field in double words, 1..1024, of a TLP with data or a read} */
  public static int lengthWords(long header01) {
    int field = dw0(header01) & LENGTH_MASK;
    return field == 0 ? LENGTH_MASK + 1 : field;
  }

  /** {@return see {@link TlpAttributes}} */
  public static int attributes(long header01) {
    int dw0 = dw0(header01);
    return dw0 >>> RO_NS_SHIFT & (TlpAttributes.RELAXED_ORDERING | TlpAttributes.NO_SNOOP)
        | (dw0 >>> IDO_SHIFT & 1) * TlpAttributes.ID_BASED_ORDERING;
  }

  /** {@return the requester ID of a request, the completer ID of a completion} */
  public static int senderId(long header01) {
    return (int) header01 >>> ID_SHIFT;
  }

  /** {@return the tag of a request, 0..1023} */
  public static int requestTag(long header01) {
    return (int) header01 >>> BYTE_SHIFT & 0xFF | highTagBits(header01);
  }

  /** {@return the first-DW byte enables of a request, bit 0 for the lowest address} */
  public static int firstByteEnables(long header01) {
    return (int) header01 & ALL_BYTES;
  }

  /** {@return the last-DW byte enables of a request, 0 if there is one double word only} */
  public static int lastByteEnables(long header01) {
    return (int) header01 >>> 4 & ALL_BYTES;
  }

  /** {@return the status of a completion} */
  public static int completionStatus(long header01) {
    return (int) header01 >>> STATUS_SHIFT & 7;
  }

  /** {@return the Byte Count of a completion, 1..4096} */
  public static int byteCount(long header01) {
    int field = (int) header01 & BYTE_COUNT_MASK;
    return field == 0 ? BYTE_COUNT_MASK + 1 : field;
  }

  /** {@return the address of a request's first double word} */
  public static long requestAddress(long header01, long header23) {
    return (dw0(header01) & FMT_4DW) == 0 ? header23 >>> 32 : header23;
  }

  /** {@return the Lower Address of a completion: the low 7 bits of its first byte's address} */
  public static int lowerAddress(long header23) {
    return (int) (header23 >>> 32) & LOWER_ADDRESS_MASK;
  }

  /** {@return the requester ID that a completion goes to} */
  public static int completionRequesterId(long header23) {
    return (int) (header23 >>> 32 + ID_SHIFT);
  }

  /** {@return the tag of the request that a completion answers} */
  public static int completionTag(long header01, long header23) {
    return (int) (header23 >>> 32 + BYTE_SHIFT) & 0xFF | highTagBits(header01);
  }

  private static int doubleWords(long address, int lengthBytes) {
    return lengthBytes == 0 ? 1 : TlpLayout.dataBytes(address, lengthBytes) / Integer.BYTES;
  }

  private static int firstByteEnables(long address, int lengthBytes) {
    int from = (int) address & DW_MASK;
    int to = Math.min(Integer.BYTES, from + lengthBytes);
    return (1 << to) - (1 << from);
  }

  private static int lastByteEnables(long address, int lengthBytes) {
    if (doubleWords(address, lengthBytes) == 1) {
      return 0;
    }
    int to = (int) (address + lengthBytes) & DW_MASK;
    return to == 0 ? ALL_BYTES : (1 << to) - 1;
  }

  private static int tagBits(int tag) {
    return (tag & 1 << 9) << TAG_9_SHIFT | (tag & 1 << 8) << TAG_8_SHIFT;
  }

  private static int highTagBits(long header01) {
    int dw0 = dw0(header01);
    return dw0 >>> TAG_9_SHIFT & 1 << 9 | dw0 >>> TAG_8_SHIFT & 1 << 8;
  }

  private static int attributeBits(int attributes) {
    return (attributes & (TlpAttributes.RELAXED_ORDERING | TlpAttributes.NO_SNOOP)) << RO_NS_SHIFT
        | (attributes >>> 2 & 1) << IDO_SHIFT;
  }

  private static int dw0(long header01) {
    return (int) (header01 >>> 32);
  }

  private static long join(int high, int low) {
    return (long) high << 32 | low & LOW_HALF;
  }
}
