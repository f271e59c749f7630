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

  /** A completion without its data. */
  public static final int COMPLETION_BYTES = FRAMING_BYTES + HEADER_3DW_BYTES;

  /** What a request may not cross. */
  public static final int REQUEST_BOUNDARY_BYTES = 4096;

  private static final int DW_MASK = 3;

  private TlpLayout() {}

  /**
   * {@return a memory request without its data: 20 bytes below 4 GiB, where the short header must
   * be used, 24 at or above}
   *
   * @param address first byte, unsigned
   */
  public static int requestBytes(long address) {
    return FRAMING_BYTES + (address >>> 32 == 0 ? HEADER_3DW_BYTES : HEADER_4DW_BYTES);
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
   * {@return how much of a range the next naturally aligned access covers: 1, 2, 4 or 8 bytes}
   *
   * @param address first byte
   * @param lengthBytes bytes left, at least 1
   */
  static int naturalPieceBytes(long address, int lengthBytes) {
    int aligned =
        (int) Math.min(Long.BYTES, address == 0 ? Long.BYTES : Long.lowestOneBit(address));
    return Math.min(aligned, Integer.highestOneBit(lengthBytes));
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
}
