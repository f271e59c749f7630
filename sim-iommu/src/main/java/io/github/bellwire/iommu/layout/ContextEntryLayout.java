package io.github.bellwire.iommu.layout;

/**
 * An entry of a legacy context table, which has one for each of 256 functions (VT-d, section 9.3).
 *
 * <pre>{@code
 *       63                              12 11         4  3  2   1     0
 *      +----------------------------------+-----------+------+-----+---+
 * 00   |  second-level table of the domain|     0     |  TT  | FPD | P |
 *      +-----------------+----------------+---+-------+------+-----+---+
 * 08   |        0        |   domain 23..8     | 0 | ignored 6..3 | AW  |
 *      +-----------------+--------------------+---+--------------+-----+
 * }</pre>
 */
public final class ContextEntryLayout {
  /** Bytes of an entry. */
  public static final int ENTRY_BYTES = 16;

  /** Entries of the table: one for each device and function number. */
  public static final int ENTRIES = 256;

  /** Offset of the first half. */
  public static final int LOW = 0;

  /** Offset of the second half. */
  public static final int HIGH = 8;

  /** LOW: the entry is valid. */
  public static final long PRESENT = 1;

  /** LOW: faults that the entry's requests meet are not recorded. */
  public static final long FAULT_PROCESSING_DISABLE = 1 << 1;

  /** LOW: position of the translation type. */
  public static final int TRANSLATION_TYPE_SHIFT = 2;

  /** LOW: mask of the translation type after the shift. */
  public static final int TRANSLATION_TYPE_MASK = 3;

  /** Translation type: untranslated requests are translated; others are blocked. */
  public static final int TRANSLATE = 0;

  /** Translation type: also translation requests and translated requests of a device TLB. */
  public static final int TRANSLATE_WITH_DEVICE_TLB = 1;

  /** Translation type: untranslated requests pass as they are. */
  public static final int PASS_THROUGH = 2;

  /** LOW: address of the root of the second-level tables. */
  public static final long TABLE_MASK = ~0xFFFL;

  /** LOW: bits that must be 0. */
  public static final long LOW_RESERVED = 0xFF0;

  /** HIGH: mask of the address width: 1 is 39 bits, 2 is 48, 3 is 57, in 3, 4 and 5 levels. */
  public static final int ADDRESS_WIDTH_MASK = 7;

  /** HIGH: position of the domain. */
  public static final int DOMAIN_SHIFT = 8;

  /** HIGH: mask of the domain after the shift. */
  public static final int DOMAIN_MASK = 0xFFFF;

  /** HIGH: bits that must be 0. */
  public static final long HIGH_RESERVED = 0xFFFFFFFF_FF000080L;

  private ContextEntryLayout() {}
}
