package io.github.bellwire.device.striding.driver;

import io.github.bellwire.dma.ScatterList;
import org.jspecify.annotations.Nullable;

/** A receive entry as software remembers it. */
final class RxEntry {
  final RxPage[] pages;

  /** What the pages are mapped as, if they are mapped together. */
  @Nullable ScatterList list;

  RxEntry(int pages) {
    this.pages = new RxPage[pages];
  }
}
