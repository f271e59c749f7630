package io.github.bellwire.device.striding.driver;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.dma.ScatterList;
import java.util.ArrayDeque;

/**
 * Where the pages of receive entries come from and go to.
 *
 * <pre>{@code
 * RECYCLED    queue of mapped pages: the oldest one serves if nobody holds it any more, else none
 *             does; full: unmapped and freed (mlx5e_rx_cache_get and _put of Linux 5.15 and 6.0)
 * FRESH       mapped for one use, each page by itself
 * CONTIGUOUS  as FRESH, but an entry's pages have one range of bus addresses and are unmapped at once
 * BLOCKS      pieces of 2 MiB blocks that stay mapped
 * }</pre>
 */
public final class RxPages {
  /** How pages are mapped and reused. */
  public enum Policy {
    /** Mapped pages wait for reuse in a queue of limited length. */
    RECYCLED,
    /** Mapped and unmapped one by one. */
    FRESH,
    /** Mapped and unmapped an entry at a time, to consecutive bus addresses. */
    CONTIGUOUS,
    /** Pieces of large pages that stay mapped. */
    BLOCKS
  }

  private static final int PAGE_BYTES = PageAllocator.PAGE_BYTES;
  private static final int BLOCK_BYTES = 1 << 21;
  private static final DmaDirection DIRECTION = DmaDirection.FROM_DEVICE;

  private final Policy policy;
  private final DmaDevice dma;
  private final PageAllocator allocator;
  private final StridingCosts costs;
  private final int recycledMax;
  private final ArrayDeque<RxPage> recycled = new ArrayDeque<>();
  private final ArrayDeque<RxPage> spare = new ArrayDeque<>();
  private final ArrayDeque<ScatterList> lists = new ArrayDeque<>();
  private long recycledTotal;
  private long mappedTotal;
  private long unmappedTotal;

  RxPages(
      Policy policy, DmaDevice dma, PageAllocator allocator, StridingCosts costs, int recycledMax) {
    this.policy = policy;
    this.dma = dma;
    this.allocator = allocator;
    this.costs = costs;
    this.recycledMax = recycledMax;
  }

  /** Fills an entry. */
  void take(CpuPort port, RxEntry entry) {
    for (int i = 0; i < entry.pages.length; i++) {
      entry.pages[i] = policy == Policy.CONTIGUOUS ? fresh() : take(port);
      entry.pages[i].isInEntry = true;
      port.compute(costs.perPage());
    }
    if (policy == Policy.CONTIGUOUS) {
      mapTogether(port, entry);
    }
  }

  private RxPage take(CpuPort port) {
    if (policy == Policy.BLOCKS) {
      if (spare.isEmpty()) {
        mapBlock(port);
      }
      return spare.removeFirst();
    }
    RxPage oldest = recycled.peekFirst();
    if (oldest != null && !oldest.isHeld()) {
      recycledTotal++;
      return recycled.removeFirst();
    }
    RxPage page = fresh();
    page.iova = requireMapped(dma.mapSingle(port, page.pa, PAGE_BYTES, DIRECTION));
    page.isMapped = true;
    mappedTotal++;
    return page;
  }

  private RxPage fresh() {
    long pa = allocator.allocate(PAGE_BYTES);
    if (pa == PageAllocator.NO_MEMORY) {
      throw new IllegalStateException("there is no memory for receive pages");
    }
    return new RxPage(this, pa);
  }

  private void mapBlock(CpuPort port) {
    long pa = allocator.allocate(BLOCK_BYTES);
    if (pa == PageAllocator.NO_MEMORY) {
      throw new IllegalStateException("there is no memory for receive pages");
    }
    long iova = requireMapped(dma.mapSingle(port, pa, BLOCK_BYTES, DIRECTION));
    mappedTotal++;
    for (int offset = 0; offset < BLOCK_BYTES; offset += PAGE_BYTES) {
      RxPage page = new RxPage(this, pa + offset);
      page.iova = iova + offset;
      page.isMapped = true;
      spare.add(page);
    }
  }

  private void mapTogether(CpuPort port, RxEntry entry) {
    ScatterList list = lists.isEmpty() ? new ScatterList(entry.pages.length) : lists.removeFirst();
    list.clear();
    for (RxPage page : entry.pages) {
      list.add(page.pa, PAGE_BYTES);
    }
    int mapped = dma.mapScatterList(port, list, DIRECTION);
    if (mapped < 1) {
      throw new IllegalStateException("receive pages cannot be mapped");
    }
    entry.list = list;
    mappedTotal++;
    int next = 0;
    for (int i = 0; i < mapped; i++) {
      for (int done = 0; done < list.mappedLengthBytes(i); done += PAGE_BYTES) {
        entry.pages[next++].iova = list.iova(i) + done;
      }
    }
  }

  /**
   * Takes pages of an entry back that the device has filled.
   *
   * @param first of those that have not been taken back
   * @param mostUnmapped how often to unmap at most
   * @return the first that is left
   */
  int putBack(CpuPort port, RxEntry entry, int first, int mostUnmapped) {
    ScatterList list = entry.list;
    if (list != null) {
      dma.unmapScatterList(port, list, DIRECTION);
      unmappedTotal++;
      lists.add(list);
      entry.list = null;
    }
    long endTotal = unmappedTotal + mostUnmapped;
    int next = first;
    while (next < entry.pages.length && unmappedTotal < endTotal) {
      RxPage page = entry.pages[next++];
      page.isInEntry = false;
      putBack(port, page);
    }
    return next;
  }

  private void putBack(CpuPort port, RxPage page) {
    if (policy == Policy.BLOCKS) {
      if (!page.isHeld()) {
        spare.addLast(page);
      }
      return;
    }
    if (policy == Policy.RECYCLED && recycled.size() < recycledMax) {
      recycled.addLast(page);
      return;
    }
    if (page.isMapped) {
      dma.unmapSingle(port, page.iova, PAGE_BYTES, DIRECTION);
      page.isMapped = false;
      unmappedTotal++;
    }
    if (!page.isHeld()) {
      allocator.free(page.pa, PAGE_BYTES);
    }
  }

  /** Nobody holds a page any more. */
  void onReleased(RxPage page) {
    if (policy == Policy.BLOCKS) {
      if (!page.isInEntry) {
        spare.addLast(page);
      }
    } else if (!page.isMapped && !page.isInEntry) {
      allocator.free(page.pa, PAGE_BYTES);
    }
  }

  private long requireMapped(long iova) {
    if (dma.isMappingError(iova)) {
      throw new IllegalStateException("receive pages cannot be mapped");
    }
    return iova;
  }

  /** {@return pages taken from the queue} */
  public long recycledTotal() {
    return recycledTotal;
  }

  /** {@return mappings made} */
  public long mappedTotal() {
    return mappedTotal;
  }

  /** {@return mappings ended} */
  public long unmappedTotal() {
    return unmappedTotal;
  }
}
