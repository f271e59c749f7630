package io.github.bellwire.iommu;

import static io.github.bellwire.iommu.TestMachine.DATA;
import static io.github.bellwire.iommu.TestMachine.DOMAIN;
import static io.github.bellwire.iommu.TestMachine.INTERRUPTS;
import static io.github.bellwire.iommu.TestMachine.PAGE_REQUESTS;
import static io.github.bellwire.iommu.TestMachine.PASID;
import static io.github.bellwire.iommu.TestMachine.STATUS;
import static io.github.bellwire.iommu.TestMachine.pasidPa;
import static io.github.bellwire.iommu.TestMachine.secondPa;
import static io.github.bellwire.iommu.layout.RegisterLayout.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.iommu.layout.InvalidationDescriptorLayout;
import io.github.bellwire.iommu.layout.PageRequestLayout;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.stats.StatsRegistry;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Software on a core drives a whole unit, and a device meets it. */
class IommuTest {
  private static final long IOVA = 0x1000;
  private static final int IOTLB_TYPE = InvalidationDescriptorLayout.IOTLB;
  private static final long IOTLB_GLOBAL = IOTLB_TYPE | 1 << 4;
  private static final long IOTLB_PAGE = IOTLB_TYPE | 3 << 4 | (long) DOMAIN << 16;

  private final TestMachine machine = new TestMachine();

  private static void assertOk(DmaStatus status) {
    assertThat(status).isEqualTo(DmaStatus.OK);
  }

  private static void assertRefused(DmaStatus status) {
    assertThat(status).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
  }

  private void unmap(long iova) {
    machine.core.store(secondPa(1, iova), 8, 0);
  }

  @Test
  void shouldLetEverythingPassAfterReset() {
    assertOk(machine.write(DATA + 5, 9));
    assertThat(machine.data(5)).isEqualTo(9);
    assertThat(machine.iommu.faults().faultsTotal()).isZero();
  }

  @Test
  void shouldTranslateWhenSoftwareHasSwitchedItOn() {
    machine.legacy(0);
    assertOk(machine.write(IOVA + 5, 9));
    assertThat(machine.data(5)).isEqualTo(9);
    assertRefused(machine.write(DATA, 9));
    assertThat(machine.read4(GSTS) & TRANSLATION_ENABLE).isNotZero();
    machine.write4(GCMD, QUEUED_INVALIDATION_ENABLE);
    assertOk(machine.write(DATA + 6, 8));
    assertThat(machine.data(6)).isEqualTo(8);
  }

  @Test
  void shouldLetADeviceUseAStalePageUntilItIsInvalidated() {
    machine.legacy(0);
    assertOk(machine.write(IOVA, 1));
    unmap(IOVA);
    assertOk(machine.write(IOVA, 2)); // Still remembered.
    assertThat(machine.submit(IOTLB_PAGE, IOVA)).isTrue();
    assertRefused(machine.write(IOVA, 3));
    assertThat(machine.data(0)).isEqualTo(2);
    assertThat(machine.firstReason()).isEqualTo(FaultReason.WRITE_DENIED.code());
  }

  @Test
  void shouldRefuseAtOnceWhatWasNeverRemembered() {
    machine.legacy(0);
    unmap(IOVA);
    assertRefused(machine.write(IOVA, 3));
  }

  @ParameterizedTest
  @CsvSource({
    // granularity, domain, address and mask: forgotten or not
    "1, 0, 0, true",
    "2, 7, 0, true",
    "2, 6, 0, false",
    "3, 7, 1000, true",
    "3, 6, 1000, false",
    "3, 7, 2000, false",
    "3, 7, 0001, true",
    "3, 7, 2001, false",
    "3, 7, 2002, true",
    "3, 7, 1040, true",
  })
  void shouldForgetWhatADescriptorNames(
      int granularity, int domain, String address, boolean isForgotten) {
    machine.legacy(0);
    assertOk(machine.write(IOVA, 1));
    unmap(IOVA);
    long word0 = IOTLB_TYPE | (long) granularity << 4 | (long) domain << 16;
    assertThat(machine.submit(word0, Long.parseLong(address, 16))).isTrue();
    assertThat(machine.write(IOVA, 2))
        .isEqualTo(isForgotten ? DmaStatus.UNSUPPORTED_REQUEST : DmaStatus.OK);
  }

