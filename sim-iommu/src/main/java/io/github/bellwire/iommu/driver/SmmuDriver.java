package io.github.bellwire.iommu.driver;

import static io.github.bellwire.iommu.layout.SmmuLayout.*;
import static io.github.bellwire.iommu.layout.SmmuTableLayout.*;

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
final class SmmuDriver extends HardwareDriver<SmmuCommands> {
  private static final int SPLIT_BITS = 8;
  private static final int STREAM_BITS = 16;
  private static final int EVENT_BITS = 7;
  private static final int POLLS_MAX = 1000;
  private static final int TWO_LEVELS = 1 << FORMAT_SHIFT;

  private final long[] busTables = new long[1 << STREAM_BITS - SPLIT_BITS];
  private final Map<Integer, Long> contexts = new HashMap<>();

  private long streamTablePa;
  private int enables;

  SmmuDriver(
      Simulation simulation, PageAllocator pages, long registersPa, IommuDriverConfig config) {
    super(simulation, pages, registersPa, config);
  }

  @Override
  EntryFormat format() {
    return EntryFormat.SMMU_V3;
  }

  @Override
  void start(CpuPort port, boolean remapsInterrupts) {
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
    writeRegister(port, STRTAB_BASE, streamTablePa);
    port.mmioWrite(
        registersPa + STRTAB_BASE_CFG,
        Integer.BYTES,
        TWO_LEVELS | SPLIT_BITS << SPLIT_SHIFT | STREAM_BITS);
    SmmuCommands commands = new SmmuCommands(simulation, config, pages, registersPa, hasRanges);
    commands.clear(port, isSnooped);
    writeRegister(port, CMDQ_BASE, commands.ringPa() | SmmuCommands.QUEUE_BITS);
    enable(port, CR0_COMMANDS);
    commands.invalidateStreams(port);
    commands.invalidateAll(port);
    writeRegister(port, EVTQ_BASE, newTable(port, EVENT_BYTES << EVENT_BITS) | EVENT_BITS);
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
  void attach(
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
      busTables[bus] = newTable(port, ENTRY_BYTES << SPLIT_BITS);
      long span = SPLIT_BITS + 1;
      store(port, streamTablePa + (long) bus * Long.BYTES, busTables[bus] | span);
    }
    return busTables[bus] + (long) (requesterId & (1 << SPLIT_BITS) - 1) * ENTRY_BYTES;
  }

  @Override
  void detach(CpuPort port, int requesterId, int domainId) {
    store(port, streamEntry(port, requesterId), 0);
    queue().invalidateStream(port, requesterId);
    Long context = contexts.remove(requesterId);
    if (context != null) {
      pages.free(context, PageAllocator.PAGE_BYTES);
    }
  }

  @Override
  IommuDriver.RemappedMessage remapInterrupt(
      CpuPort port, int requesterId, InterruptVector vector) {
    throw new IllegalStateException("an SMMU remaps no interrupts: requesterId=" + requesterId);
  }
}
