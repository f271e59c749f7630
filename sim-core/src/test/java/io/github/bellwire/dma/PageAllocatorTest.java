package io.github.bellwire.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PageAllocatorTest {
  private static final long KIB = 1L << 10;
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;
  private static final long HIGH = MemoryZones.NORMAL_BASE;
  private static final long NO_MEMORY = PageAllocator.NO_MEMORY;

  @Test
  void shouldPreferTheNormalZoneAndFallBackToDma32() {
    PageAllocator allocator = allocator(16 * MIB, 8 * KIB);

    assertThat(allocator.allocate(4096)).isEqualTo(HIGH);
    assertThat(allocator.allocate(4096)).isEqualTo(HIGH + 4096);
    assertThat(allocator.allocate(4096)).isEqualTo(MIB);
  }

  @Test
  void shouldStayBelowALimit() {
    PageAllocator allocator = allocator(16 * MIB, GIB);

    assertThat(allocator.allocate(4096, HIGH - 1)).isEqualTo(MIB);
    // The last byte of the first NORMAL page is 0x1_0000_0fff: the limit includes it or not.
    assertThat(allocator.allocate(4096, HIGH + 4094)).isEqualTo(MIB + 4096);
    assertThat(allocator.allocate(4096, HIGH + 4095)).isEqualTo(HIGH);
    assertThat(allocator.allocate(4096, MIB - 1)).isEqualTo(NO_MEMORY);
    // Below 2 MiB, 8 KiB of the first MiB of the zone are taken: no free block of 1 MiB.
    assertThat(allocator.allocate(MIB, 2 * MIB - 1)).isEqualTo(NO_MEMORY);
    assertThat(allocator.allocate(MIB, 4 * MIB - 1)).isEqualTo(2 * MIB);
  }

  @Test
  void shouldRoundUpToPowersOfTwoAndAlign() {
    PageAllocator allocator = allocator(16 * MIB, GIB);

    assertThat(allocator.allocate(1)).isEqualTo(HIGH);
    assertThat(allocator.allocate(4097)).isEqualTo(HIGH + 8 * KIB);
    assertThat(allocator.allocate(12 * KIB)).isEqualTo(HIGH + 16 * KIB);
    assertThat(allocator.allocate(4096)).isEqualTo(HIGH + 4 * KIB);
    // 4 + 8 + 16 + 4 KiB.
    assertThat(allocator.allocatedBytes()).isEqualTo(32 * KIB);
    assertThat(allocator.allocate(33 * KIB)).isEqualTo(HIGH + 64 * KIB);
  }

  @Test
  void shouldTakeTheSmallestSufficientBlock() {
    PageAllocator allocator = allocator(16 * MIB, GIB);
    allocator.allocate(32 * KIB);
    long second = allocator.allocate(16 * KIB);
    allocator.allocate(16 * KIB);
    allocator.free(HIGH, 32 * KIB);
    allocator.free(second, 16 * KIB);

    // Free are 32 KiB at 0 and 16 KiB at 32 KiB, which fits exactly.
    assertThat(allocator.allocate(16 * KIB)).isEqualTo(HIGH + 32 * KIB);
    assertThat(allocator.allocate(16 * KIB)).isEqualTo(HIGH);
  }

  @Test
  void shouldMergeFreedBlocks() {
    PageAllocator allocator = allocator(16 * MIB, GIB);
    for (int i = 0; i < 256; i++) {
      assertThat(allocator.allocate(4096)).isEqualTo(HIGH + 4096L * i);
    }
    for (int i = 0; i < 256; i++) {
      allocator.free(HIGH + 4096L * i, 4096);
    }

    assertThat(allocator.allocate(GIB)).isEqualTo(HIGH);
    assertThat(allocator.allocate(32 * MIB)).isEqualTo(NO_MEMORY);
  }

  @Test
  void shouldAllocateFromEachGibibyteOfALargeZone() {
    PageAllocator allocator = allocator(16 * MIB, 2048 * GIB);

    for (int i = 0; i < 100; i++) {
      assertThat(allocator.allocate(GIB)).isEqualTo(HIGH + i * GIB);
    }
    assertThat(allocator.allocate(4096)).isEqualTo(HIGH + 100 * GIB);
    assertThat(allocator.freeBytes()).isEqualTo(15 * MIB + 1948 * GIB - 4096);
  }

  @Test
  void shouldHandOutEveryPageOfAnUnevenZone() {
    // From the last two pages of one GiB to the first three of the next.
    MemoryZone zone = new MemoryZone(5 * GIB - 8 * KIB, 20 * KIB);
    PageAllocator allocator = new PageAllocator(new MemoryZones(MemoryZone.NONE, zone));

    assertThat(allocator.allocate(16 * KIB)).isEqualTo(NO_MEMORY);
    assertThat(allocator.allocate(8 * KIB)).isEqualTo(5 * GIB - 8 * KIB);
    assertThat(allocator.allocate(4 * KIB)).isEqualTo(5 * GIB + 8 * KIB);
    assertThat(allocator.allocate(4 * KIB)).isEqualTo(5 * GIB);
    assertThat(allocator.allocate(4 * KIB)).isEqualTo(5 * GIB + 4 * KIB);
    assertThat(allocator.allocate(4 * KIB)).isEqualTo(NO_MEMORY);
  }

  @Test
  void shouldRefuseAnyWrongFree() {
    PageAllocator allocator = allocator(16 * MIB, GIB);
    long pa = allocator.allocate(8 * KIB);
    allocator.free(pa, 8 * KIB);
    long again = allocator.allocate(8 * KIB);

    assertThat(again).isEqualTo(pa);
    assertRefused(allocator, pa, 4 * KIB);
    assertRefused(allocator, pa, 16 * KIB);
    assertRefused(allocator, pa + 1, 8 * KIB);
    assertRefused(allocator, pa + 4 * KIB, 4 * KIB);
    assertRefused(allocator, pa + 4 * KIB, 8 * KIB);
    assertRefused(allocator, 0, 4 * KIB);
    assertRefused(allocator, -4096, 4 * KIB);
    assertRefused(allocator, 2 * MIB, 4 * KIB);
    allocator.free(pa, 8 * KIB);
    assertRefused(allocator, pa, 8 * KIB);
    assertThat(allocator.allocatedBytes()).isZero();
  }

  @Test
  void shouldRefuseSizesAndLimitsOutOfRange() {
    PageAllocator allocator = allocator(16 * MIB, GIB);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> allocator.allocate(0))
        .withMessage("sizeBytes must be 1..1 GiB: sizeBytes=0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> allocator.allocate(GIB + 1))
        .withMessage("sizeBytes must be 1..1 GiB: sizeBytes=1073741825");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> allocator.allocate(4096, -1))
        .withMessage("highestPa must be >= 0: highestPa=-1");
  }

  @Test
  void shouldAccount() {
    PageAllocator allocator = allocator(2 * MIB, MIB);
    long first = allocator.allocate(MIB);
    long second = allocator.allocate(512 * KIB);
    allocator.free(first, MIB);
    allocator.allocate(2 * MIB);
    allocator.free(second, 512 * KIB);

    assertThat(allocator.allocatedBytes()).isZero();
    assertThat(allocator.allocatedBytesMax()).isEqualTo(1536 * KIB);
    assertThat(allocator.freeBytes()).isEqualTo(2 * MIB);
    assertThat(allocator.refusedCount()).isEqualTo(1);
    assertThat(allocator.zones()).isEqualTo(MemoryZones.ofRam(2 * MIB, MIB));
  }

  /**
   * Against a map of pages: a block is found if and only if an aligned row of free pages exists.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void shouldAgreeWithAMapOfPages(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int lowPages = 300;
    int highPages = 700;
    PageAllocator allocator = allocator(MIB + lowPages * 4096L, highPages * 4096L);
    BitSet usedPages = new BitSet();
    List<long[]> blocks = new ArrayList<>();
    long[] limits = {Long.MAX_VALUE, HIGH - 1, MIB + 100 * 4096L + 5, HIGH + 333 * 4096L - 1};

    for (int i = 0; i < 20_000; i++) {
      String place = "seed " + seed + ", operation " + i;
      if (random.nextInt(100) < 52) {
        int pages = 1 << random.nextInt(random.nextInt(9) + 1);
        long limit = limits[random.nextInt(limits.length)];
        long pa = allocator.allocate(pages * 4096L, limit);
        boolean highFree = findFree(usedPages, HIGH, highPages, pages, limit);
        boolean lowFree = findFree(usedPages, MIB, lowPages, pages, limit);
        assertThat(pa == NO_MEMORY).as(place).isEqualTo(!highFree && !lowFree);
        if (pa != NO_MEMORY) {
          assertThat(pa >= HIGH).as(place).isEqualTo(highFree);
          assertThat(pa % (pages * 4096L)).as(place).isZero();
          assertThat(pa + pages * 4096L - 1 <= limit).as(place).isTrue();
          int page = (int) (pa >>> 12);
          assertThat(usedPages.get(page, page + pages).isEmpty()).as(place).isTrue();
          usedPages.set(page, page + pages);
          blocks.add(new long[] {pa, pages});
        }
      } else if (!blocks.isEmpty()) {
        long[] block = blocks.remove(random.nextInt(blocks.size()));
        allocator.free(block[0], block[1] * 4096);
        usedPages.clear((int) (block[0] >>> 12), (int) (block[0] >>> 12) + (int) block[1]);
      }
      assertThat(allocator.allocatedBytes()).as(place).isEqualTo(usedPages.cardinality() * 4096L);
    }
  }

  private static boolean findFree(BitSet used, long basePa, int pageCount, int pages, long limit) {
    long endPa = Math.min(basePa + pageCount * 4096L, limit == Long.MAX_VALUE ? limit : limit + 1);
    long size = pages * 4096L;
    for (long pa = (basePa + size - 1) / size * size; pa + size <= endPa; pa += size) {
      if (used.get((int) (pa >>> 12), (int) (pa >>> 12) + pages).isEmpty()) {
        return true;
      }
    }
    return false;
  }

  private static void assertRefused(PageAllocator allocator, long pa, long sizeBytes) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> allocator.free(pa, sizeBytes))
        .withMessage(
            "pa must be an allocated block of that size: pa=0x%x, sizeBytes=%d", pa, sizeBytes);
  }

  private static PageAllocator allocator(long lowBytes, long highBytes) {
    return new PageAllocator(MemoryZones.ofRam(lowBytes, highBytes));
  }
}
