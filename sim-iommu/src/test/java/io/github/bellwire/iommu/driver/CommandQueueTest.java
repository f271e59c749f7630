package io.github.bellwire.iommu.driver;

import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.DEVICE_TLB;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.IOTLB;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.WAIT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.pcie.DmaStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is put into the queue, and what happens when the hardware does not like it. */
class CommandQueueTest {
  private static final DeviceTraits CACHING = new DeviceTraits(false, true, List.of());
  private static final long MS = 1_000_000_000L;

  private static PolicyMachine machine(IommuDriverConfig config, MappingPolicy policy) {
    PolicyMachine machine = new PolicyMachine(policy, config, CACHING);
    machine.device.answerPs = 100_000;
    return machine;
  }

  private static long done(PolicyMachine machine, int type) {
    return machine.iommu.invalidationQueue().descriptorsTotal(type);
  }

  @Test
  void shouldPutTheCommandsOfAnUnmapIntoOneBatch() {
    PolicyMachine machine = machine(IommuDriverConfig.LINUX_6_12, MappingPolicy.STRICT);
    machine.otherDevice.answerPs = 0;
    machine.driver.attach(
        machine.port, machine.otherDevice.requesterId(), machine.domain(), CACHING);
    long iova = machine.mapPages(1, TO_DEVICE).get(0);
    long submissions = machine.driver.submissionsCount();
    long waits = done(machine, WAIT);

    machine.dma.unmapSingle(machine.port, iova, 4096, TO_DEVICE);

    assertThat(machine.driver.submissionsCount() - submissions).isEqualTo(1);
    assertThat(done(machine, WAIT) - waits).isEqualTo(1);
    assertThat(done(machine, DEVICE_TLB)).isEqualTo(2);
    String page = Long.toHexString(iova) + "+1000";
    assertThat(machine.device.invalidations).containsExactly(page);
    assertThat(machine.otherDevice.invalidations).containsExactly(page);
  }

  @Test
  void shouldWaitForEachCommandByItselfInAnOldKernel() {
    PolicyMachine machine = machine(IommuDriverConfig.LINUX_6_0, MappingPolicy.STRICT);
    long iova = machine.mapPages(1, TO_DEVICE).get(0);
    long submissions = machine.driver.submissionsCount();

    machine.dma.unmapSingle(machine.port, iova, 4096, TO_DEVICE);

    assertThat(machine.driver.submissionsCount() - submissions).isEqualTo(2);
    assertThat(done(machine, DEVICE_TLB)).isEqualTo(1);
  }

  @Test
  void shouldNameTheSameRangeToDevices() {
    PolicyMachine machine = machine(IommuDriverConfig.LINUX_6_12, MappingPolicy.STRICT);
    long pa = machine.host.pages().allocate(1 << 15);
    long iova = machine.dma.mapSingle(machine.port, pa, 1 << 15, TO_DEVICE);
    machine.dma.unmapSingle(machine.port, iova, 1 << 15, TO_DEVICE);
    iova = machine.dma.mapSingle(machine.port, pa, 1 << 13, TO_DEVICE);
    machine.dma.unmapSingle(machine.port, iova, 1 << 13, TO_DEVICE);

    assertThat(machine.device.invalidations).containsExactly("ffff8000+8000", "ffff6000+2000");
  }

  @Test
  void shouldTellDevicesToForgetEverythingWhenADomainIsFlushed() {
    PolicyMachine machine = machine(IommuDriverConfig.LINUX_6_12, MappingPolicy.LAZY);
    long iova = machine.mapPages(1, TO_DEVICE).get(0);
    machine.dma.unmapSingle(machine.port, iova, 4096, TO_DEVICE);
    assertThat(machine.device.invalidations).isEmpty();
    machine.port.delay(11 * MS);

    assertThat(machine.device.invalidations).hasSize(1);
    // All of 64 bits of address: the largest size that the message can name.
    assertThat(machine.device.invalidations.get(0)).startsWith("0+");
  }

