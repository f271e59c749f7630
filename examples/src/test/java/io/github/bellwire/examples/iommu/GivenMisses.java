package io.github.bellwire.examples.iommu;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.striding.StridingLayout;
import io.github.bellwire.device.striding.StridingNic;
import io.github.bellwire.device.striding.StridingNicConfig;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.host.Host;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.IommuMapper;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.iommu.driver.PageTables;
import io.github.bellwire.iommu.driver.TableList;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.iommu.layout.SecondLevelLayout;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.EnumeratedFunction;
import java.util.List;
import java.util.Objects;

/**
 * The receiving machine of the strict experiment without its software: the bus addresses of receive
 * pages are chosen so that translating them misses each cache as often as asked for. Nothing is
 * ever unmapped; what misses has been displaced.
 *
 * <ul>
 *   <li>Pages are used again only after more others than the IOTLB has entries: each misses once.
 *   <li>An address in the middle of a page puts a frame of 4 KiB into two pages: a second miss.
 *   <li>More regions of 2 MiB, or of 512 GiB, than entries of that size are remembered, in turn:
 *       that level misses, and those below it.
 * </ul>
 */
public final class GivenMisses {
  private static final int PAGE_BYTES = 4096;
  private static final int ENTRIES = 64;
  private static final int ENTRY_PAGES = 64;
  private static final int HOT_PAGES = 510;
  private static final int COLD_2M = 200;
  private static final int COLD_512G = 200;
  private static final long BASE = 1L << 39;
  private static final long WIRE_OVERHEAD_BYTES = 24;

  private final CongestionPreset preset = CongestionPresets.CASCADE_LAKE_STRICT_100G;
  private final Host host;
  private final Iommu iommu;
  private final StridingNic nic;
  private final PageTables tables;
  private final SynchronousPort port;
  private final long pagePa;
  private final long ringPa;
  private int hot;
  private int cold2m;
  private int cold512g;

  /**
   * What came of it, misses per 4 KiB.
   *
   * @param gbps stored in memory
   * @param iotlb misses of translations
   * @param l1 misses of entries for 512 GiB
   * @param l2 misses of entries for 1 GiB
   * @param l3 misses of entries for 2 MiB
   */
  public record Outcome(double gbps, double iotlb, double l1, double l2, double l3) {}

  private GivenMisses() {
    IommuFactory factory = new IommuFactory(preset.iommu());
    host = new Host(preset.host(), 1, factory);
    iommu = Objects.requireNonNull(factory.iommu());
    nic =
        new StridingNic(
            new StridingNicConfig(1, preset.bufferBytes()),
            preset.host().link(),
            host.simulation(),
            (frame, lengthBytes, atPs) -> {});
    host.attach(nic);
    EnumeratedFunction function = host.enumerate().get(0);
    nic.configSpace()
        .write(
            ConfigLayout.COMMAND,
            Short.BYTES,
            ConfigLayout.COMMAND_BUS_MASTER_ENABLE | ConfigLayout.COMMAND_MEMORY_ENABLE);
    port = host.synchronousPort(0);
    IommuDriver system =
        new IommuDriver(host, RegisterLayout.BASE_ADDRESS, preset.system(), List.of());
    system.start(port, false);
    IommuMapper mapper =
        (IommuMapper) system.attach(port, function.bdf().requesterId(), MappingPolicy.STRICT);
    tables = mapper.domain().tables();
    pagePa = host.pages().allocate(PAGE_BYTES);
    DmaDevice dma = host.newDmaDevice(mapper);
    CoherentBuffer ring =
        Objects.requireNonNull(
            dma.allocateCoherent(port, ENTRIES * ENTRY_PAGES * StridingLayout.ADDRESS_BYTES));
    ringPa = ring.pa();
    set(StridingLayout.RX_ENTRIES, ENTRIES);
    set(StridingLayout.RX_RING, ring.iova());
    set(StridingLayout.RX_PAGES, ENTRY_PAGES);
    set(StridingLayout.RX_STRIDE, PAGE_BYTES);
    set(StridingLayout.RX_FRAME_MAX, PAGE_BYTES);
  }

