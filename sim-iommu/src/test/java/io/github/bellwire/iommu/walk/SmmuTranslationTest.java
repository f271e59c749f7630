package io.github.bellwire.iommu.walk;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.layout.SmmuEvent;
import io.github.bellwire.iommu.layout.SmmuTableLayout;
import io.github.bellwire.pcie.DmaStatus;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Stream table, context descriptors and stage 1 tables of SMMUv3, over hand-made tables. */
class SmmuTranslationTest {
  private static final long STE = VendorFixture.DEVICES + VendorFixture.SOURCE * 64L;
  private static final long CONTEXTS = 0x8_0000;
  private static final long ROOT = 0x10_0000;
  private static final long DATA = VendorFixture.DATA;
  private static final long READ_PS = VendorFixture.READ_PS;
  private static final long STAGE_1 = SmmuTableLayout.STREAM_VALID | 5 << 1;
  private static final long LEAF =
      SmmuTableLayout.VALID | SmmuTableLayout.ACCESSED | SmmuTableLayout.UNPRIVILEGED;
  private static final long PAGE = LEAF | SmmuTableLayout.TABLE;
  private static final int TABLE_SPACING = 0x1_0000;

  /** T0SZ 16, AA64, R, A, V, IPS 48 bits, ASID 5. */
  private static final long CONTEXT =
      16
          | SmmuTableLayout.CONTEXT_VALID
          | SmmuTableLayout.CONTEXT_AARCH64
          | SmmuTableLayout.CONTEXT_RECORDS
          | SmmuTableLayout.CONTEXT_ABORTS
          | 5L << 32
          | 5L << 48;

  private final VendorFixture fixture = new VendorFixture(TableKind.SMMU_V3);

  @BeforeEach
  void setUp() {
    fixture.unit.setDeviceTable(VendorFixture.DEVICES, 16);
    stream(STAGE_1 | CONTEXTS, 0);
    context(0, CONTEXT, ROOT);
  }

  private void stream(long word0, long word1) {
    fixture.memory.putLong(STE, word0);
    fixture.memory.putLong(STE + 8, word1);
    fixture.unit.caches().invalidateContexts(0);
  }

  private void context(int index, long word0, long word1) {
    fixture.memory.putLong(CONTEXTS + index * 64L, word0);
    fixture.memory.putLong(CONTEXTS + index * 64L + 8, word1);
    fixture.unit.caches().invalidateContexts(0);
  }

  /** Sets the entry of a level, and tables above it. */
  private void entry(int granuleShift, int levels, int level, long iova, long value) {
    int bits = granuleShift - 3;
    long table = ROOT;
    for (int at = levels; at >= level; at--) {
      long pa = table + (iova >>> granuleShift + bits * (at - 1) & (1L << bits) - 1) * 8;
      table = ROOT + (long) (levels - at + 1) * TABLE_SPACING;
      fixture.memory.putLong(pa, at == level ? value : table | 3);
    }
  }

  /**
   * Stream table entry, context descriptor, and 48 bits less the granule by the bits of a level: 36
   * by 9 is 4 levels, 34 by 11 is 4, 32 by 13 is 3.
   */
  @ParameterizedTest
  @CsvSource({"12, 0, 4", "14, 2, 4", "16, 1, 3"})
  void shouldWalkAsManyLevelsAsTheGranuleTakes(int granuleShift, int granule, int levels) {
    context(0, CONTEXT | (long) granule << 6, ROOT);
    long iova = 3L << granuleShift;
    entry(granuleShift, levels, 1, iova, DATA | PAGE);

    assertThat(fixture.reads(iova + 64, 0)).isEqualTo(2 + levels);
    assertThat(fixture.result.pa()).isEqualTo(DATA + 64);
    assertThat(fixture.result.readyPs()).isEqualTo((2 + levels) * READ_PS);
    // The last byte of the page is the same entry.
    assertThat(fixture.reads(iova + (1L << granuleShift) - 64, 1_000_000)).isZero();
    // The table above is remembered: the next page takes one read, or faults by it.
    assertThat(fixture.reads(iova + (1L << granuleShift), 1_000_000)).isEqualTo(1);
  }

