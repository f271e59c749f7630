package io.github.bellwire.iommu.driver;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.IOTLB;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.pcie.DmaStatus;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When a lazy domain is flushed: to the entry and to the picosecond. */
class LazyBoundaryTest {
  private static final long MS = 1_000_000_000L;

  private final PolicyMachine machine = new PolicyMachine(MappingPolicy.LAZY);
  private final long iotlbCommandsBefore = iotlbCommands();

  private long iotlbCommands() {
    return machine.iommu.invalidationQueue().descriptorsTotal(IOTLB);
  }

  private long flushes() {
    return iotlbCommands() - iotlbCommandsBefore;
  }

  private void unmap(long iova) {
    machine.dma.unmapSingle(machine.port, iova, 4096, FROM_DEVICE);
  }

  @Test
  void shouldFlushAtThe256thUnmapOfACore() {
    List<Long> iovas = machine.mapPages(256, FROM_DEVICE);

    for (int i = 0; i < 255; i++) {
      unmap(iovas.get(i));
    }
    assertThat(flushes()).isZero();
    assertThat(machine.domain().pendingUnmaps(0)).isEqualTo(255);
    assertThat(machine.translated().statistics().exposure().count()).isZero();

    unmap(iovas.get(255));
    assertThat(flushes()).isEqualTo(1);
    assertThat(machine.domain().fullFlushesCount()).isEqualTo(1);
    assertThat(machine.domain().pendingUnmaps(0)).isEqualTo(1);
    assertThat(machine.translated().statistics().exposure().count()).isEqualTo(255);
  }

  @Test
  void shouldReuseNoTableBeforeTheFlush() {
    // Not aligned in host memory, so 4 KiB entries in a table of their own.
    long pa = machine.host.pages().allocate(4 << 20) + 4096;
    long iova = machine.dma.mapSingle(machine.port, pa, 2 << 20, FROM_DEVICE);
    assertThat(iova & (2 << 20) - 1).isZero();
    assertThat(machine.domain().tables().tablesCount()).isEqualTo(4);

    machine.dma.unmapSingle(machine.port, iova, 2 << 20, FROM_DEVICE);
    assertThat(machine.domain().tables().tablesCount()).isEqualTo(4);
    machine.port.delay(11 * MS);

    assertThat(machine.domain().tables().tablesCount()).isEqualTo(3);
  }

  @Test
  void shouldCountTheEntriesOfEachCoreByThemselves() {
    List<Long> iovas = machine.mapPages(510, FROM_DEVICE);

    machine.onCore(
        1,
        machine.nowPs(),
        core -> {
          for (int i = 0; i < 255; i++) {
            machine.dma.unmapSingle(core, iovas.get(i), 4096, FROM_DEVICE);
          }
        });
    for (int i = 255; i < 510; i++) {
      unmap(iovas.get(i));
    }

    assertThat(flushes()).isZero();
    assertThat(machine.domain().pendingUnmaps(0)).isEqualTo(255);
    assertThat(machine.domain().pendingUnmaps(1)).isEqualTo(255);
  }

  @Test
  void shouldFlushTenMillisecondsAfterTheFirstEntryAndDrainAllCores() {
    List<Long> iovas = machine.mapPages(3, FROM_DEVICE);
    unmap(iovas.get(0));
    long firstPs = machine.nowPs();
    machine.onCore(
        1,
        firstPs + 4 * MS,
        core -> machine.dma.unmapSingle(core, iovas.get(1), 4096, FROM_DEVICE));

    machine.host.simulation().runUntil(firstPs + 10 * MS - 1);
    assertThat(flushes()).isZero();
    assertThat(machine.domain().pendingUnmaps(0)).isEqualTo(1);
    assertThat(machine.domain().pendingUnmaps(1)).isEqualTo(1);

    machine.host.simulation().runUntil(firstPs + 10 * MS);
    assertThat(flushes()).isEqualTo(1);
    assertThat(machine.domain().pendingUnmaps(0)).isZero();
    assertThat(machine.domain().pendingUnmaps(1)).isZero();

    // Nothing arms it again but the next entry.
    machine.host.simulation().runUntil(firstPs + 100 * MS);
    assertThat(machine.domain().timerFlushesCount()).isEqualTo(1);
    machine.port.delay(1);
    unmap(iovas.get(2));
    long secondPs = machine.nowPs();
    machine.host.simulation().runUntil(secondPs + 10 * MS - 1);
    assertThat(machine.domain().timerFlushesCount()).isEqualTo(1);
    machine.host.simulation().runUntil(secondPs + 10 * MS);
    assertThat(machine.domain().timerFlushesCount()).isEqualTo(2);
  }

