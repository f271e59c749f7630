package io.github.bellwire.iommu.driver;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.dma.ScatterList;
import io.github.bellwire.dma.check.DmaChecker;
import io.github.bellwire.dma.check.DmaReport;
import io.github.bellwire.dma.check.DmaViolation;
import io.github.bellwire.iommu.layout.SecondLevelLayout;
import io.github.bellwire.pcie.DmaStatus;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the DMA checker says of devices, mappers and the IOMMU driver behind a real IOMMU. */
class CheckedPolicyTest {
  private static final int PAGE_BYTES = 4096;
  private static final long GRACE_PS = 20_000_000_000L;

  private final byte[] data = new byte[64];

  private static DmaChecker watch(PolicyMachine machine) {
    return machine.host.attachChecker();
  }

  /** Maps a page, lets the device write it, and unmaps it; returns its address. */
  private long useOnce(PolicyMachine machine) {
    long iova = mapPage(machine);
    write(machine, iova);
    machine.dma.unmapSingle(machine.port, iova, PAGE_BYTES, FROM_DEVICE);
    return iova;
  }

  private static long mapPage(PolicyMachine machine) {
    long pa = machine.host.pages().allocate(PAGE_BYTES);
    long iova = machine.dma.mapSingle(machine.port, pa, PAGE_BYTES, FROM_DEVICE);
    assertThat(machine.dma.isMappingError(iova)).isFalse();
    return iova;
  }

  private DmaStatus write(PolicyMachine machine, long iova) {
    DmaStatus status = machine.device.write(iova, data, machine.nowPs());
    machine.port.delay(10_000_000);
    return status;
  }

  private static DmaReport only(DmaChecker checker, DmaViolation violation) {
    assertThat(checker.reports()).extracting(DmaReport::violation).containsExactly(violation);
    return checker.reports().get(0);
  }

