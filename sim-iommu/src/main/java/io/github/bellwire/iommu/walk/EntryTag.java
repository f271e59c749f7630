package io.github.bellwire.iommu.walk;

/**
 * What a translation belongs to, packed: the domain, the PASID where the first level takes part,
 * which tables it is by, and the address bits that its page number leaves out.
 *
 * <pre>{@code
 *  63     54 53    48 47     40 39    36 35       16 15        0
 * +---------+--------+---------+--------+-----------+-----------+
 * |    0    | shift  |    0    | tables |   PASID   |  domain   |
 * +---------+--------+---------+--------+-----------+-----------+
 * }</pre>
 */
final class EntryTag {
  /** By the second level alone. */
  static final int SECOND_LEVEL = 0;

  /** By the first level alone. */
  static final int FIRST_LEVEL = 1;

  /** By the first level and the second. */
  static final int NESTED = 2;

  private static final int PASID_SHIFT = 16;
  private static final int TABLES_SHIFT = 36;
  private static final int SHIFT_SHIFT = 48;
  private static final int DOMAIN_MASK = 0xFFFF;
  private static final int PASID_MASK = 0xFFFFF;
  private static final int TABLES_MASK = 0xF;
  private static final int SHIFT_MASK = 0x3F;

  private EntryTag() {}

  static long ofDomain(int domainId) {
    return domainId;
  }

  static long ofPasid(int domainId, int pasid, int tables) {
    return domainId | (long) pasid << PASID_SHIFT | (long) tables << TABLES_SHIFT;
  }

  /** {@return the tag for pages of 2^shift bytes} */
  static long withShift(long tag, int shift) {
    return tag | (long) shift << SHIFT_SHIFT;
  }

  static int domain(long tag) {
    return (int) tag & DOMAIN_MASK;
  }

  static int pasid(long tag) {
    return (int) (tag >>> PASID_SHIFT) & PASID_MASK;
  }

  static int tables(long tag) {
    return (int) (tag >>> TABLES_SHIFT) & TABLES_MASK;
  }

  static int shift(long tag) {
    return (int) (tag >>> SHIFT_SHIFT) & SHIFT_MASK;
  }
}
