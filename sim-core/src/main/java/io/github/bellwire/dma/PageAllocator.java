package io.github.bellwire.dma;

import org.jspecify.annotations.Nullable;

/**
 * Hands out the physical memory of a machine in blocks of 2^k pages of 4 KiB, from 4 KiB to 1 GiB,
 * each aligned to its size.
 *
 * <p>The NORMAL zone is preferred, so that DMA32 remains for those who need it; a limit on the
 * address decides otherwise. Within a zone the smallest sufficient block with the lowest address is
 * taken: the same calls give the same addresses. Blocks are not cleared. Bookkeeping costs host
 * memory (130 KiB per GiB) only for those GiB from which something has been allocated, and no
 * simulated time. Confined to the simulation thread.
 */
public final class PageAllocator {
  /** Bytes of a page. */
  public static final int PAGE_BYTES = 4096;

  /** The largest block: 1 GiB. */
  public static final long BLOCK_BYTES_MAX = (long) PAGE_BYTES << BuddyRegion.ORDER_MAX;

  /** Returned instead of an address when no sufficient block is free. */
  public static final long NO_MEMORY = -1;

  private final MemoryZones zones;
  private final ZonePages dma32;
  private final ZonePages normal;
  private long allocatedBytes;
  private long allocatedBytesMax;
  private long refusedCount;
  private @Nullable PageListener listener;

  /**
   * Creates an allocator; all memory of the zones is free.
   *
   * @param zones the RAM to hand out
   */
  public PageAllocator(MemoryZones zones) {
    this.zones = zones;
    dma32 = new ZonePages(zones.dma32());
    normal = new ZonePages(zones.normal());
  }

  /**
   * Allocates a block wherever there is one.
   *
   * @param sizeBytes 1..1 GiB, rounded up to 2^k pages
   * @return host physical address of the first byte, or {@link #NO_MEMORY}
   * @throws IllegalArgumentException if the size is out of range
   */
  public long allocate(long sizeBytes) {
    return allocate(sizeBytes, Long.MAX_VALUE);
  }

  /**
   * Allocates a block that lies at or below an address.
   *
   * @param sizeBytes 1..1 GiB, rounded up to 2^k pages
   * @param highestPa the last byte of the block may have this address, at least 0; a DMA mask, for
   *     instance
   * @return host physical address of the first byte, or {@link #NO_MEMORY}
   * @throws IllegalArgumentException if an argument is out of range
   */
  public long allocate(long sizeBytes, long highestPa) {
    int order = order(sizeBytes);
    if (highestPa < 0) {
      throw new IllegalArgumentException("highestPa must be >= 0: highestPa=" + highestPa);
    }
    long pa = normal.allocate(order, highestPa);
    if (pa == NO_MEMORY) {
      pa = dma32.allocate(order, highestPa);
    }
    if (pa == NO_MEMORY) {
      refusedCount++;
      return NO_MEMORY;
    }
    allocatedBytes += (long) PAGE_BYTES << order;
    allocatedBytesMax = Math.max(allocatedBytesMax, allocatedBytes);
    if (listener != null) {
      listener.onAllocate(pa, (long) PAGE_BYTES << order);
    }
    return pa;
  }

  /**
   * Gives a block back.
   *
   * @param pa address of the block, as allocated
   * @param sizeBytes its size, as requested
   * @throws IllegalArgumentException if there is no such block: freed twice, wrong address or size
   */
  public void free(long pa, long sizeBytes) {
    int order = order(sizeBytes);
    if (!dma32.tryFree(pa, order) && !normal.tryFree(pa, order)) {
      throw new IllegalArgumentException(
          "pa must be an allocated block of that size: pa=0x"
              + Long.toHexString(pa)
              + ", sizeBytes="
              + sizeBytes);
    }
    allocatedBytes -= (long) PAGE_BYTES << order;
    if (listener != null) {
      listener.onFree(pa, (long) PAGE_BYTES << order);
    }
  }

  /**
   * Tells somebody of every block from now on.
   *
   * @param newListener replaces who was told before
   */
  public void listen(PageListener newListener) {
    listener = newListener;
  }

  /** {@return the zones handed out} */
  public MemoryZones zones() {
    return zones;
  }

  /** {@return the bytes in allocated blocks, rounding included} */
  public long allocatedBytes() {
    return allocatedBytes;
  }

  /** {@return the most bytes that were in allocated blocks at one time} */
  public long allocatedBytesMax() {
    return allocatedBytesMax;
  }

  /** {@return the bytes in free blocks} */
  public long freeBytes() {
    return zones.totalBytes() - allocatedBytes;
  }

  /** {@return how often there was no block} */
  public long refusedCount() {
    return refusedCount;
  }

  /** Returns k for the least block of 2^k pages that holds so many bytes. */
  private static int order(long sizeBytes) {
    if (sizeBytes < 1 || sizeBytes > BLOCK_BYTES_MAX) {
      throw new IllegalArgumentException("sizeBytes must be 1..1 GiB: sizeBytes=" + sizeBytes);
    }
    return Long.SIZE - Long.numberOfLeadingZeros(sizeBytes - 1 >>> 12);
  }
}
