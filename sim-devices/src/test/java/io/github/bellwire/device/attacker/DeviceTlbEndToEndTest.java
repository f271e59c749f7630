package io.github.bellwire.device.attacker;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.IommuPresets;
import io.github.bellwire.iommu.driver.DeviceTraits;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.IovaRange;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.EnumeratedFunction;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A device with translations of its own on a machine with an IOMMU and its driver. */
class DeviceTlbEndToEndTest {
  private static final int PAGE_BYTES = 4096;
  private static final long TIMEOUT_PS = 10_000_000_000L;

  private final IommuFactory factory = new IommuFactory(IommuPresets.BDW);
  private final Host host = new Host(HostConfig.GEN4_SERVER, 1, factory);
  private final Iommu iommu = factory.iommu();
  private final Attacker device = new Attacker(HostConfig.GEN4_SERVER.link(), host.simulation());
  private final Attacker internal = new Attacker(HostConfig.GEN4_SERVER.link(), host.simulation());
  private final SynchronousPort cpu;
  private final DmaDevice dma;
  private final long pa;

  DeviceTlbEndToEndTest() {
    host.attach(device);
    host.attach(internal);
    List<EnumeratedFunction> functions = host.enumerate();
    cpu = host.synchronousPort(0);
    IommuDriver driver =
        new IommuDriver(
            host,
            iommu.registers().baseAddress(),
            IommuDriverConfig.LINUX_6_12,
            List.of(IovaRange.INTERRUPTS));
    driver.start(cpu, false);
    dma =
        host.newDmaDevice(
            driver.attach(
                cpu,
                functions.get(0).bdf().requesterId(),
                MappingPolicy.STRICT,
                new DeviceTraits(false, true, List.of())));
    driver.attach(cpu, functions.get(1).bdf().requesterId(), MappingPolicy.STRICT);
    for (Attacker board : List.of(device, internal)) {
      board.configSpace().write(ConfigLayout.COMMAND, 2, ConfigLayout.COMMAND_BUS_MASTER_ENABLE);
    }
    pa = host.pages().allocate(PAGE_BYTES);
    cpu.store(pa, 8, 0x1234);
  }

  private long unmapPs(long iova) {
    long startPs = cpu.nowPs();
    dma.unmapSingle(cpu, iova, PAGE_BYTES, DmaDirection.BIDIRECTIONAL);
    return cpu.nowPs() - startPs;
  }

  private long map() {
    return dma.mapSingle(cpu, pa, PAGE_BYTES, DmaDirection.BIDIRECTIONAL);
  }

  @Test
  void shouldReachMemoryByATranslationOfItsOwn() {
    long iova = map();
    assertThat(device.hoard().ask(iova)).isEqualTo(DmaStatus.OK);
    long lookups = iommu.statistics().lookupsTotal();
    cpu.delay(10_000_000);
    Access access = device.hoard().read(iova, 8);

    assertThat(access.isOk()).isTrue();
    assertThat(access.address()).isEqualTo(pa);
    assertThat(access.bytes()).startsWith(0x34, 0x12);
    // Nothing is looked up for what is translated.
    assertThat(iommu.statistics().lookupsTotal()).isEqualTo(lookups);
  }

  @Test
  void shouldForgetWithEachStrictUnmap() {
    long iova = map();
    device.hoard().ask(iova);
    cpu.delay(10_000_000);
    unmapPs(iova);

    assertThat(device.hoard().invalidationsTotal()).isEqualTo(1);
    assertThat(device.hoard().holds(iova)).isFalse();
    assertThat(device.hoard().ask(iova)).isEqualTo(DmaStatus.COMPLETER_ABORT);
    // That there is no translation is an answer, no fault.
    assertThat(iommu.faults().faultsTotal()).isZero();
  }

  @Test
  void shouldWaitForAReadThatUsesTheTranslation() {
    long idle = map();
    device.hoard().ask(idle);
    cpu.delay(10_000_000);
    long idlePs = unmapPs(idle);
    long busy = map();
    device.hoard().ask(busy);
    cpu.delay(10_000_000);
    Access read = device.hoard().read(busy, PAGE_BYTES);
    long startPs = cpu.nowPs();
    long busyPs = unmapPs(busy);

    assertThat(startPs + busyPs).isGreaterThan(read.donePs());
    assertThat(busyPs).isGreaterThanOrEqualTo(idlePs);
  }

  @Test
  void shouldTimeOutWhenTheDeviceNeverAnswers() {
    device.hoard().behave(InvalidationManners.SILENT);
    long iova = map();
    device.hoard().ask(iova);
    cpu.delay(10_000_000);
    long startPs = cpu.nowPs();
    long unmapPs = unmapPs(iova);

    // The unit gives up after its timeout; the driver sees that and goes on.
    assertThat(unmapPs).isBetween(TIMEOUT_PS, TIMEOUT_PS + 2_000_000_000L);
    assertThat(iommu.invalidationQueue().timeoutsTotal()).isEqualTo(1);
    assertThat(startPs).isPositive();
  }

  @Test
  void shouldBlockWhatADeviceMayNotDoThatIsNotToTranslate() {
    assertThat(internal.hoard().ask(pa)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    internal.port().pretendTranslated(true);
    assertThat(internal.port().read(pa, 8).isOk()).isFalse();

    assertThat(iommu.faults().faultsTotal(FaultReason.TRANSLATION_REQUEST_BLOCKED)).isEqualTo(2);
  }
}
