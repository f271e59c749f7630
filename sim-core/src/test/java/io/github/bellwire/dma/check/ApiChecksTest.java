package io.github.bellwire.dma.check;

import static io.github.bellwire.dma.DmaDirection.BIDIRECTIONAL;
import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.ScatterList;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the driver of one device does wrong, told by a DmaDevice. */
class ApiChecksTest {
  private final CheckerBench bench = new CheckerBench();
  private final DmaChecker checker = bench.checker;
  private final DmaDevice dma = bench.dma;
  private final ClockPort port = bench.port;

  @Test
  void shouldTellEverythingThatIsWrongWithACallAndUnmapAllTheSame() {
    long iova = bench.mapPage();

    dma.unmapSingle(port, iova, 4000, TO_DEVICE);

    assertThat(bench.found())
        .containsExactly(DmaViolation.UNMAP_WRONG_SIZE, DmaViolation.UNMAP_WRONG_DIRECTION);
    assertThat(dma.liveMappingsCount()).isZero();
    assertThat(checker.liveMappings()).isEmpty();
  }

  @Test
  void shouldUnmapWhatFitsBest() {
    // Without translation both have the same address.
    long pa = bench.page();
    bench.map(pa, 100, TO_DEVICE);
    long iova = bench.map(pa, 200, TO_DEVICE);

    dma.unmapSingle(port, iova, 200, BIDIRECTIONAL);

    assertThat(bench.found()).containsExactly(DmaViolation.UNMAP_WRONG_DIRECTION);
    assertThat(checker.liveMappings()).extracting(MappingInfo::lengthBytes).containsExactly(100);
    dma.unmapSingle(port, iova, 100, TO_DEVICE);
    assertThat(checker.total()).isEqualTo(1);
    assertThat(dma.liveMappingsCount()).isZero();
  }

