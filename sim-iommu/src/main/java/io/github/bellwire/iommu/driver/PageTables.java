package io.github.bellwire.iommu.driver;

import static io.github.bellwire.iommu.layout.SecondLevelLayout.ADDRESS_MASK;
import static io.github.bellwire.iommu.layout.SecondLevelLayout.ENTRIES;
import static io.github.bellwire.iommu.layout.SecondLevelLayout.ENTRY_BYTES;
import static io.github.bellwire.iommu.layout.SecondLevelLayout.LEVEL_BITS;
import static io.github.bellwire.iommu.layout.SecondLevelLayout.PAGE_SHIFT;
import static java.util.Objects.requireNonNull;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.PageAllocator;
import org.jspecify.annotations.Nullable;

/**
 * The tables of a domain, in simulated memory and written by a core.
 *
 * <pre>{@code
 * root --> [level 4] --> [level 3] --> [level 2] --> [level 1] --> 4 KiB page
 *                            |             '---> 2 MiB page
 *                            '---> 1 GiB page
 * }</pre>
 *
 * <p>As in Linux (drivers/iommu/intel/iommu.c), a page is as large as both addresses and the length
 * allow; a table is freed only when one call unmaps all that it can map, or when a larger page
 * takes its place. Such tables go to a {@link TableList} until the hardware has forgotten them.
 * Loads and stores take the time of the core. Allocates nothing once there have been as many tables
 * before. Confined to the simulation thread.
 */
public final class PageTables {
  /** Returned instead of an address. */
  public static final long NOT_MAPPED = -1;

  /** Bytes of the smallest page. */
  public static final int PAGE_BYTES = 1 << PAGE_SHIFT;

  /** Bits of an address within the smallest page. */
  static final int PAGE_BYTES_SHIFT = PAGE_SHIFT;

  private static final byte[] ZEROS = new byte[PAGE_BYTES];

  private final EntryFormat format;
  private final PageAllocator allocator;
  private final int levels;
  private final int largestPageLevel;
  private final boolean isSnooped;
  private final TablePage root;

  private @Nullable DomainWatch watch;
  private @Nullable TablePage spareInner;
  private @Nullable TablePage spareLast;
  private int tablesCount;
  private int entriesChanged;
  private int lookupLevel;

  /**
   * Creates tables that map nothing.
   *
   * @param port the core that clears the root
   * @param allocator where tables come from
   * @param levels 3..5
   * @param largestPageLevel 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB
   * @param isSnooped whether the hardware looks at the caches when it reads tables; if not, each
   *     entry is cleaned
   * @throws IllegalStateException if there is no memory for the root
   */
  public PageTables(
      CpuPort port, PageAllocator allocator, int levels, int largestPageLevel, boolean isSnooped) {
    this(EntryFormat.VT_D, port, allocator, levels, largestPageLevel, isSnooped);
  }

  /**
   * Creates tables of an architecture that map nothing.
   *
   * @param format of the entries
   * @param port the core that clears the root
   * @param allocator where tables come from
   * @param levels 3..5
   * @param largestPageLevel 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB
   * @param isSnooped whether the hardware looks at the caches when it reads tables; if not, each
   *     entry is cleaned
   * @throws IllegalStateException if there is no memory for the root
   */
  public PageTables(
      EntryFormat format,
      CpuPort port,
      PageAllocator allocator,
      int levels,
      int largestPageLevel,
      boolean isSnooped) {
    if (levels < 3 || levels > 5 || largestPageLevel < 1 || largestPageLevel > 3) {
      throw new IllegalArgumentException(
          String.format(
              "levels must be 3..5 and largestPageLevel 1..3: levels=%d, largestPageLevel=%d",
              levels, largestPageLevel));
    }
    this.format = requireNonNull(format, "format");
    this.allocator = requireNonNull(allocator, "allocator");
    this.levels = levels;
    this.largestPageLevel = largestPageLevel;
    this.isSnooped = isSnooped;
    TablePage table = newTable(port, levels);
    if (table == null) {
      throw new IllegalStateException("there is no memory for a root table");
    }
    root = table;
  }

  /** Shows every change of a last entry to somebody from now on. */
  void watch(DomainWatch newWatch) {
    watch = newWatch;
  }

