package io.github.bellwire.iommu;

import static io.github.bellwire.iommu.TestMachine.DATA;
import static io.github.bellwire.iommu.TestMachine.DIRECTORY;
import static io.github.bellwire.iommu.TestMachine.FIRST;
import static io.github.bellwire.iommu.TestMachine.INTERRUPTS;
import static io.github.bellwire.iommu.TestMachine.NOWHERE;
import static io.github.bellwire.iommu.TestMachine.PASID;
import static io.github.bellwire.iommu.TestMachine.firstPa;
import static io.github.bellwire.iommu.TestMachine.pasidPa;
import static io.github.bellwire.iommu.TestMachine.secondPa;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.iommu.layout.FirstLevelLayout;
import io.github.bellwire.iommu.layout.PasidLayout;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.iommu.walk.TranslationConfig;
import io.github.bellwire.iommu.walk.TranslationConfig.Capabilities;
import io.github.bellwire.pcie.AtsTranslation;
import io.github.bellwire.pcie.DmaStatus;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every fault that a device can bring about, end to end: software spoils one thing in tables or
 * registers, the device sends a request, and a core finds the reason in the fault record.
 */
class FaultCodesTest {
  private static final long IOVA = 0x1000;

  /** What no request that the fabric can carry brings about. */
  private static final Set<FaultReason> UNREACHABLE =
      EnumSet.of(
          FaultReason.EXECUTE_REQUEST_DISABLED, // No request asks to execute.
          FaultReason.EXECUTE_DENIED,
          FaultReason.FIRST_LEVEL_UPDATE_FAILED); // No update can fail otherwise.

  /** What takes a unit that does not snoop. */
  private static final Set<FaultReason> UNSNOOPED =
      EnumSet.of(
          FaultReason.SECOND_LEVEL_UPDATE_NOT_SNOOPED, FaultReason.FIRST_LEVEL_UPDATE_NOT_SNOOPED);

  private static final Map<FaultReason, Consumer<TestMachine>> CASES =
      new EnumMap<>(FaultReason.class);

  private static void legacy(FaultReason reason, Consumer<TestMachine> spoil) {
    CASES.put(
        reason,
        machine -> {
          machine.legacy(0);
          spoil.accept(machine);
          assertRefused(machine.write(IOVA, 9));
        });
  }

  private static void scalable(FaultReason reason, Consumer<TestMachine> spoil) {
    CASES.put(
        reason,
        machine -> {
          machine.scalable();
          spoil.accept(machine);
          assertRefused(machine.write(IOVA, 9));
        });
  }

  private static void firstLevel(FaultReason reason, Consumer<TestMachine> spoil) {
    scalable(
        reason,
        machine -> {
          spoil.accept(machine);
          machine.usePasid(true);
        });
  }

  private static void nested(FaultReason reason, Consumer<TestMachine> spoil) {
    firstLevel(
        reason,
        machine -> {
          machine.pasidEntry(PASID, PasidLayout.NESTED);
          machine.map(0, DATA, 0);
          spoil.accept(machine);
        });
  }

  private static void interrupt(FaultReason reason, Consumer<TestMachine> spoil, long address) {
    CASES.put(
        reason,
        machine -> {
          machine.memory.putLongs(INTERRUPTS, 1 | 0x41L << 16, machine.deviceId | 1L << 18);
          machine.write8(RegisterLayout.IRTA, INTERRUPTS | 7);
          machine.write4(RegisterLayout.GCMD, RegisterLayout.SET_INTERRUPT_POINTER);
          machine.write4(RegisterLayout.GCMD, RegisterLayout.INTERRUPT_REMAPPING_ENABLE);
          spoil.accept(machine);
          machine.device.dma().sendMessage(address, 0x1_0000, machine.host.simulation().nowPs());
          machine.core.delay(10_000_000);
          assertThat(machine.host.interrupts().messagesTotal()).isZero();
          assertThat(machine.host.interrupts().spuriousTotal()).isZero();
        });
  }

  private static void assertRefused(DmaStatus status) {
    assertThat(status).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
  }

  private static void set(TestMachine machine, long pa, long bits) {
    machine.memory.putLong(pa, machine.memory.getLong(pa) | bits);
  }