  /** Blocks of 2 MiB and 1 GiB, of 32 MiB, and of 512 MiB; no others. */
  @ParameterizedTest
  @CsvSource({
    "12, 0, 4, 2, true",
    "12, 0, 4, 3, true",
    "12, 0, 4, 4, false",
    "14, 2, 4, 2, true",
    "14, 2, 4, 3, false",
    "16, 1, 3, 2, true",
    "16, 1, 3, 3, false"
  })
  void shouldHaveTheBlocksOfTheGranule(
      int granuleShift, int granule, int levels, int level, boolean isBlock) {
    context(0, CONTEXT | (long) granule << 6, ROOT);
    long blockBytes = 1L << granuleShift + (granuleShift - 3) * (level - 1);
    entry(granuleShift, levels, level, blockBytes, LEAF);

    assertThat(fixture.faultOf(2 * blockBytes - 64, false))
        .isEqualTo(isBlock ? null : SmmuEvent.TRANSLATION);
    if (isBlock) {
      assertThat(fixture.result.pa()).isEqualTo(blockBytes - 64);
      assertThat(fixture.reads(blockBytes, 2_000_000_000)).isZero();
    }
  }

  @Test
  void shouldTellWhatIsWrongWithAPage() {
    entry(12, 4, 1, 0x1000, DATA | PAGE);
    entry(12, 4, 1, 0x2000, DATA | PAGE | SmmuTableLayout.READ_ONLY);
    entry(12, 4, 1, 0x3000, DATA | PAGE & ~SmmuTableLayout.UNPRIVILEGED);
    entry(12, 4, 1, 0x5000, DATA | PAGE & ~SmmuTableLayout.ACCESSED);
    entry(12, 4, 1, 0x6000, 1L << 47 | PAGE); // Beyond the 46 bits of this unit.
    entry(12, 4, 1, 0x7000, DATA | LEAF); // A block in the last level.

    assertThat(fixture.faultOf(0x1000, true)).isNull();
    assertThat(fixture.faultOf(0x2000, false)).isNull();
    assertThat(fixture.faultOf(0x2000, true)).isEqualTo(SmmuEvent.PERMISSION);
    assertThat(fixture.faultOf(0x3000, false)).isEqualTo(SmmuEvent.PERMISSION);
    assertThat(fixture.faultOf(0x4000, false)).isEqualTo(SmmuEvent.TRANSLATION);
    assertThat(fixture.faultOf(0x5000, false)).isEqualTo(SmmuEvent.ACCESS);
    assertThat(fixture.faultOf(0x6000, false)).isEqualTo(SmmuEvent.ADDRESS_SIZE);
    assertThat(fixture.faultOf(0x7000, false)).isEqualTo(SmmuEvent.TRANSLATION);
    assertThat(fixture.faultOf(1L << 48, false)).isEqualTo(SmmuEvent.TRANSLATION);
    entry(12, 4, 4, 1L << 39, 1L << 45 | 3); // A table where no memory is.
    assertThat(fixture.faultOf(1L << 39, false)).isEqualTo(SmmuEvent.WALK_ABORT);
  }

  @Test
  void shouldForbidBelowWhatATableForbids() {
    entry(12, 4, 1, 0x1000, DATA | PAGE);
    fixture.memory.putLong(ROOT, fixture.memory.getLong(ROOT) | SmmuTableLayout.TABLE_READ_ONLY);

    assertThat(fixture.faultOf(0x1000, false)).isNull();
    assertThat(fixture.faultOf(0x1000, true)).isEqualTo(SmmuEvent.PERMISSION);
    fixture.unit.caches().invalidateIotlb(0);
    fixture.memory.putLong(ROOT, fixture.memory.getLong(ROOT) | SmmuTableLayout.TABLE_PRIVILEGED);
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(SmmuEvent.PERMISSION);
  }

  @Test
  void shouldTellWhatIsWrongWithTheStream() {
    entry(12, 4, 1, 0x1000, DATA | PAGE);
    stream(CONTEXTS, 0); // Not valid.
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(SmmuEvent.BAD_STREAM_ENTRY);
    stream(SmmuTableLayout.STREAM_VALID | 6 << 1, 0); // Stage 2.
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(SmmuEvent.BAD_STREAM_ENTRY);
    stream(SmmuTableLayout.STREAM_VALID, 0); // Aborts, and nobody is told.
    assertThat(fixture.faultOf(0x1000, false)).isNull();
    assertThat(fixture.result.status()).isNotEqualTo(DmaStatus.OK);
    stream(SmmuTableLayout.STREAM_VALID | 4 << 1, 0); // Passes.
    assertThat(fixture.faultOf(0x1000, false)).isNull();
    assertThat(fixture.result.pa()).isEqualTo(0x1000);
    stream(STAGE_1 | 1L << 40, 0);
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(SmmuEvent.CONTEXT_FETCH);
    fixture.unit.setDeviceTable(VendorFixture.DEVICES, 8); // StreamIDs of 8 bits: 123h is beyond.
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(SmmuEvent.BAD_STREAM_ID);
    fixture.unit.setDeviceTable(1L << 40, 16);
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(SmmuEvent.STREAM_FETCH);
  }

