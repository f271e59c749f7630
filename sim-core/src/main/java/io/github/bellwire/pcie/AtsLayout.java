package io.github.bellwire.pcie;

/**
 * Offsets and bits of the extended capabilities by which a function translates its own addresses:
 * ATS, page requests and process address spaces, each relative to its structure; and the entries of
 * a translation completion (PCI Express Base Specification 5.0, sections 10.5, 7.8.8 and 10.2.3).
 *
 * <pre>{@code
 * ATS  +--------------------------------+   PRI +--------------------------------+
 * 00   | header: ID 000Fh, version 1    |   00  | header: ID 0013h, version 1    |
 * 04   | control      | capability      |   04  | status       | control         |
 *      +--------------------------------+   08  | outstanding capacity           |
 * PASID+--------------------------------+   0C  | outstanding allocation         |
 * 00   | header: ID 001Bh, version 1    |       +--------------------------------+
 * 04   | control      | capability      |
 *      +--------------------------------+
 *
 * entry   63                            12   11  10  9..6  5  4    3    2  1  0
 *        | translated address             | S | N |     | G|Priv|Exe | U| W| R|
 * }</pre>
 */
public final class AtsLayout {
  /** Length of the ATS structure, in bytes. */
  public static final int ATS_LENGTH_BYTES = 8;

  /** ATS capability, 16 bits. */
  public static final int ATS_CAPABILITY = 4;

  /** ATS capability: how many invalidations the function takes at once; 0 stands for 32. */
  public static final int ATS_QUEUE_DEPTH_MASK = 0x1F;

  /** ATS capability: untranslated addresses in requests are multiples of 4096. */
  public static final int ATS_PAGE_ALIGNED = 1 << 5;

  /** ATS control, 16 bits; 0 after reset. */
  public static final int ATS_CONTROL = 6;

  /** ATS control: the smallest translation unit is 4096 bytes shifted left by this. */
  public static final int ATS_STU_MASK = 0x1F;

  /** ATS control: the function may ask for translations and keep them. */
  public static final int ATS_ENABLE = 1 << 15;

  /** Length of the page request structure, in bytes. */
  public static final int PRI_LENGTH_BYTES = 16;

  /** Page request control, 16 bits; 0 after reset. */
  public static final int PRI_CONTROL = 4;

  /** Page request control: the function may ask for pages. */
  public static final int PRI_ENABLE = 1;

  /** Page request status, 16 bits. */
  public static final int PRI_STATUS = 6;

  /** Page request status: a response failure has come. */
  public static final int PRI_STATUS_FAILURE = 1;

  /** Page request status: a response has come to a group that nobody has asked for. */
  public static final int PRI_STATUS_UNEXPECTED_GROUP = 1 << 1;

  /** Page request status: no request is under way. */
  public static final int PRI_STATUS_STOPPED = 1 << 8;

  /** How many page requests the function can have outstanding, 32 bits. */
  public static final int PRI_CAPACITY = 8;

  /** How many page requests the function may have outstanding, 32 bits. */
  public static final int PRI_ALLOCATION = 12;

  /** Length of the process address space structure, in bytes. */
  public static final int PASID_LENGTH_BYTES = 8;

  /** Process address space capability, 16 bits. */
  public static final int PASID_CAPABILITY = 4;

  /** Process address space capability: where the number of bits of an ID stands. */
  public static final int PASID_WIDTH_SHIFT = 8;

  /** Process address space control, 16 bits; 0 after reset. */
  public static final int PASID_CONTROL = 6;

  /** Process address space control: requests may carry an ID. */
  public static final int PASID_ENABLE = 1;

  /** Bytes of an entry of a translation completion. */
  public static final int ENTRY_BYTES = 8;

  /** Entry: the device may read. */
  public static final long ENTRY_READ = 1;

  /** Entry: the device may write. */
  public static final long ENTRY_WRITE = 1 << 1;

  /** Entry: more than 4096 bytes; how many is written into the low bits of the address. */
  public static final long ENTRY_SIZE = 1 << 11;

  private static final int PAGE_SHIFT = 12;
  private static final long PAGE_MASK = (1L << PAGE_SHIFT) - 1;

  private AtsLayout() {}

  /**
   * {@return an entry of a translation completion: below the size's highest bit, which is 0, all
   * bits of the page number are 1}
   *
   * @param pa any address of the range
   * @param rangeBytes a power of two, at least 4096
   * @param isReadable whether the device may read
   * @param isWritable whether the device may write
   */
  public static long entry(long pa, long rangeBytes, boolean isReadable, boolean isWritable) {
    long address = pa & -rangeBytes;
    if (rangeBytes > PAGE_MASK + 1) {
      address |= (rangeBytes >>> 1) - 1 & ~PAGE_MASK | ENTRY_SIZE;
    }
    return address | (isReadable ? ENTRY_READ : 0) | (isWritable ? ENTRY_WRITE : 0);
  }

  /** {@return how many bytes an entry is about} */
  public static long rangeBytes(long entry) {
    return (entry & ENTRY_SIZE) == 0
        ? PAGE_MASK + 1
        : 2L << Long.numberOfTrailingZeros(~(entry | PAGE_MASK));
  }

  /** {@return the translated address of the first byte of an entry's range} */
  public static long address(long entry) {
    return entry & -rangeBytes(entry);
  }
}