  private static void clear(TestMachine machine, long pa, long bits) {
    machine.memory.putLong(pa, machine.memory.getLong(pa) & ~bits);
  }

  /** Lets an entry point to where no memory is. */
  private static void lead(TestMachine machine, long pa) {
    machine.memory.putLong(pa, machine.memory.getLong(pa) & 0xFFF | NOWHERE);
  }

  static {
    legacy(FaultReason.ROOT_ENTRY_NOT_PRESENT, m -> clear(m, m.rootPa(), 1));
    legacy(FaultReason.CONTEXT_ENTRY_NOT_PRESENT, m -> clear(m, m.contextPa(), 1));
    legacy(FaultReason.CONTEXT_ENTRY_INVALID, m -> set(m, m.contextPa(), 3 << 2));
    CASES.put(FaultReason.ADDRESS_BEYOND_WIDTH, m -> assertRefused(m.legacy(0).write(1L << 48, 9)));
    legacy(FaultReason.WRITE_DENIED, m -> clear(m, secondPa(1, IOVA), 2));
    CASES.put(
        FaultReason.READ_DENIED,
        m -> {
          m.legacy(0);
          clear(m, secondPa(1, IOVA), 1);
          assertRefused(m.read(IOVA));
        });
    legacy(FaultReason.NEXT_TABLE_INVALID, m -> lead(m, secondPa(2, 0)));
    legacy(FaultReason.ROOT_TABLE_INVALID, m -> m.setRoot(NOWHERE));
    legacy(FaultReason.CONTEXT_TABLE_INVALID, m -> lead(m, m.rootPa()));
    legacy(FaultReason.ROOT_ENTRY_RESERVED, m -> set(m, m.rootPa(), 2));
    legacy(FaultReason.CONTEXT_ENTRY_RESERVED, m -> set(m, m.contextPa(), 1 << 4));
    legacy(FaultReason.PAGE_ENTRY_RESERVED, m -> set(m, secondPa(4, 0), 1 << 7));
    CASES.put(
        FaultReason.TRANSLATION_REQUEST_BLOCKED,
        m -> {
          m.legacy(0);
          ask(m);
        });
    legacy(FaultReason.INTERRUPT_RANGE, m -> m.map(IOVA, 0xFEE0_0000L, 3));

    long handle = 0xFEE0_0010L;
    interrupt(FaultReason.INTERRUPT_REQUEST_RESERVED, m -> {}, handle | 8);
    interrupt(FaultReason.INTERRUPT_INDEX_BEYOND_TABLE, m -> {}, handle | 256 << 5);
    interrupt(FaultReason.INTERRUPT_ENTRY_NOT_PRESENT, m -> clear(m, INTERRUPTS, 1), handle);
    interrupt(
        FaultReason.INTERRUPT_TABLE_INVALID,
        m -> {
          m.write8(RegisterLayout.IRTA, NOWHERE | 7);
          int enable = RegisterLayout.INTERRUPT_REMAPPING_ENABLE;
          m.write4(RegisterLayout.GCMD, enable | RegisterLayout.SET_INTERRUPT_POINTER);
        },
        handle);
    interrupt(FaultReason.INTERRUPT_ENTRY_RESERVED, m -> set(m, INTERRUPTS, 1 << 12), handle);
    interrupt(FaultReason.INTERRUPT_COMPATIBILITY_BLOCKED, m -> {}, 0xFEE0_0000L);
    interrupt(
        FaultReason.INTERRUPT_SOURCE_REJECTED,
        m -> m.device.dma().claimRequesterId(0xFFFF),
        handle);

    CASES.put(
        FaultReason.PASID_IN_LEGACY_MODE,
        m -> {
          m.legacy(0);
          m.usePasid(true);
          assertRefused(m.write(IOVA, 9));
        });
    CASES.put(
        FaultReason.PAGE_REQUEST_IN_LEGACY_MODE,
        m -> {
          m.legacy(1);
          askForPage(m);
        });
    scalable(
        FaultReason.SCALABLE_ROOT_POINTER_INVALID,
        m -> m.setRoot(m.rootPa() | 2L << RegisterLayout.RTADDR_MODE_SHIFT));
    long scalableRoot = RegisterLayout.RTADDR_SCALABLE;
    scalable(FaultReason.SCALABLE_ROOT_TABLE_INVALID, m -> m.setRoot(NOWHERE | scalableRoot));
    scalable(FaultReason.SCALABLE_ROOT_ENTRY_NOT_PRESENT, m -> clear(m, m.rootPa(), 1));
    scalable(FaultReason.SCALABLE_ROOT_ENTRY_RESERVED, m -> set(m, m.rootPa(), 2));
    scalable(FaultReason.SCALABLE_CONTEXT_TABLE_INVALID, m -> lead(m, m.rootPa()));
    scalable(FaultReason.SCALABLE_CONTEXT_NOT_PRESENT, m -> clear(m, m.scalableContextPa(), 1));
    scalable(FaultReason.SCALABLE_CONTEXT_RESERVED, m -> set(m, m.scalableContextPa(), 1 << 5));
    CASES.put(
        FaultReason.DEVICE_TLB_DISABLED,
        m -> {
          m.scalable();
          clear(m, m.scalableContextPa(), 1 << 2);
          ask(m);
        });
    firstLevel(FaultReason.PASID_DISABLED, m -> clear(m, m.scalableContextPa(), 1 << 3));
    scalable(FaultReason.PASID_BEYOND_DIRECTORY, m -> m.device.dma().usePasid(1 << 19));
    CASES.put(
        FaultReason.PAGE_REQUEST_DISABLED,
        m -> {
          m.scalable();
          clear(m, m.scalableContextPa(), 1 << 4);
          askForPage(m);
        });
    scalable(
        FaultReason.RID_PASID_BEYOND_DIRECTORY, m -> set(m, m.scalableContextPa() + 8, 1 << 19));
    scalable(FaultReason.PASID_DIRECTORY_INVALID, m -> lead(m, m.scalableContextPa()));
    scalable(FaultReason.PASID_DIRECTORY_NOT_PRESENT, m -> clear(m, DIRECTORY, 1));
    scalable(FaultReason.PASID_DIRECTORY_RESERVED, m -> set(m, DIRECTORY, 4));
    scalable(FaultReason.PASID_TABLE_INVALID, m -> lead(m, DIRECTORY));
    scalable(FaultReason.PASID_ENTRY_NOT_PRESENT, m -> clear(m, pasidPa(0), 1));
    scalable(FaultReason.PASID_ENTRY_RESERVED, m -> set(m, pasidPa(0) + 32, 1));
    scalable(FaultReason.PASID_ENTRY_INVALID, m -> set(m, pasidPa(0), 7 << 6));
    scalable(
        FaultReason.SUPERVISOR_REQUEST_DISABLED,
        m -> {
          set(m, m.scalableContextPa() + 8, 1 << 20); // RID_PRIV.
          m.pasidEntry(0, PasidLayout.FIRST_LEVEL_ONLY);
        });
    firstLevel(FaultReason.FIRST_LEVEL_TABLE_INVALID, m -> lead(m, firstPa(2, 0)));
    firstLevel(FaultReason.FIRST_LEVEL_NOT_PRESENT, m -> clear(m, firstPa(1, IOVA), 1));
    firstLevel(FaultReason.FIRST_LEVEL_RESERVED, m -> set(m, firstPa(4, 0), 1 << 7));
    firstLevel(
        FaultReason.FIRST_LEVEL_ROOT_INVALID, m -> m.memory.putLong(pasidPa(PASID) + 16, NOWHERE));
    nested(
        FaultReason.FIRST_LEVEL_BEYOND_SECOND,
        m -> m.memory.putLong(pasidPa(PASID) + 16, 1L << 48));
    nested(
        FaultReason.FIRST_LEVEL_ROOT_READ_DENIED,
        m -> {
          m.map(0x5000, FIRST, 2); // To be written only.
          m.memory.putLong(pasidPa(PASID) + 16, 0x5000);
        });
    nested(
        FaultReason.FIRST_LEVEL_READ_DENIED,
        m -> {
          m.map(0x4000, FIRST, 3);
          m.memory.putLong(pasidPa(PASID) + 16, 0x4000);
          m.map(0x5000, FIRST + 0x1000, 2);
          m.memory.putLong(FIRST, 0x5000 | 7);
        });
    nested(
        FaultReason.FIRST_LEVEL_WRITE_DENIED,
        m -> {
          m.map(0x4000, FIRST, 1); // Accessed bits cannot be set.
          m.memory.putLong(pasidPa(PASID) + 16, 0x4000);
        });
    scalable(FaultReason.SECOND_LEVEL_TABLE_INVALID, m -> lead(m, secondPa(2, 0)));
    nested(
        FaultReason.SECOND_LEVEL_DENIED,
        m -> {
          for (int level = 4; level >= 1; level--) {
            long iova = 0x10_0000 + (4 - level) * 0x1000L;
            m.map(iova, FIRST + (4 - level) * 0x1000L, 3);
            if (level > 1) {
              m.memory.putLong(firstPa(level, 0), iova + 0x1000 | 7);
            }
          }
          m.memory.putLong(pasidPa(PASID) + 16, 0x10_0000);
          m.memory.putLong(firstPa(1, IOVA), 0x6000 | 7);
        });
    scalable(FaultReason.SECOND_LEVEL_RESERVED, m -> set(m, secondPa(4, 0), 1 << 7));
    scalable(FaultReason.SECOND_LEVEL_ROOT_INVALID, m -> lead(m, pasidPa(0)));
    CASES.put(
        FaultReason.ADDRESS_NOT_CANONICAL,
        m -> {
          m.scalable().usePasid(true);
          assertRefused(m.write(1L << 47, 9));
        });
    firstLevel(FaultReason.USER_DENIED, m -> clear(m, firstPa(1, IOVA), 4));
    CASES.put(
        FaultReason.SCALABLE_ADDRESS_BEYOND_WIDTH,
        m -> assertRefused(m.scalable().write(1L << 48, 9)));
    nested(
        FaultReason.FIRST_LEVEL_PAGE_BEYOND_SECOND,
        m -> {
          for (int level = 4; level >= 1; level--) {
            long iova = 0x10_0000 + (4 - level) * 0x1000L;
            m.map(iova, FIRST + (4 - level) * 0x1000L, 3);
            if (level > 1) {
              m.memory.putLong(firstPa(level, 0), iova + 0x1000 | 7);
            }
          }
          m.memory.putLong(pasidPa(PASID) + 16, 0x10_0000);
          m.memory.putLong(firstPa(1, IOVA), 1L << 48 | 7);
        });
    firstLevel(FaultReason.SCALABLE_WRITE_DENIED, m -> clear(m, firstPa(1, IOVA), 2));
    CASES.put(
        FaultReason.SCALABLE_READ_DENIED,
        m -> {
          m.scalable();
          clear(m, secondPa(1, IOVA), 1);
          assertRefused(m.read(IOVA));
        });
    firstLevel(FaultReason.FIRST_LEVEL_UPDATE_NOT_SNOOPED, m -> {});
    scalable(
        FaultReason.SECOND_LEVEL_UPDATE_NOT_SNOOPED,
        m -> set(m, pasidPa(0), PasidLayout.SECOND_LEVEL_ACCESSED_DIRTY));
    firstLevel(FaultReason.SCALABLE_INTERRUPT_RANGE, m -> m.mapFirst(IOVA, 0xFEE0_0000L, 7));
  }