  @ParameterizedTest
  @CsvSource({"31, 0", "41, 0", "0, 15", "0, 192"})
  void shouldTellWhatIsWrongWithTheContext(int missingBit, long wrongBits) {
    long missing = missingBit == 0 ? 0 : 1L << missingBit;
    long wrong = wrongBits == 15 ? 1 << 15 : wrongBits;
    context(0, CONTEXT & ~missing | wrong, ROOT);
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(SmmuEvent.BAD_CONTEXT);
  }

  /** Another read for the first level; the span says how far the second goes. */
  @Test
  void shouldFindStreamsThroughTwoLevels() {
    entry(12, 4, 1, 0x1000, DATA | PAGE);
    long second = 0x18_0000;
    fixture.unit.setDeviceTable(0x9_0000, 1 << 16 | 8 << 6 | 16);
    fixture.memory.putLong(0x9_0008, second | 7); // Bus 1: 64 entries, of which 23h is one.
    fixture.memory.putLong(second + 0x23 * 64, STAGE_1 | CONTEXTS);

    assertThat(fixture.reads(0x1000, 0)).isEqualTo(3 + 4);
    assertThat(fixture.result.pa()).isEqualTo(DATA);
    fixture.memory.putLong(0x9_0008, second | 6); // 32 entries.
    fixture.unit.caches().invalidateContexts(0);
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(SmmuEvent.BAD_STREAM_ID);
  }

  @Test
  void shouldChooseTheContextBySubstream() {
    entry(12, 4, 1, 0x1000, DATA | PAGE);
    context(3, CONTEXT + (1L << 48), ROOT);
    stream(STAGE_1 | CONTEXTS | 2L << 59, 2); // Four contexts; without a number the first.

    assertThat(fixture.ask(3, 0x1000, false, 0)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.ask(0x1000, false, 0)).isEqualTo(DmaStatus.OK);
    fixture.ask(1, 0x1000, false, 0); // Not valid.
    fixture.ask(4, 0x1000, false, 0); // Beyond.
    stream(STAGE_1 | CONTEXTS | 2L << 59, 0);
    fixture.ask(0x1000, false, 0);
    assertThat(fixture.faults)
        .containsExactly(
            SmmuEvent.BAD_CONTEXT, SmmuEvent.BAD_SUBSTREAM_ID, SmmuEvent.STREAM_DISABLED);
  }

  @Test
  void shouldSurviveAnyCorruption() {
    long seed = 0x53D1;
    Random random = new Random(seed);
    entry(12, 4, 1, 0x1000, DATA | PAGE);
    for (int round = 0; round < 100_000; round++) {
      long pa =
          switch (random.nextInt(6)) {
            case 0 -> STE + random.nextInt(2) * 8;
            case 1 -> CONTEXTS + random.nextInt(2) * 8;
            default -> ROOT + random.nextInt(4) * (long) TABLE_SPACING + random.nextInt(8) * 8;
          };
      long value = random.nextLong() & (random.nextBoolean() ? 0x6000_0000_03FF_FFFFL : -1L);
      fixture.memory.putLong(pa, value);
      if (random.nextInt(4) == 0) {
        fixture.unit.caches().invalidateIotlb(round * 1000L);
        fixture.unit.caches().invalidateContexts(round * 1000L);
      }
      if (random.nextInt(6) == 0) {
        stream(STAGE_1 | CONTEXTS, 0);
        context(0, CONTEXT | (long) random.nextInt(4) << 6, ROOT);
      }
      long iova =
          random.nextInt(8) * 4096L + (random.nextInt(4) == 0 ? 1L << random.nextInt(63) : 0);
      fixture.faults.clear();
      DmaStatus status = fixture.ask(iova, random.nextBoolean(), round * 1000L);
      assertThat(status == DmaStatus.OK || fixture.faults.size() <= 1)
          .as("seed %x, round %d", seed, round)
          .isTrue();
    }
  }
}
