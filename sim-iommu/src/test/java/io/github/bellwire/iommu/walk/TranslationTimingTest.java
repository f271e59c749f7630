package io.github.bellwire.iommu.walk;

import static io.github.bellwire.iommu.walk.WalkFixture.READ_PS;
import static io.github.bellwire.iommu.walk.WalkFixture.SMALL;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.walk.TranslationConfig.Iotlb;
import io.github.bellwire.iommu.walk.TranslationConfig.PagingCaches;
import io.github.bellwire.iommu.walk.TranslationConfig.Walkers;
import io.github.bellwire.pcie.DmaStatus;
import org.junit.jupiter.api.Test;

class TranslationTimingTest {
  private static final long IOVA = 0x4000_0000L;
  private static final long PA = 0x200_0000L;
  private static final long PAGE = 0x1000;

  /** Long after everything before. */
  private static final long LATER_PS = 10_000_000;

  private WalkFixture fixture = new WalkFixture(SMALL);
  private long waitedPs;

  /** Maps pages in a row, and walks to the one before them, so that all levels are remembered. */
  private void warm(WalkFixture newFixture, int pagesCount) {
    fixture = newFixture;
    long tables = fixture.legacy();
    for (int i = -1; i < pagesCount; i++) {
      fixture.map(tables, 4, IOVA + i * PAGE, PA + i * PAGE, 1, 3);
    }
    fixture.map(tables, 4, IOVA + (1 << 21), PA, 1, 3);
    fixture.ask(IOVA + (1 << 21) - 1, false, 0); // Not there.
    fixture.ask(IOVA + (1 << 21), false, 0);
    fixture.ask(IOVA, false, 0);
    fixture.unit.caches().invalidateIotlbPages(WalkFixture.DOMAIN, 0, 52, true, 0);
    waitedPs = fixture.unit.statistics().walkerFullPsTotal();
  }

  private long readyPs(long iova, boolean isWrite, long atPs) {
    assertThat(fixture.ask(iova, isWrite, atPs)).isEqualTo(DmaStatus.OK);
    return fixture.result.readyPs() - atPs;
  }

  @Test
  void shouldReadEveryLevelOnceAndNothingOnAHit() {
    long tables = fixture.legacy();
    fixture.map(tables, 4, IOVA, PA, 1, 3);
    fixture.map(tables, 4, IOVA + PAGE, PA, 1, 3);
    fixture.map(tables, 4, IOVA + (1 << 21), PA, 1, 3);

    // Root and context entry, four levels.
    assertThat(readyPs(IOVA, false, 0)).isEqualTo(6 * READ_PS);
    assertThat(readyPs(IOVA + 8, true, LATER_PS)).isZero();
    // The entry for 2 MiB is remembered; then the one for 1 GiB.
    assertThat(readyPs(IOVA + PAGE, false, LATER_PS)).isEqualTo(READ_PS);
    assertThat(readyPs(IOVA + (1 << 21), false, LATER_PS)).isEqualTo(2 * READ_PS);
    TranslationStatistics statistics = fixture.unit.statistics();
    assertThat(statistics.lookupsTotal()).isEqualTo(4);
    assertThat(statistics.iotlbHitsTotal()).isEqualTo(1);
    assertThat(statistics.pagingHits4kTotal()).isEqualTo(1);
    assertThat(statistics.iotlbFillsTotal()).isEqualTo(3);
    assertThat(statistics.walksTotal()).isEqualTo(3);
    assertThat(statistics.contextHitsTotal()).isEqualTo(3);
    assertThat(statistics.pagingHits2mTotal()).isEqualTo(1);
    assertThat(statistics.pagingHits1gTotal()).isEqualTo(1);
    assertThat(statistics.pagingMissesL1Total()).isEqualTo(1);
    assertThat(statistics.pagingMissesL2Total()).isEqualTo(1);
    assertThat(statistics.pagingMissesL3Total()).isEqualTo(2);
    // Of each miss one, and one for each miss of a level: 3 + 1 + 1 + 2, and the context's 2.
    assertThat(statistics.memoryAccessesTotal()).isEqualTo(9);
  }