  private static void ask(TestMachine machine) {
    AtsTranslation answer = new AtsTranslation();
    long nowPs = machine.host.simulation().nowPs();
    machine.device.dma().requestTranslation(IOVA, 1, true, nowPs, answer);
    machine.core.delay(10_000_000);
    assertThat(answer.status()).isNotEqualTo(DmaStatus.OK);
  }

  private static void askForPage(TestMachine machine) {
    long nowPs = machine.host.simulation().nowPs();
    machine.device.dma().requestPage(IOVA, true, true, true, 3, nowPs);
    machine.core.delay(10_000_000);
    assertThat(machine.iommu.pageRefusalsTotal()).isEqualTo(1);
    assertThat(machine.device.responses).extracting(TestDevice.Response::code).containsExactly(1);
  }

  static Stream<FaultReason> reasons() {
    return CASES.keySet().stream();
  }

  @ParameterizedTest
  @MethodSource("reasons")
  void shouldRecordTheReason(FaultReason reason) {
    TestMachine machine =
        UNSNOOPED.contains(reason) ? new TestMachine(unsnooped()) : new TestMachine();
    CASES.get(reason).accept(machine);

    assertThat(machine.firstReason()).isEqualTo(reason.code());
    assertThat(machine.iommu.faults().faultsTotal(reason)).isPositive();
    assertThat(machine.data(0)).isZero(); // No byte has moved.
    int source = machine.read4(RegisterLayout.FRCD + 8) & 0xFFFF;
    boolean isForged = reason == FaultReason.INTERRUPT_SOURCE_REJECTED;
    assertThat(source).isEqualTo(isForged ? 0xFFFF : machine.deviceId);
  }

