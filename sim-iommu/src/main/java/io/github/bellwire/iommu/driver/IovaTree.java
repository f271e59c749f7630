package io.github.bellwire.iommu.driver;

import java.util.Arrays;

/**
 * The ranges of an IOVA space that are taken, with the results of the red-black tree of Linux 6.12
 * (drivers/iommu/iova.c, __alloc_and_insert_iova_range): a search goes down from where the last one
 * ended and, if there is nothing below, once more from the limit.
 *
 * <pre>{@code
 * start                    2^20 (4 GiB)                                         anchor
 *   |    [##]  [####]           |       [##]   [#####]                            |
 *         ^ cached32                     ^ cached
 * }</pre>
 *
 * <p>A search moves to neighbours only, and a new range goes next to where its search ended; so the
 * ranges form a list in the order of their addresses, and a hash table finds them by their first
 * page. Numbers are pages. Allocates nothing but when it has to double.
 */
final class IovaTree {
  /** Returned instead of a page number: no range begins at page 0. */
  static final long NONE = 0;

  /** Behind everything that can be allocated. */
  private static final long ANCHOR_PFN = 1L << 60;

  private static final int ANCHOR = 0;
  private static final int NIL = -1;
  private static final int INITIAL_NODES = 64;
  private static final long PFN_4_GIB = 1L << 20;

  /** 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, section 6.4). */
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private final long startPfn;

  private long[] low = new long[INITIAL_NODES];
  private long[] high = new long[INITIAL_NODES];
  private int[] below = new int[INITIAL_NODES];
  private int[] above = new int[INITIAL_NODES];
  private int freeNode = NIL;
  private int nodesMade = 1;
  private int count;

  /** Nodes by their first page, by linear probing; NIL for an empty place. */
  private int[] table = new int[4 * INITIAL_NODES];

  private int hashShift;

  private int cached32 = ANCHOR;
  private int cached = ANCHOR;
  private long failed32Pages = PFN_4_GIB;
  private int visits;
  private int foundAbove;

  /** Creates a space of which nothing is taken from a page on, at least 1. */
  IovaTree(long startPfn) {
    this.startPfn = startPfn;
    low[ANCHOR] = ANCHOR_PFN;
    high[ANCHOR] = ANCHOR_PFN;
    below[ANCHOR] = NIL;
    above[ANCHOR] = NIL;
    Arrays.fill(table, NIL);
    hashShift = Long.SIZE - Integer.numberOfTrailingZeros(table.length);
  }

  /**
   * Takes the highest free range found, aligned to its size rounded up to 2^k.
   *
   * @param pages at least 1
   * @param limitPfn the range ends below this page
   * @return its first page, or NONE
   */
  long allocate(long pages, long limitPfn) {
    visits = 0;
    if (limitPfn <= PFN_4_GIB && pages >= failed32Pages) {
      return NONE;
    }
    long alignMask = pages == 1 ? -1 : -1L << Long.SIZE - Long.numberOfLeadingZeros(pages - 1);
    int from = limitPfn <= PFN_4_GIB ? cached32 : cached;
    long retryPfn = high[from];
    long pfn = search(from, pages, limitPfn, alignMask, startPfn);
    if (pfn == NONE && retryPfn < limitPfn) {
      pfn = search(lowestFrom(limitPfn), pages, limitPfn, alignMask, retryPfn + 1);
    }
    if (pfn == NONE) {
      failed32Pages = pages;
      return NONE;
    }
    int node = insert(pfn, pfn + pages - 1, foundAbove);
    if (high[node] < PFN_4_GIB) {
      cached32 = node;
    } else {
      cached = node;
    }
    return pfn;
  }

  private long search(int from, long pages, long limitPfn, long alignMask, long lowPfn) {
    long highPfn = limitPfn;
    int node = from;
    long pfn;
    do {
      highPfn = Math.min(highPfn, low[node]);
      pfn = highPfn - pages & alignMask;
      foundAbove = node;
      node = below[node];
      visits++;
    } while (node != NIL && pfn <= high[node] && pfn >= lowPfn);
    return highPfn < pages || pfn < lowPfn ? NONE : pfn;
  }

  /** Returns the lowest range that begins at or above a page. */
  private int lowestFrom(long pfn) {
    // As iova_find_limit does, which goes down a tree only for addresses below 4 GiB.
    int node = ANCHOR;
    while (pfn <= PFN_4_GIB && below[node] != NIL && low[below[node]] >= pfn) {
      node = below[node];
    }
    return node;
  }

