package io.github.bellwire.dma.check;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What devices do with what is mapped, judged by when they do it. */
class AccessChecksTest {
  private final CheckerBench bench = new CheckerBench();
  private final DmaDevice dma = bench.dma;
  private final ClockPort port = bench.port;

  @Test
  void shouldFindAnAccessThatIsUnderWayAtTheUnmap() {
    long iova = bench.mapPage();
    // Issued while the memory is mapped, told at once, and there at 2000 ps.
    bench.deviceWrites(iova + 128, 64, 2_000);
    port.nowPs = 1_999;

    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);

    DmaReport report = bench.onlyReport();
    assertThat(report.violation()).isEqualTo(DmaViolation.DEVICE_ACCESS_AFTER_UNMAP);
    assertThat(report.timePs()).isEqualTo(2_000);
    assertThat(report.offsetBytes()).isEqualTo(128);
    assertThat(report.lengthBytes()).isEqualTo(64);
  }

  @Test
  void shouldAllowAnAccessUpToTheUnmap() {
    long iova = bench.mapPage();
    bench.deviceWrites(iova, 64, 2_000);
    port.nowPs = 2_000;
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);

    // Told late, because a core has run ahead of the clock, and yet in time.
    bench.deviceWrites(iova, 64, 1_999);

    assertThat(bench.found()).isEmpty();
    bench.deviceWrites(iova, 64, 2_000);
    assertThat(bench.found()).containsExactly(DmaViolation.DEVICE_ACCESS_AFTER_UNMAP);
  }

  @Test
  void shouldNotAllowAnAccessBeforeTheMap() {
    port.nowPs = 5_000;
    long iova = bench.mapPage();

    bench.deviceWrites(iova, 64, 4_999);
    bench.deviceWrites(iova, 64, 5_000);

    assertThat(bench.found()).containsExactly(DmaViolation.DEVICE_ACCESS_UNMAPPED);
  }

  @Test
  void shouldTellAnAccessBesideAMappingFromOneAfterIt() {
    long pa = bench.page();
    long left = bench.map(pa, 2048, FROM_DEVICE);
    long right = bench.map(pa + 2048, 1024, FROM_DEVICE);
    port.nowPs = 1_000;
    dma.unmapSingle(port, left, 2048, FROM_DEVICE);

    bench.deviceWrites(left, 64, 2_000);
    bench.deviceWrites(right + 1020, 8, 2_000);
    bench.deviceWrites(right + 1024, 8, 2_000);
    bench.deviceWrites(right + 2048, 8, 2_000);

    assertThat(bench.found())
        .containsExactly(
            DmaViolation.DEVICE_ACCESS_AFTER_UNMAP,
            DmaViolation.DEVICE_ACCESS_BEYOND_MAPPING,
            DmaViolation.DEVICE_ACCESS_BEYOND_MAPPING,
            DmaViolation.DEVICE_ACCESS_UNMAPPED);
    assertThat(bench.checker.reports().get(0).nearest())
        .isNotNull()
        .returns(right, MappingInfo::iova);
  }

  @Test
  void shouldChooseTheMappingThatPermitsTheAccess() {
    long pa = bench.page();
    bench.coreStores(pa, 64, 0);
    bench.map(pa, 64, TO_DEVICE);
    bench.map(pa, 64, FROM_DEVICE);

    bench.deviceWrites(pa, 64, 1_000);
    bench.deviceReads(pa, 64, 1_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldExplainWhatAnIommuRefuses() {
    long iova = bench.map(bench.page(), 4096, TO_DEVICE);
    bench.checker.accessListener().onRefused(CheckerBench.REQUESTER, iova, 64, true, 1_000);
    bench.checker.accessListener().onRefused(CheckerBench.REQUESTER, iova, 64, false, 1_000);
    port.nowPs = 2_000;
    dma.unmapSingle(port, iova, 4096, TO_DEVICE);
    bench.checker.accessListener().onRefused(CheckerBench.REQUESTER, iova, 64, false, 3_000);

    assertThat(bench.found())
        .containsExactly(
            DmaViolation.DEVICE_ACCESS_WRONG_DIRECTION, DmaViolation.DEVICE_ACCESS_AFTER_UNMAP);
    assertThat(bench.checker.reports().get(1).detail())
        .isEqualTo("the device read, refused, 1.000 ns after the memory was unmapped");
  }

  @Test
  void shouldBlameNobodyForTheAccessOfAStranger() {
    bench.mapPage();

    bench.checker.accessListener().onWrite(0x200, 0x5000, 0x5000, new byte[8], 0, 8, 1_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldRecogniseADeviceByItsRings() {
    DmaDevice other = bench.device();
    bench.checker.watch(other, "unknown");
    other.trySetMask(64);
    other.trySetCoherentMask(64);
    CoherentBuffer ring = other.allocateCoherent(port, 4096);
    assertThat(ring).isNotNull();
    bench.checker.accessListener().onWrite(0x300, 0x5000, 0x5000, new byte[8], 0, 8, 1_000);
    assertThat(bench.found()).isEmpty();

    bench.checker.accessListener().onRead(0x300, ring.iova(), ring.pa(), new byte[8], 0, 8, 2_000);
    bench.checker.accessListener().onWrite(0x300, 0x5000, 0x5000, new byte[8], 0, 8, 3_000);

    assertThat(bench.onlyReport().device()).isEqualTo("unknown");
  }

  @Test
  void shouldFindTheFirstByteThatNobodyHasWritten() {
    long pa = bench.page();
    bench.coreStores(pa, 100, 0);
    long iova = bench.map(pa, 4096, TO_DEVICE);
    bench.deviceReads(iova, 100, 1_000);
    assertThat(bench.found()).isEmpty();

    bench.deviceReads(iova + 64, 37, 2_000);

    assertThat(bench.onlyReport().detail()).endsWith("pa 0x" + Long.toHexString(pa + 100));
  }

  @Test
  void shouldTakeWhatIsInMemoryForWritten() {
    long pa = bench.page();
    long iova = bench.map(pa, 4096, TO_DEVICE);
    bench.memory.putByte(pa + 20, 1);
    bench.checker.declareWritten(pa + 1024, 64);

    bench.deviceReads(iova, 64, 1_000);
    bench.deviceReads(iova + 1024, 64, 1_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldForgetWhatWasWrittenWhenMemoryIsAllocatedAgain() {
    long pa = bench.page();
    bench.coreStores(pa, 4096, 0);
    bench.pages.free(pa, 4096);
    long again = bench.page();
    assertThat(again).isEqualTo(pa);

    bench.deviceReads(bench.map(again, 64, TO_DEVICE), 64, 1_000);

    assertThat(bench.found()).containsExactly(DmaViolation.DEVICE_READ_UNWRITTEN);
  }

  @Test
  void shouldNotMindMemoryThatWasFreedAndAllocatedAgain() {
    long pa = bench.page();
    bench.pages.free(pa, 4096);
    long iova = bench.mapPage();
    assertThat(iova).isEqualTo(pa);

    bench.deviceWrites(iova, 64, 1_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldTellAStaleTranslationThatIsUsedFromOneThatWasChanged() {
    long iova = bench.mapPage();
    bench.checker.translationListener().onStaleTranslation(CheckerBench.REQUESTER, iova, 900);
    bench.deviceWrites(iova, 8, 1_000);
    port.nowPs = 2_000;
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);
    bench.checker.translationListener().onStaleTranslation(CheckerBench.REQUESTER, iova, 2_900);
    bench.deviceWrites(iova, 8, 3_000);
    bench.deviceWrites(iova, 8, 4_000);

    assertThat(bench.found())
        .containsExactly(
            DmaViolation.PTE_CHANGED_WITHOUT_INVALIDATION,
            DmaViolation.DEVICE_ACCESS_AFTER_UNMAP_CACHED,
            DmaViolation.DEVICE_ACCESS_AFTER_UNMAP);
  }

  @Test
  void shouldJudgePartsOfABufferByWhoOwnsThem() {
    long iova = bench.mapPage();
    port.nowPs = 1_000;
    dma.syncForCpu(port, iova, 0, 100, FROM_DEVICE);
    bench.checker.accessListener().onRegisterWrite(CheckerBench.REQUESTER, 1_500);

    bench.deviceWrites(iova + 100, 64, 2_000);
    bench.deviceWrites(iova + 99, 1, 999);
    assertThat(bench.found()).isEmpty();
    bench.deviceWrites(iova + 99, 1, 2_000);
    assertThat(bench.found()).containsExactly(DmaViolation.SYNC_FOR_DEVICE_MISSING);
    dma.syncForDevice(port, iova, 50, 50, FROM_DEVICE);
    bench.deviceWrites(iova + 50, 50, 3_000);
    assertThat(bench.found()).hasSize(1);
    bench.deviceWrites(iova + 49, 50, 3_000);
    assertThat(bench.found()).hasSize(2);
  }

  @Test
  void shouldTellOnceThatMemoryIsUnwritten() {
    long iova = bench.map(bench.page(), 4096, TO_DEVICE);

    bench.deviceReads(iova, 64, 1_000);
    bench.deviceReads(iova, 64, 2_000);

    assertThat(bench.found()).containsExactly(DmaViolation.DEVICE_READ_UNWRITTEN);
  }

  @Test
  void shouldNotMindContentThatTheDeviceMustNotReadAnyway() {
    bench.deviceReads(bench.mapPage(), 64, 1_000);

    assertThat(bench.found()).containsExactly(DmaViolation.DEVICE_ACCESS_WRONG_DIRECTION);
  }

  @Test
  void shouldTakeWhatAStrangerWritesForWritten() {
    long pa = bench.page();
    bench.checker.accessListener().onWrite(0x200, pa, pa, new byte[64], 0, 64, 500);

    bench.deviceReads(bench.map(pa, 64, TO_DEVICE), 64, 1_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldNotTakeTimeForWhatWasMappedLater() {
    port.nowPs = 2_000;
    long iova = bench.mapPage();
    port.nowPs = 3_000;
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);

    bench.deviceWrites(iova, 64, 1_000);

    assertThat(bench.found()).containsExactly(DmaViolation.DEVICE_ACCESS_UNMAPPED);
  }

  @Test
  void shouldLetTheDeviceFinishWhileTheHostLooks() {
    long iova = bench.mapPage();
    bench.checker.accessListener().onRegisterWrite(CheckerBench.REQUESTER, 900);
    for (int look = 0; look < 3; look++) {
      port.nowPs = 1_000 + 1_000 * look;
      dma.syncForCpu(port, iova, 0, 64, FROM_DEVICE);
      bench.deviceWrites(iova, 64, port.nowPs + 500);
      dma.syncForDevice(port, iova, 0, 64, FROM_DEVICE);
    }

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldFindThatAPartIsTakenAgainThatTheDeviceHasUsedMeanwhile() {
    long iova = bench.mapPage();
    port.nowPs = 1_000;
    dma.syncForCpu(port, iova, 0, 64, FROM_DEVICE);
    bench.deviceWrites(iova + 60, 64, 1_500);
    port.nowPs = 2_000;
    dma.syncForCpu(port, iova, 64, 64, FROM_DEVICE);
    assertThat(bench.found()).containsExactly(DmaViolation.SYNC_FOR_DEVICE_MISSING);
    assertThat(bench.onlyReport().iova()).isEqualTo(iova + 60);
    assertThat(bench.onlyReport().timePs()).isEqualTo(1_500);

    dma.syncForCpu(port, iova, 0, 64, FROM_DEVICE);

    assertThat(bench.found()).hasSize(1);
  }

  @Test
  void shouldFindThatAnOrderIsGivenForAPartThatTheHostHas() {
    long iova = bench.mapPage();
    port.nowPs = 1_000;
    dma.syncForCpu(port, iova, 0, 64, FROM_DEVICE);
    bench.checker.accessListener().onRegisterWrite(CheckerBench.REQUESTER, 1_000);

    bench.deviceWrites(iova, 64, 1_500);

    assertThat(bench.found()).containsExactly(DmaViolation.SYNC_FOR_DEVICE_MISSING);
  }

  @Test
  void shouldTakeAStoreToCoherentMemoryForAnOrder() {
    CoherentBuffer mailbox = bench.coherent(4096);
    long iova = bench.mapPage();
    port.nowPs = 1_000;
    dma.syncForCpu(port, iova, 0, 64, FROM_DEVICE);
    bench.coreStores(mailbox.pa(), 8, 1_200);

    bench.deviceWrites(iova, 64, 1_500);

    assertThat(bench.found()).containsExactly(DmaViolation.SYNC_FOR_DEVICE_MISSING);
  }

  @Test
  void shouldFindThatTheDeviceReadsAPartThatTheHostHas() {
    long iova = bench.map(bench.page(), 4096, DmaDirection.BIDIRECTIONAL);
    bench.coreStores(iova, 64, 0);
    port.nowPs = 1_000;
    dma.syncForCpu(port, iova, 0, 64, DmaDirection.BIDIRECTIONAL);

    bench.deviceReads(iova, 64, 1_500);

    assertThat(bench.found()).contains(DmaViolation.SYNC_FOR_DEVICE_MISSING);
  }

  @Test
  void shouldLetSharedMemoryBelongToBoth() {
    long iova = dma.mapShared(port, bench.page(), 4096);
    dma.syncForCpu(port, iova, 0, 64, FROM_DEVICE);

    bench.deviceWrites(iova, 64, 1_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldRememberSomeThousandsOfMappings() {
    long first = bench.mapPage();
    dma.unmapSingle(port, first, 4096, FROM_DEVICE);
    mapAndUnmap(4095);
    bench.deviceWrites(first, 8, 1_000);
    mapAndUnmap(1);
    bench.deviceWrites(first, 8, 2_000);

    // Of 4096 that have ended the oldest is known, of 4097 it is not.
    assertThat(bench.found())
        .containsExactly(
            DmaViolation.DEVICE_ACCESS_AFTER_UNMAP, DmaViolation.DEVICE_ACCESS_UNMAPPED);
  }

  private void mapAndUnmap(int times) {
    long pa = bench.page();
    for (int i = 0; i < times; i++) {
      dma.unmapSingle(port, bench.map(pa, 64, FROM_DEVICE), 64, FROM_DEVICE);
    }
  }

  @Test
  void shouldAskTheDriverThatHasTheDeviceAtPresent() {
    long oldIova = bench.mapPage();
    dma.unmapSingle(port, oldIova, 4096, FROM_DEVICE);
    dma.unbind(port);
    DmaDevice next = bench.device();
    bench.checker.watch(next, "the disk again", CheckerBench.REQUESTER);
    next.trySetMask(64);
    port.nowPs = 1_000;
    long iova = next.mapSingle(port, bench.page(), 4096, FROM_DEVICE);
    next.isMappingError(iova);

    bench.deviceWrites(iova, 64, 2_000);
    assertThat(bench.found()).isEmpty();

    // What the driver before it had mapped is explained by that one's doings.
    bench.deviceWrites(oldIova, 64, 3_000);
    DmaReport report = bench.onlyReport();
    assertThat(report.violation()).isEqualTo(DmaViolation.DEVICE_ACCESS_AFTER_UNMAP);
    assertThat(report.device()).isEqualTo("disk");
    bench.deviceWrites(oldIova + (1 << 20), 64, 3_000);
    assertThat(bench.checker.reports().get(1).device()).isEqualTo("the disk again");
  }

  @Test
  void shouldForgetWhatItWasToldOfAStaleTranslationForAllDriversOfADevice() {
    DmaDevice next = bench.device();
    bench.checker.watch(next, "the disk again", CheckerBench.REQUESTER);
    next.trySetMask(64);
    long iova = next.mapSingle(port, bench.page(), 4096, FROM_DEVICE);
    next.isMappingError(iova);
    bench.checker.translationListener().onStaleTranslation(CheckerBench.REQUESTER, iova, 0);
    bench.deviceWrites(iova, 64, 1_000);
    assertThat(bench.found()).containsExactly(DmaViolation.PTE_CHANGED_WITHOUT_INVALIDATION);
    port.nowPs = 2_000;
    next.unmapSingle(port, iova, 4096, FROM_DEVICE);

    dma.isMappingError(dma.mapSingle(port, iova, 4096, FROM_DEVICE));
    bench.deviceWrites(iova, 64, 3_000);

    assertThat(bench.found()).hasSize(1);
  }

  @Test
  void shouldTellOfATransferOnceHoweverManyTlpsItTakes() {
    long iova = bench.map(bench.page(), 1024, TO_DEVICE);

    for (int at = 0; at < 1024; at += 256) {
      bench.deviceWrites(iova + at, 256, 1_000 + at);
    }
    assertThat(bench.found()).containsExactly(DmaViolation.DEVICE_ACCESS_WRONG_DIRECTION);
    assertThat(bench.onlyReport().iova()).isEqualTo(iova);

    // What goes on beyond the mapping is another mistake; and the same from the beginning is new.
    bench.deviceWrites(iova + 1024, 256, 3_000);
    bench.deviceWrites(iova, 256, 4_000);
    assertThat(bench.found())
        .containsExactly(
            DmaViolation.DEVICE_ACCESS_WRONG_DIRECTION,
            DmaViolation.DEVICE_ACCESS_BEYOND_MAPPING,
            DmaViolation.DEVICE_ACCESS_WRONG_DIRECTION);
  }

  @Test
  void shouldTellOfTheNextTransferAgainIfThereWasAnAccessBetween() {
    CoherentBuffer memory = bench.coherent(4096);
    long iova = bench.map(bench.page(), 1024, TO_DEVICE);

    bench.deviceWrites(iova, 256, 1_000);
    bench.deviceReads(memory.iova(), 16, 2_000); // Its next descriptor.
    bench.deviceWrites(iova + 256, 256, 3_000);

    assertThat(bench.checker.count(DmaViolation.DEVICE_ACCESS_WRONG_DIRECTION)).isEqualTo(2);
  }

  @Test
  void shouldTellOfATransferThatIsRefusedOnce() {
    for (int at = 0; at < 1024; at += 256) {
      bench
          .checker
          .accessListener()
          .onRefused(CheckerBench.REQUESTER, 0x70_0000 + at, 256, true, 1_000 + at);
    }

    assertThat(bench.found()).containsExactly(DmaViolation.DEVICE_ACCESS_UNMAPPED);
  }

  /** Rings belong to one DMA device, buffers to another, for instance with another mask. */
  @Test
  void shouldLetACompletionTellAllDriversOfADevice() {
    DmaDevice rings = bench.device();
    bench.checker.watch(rings, "the disk's rings", CheckerBench.REQUESTER);
    rings.trySetCoherentMask(64);
    CoherentBuffer completions = Objects.requireNonNull(rings.allocateCoherent(port, 4096));
    long pa = bench.page();
    long iova = bench.map(pa, 4096, FROM_DEVICE);
    bench.deviceWrites(iova, 64, 1_000);
    bench.deviceWrites(completions.iova(), 8, 2_000);
    port.nowPs = 3_000;
    bench.coreLoads(completions.pa(), 8, 3_000);
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);

    bench.coreLoads(pa, 8, 4_000);

    assertThat(bench.found()).isEmpty();
  }
}