  @Test
  void shouldNotArmTheTimerAgainWhenAFullRingIsFlushed() {
    List<Long> iovas = machine.mapPages(257, FROM_DEVICE);
    unmap(iovas.get(0));
    long firstPs = machine.nowPs();
    machine.port.delay(5 * MS);
    for (int i = 1; i < 257; i++) {
      unmap(iovas.get(i));
    }
    assertThat(machine.domain().fullFlushesCount()).isEqualTo(1);
    assertThat(machine.domain().pendingUnmaps(0)).isEqualTo(2);

    machine.host.simulation().runUntil(firstPs + 10 * MS);

    assertThat(machine.domain().timerFlushesCount()).isEqualTo(1);
    assertThat(machine.domain().pendingUnmaps(0)).isZero();
  }

  @Test
  void shouldReuseNoAddressBeforeTheFlush() {
    long first = machine.mapPages(1, FROM_DEVICE).get(0);
    unmap(first);

    List<Long> next = machine.mapPages(3, FROM_DEVICE);
    assertThat(next).doesNotContain(first);

    machine.port.delay(11 * MS);
    // Last in, first out: the page that came back last is handed out first.
    assertThat(machine.mapPages(1, FROM_DEVICE)).containsExactly(first);
  }

  @Test
  void shouldExposeForTenMillisecondsAtMostAndTellForHowLong() {
    long iova = machine.mapPages(1, FROM_DEVICE).get(0);
    machine.device.write(iova, new byte[8], machine.nowPs());
    machine.port.delay(2_000_000);
    unmap(iova);
    long queuedPs = machine.nowPs();

    assertThat(machine.device.write(iova, new byte[8], queuedPs)).isEqualTo(DmaStatus.OK);
    long unmapPs = queuedPs - machine.translated().exposurePsMax(queuedPs);
    assertThat(unmapPs).isBetween(queuedPs - 2_000_000, queuedPs - 1);
    assertThat(machine.translated().exposurePsMax(queuedPs + MS))
        .isEqualTo(queuedPs + MS - unmapPs);
    machine.host.simulation().runUntil(queuedPs + 10 * MS);
    // The flush takes about as long as one strict invalidation: less than 1 us.
    machine.port.delay(1_000_000);

    assertThat(machine.translated().statistics().exposure().count()).isEqualTo(1);
    assertThat(machine.translated().statistics().exposure().maxPs())
        .isBetween(10 * MS, 10 * MS + 2_000_000);
    // It has ended.
    assertThat(machine.translated().exposurePsMax(machine.nowPs() + MS))
        .isEqualTo(machine.translated().statistics().exposure().maxPs());
    assertThat(machine.device.write(iova, new byte[8], machine.nowPs())).isNotEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldAccountForLiveRanges() {
    List<Long> iovas = machine.mapPages(10, FROM_DEVICE);
    MappingStatistics statistics = machine.translated().statistics();
    assertThat(statistics.liveRanges()).isEqualTo(10);

    iovas.subList(0, 7).forEach(this::unmap);

    assertThat(statistics.liveRanges()).isEqualTo(3);
    assertThat(statistics.livePages()).isEqualTo(3);
    assertThat(statistics.livePagesMax()).isEqualTo(10);
    assertThat(statistics.mapsCount()).isEqualTo(10);
    assertThat(statistics.unmapsCount()).isEqualTo(7);
  }
}
