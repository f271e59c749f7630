package io.github.bellwire.iommu.layout;

/**
 * Entries of the PASID directory and of PASID tables (VT-d, sections 9.5 and 9.6).
 *
 * <pre>{@code
 * directory, indexed by bits 19..6 of the PASID:
 *       63                                     12 11             2  1     0
 *      +-----------------------------------------+----------------+-----+---+
 * 00   |               PASID table               |       0        | FPD | P |
 *      +-----------------------------------------+----------------+-----+---+
 * table, indexed by bits 5..0:
 *       63                          12 11 10   9    8   6  5  4  2   1    0
 *      +------------------------------+-----+------+------+---+-----+-----+---+
 * 00   |      second-level table      |  0  | SSADE| PGTT | 0 | AW  | FPD | P |
 *      +------------------------------+-----+------+------+---+-----+-----+---+
 * 08   |    page attributes, ignored           | snoop 24, 23 |  domain 15..0  |
 *      +------------------------------+--------+---+----+-----+---+------+-----+
 * 10   |      first-level table       |   0    |EAFE| 0  | WPE | FSPM |ERE|SRE|
 *      +------------------------------+--------+----+----+-----+------+---+----+
 * 18   |  0, five times                                                       |
 *      +----------------------------------------------------------------------+
 * }</pre>
 */
public final class PasidLayout {
  /** Bytes of a directory entry. */
  public static final int DIRECTORY_ENTRY_BYTES = 8;

  /** Position of the directory's index in a PASID. */
  public static final int DIRECTORY_SHIFT = 6;

  /** Directory entry: it points to a table. */
  public static final long DIRECTORY_PRESENT = 1;

  /** Directory entry: faults that its requests meet are not recorded. */
  public static final long DIRECTORY_FAULT_PROCESSING_DISABLE = 1 << 1;

  /** Directory entry: address of the PASID table. */
  public static final long TABLE_MASK = ~0xFFFL;

  /** Directory entry: bits that must be 0. */
  public static final long DIRECTORY_RESERVED = 0xFFC;

  /** Bytes of a table entry. */
  public static final int ENTRY_BYTES = 64;

  /** Entries of a table. */
  public static final int ENTRIES = 64;

  /** Offset of the part with the second-level table. */
  public static final int SECOND_LEVEL = 0;

  /** Offset of the part with the domain. */
  public static final int DOMAIN = 8;

  /** Offset of the part with the first-level table. */
  public static final int FIRST_LEVEL = 16;

  /** SECOND_LEVEL: the entry is valid. */
  public static final long PRESENT = 1;

  /** SECOND_LEVEL: faults that the entry's requests meet are not recorded. */
  public static final long FAULT_PROCESSING_DISABLE = 1 << 1;

  /** SECOND_LEVEL: position of the address width. */
  public static final int ADDRESS_WIDTH_SHIFT = 2;

  /** SECOND_LEVEL: mask of the address width after the shift, as in a context entry. */
  public static final int ADDRESS_WIDTH_MASK = 7;

  /** SECOND_LEVEL: position of the translation type. */
  public static final int TRANSLATION_TYPE_SHIFT = 6;

  /** SECOND_LEVEL: mask of the translation type after the shift. */
  public static final int TRANSLATION_TYPE_MASK = 7;

  /** Translation type: by the first-level tables. */
  public static final int FIRST_LEVEL_ONLY = 1;

  /** Translation type: by the second-level tables. */
  public static final int SECOND_LEVEL_ONLY = 2;

  /** Translation type: by the first level, whose addresses the second level translates. */
  public static final int NESTED = 3;

  /** Translation type: untranslated requests pass as they are. */
  public static final int PASS_THROUGH = 4;

  /** SECOND_LEVEL: accesses set accessed and dirty bits in the second level. */
  public static final long SECOND_LEVEL_ACCESSED_DIRTY = 1 << 9;

  /** SECOND_LEVEL: bits that must be 0. */
  public static final long SECOND_LEVEL_RESERVED = 0xC20;

  /** SECOND_LEVEL and FIRST_LEVEL: address of the root of the tables. */
  public static final long ROOT_MASK = ~0xFFFL;

  /** DOMAIN: mask of the domain. */
  public static final int DOMAIN_MASK = 0xFFFF;

  /** DOMAIN: bits that must be 0. */
  public static final long DOMAIN_RESERVED = 0x7F0000;

  /** FIRST_LEVEL: requests with supervisor privilege are allowed. */
  public static final long SUPERVISOR_REQUEST_ENABLE = 1;

  /** FIRST_LEVEL: requests to execute are allowed. */
  public static final long EXECUTE_REQUEST_ENABLE = 1 << 1;

  /** FIRST_LEVEL: position of the paging mode. */
  public static final int PAGING_MODE_SHIFT = 2;

  /** FIRST_LEVEL: mask of the paging mode after the shift: 0 is 4 levels, 1 is 5. */
  public static final int PAGING_MODE_MASK = 3;

  /** FIRST_LEVEL: read-only pages are so for supervisor requests too. */
  public static final long WRITE_PROTECT_ENABLE = 1 << 4;

  /** FIRST_LEVEL: accesses also set the extended accessed bit. */
  public static final long EXTENDED_ACCESSED_ENABLE = 1 << 7;

  /** FIRST_LEVEL: bits that must be 0. */
  public static final long FIRST_LEVEL_RESERVED = 0xF60;

  private PasidLayout() {}
}