  @Test
  void shouldGoOnWhenADeviceDoesNotAnswer() {
    PolicyMachine machine = machine(IommuDriverConfig.LINUX_6_12, MappingPolicy.STRICT);
    machine.device.answerPs = -1;
    List<Long> iovas = machine.mapPages(2, TO_DEVICE);
    long startPs = machine.nowPs();

    machine.dma.unmapSingle(machine.port, iovas.get(0), 4096, TO_DEVICE);

    // The hardware gives up after 10 ms; software looks each millisecond.
    assertThat(machine.nowPs() - startPs).isBetween(10 * MS, 12 * MS);
    assertThat(machine.driver.queueErrorsCount()).isEqualTo(1);
    machine.device.answerPs = 0;
    startPs = machine.nowPs();
    machine.dma.unmapSingle(machine.port, iovas.get(1), 4096, TO_DEVICE);
    assertThat(machine.nowPs() - startPs).isLessThan(MS / 100);
    assertThat(machine.driver.queueErrorsCount()).isEqualTo(1);
  }

  @Test
  void shouldReplaceACommandThatTheHardwareRefuses() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    long iova = machine.mapPages(1, TO_DEVICE).get(0);
    // Somebody has damaged the ring behind the tail: a wait for nothing, then type 0.
    long ringPa = ringPa(machine);
    long tail = tail(machine.port);
    machine.host.memory().put(ringPa + tail, 8, WAIT);
    machine.host.memory().put(ringPa + tail + 16, 8, 0);
    long iotlb = done(machine, IOTLB);
    machine.port.mmioWrite(RegisterLayout.BASE_ADDRESS + RegisterLayout.IQT, 8, tail + 32);

    // The command goes where the hardware has been already, the wait where it has stopped.
    machine.dma.unmapSingle(machine.port, iova, 4096, TO_DEVICE);