  @Test
  void shouldTakeOverheadOncePerWalkAndOnePerRead() {
    warm(new WalkFixture(SMALL.withWalkers(new Walkers(1, 0, 7_000, 300, false))), 1);

    assertThat(readyPs(IOVA, false, LATER_PS)).isEqualTo(7_000 + READ_PS + 300);
  }

  @Test
  void shouldLetLaterRequestsToAPageWaitForItsWalk() {
    warm(new WalkFixture(SMALL), 1);

    assertThat(readyPs(IOVA, false, LATER_PS)).isEqualTo(READ_PS);
    assertThat(readyPs(IOVA + 64, false, LATER_PS + 5_000)).isEqualTo(READ_PS - 5_000);
    assertThat(fixture.unit.statistics().walkerFullPsTotal()).isEqualTo(waitedPs);
  }

  @Test
  void shouldWaitForTheWalkerThatIsFreeFirst() {
    warm(new WalkFixture(SMALL), 4);

    assertThat(readyPs(IOVA, false, LATER_PS)).isEqualTo(READ_PS);
    assertThat(readyPs(IOVA + PAGE, false, LATER_PS + 1_000)).isEqualTo(READ_PS);
    // The first is free 20 ns after the start, the second 1 ns later.
    assertThat(readyPs(IOVA + 2 * PAGE, false, LATER_PS + 2_000)).isEqualTo(2 * READ_PS - 2_000);
    assertThat(readyPs(IOVA + 3 * PAGE, false, LATER_PS + 2_000)).isEqualTo(2 * READ_PS - 1_000);
    assertThat(fixture.unit.statistics().walkerFullPsTotal()).isEqualTo(waitedPs + 18_000 + 19_000);
  }

  @Test
  void shouldHoldUpWhatIsBehindAMissWhereRequestsKeepInOrder() {
    warm(new WalkFixture(SMALL.withWalkers(new Walkers(2, 0, 0, 0, false, 1_000))), 2);

    // Each takes its walk, if it needs one, and 1 ns for its line, behind the one before.
    assertThat(readyPs(IOVA, false, LATER_PS)).isEqualTo(READ_PS + 1_000);
    assertThat(readyPs(IOVA + 64, true, LATER_PS)).isEqualTo(READ_PS + 2_000);
    assertThat(readyPs(IOVA + PAGE, true, LATER_PS)).isEqualTo(2 * READ_PS + 3_000);
    assertThat(readyPs(IOVA + PAGE, false, 2 * LATER_PS)).isEqualTo(1_000);
  }

  @Test
  void shouldKeepAWalkerForWrites() {
    warm(new WalkFixture(SMALL.withWalkers(new Walkers(2, 1, 0, 0, false))), 4);

    assertThat(readyPs(IOVA, false, LATER_PS)).isEqualTo(READ_PS);
    assertThat(readyPs(IOVA + PAGE, false, LATER_PS)).isEqualTo(2 * READ_PS);
    assertThat(readyPs(IOVA + 2 * PAGE, true, LATER_PS)).isEqualTo(READ_PS);
    assertThat(readyPs(IOVA + 3 * PAGE, true, LATER_PS)).isEqualTo(2 * READ_PS);
  }

  @Test
  void shouldDispatchInOrderWhereALeafTableTakesOneWalkAtATime() {
    warm(new WalkFixture(SMALL.withWalkers(new Walkers(4, 0, 0, 0, true))), 2);

    assertThat(readyPs(IOVA, false, LATER_PS)).isEqualTo(READ_PS);
    assertThat(readyPs(IOVA + PAGE, false, LATER_PS)).isEqualTo(2 * READ_PS);
    // Another table, but behind one that waits.
    assertThat(readyPs(IOVA + (1 << 21), false, LATER_PS)).isEqualTo(2 * READ_PS);
  }

