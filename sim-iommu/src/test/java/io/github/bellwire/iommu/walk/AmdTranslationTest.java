package io.github.bellwire.iommu.walk;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.layout.AmdFault;
import io.github.bellwire.iommu.layout.AmdLayout;
import io.github.bellwire.pcie.DmaStatus;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Device table, page tables and their caches of AMD-Vi, over hand-made tables. */
class AmdTranslationTest {
  private static final long DTE = VendorFixture.DEVICES + VendorFixture.SOURCE * 32L;
  private static final long ROOT = 0x10_0000;
  private static final long RIGHTS = AmdLayout.READ | AmdLayout.WRITE;
  private static final long VALID = AmdLayout.DEVICE_VALID | AmdLayout.DEVICE_TRANSLATION_VALID;
  private static final long DATA = VendorFixture.DATA;
  private static final int DOMAIN = 9;
  private static final long READ_PS = VendorFixture.READ_PS;

  private final VendorFixture fixture = new VendorFixture(TableKind.AMD_VI);

  @BeforeEach
  void setUp() {
    fixture.unit.setDeviceTable(VendorFixture.DEVICES, 0x1_0000);
    device(4, RIGHTS);
    // Levels 4, 3 and 2 at ROOT, ROOT + 1000h and so on, for addresses below 2 MiB.
    for (int level = 4; level > 1; level--) {
      fixture.memory.putLong(table(level), directory(table(level - 1), level - 1));
    }
  }

  private static long table(int level) {
    return ROOT + (4 - level) * 0x1000L;
  }

  private static long directory(long pa, int nextLevel) {
    return pa | AmdLayout.PAGE_PRESENT | (long) nextLevel << 9 | RIGHTS;
  }

  private void device(int mode, long rights) {
    fixture.memory.putLong(DTE, ROOT | VALID | (long) mode << 9 | rights);
    fixture.memory.putLong(DTE + 8, DOMAIN);
    fixture.unit.caches().invalidateContexts(0);
  }

  private void page(long iova, long pa, long bits) {
    long entry = pa | AmdLayout.PAGE_PRESENT | bits;
    fixture.memory.putLong(table(1) + (iova >>> 12) * 8, entry);
  }

  /** One read of the device table and four of tables; then none. */
  @Test
  void shouldReadTheDeviceTableOnceAndWalkFourLevels() {
    page(0x3000, DATA, RIGHTS);

    assertThat(fixture.reads(0x3008, 0)).isEqualTo(5);
    assertThat(fixture.result.pa()).isEqualTo(DATA + 8);
    assertThat(fixture.result.readyPs()).isEqualTo(5 * READ_PS);
    assertThat(fixture.reads(0x3010, 1_000_000)).isZero();
    assertThat(fixture.result.readyPs()).isEqualTo(1_000_000);
  }