  @Test
  void shouldFindAnAccessThatOnlyTheCacheStillServes() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.LAZY);
    DmaChecker checker = watch(machine);
    long iova = useOnce(machine);

    assertThat(write(machine, iova + 128)).isEqualTo(DmaStatus.OK);

    DmaReport report = only(checker, DmaViolation.DEVICE_ACCESS_AFTER_UNMAP_CACHED);
    assertThat(report.iova()).isEqualTo(iova + 128);
    assertThat(report.offsetBytes()).isEqualTo(128);
    assertThat(report.toString())
        .contains("after the memory was unmapped; the bus address waits for a lazy flush since ")
        .contains("mapped by 0000:01:00.0, call 0, core 0, ")
        .contains("in CheckedPolicyTest.mapPage:")
        .contains("unmapped by 0000:01:00.0, call 1, core 0, ")
        .contains("in CheckedPolicyTest.useOnce:");
  }

  @Test
  void shouldTellARefusedAccessAfterTheFlushFromOneThatIsServed() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.LAZY);
    DmaChecker checker = watch(machine);
    long iova = useOnce(machine);
    long nearest = mapPage(machine);
    machine.port.delay(11_000_000_000L); // The flush queue waits for 10 ms.

    assertThat(write(machine, iova)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);

    DmaReport report = only(checker, DmaViolation.DEVICE_ACCESS_AFTER_UNMAP);
    assertThat(report.detail())
        .startsWith("the device wrote, refused, ")
        .endsWith(" after the memory was unmapped; nobody has allocated the bus address");
    assertThat(report.nearest()).isNotNull();
    assertThat(report.nearest().iova()).isEqualTo(nearest);
  }

  @Test
  void shouldRefuseAtOnceWhatAStrictDriverHasUnmapped() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    DmaChecker checker = watch(machine);
    long iova = useOnce(machine);

    assertThat(write(machine, iova)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);

    DmaReport report = only(checker, DmaViolation.DEVICE_ACCESS_AFTER_UNMAP);
    assertThat(report.detail()).contains(", refused, ");
  }

  @Test
  void shouldExplainAnAddressThatHasNeverBeenMapped() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    DmaChecker checker = watch(machine);
    long nearest = mapPage(machine);

    write(machine, nearest + PAGE_BYTES);

    DmaReport report = only(checker, DmaViolation.DEVICE_ACCESS_UNMAPPED);
    assertThat(report.detail())
        .isEqualTo("the device wrote, refused; nobody has allocated the bus address");
    assertThat(report.nearest()).isNotNull();
    assertThat(report.nearest().distanceBytes(report.iova())).isEqualTo(1);
  }

  @Test
  void shouldFindAnEntryThatIsReplacedPastTheMapper() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    DmaChecker checker = watch(machine);
    long iova = mapPage(machine);
    write(machine, iova);
    move(machine, iova, SecondLevelLayout.WRITE);

    write(machine, iova);

    DmaReport report = only(checker, DmaViolation.PTE_CHANGED_WITHOUT_INVALIDATION);
    assertThat(report.detail()).contains("by a translation that the tables no longer hold");
  }

  @Test
  void shouldFindARightThatIsTakenAwayPastTheMapper() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    DmaChecker checker = watch(machine);
    long iova = mapPage(machine);
    write(machine, iova);
    PageTables tables = machine.domain().tables();
    long pa = tables.lookup(machine.port, iova);
    tables.tryMap(machine.port, iova, pa, PAGE_BYTES, SecondLevelLayout.READ, new TableList());

    write(machine, iova);

    only(checker, DmaViolation.PTE_CHANGED_WITHOUT_INVALIDATION);
  }

  @Test
  void shouldFindAWalkThroughATableThatIsNoLongerThere() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    DmaChecker checker = watch(machine);
    long iova = mapPage(machine);
    write(machine, iova);
    long blockIova = iova & -(2L << 20);
    TableList freed = new TableList();
    machine.domain().tables().unmap(machine.port, blockIova, 2 << 20, freed);
    // Only the page is forgotten, not the pointer to its table.
    machine.domain().invalidatePages(machine.port, iova, 1, true);

    assertThat(write(machine, iova)).isEqualTo(DmaStatus.OK);

    only(checker, DmaViolation.PTE_CHANGED_WITHOUT_INVALIDATION);
  }

  @Test
  void shouldAllowAnEntryThatIsReplacedAndFlushed() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    DmaChecker checker = watch(machine);
    long iova = mapPage(machine);
    write(machine, iova);
    move(machine, iova, SecondLevelLayout.WRITE);
    machine.driver.flush(machine.port, machine.domain());

    write(machine, iova);

    assertThat(checker.reports()).isEmpty();
    machine.driver.flush(machine.port, machine.domain());
    only(checker, DmaViolation.NEEDLESS_GLOBAL_FLUSH);
  }

  private static void move(PolicyMachine machine, long iova, long rights) {
    long pa = machine.host.pages().allocate(PAGE_BYTES);
    TableList replaced = new TableList();
    machine.domain().tables().tryMap(machine.port, iova, pa, PAGE_BYTES, rights, replaced);
  }

  @Test
  void shouldFindAMappingOverOneThatIsThere() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    DmaChecker checker = watch(machine);
    long iova = mapPage(machine);
    // Given back behind the driver's back, it is handed out again.
    machine.domain().iovas().free(machine.port, iova >>> 12, 1);

    assertThat(mapPage(machine)).isEqualTo(iova);

    DmaReport report = only(checker, DmaViolation.PTE_CHANGED_WITHOUT_INVALIDATION);
    assertThat(report.detail()).isEqualTo("the IOMMU driver went on");
    assertThat(report.iova()).isEqualTo(iova);
    assertThat(report.lengthBytes()).isEqualTo(PAGE_BYTES);
  }

  @Test
  void shouldFindAddressesOfADeviceWhoseDriverHasGone() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.LAZY);
    DmaChecker checker = watch(machine);
    useOnce(machine);
    long iova = machine.mapper.map(machine.port, 0x1000, PAGE_BYTES, TO_DEVICE, -1L >>> 1);
    machine.port.delay(GRACE_PS);

    machine.dma.unbind(machine.port);

    DmaReport report = only(checker, DmaViolation.IOVA_LEAK);
    assertThat(report.iova()).isEqualTo(iova);
  }

  @Test
  void shouldInvalidateWhatIsTakenBackForLackOfMemory() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    DmaChecker checker = watch(machine);
    mapPage(machine); // The tables of all levels are there, the last one of the highest 2 MiB.
    long pa = machine.host.pages().allocate(8 << 20) + PAGE_BYTES; // no larger pages
    long onePage = machine.host.pages().allocate(PAGE_BYTES);
    exhaust(machine.host.pages());
    machine.host.pages().free(onePage, PAGE_BYTES);

    // 4 MiB need two tables.
    long iova = machine.dma.mapSingle(machine.port, pa, 4 << 20, FROM_DEVICE);

    assertThat(machine.dma.isMappingError(iova)).isTrue();
    // For the table that is given back at once, and for the range.
    assertThat(machine.driver.pageInvalidationsCount()).isEqualTo(2);
    assertThat(checker.reports()).isEmpty();
  }

  private static void exhaust(PageAllocator pages) {
    for (int bytes = 1 << 30; bytes >= PAGE_BYTES; bytes /= 2) {
      while (pages.allocate(bytes) != PageAllocator.NO_MEMORY) {}
    }
  }

  /** A device is taken away while ranges wait for a flush, and comes again at once and later. */
  @ParameterizedTest
  @EnumSource(
      value = MappingPolicy.class,
      names = {"LAZY", "STRICT", "STRICT_BOUNCE"})
  void shouldFindNothingWhenADeviceGoesAndComesAgain(MappingPolicy policy) {
    PolicyMachine machine = new PolicyMachine(policy);
    DmaChecker checker = watch(machine);
    int requesterId = machine.device.requesterId();
    useOnce(machine);
    machine.dma.unbind(machine.port);
    machine.driver.detach(machine.port, requesterId);
    for (long pausePs : new long[] {0, GRACE_PS}) {
      machine.port.delay(pausePs);
      DmaMapper mapper = machine.driver.attach(machine.port, requesterId, policy);
      DmaDevice dma = machine.host.newDmaDevice(mapper, machine.device.bdf());
      dma.trySetMask(64);
      for (int i = 0; i < 3; i++) {
        long iova =
            dma.mapSingle(
                machine.port, machine.host.pages().allocate(PAGE_BYTES), PAGE_BYTES, FROM_DEVICE);
        assertThat(dma.isMappingError(iova)).isFalse();
        assertThat(write(machine, iova)).isEqualTo(DmaStatus.OK);
        dma.unmapSingle(machine.port, iova, PAGE_BYTES, FROM_DEVICE);
      }
      dma.unbind(machine.port);
      machine.driver.detach(machine.port, requesterId);
    }
    machine.port.delay(2 * GRACE_PS);
    checker.audit();

    assertThat(checker.reports()).isEmpty();
  }

  /** What waits in the queue is given back when the device goes, not by the timer afterwards. */
  @Test
  void shouldGiveBackWhatWaitsForAFlushWhenADeviceIsDetached() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.LAZY);
    DmaDomain domain = machine.driver.newDomain(machine.port, MappingPolicy.LAZY);
    machine.driver.detach(machine.port, machine.device.requesterId());
    IommuMapper mapper =
        machine.driver.attach(
            machine.port, machine.device.requesterId(), domain, DeviceTraits.INTERNAL);
    long iova = mapper.map(machine.port, 0x1000, PAGE_BYTES, TO_DEVICE, -1L >>> 1);
    mapper.unmap(machine.port, iova, PAGE_BYTES, TO_DEVICE);
    assertThat(domain.pendingUnmaps(0)).isEqualTo(1);

    machine.driver.detach(machine.port, machine.device.requesterId());

    assertThat(domain.pendingUnmaps(0)).isZero();
    long flushes = machine.driver.domainInvalidationsCount();
    machine.port.delay(GRACE_PS);
    assertThat(machine.driver.domainInvalidationsCount()).isEqualTo(flushes);
    assertThat(domain.timerFlushesCount()).isZero();
  }

  @ParameterizedTest
  @EnumSource(
      value = MappingPolicy.class,
      names = {"LAZY", "STRICT", "STRICT_BOUNCE"})
  void shouldFindNothingInMappersOnAllCores(MappingPolicy policy) {
    PolicyMachine machine = new PolicyMachine(policy);
    DmaChecker checker = watch(machine);
    List<CoreLoop> loops = new ArrayList<>();
    for (int core = 1; core <= 4; core++) {
      loops.add(new CoreLoop(machine, core));
    }
    loops.forEach(loop -> loop.wakeAt(machine.nowPs()));
    machine.port.delay(3 * GRACE_PS);
    checker.audit();
    machine.driver.detach(machine.port, machine.device.requesterId());

    assertThat(checker.reports()).isEmpty();
    assertThat(loops).extracting(loop -> loop.left).containsOnly(0);
    assertThat(machine.dma.liveMappingsCount()).isZero();
    assertThat(machine.domain().fullFlushesCount() > 0).isEqualTo(policy == MappingPolicy.LAZY);
  }

  /** Maps a page and a list, lets the device use the page, and unmaps both, again and again. */
  private final class CoreLoop extends Routine {
    private static final long USE_PS = 5_000_000;

    private final PolicyMachine machine;
    private final ScatterList list = new ScatterList(3);
    private final long pa;
    private long iova;
    int left = 600;

    CoreLoop(PolicyMachine machine, int core) {
      super(machine.host.core(core));
      this.machine = machine;
      pa = machine.host.pages().allocate(4 * PAGE_BYTES);
      list.add(pa + 100, 500);
      list.add(pa + PAGE_BYTES, 1000);
      list.add(pa + 2 * PAGE_BYTES, 1000);
    }

    @Override
    protected void run(CpuPort port) {
      if (left % 2 == 0) {
        iova = machine.dma.mapSingle(port, pa + 3 * PAGE_BYTES, PAGE_BYTES, FROM_DEVICE);
        assertThat(machine.dma.isMappingError(iova)).isFalse();
        machine.dma.mapScatterList(port, list, TO_DEVICE);
        machine.device.write(iova, data, port.nowPs());
      } else {
        machine.dma.unmapScatterList(port, list, TO_DEVICE);
        machine.dma.unmapSingle(port, iova, PAGE_BYTES, FROM_DEVICE);
      }
      left--;
      if (left > 0) {
        wakeAt(port.nowPs() + USE_PS);
      }
    }
  }
}
