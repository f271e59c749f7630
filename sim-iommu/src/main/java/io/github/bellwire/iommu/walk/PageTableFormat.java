package io.github.bellwire.iommu.walk;

/**
 * How to read the entries of page tables: all that tells one format from another. Levels count from
 * 1, whose entries map the smallest pages, up to the root.
 */
interface PageTableFormat {
  /** Bits of an address that tables look at. */
  long ADDRESS_MASK = (1L << 57) - 1;

  /** Bits of a 4 KiB page. */
  int PAGE_SHIFT = 12;

  /** {@return the address whose bits that tables do not look at all equal the highest they do} */
  static long signExtended(long address) {
    int unused = Long.numberOfLeadingZeros(ADDRESS_MASK);
    return address << unused >> unused;
  }

  /** Bits that index one level. */
  int LEVEL_BITS = 9;

  /** {@return how many low bits of an address the tables below an entry translate} */
  static int shift(int level) {
    return PAGE_SHIFT + LEVEL_BITS * (level - 1);
  }

  /**
   * {@return how many low bits of an address the tables below an entry of this format translate}
   */
  default int levelShift(int level) {
    return shift(level);
  }

  /** {@return the offset of the entry for an address in a table} */
  default int entryOffset(long address, int level) {
    return (int) (address >>> shift(level) & (1 << LEVEL_BITS) - 1) * Long.BYTES;
  }

  /** {@return whether there is anything below an entry} */
  boolean isPresent(long entry, int level);

  /** {@return whether an entry that is fine otherwise may be used as it is} */
  default boolean isUsable(long entry, int level) {
    return true;
  }

  /** {@return whether bits are set in a present entry that must not be} */
  boolean isReserved(long entry, int level);

  /** {@return the level of the table that an entry points to; 0 if it maps a page} */
  int nextLevel(long entry, int level);

  /** {@return the bits of the page that an entry maps} */
  default int pageShift(long entry, int level) {
    return shift(level);
  }

  /** {@return the address of the next table or of the page} */
  long address(long entry, int level);

  /** {@return rights that an entry leaves, of {@link #READ}, {@link #WRITE}, {@link #USER}} */
  int rights(long entry, int level);

  /** {@return the bit that says that an entry has been used; 0 if nothing does} */
  default long accessedBit() {
    return 0;
  }

  /** {@return the bit that says that a page has been written to; 0 if nothing does} */
  default long dirtyBit() {
    return 0;
  }

  /** A right: reading. */
  int READ = 1;

  /** A right: writing. */
  int WRITE = 1 << 1;

  /** A right: user privilege. */
  int USER = 1 << 2;

  /** A right: writing where only the first level forbids it. */
  int SUPERVISOR_WRITE = 1 << 3;

  /** All rights that entries give. */
  int ALL_RIGHTS = READ | WRITE | USER;
}
