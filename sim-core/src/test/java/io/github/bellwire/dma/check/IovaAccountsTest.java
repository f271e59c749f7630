package io.github.bellwire.dma.check;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.check.CheckerBench.REQUESTER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.github.bellwire.dma.TranslationListener;
import org.junit.jupiter.api.Test;

/** What an IOMMU tells, by hand. */
class IovaAccountsTest {
  private static final long GRACE_PS = 20_000_000_000L;

  private final CheckerBench bench = new CheckerBench();
  private final TranslationListener iommu = bench.checker.translationListener();

  private void auditAt(long ps) {
    bench.simulation.runUntil(ps);
    bench.checker.audit();
  }

  @Test
  void shouldFindAddressesThatStayAllocatedAfterTheUnmap() {
    long iova = bench.mapPage();
    iommu.onIovaAllocated(REQUESTER, iova, 4096, 0);
    auditAt(2 * GRACE_PS);
    assertThat(bench.found()).isEmpty(); // mapped

    bench.port.nowPs = 2 * GRACE_PS;
    bench.dma.unmapSingle(bench.port, iova, 4096, FROM_DEVICE);
    auditAt(3 * GRACE_PS - 1);
    assertThat(bench.found()).isEmpty(); // a flush queue may keep it for a while
    auditAt(3 * GRACE_PS);
    auditAt(4 * GRACE_PS);

    DmaReport report = bench.onlyReport();
    assertThat(report.violation()).isEqualTo(DmaViolation.IOVA_LEAK);
    assertThat(report.iova()).isEqualTo(iova);
    assertThat(report.mapping()).isNotNull().returns(iova, MappingInfo::iova);
  }

  @Test
  void shouldAllowAddressesThatAreFreed() {
    iommu.onIovaAllocated(REQUESTER, 0x1000, 4096, 0);
    iommu.onIovaAllocated(REQUESTER, 0x2000, 4096, 0);
    iommu.onIovaFreed(REQUESTER, 0x1000, 100);

    auditAt(GRACE_PS);

    assertThat(bench.onlyReport().iova()).isEqualTo(0x2000);
  }

  @Test
  void shouldLookForLeaksWhenADriverLetsGo() {
    iommu.onIovaAllocated(REQUESTER, 0x1000, 4096, 0);
    bench.port.nowPs = GRACE_PS;

    bench.dma.unbind(bench.port);

    assertThat(bench.found()).containsExactly(DmaViolation.IOVA_LEAK);
  }

  @Test
  void shouldFindAFlushWithoutNeed() {
    iommu.onGlobalFlush(REQUESTER, 1, 1_000);
    assertThat(bench.found()).isEmpty();

    iommu.onGlobalFlush(REQUESTER, 0, 2_000);

    assertThat(bench.found()).containsExactly(DmaViolation.NEEDLESS_GLOBAL_FLUSH);
  }

  @Test
  void shouldFindAChangeThatIsNotFollowedByAnInvalidation() {
    long iova = bench.mapPage();

    iommu.onChangeWithoutInvalidation(REQUESTER, iova, 4096, 1_000);

    DmaReport report = bench.onlyReport();
    assertThat(report.violation()).isEqualTo(DmaViolation.PTE_CHANGED_WITHOUT_INVALIDATION);
    assertThat(report.mapping()).isNotNull().returns(iova, MappingInfo::iova);
  }

  @Test
  void shouldFindAnAccessByATranslationThatIsNoLongerInTheTables() {
    long iova = bench.mapPage();

    iommu.onStaleTranslation(REQUESTER, iova, 1_000);
    bench.deviceWrites(iova, 64, 1_000);

    assertThat(bench.found()).containsExactly(DmaViolation.PTE_CHANGED_WITHOUT_INVALIDATION);
  }

  @Test
  void shouldNotBlameTheTablesForAnUnmapAfterTheAccess() {
    long iova = bench.mapPage();
    bench.port.nowPs = 2_000;
    bench.dma.unmapSingle(bench.port, iova, 4096, FROM_DEVICE);

    // The core has run ahead: its entry is cleared, the access of an earlier time comes later.
    iommu.onStaleTranslation(REQUESTER, iova, 1_000);
    bench.deviceWrites(iova, 64, 1_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldSayWhatHasBecomeOfTheAddress() {
    long iova = bench.mapPage();
    iommu.onIovaAllocated(REQUESTER, iova, 4096, 0);
    bench.port.nowPs = 2_000;
    bench.dma.unmapSingle(bench.port, iova, 4096, FROM_DEVICE);
    iommu.onStaleTranslation(REQUESTER, iova, 3_000);
    bench.deviceWrites(iova, 64, 3_000);
    iommu.onFlushAwaited(REQUESTER, iova, 2_500);
    iommu.onStaleTranslation(REQUESTER, iova, 3_500);
    bench.deviceWrites(iova, 64, 3_500);
    iommu.onIovaFreed(REQUESTER, iova, 4_000);
    bench.checker.accessListener().onRefused(REQUESTER, iova, 64, true, 4_500);

    assertThat(bench.checker.reports())
        .extracting(DmaReport::violation, DmaReport::detail)
        .containsExactly(
            tuple(
                DmaViolation.DEVICE_ACCESS_AFTER_UNMAP_CACHED,
                "the device wrote, 1.000 ns after the memory was unmapped; "
                    + "the bus address is still allocated"),
            tuple(
                DmaViolation.DEVICE_ACCESS_AFTER_UNMAP_CACHED,
                "the device wrote, 1.500 ns after the memory was unmapped; "
                    + "the bus address waits for a lazy flush since 2.500 ns"),
            tuple(
                DmaViolation.DEVICE_ACCESS_AFTER_UNMAP,
                "the device wrote, refused, 2.500 ns after the memory was unmapped; "
                    + "nobody has allocated the bus address"));
  }
}
