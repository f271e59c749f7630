package io.github.bellwire.iommu.driver;

import org.jspecify.annotations.Nullable;

/**
 * Table pages that no entry points to any more, but that the hardware may still know: they may be
 * used again only after an invalidation.
 */
public final class TableList {
  private @Nullable TablePage first;

  /** Creates an empty list. */
  public TableList() {}

  /** {@return whether there are none} */
  public boolean isEmpty() {
    return first == null;
  }

  void add(TablePage page) {
    page.next = first;
    first = page;
  }

  /** Moves all pages of another list to this one. */
  void addAll(TableList other) {
    TablePage page = other.takeAll();
    while (page != null) {
      TablePage next = page.next;
      add(page);
      page = next;
    }
  }

  /** Gives all pages up, for good: the hardware may go on reading them. */
  void abandon() {
    first = null;
  }

  /** Takes all pages out, linked by {@link TablePage#next}. */
  @Nullable TablePage takeAll() {
    TablePage all = first;
    first = null;
    return all;
  }
}
