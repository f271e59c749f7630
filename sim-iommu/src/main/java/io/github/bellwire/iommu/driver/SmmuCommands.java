package io.github.bellwire.iommu.driver;

import static io.github.bellwire.iommu.layout.SmmuLayout.*;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.iommu.layout.SmmuLayout;
import io.github.bellwire.kernel.Simulation;

/**
 * Commands of SMMUv3 as Linux gives them (drivers/iommu/arm/arm-smmu-v3): range invalidations where
 * the unit has them, batches, and a CMD_SYNC whose message is written to memory, which the core
 * polls.
 */
final class SmmuCommands extends CommandBuffer {
  /** Commands in the queue: 64 KiB; Linux takes as many as the unit offers. */
  static final int QUEUE_BITS = 12;

  private static final int RANGE_PAGES_MAX = 31;
  private static final long GRANULE_4_KIB = 1L << GRANULE_SHIFT;

  private final IommuDriverConfig config;
  private final long registersPa;
  private final boolean hasRanges;
  private int batched;

  SmmuCommands(
      Simulation simulation,
      IommuDriverConfig config,
      PageAllocator pages,
      long registersPa,
      boolean hasRanges) {
    super(simulation, config, pages, 1 << QUEUE_BITS);
    this.config = config;
    this.registersPa = registersPa;
    this.hasRanges = hasRanges;
  }

  @Override
  public boolean invalidatePages(
      CpuPort port, DmaDomain domain, long iova, long pages, boolean isLeafOnly) {
    pageInvalidationsCount++;
    long word0 = TLBI_NH_VA | asid(domain);
    long leaf = isLeafOnly && config.keepsInvalidationHint() ? TLBI_LEAF : 0;
    begin(port);
    batched = 0;
    long address = iova;
    for (long rest = pages; rest > 0; ) {
      if (!hasRanges) {
        add(port, word0, address | leaf);
        rest--;
        address += PageTables.PAGE_BYTES;
        continue;
      }
      int scale = Long.numberOfTrailingZeros(rest);
      long number = rest >>> scale & RANGE_PAGES_MAX;
      long range = number - 1 << RANGE_NUMBER_SHIFT | (long) scale << RANGE_SCALE_SHIFT;
      add(port, word0 | range, address | GRANULE_4_KIB | leaf);
      long done = number << scale;
      rest -= done;
      address += done << PageTables.PAGE_BYTES_SHIFT;
    }
    boolean isDone = finish(port, batched);
    int mask = CommandQueue.alignedMask(iova >>> PageTables.PAGE_BYTES_SHIFT, pages);
    return isDone
        & invalidateDevices(port, domain, iova & -1L << mask + PageTables.PAGE_BYTES_SHIFT | mask);
  }

  /** A full batch is handed over without waiting. */
  private void add(CpuPort port, long word0, long word1) {
    if (batched == config.commandsPerBatch()) {
      post(port, batched);
      begin(port);
      batched = 0;
    }
    store(port, word0, word1);
    batched++;
  }

  @Override
  public boolean invalidateDomain(CpuPort port, DmaDomain domain) {
    domainInvalidationsCount++;
    boolean isDone = submit(port, TLBI_NH_ASID | asid(domain), 0);
    return isDone & invalidateDevices(port, domain, ATC_SIZE_MASK & 52);
  }

  private boolean invalidateDevices(CpuPort port, DmaDomain domain, long range) {
    if (domain.deviceTlbsCount() == 0) {
      return true;
    }
    begin(port);
    batched = 0;
    for (int i = 0; i < domain.deviceTlbsCount(); i++) {
      add(port, ATC_INV | (long) domain.deviceTlbSource(i) << STREAM_SHIFT, range);
    }
    return finish(port, batched);
  }

  @Override
  void invalidateAll(CpuPort port) {
    submit(port, TLBI_NSNH_ALL, 0);
  }

  /** Makes the hardware forget the configuration of a device. */
  void invalidateStream(CpuPort port, int requesterId) {
    submit(port, CFGI_STE | (long) requesterId << STREAM_SHIFT, 1);
  }

  /** Makes the hardware forget the configuration of all devices. */
  void invalidateStreams(CpuPort port) {
    submit(port, CFGI_STE_RANGE, CFGI_RANGE_MASK);
  }

  private static long asid(DmaDomain domain) {
    return (long) domain.id() << ASID_SHIFT;
  }

  @Override
  void storeCompletion(CpuPort port, long wordPa, int value) {
    long word0 = SYNC | SYNC_SIGNAL_MESSAGE << SYNC_SIGNAL_SHIFT;
    store(port, word0 | (long) value << SYNC_DATA_SHIFT, wordPa);
  }

  @Override
  void writeTail(CpuPort port, int newPosition) {
    long position = newPosition & 2 * entries() - 1;
    port.mmioWrite(registersPa + CMDQ_PROD, Integer.BYTES, position);
  }

  /** Puts a CMD_SYNC that tells nobody in the place of the command in error. */
  @Override
  void recover(CpuPort port) {
    long active = port.mmioRead(registersPa + GERROR, Integer.BYTES);
    long acknowledged = port.mmioRead(registersPa + GERRORN, Integer.BYTES);
    if (((active ^ acknowledged) & GERROR_COMMAND) == 0) {
      return;
    }
    errorsCount++;
    long consumer = port.mmioRead(registersPa + CMDQ_CONS, Integer.BYTES);
    if ((consumer >>> CONS_ERROR_SHIFT & RANGE_MASK) == SmmuLayout.ERROR_ILLEGAL) {
      long pa = entryPa((int) consumer & entries() - 1);
      port.store(pa, Long.BYTES, SYNC);
      port.store(pa + Long.BYTES, Long.BYTES, 0);
    }
    port.mmioWrite(registersPa + GERRORN, Integer.BYTES, active);
  }
}