    assertThat(machine.driver.queueErrorsCount()).isEqualTo(1);
    assertThat(done(machine, IOTLB) - iotlb).isEqualTo(1);
    assertThat(machine.driver.unansweredCount()).isZero();
    long next = machine.mapPages(1, TO_DEVICE).get(0);
    machine.dma.unmapSingle(machine.port, next, 4096, TO_DEVICE);
    assertThat(machine.device.read(next, new byte[4], machine.nowPs())).isNotEqualTo(DmaStatus.OK);
  }

  private static long ringPa(PolicyMachine machine) {
    return machine.port.mmioRead(RegisterLayout.BASE_ADDRESS + RegisterLayout.IQA, 8) & ~0xfffL;
  }

  private static long tail(CpuPort port) {
    return port.mmioRead(RegisterLayout.BASE_ADDRESS + RegisterLayout.IQT, 8);
  }

  @Test
  void shouldRepeatTheWholeBatchWithoutTheDeviceThatDoesNotAnswer() {
    PolicyMachine machine = machine(IommuDriverConfig.LINUX_6_12, MappingPolicy.STRICT);
    machine.device.answerPs = -1;
    machine.otherDevice.answerPs = 0;
    machine.driver.attach(
        machine.port, machine.otherDevice.requesterId(), machine.domain(), CACHING);
    long iova = machine.mapPages(1, TO_DEVICE).get(0);
    long iotlb = done(machine, IOTLB);

    machine.dma.unmapSingle(machine.port, iova, 4096, TO_DEVICE);

    assertThat(machine.driver.queueErrorsCount()).isEqualTo(1);
    assertThat(done(machine, IOTLB) - iotlb).isEqualTo(2);
    assertThat(machine.device.invalidations).hasSize(1);
    assertThat(machine.otherDevice.invalidations).hasSize(2);
    assertThat(machine.driver.unansweredCount()).isZero();
  }

  /** How long the unmaps of two cores at the same time take, the first with a silent device. */
  private static long[] unmapOnTwoCores(
      PolicyMachine machine, long betweenPs, Consumer<CpuPort> meanwhile) {
    machine.device.answerPs = -1;
    machine.otherDevice.answerPs = 0;
    IommuMapper other =
        machine.driver.attach(
            machine.port,
            machine.otherDevice.requesterId(),
            machine.driver.newDomain(machine.port, MappingPolicy.STRICT),
            CACHING);
    long pa = machine.host.pages().allocate(4096);
    long iova = machine.mapPages(1, TO_DEVICE).get(0);
    long otherIova = other.map(machine.port, pa, 4096, TO_DEVICE, -1L);
    long startPs = machine.nowPs() + MS;
    long[] tookPs = new long[2];
    machine.onCoreLater(
        1,
        startPs,
        core -> {
          machine.mapper.unmap(core, iova, 4096, TO_DEVICE);
          tookPs[0] = core.nowPs() - startPs;
        });
    machine.onCoreLater(
        2,
        startPs + betweenPs,
        core -> {
          other.unmap(core, otherIova, 4096, TO_DEVICE);
          tookPs[1] = core.nowPs() - startPs - betweenPs;
        });
    machine.onCoreLater(3, startPs + 5 * MS, meanwhile);
    machine.host.simulation().runUntil(startPs + 3000 * MS);
    return tookPs;
  }

  @ParameterizedTest
  @ValueSource(longs = {-100_000, 100_000, MS / 2})
  void shouldLoseNoWaitWhicheverCoreFindsTheDeviceSilent(long betweenPs) {
    PolicyMachine machine = machine(IommuDriverConfig.LINUX_6_12, MappingPolicy.STRICT);

    long[] tookPs = unmapOnTwoCores(machine, betweenPs, core -> {});

    // The hardware gives up after 10 ms; each core looks each millisecond.
    assertThat(tookPs[0]).isBetween(10 * MS, 13 * MS);
    assertThat(tookPs[1]).isLessThan(13 * MS);
    assertThat(machine.driver.queueErrorsCount()).isEqualTo(1);
    assertThat(machine.driver.unansweredCount()).isZero();
    assertThat(machine.otherDevice.invalidations).isNotEmpty();
  }

  @Test
  void shouldRepeatWhatIsRefusedBehindADeviceThatDoesNotAnswer() {
    PolicyMachine machine = machine(IommuDriverConfig.LINUX_6_12, MappingPolicy.STRICT);
    long ringPa = ringPa(machine);
    long iotlb = done(machine, IOTLB);

    // While the hardware is stuck, the command of the second core is damaged: type 0.
    long[] tookPs =
        unmapOnTwoCores(
            machine,
            100_000,
            core -> {
              long tail = tail(core);
              machine.host.memory().put(ringPa + tail - 3 * 16, 8, 0);
            });

    assertThat(tookPs[0]).isBetween(10 * MS, 14 * MS);
    assertThat(tookPs[1]).isBetween(10 * MS, 14 * MS);
    assertThat(machine.driver.queueErrorsCount()).isEqualTo(2);
    // Once and again for the first core, once, instead of what was refused, for the second.
    assertThat(done(machine, IOTLB) - iotlb).isEqualTo(3);
    assertThat(machine.otherDevice.invalidations).hasSize(2);
    assertThat(machine.driver.unansweredCount()).isZero();
  }

  private static IommuDriverConfig withLargeBatches() {
    IommuDriverConfig config = IommuDriverConfig.LINUX_6_12;
    return new IommuDriverConfig(
        "64 commands",
        config.costs(),
        config.levels(),
        config.largestPageLevel(),
        config.keepsInvalidationHint(),
        64,
        config.magazineEntries(),
        config.isDepotTrimmed(),
        config.depotMagazinesMax(),
        config.depotTrimPs(),
        config.flushQueueEntries(),
        config.flushTimeoutPs(),
        config.triesBelow4GiB(),
        config.staysAbove4GiB());
  }

  @Test
  void shouldWaitForRoomInTheRing() {
    PolicyMachine machine = machine(withLargeBatches(), MappingPolicy.STRICT);
    machine.device.answerPs = -1;
    machine.otherDevice.answerPs = 0;
    IommuMapper other =
        machine.driver.attach(
            machine.port,
            machine.otherDevice.requesterId(),
            machine.driver.newDomain(machine.port, MappingPolicy.STRICT),
            CACHING);
    for (int i = 1; i < 60; i++) {
      other.domain().addDeviceTlb(machine.otherDevice.requesterId());
    }
    long pa = machine.host.pages().allocate(4096);
    long silentIova = machine.mapPages(1, TO_DEVICE).get(0);
    long iotlb = done(machine, IOTLB);
    long startPs = machine.nowPs() + MS;
    List<Integer> finished = new ArrayList<>();
    machine.onCoreLater(
        1, startPs, core -> machine.mapper.unmap(core, silentIova, 4096, TO_DEVICE));
    for (int i = 2; i <= 8; i++) {
      int number = i;
      long iova = other.map(machine.port, pa, 4096, TO_DEVICE, -1L);
      machine.onCoreLater(
          i,
          startPs + i * 100_000,
          core -> {
            other.unmap(core, iova, 4096, TO_DEVICE);
            finished.add(number);
          });
    }

    machine.host.simulation().runUntil(startPs + 3000 * MS);

    // Seven times 62 descriptors, while the hardware is stuck for 10 ms: the ring holds 255.
    assertThat(finished).containsExactlyInAnyOrder(2, 3, 4, 5, 6, 7, 8);
    assertThat(machine.otherDevice.invalidations).hasSize(7 * 60);
    assertThat(done(machine, IOTLB) - iotlb).isEqualTo(2 + 7);
    assertThat(machine.driver.queueErrorsCount()).isEqualTo(1);
    assertThat(machine.driver.unansweredCount()).isZero();
    assertThat(machine.driver.waitPsMax()).isLessThan(14 * MS);
  }

  private static void stopQueue(PolicyMachine machine) {
    // Somebody has switched the invalidation queue off behind the driver's back.
    machine.port.mmioWrite(
        RegisterLayout.BASE_ADDRESS + RegisterLayout.GCMD,
        4,
        RegisterLayout.TRANSLATION_ENABLE & 0xffff_ffffL);
  }

  @Test
  void shouldNeverUseAddressesAgainThatDeadHardwareHasNotForgotten() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    long pa = machine.host.pages().allocate(4096);
    long iova = machine.dma.mapSingle(machine.port, pa, 4096, TO_DEVICE);
    stopQueue(machine);
    long startPs = machine.nowPs();

    machine.dma.unmapSingle(machine.port, iova, 4096, TO_DEVICE);

    // The core gives up after 1000 looks, one each millisecond.
    assertThat(machine.nowPs() - startPs).isBetween(1000 * MS, 1010 * MS);
    assertThat(machine.driver.unansweredCount()).isEqualTo(1);
    assertThat(machine.translated().statistics().quarantinedPages()).isEqualTo(1);
    assertThat(machine.translated().statistics().exposure().count()).isZero();
    // What came back last would be handed out first.
    assertThat(machine.mapPages(1, TO_DEVICE).get(0)).isNotEqualTo(iova);
  }

  @Test
  void shouldGiveNothingBackBeforeAFlushThatTheHardwareConfirms() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.LAZY);
    List<Long> iovas = machine.mapPages(257, TO_DEVICE);
    stopQueue(machine);

    for (int i = 0; i < 255; i++) {
      machine.dma.unmapSingle(machine.port, iovas.get(i), 4096, TO_DEVICE);
    }
    machine.dma.unmapSingle(machine.port, iovas.get(255), 4096, TO_DEVICE);

    // The ring is full, and neither the core nor the timer could make the hardware forget.
    assertThat(machine.domain().pendingUnmaps(0)).isEqualTo(255);
    assertThat(machine.driver.unansweredCount()).isEqualTo(2);
    assertThat(machine.translated().statistics().quarantinedPages()).isEqualTo(1);
    assertThat(machine.translated().statistics().exposure().count()).isZero();
  }

  @Test
  void shouldTrimADepotEachHundredMilliseconds() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    List<Long> iovas = machine.mapPages(127 * 20 + 1, TO_DEVICE);
    long startPs = machine.nowPs();
    // 18 full magazines and an entry: one and the entry stay with the core.
    for (int i = 0; i < 127 * 18 + 1; i++) {
      machine.dma.unmapSingle(machine.port, iovas.get(i), 4096, TO_DEVICE);
    }
    IovaAllocator addresses = machine.domain().iovas();
    assertThat(addresses.depotMagazines(0)).isEqualTo(17);

    // The first magazine came into the depot within 1 ms. There are 16 cores.
    machine.host.simulation().runUntil(startPs + 100 * MS);
    assertThat(addresses.depotMagazines(0)).isEqualTo(17);
    machine.host.simulation().runUntil(startPs + 101 * MS);
    assertThat(addresses.depotMagazines(0)).isEqualTo(16);
    for (int i = 127 * 18 + 1; i < 127 * 20 + 1; i++) {
      machine.dma.unmapSingle(machine.port, iovas.get(i), 4096, TO_DEVICE);
    }
    assertThat(addresses.depotMagazines(0)).isEqualTo(18);
    machine.host.simulation().runUntil(startPs + 201 * MS);
    assertThat(addresses.depotMagazines(0)).isEqualTo(17);
    machine.host.simulation().runUntil(startPs + 301 * MS);
    assertThat(addresses.depotMagazines(0)).isEqualTo(16);
    machine.host.simulation().runUntil(startPs + 501 * MS);
    assertThat(addresses.depotMagazines(0)).isEqualTo(16);
  }
}