  private static IommuConfig unsnooped() {
    IommuConfig all = IommuPresets.SAPPHIRE_RAPIDS;
    TranslationConfig translation = all.translation();
    return all.withTranslation(
        translation.withCapabilities(translation.capabilities().withoutSnooping()));
  }

  @Test
  void shouldWalkWithoutSnoopingWhereNoBitIsToBeSet() {
    TestMachine machine = new TestMachine(unsnooped()).scalable();
    for (int level = 4; level >= 1; level--) {
      set(machine, firstPa(level, IOVA), FirstLevelLayout.ACCESSED);
    }
    machine.usePasid(true);
    assertThat(machine.read(IOVA)).isEqualTo(DmaStatus.OK);
    assertThat(machine.memory.getLong(firstPa(1, IOVA)) & FirstLevelLayout.DIRTY).isZero();

    // A write would set the dirty bit.
    assertRefused(machine.write(IOVA, 9));
    assertThat(machine.firstReason()).isEqualTo(FaultReason.FIRST_LEVEL_UPDATE_NOT_SNOOPED.code());
    assertThat(machine.memory.getLong(firstPa(1, IOVA)) & FirstLevelLayout.DIRTY).isZero();
    set(machine, firstPa(1, IOVA), FirstLevelLayout.DIRTY);
    assertThat(machine.write(IOVA, 9)).isEqualTo(DmaStatus.OK);
    assertThat(machine.data(0)).isEqualTo(9);
  }

