package io.github.bellwire.iommu.layout;

/**
 * An entry of a first-level table: that of a core's page tables (VT-d, section 9.7).
 *
 * <pre>{@code
 *  63   62     52 51               12 11 10        8   7    6   5   4   3   2    1   0
 * +----+---------+-------------------+--+-+---+---+---+----+---+---+---+---+----+----+---+
 * | XD | ignored | table or page     |  |EA |  | G |PS | D | A |PCD|PWT|U/S|R/W| P |
 * +----+---------+-------------------+--+-+---+---+---+----+---+---+---+---+----+----+---+
 * }</pre>
 *
 * <p>PS is reserved where no super page may be, and so are the address bits below the page's size.
 */
public final class FirstLevelLayout {
  /** Bytes of an entry. */
  public static final int ENTRY_BYTES = 8;

  /** Entries of a table. */
  public static final int ENTRIES = 512;

  /** The entry is valid. */
  public static final long PRESENT = 1;

  /** What is below may be written. */
  public static final long WRITE = 1 << 1;

  /** What is below is open to requests with user privilege. */
  public static final long USER = 1 << 2;

  /** The entry has been used. */
  public static final long ACCESSED = 1 << 5;

  /** The page has been written to. */
  public static final long DIRTY = 1 << 6;

  /** The entry maps a page of 2 MiB in level 2, of 1 GiB in level 3. */
  public static final long PAGE_SIZE = 1 << 7;

  /** Large pages: the highest page-attribute bit. */
  public static final long LARGE_PAGE_ATTRIBUTE = 1 << 12;

  /** The entry has been used by a device, where extended accessed bits are enabled. */
  public static final long EXTENDED_ACCESSED = 1 << 10;

  /** Address of the next table or of the page. */
  public static final long ADDRESS_MASK = 0xF_FFFF_FFFF_F000L;

  private FirstLevelLayout() {}
}