  /** 32 KiB at bit 15: bits 12 and 13 are ones, 14 is 0, by which the size is 2^(14 + 1). */
  @Test
  void shouldRememberAPageOf32KiBAsOneEntry() {
    assertThat(AmdLayout.sizeShift(DATA | 0x3000)).isEqualTo(15);
    for (int i = 0; i < 8; i++) {
      page(0x8000 + i * 0x1000L, DATA | 0x3000, 7 << 9 | RIGHTS);
    }

    assertThat(fixture.reads(0xA123, 0)).isEqualTo(5);
    assertThat(fixture.result.pa()).isEqualTo(DATA + 0x2123);
    for (int i = 0; i < 8; i++) {
      assertThat(fixture.reads(0x8000 + i * 0x1000L, 1_000_000)).isZero();
      assertThat(fixture.result.pa()).isEqualTo(DATA + i * 0x1000L);
    }
    assertThat(fixture.unit.statistics().iotlbFillsTotal()).isEqualTo(1);
    // Of seven other pages the last evicts it: eight entries in all.
    for (int i = 0; i < 8; i++) {
      page(0x10_0000 + i * 0x1000L, DATA, RIGHTS);
      fixture.ask(0x10_0000 + i * 0x1000L, false, 2_000_000);
    }
    assertThat(fixture.reads(0x8000, 3_000_000)).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"13, 1", "16, 1", "20, 1", "22, 2", "24, 2", "29, 2", "31, 3", "35, 3"})
  void shouldTranslateAnyPowerOfTwo(int shift, int level) {
    long iova = 1L << shift; // Equal entries would follow; the first is enough.
    long sizeBits = (1L << shift - 1) - 1 & -0x1000L;
    for (int i = 4; i > level; i--) {
      long entryPa = table(i) + (iova >>> 12 + 9 * (i - 1) & 511) * 8;
      fixture.memory.putLong(entryPa, directory(table(i - 1), i - 1));
    }
    long entryPa = table(level) + (iova >>> 12 + 9 * (level - 1) & 511) * 8;
    fixture.memory.putLong(entryPa, sizeBits | 7 << 9 | AmdLayout.PAGE_PRESENT | RIGHTS);

    assertThat(fixture.ask(iova, false, 0)).isEqualTo(DmaStatus.OK);
    assertThat(fixture.result.pa()).isZero();
    assertThat(fixture.reads(iova + (1L << shift) - 64, 1_000_000)).isZero();
    assertThat(fixture.result.pa()).isEqualTo((1L << shift) - 64);
  }

  /** From level 4 to level 1 directly: two reads instead of four, 200 ns less. */
  @Test
  void shouldShortenTheWalkBySkippedLevels() {
    fixture.memory.putLong(table(4), directory(table(1), 1));
    page(0x3000, DATA, RIGHTS);

    assertThat(fixture.reads(0x3000, 0)).isEqualTo(1 + 2);
    assertThat(fixture.result.readyPs()).isEqualTo(3 * READ_PS);
    // Bits of the skipped levels must be 0, whether the directory entry is remembered or not.
    assertThat(fixture.faultOf(0x3000 + (1L << 30), false)).isEqualTo(AmdFault.PAGE_NOT_PRESENT);
    fixture.unit.caches().invalidateIotlb(0);
    assertThat(fixture.faultOf(0x3000 + (1L << 21), false)).isEqualTo(AmdFault.PAGE_NOT_PRESENT);
  }

  @Test
  void shouldTellWhatIsWrong() {
    page(0x1000, DATA, RIGHTS);
    page(0x2000, DATA, AmdLayout.READ);
    page(0x3000, DATA, AmdLayout.WRITE);
    page(0x5000, DATA, RIGHTS | 1L << 63);
    page(0x6000, DATA, RIGHTS | 1 << 9); // A level 1 that points to level 1.
    page(0x7000, 1L << 50, RIGHTS); // Beyond 46 bits.
    page(0x8000, 0x7_FFFF_F000L, RIGHTS | 7 << 9); // 16 GiB in level 1.

    assertThat(fixture.faultOf(0x1000, true)).isNull();
    assertThat(fixture.faultOf(0x2000, true)).isEqualTo(AmdFault.ACCESS_DENIED);
    assertThat(fixture.faultOf(0x3000, false)).isEqualTo(AmdFault.ACCESS_DENIED);
    assertThat(fixture.faultOf(0x4000, false)).isEqualTo(AmdFault.PAGE_NOT_PRESENT);
    for (long iova = 0x5000; iova <= 0x8000; iova += 0x1000) {
      assertThat(fixture.faultOf(iova, false)).isEqualTo(AmdFault.PAGE_ENTRY_RESERVED);
    }
    fixture.memory.putLong(table(3) + 8, directory(1L << 40, 2)); // Nowhere.
    assertThat(fixture.faultOf(1L << 30, false)).isEqualTo(AmdFault.PAGE_TABLE_ERROR);
    assertThat(fixture.faultOf(1L << 48, false)).isEqualTo(AmdFault.PAGE_NOT_PRESENT);
  }

  @Test
  void shouldObeyTheDeviceTableEntry() {
    page(0x1000, DATA, RIGHTS);
    device(4, AmdLayout.READ);
    fixture.unit.caches().invalidateIotlb(0);
    assertThat(fixture.faultOf(0x1000, false)).isNull();
    assertThat(fixture.faultOf(0x1000, true)).isEqualTo(AmdFault.ACCESS_DENIED);
    device(0, AmdLayout.WRITE); // Passes, but for reads.
    assertThat(fixture.faultOf(0x1000, true)).isNull();
    assertThat(fixture.result.pa()).isEqualTo(0x1000);
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(AmdFault.ACCESS_DENIED);
    device(6, RIGHTS);
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(AmdFault.ILLEGAL_DEVICE_ENTRY);
    device(4, RIGHTS | 1L << 55); // Guest tables.
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(AmdFault.ILLEGAL_DEVICE_ENTRY);
    fixture.memory.putLong(DTE, AmdLayout.DEVICE_VALID);
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(AmdFault.PAGE_NOT_PRESENT);
    fixture.memory.putLong(DTE, 0); // Not valid: passes.
    assertThat(fixture.faultOf(0x1000, false)).isNull();
    fixture.unit.caches().invalidateContexts(0);
    fixture.unit.setDeviceTable(VendorFixture.DEVICES, VendorFixture.SOURCE);
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(AmdFault.ILLEGAL_DEVICE_ENTRY);
    fixture.unit.setDeviceTable(1L << 40, 0x1_0000);
    assertThat(fixture.faultOf(0x1000, false)).isEqualTo(AmdFault.DEVICE_TABLE_ERROR);
  }

  /** A fault that the entry keeps silent about is not recorded. */
  @Test
  void shouldKeepSilentIfTold() {
    fixture.memory.putLong(DTE + 8, DOMAIN | AmdLayout.DEVICE_SILENT);
    fixture.unit.caches().invalidateContexts(0);
    assertThat(fixture.faultOf(0x4000, false)).isNull();
    assertThat(fixture.result.status()).isNotEqualTo(DmaStatus.OK);
  }

  /**
   * Seeded corruption: every request translates to memory that exists as the entry says, or faults.
   */
  @Test
  void shouldSurviveAnyCorruption() {
    long seed = 0xA3D1;
    Random random = new Random(seed);
    for (int round = 0; round < 100_000; round++) {
      int level = random.nextInt(6);
      long pa = level == 0 ? DTE + random.nextInt(4) * 8 : table(Math.min(4, level));
      long offset = level == 0 ? 0 : random.nextInt(8) * 8L;
      long value = random.nextLong() & (random.nextBoolean() ? 0x6000_0000_03FF_FFFFL : -1L);
      fixture.memory.putLong(pa + offset, value);
      if (random.nextInt(4) == 0) {
        fixture.unit.caches().invalidateIotlb(round * 1000L);
        fixture.unit.caches().invalidateContexts(round * 1000L);
      }
      if (random.nextInt(8) == 0) {
        device(random.nextInt(8), RIGHTS);
      }
      long iova =
          random.nextInt(8) * 4096L + (random.nextInt(4) == 0 ? 1L << random.nextInt(63) : 0);
      fixture.faults.clear();
      DmaStatus status = fixture.ask(iova & -64L, random.nextBoolean(), round * 1000L);
      assertThat(status == DmaStatus.OK || fixture.faults.size() <= 1)
          .as("seed %x, round %d", seed, round)
          .isTrue();
    }
  }
}