  /**
   * Maps a contiguous range. What is mapped there already is replaced.
   *
   * @param port the core that stores the entries
   * @param iova first byte for devices, a multiple of 4 KiB
   * @param pa first byte in host memory, a multiple of 4 KiB
   * @param lengthBytes a multiple of 4 KiB, at least 4 KiB
   * @param rights READ, WRITE or both of {@link io.github.bellwire.iommu.layout.SecondLevelLayout}
   * @param replaced gets the tables in whose place a larger page has been put
   * @return whether there was memory for tables; if not, nothing is mapped
   */
  public boolean tryMap(
      CpuPort port, long iova, long pa, long lengthBytes, long rights, TableList replaced) {
    requireRange(iova, lengthBytes);
    entriesChanged = 0;
    for (long done = 0; done < lengthBytes; ) {
      int level = pageLevel(iova + done | pa + done, lengthBytes - done);
      TablePage table = descend(port, iova + done, level);
      if (table == null) {
        if (done > 0) {
          unmap(port, iova, done, replaced);
        }
        return false;
      }
      done = fill(port, table, level, iova, pa, done, lengthBytes, rights, replaced);
    }
    return true;
  }

  /** Stores entries up to the end of a table or of the range; returns how much is done then. */
  private long fill(
      CpuPort port,
      TablePage table,
      int level,
      long iova,
      long pa,
      long from,
      long lengthBytes,
      long rights,
      TableList replaced) {
    long pageBytes = 1L << shift(level);
    long done = from;
    int index = index(iova + done, level);
    while (index < ENTRIES && lengthBytes - done >= pageBytes) {
      TablePage smaller = level > 1 ? table.children[index] : null;
      if (smaller != null) {
        table.children[index] = null;
        collect(smaller, replaced);
      }
      long entry = format.page(pa + done, level, rights);
      storeLast(port, table, index, iova + done, level, entry);
      done += pageBytes;
      index++;
    }
    return done;
  }

  private int pageLevel(long addresses, long lengthBytes) {
    int level = largestPageLevel;
    while (level > 1
        && ((addresses & (1L << shift(level)) - 1) != 0 || lengthBytes < 1L << shift(level))) {
      level--;
    }
    return level;
  }

  /** Returns the table of a level for an address, with those above it; null without memory. */
  private @Nullable TablePage descend(CpuPort port, long iova, int toLevel) {
    TablePage table = root;
    for (int level = levels; level > toLevel; level--) {
      int index = index(iova, level);
      long entry = port.load(entryPa(table, index), ENTRY_BYTES);
      TablePage child = table.children[index];
      if (child == null) {
        TablePage fresh = newTable(port, level - 1);
        if (fresh == null) {
          return null;
        }
        // Clearing it took time, in which another core may have come by.
        child = table.children[index];
        if (child == null) {
          child = fresh;
          table.children[index] = child;
          entry = 0;
        } else {
          freeTable(fresh);
        }
      }
      if (!format.isPresent(entry)) {
        storeEntry(port, table, index, format.table(child.pa, level));
      }
      table = child;
    }
    return table;
  }

  /**
   * Unmaps a range; what is not mapped stays so. Of a larger page that lies partly in the range
   * nothing remains.
   *
   * @param port the core that clears the entries
   * @param iova first byte for devices, a multiple of 4 KiB
   * @param lengthBytes a multiple of 4 KiB, at least 4 KiB
   * @param freed gets the tables that map nothing any more because the range covers them
   */
  public void unmap(CpuPort port, long iova, long lengthBytes, TableList freed) {
    requireRange(iova, lengthBytes);
    entriesChanged = 0;
    clear(port, root, levels, 0, iova, iova + lengthBytes - 1, freed);
  }

  private void clear(
      CpuPort port,
      TablePage table,
      int level,
      long tableIova,
      long first,
      long last,
      TableList freed) {
    long entryBytes = 1L << shift(level);
    int from = first <= tableIova ? 0 : index(first, level);
    for (int i = from; i < ENTRIES; i++) {
      long entryIova = tableIova + i * entryBytes;
      if (entryIova > last) {
        return;
      }
      long entry = port.load(entryPa(table, i), ENTRY_BYTES);
      TablePage child = level > 1 ? table.children[i] : null;
      if (child != null && (first > entryIova || last < entryIova + entryBytes - 1)) {
        clear(port, child, level - 1, entryIova, first, last, freed);
      } else if (child != null) {
        table.children[i] = null;
        storeLast(port, table, i, entryIova, level, 0);
        collect(child, freed);
      } else if (format.isPresent(entry)) {
        storeLast(port, table, i, entryIova, level, 0);
      }
    }
  }

  /** Puts a table and all below it into a list. */
  private static void collect(TablePage table, TableList list) {
    for (int i = 0; i < table.children.length; i++) {
      TablePage child = table.children[i];
      if (child != null) {
        table.children[i] = null;
        collect(child, list);
      }
    }
    list.add(table);
  }

