package io.github.bellwire.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class IovaAllocatorTest {
  private static final long LAST_32 = 0xFFFFF;

  private final IdlePort port = new IdlePort(new PhysicalMemory(1 << 20, 0));
  private final List<Integer> armed = new ArrayList<>();
  private final IovaAllocator iovas = allocator(IommuDriverConfig.LINUX_6_12);

  private IovaAllocator allocator(IommuDriverConfig config) {
    return new IovaAllocator(new Simulation(1), config, 2, 1, (core, order) -> armed.add(order));
  }

  private long take(long pages) {
    return iovas.allocate(port, pages, LAST_32, false);
  }

  private List<Long> takeAll(int count) {
    List<Long> pfns = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      pfns.add(take(1));
    }
    return pfns;
  }

  @Test
  void shouldGiveBackFirstWhatCameInLast() {
    List<Long> pfns = takeAll(3);
    assertThat(pfns).containsExactly(0xFFFFFL, 0xFFFFEL, 0xFFFFDL);
    pfns.forEach(pfn -> iovas.free(port, pfn, 1));

    assertThat(takeAll(4)).containsExactly(0xFFFFDL, 0xFFFFEL, 0xFFFFFL, 0xFFFFCL);
    assertThat(iovas.cacheHitsCount()).isEqualTo(3);
    assertThat(iovas.treeAllocationsCount()).isEqualTo(4);
  }

  @Test
  void shouldKeepTheCachesOfCoresApart() {
    iovas.free(port, take(1), 1);
    port.coreIndex = 1;

    assertThat(take(1)).isEqualTo(0xFFFFE);
    port.coreIndex = 0;
    assertThat(take(1)).isEqualTo(0xFFFFF);
  }

  @Test
  void shouldRoundCachedSizesUpAndLeaveLargerOnesAsTheyAre() {
    assertThat(take(3)).isEqualTo(0xFFFFC);
    assertThat(take(5)).isEqualTo(0xFFFF0);
    assertThat(take(33)).isEqualTo(0xFFFC0);
    // 33 pages end at FFFE0; a page of its own fits behind.
    assertThat(IovaAllocator.roundedPages(31)).isEqualTo(32);
    assertThat(IovaAllocator.roundedPages(33)).isEqualTo(33);
    iovas.free(port, 0xFFFC0, 33);
    iovas.free(port, 0xFFFF0, 5);
    assertThat(take(8)).isEqualTo(0xFFFF0);
    // Three reserved nothing; the range of 33 has left the tree, that of 3 and 8 are in it.
    assertThat(iovas.rangesCount()).isEqualTo(2);
  }

  @Test
  void shouldFillTwoMagazinesAndThenTheDepot() {
    List<Long> pfns = takeAll(2 * 127 + 1);
    for (int i = 0; i < 254; i++) {
      iovas.free(port, pfns.get(i), 1);
    }
    assertThat(iovas.depotMagazines(0)).isZero();
    assertThat(armed).isEmpty();

    iovas.free(port, pfns.get(254), 1);
    assertThat(iovas.depotMagazines(0)).isEqualTo(1);
    assertThat(armed).containsExactly(0);

    // 255 is loaded alone; then the first 127, kept as the previous; then the depot, from its top.
    List<Long> again = takeAll(255);
    assertThat(again.get(0)).isEqualTo(pfns.get(254));
    assertThat(again.get(1)).isEqualTo(pfns.get(126));
    assertThat(again.get(128)).isEqualTo(pfns.get(253));
    assertThat(iovas.depotMagazines(0)).isZero();
    assertThat(iovas.treeAllocationsCount()).isEqualTo(255);
  }

  @Test
  void shouldTrimTheDepotDownToAMagazinePerCore() {
    List<Long> pfns = takeAll(127 * 6);
    pfns.forEach(pfn -> iovas.free(port, pfn, 1));
    assertThat(iovas.depotMagazines(0)).isEqualTo(4);

    assertThat(iovas.trimDepot(port, 0)).isTrue();
    assertThat(iovas.trimDepot(port, 0)).isTrue();
    assertThat(iovas.trimDepot(port, 0)).isFalse();

    assertThat(iovas.depotMagazines(0)).isEqualTo(2);
    assertThat(iovas.rangesCount()).isEqualTo(127 * 4);
  }

  @Test
  void shouldReturnMagazinesToTheTreeWhenAnOldDepotIsFull() {
    IovaAllocator old = allocator(IommuDriverConfig.LINUX_6_0);
    List<Long> pfns = new ArrayList<>();
    for (int i = 0; i < 128 * 36; i++) {
      pfns.add(old.allocate(port, 1, LAST_32, false));
    }
    pfns.forEach(pfn -> old.free(port, pfn, 1));

    // 32 in the depot, two with the core, two back in the tree.
    assertThat(old.depotMagazines(0)).isEqualTo(32);
    assertThat(old.rangesCount()).isEqualTo(128 * 34);
    assertThat(armed).isEmpty();
  }

  @Test
  void shouldEmptyAllCachesBeforeItSaysThatThereIsNoRoom() {
    IovaAllocator small = allocator(IommuDriverConfig.LINUX_6_12);
    small.reserve(9, 1L << 40);
    for (int i = 0; i < 8; i++) {
      assertThat(small.allocate(port, 1, 0xFFFF_FFFFL, true)).isEqualTo(8 - i);
    }
    for (int pfn = 1; pfn <= 8; pfn++) {
      port.coreIndex = pfn & 1;
      small.free(port, pfn, 1);
    }

    assertThat(small.allocate(port, 4, 0xFFFF_FFFFL, false)).isEqualTo(IovaAllocator.NO_ROOM);
    assertThat(small.allocate(port, 4, 0xFFFF_FFFFL, true)).isEqualTo(4);
    assertThat(small.refusedCount()).isEqualTo(1);
  }

  @Test
  void shouldSkipCachedAddressesAboveTheLimit() {
    long high = iovas.allocate(port, 1, 0xFFFF_FFFFL, false);
    long low = take(1);
    iovas.free(port, low, 1);
    iovas.free(port, high, 1);

    assertThat(take(1)).isEqualTo(low);
    assertThat(take(1)).isEqualTo(low - 1);
    assertThat(iovas.allocate(port, 1, 0xFFFF_FFFFL, false)).isEqualTo(high);
  }

  @Test
  void shouldNeverHandOutAPageTwice() {
    long seed = 5;
    SplittableRandom random = new SplittableRandom(seed);
    List<long[]> taken = new ArrayList<>();
    boolean[] isTaken = new boolean[4096];
    iovas.reserve(4096, 1L << 40);
    for (int i = 0; i < 100_000; i++) {
      port.coreIndex = random.nextInt(2);
      if (random.nextBoolean() || taken.isEmpty()) {
        long pages = 1 + random.nextInt(40);
        long pfn = iovas.allocate(port, pages, LAST_32, random.nextBoolean());
        for (long p = pfn; pfn != 0 && p < pfn + pages; p++) {
          assertThat(isTaken[(int) p]).as("seed %d step %d page %d", seed, i, p).isFalse();
          isTaken[(int) p] = true;
        }
        if (pfn != 0) {
          taken.add(new long[] {pfn, pages});
        }
      } else {
        long[] range = taken.remove(random.nextInt(taken.size()));
        for (long p = range[0]; p < range[0] + range[1]; p++) {
          isTaken[(int) p] = false;
        }
        iovas.free(port, range[0], range[1]);
      }
    }
  }

  @Test
  void shouldChargeACacheHitLessThanTheTree() {
    long startPs = port.nowPs;
    long pfn = take(1);
    long treePs = port.nowPs - startPs;
    iovas.free(port, pfn, 1);
    startPs = port.nowPs;
    take(1);

    // 92 cycles in the cache; before that the lock (20), 92 for the empty depot, 300 + 15.
    assertThat(port.nowPs - startPs).isEqualTo(92_000);
    assertThat(treePs).isEqualTo((20 + 92 + 20 + 315) * 1_000);
  }
}
