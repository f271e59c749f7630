package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.iommu.layout.FaultReason;
import org.jspecify.annotations.Nullable;

/**
 * Walks the tables of one format, from the best entry that is remembered down to a page. Holds the
 * outcome of the last walk.
 */
final class TableWalk {
  private static final int LOWEST_REMEMBERED = 2;
  private static final int LEVELS_MAX = 5;

  /** Beside the rights of a remembered entry: the table that it points to may be written. */
  private static final int TABLE_WRITABLE = 1 << 8;

  /** Position of the level of that table. */
  private static final int NEXT_LEVEL_SHIFT = 12;

  private final PageTableFormat format;
  private final TableReader reader;
  private final TranslationCaches caches;
  private final TranslationStatistics statistics;

  // Of the walk.
  private @Nullable TableWalk stage;
  private @Nullable DeviceContext owner;
  private WalkFaults faults = WalkFaults.LEGACY;
  private boolean setsBits;
  private boolean isTableWritable;

  // The outcome.
  private @Nullable FaultCode fault;
  private long pagePa;
  private int pageShift;
  private int rights;
  private boolean isDirty;
  private long endPs;

  TableWalk(
      PageTableFormat format,
      TableReader reader,
      TranslationCaches caches,
      TranslationStatistics statistics) {
    this.format = format;
    this.reader = reader;
    this.caches = caches;
    this.statistics = statistics;
  }

  /**
   * Prepares a walk.
   *
   * @param newFaults what goes wrong is called
   * @param newSetsBits whether accessed and dirty bits are set
   * @param newStage what translates the addresses of the tables; null if they are physical
   * @param newOwner whose tables these are
   */
  void prepare(
      WalkFaults newFaults,
      boolean newSetsBits,
      @Nullable TableWalk newStage,
      DeviceContext newOwner) {
    faults = newFaults;
    setsBits = newSetsBits;
    stage = newStage;
    owner = newOwner;
  }

  /**
   * Walks.
   *
   * @param root address of the root table
   * @param levels of the tables
   * @param address to translate
   * @param tag of what is remembered
   * @param isWrite whether the page is going to be written
   * @param neededRights without which the dirty bit is not set
   * @param atPs when the walk begins
   * @return whether there is a page
   */
  boolean walk(
      long root, int levels, long address, long tag, boolean isWrite, int neededRights, long atPs) {
    fault = null;
    endPs = atPs;
    rights = PageTableFormat.ALL_RIGHTS;
    isTableWritable = true;
    int level = levels;
    long table = root;
    boolean isRoot = true;
    int remembered = remembered(levels, address, tag, atPs);
    if (remembered <= levels) {
      EntryTable cache = paging(remembered);
      int slot = cache.find(pagingTag(tag, remembered), page(address, remembered), atPs);
      cache.touch(slot);
      endPs = Math.max(endPs, cache.readyPs(slot));
      table = cache.value(slot);
      rights = cache.flags(slot) & PageTableFormat.ALL_RIGHTS;
      isTableWritable = (cache.flags(slot) & TABLE_WRITABLE) != 0;
      level = descend(remembered, cache.flags(slot) >>> NEXT_LEVEL_SHIFT, address);
      isRoot = false;
    }
    count(levels, remembered);
    if (isRoot) {
      table = translatedTable(root, true);
    }
    while (fault == null) {
      long entryPa = table + format.entryOffset(address, level);
      long entry = read(entryPa, isRoot, level);
      if (fault != null) {
        return false;
      }
      rights &= format.rights(entry, level);
      int next = format.nextLevel(entry, level);
      boolean isLastWrite = next == 0 && isWrite && (rights & neededRights) == neededRights;
      if (!mark(entryPa, entry, isLastWrite)) {
        return false;
      }
      if (next == 0) {
        pageShift = format.pageShift(entry, level);
        pagePa = format.address(entry, level);
        isDirty = isLastWrite || !setsBits || (entry & format.dirtyBit()) != 0;
        return true;
      }
      table = translatedTable(format.address(entry, level), false);
      isRoot = false;
      if (fault == null) {
        remember(level, next, address, tag, table, atPs);
        level = descend(level, next, address);
      }
    }
    return false;
  }

  /** Goes down to a table; where levels are skipped, their bits of the address must be 0. */
  private int descend(int level, int next, long address) {
    if (next < level - 1) {
      long skipped = (1L << format.levelShift(level)) - (1L << format.levelShift(next + 1));
      if ((address & skipped) != 0) {
        fault = faults.notPresent();
      }
    }
    return next;
  }

  @Nullable FaultCode fault() {
    return fault;
  }

  /** {@return the address of the page} */
  long pagePa() {
    return pagePa;
  }

  /** {@return bits of the page} */
  int pageShift() {
    return pageShift;
  }

  /** {@return what all levels leave} */
  int rights() {
    return rights;
  }