  /**
   * Takes a range for good, as far as it is free.
   *
   * @param fromPfn its first page
   * @param toPfn its last page
   */
  void reserve(long fromPfn, long toPfn) {
    for (int node = ANCHOR; node != NIL; node = below[node]) {
      long freePfn = below[node] == NIL ? 0 : high[below[node]] + 1;
      long firstPfn = Math.max(fromPfn, freePfn);
      long lastPfn = Math.min(toPfn, low[node] - 1);
      if (firstPfn <= lastPfn) {
        insert(firstPfn, lastPfn, node);
      }
    }
  }

  /** Returns whether any page of a range is taken. */
  boolean isTaken(long fromPfn, long toPfn) {
    for (int node = below[ANCHOR]; node != NIL; node = below[node]) {
      if (low[node] <= toPfn && high[node] >= fromPfn) {
        return true;
      }
    }
    return false;
  }

  /**
   * Gives a range back.
   *
   * @param pfn its first page
   * @throws IllegalArgumentException if no range begins there
   */
  void free(long pfn) {
    int place = place(pfn);
    int node = table[place];
    if (node == NIL) {
      throw new IllegalArgumentException("pfn must be taken: pfn=0x" + Long.toHexString(pfn));
    }
    if (node == cached32 || high[node] < PFN_4_GIB && low[node] >= low[cached32]) {
      cached32 = above[node];
    }
    if (low[node] < PFN_4_GIB) {
      failed32Pages = PFN_4_GIB;
    }
    if (low[node] >= low[cached]) {
      cached = above[node];
    }
    remove(node, place);
  }

  private void remove(int node, int place) {
    if (below[node] != NIL) {
      above[below[node]] = above[node];
    }
    below[above[node]] = below[node];
    removeFromTable(place);
    above[node] = freeNode;
    freeNode = node;
    count--;
  }

  private int insert(long fromPfn, long toPfn, int nodeAbove) {
    if (2 * (count + 1) > table.length) {
      growTable();
    }
    int node = freeNode;
    if (node == NIL) {
      node = newNode();
    } else {
      freeNode = above[node];
    }
    low[node] = fromPfn;
    high[node] = toPfn;
    above[node] = nodeAbove;
    below[node] = below[nodeAbove];
    below[nodeAbove] = node;
    if (below[node] != NIL) {
      above[below[node]] = node;
    }
    table[place(fromPfn)] = node;
    count++;
    return node;
  }

  private int newNode() {
    if (nodesMade == low.length) {
      low = Arrays.copyOf(low, 2 * nodesMade);
      high = Arrays.copyOf(high, 2 * nodesMade);
      below = Arrays.copyOf(below, 2 * nodesMade);
      above = Arrays.copyOf(above, 2 * nodesMade);
    }
    return nodesMade++;
  }

  /** Returns where in the table a range is that begins at a page, or would be. */
  private int place(long pfn) {
    int place = home(pfn);
    while (table[place] != NIL && low[table[place]] != pfn) {
      place = place + 1 & table.length - 1;
    }
    return place;
  }

  /** Entries behind a removed one move up, so that no chain is broken. */
  private void removeFromTable(int place) {
    int mask = table.length - 1;
    int hole = place;
    for (int next = hole + 1 & mask; table[next] != NIL; next = next + 1 & mask) {
      if ((next - home(low[table[next]]) & mask) >= (next - hole & mask)) {
        table[hole] = table[next];
        hole = next;
      }
    }
    table[hole] = NIL;
  }

  private void growTable() {
    table = new int[2 * table.length];
    Arrays.fill(table, NIL);
    hashShift--;
    for (int node = below[ANCHOR]; node != NIL; node = below[node]) {
      table[place(low[node])] = node;
    }
  }

  private int home(long pfn) {
    return (int) (pfn * GOLDEN >>> hashShift);
  }

  /** {@return how many ranges the last search looked at} */
  int visits() {
    return visits;
  }

  /** {@return the height of a balanced tree of as many ranges, at least 1} */
  int height() {
    return Integer.SIZE - Integer.numberOfLeadingZeros(count) + 1;
  }

  /** {@return the ranges taken} */
  int count() {
    return count;
  }
}