  @Test
  void shouldIgnoreWhatIsNotMapped() {
    long iova = bench.mapPage();

    dma.unmapSingle(port, iova + 64, 4096, FROM_DEVICE);
    dma.syncForCpu(port, iova + 64, 0, 64, FROM_DEVICE);
    dma.syncForDevice(port, iova, 4000, 97, FROM_DEVICE);
    dma.syncForCpu(port, iova, -1, 10, FROM_DEVICE);

    assertThat(bench.found())
        .containsExactly(
            DmaViolation.UNMAP_NOT_MAPPED,
            DmaViolation.SYNC_NOT_MAPPED,
            DmaViolation.SYNC_OUTSIDE_MAPPING,
            DmaViolation.SYNC_OUTSIDE_MAPPING);
    assertThat(checker.reports().get(2).mapping()).isNotNull();
    assertThat(checker.reports().get(2).nearest()).isNull(); // there is no other
    assertThat(dma.liveMappingsCount()).isOne();
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);
    assertThat(checker.total()).isEqualTo(4);
  }

  @Test
  void shouldAllowASyncOfTheLastByte() {
    long iova = bench.mapPage();

    dma.syncForDevice(port, iova, 4000, 96, FROM_DEVICE);

    assertThat(checker.total()).isZero();
  }

  @Test
  void shouldExplainWhoMadeAndWhoEndedAMapping() {
    port.nowPs = 1_500;
    long iova = bench.mapPage();
    long other = bench.mapPage();
    port.nowPs = 2_000_001;
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);
    port.nowPs = 3_000_000;
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);

    DmaReport report = bench.onlyReport();

    assertThat(report.violation()).isEqualTo(DmaViolation.UNMAP_NOT_MAPPED);
    assertThat(report.timePs()).isEqualTo(3_000_000);
    assertThat(report.iova()).isEqualTo(iova);
    MappingInfo mapping = report.mapping();
    assertThat(mapping).isNotNull();
    // The first call of this device, and the third: counting starts at 0.
    assertThat(mapping.madeBy())
        .returns("disk", CallSite::device)
        .returns(0L, CallSite::operation)
        .returns(3, CallSite::coreIndex)
        .returns(1_500L, CallSite::atPs);
    assertThat(mapping.madeBy().code()).startsWith("CheckerBench.map:");
    assertThat(mapping.endedBy()).isNotNull();
    assertThat(mapping.endedBy().operation()).isEqualTo(2);
    assertThat(mapping.endedBy().code())
        .startsWith("ApiChecksTest.shouldExplainWhoMadeAndWhoEndedAMapping:");
    assertThat(report.nearest()).isNotNull();
    assertThat(report.nearest().iova()).isEqualTo(other);
    assertThat(report.nearest().distanceBytes(iova)).isEqualTo(4096);
    assertThat(report.toString())
        .contains("unmap-not-mapped: memory was unmapped that is not mapped")
        .contains("iova 0x" + Long.toHexString(iova) + ", 4096 bytes, offset 0 in the mapping")
        .contains("when:    3000.000 ns")
        .contains("unmapped by disk, call 2, core 3, 2000.001 ns, in ApiChecksTest.")
        .contains("nearest: live, 4096 bytes away: SINGLE FROM_DEVICE of 4096 bytes");
  }

  @Test
  void shouldFindThatAnErrorWasNotCheckedForEachMapping() {
    long pa = bench.page();
    long first = dma.mapSingle(port, pa, 64, TO_DEVICE);
    dma.mapSingle(port, pa, 64, TO_DEVICE);
    dma.isMappingError(first); // of one of them

    dma.unmapSingle(port, first, 64, TO_DEVICE);
    dma.unmapSingle(port, first, 64, TO_DEVICE);

    assertThat(bench.found()).containsExactly(DmaViolation.MAPPING_ERROR_UNCHECKED);
  }

  @Test
  void shouldFreeCoherentMemoryUnderItsTrueAddress() {
    CoherentBuffer buffer = bench.coherent(8192);
    long allocated = bench.pages.allocatedBytes();

    dma.freeCoherent(port, new CoherentBuffer(buffer.pa() + 4096, buffer.iova(), 4096));

    assertThat(bench.found()).containsExactly(DmaViolation.UNMAP_WRONG_SIZE);
    assertThat(bench.pages.allocatedBytes()).isEqualTo(allocated - 8192);
    dma.freeCoherent(port, buffer);
    assertThat(bench.found().get(1)).isEqualTo(DmaViolation.UNMAP_NOT_MAPPED);
    assertThat(bench.pages.allocatedBytes()).isEqualTo(allocated - 8192);
  }

  @Test
  void shouldNotFreeWhatIsNoCoherentMemory() {
    long iova = bench.mapPage();
    long allocated = bench.pages.allocatedBytes();

    dma.freeCoherent(port, new CoherentBuffer(iova, iova, 4096));

    assertThat(bench.found())
        .contains(DmaViolation.UNMAP_WRONG_FUNCTION, DmaViolation.UNMAP_WRONG_DIRECTION);
    assertThat(bench.pages.allocatedBytes()).isEqualTo(allocated);
    assertThat(dma.liveMappingsCount()).isZero();
  }

  @Test
  void shouldCountWhatIsLeftAtTheEndOnce() {
    bench.mapPage();
    bench.mapPage();

    dma.unbind(port);
    dma.unbind(port);

    DmaReport report = bench.onlyReport();
    assertThat(report.violation()).isEqualTo(DmaViolation.DEVICE_UNBOUND_WITH_MAPPINGS);
    assertThat(report.detail()).startsWith("2 mappings are left");
  }

  @Test
  void shouldAllowOverlapWhereTheDeviceOnlyReads() {
    long pa = bench.page();
    bench.map(pa, 32, TO_DEVICE);
    bench.map(pa, 32, TO_DEVICE);
    bench.map(pa + 32, 32, FROM_DEVICE);
    dma.isMappingError(dma.mapShared(port, pa, 64));

    assertThat(checker.total()).isZero();
    bench.map(pa + 63, 1, BIDIRECTIONAL);
    assertThat(bench.found()).containsExactly(DmaViolation.OVERLAPPING_CACHE_LINES);
  }

  @Test
  void shouldFindOverlapInTheMiddleOfMappings() {
    long pa = bench.pages.allocate(16384);
    bench.map(pa, 16384, FROM_DEVICE);
    bench.map(pa + 8192, 64, FROM_DEVICE);

    assertThat(bench.found()).containsExactly(DmaViolation.OVERLAPPING_CACHE_LINES);
  }

  @Test
  void shouldSuspectALeakFromTheNinthMappingOfALineOn() {
    long pa = bench.page();
    for (int i = 0; i < 8; i++) {
      bench.map(pa, 64, FROM_DEVICE);
    }
    assertThat(checker.count(DmaViolation.TOO_MANY_OVERLAPS)).isZero(); // 7 overlap the first

    bench.map(pa, 64, FROM_DEVICE);

    assertThat(checker.count(DmaViolation.TOO_MANY_OVERLAPS)).isOne();
    assertThat(checker.count(DmaViolation.OVERLAPPING_CACHE_LINES)).isEqualTo(8);
  }

  @Test
  void shouldNameWhoHoldsTheBounceSlots() {
    dma.trySetMask(32);
    // 1 MiB has 512 slots of 2 KiB: 3 x 128 + 60, then 33 slots of 68 are wanted twice.
    long pa = bench.pages.allocate(256 << 10);
    List<Long> iovas = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      iovas.add(leak(pa, 256 << 10));
    }
    bench.map(pa, 60 * 2048, TO_DEVICE);
    assertThat(checker.total()).isZero();

    assertThat(dma.mapSingle(port, pa, 69 * 2048, TO_DEVICE)).isEqualTo(DmaDevice.MAPPING_ERROR);

    DmaReport report = bench.onlyReport();
    assertThat(report.violation()).isEqualTo(DmaViolation.SWIOTLB_EXHAUSTED);
    assertThat(report.lengthBytes()).isEqualTo(69 * 2048);
    assertThat(report.detail())
        .startsWith("141312 bytes (69 slots) asked for, 444 of 512 slots used; most are held by ")
        .contains("disk in ApiChecksTest.leak:")
        .contains("(384 slots), disk in CheckerBench.map:")
        .endsWith("(60 slots)");
    assertThat(iovas).doesNotHaveDuplicates();
  }

  private long leak(long pa, int bytes) {
    long iova = dma.mapSingle(port, pa, bytes, TO_DEVICE);
    dma.isMappingError(iova);
    return iova;
  }

  @Test
  void shouldFindListsThatAreUnmappedTwice() {
    ScatterList list = new ScatterList(1);
    list.add(bench.page(), 4096);
    dma.mapScatterList(port, list, FROM_DEVICE);
    dma.unmapScatterList(port, list, FROM_DEVICE);
    assertThat(checker.total()).isZero();

    dma.unmapScatterList(port, list, FROM_DEVICE);

    assertThat(bench.found()).containsExactly(DmaViolation.UNMAP_NOT_MAPPED);
  }

  @Test
  void shouldLeaveDevicesThatNobodyWatchesAsStrictAsTheyAre() {
    DmaDevice strict = bench.device();
    strict.trySetMask(64);
    long iova = strict.mapSingle(port, bench.page(), 4096, FROM_DEVICE);

    assertThatThrownBy(() -> strict.unmapSingle(port, iova, 4095, FROM_DEVICE))
        .isInstanceOf(IllegalArgumentException.class);
    ScatterList list = new ScatterList(2);
    list.add(bench.page(), 4096);
    strict.mapScatterList(port, list, TO_DEVICE);
    assertThatThrownBy(() -> strict.unmapScatterList(port, list, 2, TO_DEVICE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("segmentCount must be 1: segmentCount=2");
    assertThatThrownBy(() -> strict.syncScatterListForCpu(port, list, 0, TO_DEVICE))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(checker.total()).isZero();
  }

  @Test
  void shouldBeThereBeforeAnythingIsMapped() {
    assertThatThrownBy(() -> checker.watch(dma, "again")).isInstanceOf(IllegalStateException.class);
    DmaDevice late = bench.device();
    late.mapSingle(port, bench.page(), 64, TO_DEVICE);
    assertThatThrownBy(() -> checker.watch(late, "late"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("liveMappingsCount=1");
  }

  @Test
  void shouldCountAllAndKeepTheFirst() {
    DmaChecker small = new DmaChecker(bench.simulation, bench.memory, 2);
    DmaDevice device = bench.device();
    small.watch(device, "other");
    device.trySetMask(64);
    for (int i = 0; i < 5; i++) {
      device.unmapSingle(port, 0x1000 + i, 1, TO_DEVICE);
    }

    assertThat(small.total()).isEqualTo(5);
    assertThat(small.count(DmaViolation.UNMAP_NOT_MAPPED)).isEqualTo(5);
    assertThat(small.reports()).extracting(DmaReport::iova).containsExactly(0x1000L, 0x1001L);
    assertThatThrownBy(() -> new DmaChecker(bench.simulation, bench.memory, -1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("reportsMax must be >= 0: reportsMax=-1");
  }
}
