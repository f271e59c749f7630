package io.github.bellwire.iommu.walk;

import static io.github.bellwire.iommu.walk.WalkFixture.DOMAIN;
import static io.github.bellwire.iommu.walk.WalkFixture.PASID;
import static io.github.bellwire.iommu.walk.WalkFixture.SMALL;
import static io.github.bellwire.iommu.walk.WalkFixture.SOURCE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.iommu.layout.FirstLevelLayout;
import io.github.bellwire.iommu.layout.PasidLayout;
import io.github.bellwire.iommu.layout.ScalableContextLayout;
import io.github.bellwire.iommu.layout.SecondLevelLayout;
import io.github.bellwire.pcie.AddressType;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.TranslationRequest;
import org.junit.jupiter.api.Test;

class ScalableTranslationTest {
  private static final long IOVA = 0x4000_0000L;
  private static final long PA = 0x200_0000L;
  private static final long USER_WRITE = FirstLevelLayout.USER | FirstLevelLayout.WRITE;

  private final WalkFixture fixture = new WalkFixture(SMALL);
  private final TranslationCaches caches = fixture.unit.caches();
  private final long first = fixture.table();
  private final long second = fixture.table();

  private DmaStatus ask(long iova, boolean isWrite) {
    return fixture.ask(SOURCE, PASID, AddressType.UNTRANSLATED, iova, isWrite, 0);
  }

