package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.RegisterLayout.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.layout.InvalidationDescriptorLayout;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.iommu.walk.TranslationConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegisterBlockTest {
  private final QueueFixture unit = new QueueFixture();

  @Test
  void shouldSayWhatSandyBridgeServersSay() {
    TranslationConfig.Capabilities capabilities =
        new TranslationConfig.Capabilities(
            46, TranslationConfig.WIDTH_48, 3, true, true, false, false);
    QueueFixture xeon = new QueueFixture(capabilities, RegisterConfig.XEON_E5);

    // Linux prints cap d2078c106f0466 ecap f020de there; only the offsets differ, of the fault
    // registers (100h there, 220h here) and of the IOTLB registers (200h and F0h).
    long faultOffset = 0x3FFL << 24;
    long iotlbOffset = 0x3FFL << 8;
    assertThat(xeon.read8(CAP) & ~faultOffset & ~6L)
        .isEqualTo(0xD2078C106F0466L & ~faultOffset & ~6L);
    assertThat(xeon.read8(CAP) & 7).isEqualTo(6); // 16 bits of domain ID.
    assertThat(xeon.read8(ECAP) & ~iotlbOffset).isEqualTo(0xF020DEL & ~iotlbOffset);
    assertThat(xeon.read8(CAP) >>> 24 & 0x3FF).isEqualTo(FRCD / 16);
    assertThat(xeon.read8(ECAP) >>> 8 & 0x3FF).isEqualTo(IVA / 16);
    assertThat(xeon.read4(VER)).isEqualTo(0x10);
  }

  @Test
  void shouldSayWhatScalableModeNeeds() {
    long ecap = unit.read8(ECAP);
    long expected = ECAP_SCALABLE_MODE | ECAP_FIRST_LEVEL | ECAP_SECOND_LEVEL | ECAP_NESTED;
    assertThat(ecap & expected).isEqualTo(expected);
    assertThat(ecap & ECAP_PASID).isNotZero();
    assertThat(ecap >>> ECAP_PASID_SIZE_SHIFT & 0x1F).isEqualTo(19);
    assertThat(ecap & ECAP_PAGE_REQUESTS).isNotZero();
    assertThat(ecap & ECAP_COHERENT).isNotZero();
    long cap = unit.read8(CAP);
    assertThat(cap >>> CAP_LEVELS_SHIFT & 0x1F).isEqualTo(0b1100);
    assertThat(cap >>> CAP_ADDRESS_WIDTH_SHIFT & 0x3F).isEqualTo(56);
    assertThat(cap & CAP_FIRST_LEVEL_5).isNotZero();
    assertThat(cap & CAP_FIRST_LEVEL_1G).isNotZero();
    assertThat(cap >>> CAP_FAULT_COUNT_SHIFT & 0xFF).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(ints = {VER, CAP, CAP + 4, ECAP, ECAP + 4, GSTS, IQH, IQERCD, 0x58, 0x100, 0xFFC})
  void shouldIgnoreWritesToWhatIsReadOnlyOrNotThere(int offset) {
    int before = unit.read4(offset);
    unit.write4(offset, -1);
    assertThat(unit.read4(offset)).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        TRANSLATION_ENABLE,
        QUEUED_INVALIDATION_ENABLE,
        INTERRUPT_REMAPPING_ENABLE,
        COMPATIBILITY_INTERRUPTS
      })
  void shouldSwitchWhatTheCommandSays(int bit) {
    unit.write4(GCMD, bit);
    assertThat(unit.read4(GSTS)).isEqualTo(bit);
    assertThat(unit.read4(GCMD)).isZero();
    unit.write4(GCMD, 0);
    assertThat(unit.read4(GSTS)).isZero();
  }

  @Test
  void shouldTellTranslationAndInterrupts() {
    unit.write4(GCMD, TRANSLATION_ENABLE);
    assertThat(unit.translation.isEnabled()).isTrue();
    unit.write4(GCMD, TRANSLATION_ENABLE | INTERRUPT_REMAPPING_ENABLE);
    unit.write4(GCMD, INTERRUPT_REMAPPING_ENABLE | COMPATIBILITY_INTERRUPTS);
    assertThat(unit.translation.isEnabled()).isFalse();
    unit.write4(GCMD, 0);
    assertThat(unit.interruptCalls)
        .containsExactly(
            "enabled true", "compatibility true", "enabled false", "compatibility false");
  }

  @Test
  void shouldTakeTheInterruptTableOverOnCommand() {
    unit.write8(IRTA, 0x1_2345_6000L | IRTA_EXTENDED | 0xF);
    assertThat(unit.interruptCalls).isEmpty();
    unit.write4(GCMD, SET_INTERRUPT_POINTER);
    assertThat(unit.interruptCalls).containsExactly("table 123456000 65536 true");
    assertThat(unit.read4(GSTS)).isEqualTo(SET_INTERRUPT_POINTER);
    // One-shot: a command without the bit changes nothing.
    unit.write4(GCMD, 0);
    assertThat(unit.read4(GSTS)).isEqualTo(SET_INTERRUPT_POINTER);
    assertThat(unit.interruptCalls).hasSize(1);
    assertThat(unit.read8(IRTA)).isEqualTo(0x1_2345_6000L | IRTA_EXTENDED | 0xF);
  }

  @Test
  void shouldSayThatTheRootIsSet() {
    unit.write8(RTADDR, 0x1_0000_0000L | RTADDR_SCALABLE);
    assertThat(unit.read8(RTADDR)).isEqualTo(0x1_0000_0000L | RTADDR_SCALABLE);
    unit.write4(GCMD, SET_ROOT_POINTER);
    assertThat(unit.read4(GSTS)).isEqualTo(SET_ROOT_POINTER);
  }

  @Test
  void shouldKnowNothingOfScalableModeIfItHasNone() {
    QueueFixture legacy = new QueueFixture(QueueFixture.LEGACY);
    legacy.write8(RTADDR, 0x5000 | 3 * RTADDR_SCALABLE);
    legacy.write8(IQA, 0x6000 | IQA_WIDE | 3);
    assertThat(legacy.read8(RTADDR)).isEqualTo(0x5000);
    assertThat(legacy.read8(IQA)).isEqualTo(0x6003);
    assertThat(legacy.read8(ECAP) >>> 32).isZero();
  }

  @Test
  void shouldTakeAWideRegisterInTwoHalves() {
    unit.write4(IQA, 0x6000 | 1);
    unit.write4(IQA + 4, 2);
    assertThat(unit.read8(IQA)).isEqualTo(0x2_0000_6001L);
    assertThat(unit.read4(IQA)).isEqualTo(0x6001);
    assertThat(unit.read4(IQA + 4)).isEqualTo(2);
  }

  @Test
  void shouldReadPartsAndRefuseToWriteThem() {
    unit.write8(IQA, 0x1122_3344_5566_7001L);
    assertThat(unit.registers.read(IQA + 1, 1, 0)).isEqualTo(0x70);
    assertThat(unit.registers.read(IQA + 6, 2, 0)).isEqualTo(0x1122);
    unit.registers.write(IQA, 2, 0, 0);
    unit.registers.write(IQA, 1, 0, 0);
    unit.registers.write(IQA + 4, 8, 0, 0);
    assertThat(unit.read8(IQA)).isEqualTo(0x1122_3344_5566_7001L);
    assertThat(unit.registers.oddAccessesTotal()).isEqualTo(3);
    assertThat(unit.registers.read(IQA + 2, 4, 0)).isEqualTo(0xFFFF_FFFFL);
    assertThat(unit.registers.oddAccessesTotal()).isEqualTo(4);
  }

  @Test
  void shouldInvalidateContextsByRegister() {
    long command =
        CCMD_INVALIDATE
            | (long) InvalidationDescriptorLayout.CONTEXT_DEVICE << 61
            | 0x0308 << 16
            | 5;
    unit.simulation.runUntil(1_000);
    unit.write8(CCMD, command);

    // 100 ns from the write on.
    long before = unit.translation.statistics().contextInvalidationsTotal();
    assertThat(before).isEqualTo(1);
    assertThat(unit.registers.read(CCMD, 8, 1_000 + 99_999)).isEqualTo(command | 3L << 59);
    assertThat(unit.registers.read(CCMD, 8, 1_000 + 100_000))
        .isEqualTo((command | 3L << 59) & ~CCMD_INVALIDATE);
    // One command waits for the other.
    unit.write8(CCMD, command);
    assertThat(unit.registers.read(CCMD, 8, 1_000 + 199_999)).isNegative();
    assertThat(unit.registers.read(CCMD, 8, 1_000 + 200_000)).isPositive();
    assertThat(unit.translation.statistics().contextInvalidationsTotal()).isEqualTo(2);
  }

  @Test
  void shouldInvalidateTheIotlbByRegister() {
    long page = IOTLB_INVALIDATE | 3L << IOTLB_GRANULARITY_SHIFT | 7L << IOTLB_DOMAIN_SHIFT;
    unit.write8(IVA, 0x1234_5000 | 18);
    unit.write8(RegisterLayout.IOTLB, page);
    assertThat(unit.registers.read(RegisterLayout.IOTLB, 8, 399_999))
        .isEqualTo(page | 3L << IOTLB_ACTUAL_SHIFT);
    assertThat(unit.registers.read(RegisterLayout.IOTLB, 8, 400_000))
        .isEqualTo((page | 3L << IOTLB_ACTUAL_SHIFT) & ~IOTLB_INVALIDATE);
    assertThat(unit.translation.statistics().pageInvalidationsTotal()).isEqualTo(1);
    // A mask that is too large costs the whole domain; one command waits for the other.
    unit.write8(IVA, 0x1234_5000 | 19);
    unit.write8(RegisterLayout.IOTLB, page);
    assertThat(unit.registers.read(RegisterLayout.IOTLB, 8, 799_999))
        .isEqualTo(page | 2L << IOTLB_ACTUAL_SHIFT);
    assertThat(unit.registers.read(RegisterLayout.IOTLB, 8, 800_000)).isPositive();
    assertThat(unit.translation.statistics().domainInvalidationsTotal()).isEqualTo(1);
    assertThat(unit.read8(IVA)).isZero(); // Write only.
  }

  @Test
  void shouldNotInvalidateByRegisterWithoutTheBitOrAGranularity() {
    unit.write8(RegisterLayout.IOTLB, 1L << IOTLB_GRANULARITY_SHIFT);
    unit.write8(RegisterLayout.IOTLB, IOTLB_INVALIDATE);
    unit.write8(CCMD, 1L << CCMD_GRANULARITY_SHIFT);
    unit.write8(CCMD, CCMD_INVALIDATE);
    assertThat(unit.translation.statistics().globalInvalidationsTotal()).isZero();
    assertThat(unit.translation.statistics().contextInvalidationsTotal()).isZero();
    assertThat(unit.read8(RegisterLayout.IOTLB)).isZero();
    assertThat(unit.read8(CCMD)).isZero();
  }

  @Test
  void shouldNotInvalidateByRegisterBesideAQueue() {
    unit.enableQueue(false);
    unit.write8(RegisterLayout.IOTLB, IOTLB_INVALIDATE | 1L << IOTLB_GRANULARITY_SHIFT);
    unit.write8(CCMD, CCMD_INVALIDATE | 1L << CCMD_GRANULARITY_SHIFT);
    assertThat(unit.read8(RegisterLayout.IOTLB)).isEqualTo(1L << IOTLB_GRANULARITY_SHIFT);
    assertThat(unit.read8(CCMD)).isEqualTo(1L << CCMD_GRANULARITY_SHIFT);
    assertThat(unit.translation.statistics().globalInvalidationsTotal()).isZero();
  }

  @Test
  void shouldProtectMemoryUntilTranslationIsOn() {
    unit.write4(PLMBASE, 0x20_0000);
    unit.write4(PLMLIMIT, 0x20_0000);
    unit.write8(PHMBASE, 0x1_0000_0000L);
    unit.write8(PHMLIMIT, 0x1_0020_0000L);
    assertThat(unit.registers.isProtected(0x20_0000, 1)).isFalse();
    unit.write4(PMEN, PMEN_ENABLE);
    assertThat(unit.read4(PMEN)).isEqualTo(PMEN_ENABLE | PMEN_STATUS);

    assertThat(unit.registers.isProtected(0x1F_FFFF, 1)).isFalse();
    assertThat(unit.registers.isProtected(0x1F_FFFF, 2)).isTrue();
    assertThat(unit.registers.isProtected(0x3F_FFFF, 1)).isTrue();
    assertThat(unit.registers.isProtected(0x40_0000, 1)).isFalse();
    assertThat(unit.registers.isProtected(0xFFFF_FFFFL, 1)).isFalse();
    assertThat(unit.registers.isProtected(0x1_003F_FFFFL, 4096)).isTrue();
    assertThat(unit.registers.isProtected(0x1_0040_0000L, 1)).isFalse();
    assertThat(unit.registers.isProtected(-4096, 4096)).isFalse();

    unit.write4(GCMD, TRANSLATION_ENABLE);
    assertThat(unit.registers.isProtected(0x20_0000, 1)).isFalse();
    unit.write4(GCMD, 0);
    unit.write4(PMEN, 0);
    assertThat(unit.registers.isProtected(0x20_0000, 1)).isFalse();
    assertThat(unit.read4(PMEN)).isZero();
  }

  @Test
  void shouldShowTheSizeOfProtectedBlocks() {
    unit.write4(PLMBASE, -1);
    unit.write8(PHMLIMIT, -1);
    assertThat(unit.read4(PLMBASE)).isEqualTo(-1 << 21);
    assertThat(unit.read8(PHMLIMIT)).isEqualTo(-1L << 21);
  }

  @Test
  void shouldHaveNoProtectedMemoryIfItIsToldSo() {
    RegisterConfig without = new RegisterConfig(BASE_ADDRESS, 0x10, 1, 16, false, false);
    QueueFixture plain = new QueueFixture(QueueFixture.LEGACY, without);
    plain.write4(PLMLIMIT, -1);
    plain.write8(PHMLIMIT, -1);
    plain.write4(PMEN, PMEN_ENABLE);
    assertThat(plain.read4(PLMLIMIT)).isZero();
    assertThat(plain.read8(PHMLIMIT)).isZero();
    assertThat(plain.read4(PMEN)).isZero();
    assertThat(plain.registers.isProtected(0, 1)).isFalse();
    assertThat(plain.read8(CAP) & (CAP_PROTECTED_LOW | CAP_PROTECTED_HIGH)).isZero();
    assertThat(plain.read8(ECAP) & ECAP_PAGE_REQUESTS).isZero();
  }

  @Test
  void shouldBeWhereTheConfigurationSays() {
    assertThat(unit.registers.baseAddress()).isEqualTo(0xFED9_0000L);
    assertThat(unit.registers.sizeBytes()).isEqualTo(4096);
  }
}