  @Test
  void shouldKeepPagingCachesIfTheHintSaysSo() {
    machine.legacy(0);
    assertOk(machine.write(IOVA, 1));
    long before = machine.iommu.statistics().memoryAccessesTotal();
    machine.submit(IOTLB_PAGE, IOVA | InvalidationDescriptorLayout.HINT);
    assertOk(machine.write(IOVA, 1));
    assertThat(machine.iommu.statistics().memoryAccessesTotal()).isEqualTo(before + 1);
    machine.submit(IOTLB_PAGE, IOVA);
    assertOk(machine.write(IOVA, 1));
    assertThat(machine.iommu.statistics().memoryAccessesTotal()).isEqualTo(before + 1 + 4);
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0, 0, true",
    "2, 7, 0, true",
    "2, 6, 0, false",
    "3, 7, 0, true",
    "3, 7, 8, false"
  })
  void shouldForgetContexts(int granularity, int domain, int otherDevice, boolean isForgotten) {
    machine.legacy(0);
    assertOk(machine.write(IOVA, 1));
    machine.core.store(machine.contextPa(), 8, 0);
    long sourceId = machine.deviceId ^ otherDevice;
    long word0 =
        InvalidationDescriptorLayout.CONTEXT
            | (long) granularity << 4
            | (long) domain << 16
            | sourceId << 32;
    assertThat(machine.submit(word0, 0)).isTrue();
    assertThat(machine.write(IOVA, 2))
        .isEqualTo(isForgotten ? DmaStatus.UNSUPPORTED_REQUEST : DmaStatus.OK);
  }

  @ParameterizedTest
  @CsvSource({
    "3, 0, 0, true",
    "0, 7, 0, true",
    "0, 6, 0, false",
    "1, 7, 5, true",
    "1, 7, 4, false"
  })
  void shouldForgetPasids(int granularity, int domain, int pasid, boolean isForgotten) {
    machine.scalable();
    machine.usePasid(true);
    assertOk(machine.write(IOVA, 1));
    machine.core.store(pasidPa(PASID), 8, 0);
    long word0 =
        InvalidationDescriptorLayout.PASID_CACHE
            | (long) granularity << 4
            | (long) domain << 16
            | (long) pasid << 32;
    assertThat(machine.submit(word0, 0)).isTrue();
    assertThat(machine.write(IOVA, 2))
        .isEqualTo(isForgotten ? DmaStatus.UNSUPPORTED_REQUEST : DmaStatus.OK);
  }

  @ParameterizedTest
  @CsvSource({
    "2, 7, 5, 0, true",
    "2, 7, 4, 0, false",
    "2, 6, 5, 0, false",
    "3, 7, 5, 1000, true",
    "3, 7, 5, 2000, false",
    "3, 7, 5, 0001, true",
  })
  void shouldForgetPagesOfAPasid(
      int granularity, int domain, int pasid, String address, boolean isForgotten) {
    machine.scalable();
    machine.usePasid(true);
    assertOk(machine.write(IOVA, 1));
    machine.core.store(TestMachine.firstPa(1, IOVA), 8, 0);
    long word0 =
        InvalidationDescriptorLayout.PASID_IOTLB
            | (long) granularity << 4
            | (long) domain << 16
            | (long) pasid << 32;
    assertThat(machine.submit(word0, Long.parseLong(address, 16))).isTrue();
    assertThat(machine.write(IOVA, 2))
        .isEqualTo(isForgotten ? DmaStatus.UNSUPPORTED_REQUEST : DmaStatus.OK);
  }

  @Test
  void shouldTakeAboutAsLongToInvalidateAsMeasuredHostsDo() {
    TestMachine e3 = new TestMachine(IommuPresets.E3, HostConfig.GEN4_SERVER).legacy(0);
    e3.submit(IOTLB_PAGE, IOVA);
    long startPs = e3.core.nowPs();
    e3.submit(IOTLB_PAGE, IOVA);

    // rIOMMU, ASPLOS 2015, table 1: 2127 cycles of 3.1 GHz, 686 ns; here it takes 625 ns, with
    // writing two descriptors, and seen by a core that looks every 10 ns.
    assertThat((e3.core.nowPs() - startPs) / 1000.0).isCloseTo(686, withinPercentage(10));
  }

  @Test
  void shouldInterruptACoreForAFault() {
    List<Long> reasons = new ArrayList<>();
    Routine handler =
        new Routine(machine.host.core(1)) {
          @Override
          protected void run(CpuPort port) {
            long first = port.mmioRead(BASE_ADDRESS + FSTS, 4) >>> FSTS_INDEX_SHIFT & 0xFF;
            long record = BASE_ADDRESS + FRCD + first * FRCD_BYTES;
            reasons.add(port.mmioRead(record + 8, 8) >>> 32 & 0xFF);
            port.mmioWrite(record + 12, 4, 1L << 31);
          }
        };
    InterruptVector vector = machine.host.interrupts().allocate(machine.host.core(1), handler);
    machine.legacy(0);
    machine.write4(FEDATA, vector.data());
    machine.write4(FEADDR, (int) vector.address());
    machine.write4(FECTL, 0);

    assertRefused(machine.write(0x7000, 1));
    assertRefused(machine.read(0x7000));

    assertThat(reasons)
        .containsExactly(
            (long) FaultReason.WRITE_DENIED.code(), (long) FaultReason.READ_DENIED.code());
    assertThat(machine.read4(FSTS)).isZero();
  }

  @Test
  void shouldCountEveryFaultOfAStorm() {
    machine.legacy(0);
    for (int i = 0; i < 1_000; i++) {
      long nowPs = machine.host.simulation().nowPs();
      machine.device.dma().write(0x7000, new byte[] {1}, 0, 1, nowPs);
    }
    machine.core.delay(1_000_000_000);
    assertThat(machine.iommu.faults().recordedTotal()).isEqualTo(8);
    assertThat(machine.iommu.faults().droppedTotal()).isEqualTo(992);
    assertThat(machine.read4(FSTS)).isEqualTo(FSTS_PENDING | FSTS_OVERFLOW);
    assertThat(machine.iommu.statistics().faultsTotal()).isEqualTo(1_000);
    assertOk(machine.write(IOVA, 4)); // And all goes on.
    assertThat(machine.data(0)).isEqualTo(4);
  }

  @Test
  void shouldSayNothingOfADeviceWhoseFaultsAreDisabled() {
    machine.legacy(0);
    machine.memory.putLong(machine.contextPa(), machine.memory.getLong(machine.contextPa()) | 2);
    assertRefused(machine.write(0x7000, 1));
    assertThat(machine.read4(FSTS)).isZero();
    assertThat(machine.iommu.faults().faultsTotal()).isZero();
    assertThat(machine.iommu.statistics().faultsTotal()).isEqualTo(1);
  }

  @Test
  void shouldDeliverRemappedInterrupts() {
    InterruptVector vector = machine.host.interrupts().allocate(machine.host.core(3), null);
    long low = 1 | (long) vector.data() << 16 | 3L << 32; // Extended: destination 63:32.
    machine.memory.putLongs(INTERRUPTS + 5 * 16, low, machine.deviceId | 1L << 18);
    machine.write8(IRTA, INTERRUPTS | IRTA_EXTENDED | 7);
    machine.write4(GCMD, SET_INTERRUPT_POINTER);
    machine.write4(GCMD, INTERRUPT_REMAPPING_ENABLE);
    long remappable = 0xFEE0_0010L | 5 << 5;

    machine.device.dma().sendMessage(remappable, 0, machine.host.simulation().nowPs());
    machine.core.delay(10_000_000);
    assertThat(machine.host.interrupts().messagesTotal()).isEqualTo(1);
    assertThat(machine.host.synchronousPort(3).waitForInterrupt(vector, 0)).isTrue();

    // A forged message to the same core and vector.
    long nowPs = machine.host.simulation().nowPs();
    machine.device.dma().sendMessage(vector.address(), vector.data(), nowPs);
    machine.core.delay(10_000_000);
    assertThat(machine.host.interrupts().messagesTotal()).isEqualTo(1);
    assertThat(machine.firstReason()).isEqualTo(FaultReason.INTERRUPT_COMPATIBILITY_BLOCKED.code());

    // Removed from the table, the entry serves until it is invalidated.
    machine.core.store(INTERRUPTS + 5 * 16, 8, 0);
    machine.device.dma().sendMessage(remappable, 0, machine.host.simulation().nowPs());
    machine.core.delay(10_000_000);
    assertThat(machine.host.interrupts().messagesTotal()).isEqualTo(2);
    machine.write8(IQA, TestMachine.QUEUE);
    machine.write4(GCMD, INTERRUPT_REMAPPING_ENABLE | QUEUED_INVALIDATION_ENABLE);
    assertThat(machine.submit(InvalidationDescriptorLayout.INTERRUPT_ENTRY, 0)).isTrue();
    machine.device.dma().sendMessage(remappable, 0, machine.host.simulation().nowPs());
    machine.core.delay(10_000_000);
    assertThat(machine.host.interrupts().messagesTotal()).isEqualTo(2);
  }

  @Test
  void shouldKeepDevicesOutOfProtectedMemoryUntilTranslationIsOn() {
    machine.write4(PLMBASE, (int) DATA);
    machine.write4(PLMLIMIT, (int) DATA);
    machine.write4(PMEN, PMEN_ENABLE);
    assertRefused(machine.write(DATA, 1));
    assertRefused(machine.read(DATA));
    assertOk(machine.write(DATA + (2 << 20), 1));
    assertThat(machine.data(0)).isZero();
    assertThat(machine.iommu.protectedRefusalsTotal()).isEqualTo(2);
    assertThat(machine.iommu.faults().faultsTotal()).isZero();
    machine.legacy(0);
    assertOk(machine.write(IOVA, 1));
    assertThat(machine.data(0)).isEqualTo(1);
  }

  private void writeTranslated(int value) {
    long nowPs = machine.host.simulation().nowPs();
    machine.device.translating().write(IOVA, new byte[] {(byte) value}, 0, 1, nowPs);
    machine.core.delay(10_000_000);
  }

  @Test
  void shouldTakeTranslationsBackFromDevices() {
    machine.legacy(1);
    writeTranslated(1);
    assertThat(machine.data(0)).isEqualTo(1);
    unmap(IOVA);
    machine.submit(IOTLB_GLOBAL, 0);
    writeTranslated(2); // The device has the address in its own cache.
    assertThat(machine.data(0)).isEqualTo(2);
    long deviceTlb = InvalidationDescriptorLayout.DEVICE_TLB | (long) machine.deviceId << 32;
    assertThat(machine.submit(deviceTlb, 0x5000)).isTrue();
    writeTranslated(3);
    assertThat(machine.data(0)).isEqualTo(3); // That was another page.
    assertThat(machine.submit(deviceTlb, IOVA)).isTrue();
    writeTranslated(4);
    assertThat(machine.data(0)).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldReportADeviceThatKeepsItsTranslation(boolean isThere) {
    machine.legacy(1);
    machine.device.answersInvalidations = false;
    int sourceId = isThere ? machine.deviceId : 0xFF00;
    long deviceTlb = InvalidationDescriptorLayout.DEVICE_TLB | (long) sourceId << 32;
    assertThat(machine.submit(deviceTlb, IOVA)).isFalse();
    assertThat(machine.read4(FSTS)).isEqualTo(FSTS_TIMEOUT_ERROR);
    assertThat(machine.read8(IQERCD)).isEqualTo((long) sourceId << 32);
    machine.write4(FSTS, FSTS_TIMEOUT_ERROR);
    assertThat(machine.submit(IOTLB_GLOBAL, 0)).isTrue();
  }

  @Test
  void shouldTakePageRequestsToSoftwareAndTheAnswerBack() {
    machine.scalable();
    machine.write8(PQH, 0);
    machine.write8(PQT, 0);
    machine.write8(PQA, PAGE_REQUESTS);
    machine.usePasid(true);
    long nowPs = machine.host.simulation().nowPs();
    machine.device.dma().requestPage(0x5000, true, false, true, 9, nowPs);
    machine.core.delay(10_000_000);

    assertThat(machine.read4(PRS)).isEqualTo(PRS_PENDING);
    assertThat(machine.read8(PQT)).isEqualTo(32);
    long word0 = machine.core.load(PAGE_REQUESTS, 8);
    assertThat(word0 >>> PageRequestLayout.REQUESTER_SHIFT & 0xFFFF).isEqualTo(machine.deviceId);
    assertThat(word0 >>> PageRequestLayout.PASID_SHIFT & 0xFFFFF).isEqualTo(PASID);
    assertThat(machine.core.load(PAGE_REQUESTS + 8, 8)).isEqualTo(0x5000 | 9 << 3 | 0b101);
    assertThat(machine.device.responses).isEmpty();

    machine.write8(PQH, 32);
    long response =
        InvalidationDescriptorLayout.PAGE_GROUP_RESPONSE
            | InvalidationDescriptorLayout.RESPONSE_PASID_PRESENT
            | (long) machine.deviceId << 16
            | (long) PASID << 32;
    assertThat(machine.submit(response, 9 << 3 | 4)).isTrue();
    assertThat(machine.device.responses).containsExactly(new TestDevice.Response(PASID, 9, 0));
  }

  @Test
  void shouldRefusePageRequestsWhileNothingIsTranslated() {
    long nowPs = machine.host.simulation().nowPs();
    machine.device.dma().requestPage(0x5000, true, false, true, 9, nowPs);
    machine.core.delay(10_000_000);
    assertThat(machine.device.responses).extracting(TestDevice.Response::code).containsExactly(1);
    assertThat(machine.iommu.faults().faultsTotal()).isZero();
  }

  @Test
  void shouldRefusePageRequestsOfAUnitWithoutThem() {
    TestMachine without = new TestMachine(IommuPresets.BDW).legacy(1);
    long nowPs = without.host.simulation().nowPs();
    without.device.dma().requestPage(0x5000, true, false, true, 9, nowPs);
    without.core.delay(10_000_000);
    assertThat(without.device.responses).extracting(TestDevice.Response::code).containsExactly(1);
    assertThat(without.iommu.pageRefusalsTotal()).isEqualTo(1);
  }

  @Test
  void shouldShowTheIovaOfARequestInTheRecordNotThePhysicalAddress() {
    machine.scalable();
    machine.usePasid(true);
    assertRefused(machine.write(0x12_3456, 1));
    assertThat(machine.read8(FRCD)).isEqualTo(0x12_3000);
    assertThat(machine.read8(FRCD + 8) >>> 40 & 0xFFFFF).isEqualTo(PASID);
  }

  @Test
  void shouldMakeTheSameOfTheSame() {
    assertThat(play()).isEqualTo(play());
  }

  private static List<Long> play() {
    TestMachine machine = new TestMachine().scalable();
    List<Long> times = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      machine.write(IOVA + (i % 3) * 0x1000L, i);
      machine.submit(IOTLB_PAGE, IOVA + (i % 5) * 0x1000L);
      times.add(machine.core.nowPs());
      times.add(machine.iommu.faults().droppedTotal());
    }
    times.add(machine.host.simulation().eventsTotal());
    return times;
  }

  @Test
  void shouldCostNoEventToInvalidate() {
    machine.legacy(0);
    long before = machine.host.simulation().eventsTotal();
    machine.submit(IOTLB_PAGE, IOVA);
    assertThat(machine.host.simulation().eventsTotal()).isEqualTo(before);
    assertThat(machine.host.memory().getInt(STATUS)).isEqualTo(2);
  }

  @Test
  void shouldNameItsCounters() {
    machine.legacy(0);
    machine.write(IOVA, 1);
    machine.write(0x7000, 1);
    StatsRegistry registry = new StatsRegistry();
    machine.iommu.registerCounters(registry, "iommu");
    assertThat(registry.value("iommu.lookups_count")).isEqualTo(2);
    assertThat(registry.value("iommu.iotlb_misses_count")).isEqualTo(2);
    assertThat(registry.value("iommu.faults_count")).isEqualTo(1);
    assertThat(registry.names()).hasSize(27).allMatch(n -> n.matches("iommu\\..*_(count|ps)"));
  }

  @Test
  void shouldBelongToOneHost() {
    IommuFactory factory = new IommuFactory(IommuPresets.BDW);
    assertThatIllegalStateException()
        .isThrownBy(factory::iommu)
        .withMessage("there is no IOMMU yet: name=xeon-e5-bdw");
    new Host(HostConfig.IDEAL, 1, factory);
    assertThat(factory.iommu().config()).isSameAs(IommuPresets.BDW);
    assertThatIllegalStateException()
        .isThrownBy(() -> new Host(HostConfig.IDEAL, 1, factory))
        .withMessage("there is an IOMMU already: name=xeon-e5-bdw");
  }
}
