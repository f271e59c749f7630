package io.github.bellwire.pcie;

/**
 * Sizes of transaction layer packets on the wire, in bytes (PCI Express Base Specification,
 * sections 2.2 and 4.2.2). Generations 1 and 2 frame a TLP by STP 1, sequence 2, LCRC 4, END 1;
 * from generation 3 on by an STP token of 4 and LCRC 4: 8 bytes either way.
 *
 * <pre>{@code
 * +---------+--------------+------------------------------+---------+
 * | framing | header 12/16 | data: whole double words     | framing |
 * +---------+--------------+------------------------------+---------+
 * }</pre>
 */
public final class TlpLayout {
  /** Framing, sequence number and LCRC. */
  public static final int FRAMING_BYTES = 8;

  /** A header of three double words: 32-bit addresses, and every completion. */
  public static final int HEADER_3DW_BYTES = 12;

  /** A header of four double words: addresses at or above 4 GiB. */
  public static final int HEADER_4DW_BYTES = 16;

  /** The end-to-end CRC behind the data of a TLP with a digest. */
  public static final int ECRC_BYTES = 4;

  /**
   * In FLIT mode: orthogonal header content, with byte enables that are not all ones (OHC-A1) or
   * the low address bits of a completion that are not zero (OHC-A5; Base Specification 6.0, section
   * 2.2.1.2).
   */
  public static final int OHC_BYTES = 4;

  /** A completion without its data. */
  public static final int COMPLETION_BYTES = FRAMING_BYTES + HEADER_3DW_BYTES;

  /** A message without data, such as ERR_COR: always a header of four double words. */
  public static final int MESSAGE_BYTES = FRAMING_BYTES + HEADER_4DW_BYTES;

  /** A message with two double words: the request to invalidate entries of a device TLB. */
  public static final int MESSAGE_WITH_DATA_BYTES = MESSAGE_BYTES + 8;

  /**
   * The prefix with a process address space ID (Base Specification 5.0, section 6.20). In FLIT mode
   * the ID is in the same orthogonal header content as byte enables, of the same size.
   */
  public static final int PASID_PREFIX_BYTES = 4;

  /** What a request may not cross. */
  public static final int REQUEST_BOUNDARY_BYTES = 4096;

  /** A memory request at or above 4 GiB without its data. */
  static final int REQUEST_4DW_BYTES = FRAMING_BYTES + HEADER_4DW_BYTES;

  private static final int DW_MASK = 3;

  private TlpLayout() {}

  /**
   * {@return a memory request without its data: 20 bytes below 4 GiB, where the short header must
   * be used, 24 at or above}
   *
   * @param address first byte, unsigned
   */
  public static int requestBytes(long address) {
    return address >>> 32 == 0 ? FRAMING_BYTES + HEADER_3DW_BYTES : REQUEST_4DW_BYTES;
  }

  /**
   * {@return what the prefix of a TLP takes}
   *
   * @param pasid the process address space, or {@link TranslationRequest#NO_PASID}
   */
  static int prefixBytes(int pasid) {
    return pasid == TranslationRequest.NO_PASID ? 0 : PASID_PREFIX_BYTES;
  }

  /**
   * {@return the data of a TLP that carries a byte range: the double words that it touches}
   *
   * @param address first byte
   * @param lengthBytes at least 1
   */
  public static int dataBytes(long address, int lengthBytes) {
    return ((int) (address & DW_MASK) + lengthBytes + DW_MASK) & ~DW_MASK;
  }

  /**
   * {@return whether a byte range is not made of whole double words, so that its byte enables are
   * not all ones}
   *
   * @param address first byte
   * @param lengthBytes at least 0; 0 is a double word without any byte enabled
   */
  public static boolean hasPartialWords(long address, int lengthBytes) {
    return lengthBytes == 0 || ((address | lengthBytes) & DW_MASK) != 0;
  }

  /**
   * {@return how much of a range the next request may cover, so that its double words fit a limit
   * and it stays inside 4 KiB}
   *
   * @param address first byte
   * @param lengthBytes bytes left, at least 1
   * @param limitBytes MPS for writes, MRRS for reads
   */
  public static int requestPieceBytes(long address, int lengthBytes, int limitBytes) {
    int toBoundary = REQUEST_BOUNDARY_BYTES - (int) (address & REQUEST_BOUNDARY_BYTES - 1);
    int inLimit = limitBytes - (int) (address & DW_MASK);
    return Math.min(lengthBytes, Math.min(toBoundary, inLimit));
  }

  /**
   * {@return how much of a range the next completion carries: up to MPS, ending at a multiple of
   * RCB unless it is the last (section 2.3.1.1)}
   *
   * @param address first byte
   * @param lengthBytes bytes left, at least 1
   * @param mpsBytes MPS
   * @param rcbBytes RCB
   */
  public static int completionPieceBytes(
      long address, int lengthBytes, int mpsBytes, int rcbBytes) {
    if (dataBytes(address, lengthBytes) <= mpsBytes) {
      return lengthBytes;
    }
    long cut = address + mpsBytes & -rcbBytes;
    return (int) (cut - address);
  }

  /**
   * {@return how much of a range lies before the next multiple of RCB}
   *
   * @param address first byte
   * @param lengthBytes bytes left, at least 1
   * @param rcbBytes RCB
   */
  public static int toBoundaryBytes(long address, int lengthBytes, int rcbBytes) {
    return Math.min(lengthBytes, rcbBytes - (int) (address & rcbBytes - 1));
  }

  /**
   * {@return the most completions that a read may be answered by}
   *
   * @param address first byte
   * @param lengthBytes at least 1
   * @param rcbBytes RCB
   */
  public static int completionsMax(long address, int lengthBytes, int rcbBytes) {
    int start = (int) (address & rcbBytes - 1);
    return start + lengthBytes + rcbBytes - 1 >>> Integer.numberOfTrailingZeros(rcbBytes);
  }
}
