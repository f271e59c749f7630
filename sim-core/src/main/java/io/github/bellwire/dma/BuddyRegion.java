package io.github.bellwire.dma;

/**
 * The buddy system within one aligned GiB: free blocks of 2^k pages lie at multiples of their size,
 * a block is split into two buddies when only larger ones are free, and two free buddies become one
 * block again.
 *
 * <p>Of the smallest blocks that are large enough the one with the lowest address is taken, so that
 * the result depends on nothing but the calls before. Source: D. E. Knuth, The Art of Computer
 * Programming, volume 1, section 2.5, algorithms R and S.
 */
final class BuddyRegion {
  /** The largest block: 2^18 pages of 4 KiB, 1 GiB. */
  static final int ORDER_MAX = 18;

  static final int PAGES = 1 << ORDER_MAX;

  private final IndexSet[] free = new IndexSet[ORDER_MAX + 1];
  private final IndexSet[] allocated = new IndexSet[ORDER_MAX + 1];

  /**
   * Creates a region whose pages from {@code fromPage} to below {@code toPage} are free and whose
   * other pages do not exist.
   */
  BuddyRegion(int fromPage, int toPage) {
    for (int order = 0; order <= ORDER_MAX; order++) {
      free[order] = new IndexSet(PAGES >>> order);
      allocated[order] = new IndexSet(PAGES >>> order);
    }
    int page = fromPage;
    while (page < toPage) {
      int alignment = page == 0 ? ORDER_MAX : Integer.numberOfTrailingZeros(page);
      int order = Math.min(alignment, 31 - Integer.numberOfLeadingZeros(toPage - page));
      free[order].add(page >>> order);
      page += 1 << order;
    }
  }

  /**
   * Takes a block.
   *
   * @param order the block has 2^order pages
   * @param lastPage the block must not go beyond this page of the region
   * @return its first page, or -1 if there is none
   */
  int allocate(int order, long lastPage) {
    for (int from = order; from <= ORDER_MAX; from++) {
      int index = free[from].least();
      if (index >= 0) {
        int page = index << from;
        if (page + (1 << order) - 1 <= lastPage) {
          take(page, from, order);
          return page;
        }
      }
    }
    return -1;
  }

  private void take(int page, int from, int order) {
    free[from].remove(page >>> from);
    for (int half = from - 1; half >= order; half--) {
      free[half].add((page >>> half) + 1);
    }
    allocated[order].add(page >>> order);
  }

  /** Gives a block back; returns false if no such block is allocated. */
  boolean tryFree(int page, int order) {
    if ((page & (1 << order) - 1) != 0 || !allocated[order].contains(page >>> order)) {
      return false;
    }
    allocated[order].remove(page >>> order);
    int index = page >>> order;
    int merged = order;
    while (merged < ORDER_MAX && free[merged].contains(index ^ 1)) {
      free[merged].remove(index ^ 1);
      index >>>= 1;
      merged++;
    }
    free[merged].add(index);
    return true;
  }
}