  private void assertFault(FaultReason reason, long iova, boolean isWrite) {
    caches.invalidateContexts(0);
    caches.invalidatePasids(0);
    caches.invalidateIotlb(0);
    fixture.faults.clear();
    assertThat(ask(iova, isWrite)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(fixture.faults)
        .containsExactly(new WalkFixture.Fault(reason, SOURCE, PASID, iova, isWrite));
  }

  @Test
  void shouldTranslateByTheSecondLevelAndMarkItOnlyIfToldTo() {
    long entry = fixture.scalable(PasidLayout.SECOND_LEVEL_ONLY, 0, second);
    fixture.map(second, 4, IOVA, PA, 1, 3);
    long leaf = fixture.entry(second, 4, IOVA, 1);
    long above = fixture.entry(second, 4, IOVA, 2);

    assertThat(ask(IOVA + 8, true)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.pa()).isEqualTo(PA + 8);
    assertThat(fixture.memory.getLong(leaf)).isEqualTo(PA | 3);

    fixture.set(entry, PasidLayout.SECOND_LEVEL_ACCESSED_DIRTY);
    caches.invalidatePasids(0);
    caches.invalidateIotlb(0);
    assertThat(ask(IOVA, false)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.memory.getLong(leaf)).isEqualTo(PA | 3 | SecondLevelLayout.ACCESSED);
    assertThat(fixture.memory.getLong(above) & SecondLevelLayout.ACCESSED).isNotZero();
    // The page is remembered, but a write has a bit to set.
    assertThat(ask(IOVA, true)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.memory.getLong(leaf))
        .isEqualTo(PA | 3 | SecondLevelLayout.ACCESSED | SecondLevelLayout.DIRTY);
    long walks = fixture.unit.statistics().walksTotal();
    assertThat(ask(IOVA, true)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.unit.statistics().walksTotal()).isEqualTo(walks);
  }

  @Test
  void shouldTranslateByTheFirstLevelAndMarkIt() {
    fixture.scalable(PasidLayout.FIRST_LEVEL_ONLY, first, 0);
    fixture.mapFirst(first, IOVA, PA, 1, USER_WRITE);
    long leaf = fixture.entry(first, 4, IOVA, 1);

    assertThat(ask(IOVA + 8, false)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.pa()).isEqualTo(PA + 8);
    assertThat(fixture.memory.getLong(leaf) & 0xFF)
        .isEqualTo(1 | USER_WRITE | FirstLevelLayout.ACCESSED);
    assertThat(ask(IOVA, true)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.memory.getLong(leaf) & FirstLevelLayout.DIRTY).isNotZero();
    assertThat(fixture.unit.statistics().memoryWritesTotal()).isEqualTo(5);
  }

  @Test
  void shouldTranslateTheHalfOfCanonicalAddressesThatIsNegative() {
    fixture.scalable(PasidLayout.FIRST_LEVEL_ONLY, first, 0);
    long iova = -1L << 47;
    fixture.mapFirst(first, iova, PA, 2, USER_WRITE);

    for (int again = 0; again < 2; again++) {
      assertThat(ask(iova + 0x1_2340, true)).isEqualTo(DmaStatus.OK);
      assertThat(fixture.result.pa()).isEqualTo(PA + 0x1_2340);
    }
    assertThat(fixture.unit.statistics().iotlbHitsTotal()).isEqualTo(1);
    caches.invalidateIotlbPagesOfPasid(DOMAIN, PASID, iova, 0, true, 0);
    ask(iova, true);
    assertThat(fixture.unit.statistics().iotlbHitsTotal()).isEqualTo(1);
  }

  @Test
  void shouldTranslateByBothLevels() {
    fixture.scalable(PasidLayout.NESTED, first, second);
    fixture.mapFirst(first, IOVA, 0x5000_0000L, 2, USER_WRITE);
    fixture.map(second, 4, 0x5000_3000L, PA, 1, 3);
    fixture.map(second, 4, 0, 0, 3, 3); // The tables of the first level.

    assertThat(ask(IOVA + 0x3008, true)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.pa()).isEqualTo(PA + 8);
    // The page is no larger than the second level's.
    assertFault(FaultReason.SECOND_LEVEL_DENIED, IOVA + 0x4000, true);

    fixture.map(second, 4, 0x5000_3000L, PA, 1, 1);
    caches.invalidateIotlb(0);
    assertThat(ask(IOVA + 0x3008, false)).isEqualTo(DmaStatus.OK);
    assertFault(FaultReason.SCALABLE_WRITE_DENIED, IOVA + 0x3000, true);
  }

  @Test
  void shouldReportWhatTheSecondLevelDeniesTheFirst() {
    fixture.scalable(PasidLayout.NESTED, first, second);
    fixture.mapFirst(first, IOVA, 0x5000_0000L, 1, USER_WRITE);
    fixture.map(second, 4, 0x5000_0000L, PA, 1, 3);
    fixture.map(second, 4, first, first, 1, 2);
    assertFault(FaultReason.FIRST_LEVEL_ROOT_READ_DENIED, IOVA, false);
    fixture.map(second, 4, first, first, 1, 1);
    assertFault(FaultReason.FIRST_LEVEL_WRITE_DENIED, IOVA, false); // The accessed bit.
    fixture.map(second, 4, first, first, 1, 3);
    long third = fixture.memory.getLong(fixture.entry(first, 4, IOVA, 4)) & ~0xFFFL;
    fixture.map(second, 4, third, third, 1, 2);
    assertFault(FaultReason.FIRST_LEVEL_READ_DENIED, IOVA, false);
    fixture.memory.putLong(fixture.entry(first, 4, IOVA, 4), 1L << 48 | 7);
    assertFault(FaultReason.FIRST_LEVEL_RESERVED, IOVA, false); // Beyond the host's 46 bits.
  }

  @Test
  void shouldKeepUsersFromWhatIsTheSupervisors() {
    long entry = fixture.scalable(PasidLayout.FIRST_LEVEL_ONLY, first, 0);
    fixture.mapFirst(first, IOVA, PA, 1, 0);
    assertFault(FaultReason.USER_DENIED, IOVA, false);
    fixture.mapFirst(first, IOVA, PA, 1, FirstLevelLayout.USER);
    assertFault(FaultReason.SCALABLE_WRITE_DENIED, IOVA, true);

    // A request without PASID has the privilege that the context gives.
    fixture.mapFirst(first, IOVA, PA, 1, 0);
    fixture.set(fixture.scalableContext() + 8, ScalableContextLayout.RID_PRIVILEGED);
    caches.invalidateContexts(0);
    caches.invalidateIotlb(0);
    fixture.faults.clear();
    fixture.ask(IOVA, true, 0);
    assertThat(fixture.faults)
        .extracting(WalkFixture.Fault::reason)
        .containsExactly(FaultReason.SUPERVISOR_REQUEST_DISABLED);
    fixture.set(entry + PasidLayout.FIRST_LEVEL, PasidLayout.SUPERVISOR_REQUEST_ENABLE);
    caches.invalidatePasids(0);
    assertThat(fixture.ask(IOVA, true, 0)).isEqualTo(DmaStatus.OK);
    fixture.set(entry + PasidLayout.FIRST_LEVEL, PasidLayout.WRITE_PROTECT_ENABLE);
    caches.invalidatePasids(0);
    caches.invalidateIotlb(0);
    assertThat(fixture.ask(IOVA, true, 0)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(fixture.ask(IOVA, false, 0)).isEqualTo(DmaStatus.OK);
  }

  /** What is wrong in a table nearer the root is found first. */
  @Test
  void shouldReportTheFirstFaultOnTheWay() {
    long entry = fixture.scalable(PasidLayout.SECOND_LEVEL_ONLY, 0, second);
    fixture.map(second, 4, IOVA, PA, 1, 1);
    assertFault(FaultReason.SCALABLE_WRITE_DENIED, IOVA, true);
    assertFault(FaultReason.SECOND_LEVEL_DENIED, IOVA + 0x1000, true);
    assertFault(FaultReason.SCALABLE_ADDRESS_BEYOND_WIDTH, 1L << 48, true);
    fixture.set(entry + PasidLayout.SECOND_LEVEL, 7L << 6);
    assertFault(FaultReason.PASID_ENTRY_INVALID, IOVA, true);
    fixture.set(entry + 24, 1);
    assertFault(FaultReason.PASID_ENTRY_RESERVED, IOVA, true);
    fixture.memory.putLong(entry, fixture.memory.getLong(entry) & ~1);
    assertFault(FaultReason.PASID_ENTRY_NOT_PRESENT, IOVA, true);
    fixture.memory.putLong(fixture.directory(), 0x3000_0001L);
    assertFault(FaultReason.PASID_TABLE_INVALID, IOVA, true);
    fixture.memory.putLong(fixture.directory(), 0x3000_0005L);
    assertFault(FaultReason.PASID_DIRECTORY_RESERVED, IOVA, true);
    fixture.memory.putLong(fixture.directory(), 0);
    assertFault(FaultReason.PASID_DIRECTORY_NOT_PRESENT, IOVA, true);
    long context = fixture.scalableContext();
    fixture.memory.putLong(context, 0x3000_0000L | ScalableContextLayout.PASID_ENABLE | 1);
    assertFault(FaultReason.PASID_DIRECTORY_INVALID, IOVA, true);
    fixture.memory.putLong(context, 0x3000_0001L);
    assertFault(FaultReason.PASID_DISABLED, IOVA, true);
    fixture.set(context, 1 << 5);
    assertFault(FaultReason.SCALABLE_CONTEXT_RESERVED, IOVA, true);
    fixture.memory.putLong(context, 0);
    assertFault(FaultReason.SCALABLE_CONTEXT_NOT_PRESENT, IOVA, true);
  }

  @Test
  void shouldRefusePasidsBeyondTheDirectory() {
    fixture.scalable(PasidLayout.PASS_THROUGH, 0, 0);
    // 128 entries for 64 PASIDs each.
    assertThat(pass(8191)).isEqualTo(FaultReason.PASID_DIRECTORY_NOT_PRESENT);
    assertThat(pass(8192)).isEqualTo(FaultReason.PASID_BEYOND_DIRECTORY);
    fixture.memory.putLong(fixture.scalableContext() + 8, 8192);
    caches.invalidateContexts(0);
    assertThat(pass(TranslationRequest.NO_PASID)).isEqualTo(FaultReason.RID_PASID_BEYOND_DIRECTORY);
  }

  private FaultCode pass(int pasid) {
    fixture.faults.clear();
    fixture.ask(SOURCE, pasid, AddressType.UNTRANSLATED, IOVA, true, 0);
    return fixture.faults.get(0).reason();
  }

  @Test
  void shouldStandInForRequestsWithoutPasid() {
    fixture.scalable(PasidLayout.PASS_THROUGH, 0, 0);

    assertThat(fixture.ask(IOVA, true, 0)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.pa()).isEqualTo(IOVA);
  }

  @Test
  void shouldNotRecordFaultsThatAnEntryOnTheWaySilences() {
    long entry = fixture.scalable(PasidLayout.SECOND_LEVEL_ONLY, 0, second);
    long[] places = {entry, fixture.directory(), fixture.scalableContext()};
    for (long place : places) {
      long was = fixture.memory.getLong(place);
      fixture.set(place, 2);
      caches.invalidateContexts(0);
      caches.invalidatePasids(0);
      assertThat(ask(IOVA, true)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
      assertThat(ask(IOVA, true)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
      fixture.memory.putLong(place, was);
    }
    assertThat(fixture.faults).isEmpty();
  }

  @Test
  void shouldForgetByPasid() {
    fixture.scalable(PasidLayout.FIRST_LEVEL_ONLY, first, 0);
    fixture.mapFirst(first, IOVA, PA, 1, USER_WRITE);
    ask(IOVA, true);

    caches.invalidateIotlbOfPasid(DOMAIN, PASID + 1, 0);
    caches.invalidateIotlbPagesOfPasid(DOMAIN, PASID, IOVA + 0x1000, 0, true, 0);
    caches.invalidatePasid(DOMAIN, PASID + 1, 0);
    caches.invalidatePasidsOfDomain(DOMAIN + 1, 0);
    int before = fixture.readsCount;
    ask(IOVA, true);
    assertThat(fixture.readsCount).isEqualTo(before);

    caches.invalidatePasid(DOMAIN, PASID, 0);
    ask(IOVA, true);
    assertThat(fixture.readsCount).isEqualTo(before += 2);
    caches.invalidateIotlbPagesOfPasid(DOMAIN, PASID, IOVA, 0, true, 0);
    ask(IOVA, true);
    assertThat(fixture.readsCount).isEqualTo(before += 1);
    caches.invalidateIotlbOfPasid(DOMAIN, PASID, 0);
    ask(IOVA, true);
    assertThat(fixture.readsCount).isEqualTo(before += 4);
    // By pages of the domain everything goes that the first level has a part in.
    caches.invalidateIotlbPages(DOMAIN, 0, 0, true, 0);
    ask(IOVA, true);
    assertThat(fixture.readsCount).isEqualTo(before + 1);
  }

  @Test
  void shouldTellADeviceTlbWhatItMayDo() {
    fixture.scalable(PasidLayout.FIRST_LEVEL_ONLY, first, 0);
    fixture.mapFirst(first, IOVA, PA, 2, FirstLevelLayout.USER);

    fixture.ask(SOURCE, PASID, AddressType.TRANSLATION_REQUEST, IOVA + 0x5000, false, 0);
    assertThat(fixture.result.status()).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.rangeBytes()).isEqualTo(2 << 20);
    assertThat(fixture.result.isReadable()).isTrue();
    assertThat(fixture.result.isWritable()).isFalse();

    fixture.memory.putLong(
        fixture.scalableContext(),
        fixture.memory.getLong(fixture.scalableContext())
            & ~ScalableContextLayout.DEVICE_TLB_ENABLE);
    caches.invalidateContexts(0);
    fixture.ask(SOURCE, PASID, AddressType.TRANSLATED, PA, false, 0);
    assertThat(fixture.faults)
        .extracting(WalkFixture.Fault::reason)
        .containsExactly(FaultReason.DEVICE_TLB_DISABLED);
  }

  @Test
  void shouldGiveADeviceThatPassesThroughNoMoreThanItsRequestsReach() {
    fixture.scalable(PasidLayout.PASS_THROUGH, 0, 0);
    AddressType question = AddressType.TRANSLATION_REQUEST;

    assertThat(fixture.ask(SOURCE, PASID, question, 0x1234_5000L, true, 0)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.pa()).isEqualTo(0x1234_5000L);
    assertThat(fixture.result.isReadable()).isTrue();
    assertThat(fixture.result.isWritable()).isTrue();
    // The host has 46 address bits; that there is nothing is an answer, and no fault.
    assertThat(fixture.ask(SOURCE, PASID, question, 1L << 46, true, 0)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.isReadable()).isFalse();
    assertThat(fixture.result.isWritable()).isFalse();
    assertThat(fixture.faults).isEmpty();
    assertThat(fixture.ask(SOURCE, PASID, question, 0xFEE0_0000L, true, 0))
        .isEqualTo(DmaStatus.COMPLETER_ABORT);
    assertThat(fixture.faults)
        .extracting(WalkFixture.Fault::reason)
        .containsExactly(FaultReason.SCALABLE_INTERRUPT_RANGE);
  }

  @Test
  void shouldNotTakeAnAddressThatIsNotCanonicalForTheOneThatIsRemembered() {
    fixture.scalable(PasidLayout.FIRST_LEVEL_ONLY, first, 0);
    long high = 0xFFFF_8000_0000_0000L; // The lowest one of the upper half in 4 levels.
    fixture.mapFirst(first, high, PA, 1, USER_WRITE);
    assertThat(ask(high + 8, true)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.pa()).isEqualTo(PA + 8);

    long sameBits = high & (1L << 57) - 1;
    assertThat(ask(sameBits + 8, true)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);

    assertThat(fixture.faults)
        .containsExactly(
            new WalkFixture.Fault(
                FaultReason.ADDRESS_NOT_CANONICAL, SOURCE, PASID, sameBits + 8, true));
  }
}
