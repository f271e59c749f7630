package io.github.bellwire.iommu.walk;

import org.jspecify.annotations.Nullable;

/**
 * Looks pages up in the tables as they are in memory now: beside all caches, in no time, and
 * without leaving a trace. Holds the outcome of the last look.
 */
final class TableLookup {
  private final TableReader reader;
  private final PageTableFormat[] formats;
  private final PageTableFormat firstLevel;

  private long pa;
  private int rights;

  /**
   * Creates a lookup.
   *
   * @param formats that a device's entry may choose where there is one level of tables
   */
  TableLookup(PageTableFormat[] formats, TranslationConfig config, TableReader reader) {
    this.reader = reader;
    this.formats = formats;
    firstLevel = new FirstLevelFormat(config.capabilities());
  }

  /**
   * {@return whether the tables of a device lead an access to an address}
   *
   * @param context whose tables
   * @param iova of the access
   * @param toPa where it should lead
   * @param neededRights that the access takes
   */
  boolean leads(DeviceContext context, long iova, long toPa, int neededRights) {
    int needed = neededRights & PageTableFormat.ALL_RIGHTS;
    return find(context, iova) && pa == toPa && (rights & needed) == needed;
  }

  private boolean find(DeviceContext context, long iova) {
    if (context.firstLevels == 0) {
      return translate(context, iova);
    }
    boolean isNested = context.kind == DeviceContext.Kind.NESTED;
    DeviceContext stage = isNested ? context : null;
    if (!walk(firstLevel, context.firstRoot, context.firstLevels, iova, stage)) {
      return false;
    }
    int firstRights = rights;
    boolean isFound = !isNested || translate(context, pa);
    rights &= firstRights;
    return isFound;
  }

  private boolean translate(DeviceContext context, long address) {
    PageTableFormat format = formats[context.format];
    return walk(format, context.secondRoot, context.secondLevels, address, null);
  }

  /** Walks tables, whose own addresses the second level of a context translates unless null. */
  private boolean walk(
      PageTableFormat format, long root, int levels, long address, @Nullable DeviceContext stage) {
    int left = PageTableFormat.ALL_RIGHTS;
    long table = root;
    int level = levels;
    while (true) {
      if (stage != null) {
        if (!translate(stage, table)) {
          return false;
        }
        table = pa;
      }
      long entryPa = table + format.entryOffset(address, level);
      if (!reader.isReadable(entryPa, Long.BYTES)) {
        return false;
      }
      long entry = reader.entry(entryPa);
      if (!format.isPresent(entry, level)
          || format.isReserved(entry, level)
          || !format.isUsable(entry, level)) {
        return false;
      }
      left &= format.rights(entry, level);
      table = format.address(entry, level);
      int next = format.nextLevel(entry, level);
      if (next == 0) {
        pa = table | address & (1L << format.pageShift(entry, level)) - 1;
        rights = left;
        return true;
      }
      level = next;
    }
  }
}
