package io.github.bellwire.dma;

import static io.github.bellwire.kernel.Requirements.require;

/**
 * A contiguous range of RAM that the page allocator hands out.
 *
 * @param basePa first byte, host physical, a multiple of 4 KiB, at least 0
 * @param sizeBytes a multiple of 4 KiB, ending at or below 2^52; 0 for a zone that the machine does
 *     not have
 */
public record MemoryZone(long basePa, long sizeBytes) {
  /** A zone without memory. */
  public static final MemoryZone NONE = new MemoryZone(0, 0);

  /** Physical addresses of x86-64 have at most 52 bits (Intel SDM volume 3A, section 4.1.4). */
  private static final long END_PA_MAX = 1L << 52;

  private static final long PAGE_MASK = PageAllocator.PAGE_BYTES - 1;

  // Checked here and nowhere else.
  public MemoryZone {
    require(basePa >= 0 && (basePa & PAGE_MASK) == 0, "basePa", basePa, "a multiple of 4096");
    require(
        sizeBytes >= 0 && (sizeBytes & PAGE_MASK) == 0,
        "sizeBytes",
        sizeBytes,
        "a multiple of 4096");
    require(
        sizeBytes <= END_PA_MAX - basePa, "sizeBytes", sizeBytes, "<= " + (END_PA_MAX - basePa));
  }

  /** {@return the first address behind the zone} */
  public long endPa() {
    return basePa + sizeBytes;
  }

  /** {@return whether the zone has no memory} */
  public boolean isEmpty() {
    return sizeBytes == 0;
  }
}
