package io.github.bellwire.iommu.walk;

import static io.github.bellwire.iommu.walk.WalkFixture.DOMAIN;
import static io.github.bellwire.iommu.walk.WalkFixture.READ_PS;
import static io.github.bellwire.iommu.walk.WalkFixture.SMALL;
import static io.github.bellwire.iommu.walk.WalkFixture.SOURCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.iommu.layout.ContextEntryLayout;
import io.github.bellwire.pcie.AddressType;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.TranslationRequest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class InvalidationTest {
  private static final long IOVA = 0x4000_0000L;
  private static final long PA = 0x200_0000L;
  private static final long PAGE = 0x1000;
  private static final long FUTURE_PS = 1_000_000;

  private WalkFixture fixture = new WalkFixture(SMALL);
  private TranslationCaches caches = fixture.unit.caches();

  @BeforeEach
  void mapEightPages() {
    map(SMALL);
  }

  private void map(TranslationConfig config) {
    fixture = new WalkFixture(config);
    caches = fixture.unit.caches();
    long tables = fixture.legacy();
    for (int i = 0; i < 8; i++) {
      fixture.map(tables, 4, IOVA + i * PAGE, PA + i * PAGE, 1, 3);
    }
    for (int i = 0; i < 6; i++) {
      fixture.ask(IOVA + i * PAGE, false, 0);
    }
  }

  /** {@return how many reads a request takes} */
  private int reads(int page, long atPs) {
    int before = fixture.readsCount;
    assertThat(fixture.ask(IOVA + page * PAGE, false, atPs)).isEqualTo(DmaStatus.OK);
    return fixture.readsCount - before;
  }

  @Test
  void shouldServeWhatArrivesBeforeTheInvalidationTakesEffect() {
    caches.invalidateIotlbPages(DOMAIN, IOVA, 0, true, FUTURE_PS);

    assertThat(reads(0, FUTURE_PS - 1)).isZero();
    assertThat(reads(0, FUTURE_PS)).isEqualTo(1);
  }

  @Test
  void shouldAlsoForgetWhatIsPutInUntilThen() {
    caches.invalidateIotlbPages(DOMAIN, IOVA + 6 * PAGE, 0, false, FUTURE_PS);

    assertThat(reads(6, FUTURE_PS - 2)).isEqualTo(1);
    assertThat(reads(7, FUTURE_PS - 2)).isEqualTo(1);
    assertThat(reads(6, FUTURE_PS - 1)).isZero();
    assertThat(reads(6, FUTURE_PS)).isEqualTo(4); // The levels above are forgotten, too.
    assertThat(reads(7, FUTURE_PS)).isZero();
  }

  @Test
  void shouldForgetMoreRatherThanLessWhenManyInvalidationsArePending() {
    for (int i = 0; i < PendingInvalidations.DEPTH; i++) {
      caches.invalidateIotlbPages(DOMAIN, IOVA + 6 * PAGE, 0, true, FUTURE_PS);
      caches.invalidateIotlbPages(DOMAIN + 1, IOVA, 0, true, FUTURE_PS);
    }

    assertThat(reads(7, FUTURE_PS - 1)).isEqualTo(1);
    assertThat(reads(7, FUTURE_PS)).isEqualTo(1);
  }

  @Test
  void shouldForgetThePagesUnderTheMask() {
    caches.invalidateIotlbPages(DOMAIN, IOVA + 3 * PAGE, 1, true, 0); // Pages 2 and 3.

    assertThat(reads(1, 1)).isZero();
    assertThat(reads(2, 1)).isEqualTo(1);
    assertThat(reads(3, 1)).isEqualTo(1);
    assertThat(reads(4, 1)).isZero();
    assertThat(fixture.unit.statistics().pageInvalidationsTotal()).isEqualTo(1);
  }

  @Test
  void shouldForgetALargePageByAnyAddressInIt() {
    long tables = fixture.legacy(SOURCE, DOMAIN, 4, ContextEntryLayout.TRANSLATE);
    caches.invalidateContexts(0);
    fixture.map(tables, 4, IOVA, PA, 2, 3);
    caches.invalidateIotlb(0);
    reads(0, 1);

    caches.invalidateIotlbPages(DOMAIN, IOVA + 0x1F_F000, 0, true, FUTURE_PS);

    assertThat(reads(0, FUTURE_PS - 1)).isZero();
    assertThat(reads(0, FUTURE_PS)).isEqualTo(1);
  }

  @Test
  void shouldKeepTheLevelsAboveOnlyIfToldThatTheyHaveNotChanged() {
    caches.invalidateIotlbPages(DOMAIN, IOVA, 0, true, 0);
    assertThat(reads(0, 1)).isEqualTo(1);
    caches.invalidateIotlbPages(DOMAIN, IOVA, 0, false, 0);
    assertThat(reads(0, 1)).isEqualTo(4);

    map(SMALL.withPreservesPagingCachesOnLeafInvalidate(false));
    caches.invalidateIotlbPages(DOMAIN, IOVA, 0, true, 0);
    assertThat(reads(0, 1)).isEqualTo(4);
  }

  @Test
  void shouldForgetADomainAndNoOther() {
    caches.invalidateIotlbOfDomain(DOMAIN + 1, 0);
    assertThat(reads(0, 1)).isZero();
    caches.invalidateIotlbOfDomain(DOMAIN, 0);
    assertThat(reads(0, 1)).isEqualTo(4);
    caches.invalidateIotlb(2);
    assertThat(reads(0, 2)).isEqualTo(4);
    assertThat(fixture.unit.statistics().domainInvalidationsTotal()).isEqualTo(2);
    assertThat(fixture.unit.statistics().globalInvalidationsTotal()).isEqualTo(1);
  }

  @Test
  void shouldForgetContextsByDomainAndByFunctions() {
    caches.invalidateContextsOfDomain(DOMAIN + 1, 0);
    caches.invalidateContextsOfDevice(DOMAIN + 1, SOURCE, 3, 0);
    caches.invalidateContextsOfDevice(DOMAIN, SOURCE + 1, 0, 0);
    caches.invalidateContextsOfDevice(DOMAIN, SOURCE + 1, 2, 0); // Functions 0, 2, 4 and 6 of 1.
    assertThat(reads(0, 1)).isZero();

    caches.invalidateContextsOfDevice(DOMAIN, SOURCE, 0, 0);
    assertThat(reads(0, 1)).isEqualTo(2);
    caches.invalidateContextsOfDevice(DOMAIN, SOURCE + 7, 3, 0);
    assertThat(reads(0, 1)).isEqualTo(2);
    caches.invalidateContextsOfDomain(DOMAIN, 0);
    assertThat(reads(0, 1)).isEqualTo(2);
    caches.invalidateContexts(5);
    assertThat(reads(0, 4)).isZero();
    assertThat(reads(0, 5)).isEqualTo(2);
    assertThat(fixture.unit.statistics().contextInvalidationsTotal()).isEqualTo(8);
  }

  @Test
  void shouldRefuseWhatIsOutOfRange() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> caches.invalidateIotlbOfDomain(0x1_0000, 0))
        .withMessage("domainId must be 0..FFFFh: domainId=65536");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> caches.invalidateIotlbPages(0, 0, 53, false, 0))
        .withMessage("addressMask must be 0..52: addressMask=53");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> caches.invalidateIotlbOfPasid(0, 1 << 20, 0))
        .withMessage("pasid must be 0..FFFFFh: pasid=1048576");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> caches.invalidateContextsOfDevice(0, 0, 4, 0))
        .withMessage("functionMask must be 0..3: functionMask=4");
  }

  @Test
  void shouldMakeRoomByWhatIsInvalidFirst() {
    assertThat(reads(6, 1)).isEqualTo(1);
    assertThat(reads(7, 1)).isEqualTo(1); // All 8 entries are in use.
    caches.invalidateIotlbPages(DOMAIN, IOVA + 7 * PAGE, 0, true, 2);
    long other = fixture.legacy(SOURCE + 1, DOMAIN + 1, 4, ContextEntryLayout.TRANSLATE);
    fixture.map(other, 4, IOVA, PA, 1, 3);

    fixture.ask(SOURCE + 1, TranslationRequest.NO_PASID, AddressType.UNTRANSLATED, IOVA, false, 3);

    assertThat(reads(0, 4)).isZero(); // The oldest has stayed.
    assertThat(fixture.result.readyPs()).isLessThanOrEqualTo(6 * READ_PS);
  }

  /** A walk for page 7 takes 20 ns; page 6 is invalidated when half of them are over. */
  private int readsAfterAnInvalidationDuringAWalk(boolean isKnownBefore, boolean isLeafOnly) {
    if (isKnownBefore) {
      caches.invalidateIotlbPages(DOMAIN, IOVA + 6 * PAGE, 0, isLeafOnly, FUTURE_PS);
    }
    assertThat(reads(7, FUTURE_PS - READ_PS / 2)).isEqualTo(1);
    if (!isKnownBefore) {
      caches.invalidateIotlbPages(DOMAIN, IOVA + 6 * PAGE, 0, isLeafOnly, FUTURE_PS);
    }
    assertThat(reads(7, FUTURE_PS - 1)).isZero();
    return reads(7, FUTURE_PS);
  }

  @Test
  void shouldRememberWalksUnderWayToOtherPages() {
    assertThat(readsAfterAnInvalidationDuringAWalk(true, false)).isZero();
    map(SMALL);
    assertThat(readsAfterAnInvalidationDuringAWalk(false, false)).isZero();
  }

  @Test
  void shouldAbandonWalksUnderWayWhenTablesMayHaveChangedIfConfiguredSo() {
    TranslationConfig config = SMALL.withAbandonsWalksOnInvalidate(true);
    map(config);
    assertThat(readsAfterAnInvalidationDuringAWalk(true, false)).isEqualTo(4);
    map(config);
    assertThat(readsAfterAnInvalidationDuringAWalk(false, false)).isEqualTo(4);
    map(config);
    assertThat(readsAfterAnInvalidationDuringAWalk(true, true)).isZero();
    map(config);
    assertThat(readsAfterAnInvalidationDuringAWalk(false, true)).isZero();
  }

  @Test
  void shouldNotAbandonWalksThatBeginOrEndWithTheInvalidation() {
    map(SMALL.withAbandonsWalksOnInvalidate(true));
    caches.invalidateIotlbPages(DOMAIN, IOVA + PAGE, 0, false, FUTURE_PS);

    assertThat(reads(6, FUTURE_PS - READ_PS)).isEqualTo(1); // Ends then.
    assertThat(reads(7, FUTURE_PS)).isEqualTo(4); // Begins then.
    assertThat(reads(6, FUTURE_PS)).isZero();
    assertThat(reads(7, FUTURE_PS + 1)).isZero();
  }

  @Test
  void shouldAbandonTheLevelsAboveThatAWalkUnderWayBrings() {
    long far = 1L << 21;
    for (boolean isAbandoned : new boolean[] {false, true}) {
      map(SMALL.withAbandonsWalksOnInvalidate(isAbandoned));
      long tables = fixture.memory.getLong(fixture.context(SOURCE)) & -PAGE;
      fixture.map(tables, 4, IOVA + far, PA, 1, 3);
      fixture.map(tables, 4, IOVA + far + PAGE, PA, 1, 3);
      caches.invalidateIotlbPages(DOMAIN, IOVA, 0, false, FUTURE_PS);
      fixture.ask(IOVA + far, false, FUTURE_PS - READ_PS / 2);
      int before = fixture.readsCount;

      fixture.ask(IOVA + far + PAGE, false, FUTURE_PS + 10 * READ_PS);

      assertThat(fixture.readsCount - before).isEqualTo(isAbandoned ? 4 : 1);
    }
  }
}
