package io.github.bellwire.iommu.layout;

/**
 * An entry of the root table, which has one for each of 256 buses (VT-d, sections 9.1 and 9.2).
 *
 * <pre>{@code
 *       63                                    12 11                 1   0
 *      +----------------------------------------+--------------------+---+
 * 00   | context table; scalable: devfn 0..7Fh  |         0          | P |
 *      +----------------------------------------+--------------------+---+
 * 08   | 0; scalable: context table, 80h..FFh   |         0          | P |
 *      +----------------------------------------+--------------------+---+
 * }</pre>
 */
public final class RootEntryLayout {
  /** Bytes of an entry. */
  public static final int ENTRY_BYTES = 16;

  /** Entries of the table: one for each bus. */
  public static final int ENTRIES = 256;

  /** Offset of the first half: the context table, of devices 0..15 in scalable mode. */
  public static final int LOW = 0;

  /** Offset of the second half: the context table of devices 16..31 in scalable mode; else 0. */
  public static final int HIGH = 8;

  /** The half points to a table. */
  public static final long PRESENT = 1;

  /** Address of the context table. */
  public static final long TABLE_MASK = ~0xFFFL;

  /** Bits that must be 0 in a half with a table. */
  public static final long RESERVED = 0xFFE;

  private RootEntryLayout() {}
}
