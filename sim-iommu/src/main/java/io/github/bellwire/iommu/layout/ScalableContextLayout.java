package io.github.bellwire.iommu.layout;

/**
 * An entry of a scalable-mode context table, which has one for each of 128 functions (VT-d, section
 * 9.4).
 *
 * <pre>{@code
 *       63                    12 11    9 8      5   4      3      2    1     0
 *      +------------------------+-------+--------+-----+--------+-----+-----+---+
 * 00   |    PASID directory     | PDTS  |   0    | PRE | PASIDE | DTE | FPD | P |
 *      +------------------------+-------+----+---+-----+--------+-----+-----+---+
 * 08   |                 0                   | RID_PRIV |  RID_PASID  19..0     |
 *      +-------------------------------------+----------+-----------------------+
 * 10   |                                   0                                    |
 * 18   |                                   0                                    |
 *      +------------------------------------------------------------------------+
 * }</pre>
 */
public final class ScalableContextLayout {
  /** Bytes of an entry. */
  public static final int ENTRY_BYTES = 32;

  /** Entries of a table: half of the device and function numbers of a bus. */
  public static final int ENTRIES = 128;

  /** Offset of the first 8 bytes. */
  public static final int LOW = 0;

  /** Offset of the second 8 bytes. */
  public static final int HIGH = 8;

  /** LOW: the entry is valid. */
  public static final long PRESENT = 1;

  /** LOW: faults that the entry's requests meet are not recorded. */
  public static final long FAULT_PROCESSING_DISABLE = 1 << 1;

  /** LOW: the device may send translation requests and translated requests. */
  public static final long DEVICE_TLB_ENABLE = 1 << 2;

  /** LOW: requests may have a PASID. */
  public static final long PASID_ENABLE = 1 << 3;

  /** LOW: the device may send page requests. */
  public static final long PAGE_REQUEST_ENABLE = 1 << 4;

  /** LOW: position of the directory's size. */
  public static final int DIRECTORY_SIZE_SHIFT = 9;

  /** LOW: mask of the directory's size n after the shift: it has 2^(n + 7) entries. */
  public static final int DIRECTORY_SIZE_MASK = 7;

  /** The exponent of the smallest directory. */
  public static final int DIRECTORY_SIZE_BASE = 7;

  /** LOW: address of the PASID directory. */
  public static final long DIRECTORY_MASK = ~0xFFFL;

  /** LOW: bits that must be 0. */
  public static final long LOW_RESERVED = 0x1E0;

  /** HIGH: mask of the PASID that stands for requests without one. */
  public static final int RID_PASID_MASK = 0xFFFFF;

  /** HIGH: requests without a PASID have supervisor privilege. */
  public static final long RID_PRIVILEGED = 1 << 20;

  /** HIGH: bits that must be 0. */
  public static final long HIGH_RESERVED = ~0x1FFFFFL;

  private ScalableContextLayout() {}
}
