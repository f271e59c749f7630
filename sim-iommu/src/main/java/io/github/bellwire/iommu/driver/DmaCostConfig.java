package io.github.bellwire.iommu.driver;

import static io.github.bellwire.kernel.Requirements.requireRange;

import io.github.bellwire.cpu.SpinLock;
import io.github.bellwire.kernel.Simulation;

/**
 * What mapping and unmapping costs a core, beside its loads and stores of tables and queues, its
 * register writes and its waiting, which take the time of the machine. Clock cycles unless the name
 * says otherwise.
 *
 * @param mapCycles the call and its checks, 0..100,000
 * @param unmapCycles the same for unmapping
 * @param mapTableCycles to go down the tables and set entries, once per call and run of contiguous
 *     memory
 * @param unmapTableCycles to go down the tables and clear entries, once per call
 * @param tableEntryCycles for each entry
 * @param iovaCacheCycles to take an IOVA from a cache of the core or put it back
 * @param iovaTreeCycles to allocate, insert or erase a node of the tree
 * @param iovaNodeCycles for each node that is visited
 * @param queueCycles to enter an unmapped range into the flush queue, or take it out
 * @param submitCycles to put commands into the queue of the IOMMU and take them back
 * @param lockCycles to take and release a free lock
 * @param lockHandoverPs to fetch the line of a lock from another core, 0..1 us
 */
public record DmaCostConfig(
    int mapCycles,
    int unmapCycles,
    int mapTableCycles,
    int unmapTableCycles,
    int tableEntryCycles,
    int iovaCacheCycles,
    int iovaTreeCycles,
    int iovaNodeCycles,
    int queueCycles,
    int submitCycles,
    int lockCycles,
    long lockHandoverPs) {
  private static final int CYCLES_MAX = 100_000;
  private static final long HANDOVER_MAX_PS = 1_000_000;

  /**
   * Intel VT-d under Linux. The tables of "rIOMMU: Efficient IOMMU for I/O Devices that Employ Ring
   * Buffers" (ASPLOS'15, table 1; second-hand) give, in cycles of a Xeon E3-1220 at 3.1 GHz:
   * mapping 727 with a fast IOVA allocator, of which 588..590 for the tables; unmapping 2999, of
   * which 2127..2135 for the invalidation, which here is what the hardware takes; 1137 when that is
   * deferred. So of mapping about 92 remain for the allocator and 45 for the call, and of a
   * deferred unmap about 427 for the tables. The four loads and one store of a walk are in those
   * figures; the model charges them by themselves, about 20 cycles when they hit. Entries, tree,
   * queue and lock are assumptions: 10 cycles for a store and its loop, 300 for a slab object and
   * rebalancing, 15 for a node that is mostly in a cache, 60 for a queue entry, 150 for two
   * descriptors and their status, 20 for a locked instruction, 60 ns for a line from another core.
   */
  public static final DmaCostConfig VTD =
      new DmaCostConfig(45, 45, 570, 410, 10, 92, 300, 15, 60, 150, 20, 60_000);

  /**
   * Arm servers with an SMMUv3 under Linux. dma_map_benchmark gives 1.1 us to map and 0.5 us to
   * unmap a page with 16 threads (commit message of the benchmark, Linux 5.11), and 1.0 and 1.3 us
   * for eight pages with 8 threads on a HiSilicon machine (linux-iommu list). Half of the mapping
   * time in benchmark conditions is contention and misses; the parts are assumptions that sum up to
   * 1500 cycles at 2.6 GHz without it, divided as for VT-d.
   */
  public static final DmaCostConfig SMMU =
      new DmaCostConfig(200, 200, 900, 700, 20, 150, 500, 20, 100, 200, 30, 80_000);

  /** Costs nothing. */
  public static final DmaCostConfig FREE = new DmaCostConfig(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

  // Checked here and nowhere else.
  public DmaCostConfig {
    requireRange("mapCycles", mapCycles, 0, CYCLES_MAX);
    requireRange("unmapCycles", unmapCycles, 0, CYCLES_MAX);
    requireRange("mapTableCycles", mapTableCycles, 0, CYCLES_MAX);
    requireRange("unmapTableCycles", unmapTableCycles, 0, CYCLES_MAX);
    requireRange("tableEntryCycles", tableEntryCycles, 0, CYCLES_MAX);
    requireRange("iovaCacheCycles", iovaCacheCycles, 0, CYCLES_MAX);
    requireRange("iovaTreeCycles", iovaTreeCycles, 0, CYCLES_MAX);
    requireRange("iovaNodeCycles", iovaNodeCycles, 0, CYCLES_MAX);
    requireRange("queueCycles", queueCycles, 0, CYCLES_MAX);
    requireRange("submitCycles", submitCycles, 0, CYCLES_MAX);
    requireRange("lockCycles", lockCycles, 0, CYCLES_MAX);
    if (lockHandoverPs < 0 || lockHandoverPs > HANDOVER_MAX_PS) {
      throw new IllegalArgumentException(
          "lockHandoverPs must be 0.." + HANDOVER_MAX_PS + ": lockHandoverPs=" + lockHandoverPs);
    }
  }

  SpinLock newLock(Simulation simulation) {
    return new SpinLock(simulation, lockCycles, lockHandoverPs);
  }
}
