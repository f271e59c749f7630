package io.github.bellwire.iommu.walk;

import static io.github.bellwire.iommu.walk.WalkFixture.DOMAIN;
import static io.github.bellwire.iommu.walk.WalkFixture.SMALL;
import static io.github.bellwire.iommu.walk.WalkFixture.SOURCE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.layout.ContextEntryLayout;
import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.pcie.AddressType;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.TranslationRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LegacyTranslationTest {
  private static final long IOVA = 0x4000_0000L;
  private static final long PA = 0x200_0000L;

  private final WalkFixture fixture = new WalkFixture(SMALL);

  @Test
  void shouldPassEverythingWhileDisabled() {
    fixture.unit.setEnabled(false);

    assertThat(fixture.ask(IOVA, true, 5)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.pa()).isEqualTo(IOVA);
    assertThat(fixture.result.readyPs()).isEqualTo(5);
  }

  @Test
  void shouldSeeAnEntryThatADeviceHasWritten() {
    byte[] entry = new byte[8];
    LittleEndian.putLong(entry, 0, PA | 3);
    long entryPa = fixture.entry(fixture.legacy(), 4, IOVA, 1);
    fixture.commits.add(entryPa, entry, 0, 8, 100);
    DmaStatus[] status = new DmaStatus[1];
    Event request =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            status[0] = fixture.ask(IOVA, true, nowPs);
          }
        };
    fixture.simulation.schedule(request, 100);

    fixture.simulation.run();

    assertThat(status).containsExactly(DmaStatus.OK);
  }

  @ParameterizedTest
  @CsvSource({
    // levels, level of the page, offset in it
    "3, 1, 0xABC", "3, 2, 0x1F_FABC", "3, 3, 0x3FFF_FABC",
    "4, 1, 0xABC", "4, 2, 0x1F_FABC", "4, 3, 0x3FFF_FABC",
    "5, 1, 0xABC", "5, 2, 0x1F_FABC", "5, 3, 0x3FFF_FABC",
  })
  void shouldTranslatePagesOfAllSizesByTablesOfAllDepths(int levels, int level, String offset) {
    long tables = fixture.legacy(SOURCE, DOMAIN, levels, ContextEntryLayout.TRANSLATE);
    long inPage = Long.decode(offset.replace("_", ""));
    // The highest page of the width: all index bits are used.
    long last = 1L << 12 + 9 * levels;
    long iova = last - (1L << 12 + 9 * (level - 1));
    long pa = level == 3 ? 0x4000_0000L : PA;
    fixture.map(tables, levels, iova, pa, level, 3);

    for (int again = 0; again < 2; again++) {
      assertThat(fixture.ask(iova + inPage, again == 0, 0)).isEqualTo(DmaStatus.OK);
      assertThat(fixture.result.pa()).isEqualTo(pa + inPage);
    }
    assertThat(fixture.unit.statistics().iotlbHitsTotal()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    // rights above, rights of the page, is write, is permitted
    "3, 3, true, true", "3, 1, true, false", "1, 3, true, false", "2, 3, true, true",
    "3, 3, false, true", "3, 2, false, false", "2, 3, false, false", "1, 3, false, true",
  })
  void shouldLeaveTheRightsThatAllLevelsGive(
      long above, long page, boolean isWrite, boolean isPermitted) {
    long tables = fixture.legacy();
    fixture.map(tables, 4, IOVA, PA, 1, page);
    long entry = fixture.entry(tables, 4, IOVA, 3);
    fixture.memory.putLong(entry, fixture.memory.getLong(entry) & ~3 | above);

    DmaStatus status = fixture.ask(IOVA, isWrite, 0);

    FaultReason denied = isWrite ? FaultReason.WRITE_DENIED : FaultReason.READ_DENIED;
    assertThat(status).isEqualTo(isPermitted ? DmaStatus.OK : DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(fixture.faults)
        .isEqualTo(
            isPermitted
                ? java.util.List.of()
                : java.util.List.of(
                    new WalkFixture.Fault(
                        denied, SOURCE, TranslationRequest.NO_PASID, IOVA, isWrite)));
  }

  @Test
  void shouldWalkAgainWhenTheRememberedPageLacksARight() {
    long tables = fixture.legacy();
    fixture.map(tables, 4, IOVA, PA, 1, 1);
    fixture.ask(IOVA, false, 0);

    assertThat(fixture.ask(IOVA, true, 0)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    fixture.map(tables, 4, IOVA, PA, 1, 3);
    assertThat(fixture.ask(IOVA, true, 0)).isEqualTo(DmaStatus.OK);
  }

  /** What is wrong in a table nearer the root is found first. */
  @Test
  void shouldReportTheFirstFaultOnTheWay() {
    long tables = fixture.legacy();
    fixture.map(tables, 4, IOVA, PA | 1L << 46, 1, 1);
    long third = fixture.entry(tables, 4, IOVA, 3);
    long context = fixture.context(SOURCE);
    long rootEntry = fixture.root + (SOURCE >>> 8) * 16L;

    assertFault(FaultReason.PAGE_ENTRY_RESERVED); // Not that it may not be written.
    long was = fixture.memory.getLong(third);
    fixture.memory.putLong(third, 0);
    assertFault(FaultReason.WRITE_DENIED);
    fixture.memory.putLong(third, 0x3000_0000L | 3); // 768 MiB: no memory there.
    assertFault(FaultReason.NEXT_TABLE_INVALID);
    fixture.memory.putLong(third, was | 1L << 46);
    assertFault(FaultReason.PAGE_ENTRY_RESERVED);
    fixture.set(context, 3 << 2);
    assertFault(FaultReason.CONTEXT_ENTRY_INVALID);
    fixture.set(context + 8, 1L << 24);
    assertFault(FaultReason.CONTEXT_ENTRY_RESERVED);
    fixture.memory.putLong(context, fixture.memory.getLong(context) & ~1);
    assertFault(FaultReason.CONTEXT_ENTRY_NOT_PRESENT);
    fixture.memory.putLong(rootEntry, 0x3000_0000L | 1);
    assertFault(FaultReason.CONTEXT_TABLE_INVALID);
    fixture.memory.putLong(rootEntry, 0x3000_0000L | 3);
    assertFault(FaultReason.ROOT_ENTRY_RESERVED);
    fixture.memory.putLong(rootEntry, context & -4096 | 1);
    fixture.memory.putLong(rootEntry + 8, 1L << 12); // The second half is reserved.
    assertFault(FaultReason.ROOT_ENTRY_RESERVED);
    fixture.memory.putLong(rootEntry, 0);
    assertFault(FaultReason.ROOT_ENTRY_NOT_PRESENT);
    fixture.unit.setRootTable(0x3000_0000L, 0);
    assertFault(FaultReason.ROOT_TABLE_INVALID);
  }

  private void assertFault(FaultReason reason) {
    fixture.unit.caches().invalidateContexts(0);
    fixture.unit.caches().invalidateIotlb(0);
    fixture.faults.clear();
    assertThat(fixture.ask(IOVA, true, 0)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(fixture.faults).extracting(WalkFixture.Fault::reason).containsExactly(reason);
  }

  @Test
  void shouldRefuseAddressesBeyondTheWidth() {
    fixture.legacy(SOURCE, DOMAIN, 3, ContextEntryLayout.TRANSLATE);

    fixture.ask(1L << 39, false, 0);
    fixture.ask(-1L << 57, false, 0);

    assertThat(fixture.faults)
        .extracting(WalkFixture.Fault::reason)
        .containsExactly(FaultReason.ADDRESS_BEYOND_WIDTH, FaultReason.ADDRESS_BEYOND_WIDTH);
  }

  @Test
  void shouldRefuseWhatComesOutInTheInterruptRangeEvenInALargePage() {
    long tables = fixture.legacy();
    fixture.map(tables, 4, IOVA, 0xC000_0000L, 3, 3); // 3 GiB to 4 GiB.

    assertThat(fixture.ask(IOVA + 0x3EDF_FFC0L, true, 0)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.ask(IOVA + 0x3EE0_0000L, true, 0)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(fixture.ask(IOVA + 0x3EF0_0000L, true, 0)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.faults)
        .extracting(WalkFixture.Fault::reason)
        .containsExactly(FaultReason.INTERRUPT_RANGE);
  }

  @Test
  void shouldLetAnAddressBeyondMemoryGoOnToWhoeverHasIt() {
    long tables = fixture.legacy();
    fixture.map(tables, 4, IOVA, 0xE000_0000L, 1, 3);

    assertThat(fixture.ask(IOVA, true, 0)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.pa()).isEqualTo(0xE000_0000L);
  }

  @Test
  void shouldPassThroughAddressesOfTheHost() {
    fixture.legacy(SOURCE, DOMAIN, 4, ContextEntryLayout.PASS_THROUGH);

    assertThat(fixture.ask(IOVA, true, 0)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.pa()).isEqualTo(IOVA);
    assertThat(fixture.ask(1L << 46, true, 0)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
  }

  @Test
  void shouldNotRecordFaultsOfAContextThatIsSilent() {
    fixture.legacy();
    fixture.set(fixture.context(SOURCE), ContextEntryLayout.FAULT_PROCESSING_DISABLE);

    assertThat(fixture.ask(IOVA, false, 0)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);

    assertThat(fixture.faults).isEmpty();
    assertThat(fixture.unit.statistics().faultsTotal()).isEqualTo(1);
  }

  @Test
  void shouldRefuseAPasid() {
    fixture.legacy();

    fixture.ask(SOURCE, 1, AddressType.UNTRANSLATED, IOVA, false, 0);

    assertThat(fixture.faults)
        .extracting(WalkFixture.Fault::reason)
        .containsExactly(FaultReason.PASID_IN_LEGACY_MODE);
  }

  @Test
  void shouldTrustTranslatedAddressesOnlyWhereADeviceTlbIsAllowed() {
    long tables = fixture.legacy(SOURCE, DOMAIN, 4, ContextEntryLayout.TRANSLATE_WITH_DEVICE_TLB);
    fixture.map(tables, 4, IOVA, PA, 2, 1);
    fixture.legacy(SOURCE + 1, DOMAIN + 1, 4, ContextEntryLayout.TRANSLATE);

    assertThat(claim(SOURCE, AddressType.TRANSLATED, 0x1234_5000L)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.pa()).isEqualTo(0x1234_5000L);
    assertThat(claim(SOURCE, AddressType.TRANSLATED, 0xFEE0_0000L))
        .isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(claim(SOURCE + 1, AddressType.TRANSLATED, 0x1234_5000L))
        .isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(claim(SOURCE + 1, AddressType.TRANSLATION_REQUEST, IOVA))
        .isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(fixture.faults)
        .extracting(WalkFixture.Fault::reason)
        .containsExactly(
            FaultReason.INTERRUPT_RANGE,
            FaultReason.TRANSLATION_REQUEST_BLOCKED,
            FaultReason.TRANSLATION_REQUEST_BLOCKED);
  }

  @Test
  void shouldAnswerTranslationRequestsWithRangeAndRights() {
    long tables = fixture.legacy(SOURCE, DOMAIN, 4, ContextEntryLayout.TRANSLATE_WITH_DEVICE_TLB);
    fixture.map(tables, 4, IOVA, PA, 2, 1);

    assertThat(claim(SOURCE, AddressType.TRANSLATION_REQUEST, IOVA + 0x3000))
        .isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.pa()).isEqualTo(PA + 0x3000);
    assertThat(fixture.result.rangeBytes()).isEqualTo(2 << 20);
    assertThat(fixture.result.isReadable()).isTrue();
    assertThat(fixture.result.isWritable()).isFalse();

    // Nothing there is an answer, too, and no fault.
    assertThat(claim(SOURCE, AddressType.TRANSLATION_REQUEST, IOVA * 2)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.isReadable()).isFalse();
    assertThat(fixture.result.isWritable()).isFalse();
    assertThat(fixture.faults).isEmpty();
  }

  @Test
  void shouldGiveNoDeviceTheInterruptRange() {
    long tables = fixture.legacy(SOURCE, DOMAIN, 4, ContextEntryLayout.TRANSLATE_WITH_DEVICE_TLB);
    fixture.map(tables, 4, IOVA, 0xFEE0_0000L, 2, 3); // 1 MiB of interrupts, 1 MiB of others.
    fixture.map(tables, 4, IOVA + 0x20_0000, 0xFEC0_0000L, 2, 3);

    assertThat(claim(SOURCE, AddressType.TRANSLATION_REQUEST, IOVA + 0x1000))
        .isEqualTo(DmaStatus.COMPLETER_ABORT);
    // Again, of what is remembered by now.
    assertThat(claim(SOURCE, AddressType.TRANSLATION_REQUEST, IOVA + 0xF_F000))
        .isEqualTo(DmaStatus.COMPLETER_ABORT);
    assertThat(fixture.faults)
        .extracting(WalkFixture.Fault::reason)
        .containsExactly(FaultReason.INTERRUPT_RANGE, FaultReason.INTERRUPT_RANGE);
    // Beside it a page at a time, so that no answer reaches into it.
    assertThat(claim(SOURCE, AddressType.TRANSLATION_REQUEST, IOVA + 0x10_0000))
        .isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.pa()).isEqualTo(0xFEF0_0000L);
    assertThat(fixture.result.rangeBytes()).isEqualTo(4096);
    assertThat(claim(SOURCE, AddressType.TRANSLATION_REQUEST, IOVA + 0x20_0000))
        .isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.rangeBytes()).isEqualTo(2 << 20);
  }

  private DmaStatus claim(int sourceId, AddressType type, long address) {
    return fixture.ask(sourceId, TranslationRequest.NO_PASID, type, address, false, 0);
  }

  @Test
  void shouldKeepDomainsApart() {
    long tables = fixture.legacy();
    long others = fixture.legacy(SOURCE + 1, DOMAIN + 1, 4, ContextEntryLayout.TRANSLATE);
    fixture.map(tables, 4, IOVA, PA, 1, 3);
    fixture.map(others, 4, IOVA, PA + 0x1000, 1, 3);

    fixture.ask(IOVA, true, 0);
    fixture.ask(SOURCE + 1, TranslationRequest.NO_PASID, AddressType.UNTRANSLATED, IOVA, true, 0);

    assertThat(fixture.result.pa()).isEqualTo(PA + 0x1000);
  }
}
