package io.github.bellwire.iommu.layout;

/**
 * An entry of a second-level table (VT-d, section 9.8).
 *
 * <pre>{@code
 *  63      62 52  51                   12 11   10   9   8   7  6      3   2   1   0
 * +--+----------+------------------------+---+----+---+---+---+----------+---+---+---+
 * |  | ignored  | table or page          |SNP|    | D | A |PS | ignored  | X | W | R |
 * +--+----------+------------------------+---+----+---+---+---+----------+---+---+---+
 * }</pre>
 *
 * <p>An entry that grants neither reading nor writing is not there. PS is reserved where no super
 * page may be, and so are the address bits below the page's size.
 */
public final class SecondLevelLayout {
  /** Bytes of an entry. */
  public static final int ENTRY_BYTES = 8;

  /** Entries of a table. */
  public static final int ENTRIES = 512;

  /** Address bits that index one level. */
  public static final int LEVEL_BITS = 9;

  /** Position of the index of the last level: the bits of a 4 KiB page. */
  public static final int PAGE_SHIFT = 12;

  /** What is below may be read. */
  public static final long READ = 1;

  /** What is below may be written. */
  public static final long WRITE = 1 << 1;

  /** The entry maps a page of 2 MiB in level 2, of 1 GiB in level 3. */
  public static final long PAGE_SIZE = 1 << 7;

  /** The entry has been used; where accessed and dirty bits are enabled. */
  public static final long ACCESSED = 1 << 8;

  /** The page has been written to; where accessed and dirty bits are enabled. */
  public static final long DIRTY = 1 << 9;

  /** Accesses to the page are snooped whatever the request says. */
  public static final long SNOOP = 1 << 11;

  /** Address of the next table or of the page. */
  public static final long ADDRESS_MASK = 0xF_FFFF_FFFF_F000L;

  private SecondLevelLayout() {}
}