  /**
   * Looks an address up.
   *
   * @param port the core that loads the entries
   * @param iova any address
   * @return host physical address, or {@link #NOT_MAPPED}
   */
  public long lookup(CpuPort port, long iova) {
    long entry = lookupEntry(port, iova);
    if (!format.isPresent(entry)) {
      return NOT_MAPPED;
    }
    long inPage = (1L << shift(lookupLevel)) - 1;
    return entry & ADDRESS_MASK & ~inPage | iova & inPage;
  }

  /**
   * Looks the last entry up that leads to an address.
   *
   * @param port the core that loads the entries
   * @param iova any address
   * @return the entry of the page, 0 if there is none
   */
  public long lookupEntry(CpuPort port, long iova) {
    if (iova < 0 || iova >>> shift(levels + 1) != 0) {
      return 0;
    }
    TablePage table = root;
    for (int level = levels; ; level--) {
      int index = index(iova, level);
      long entry = port.load(entryPa(table, index), ENTRY_BYTES);
      TablePage child = level > 1 ? table.children[index] : null;
      if (child == null) {
        lookupLevel = level;
        return format.isPresent(entry) ? entry : 0;
      }
      table = child;
    }
  }

  /** Gives tables back that the hardware has forgotten. */
  public void free(TableList list) {
    TablePage table = list.takeAll();
    while (table != null) {
      TablePage next = table.next;
      freeTable(table);
      table = next;
    }
  }

  /** Gives all tables back; the domain is not in use any more. */
  public void freeAll() {
    TableList all = new TableList();
    collect(root, all);
    free(all);
  }

  private @Nullable TablePage newTable(CpuPort port, int level) {
    long pa = allocator.allocate(PAGE_BYTES);
    if (pa == PageAllocator.NO_MEMORY) {
      return null;
    }
    TablePage table = level == 1 ? spareLast : spareInner;
    if (table == null) {
      table = new TablePage(level == 1 ? 0 : ENTRIES);
    } else if (level == 1) {
      spareLast = table.next;
    } else {
      spareInner = table.next;
    }
    table.next = null;
    table.pa = pa;
    tablesCount++;
    port.store(pa, ZEROS, 0, PAGE_BYTES);
    flush(port, pa, PAGE_BYTES);
    return table;
  }

  private void freeTable(TablePage table) {
    allocator.free(table.pa, PAGE_BYTES);
    tablesCount--;
    if (table.children.length == 0) {
      table.next = spareLast;
      spareLast = table;
    } else {
      table.next = spareInner;
      spareInner = table;
    }
  }

  /** Stores an entry of a page, or one below which nothing is mapped any more. */
  private void storeLast(
      CpuPort port, TablePage table, int index, long iova, int level, long entry) {
    storeEntry(port, table, index, entry);
    if (watch != null) {
      watch.onEntry(iova, 1L << shift(level), entry);
    }
  }

  private void storeEntry(CpuPort port, TablePage table, int index, long entry) {
    port.store(entryPa(table, index), ENTRY_BYTES, entry);
    flush(port, entryPa(table, index), ENTRY_BYTES);
    entriesChanged++;
  }

  private void flush(CpuPort port, long pa, int lengthBytes) {
    if (!isSnooped) {
      port.maintainCache(CacheOperation.CLEAN, pa, lengthBytes);
    }
  }

  private void requireRange(long iova, long lengthBytes) {
    if (iova < 0 || (iova & PAGE_BYTES - 1) != 0 || iova + lengthBytes > 1L << shift(levels + 1)) {
      throw new IllegalArgumentException(
          String.format(
              "iova must be a multiple of 4096 within %d levels: iova=0x%x, lengthBytes=%d",
              levels, iova, lengthBytes));
    }
    if (lengthBytes < PAGE_BYTES || (lengthBytes & PAGE_BYTES - 1) != 0) {
      throw new IllegalArgumentException(
          "lengthBytes must be a multiple of 4096, >= 4096: lengthBytes=" + lengthBytes);
    }
  }

  private static int shift(int level) {
    return PAGE_SHIFT + LEVEL_BITS * (level - 1);
  }

  private static int index(long iova, int level) {
    return (int) (iova >>> shift(level)) & ENTRIES - 1;
  }

  private static long entryPa(TablePage table, int index) {
    return table.pa + (long) index * ENTRY_BYTES;
  }

  /** {@return host physical address of the root} */
  public long rootPa() {
    return root.pa;
  }

  /** {@return how many levels there are} */
  public int levels() {
    return levels;
  }

  /** {@return the tables in memory, those in a {@link TableList} included} */
  public int tablesCount() {
    return tablesCount;
  }

  /** {@return the entries that the last call stored} */
  int entriesChanged() {
    return entriesChanged;
  }
}