  /** 11b, to abort all DMA, takes a capability (ECAP bit 52) that the unit does not have. */
  @Test
  void shouldRefuseEverythingInAModeThatTheUnitDoesNotHave() {
    TestMachine machine = new TestMachine().scalable();
    assertThat(machine.write(IOVA, 8)).isEqualTo(DmaStatus.OK); // All is cached.
    assertThat(machine.read8(RegisterLayout.ECAP) & 1L << 52).isZero();

    machine.setRoot(machine.rootPa() | 3L << RegisterLayout.RTADDR_MODE_SHIFT);

    assertRefused(machine.write(IOVA, 9));
    assertThat(machine.firstReason()).isEqualTo(0x30);
    assertThat(machine.data(0)).isEqualTo(8);
    machine.setRoot(machine.rootPa() | RegisterLayout.RTADDR_SCALABLE);
    assertThat(machine.write(IOVA, 9)).isEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldRefuseDeviceTlbsThatTheUnitDoesNotKnow() {
    IommuConfig all = IommuPresets.SAPPHIRE_RAPIDS;
    Capabilities can = all.translation().capabilities();
    Capabilities without =
        new Capabilities(
            can.hostAddressBits(), can.addressWidths(), can.superPages(), true, false, true, true);
    TestMachine machine =
        new TestMachine(
            all.withRegisters(all.registers().withPageRequests(false))
                .withTranslation(all.translation().withCapabilities(without)));
    assertRefused(machine.scalable().write(IOVA, 9));
    assertThat(machine.firstReason()).isEqualTo(FaultReason.SCALABLE_CONTEXT_INVALID.code());
  }

  @Test
  void shouldKnowEveryReason() {
    EnumSet<FaultReason> rest = EnumSet.allOf(FaultReason.class);
    rest.removeAll(CASES.keySet());
    rest.removeAll(UNREACHABLE);
    assertThat(rest).containsExactly(FaultReason.SCALABLE_CONTEXT_INVALID); // Above.
  }
}