  @Test
  void shouldForgetTheLeastRecentlyUsedPage() {
    warm(new WalkFixture(SMALL), 9);
    for (int i = 0; i < 8; i++) {
      readyPs(IOVA + i * PAGE, false, LATER_PS * (i + 1));
    }
    long atPs = LATER_PS * 10;
    readyPs(IOVA, false, atPs);

    readyPs(IOVA + 8 * PAGE, false, atPs); // In the place of the second.

    assertThat(readyPs(IOVA, false, 2 * atPs)).isZero();
    assertThat(readyPs(IOVA + 2 * PAGE, false, 2 * atPs)).isZero();
    assertThat(readyPs(IOVA + PAGE, false, 2 * atPs)).isEqualTo(READ_PS);
  }

  @Test
  void shouldKeepSetsApart() {
    warm(new WalkFixture(SMALL.withIotlb(new Iotlb(4, 2, 1, 1))), 9);
    readyPs(IOVA, false, LATER_PS);
    readyPs(IOVA + 4 * PAGE, false, 2 * LATER_PS);

    readyPs(IOVA + 8 * PAGE, false, 3 * LATER_PS); // The third page of set 0.

    assertThat(readyPs(IOVA + 4 * PAGE, false, 4 * LATER_PS)).isZero();
    assertThat(readyPs(IOVA, false, 5 * LATER_PS)).isEqualTo(READ_PS);
  }

  /** 8 entries of which a walk keeps 4, its own among them: 5 pages at one read at a time. */
  @Test
  void shouldReachAsFarAsWalksLeaveEntries() {
    assertThat(missesInTheSecondRound(5, false)).isZero();
    assertThat(missesInTheSecondRound(6, false)).isEqualTo(6);
    assertThat(missesInTheSecondRound(8, true)).isZero();
  }

  private long missesInTheSecondRound(int pages, boolean isWrite) {
    warm(new WalkFixture(SMALL.withIotlb(new Iotlb(1, 8, 4, 1))), pages);
    long before = 0;
    for (int i = 0; i < 2 * pages; i++) {
      before = i == pages ? fixture.unit.statistics().walksTotal() : before;
      readyPs(IOVA + i % pages * PAGE, isWrite, LATER_PS * (i + 1));
    }
    return fixture.unit.statistics().walksTotal() - before;
  }

  /** Two walks at a time keep 3 + 3 entries beside their own two pages. */
  @Test
  void shouldReachLessFarTheMoreWalksAreUnderWay() {
    warm(new WalkFixture(SMALL.withIotlb(new Iotlb(1, 8, 4, 1))), 5);
    for (int i = 0; i < 5; i++) {
      readyPs(IOVA + i * PAGE, false, LATER_PS * (i + 1));
    }
    fixture.unit.caches().invalidateIotlbPages(WalkFixture.DOMAIN, IOVA, 0, true, 0);
    fixture.unit.caches().invalidateIotlbPages(WalkFixture.DOMAIN, IOVA + PAGE, 0, true, 0);
    long atPs = 10 * LATER_PS;

    readyPs(IOVA, false, atPs);
    readyPs(IOVA + PAGE, false, atPs);

    assertThat(readyPs(IOVA + 4 * PAGE, false, 2 * atPs)).isEqualTo(READ_PS);
    assertThat(readyPs(IOVA + PAGE, false, 3 * atPs)).isZero();
  }

  @Test
  void shouldReadEverythingWithoutPagingCaches() {
    warm(new WalkFixture(SMALL.withPagingCaches(new PagingCaches(0, 0, 0))), 1);

    assertThat(readyPs(IOVA, false, LATER_PS)).isEqualTo(4 * READ_PS);
  }

  @Test
  void shouldTakeOneEntryForALargePage() {
    long tables = fixture.legacy();
    fixture.map(tables, 4, IOVA, PA, 2, 3);
    readyPs(IOVA, false, 0);

    for (int i = 0; i < 512; i++) {
      assertThat(readyPs(IOVA + i * PAGE, true, LATER_PS)).isZero();
    }
    assertThat(fixture.unit.statistics().walksTotal()).isEqualTo(1);
  }
}
