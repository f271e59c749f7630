package io.github.bellwire.iommu.driver;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.dma.check.DmaChecker;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One core unmaps for long, ahead of the clock; another one maps before that has happened. */
class AheadOfTheClockTest {
  private static final long MS = 1_000_000_000L;
  private static final long US = 1_000_000L;
  private static final int LARGE_BYTES = 256 << 10; // Goes past the caches of cores.
  private static final byte[] DATA = new byte[64];

  static {
    Arrays.fill(DATA, (byte) 0x77);
  }

  private static long map(PolicyMachine machine, long pa, int bytes) {
    long iova = machine.dma.mapSingle(machine.port, pa, bytes, FROM_DEVICE);
    assertThat(machine.dma.isMappingError(iova)).isFalse();
    return iova;
  }

  private static void writeLater(PolicyMachine machine, long iova, long atPs) {
    machine.host.simulation().runUntil(atPs);
    machine.device.write(iova, DATA, atPs);
    machine.host.simulation().runUntil(atPs + 5 * US);
  }

  @Test
  void shouldNotGiveBackWhatAFlushWillMakeTheHardwareForgetOnlyLater() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.LAZY);
    DmaChecker checker = machine.host.attachChecker();
    List<Long> many = machine.mapPages(256, FROM_DEVICE);
    many.forEach(machine.dma::isMappingError);
    long[] pas = new long[3];
    Arrays.setAll(pas, i -> machine.host.pages().allocate(4096));
    long old = map(machine, pas[0], 4096);
    long other = map(machine, pas[1], 4096);
    writeLater(machine, old, machine.nowPs());
    machine.onCore(
        2, machine.nowPs() + US, core -> machine.dma.unmapSingle(core, old, 4096, FROM_DEVICE));
    machine.port.delay(5 * US);

    long startPs = machine.nowPs() + US;
    long[] flushedPs = new long[1];
    machine.onCoreLater(
        1,
        startPs,
        core -> {
          many.forEach(iova -> machine.dma.unmapSingle(core, iova, 4096, FROM_DEVICE));
          flushedPs[0] = core.nowPs();
        });
    long[] fresh = new long[1];
    machine.onCoreLater(
        2,
        startPs + US,
        core -> {
          machine.dma.unmapSingle(core, other, 4096, FROM_DEVICE);
          fresh[0] = machine.dma.mapSingle(core, pas[2], 4096, FROM_DEVICE);
          machine.dma.isMappingError(fresh[0]);
        });
    writeLater(machine, runBoth(machine, startPs, fresh), startPs + 3 * US);

    assertThat(flushedPs[0]).isGreaterThan(startPs + 20 * US);
    assertThat(machine.domain().fullFlushesCount()).isEqualTo(1);
    assertThat(fresh[0]).isNotEqualTo(old);
    assertThat(machine.host.memory().getLong(pas[2])).isEqualTo(0x7777_7777_7777_7777L);
    assertThat(checker.reports()).isEmpty();

    // Once the flush has been, the next look at the ring gives the address back.
    long[] again = new long[1];
    machine.onCore(
        2,
        flushedPs[0],
        core -> {
          machine.dma.unmapSingle(core, fresh[0], 4096, FROM_DEVICE);
          again[0] = machine.dma.mapSingle(core, pas[0], 4096, FROM_DEVICE);
          machine.dma.isMappingError(again[0]);
        });
    assertThat(again[0]).isIn(old, other);
  }

  private static long runBoth(PolicyMachine machine, long startPs, long[] result) {
    machine.host.simulation().runUntil(startPs + US);
    return result[0];
  }

  @Test
  void shouldArmTheTimerForWhatIsQueuedAfterItHasGoneOff() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.LAZY);
    List<Long> iovas = machine.mapPages(3, FROM_DEVICE);
    machine.dma.unmapSingle(machine.port, iovas.get(0), 4096, FROM_DEVICE);
    long firstPs = machine.nowPs();
    long[] lastPs = new long[1];
    // Runs before the timer, in which it waits past it.
    machine.onCoreLater(
        1,
        firstPs + 10 * MS - US,
        core -> {
          core.delay(2 * US);
          machine.dma.unmapSingle(core, iovas.get(1), 4096, FROM_DEVICE);
          lastPs[0] = core.nowPs();
        });

    machine.host.simulation().runUntil(firstPs + 11 * MS);
    assertThat(machine.domain().timerFlushesCount()).isEqualTo(1);
    assertThat(machine.domain().pendingUnmaps(0)).isZero();
    assertThat(machine.domain().pendingUnmaps(1)).isEqualTo(1);

    machine.host.simulation().runUntil(lastPs[0] + 10 * MS - 1);
    assertThat(machine.domain().timerFlushesCount()).isEqualTo(1);
    machine.host.simulation().runUntil(lastPs[0] + 10 * MS);
    assertThat(machine.domain().timerFlushesCount()).isEqualTo(2);
    assertThat(machine.domain().pendingUnmaps(1)).isZero();
    machine.host.simulation().runUntil(lastPs[0] + 100 * MS);
    assertThat(machine.domain().timerFlushesCount()).isEqualTo(2);
  }

  @Test
  void shouldFlushAtOnceWhatHasWaitedForLongerDuringAFlush() {
    PolicyMachine machine =
        new PolicyMachine(
            MappingPolicy.LAZY,
            IommuDriverConfig.LINUX_6_12,
            new DeviceTraits(false, true, List.of()));
    List<Long> iovas = machine.mapPages(2, FROM_DEVICE);
    machine.device.answerPs = -1;
    machine.dma.unmapSingle(machine.port, iovas.get(0), 4096, FROM_DEVICE);
    long timerPs = machine.nowPs() + 10 * MS;
    machine.onCoreLater(
        1,
        timerPs - US,
        core -> {
          core.delay(2 * US);
          machine.dma.unmapSingle(core, iovas.get(1), 4096, FROM_DEVICE);
        });

    // The hardware gives the silent device up after 10 ms; software looks each millisecond.
    machine.host.simulation().runUntil(timerPs);
    assertThat(machine.nowPs()).isGreaterThan(timerPs + 10 * MS + US);
    assertThat(machine.domain().timerFlushesCount()).isEqualTo(1);
    assertThat(machine.domain().pendingUnmaps(1)).isEqualTo(1);

    machine.device.answerPs = 0;
    machine.host.simulation().runUntil(timerPs + 12 * MS);
    assertThat(machine.domain().timerFlushesCount()).isEqualTo(2);
    assertThat(machine.domain().pendingUnmaps(1)).isZero();
  }

  @Test
  void shouldNotHandOutALargeRangeThatAnotherCoreIsStillToUnmap() {
    PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
    DmaChecker checker = machine.host.attachChecker();
    long oldPa = machine.host.pages().allocate(LARGE_BYTES);
    long freshPa = machine.host.pages().allocate(LARGE_BYTES);
    long old = map(machine, oldPa, LARGE_BYTES);
    List<Long> iovas = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      iovas.add(map(machine, machine.host.pages().allocate(LARGE_BYTES), LARGE_BYTES));
    }
    iovas.add(old);
    writeLater(machine, old, machine.nowPs());

    long startPs = machine.nowPs() + US;
    long[] unmappedPs = new long[1];
    machine.onCoreLater(
        1,
        startPs,
        core -> {
          iovas.forEach(iova -> machine.dma.unmapSingle(core, iova, LARGE_BYTES, FROM_DEVICE));
          unmappedPs[0] = core.nowPs();
        });
    long[] fresh = new long[1];
    machine.onCoreLater(
        2,
        startPs + US,
        core -> {
          fresh[0] = machine.dma.mapSingle(core, freshPa, LARGE_BYTES, FROM_DEVICE);
          machine.dma.isMappingError(fresh[0]);
        });
    writeLater(machine, runBoth(machine, startPs, fresh), startPs + 3 * US);

    assertThat(unmappedPs[0]).isGreaterThan(startPs + 20 * US);
    assertThat(fresh[0]).isNotEqualTo(old);
    assertThat(machine.host.memory().getLong(freshPa)).isEqualTo(0x7777_7777_7777_7777L);
    assertThat(checker.reports()).isEmpty();

    machine.onCore(
        2,
        unmappedPs[0],
        core -> fresh[0] = machine.dma.mapSingle(core, oldPa, LARGE_BYTES, FROM_DEVICE));
    // The highest address that is free.
    assertThat(fresh[0]).isEqualTo(old);
  }

  @Test
  void shouldLeaveMagazinesAloneThatComeIntoTheDepotLater() {
    IdlePort port = new IdlePort(new PhysicalMemory(1 << 20, 0));
    IovaAllocator iovas =
        new IovaAllocator(
            new Simulation(1), IommuDriverConfig.LINUX_6_12, 2, 1, (core, order) -> {});
    List<Long> pfns = new ArrayList<>();
    for (int i = 0; i < 3 * 127; i++) {
      pfns.add(iovas.allocate(port, 1, 0xFFFFF, false));
    }
    port.nowPs = 50 * US;
    pfns.forEach(pfn -> iovas.free(port, pfn, 1));
    assertThat(iovas.depotMagazines(0)).isEqualTo(1);
    long allFreedPs = port.nowPs;

    port.coreIndex = 1;
    port.nowPs = 40 * US;
    assertThat(iovas.allocate(port, 1, 0xFFFFF, false)).isNotIn(pfns);
    assertThat(iovas.trimDepot(port, 0)).isFalse();
    assertThat(iovas.depotMagazines(0)).isEqualTo(1);

    port.nowPs = allFreedPs;
    assertThat(iovas.allocate(port, 1, 0xFFFFF, false)).isIn(pfns);
    assertThat(iovas.depotMagazines(0)).isZero();
  }

  @Test
  void shouldFindNoRoomInCachesThatAreFilledLater() {
    IdlePort port = new IdlePort(new PhysicalMemory(1 << 20, 0));
    IovaAllocator iovas =
        new IovaAllocator(
            new Simulation(1), IommuDriverConfig.LINUX_6_12, 2, 1, (core, order) -> {});
    iovas.reserve(2, 1L << 40);
    assertThat(iovas.allocate(port, 1, 0xFFFFF, true)).isEqualTo(1);
    port.nowPs = 50 * US;
    iovas.free(port, 1, 1);

    port.coreIndex = 1;
    port.nowPs = 40 * US;
    assertThat(iovas.allocate(port, 1, 0xFFFFF, true)).isEqualTo(IovaAllocator.NO_ROOM);
    port.nowPs = 60 * US;
    assertThat(iovas.allocate(port, 1, 0xFFFFF, true)).isEqualTo(1);
  }
}