  /** {@return whether a write would set no bit} */
  boolean isDirty() {
    return isDirty;
  }

  /** {@return when the walk is over} */
  long endPs() {
    return endPs;
  }

  /** Returns the lowest level of which the entry for an address is remembered. */
  private int remembered(int levels, long address, long tag, long atPs) {
    for (int level = LOWEST_REMEMBERED; level <= levels; level++) {
      EntryTable cache = caches.paging[level];
      if (cache != null
          && cache.find(pagingTag(tag, level), page(address, level), atPs) != EntryTable.NONE) {
        return level;
      }
    }
    return LEVELS_MAX + 1;
  }

  private void count(int levels, int remembered) {
    statistics.walks++;
    switch (remembered) {
      case 2:
        statistics.pagingHits2m++;
        return;
      case 3:
        statistics.pagingHits1g++;
        statistics.pagingMissesL3++;
        return;
      case 4:
        statistics.pagingHits512g++;
        statistics.pagingMissesL3++;
        statistics.pagingMissesL2++;
        return;
      default:
        statistics.pagingMissesL3++;
        statistics.pagingMissesL2++;
        statistics.pagingMissesL1 += levels > 3 ? 1 : 0;
        return;
    }
  }

  private EntryTable paging(int level) {
    EntryTable cache = caches.paging[level];
    assert cache != null : level;
    return cache;
  }

  private long pagingTag(long tag, int level) {
    return EntryTag.withShift(tag, format.levelShift(level));
  }

  private long page(long address, int level) {
    return (address & PageTableFormat.ADDRESS_MASK) >>> format.levelShift(level);
  }

  /** Returns the physical address of a table. */
  private long translatedTable(long table, boolean isRoot) {
    return stage == null ? table : translated(stage, table, isRoot);
  }

  private long translated(TableWalk through, long address, boolean isRoot) {
    DeviceContext tables = owner;
    assert tables != null;
    if (address >>> PageTableFormat.shift(tables.secondLevels + 1) != 0) {
      fault = FaultReason.FIRST_LEVEL_BEYOND_SECOND;
      return 0;
    }
    boolean isFound =
        through.walk(
            tables.secondRoot,
            tables.secondLevels,
            address,
            EntryTag.ofDomain(tables.domainId),
            false,
            0,
            endPs);
    endPs = through.endPs;
    if (!isFound) {
      fault = through.fault;
      return 0;
    }
    if ((through.rights & PageTableFormat.READ) == 0) {
      fault =
          isRoot ? FaultReason.FIRST_LEVEL_ROOT_READ_DENIED : FaultReason.FIRST_LEVEL_READ_DENIED;
      return 0;
    }
    isTableWritable = (through.rights & PageTableFormat.WRITE) != 0;
    return through.pagePa + (address & (1L << through.pageShift) - 1);
  }

  private long read(long entryPa, boolean isRoot, int level) {
    if (!reader.isReadable(entryPa, Long.BYTES)) {
      fault = isRoot ? faults.rootInvalid() : faults.tableInvalid();
      return 0;
    }
    endPs = reader.readPs(entryPa, Long.BYTES, endPs);
    long entry = reader.entry(entryPa);
    if (!format.isPresent(entry, level)) {
      fault = faults.notPresent();
    } else if (format.isReserved(entry, level)) {
      fault = faults.reserved();
    } else if (!format.isUsable(entry, level)) {
      fault = faults.notUsable();
    }
    return entry;
  }

  /** Sets accessed and dirty bits; returns whether that is allowed. */
  private boolean mark(long entryPa, long entry, boolean isWritten) {
    if (!setsBits) {
      return true;
    }
    long marked = entry | format.accessedBit() | (isWritten ? format.dirtyBit() : 0);
    if (marked == entry) {
      return true;
    }
    if (!isTableWritable) {
      fault = FaultReason.FIRST_LEVEL_WRITE_DENIED;
      return false;
    }
    if (!reader.canMark()) {
      fault = faults.updateNotSnooped();
      return false;
    }
    reader.mark(entryPa, marked, endPs);
    return true;
  }

  private void remember(int level, int next, long address, long tag, long table, long requestedPs) {
    EntryTable cache = level < LOWEST_REMEMBERED ? null : caches.paging[level];
    if (cache == null) {
      return;
    }
    long pagingTag = pagingTag(tag, level);
    long page = page(address, level);
    long untilPs = caches.pendingPaging.untilPs(pagingTag, page, requestedPs);
    untilPs = Math.min(untilPs, caches.abandonedPs(requestedPs, endPs));
    int slot = cache.insert(pagingTag, page, Integer.MAX_VALUE);
    int flags = rights | (isTableWritable ? TABLE_WRITABLE : 0) | next << NEXT_LEVEL_SHIFT;
    cache.set(slot, table, flags, requestedPs, endPs, untilPs);
  }
}
