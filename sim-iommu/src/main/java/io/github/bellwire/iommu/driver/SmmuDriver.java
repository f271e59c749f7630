package io.github.bellwire.iommu.driver;

import static io.github.bellwire.iommu.layout.SmmuLayout.*;
import static io.github.bellwire.iommu.layout.SmmuTableLayout.*;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.iommu.layout.SmmuTableLayout;
import io.github.bellwire.kernel.Simulation;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Registers, stream table and context descriptors of SMMUv3: a stream table of two levels, of which
 * the second has the 256 functions of a bus, and one context descriptor for each device.
 */
final class SmmuDriver implements HardwareDriver {
  private static final int SPLIT_BITS = 8;
  private static final int STREAM_BITS = 16;
  private static final int EVENT_BITS = 7;
  private static final int POLLS_MAX = 1000;
  private static final int TWO_LEVELS = 1 << FORMAT_SHIFT;
  private static final byte[] ZEROS = new byte[ENTRY_BYTES << SPLIT_BITS];

  private final Simulation simulation;
  private final PageAllocator pages;
  private final long registersPa;
  private final IommuDriverConfig config;
  private final long[] busTables = new long[1 << STREAM_BITS - SPLIT_BITS];
  private final Map<Integer, Long> contexts = new HashMap<>();

  private @Nullable SmmuCommands queue;
  private long streamTablePa;
  private int enables;
  private boolean isSnooped;

  SmmuDriver(
      Simulation simulation, PageAllocator pages, long registersPa, IommuDriverConfig config) {
    this.simulation = simulation;
    this.pages = pages;
    this.registersPa = registersPa;
    this.config = config;
  }

  @Override
  public EntryFormat format() {
    return EntryFormat.SMMU_V3;
  }

  @Override
  public boolean isSnooped() {
    return isSnooped;
  }

  @Override
  public SmmuCommands queue() {
    SmmuCommands running = queue;
    if (running == null) {
      throw new IllegalStateException("the driver must have been started");
    }
    return running;
  }

  @Override
  public void start(CpuPort port, boolean remapsInterrupts) {
    long identification = port.mmioRead(registersPa + IDR0, Integer.BYTES);
    boolean isFit =
        (identification & IDR0_STAGE_1) != 0
            && (identification & IDR0_TWO_LEVELS) != 0
            && (identification & IDR0_MSI) != 0;
    if (!isFit || remapsInterrupts || config.levels() > 4) {
      throw new IllegalStateException(
          String.format(
              "the SMMU must have stage 1, two-level stream tables and messages, four levels at"
                  + " most, and remaps no interrupts: IDR0=0x%x, levels=%d",
              identification, config.levels()));
    }
    isSnooped = (identification & IDR0_COHERENT) != 0;
    boolean hasRanges = (port.mmioRead(registersPa + IDR3, Integer.BYTES) & IDR3_RANGE) != 0;
    streamTablePa = newTable(port, PageAllocator.PAGE_BYTES);
    write(port, STRTAB_BASE, streamTablePa);
    port.mmioWrite(
        registersPa + STRTAB_BASE_CFG,
        Integer.BYTES,
        TWO_LEVELS | SPLIT_BITS << SPLIT_SHIFT | STREAM_BITS);
    SmmuCommands commands = new SmmuCommands(simulation, config, pages, registersPa, hasRanges);
    commands.clear(port, isSnooped);
    write(port, CMDQ_BASE, commands.ringPa() | SmmuCommands.QUEUE_BITS);
    enable(port, CR0_COMMANDS);
    commands.invalidateStreams(port);
    commands.invalidateAll(port);
    write(port, EVTQ_BASE, newTable(port, EVENT_BYTES << EVENT_BITS) | EVENT_BITS);
    enable(port, CR0_EVENTS);
    enable(port, CR0_ENABLE);
    queue = commands;
  }

  private void enable(CpuPort port, int bit) {
    enables |= bit;
    port.mmioWrite(registersPa + CR0, Integer.BYTES, enables);
    for (int polls = 0; polls < POLLS_MAX; polls++) {
      if ((port.mmioRead(registersPa + CR0ACK, Integer.BYTES) & bit) != 0) {
        return;
      }
    }
    throw new IllegalStateException("the SMMU does not obey: CR0=" + enables);
  }

  @Override
  public void attach(
      CpuPort port, int requesterId, @Nullable DmaDomain domain, int number, boolean isCaching) {
    long pa = streamEntry(port, requesterId);
    long word0 = STREAM_VALID | CONFIG_BYPASS << CONFIG_SHIFT;
    if (domain != null) {
      word0 = STREAM_VALID | CONFIG_STAGE_1 << CONFIG_SHIFT | newContext(port, requesterId, domain);
    }
    long word1 = isCaching ? (long) DEVICE_TLB_FULL << DEVICE_TLB_SHIFT : 0;
    store(port, pa + Long.BYTES, word1);
    store(port, pa, word0);
    queue().invalidateStream(port, requesterId);
  }

  private long newContext(CpuPort port, int requesterId, DmaDomain domain) {
    long pa = newTable(port, PageAllocator.PAGE_BYTES);
    long inputSize = Long.SIZE - 12 - 9L * config.levels();
    long word0 =
        inputSize
            | CONTEXT_UPPER_DISABLED
            | CONTEXT_VALID
            | (long) OUTPUT_SIZE_48 << OUTPUT_SIZE_SHIFT
            | CONTEXT_AARCH64
            | CONTEXT_RECORDS
            | CONTEXT_ABORTS
            | (long) domain.id() << SmmuTableLayout.ASID_SHIFT;
    store(port, pa + Long.BYTES, domain.tables().rootPa());
    store(port, pa, word0);
    contexts.put(requesterId, pa);
    return pa;
  }

  private long streamEntry(CpuPort port, int requesterId) {
    int bus = requesterId >>> SPLIT_BITS;
    if (busTables[bus] == 0) {
      busTables[bus] = newTable(port, ZEROS.length);
      long span = SPLIT_BITS + 1;
      store(port, streamTablePa + (long) bus * Long.BYTES, busTables[bus] | span);
    }
    return busTables[bus] + (long) (requesterId & (1 << SPLIT_BITS) - 1) * ENTRY_BYTES;
  }

  @Override
  public void detach(CpuPort port, int requesterId, int domainId) {
    store(port, streamEntry(port, requesterId), 0);
    queue().invalidateStream(port, requesterId);
    Long context = contexts.remove(requesterId);
    if (context != null) {
      pages.free(context, PageAllocator.PAGE_BYTES);
    }
  }

  @Override
  public IommuDriver.RemappedMessage remapInterrupt(
      CpuPort port, int requesterId, InterruptVector vector) {
    throw new IllegalStateException("an SMMU remaps no interrupts: requesterId=" + requesterId);
  }

  private void write(CpuPort port, int register, long value) {
    port.mmioWrite(registersPa + register, Long.BYTES, value);
  }

  private long newTable(CpuPort port, int bytes) {
    long pa = pages.allocate(bytes);
    if (pa == PageAllocator.NO_MEMORY) {
      throw new IllegalStateException("there is no memory for a table");
    }
    port.store(pa, ZEROS, 0, bytes);
    clean(port, pa, bytes);
    return pa;
  }

  private void store(CpuPort port, long pa, long value) {
    port.store(pa, Long.BYTES, value);
    clean(port, pa, Long.BYTES);
  }

  private void clean(CpuPort port, long pa, int lengthBytes) {
    if (!isSnooped) {
      port.maintainCache(CacheOperation.CLEAN, pa, lengthBytes);
    }
  }
}
