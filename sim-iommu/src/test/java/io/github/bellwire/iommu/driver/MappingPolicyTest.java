package io.github.bellwire.iommu.driver;

import static io.github.bellwire.dma.DmaDirection.BIDIRECTIONAL;
import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.pcie.DmaStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a device reaches under each policy, on a whole machine. */
class MappingPolicyTest {
  private static final byte[] SECRET = {1, 2, 3, 4, 5, 6, 7, 8};

  @ParameterizedTest
  @EnumSource(
      value = MappingPolicy.class,
      names = {"PASSTHROUGH", "LAZY", "STRICT", "STRICT_BOUNCE"})
  void shouldMoveBytesBothWays(MappingPolicy policy) {
    PolicyMachine machine = new PolicyMachine(policy);
    long pa = machine.host.pages().allocate(4096);
    machine.port.store(pa + 100, SECRET, 0, 8);

    long iova = machine.dma.mapSingle(machine.port, pa + 100, 8, BIDIRECTIONAL);
    byte[] seen = new byte[8];
    assertThat(machine.device.read(iova, seen, machine.nowPs())).isEqualTo(DmaStatus.OK);
    assertThat(machine.device.write(iova + 4, new byte[] {9, 9}, machine.nowPs()))
        .isEqualTo(DmaStatus.OK);
    machine.port.delay(2_000_000);
    machine.dma.unmapSingle(machine.port, iova, 8, BIDIRECTIONAL);

    assertThat(seen).isEqualTo(SECRET);
    byte[] after = new byte[8];
    machine.port.load(pa + 100, after, 0, 8);
    assertThat(after).containsExactly(1, 2, 3, 4, 9, 9, 7, 8);
    assertThat(machine.iommu.faults().faultsTotal()).isZero();
  }

  @Test
  void shouldFaultAlwaysAfterAStrictUnmap() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    long iova = machine.mapPages(1, FROM_DEVICE).get(0);
    assertThat(machine.device.write(iova, SECRET, machine.nowPs())).isEqualTo(DmaStatus.OK);
    machine.port.delay(2_000_000);

    machine.dma.unmapSingle(machine.port, iova, 4096, FROM_DEVICE);

    assertThat(machine.device.write(iova, SECRET, machine.nowPs())).isNotEqualTo(DmaStatus.OK);
    assertThat(machine.iommu.faults().faultsTotal(FaultReason.WRITE_DENIED)).isEqualTo(1);
  }

  @Test
  void shouldLetCachedTranslationsPassAfterALazyUnmapUntilTheFlush() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.LAZY);
    long warm = machine.mapPages(1, FROM_DEVICE).get(0);
    long cold = machine.mapPages(1, FROM_DEVICE).get(0);
    assertThat(machine.device.write(warm, SECRET, machine.nowPs())).isEqualTo(DmaStatus.OK);
    machine.port.delay(2_000_000);

    machine.dma.unmapSingle(machine.port, warm, 4096, FROM_DEVICE);
    machine.dma.unmapSingle(machine.port, cold, 4096, FROM_DEVICE);

    assertThat(machine.device.write(warm, SECRET, machine.nowPs())).isEqualTo(DmaStatus.OK);
    assertThat(machine.device.write(cold, SECRET, machine.nowPs())).isNotEqualTo(DmaStatus.OK);
    assertThat(machine.iommu.faults().faultsTotal(FaultReason.WRITE_DENIED)).isEqualTo(1);
    machine.port.delay(11_000_000_000L);
    assertThat(machine.device.write(warm, SECRET, machine.nowPs())).isNotEqualTo(DmaStatus.OK);
    assertThat(machine.domain().timerFlushesCount()).isEqualTo(1);
  }

  @Test
  void shouldGrantNoMoreThanTheDirection() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    long toDevice = machine.mapPages(1, TO_DEVICE).get(0);
    long fromDevice = machine.mapPages(1, FROM_DEVICE).get(0);

    assertThat(machine.device.read(toDevice, new byte[8], machine.nowPs())).isEqualTo(DmaStatus.OK);
    assertThat(machine.device.write(toDevice, SECRET, machine.nowPs())).isNotEqualTo(DmaStatus.OK);
    assertThat(machine.device.read(fromDevice, new byte[8], machine.nowPs()))
        .isNotEqualTo(DmaStatus.OK);
    assertThat(machine.device.write(fromDevice, SECRET, machine.nowPs())).isEqualTo(DmaStatus.OK);
    assertThat(machine.iommu.faults().faultsTotal(FaultReason.WRITE_DENIED)).isEqualTo(1);
    assertThat(machine.iommu.faults().faultsTotal(FaultReason.READ_DENIED)).isEqualTo(1);
  }

  @Test
  void shouldLetADeviceThatIsNotAttachedReachNothing() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.LAZY);

    assertThat(machine.otherDevice.read(0x10_0000, new byte[8], machine.nowPs()))
        .isNotEqualTo(DmaStatus.OK);
    assertThat(machine.iommu.faults().faultsTotal(FaultReason.ROOT_ENTRY_NOT_PRESENT)).isEqualTo(1);
  }
}
