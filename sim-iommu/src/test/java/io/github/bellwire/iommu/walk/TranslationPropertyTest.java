package io.github.bellwire.iommu.walk;

import static io.github.bellwire.iommu.walk.WalkFixture.SOURCE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.layout.ContextEntryLayout;
import io.github.bellwire.iommu.walk.TranslationConfig.Iotlb;
import io.github.bellwire.iommu.walk.TranslationConfig.PagingCaches;
import io.github.bellwire.pcie.AddressType;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.TranslationRequest;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Random maps, unmaps, translations and invalidations against the simplest of models. */
class TranslationPropertyTest {
  private static final int OPERATIONS = 100_000;
  private static final int DOMAINS = 2;
  private static final long REGION = 0x4000_0000L;
  private static final int BLOCKS = 8; // of 2 MiB
  private static final int PAGES_OF_BLOCK = 512;
  private static final int BLOCK_SHIFT = 21;

  /** What a page of 4 KiB is mapped to. */
  private record Target(long pa, long rights) {}

  private final List<TreeMap<Long, Target>> models = List.of(new TreeMap<>(), new TreeMap<>());
  private final long[] roots = new long[DOMAINS];
  private final boolean[][] isLarge = new boolean[DOMAINS][BLOCKS];
  private WalkFixture fixture = new WalkFixture(WalkFixture.SMALL);
  private Random random = new Random();
  private long nowPs;

  @ParameterizedTest(name = "{0} sets, seed {1}")
  @CsvSource({"1, 20261130", "4, 20261129"})
  void shouldAgreeWithAMapAfterAnyOperations(int sets, long seed) {
    random = new Random(seed);
    fixture =
        new WalkFixture(
            WalkFixture.SMALL
                .withIotlb(new Iotlb(sets, 8, 2, 1))
                .withPagingCaches(new PagingCaches(1, 2, 4)));
    for (int domain = 0; domain < DOMAINS; domain++) {
      int levels = 4 + domain;
      roots[domain] = fixture.legacy(SOURCE + domain, domain, levels, ContextEntryLayout.TRANSLATE);
    }
    for (int i = 0; i < OPERATIONS; i++) {
      nowPs += random.nextInt(50_000);
      int domain = random.nextInt(DOMAINS);
      int block = random.nextInt(BLOCKS);
      int kind = random.nextInt(20);
      if (kind < 5) {
        map(domain, block);
      } else if (kind == 5) {
        unmap(domain, block);
      } else {
        check(domain, block, seed, i);
      }
    }
    assertThat(fixture.unit.statistics().iotlbHitsTotal()).isGreaterThan(OPERATIONS / 20);
  }

  /** Some more often than others. */
  private int page() {
    return random.nextInt(random.nextInt(4) > 0 ? 2 : PAGES_OF_BLOCK);
  }

  private long iova(int block, int page) {
    return REGION + ((long) block << BLOCK_SHIFT) + page * 0x1000L;
  }

  private void map(int domain, int block) {
    long rights = 1 + random.nextInt(3);
    int levels = 4 + domain;
    TreeMap<Long, Target> model = models.get(domain);
    Long next = model.ceilingKey(iova(block, 0) >>> 12);
    boolean isEmpty = next == null || next > iova(block, PAGES_OF_BLOCK - 1) >>> 12;
    if (isEmpty && random.nextInt(4) == 0) {
      long pa = (long) random.nextInt(1024) << BLOCK_SHIFT;
      fixture.map(roots[domain], levels, iova(block, 0), pa, 2, rights);
      isLarge[domain][block] = true;
      for (int page = 0; page < PAGES_OF_BLOCK; page++) {
        model.put(iova(block, page) >>> 12, new Target(pa + page * 0x1000L, rights));
      }
      // A table may have been there.
      invalidate(domain, iova(block, 0), 9, false);
    } else if (!isLarge[domain][block]) {
      int page = page();
      long pa = (long) random.nextInt(1 << 19) << 12; // Below the interrupt range.
      fixture.map(roots[domain], levels, iova(block, page), pa, 1, rights);
      Target old = model.put(iova(block, page) >>> 12, new Target(pa, rights));
      if (old != null) {
        invalidate(domain, iova(block, page), 0, true);
      }
    }
  }

  private void unmap(int domain, int block) {
    int levels = 4 + domain;
    if (isLarge[domain][block]) {
      isLarge[domain][block] = false;
      fixture.memory.putLong(fixture.entry(roots[domain], levels, iova(block, 0), 2), 0);
      for (int page = 0; page < PAGES_OF_BLOCK; page++) {
        models.get(domain).remove(iova(block, page) >>> 12);
      }
      invalidate(domain, iova(block, 0), 9, false);
      return;
    }
    int first = random.nextInt(PAGES_OF_BLOCK);
    int bits = random.nextInt(10);
    first &= -1 << bits;
    for (int page = first; page < first + (1 << bits); page++) {
      fixture.memory.putLong(fixture.entry(roots[domain], levels, iova(block, page), 1), 0);
      models.get(domain).remove(iova(block, page) >>> 12);
    }
    invalidate(domain, iova(block, first), bits, random.nextBoolean());
  }

  private void invalidate(int domain, long iova, int bits, boolean isLeafOnly) {
    TranslationCaches caches = fixture.unit.caches();
    switch (random.nextInt(8)) {
      case 0:
        caches.invalidateIotlb(nowPs);
        break;
      case 1:
        caches.invalidateIotlbOfDomain(domain, nowPs);
        break;
      default:
        caches.invalidateIotlbPages(domain, iova, bits, isLeafOnly, nowPs);
        break;
    }
    if (random.nextInt(20) == 0) {
      caches.invalidateContextsOfDevice(domain, SOURCE + domain, 0, nowPs);
    }
  }

  private void check(int domain, int block, long seed, int operation) {
    long iova = iova(block, page());
    long address = iova + random.nextInt(0x1000 - 64);
    boolean isWrite = random.nextBoolean();
    Target target = models.get(domain).get(iova >>> 12);

    DmaStatus status =
        fixture.ask(
            SOURCE + domain,
            TranslationRequest.NO_PASID,
            AddressType.UNTRANSLATED,
            address,
            isWrite,
            nowPs);

    boolean isPermitted = target != null && (target.rights() & (isWrite ? 2 : 1)) != 0;
    String where = "seed " + seed + ", operation " + operation;
    assertThat(status == DmaStatus.OK).as(where).isEqualTo(isPermitted);
    if (isPermitted) {
      assertThat(fixture.result.pa()).as(where).isEqualTo(target.pa() + (address & 0xFFF));
    }
    assertThat(fixture.result.readyPs()).isGreaterThanOrEqualTo(nowPs);
  }

  @Test
  void shouldSurviveAnyBytesInItsTables() {
    new CorruptTables(WalkFixture.SMALL, 20261129).run(1_000_000);
  }
}
