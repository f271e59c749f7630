package io.github.bellwire.iommu.driver;

import static io.github.bellwire.iommu.layout.AmdLayout.*;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.iommu.layout.AmdLayout;
import io.github.bellwire.kernel.Simulation;

/**
 * Commands of AMD-Vi as Linux gives them (drivers/iommu/amd): the invalidation, those of devices,
 * and a COMPLETION_WAIT that stores the number of the submission, which the core polls.
 */
final class AmdCommands extends CommandBuffer {
  /** Commands in the ring: 8 KiB (CMD_BUFFER_ENTRIES of Linux). */
  static final int LENGTH_BITS = 9;

  /** All addresses: bits 12 to 62. */
  private static final long ALL_PAGES = Long.MAX_VALUE & PAGES_ADDRESS_MASK | PAGES_SIZE;

  private final IommuDriverConfig config;
  private final long registersPa;

  AmdCommands(
      Simulation simulation, IommuDriverConfig config, PageAllocator pages, long registersPa) {
    super(simulation, config, pages, 1 << LENGTH_BITS);
    this.config = config;
    this.registersPa = registersPa;
  }

  private static long command(int code) {
    return (long) code << CODE_SHIFT;
  }

  @Override
  public boolean invalidatePages(
      CpuPort port, DmaDomain domain, long iova, long pages, boolean isLeafOnly) {
    pageInvalidationsCount++;
    boolean keepsDirectories = isLeafOnly && config.keepsInvalidationHint();
    return invalidate(port, domain, range(iova, pages), keepsDirectories ? 0 : PAGES_DIRECTORIES);
  }

  /**
   * {@return the smallest aligned power of two that holds a range: bits below its half are ones}
   */
  static long range(long iova, long pages) {
    int mask = CommandQueue.alignedMask(iova >>> PageTables.PAGE_BYTES_SHIFT, pages);
    if (mask == 0) {
      return iova;
    }
    int shift = mask + PageTables.PAGE_BYTES_SHIFT;
    if (shift >= Long.SIZE) {
      return ALL_PAGES;
    }
    long belowHalf = (1L << shift - 1) - 1 & PAGES_ADDRESS_MASK;
    return iova & -1L << shift | belowHalf | PAGES_SIZE;
  }

  @Override
  public boolean invalidateDomain(CpuPort port, DmaDomain domain) {
    domainInvalidationsCount++;
    return invalidate(port, domain, ALL_PAGES, PAGES_DIRECTORIES);
  }

  private boolean invalidate(CpuPort port, DmaDomain domain, long range, long flags) {
    begin(port);
    long word0 = command(INVALIDATE_PAGES) | (long) domain.id() << DOMAIN_SHIFT;
    store(port, word0, range | flags);
    for (int i = 0; i < domain.deviceTlbsCount(); i++) {
      store(port, command(INVALIDATE_DEVICE_TLB) | domain.deviceTlbSource(i), range);
    }
    return finish(port, 1 + domain.deviceTlbsCount());
  }

  @Override
  void invalidateAll(CpuPort port) {
    submit(port, command(AmdLayout.INVALIDATE_ALL), 0);
  }

  /** Makes the hardware forget what it knows of a device. */
  void invalidateDevice(CpuPort port, int requesterId) {
    submit(port, command(INVALIDATE_DEVICE) | requesterId, 0);
  }

  @Override
  void storeCompletion(CpuPort port, long wordPa, int value) {
    store(port, command(COMPLETION_WAIT) | wordPa | WAIT_STORE, value & 0xffff_ffffL);
  }

  @Override
  void writeTail(CpuPort port, int newPosition) {
    long offset = (long) (newPosition & entries() - 1) * ENTRY_BYTES;
    port.mmioWrite(registersPa + COMMAND_TAIL, Long.BYTES, offset);
  }

  /** Puts a COMPLETION_WAIT that tells nobody in the place of the command in error. */
  @Override
  void recover(CpuPort port) {
    long status = port.mmioRead(registersPa + STATUS, Integer.BYTES);
    if ((status & STATUS_COMMANDS_RUNNING) != 0) {
      return;
    }
    errorsCount++;
    long head = port.mmioRead(registersPa + COMMAND_HEAD, Long.BYTES);
    long pa = entryPa((int) (head / ENTRY_BYTES));
    port.store(pa, Long.BYTES, command(COMPLETION_WAIT));
    port.store(pa + Long.BYTES, Long.BYTES, 0);
    long control = port.mmioRead(registersPa + CONTROL, Long.BYTES);
    port.mmioWrite(registersPa + CONTROL, Long.BYTES, control & ~CONTROL_COMMANDS);
    port.mmioWrite(registersPa + CONTROL, Long.BYTES, control);
  }
}
