package io.github.bellwire.iommu.driver;

import org.jspecify.annotations.Nullable;

/**
 * What software knows of a table in memory: where it is, and which tables its entries point to. The
 * object outlives the page and serves for another one later.
 */
final class TablePage {
  /** By entry; empty in a table of the last level. */
  final @Nullable TablePage[] children;

  long pa;
  @Nullable TablePage next;

  TablePage(int childrenCount) {
    children = new TablePage[childrenCount];
  }
}