  private void set(int register, long value) {
    nic.mmioWrite(0, register, Long.BYTES, value, host.simulation().nowPs());
  }

  /**
   * Receives frames of 4 KiB, as fast as the wire brings them.
   *
   * @param iotlb misses per 4 KiB, 1..2
   * @param upper misses of both upper levels, 0..l3
   * @param l3 misses of entries for 2 MiB, 0..1
   * @return what came of it
   */
  public static Outcome receive(double iotlb, double upper, double l3) {
    GivenMisses machine = new GivenMisses();
    machine.fill(iotlb, upper, l3);
    return machine.measure(200_000_000L, 2_000_000_000L);
  }

  private void fill(double iotlb, double upper, double l3) {
    double second = 0;
    double top = 0;
    double below = 0;
    for (int slot = 0; slot < ENTRIES * ENTRY_PAGES; slot++) {
      top += upper;
      below += l3 - upper;
      second += iotlb - 1;
      int pages = second >= 1 ? 2 : 1;
      second -= pages - 1;
      long iova;
      if (top >= 1) {
        top--;
        iova = BASE * (2 + cold512g++ % COLD_512G);
      } else if (below >= 1) {
        below--;
        iova = BASE + ((1L + cold2m++ % COLD_2M) << 21);
      } else {
        hot = hot + pages > HOT_PAGES ? 0 : hot;
        iova = BASE + (long) hot * PAGE_BYTES;
        hot += pages;
      }
      for (int page = 0; page < pages; page++) {
        map(iova + (long) page * PAGE_BYTES);
      }
      long pa = ringPa + (long) slot * StridingLayout.ADDRESS_BYTES;
      port.store(pa, Long.BYTES, iova + (pages - 1) * (PAGE_BYTES / 2L));
    }
  }

  private void map(long iova) {
    boolean isMapped =
        tables.tryMap(port, iova, pagePa, PAGE_BYTES, SecondLevelLayout.WRITE, new TableList());
    if (!isMapped) {
      throw new IllegalStateException("there is no memory for tables");
    }
  }

  private Outcome measure(long warmUpPs, long durationPs) {
    long framePs =
        (PAGE_BYTES + WIRE_OVERHEAD_BYTES) * 8 * 1_000_000_000_000L / preset.bitsPerSecond();
    Event wire =
        new Event() {
          private int sequence;

          @Override
          protected void onEvent(long nowPs) {
            nic.receive(0, sequence++, PAGE_BYTES);
            host.simulation().schedule(this, nowPs + framePs);
          }
        };
    long startPs = port.nowPs();
    host.simulation().schedule(wire, startPs);
    set(StridingLayout.RX_TAIL, 1 << 20);
    host.simulation().runUntil(startPs + warmUpPs);
    var statistics = iommu.statistics();
    double[] before = counts();
    host.simulation().runUntil(startPs + warmUpPs + durationPs);
    double[] after = counts();
    if (statistics.faultsTotal() > 0) {
      throw new IllegalStateException("faults: " + statistics.faultsTotal());
    }
    double pages = (after[0] - before[0]) / PAGE_BYTES;
    return new Outcome(
        (after[0] - before[0]) * 8_000 / durationPs,
        (after[1] - before[1]) / pages,
        (after[2] - before[2]) / pages,
        (after[3] - before[3]) / pages,
        (after[4] - before[4]) / pages);
  }

  private double[] counts() {
    var statistics = iommu.statistics();
    return new double[] {
      nic.storedBytesTotal(),
      statistics.iotlbMissesTotal(),
      statistics.pagingMissesL1Total(),
      statistics.pagingMissesL2Total(),
      statistics.pagingMissesL3Total()
    };
  }
}
