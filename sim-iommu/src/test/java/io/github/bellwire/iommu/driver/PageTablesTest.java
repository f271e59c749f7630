package io.github.bellwire.iommu.driver;

import static io.github.bellwire.iommu.layout.SecondLevelLayout.READ;
import static io.github.bellwire.iommu.layout.SecondLevelLayout.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.dma.MemoryZone;
import io.github.bellwire.dma.MemoryZones;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.memory.PhysicalMemory;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PageTablesTest {
  private static final long PAGE = 4096;
  private static final long MIB = 1 << 20;
  private static final long GIB = 1L << 30;

  private final PhysicalMemory memory = new PhysicalMemory(256 * MIB, 0);
  private final IdlePort port = new IdlePort(memory);
  private final PageAllocator pages = new PageAllocator(MemoryZones.ofRam(256 * MIB, 0));
  private final PageTables tables = new PageTables(port, pages, 4, 3, true);
  private final TableList freed = new TableList();

  private long entry(long tablePa, int index) {
    return memory.get(tablePa + 8L * index, 8);
  }

  @Test
  void shouldBeBytesInMemoryAsTheHardwareReadsThem() {
    long iova = 5L << 39 | 6L << 30 | 7L << 21 | 8L << 12;
    assertThat(tables.tryMap(port, iova, 0x1234_5000, PAGE, WRITE, freed)).isTrue();

    long level3 = entry(tables.rootPa(), 5);
    assertThat(level3 & 0xfff).isEqualTo(3);
    long level2 = entry(level3 & ~0xfffL, 6);
    long level1 = entry(level2 & ~0xfffL, 7);
    assertThat(entry(level1 & ~0xfffL, 8)).isEqualTo(0x1234_5000 | WRITE);
    assertThat(tables.tablesCount()).isEqualTo(4);
    assertThat(tables.lookup(port, iova + 77)).isEqualTo(0x1234_5000 + 77);
    assertThat(tables.lookup(port, iova + PAGE)).isEqualTo(PageTables.NOT_MAPPED);
    assertThat(tables.lookup(port, 1L << 48)).isEqualTo(PageTables.NOT_MAPPED);
  }

  @Test
  void shouldUseTheLargestPagesThatBothAddressesAllow() {
    // 4 KiB up to 2 MiB, 2 MiB up to 1 GiB, 1 GiB, 2 MiB, 4 KiB.
    long iova = GIB - 2 * MIB - PAGE;
    long lengthBytes = PAGE + 2 * MIB + GIB + 2 * MIB + PAGE;
    long storesBefore = port.storesCount;
    tables.tryMap(port, iova, 4 * GIB + iova, lengthBytes, READ | WRITE, freed);

    // Five leaf entries; tables: two of level 1, two of level 2, one of level 3.
    assertThat(tables.entriesChanged()).isEqualTo(10);
    assertThat(port.storesCount - storesBefore).isEqualTo(10);
    assertThat(tables.tablesCount()).isEqualTo(6);
    assertThat(tables.lookupEntry(port, GIB)).isEqualTo(5 * GIB | 0x83);
    assertThat(tables.lookup(port, GIB + 5)).isEqualTo(5 * GIB + 5);
    assertThat(tables.lookup(port, GIB - 2 * MIB + 5)).isEqualTo(5 * GIB - 2 * MIB + 5);

    PageTables small = new PageTables(port, pages, 4, 1, true);
    small.tryMap(port, 0, 0, 2 * MIB, READ, freed);
    assertThat(small.lookupEntry(port, 0)).isEqualTo(READ);
  }

  @Test
  void shouldFreeATableOnlyWhenOneCallCoversIt() {
    tables.tryMap(port, 0, 64 * MIB + PAGE, 2 * MIB, READ, freed);
    tables.tryMap(port, 2 * MIB, 70 * MIB + PAGE, 2 * MIB, READ, freed);
    assertThat(tables.tablesCount()).isEqualTo(5);

    tables.unmap(port, 0, MIB, freed);
    tables.unmap(port, MIB, MIB, freed);
    assertThat(freed.isEmpty()).isTrue();
    assertThat(tables.lookup(port, MIB)).isEqualTo(PageTables.NOT_MAPPED);
    assertThat(tables.tablesCount()).isEqualTo(5);

    tables.unmap(port, 2 * MIB, 2 * MIB, freed);
    assertThat(freed.isEmpty()).isFalse();
    assertThat(tables.lookup(port, 3 * MIB)).isEqualTo(PageTables.NOT_MAPPED);
    assertThat(tables.tablesCount()).isEqualTo(5);
    tables.free(freed);
    assertThat(tables.tablesCount()).isEqualTo(4);
    assertThat(freed.isEmpty()).isTrue();
  }

  @Test
  void shouldPutALargePageInThePlaceOfATable() {
    tables.tryMap(port, 0, 64 * MIB, PAGE, READ, freed);
    tables.unmap(port, 0, PAGE, freed);
    assertThat(freed.isEmpty()).isTrue();

    tables.tryMap(port, 0, 64 * MIB, 2 * MIB, READ, freed);

    assertThat(freed.isEmpty()).isFalse();
    assertThat(tables.lookup(port, MIB)).isEqualTo(65 * MIB);
  }

  @Test
  void shouldMapNothingWhenThereIsNoMemoryForTables() {
    PageAllocator few =
        new PageAllocator(new MemoryZones(new MemoryZone(MIB, 4 * PAGE), MemoryZone.NONE));
    PageTables small = new PageTables(port, few, 4, 3, true);

    assertThat(small.tryMap(port, 2 * MIB - PAGE, 0, 2 * PAGE, READ, freed)).isFalse();

    assertThat(small.lookup(port, 2 * MIB - PAGE)).isEqualTo(PageTables.NOT_MAPPED);
    assertThat(few.freeBytes()).isZero();
    small.freeAll();
    assertThat(few.freeBytes()).isEqualTo(4 * PAGE);
  }

  @Test
  void shouldRefuseWhatIsNotWholePagesOrTooHigh() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tables.tryMap(port, 1, 0, PAGE, READ, freed));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tables.unmap(port, 0, 5000, freed))
        .withMessageContaining("lengthBytes=5000");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tables.tryMap(port, 1L << 48, 0, PAGE, READ, freed));
    assertThatIllegalArgumentException().isThrownBy(() -> new PageTables(port, pages, 6, 1, true));
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5})
  void shouldAgreeWithAMapOfPages(int levels) {
    long seed = 11;
    SplittableRandom random = new SplittableRandom(seed);
    PageTables tested = new PageTables(port, pages, levels, 2, true);
    Map<Long, Long> model = new HashMap<>();
    long top = 1L << 12 + 9 * levels;
    long[] bases = {0, 2 * MIB, GIB - 2 * MIB, top - 8 * MIB};
    for (int i = 0; i < 2_000; i++) {
      long iova = bases[random.nextInt(bases.length)] + random.nextInt(1024) * PAGE;
      long count = random.nextInt(8) == 0 ? 512 : 1 + random.nextInt(16);
      if (random.nextBoolean()) {
        long shift = random.nextInt(4) == 0 ? 0 : random.nextInt(512) * PAGE;
        for (long page = 0; page < count; page++) {
          // A range is free before it is mapped.
          model.remove(iova + page * PAGE);
        }
        tested.unmap(port, iova, count * PAGE, freed);
        forgetLargePages(model, tested, iova, count);
        tested.tryMap(port, iova, 8 * GIB + iova % GIB + shift, count * PAGE, READ, freed);
        for (long page = 0; page < count; page++) {
          model.put(iova + page * PAGE, 8 * GIB + iova % GIB + shift + page * PAGE);
        }
      } else {
        tested.unmap(port, iova, count * PAGE, freed);
        for (long page = 0; page < count; page++) {
          model.remove(iova + page * PAGE);
        }
        forgetLargePages(model, tested, iova, count);
      }
      tested.free(freed);
      long probe = bases[random.nextInt(bases.length)] + random.nextInt(1540) * PAGE;
      assertThat(tested.lookup(port, probe + 9))
          .as("seed %d step %d iova 0x%x", seed, i, probe)
          .isEqualTo(model.containsKey(probe) ? model.get(probe) + 9 : PageTables.NOT_MAPPED);
    }
    tested.freeAll();
    assertThat(tested.tablesCount()).isZero();
  }

  /** Of a large page at an end of an unmapped range nothing remains. */
  private void forgetLargePages(Map<Long, Long> model, PageTables tested, long iova, long count) {
    for (long end : new long[] {iova, iova + (count - 1) * PAGE}) {
      long block = end & -2 * MIB;
      for (long page = block; page < block + 2 * MIB; page += PAGE) {
        if (model.containsKey(page) && tested.lookup(port, page) == PageTables.NOT_MAPPED) {
          boolean isWholeBlockGone = tested.lookup(port, block) == PageTables.NOT_MAPPED;
          assertThat(isWholeBlockGone).isTrue();
          model.remove(page);
        }
      }
    }
  }
}
