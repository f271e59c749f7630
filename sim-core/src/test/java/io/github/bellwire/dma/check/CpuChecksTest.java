package io.github.bellwire.dma.check;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaConfig;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import org.junit.jupiter.api.Test;

/** What cores may touch, and from when on. */
class CpuChecksTest {
  private final CheckerBench bench = new CheckerBench();
  private final DmaDevice dma = bench.dma;
  private final ClockPort port = bench.port;
  private final CoherentBuffer status = bench.coherent(4096);

  /** A buffer that the device has written by 1000 ps and the driver has unmapped at 1500. */
  private long received() {
    port.nowPs = 500;
    long iova = bench.mapPage();
    bench.deviceWrites(iova, 64, 1_000);
    port.nowPs = 1_500;
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);
    return iova;
  }

  @Test
  void shouldFindALoadThatNothingHasAnnounced() {
    long pa = received();

    bench.coreLoads(pa + 63, 8, 2_000);

    DmaReport report = bench.onlyReport();
    assertThat(report.violation()).isEqualTo(DmaViolation.READ_BEFORE_COMPLETION);
    assertThat(report.mapping()).isNotNull().returns(pa, MappingInfo::iova);
    assertThat(report.detail()).contains("visible at 1.000 ns");
    bench.coreLoads(pa, 8, 3_000); // told once
    assertThat(bench.found()).hasSize(1);
  }

  @Test
  void shouldAllowALoadBesideWhatTheDeviceHasWritten() {
    long pa = received();

    bench.coreLoads(pa + 64, 8, 2_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldAllowALoadBehindACompletion() {
    long pa = received();
    bench.deviceWrites(status.iova() + 8, 8, 1_000);
    bench.coreLoads(status.pa() + 8, 8, 1_600);

    bench.coreLoads(pa, 64, 2_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldNotTakeAnotherLoadForThatOfACompletion() {
    long pa = received();
    bench.deviceWrites(status.iova() + 8, 8, 1_000);
    bench.coreLoads(status.pa(), 8, 1_600); // beside it
    bench.coreLoads(status.pa() + 16, 8, 1_600);

    bench.coreLoads(pa, 64, 2_000);

    assertThat(bench.found()).containsExactly(DmaViolation.READ_BEFORE_COMPLETION);
  }

  @Test
  void shouldNotTakeALoadForThatOfACompletionThatIsUnderWay() {
    long pa = received();
    bench.deviceWrites(status.iova(), 8, 1_700);
    bench.coreLoads(status.pa(), 8, 1_699);

    bench.coreLoads(pa, 64, 2_000);

    assertThat(bench.found()).containsExactly(DmaViolation.READ_BEFORE_COMPLETION);
  }

  @Test
  void shouldNotTakeTheCompletionBeforeTheDataForThatBehind() {
    long iova = bench.mapPage();
    bench.deviceWrites(status.iova(), 8, 900);
    bench.deviceWrites(iova, 64, 1_000);
    bench.coreLoads(status.pa(), 8, 1_100);
    port.nowPs = 1_500;
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);

    bench.coreLoads(iova, 8, 2_000);

    assertThat(bench.found()).containsExactly(DmaViolation.READ_BEFORE_COMPLETION);
  }

  @Test
  void shouldKnowBothOfTwoCompletionsInOnePlace() {
    // A counter: the first value is seen while the second is under way.
    long pa = received();
    bench.deviceWrites(status.iova(), 8, 1_000);
    bench.deviceWrites(status.iova(), 8, 9_000);
    bench.coreLoads(status.pa(), 8, 1_600);

    bench.coreLoads(pa, 64, 2_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldAllowALoadBehindARegisterRead() {
    long pa = received();
    bench.checker.accessListener().onRegisterRead(CheckerBench.REQUESTER, 1_000);

    bench.coreLoads(pa, 64, 2_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldAllowALoadBehindAnInterruptAndNotBefore() {
    long pa = received();
    bench.checker.accessListener().onMessage(CheckerBench.REQUESTER, 2_000);
    bench.coreLoads(pa, 8, 1_999);
    assertThat(bench.found()).containsExactly(DmaViolation.READ_BEFORE_COMPLETION);

    long other = received();
    bench.coreLoads(other, 8, 2_000);

    assertThat(bench.found()).hasSize(1);
  }

  @Test
  void shouldForgetWhatACoreHasOverwritten() {
    long pa = received();
    bench.coreStores(pa, 64, 1_600);

    bench.coreLoads(pa, 64, 2_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldFindThatSharedMemoryIsReadTooEarly() {
    long iova = dma.mapShared(port, bench.page(), 4096);
    bench.deviceWrites(iova, 64, 1_000);

    bench.coreLoads(iova, 8, 2_000);
    bench.coreStores(iova, 8, 2_000);

    assertThat(bench.found()).containsExactly(DmaViolation.READ_BEFORE_COMPLETION);
  }

  @Test
  void shouldTellABufferInUseFromOneThatIsDone() {
    long iova = bench.mapPage();
    bench.coreLoads(iova, 8, 500);
    bench.deviceWrites(iova, 64, 1_000);
    bench.coreLoads(iova, 8, 1_100);
    bench.checker.accessListener().onRegisterRead(CheckerBench.REQUESTER, 1_200);
    bench.coreLoads(iova, 8, 1_300);

    assertThat(bench.found())
        .containsExactly(
            DmaViolation.CPU_ACCESS_DEVICE_OWNED,
            DmaViolation.CPU_ACCESS_DEVICE_OWNED,
            DmaViolation.SYNC_FOR_CPU_MISSING);
  }

  @Test
  void shouldLetTheHostReadWhatTheDeviceOnlyReads() {
    long iova = bench.map(bench.page(), 4096, TO_DEVICE);

    bench.coreLoads(iova, 8, 500);
    bench.coreStores(iova + 4096, 8, 500);
    assertThat(bench.found()).isEmpty();
    bench.coreStores(iova + 4095, 1, 500);

    assertThat(bench.found()).containsExactly(DmaViolation.CPU_ACCESS_DEVICE_OWNED);
    assertThat(bench.onlyReport().offsetBytes()).isEqualTo(4095);
  }

  @Test
  void shouldLetTheHostUseThePartThatItOwns() {
    long iova = bench.mapPage();
    dma.syncForCpu(port, iova, 64, 64, FROM_DEVICE);

    bench.coreLoads(iova + 64, 64, 500);
    bench.coreStores(iova + 64, 64, 500);
    assertThat(bench.found()).isEmpty();
    bench.coreStores(iova + 120, 9, 500);

    assertThat(bench.found()).containsExactly(DmaViolation.CPU_ACCESS_DEVICE_OWNED);
  }

  /** A driver without completions: it looks at the last bytes of the buffer until they change. */
  private void look(long iova, int offset, long atPs) {
    port.nowPs = atPs;
    dma.syncForCpu(port, iova, offset, 8, FROM_DEVICE);
    bench.coreLoads(iova + offset, 8, atPs + 100);
  }

  private void lookAndGiveBack(long iova, int offset, long atPs) {
    look(iova, offset, atPs);
    dma.syncForDevice(port, iova, offset, 8, FROM_DEVICE);
  }

  @Test
  void shouldAllowPollingOfABuffer() {
    long iova = bench.mapPage();
    lookAndGiveBack(iova, 56, 1_000);
    bench.deviceWrites(iova, 64, 2_500);
    lookAndGiveBack(iova, 56, 2_000); // The write is under way.
    lookAndGiveBack(iova, 56, 3_000);
    lookAndGiveBack(iova, 56, 4_000);
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);

    bench.coreLoads(iova, 8, 5_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldNotTakeALookThatFindsNothingForACompletion() {
    long iova = bench.mapPage();
    bench.deviceWrites(iova, 64, 2_101);
    lookAndGiveBack(iova, 56, 2_000); // loads at 2100
    port.nowPs = 2_200;
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);

    bench.coreLoads(iova, 8, 5_000);

    assertThat(bench.found()).containsExactly(DmaViolation.READ_BEFORE_COMPLETION);
  }

  @Test
  void shouldNotTakeALookForACompletionOfWhatComesBehind() {
    long iova = bench.mapPage();
    bench.deviceWrites(iova, 8, 1_000);
    bench.deviceWrites(iova + 8, 8, 1_500);
    lookAndGiveBack(iova, 0, 2_000);
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);

    bench.coreLoads(iova, 8, 5_000);
    assertThat(bench.found()).isEmpty();
    bench.coreLoads(iova + 8, 8, 5_000);

    assertThat(bench.found()).containsExactly(DmaViolation.READ_BEFORE_COMPLETION);
  }

  @Test
  void shouldFindALookBesideThePartThatIsSynced() {
    long iova = bench.mapPage();
    bench.deviceWrites(iova, 64, 1_000);
    port.nowPs = 2_000;
    dma.syncForCpu(port, iova, 56, 8, FROM_DEVICE);

    bench.coreLoads(iova + 52, 8, 2_100);

    assertThat(bench.found()).containsExactly(DmaViolation.CPU_ACCESS_DEVICE_OWNED);
  }

  @Test
  void shouldFindALookBehindTheSyncThatGivesBack() {
    long iova = bench.mapPage();
    bench.deviceWrites(iova, 64, 1_500);
    lookAndGiveBack(iova, 56, 1_000);

    bench.coreLoads(iova + 56, 8, 2_000);

    assertThat(bench.found()).containsExactly(DmaViolation.CPU_ACCESS_DEVICE_OWNED);
  }

  @Test
  void shouldAllowPollingOfABufferThatIsBounced() {
    dma.trySetMask(24); // below 16 MiB: memory above is bounced
    long pa = bench.pages.allocate(4096);
    long iova = bench.map(pa, 4096, FROM_DEVICE);
    assertThat(iova).isNotEqualTo(pa);
    bench.deviceWrites(iova, 64, 1_000);
    port.nowPs = 2_000;
    dma.syncForCpu(port, iova, 0, 64, FROM_DEVICE);

    bench.coreLoads(iova, 64, 2_100); // the copy that the sync makes
    bench.coreLoads(pa + 56, 8, 2_200);
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);
    bench.coreLoads(iova, 64, 3_000); // the copy that unmapping makes

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldMindNeighboursInALineOnlyIfCachesAreNotCoherent() {
    long iova = bench.map(bench.page(), 32, FROM_DEVICE);
    bench.coreStores(iova + 32, 8, 500);
    assertThat(bench.found()).isEmpty();
    DmaDevice other =
        new DmaDevice(
            DmaConfig.LINUX_DEFAULT.withCoherent(false), bench.pages, DmaMapper.IDENTITY, null);
    bench.checker.watch(other, "other");
    other.trySetMask(64);
    long page = other.mapSingle(port, bench.page(), 32, FROM_DEVICE);
    other.mapSingle(port, page + 128, 32, TO_DEVICE);

    bench.coreStores(page + 32, 8, 500);
    bench.coreStores(page + 64, 8, 500);
    bench.coreStores(page + 160, 8, 500);

    assertThat(bench.found()).containsExactly(DmaViolation.CPU_WRITE_SHARED_LINE);
  }

  @Test
  void shouldAllowAnAccessBeforeTheMap() {
    port.nowPs = 5_000;
    long iova = bench.mapPage();

    bench.coreLoads(iova, 8, 4_999);
    bench.coreStores(iova, 8, 4_999);
    assertThat(bench.found()).isEmpty();
    bench.coreLoads(iova, 8, 5_000);

    assertThat(bench.found()).containsExactly(DmaViolation.CPU_ACCESS_DEVICE_OWNED);
  }

  @Test
  void shouldNotForgetWhatIsWrittenBehindAStore() {
    long pa = received();
    bench.coreStores(pa, 64, 999);

    bench.coreLoads(pa, 64, 2_000);

    assertThat(bench.found()).containsExactly(DmaViolation.READ_BEFORE_COMPLETION);
  }

  @Test
  void shouldGiveUpCompletionsThatNobodyLoads() {
    long pa = received();
    for (int i = 0; i < 8192; i++) {
      bench.deviceWrites(status.iova(), 8, 1_000);
    }
    bench.coreLoads(pa, 8, 2_000);
    assertThat(bench.found()).hasSize(1);

    // One more, and the oldest counts as loaded: rather miss a mistake than invent one.
    long other = received();
    bench.deviceWrites(status.iova(), 8, 1_000);
    bench.coreLoads(other, 8, 2_000);

    assertThat(bench.found()).hasSize(1);
  }

  @Test
  void shouldKeepTheLastWritesOfAPage() {
    long iova = bench.mapPage();
    for (int i = 0; i < 129; i++) {
      bench.deviceWrites(iova + 8 * i, 8, 1_000);
    }
    port.nowPs = 1_500;
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);

    bench.coreLoads(iova, 8, 2_000);
    assertThat(bench.found()).isEmpty();
    bench.coreLoads(iova + 8, 8, 2_000);

    assertThat(bench.found()).containsExactly(DmaViolation.READ_BEFORE_COMPLETION);
  }
}
