package io.github.bellwire.iommu.walk;

import io.github.bellwire.memory.PhysicalMemory;

/** A walk of legacy tables that is as simple as can be, to compare with. */
public final class ReferenceWalk {
  private final PhysicalMemory memory;
  private final long tooHigh;
  private final int addressWidths;

  /**
   * Creates a walk.
   *
   * @param memory with the tables
   * @param hostAddressBits of addresses in entries
   * @param addressWidths a bit for each that a context entry may say
   */
  public ReferenceWalk(PhysicalMemory memory, int hostAddressBits, int addressWidths) {
    this.memory = memory;
    this.addressWidths = addressWidths;
    tooHigh = -1L << hostAddressBits;
  }

  /** {@return the translation of a read or a write by a device, or -1} */
  public long pa(long rootPa, int sourceId, long iova, boolean isWrite) {
    long rootEntry = at(rootPa + (sourceId >>> 8) * 16L);
    if ((rootEntry & 1) == 0 || (rootEntry & (0xFFE | tooHigh)) != 0) {
      return -1;
    }
    long contextPa = (rootEntry & ~0xFFFL) + (sourceId & 0xFF) * 16L;
    long low = at(contextPa);
    long high = at(contextPa + 8);
    int width = (int) high & 7;
    int type = (int) (low >>> 2) & 3;
    if ((low & 1) == 0
        || (low & (0xFF0 | tooHigh)) != 0
        || (high & 0xFFFF_FFFF_FF00_0080L) != 0
        || width < 1
        || (addressWidths & 1 << width) == 0
        || type == 3) {
      return -1;
    }
    return type == 2 ? iova : translated(low & ~0xFFFL, width + 2, iova, isWrite);
  }

  private long translated(long topPa, int levels, long iova, boolean isWrite) {
    long rights = isWrite ? 2 : 1;
    long table = topPa;
    for (int level = levels; ; level--) {
      int shift = 12 + 9 * (level - 1);
      long entry = at(table + (iova >>> shift & 511) * 8);
      long address = entry & 0xF_FFFF_FFFF_F000L;
      boolean isLarge = level > 1 && (entry & 0x80) != 0;
      if ((entry & 3) == 0
          || (address & tooHigh) != 0
          || isLarge && (level > 3 || (address & (1L << shift) - 1) != 0)) {
        return -1;
      }
      rights &= entry;
      if (isLarge || level == 1) {
        long pa = address | iova & (1L << shift) - 1;
        boolean isInterrupt = pa >>> 20 == 0xFEE;
        return rights != 0 && !isInterrupt ? pa : -1;
      }
      table = address;
    }
  }

  /** Where no memory is, nothing is present. */
  private long at(long pa) {
    return memory.contains(pa, Long.BYTES) ? memory.getLong(pa) : 0;
  }
}
