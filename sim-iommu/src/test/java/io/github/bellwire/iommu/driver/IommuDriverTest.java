package io.github.bellwire.iommu.driver;

import static io.github.bellwire.dma.DmaDirection.BIDIRECTIONAL;
import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.ReservedRegion;
import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.iommu.layout.SecondLevelLayout;
import io.github.bellwire.iommu.queue.RegisterConfig;
import io.github.bellwire.pcie.Bdf;
import io.github.bellwire.pcie.DmaStatus;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which device gets which domain, and what that lets it reach. */
class IommuDriverTest {
  private static final byte[] BYTES = {1, 2, 3, 4};

  @ParameterizedTest
  @EnumSource(
      value = MappingPolicy.class,
      names = {"PASSTHROUGH", "LAZY", "STRICT"})
  void shouldBounceForADeviceThatIsNotTrustedWhateverIsAskedFor(MappingPolicy policy) {
    PolicyMachine machine =
        new PolicyMachine(policy, IommuDriverConfig.LINUX_6_12, DeviceTraits.EXTERNAL);
    long pa = machine.host.pages().allocate(4096);
    machine.port.store(pa, 4, 0x0404_0404);
    machine.port.store(pa + 2048, 4, 0x0505_0505);

    long iova = machine.dma.mapSingle(machine.port, pa, 2048, BIDIRECTIONAL);

    assertThat(machine.domain().policy()).isEqualTo(MappingPolicy.STRICT_BOUNCE);
    byte[] neighbour = new byte[4];
    assertThat(machine.device.read(iova + 2048, neighbour, machine.nowPs()))
        .isEqualTo(DmaStatus.OK);
    assertThat(neighbour).containsOnly(0);
    machine.device.write(iova + 2048, BYTES, machine.nowPs());
    machine.port.delay(2_000_000);
    machine.dma.unmapSingle(machine.port, iova, 2048, BIDIRECTIONAL);
    assertThat(machine.port.load(pa + 2048, 4)).isEqualTo(0x0505_0505);
    assertThat(machine.host.bounceBuffers().bytesToBounce()).isEqualTo(2048);
    assertThat(machine.host.bounceBuffers().bytesFromBounce()).isEqualTo(2048);
  }

  @Test
  void shouldLetDevicesOfOneDomainReachEachOthersBuffersAndNoOthers() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    long iova = machine.mapPages(1, TO_DEVICE).get(0);
    int other = machine.otherDevice.requesterId();
    machine.driver.attach(machine.port, other, machine.domain(), DeviceTraits.INTERNAL);

    assertThat(machine.otherDevice.read(iova, new byte[4], machine.nowPs()))
        .isEqualTo(DmaStatus.OK);

    machine.driver.detach(machine.port, other);
    assertThat(machine.otherDevice.read(iova, new byte[4], machine.nowPs()))
        .isNotEqualTo(DmaStatus.OK);
    machine.driver.attach(machine.port, other, MappingPolicy.STRICT);
    assertThat(machine.otherDevice.read(iova, new byte[4], machine.nowPs()))
        .isNotEqualTo(DmaStatus.OK);
    assertThat(machine.iommu.faults().faultsTotal(FaultReason.CONTEXT_ENTRY_NOT_PRESENT))
        .isEqualTo(1);
    assertThat(machine.iommu.faults().faultsTotal(FaultReason.READ_DENIED)).isEqualTo(1);
    assertThat(machine.device.read(iova, new byte[4], machine.nowPs())).isEqualTo(DmaStatus.OK);
  }

  @ParameterizedTest
  @EnumSource(
      value = MappingPolicy.class,
      names = {"PASSTHROUGH", "LAZY", "STRICT", "STRICT_BOUNCE"})
  void shouldReachNothingOnceDetachedEvenIfTheHardwareHasCachedTheDevice(MappingPolicy policy) {
    PolicyMachine machine = new PolicyMachine(policy);
    long pa = machine.host.pages().allocate(4096);
    long iova = machine.dma.mapSingle(machine.port, pa, 4096, BIDIRECTIONAL);
    // Its context entry and the translation are in the caches from here on.
    assertThat(machine.device.read(iova, new byte[4], machine.nowPs())).isEqualTo(DmaStatus.OK);
    machine.port.delay(2_000_000);
    machine.port.store(pa, 4, 0x0404_0404);

    machine.driver.detach(machine.port, machine.device.requesterId());

    assertThat(machine.device.read(iova, new byte[4], machine.nowPs())).isNotEqualTo(DmaStatus.OK);
    machine.device.write(iova, BYTES, machine.nowPs());
    machine.port.delay(2_000_000);
    assertThat(machine.port.load(pa, 4)).isEqualTo(0x0404_0404);
    assertThat(machine.iommu.faults().faultsTotal(FaultReason.CONTEXT_ENTRY_NOT_PRESENT))
        .isEqualTo(2);
  }

  @Test
  void shouldMapReservedMemoryToItselfAndHandOutNoneOfItsAddresses() {
    Bdf device = new Bdf(1, 0, 0);
    List<ReservedRegion> announced =
        List.of(
            new ReservedRegion(device, 0x7000_0000L, 0x2000),
            new ReservedRegion(new Bdf(2, 0, 0), 0x7000_2000L, 0x1000));
    PolicyMachine machine =
        new PolicyMachine(
            MappingPolicy.STRICT,
            IommuDriverConfig.LINUX_6_12,
            DeviceTraits.INTERNAL.withReservedRegions(device, announced));
    assertThat(machine.device.requesterId()).isEqualTo(device.requesterId());

    assertThat(machine.device.write(0x7000_1FFC, BYTES, machine.nowPs())).isEqualTo(DmaStatus.OK);
    assertThat(machine.device.read(0x7000_1FFC, new byte[4], machine.nowPs()))
        .isEqualTo(DmaStatus.OK);
    assertThat(machine.device.write(0x7000_2000, BYTES, machine.nowPs()))
        .isNotEqualTo(DmaStatus.OK);
    assertThat(machine.domain().iovas().rangesCount()).isEqualTo(2);
  }

  @Test
  void shouldStayBelow4GibUntilThatIsUsedUpAndAboveEverAfter() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    machine.domain().iovas().reserve(1, 0xFFFFB);
    List<Long> iovas = machine.mapPages(4, TO_DEVICE);
    assertThat(iovas).containsExactly(0xFFFF_F000L, 0xFFFF_E000L, 0xFFFF_D000L, 0xFFFF_C000L);
    assertThat(machine.translated().isAbove4GiB()).isFalse();

    assertThat(machine.mapPages(1, TO_DEVICE)).containsExactly(0xFFFF_FFFF_F000L);
    assertThat(machine.translated().isAbove4GiB()).isTrue();
    machine.dma.unmapSingle(machine.port, iovas.get(0), 4096, TO_DEVICE);
    // It is in the cache of the core: last in, first out. Then from the top again.
    assertThat(machine.mapPages(2, TO_DEVICE)).containsExactly(0xFFFF_F000L, 0xFFFF_FFFF_E000L);

    // A device with 32 bits has no other place to go, and needs no bounce buffer for that.
    DmaDevice narrow = machine.host.newDmaDevice(machine.mapper);
    long pa = machine.host.pages().allocate(4096);
    assertThat(pa).isGreaterThan(0xFFFF_FFFFL);
    assertThat(narrow.mapSingle(machine.port, pa, 4096, TO_DEVICE))
        .isEqualTo(DmaDevice.MAPPING_ERROR);
    assertThat(machine.translated().statistics().refusedCount()).isEqualTo(1);
    machine.dma.unmapSingle(machine.port, iovas.get(1), 4096, TO_DEVICE);
    assertThat(narrow.mapSingle(machine.port, pa, 4096, TO_DEVICE)).isEqualTo(0xFFFF_E000L);
    assertThat(narrow.bouncedMapsCount()).isZero();
  }

  @Test
  void shouldGoHighAtOnceIfItIsTold() {
    PolicyMachine machine =
        new PolicyMachine(
            MappingPolicy.LAZY,
            IommuDriverConfig.LINUX_6_12.withTriesBelow4GiB(false).withLevels(5),
            DeviceTraits.INTERNAL);

    long iova = machine.mapPages(1, FROM_DEVICE).get(0);
    assertThat(iova).isEqualTo((1L << 57) - 4096);
    assertThat(machine.device.write(iova, BYTES, machine.nowPs())).isEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldMapLargeBuffersByLargePages() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    long pa = machine.host.pages().allocate(2 << 20);
    long iova = machine.dma.mapSingle(machine.port, pa, 2 << 20, FROM_DEVICE);
    assertThat(machine.domain().tables().tablesCount()).isEqualTo(3);
    assertThat(machine.device.write(iova + (1 << 20), BYTES, machine.nowPs()))
        .isEqualTo(DmaStatus.OK);
    machine.dma.unmapSingle(machine.port, iova, 2 << 20, FROM_DEVICE);
    assertThat(machine.device.write(iova + (1 << 20), BYTES, machine.nowPs()))
        .isNotEqualTo(DmaStatus.OK);
    assertThat(machine.dma.optimalMappingBytes()).isEqualTo(128 << 10);
  }

  @Test
  void shouldGiveTablesAndNumbersOfDetachedDevicesBack() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    int other = machine.otherDevice.requesterId();
    long free = machine.host.pages().freeBytes();

    // The hardware tells 65535 domains apart; the number after the last has reserved bits set.
    for (int i = 0; i < 70_000; i++) {
      MappingPolicy policy = i % 1000 == 0 ? MappingPolicy.STRICT : MappingPolicy.PASSTHROUGH;
      machine.driver.attach(machine.port, other, policy);
      machine.driver.detach(machine.port, other);
    }

    IommuMapper mapper =
        (IommuMapper) machine.driver.attach(machine.port, other, MappingPolicy.STRICT);
    long pa = machine.host.pages().allocate(4096);
    long iova = mapper.map(machine.port, pa, 4096, TO_DEVICE, -1L);
    assertThat(mapper.domain().id()).isEqualTo(2);
    assertThat(machine.otherDevice.read(iova, new byte[4], machine.nowPs()))
        .isEqualTo(DmaStatus.OK);
    machine.driver.detach(machine.port, other);
    machine.host.pages().free(pa, 4096);
    // One table of context entries may have come, no table of a domain may stay.
    assertThat(free - machine.host.pages().freeBytes()).isLessThanOrEqualTo(4096);
    assertThatIllegalStateException()
        .isThrownBy(() -> mapper.unmap(machine.port, iova, 4096, TO_DEVICE));
  }

  @Test
  void shouldMakeNoMoreDomainsThanTheHardwareTellsApart() {
    RegisterConfig registers = PolicyMachine.IOMMU.registers();
    RegisterConfig few =
        new RegisterConfig(
            registers.baseAddress(),
            registers.version(),
            registers.faultRecordsCount(),
            4,
            registers.hasProtectedMemory(),
            registers.hasPageRequests());
    Host host =
        new Host(
            HostConfig.GEN4_SERVER, 1, new IommuFactory(PolicyMachine.IOMMU.withRegisters(few)));
    host.enumerate();
    CpuPort port = host.synchronousPort(0);
    IommuDriver driver =
        new IommuDriver(host, RegisterLayout.BASE_ADDRESS, IommuDriverConfig.LINUX_6_12, List.of());
    driver.start(port, false);
    // Four bits, and 0 is nobody's.
    List<DmaDomain> domains = new ArrayList<>();
    for (int i = 1; i <= 15; i++) {
      domains.add(driver.newDomain(port, MappingPolicy.STRICT));
    }

    assertThatIllegalStateException()
        .isThrownBy(() -> driver.newDomain(port, MappingPolicy.STRICT))
        .withMessage("the IOMMU tells no more domains apart: max=15");
    assertThatIllegalStateException()
        .isThrownBy(() -> driver.attach(port, 0x100, MappingPolicy.PASSTHROUGH));
    DmaDomain ended = domains.get(6);
    driver.destroy(port, ended);
    assertThat(driver.newDomain(port, MappingPolicy.STRICT).id()).isEqualTo(7);
    assertThatIllegalStateException().isThrownBy(() -> driver.destroy(port, ended));
    assertThatIllegalStateException()
        .isThrownBy(() -> driver.attach(port, 0x100, ended, DeviceTraits.INTERNAL));
    driver.attach(port, 0x100, domains.get(0), DeviceTraits.INTERNAL);
    assertThatIllegalStateException().isThrownBy(() -> driver.destroy(port, domains.get(0)));
  }

  /** A core that reads CAP as that of a virtual IOMMU. */
  private static CpuPort inVirtualMachine(CpuPort port) {
    return (CpuPort)
        Proxy.newProxyInstance(
            CpuPort.class.getClassLoader(),
            new Class<?>[] {CpuPort.class},
            (proxy, method, arguments) -> {
              Object result = method.invoke(port, arguments);
              boolean isCapability =
                  method.getName().equals("mmioRead")
                      && arguments[0].equals(RegisterLayout.BASE_ADDRESS + RegisterLayout.CAP);
              return isCapability ? (Long) result | RegisterLayout.CAP_CACHING_MODE : result;
            });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldBeStrictInAVirtualMachineWhereLazyIsAskedFor(boolean isVirtual) {
    Host host = new Host(HostConfig.GEN4_SERVER, 1, new IommuFactory(PolicyMachine.IOMMU));
    host.enumerate();
    CpuPort port = host.synchronousPort(0);
    IommuDriver driver =
        new IommuDriver(host, RegisterLayout.BASE_ADDRESS, IommuDriverConfig.LINUX_6_12, List.of());

    driver.start(isVirtual ? inVirtualMachine(port) : port, false);

    assertThat(driver.newDomain(port, MappingPolicy.LAZY).policy())
        .isEqualTo(isVirtual ? MappingPolicy.STRICT : MappingPolicy.LAZY);
    assertThat(driver.newDomain(port, MappingPolicy.STRICT_BOUNCE).policy())
        .isEqualTo(MappingPolicy.STRICT_BOUNCE);
  }

  private static DeviceTraits reserving(long firstIova, long lastIova) {
    return new DeviceTraits(false, false, List.of(new IovaRange(firstIova, lastIova)));
  }

  @Test
  void shouldNotMapReservedMemoryOverWhatAnotherDeviceHasMapped() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    int other = machine.otherDevice.requesterId();
    DmaDomain domain = machine.domain();
    long pa = machine.host.pages().allocate(4096);
    machine.port.store(pa, 4, 0x04030201);
    long iova = machine.dma.mapSingle(machine.port, pa, 4096, TO_DEVICE);

    assertThatIllegalStateException()
        .isThrownBy(
            () ->
                machine.driver.attach(
                    machine.port, other, domain, reserving(iova - 4096, iova + 4095)));

    byte[] read = new byte[4];
    assertThat(machine.device.read(iova, read, machine.nowPs())).isEqualTo(DmaStatus.OK);
    assertThat(read).isEqualTo(BYTES);
    // Next to it is free; and two devices may share what is reserved for both.
    machine.driver.attach(machine.port, other, domain, reserving(iova - 8192, iova - 1));
    machine.driver.detach(machine.port, other);
    DeviceTraits traits = reserving(0x7000_0000L, 0x7000_0FFFL);
    machine.driver.attach(machine.port, other, domain, traits);
    machine.driver.detach(machine.port, other);
    machine.driver.attach(machine.port, other, domain, traits);
    assertThat(machine.otherDevice.read(0x7000_0000L, read, machine.nowPs()))
        .isEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldInvalidateTablesInWhosePlaceALargePageOfReservedMemoryComes() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    int other = machine.otherDevice.requesterId();
    DmaDomain domain = machine.domain();
    // Not aligned in host memory: 4 KiB entries in a table of their own, which is left empty.
    long pa = machine.host.pages().allocate(4096);
    TableList none = new TableList();
    long iova = 0x4000_0000L;
    domain.tables().tryMap(machine.port, iova, pa, 4096, SecondLevelLayout.READ, none);
    domain.tables().unmap(machine.port, iova, 4096, none);
    int tables = domain.tables().tablesCount();
    long flushes = machine.driver.domainInvalidationsCount();

    machine.driver.attach(machine.port, other, domain, reserving(iova, iova + (2 << 20) - 1));

    assertThat(domain.tables().tablesCount()).isEqualTo(tables - 1);
    assertThat(machine.driver.domainInvalidationsCount() - flushes).isEqualTo(1);
  }

  /** A map of 4 MiB for which there is memory for one of two tables. */
  private static void mapHalf(PolicyMachine machine) {
    machine.mapPages(1, FROM_DEVICE); // The tables of all levels are there, one of the lowest.
    long pa = machine.host.pages().allocate(8 << 20) + 4096; // no larger pages
    long onePage = machine.host.pages().allocate(4096);
    for (int bytes = 1 << 30; bytes >= 4096; bytes /= 2) {
      while (machine.host.pages().allocate(bytes) != PageAllocator.NO_MEMORY) {}
    }
    machine.host.pages().free(onePage, 4096);
    assertThat(machine.dma.mapSingle(machine.port, pa, 4 << 20, FROM_DEVICE))
        .isEqualTo(DmaDevice.MAPPING_ERROR);
  }

  @Test
  void shouldFlushWhatALazyMapHasTakenBackBeforeItsAddressesAreUsedAgain() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.LAZY);

    mapHalf(machine);

    assertThat(machine.domain().pendingUnmaps(0)).isEqualTo(1);
    machine.port.delay(11_000_000_000L); // The flush queue waits for 10 ms.
    assertThat(machine.domain().pendingUnmaps(0)).isZero();
  }

  @Test
  void shouldQuarantineWhatAMapHasTakenBackIfTheHardwareIsDead() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    machine.port.mmioWrite(
        RegisterLayout.BASE_ADDRESS + RegisterLayout.GCMD,
        4,
        RegisterLayout.TRANSLATION_ENABLE & 0xffff_ffffL);

    mapHalf(machine);

    assertThat(machine.translated().statistics().quarantinedPages()).isEqualTo(1024);
  }

  @Test
  void shouldShareCoherentMemory() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT_BOUNCE);
    CoherentBuffer ring =
        Objects.requireNonNull(machine.dma.allocateCoherent(machine.port, 1000), "ring");

    assertThat(machine.device.write(ring.iova() + 8, BYTES, machine.nowPs()))
        .isEqualTo(DmaStatus.OK);
    machine.port.delay(2_000_000);
    assertThat(machine.port.load(ring.pa() + 8, 4)).isEqualTo(0x04030201);
    assertThat(machine.host.bounceBuffers().allocationsCount()).isZero();
    machine.dma.freeCoherent(machine.port, ring);
    assertThat(machine.device.write(ring.iova() + 8, BYTES, machine.nowPs()))
        .isNotEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldLetOnlyTheDeviceOfAnEntryRaiseItsInterrupt() {
    IommuFactory factory = new IommuFactory(PolicyMachine.IOMMU);
    Host host = new Host(HostConfig.GEN4_SERVER, 1, factory);
    BusMaster device = new BusMaster();
    BusMaster forger = new BusMaster();
    host.attach(device);
    host.attach(forger);
    device.enable(host.enumerate().get(0));
    forger.enable(host.enumerate().get(1));
    IommuDriver driver =
        new IommuDriver(host, RegisterLayout.BASE_ADDRESS, IommuDriverConfig.LINUX_6_12, List.of());
    driver.start(host.synchronousPort(0), true);
    InterruptVector vector = host.interrupts().allocate(host.core(3), null);
    IommuDriver.RemappedMessage message =
        driver.remapInterrupt(host.synchronousPort(0), device.requesterId(), vector);
    byte[] data = new byte[4];

    device.write(message.address(), data, host.simulation().nowPs());
    host.synchronousPort(0).delay(3_000_000);
    assertThat(vector.raisedTotal()).isEqualTo(1);
    forger.write(message.address(), data, host.simulation().nowPs());
    device.write(
        vector.address(), new byte[] {(byte) vector.data(), 0, 0, 0}, host.simulation().nowPs());
    host.synchronousPort(0).delay(3_000_000);
    assertThat(vector.raisedTotal()).isEqualTo(1);
    assertThat(factory.iommu().faults().faultsTotal()).isEqualTo(2);
  }

  @Test
  void shouldRefuseWhatMakesNoSense() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.PASSTHROUGH);
    int other = machine.otherDevice.requesterId();
    assertThat(machine.mapper).isSameAs(DmaMapper.IDENTITY);
    assertThatIllegalStateException().isThrownBy(() -> machine.driver.start(machine.port, false));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> machine.driver.attach(machine.port, other, MappingPolicy.OFF));
    assertThatIllegalStateException()
        .isThrownBy(
            () ->
                machine.driver.attach(
                    machine.port, machine.device.requesterId(), MappingPolicy.LAZY));
    assertThatIllegalStateException().isThrownBy(() -> machine.driver.detach(machine.port, other));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> machine.driver.newDomain(machine.port, MappingPolicy.PASSTHROUGH));
    DmaDomain strict = machine.driver.newDomain(machine.port, MappingPolicy.STRICT);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> machine.driver.attach(machine.port, other, strict, DeviceTraits.EXTERNAL));
    InterruptVector vector = machine.host.interrupts().allocate(machine.host.core(0), null);
    assertThatIllegalStateException()
        .isThrownBy(() -> machine.driver.remapInterrupt(machine.port, other, vector));
  }
}
