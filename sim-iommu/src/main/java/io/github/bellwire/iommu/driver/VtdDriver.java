package io.github.bellwire.iommu.driver;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.iommu.layout.ContextEntryLayout;
import io.github.bellwire.iommu.layout.InterruptEntryLayout;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.iommu.layout.RootEntryLayout;
import io.github.bellwire.kernel.Simulation;
import org.jspecify.annotations.Nullable;

/** Registers, context tables and the interrupt remapping table of VT-d. */
final class VtdDriver extends HardwareDriver<CommandQueue> {
  /** Entries of the interrupt remapping table: 64 Ki of 16 bytes. */
  private static final int INTERRUPT_ENTRIES = 1 << 16;

  private static final int INTERRUPT_SIZE_CODE = 15; // 2^(15 + 1) entries
  private static final int POLLS_MAX = 1000;

  private final long[] contextTables = new long[RootEntryLayout.ENTRIES];

  private long rootPa;
  private long interruptTablePa = PageAllocator.NO_MEMORY;
  private int interruptEntriesUsed;
  private int command;
  private int domainIdMax;
  private boolean isEmulated;

  VtdDriver(
      Simulation simulation, PageAllocator pages, long registersPa, IommuDriverConfig config) {
    super(simulation, pages, registersPa, config);
  }

  @Override
  EntryFormat format() {
    return EntryFormat.VT_D;
  }

  @Override
  void start(CpuPort port, boolean remapsInterrupts) {
    long capability = port.mmioRead(registersPa + RegisterLayout.CAP, Long.BYTES);
    domainIdMax = RegisterLayout.domainIdMax(capability);
    isEmulated = (capability & RegisterLayout.CAP_CACHING_MODE) != 0;
    long extended = port.mmioRead(registersPa + RegisterLayout.ECAP, Long.BYTES);
    requireCapabilities(capability, extended, remapsInterrupts);
    isSnooped = (extended & RegisterLayout.ECAP_COHERENT) != 0;
    CommandQueue newQueue = new CommandQueue(simulation, config, pages, registersPa, capability);
    startQueue(port, newQueue);
    queue = newQueue;
    if (remapsInterrupts) {
      startInterruptRemapping(port, newQueue);
    }
    rootPa = newTable(port, PageAllocator.PAGE_BYTES);
    port.mmioWrite(registersPa + RegisterLayout.RTADDR, Long.BYTES, rootPa);
    commandOnce(port, RegisterLayout.SET_ROOT_POINTER);
    newQueue.invalidateContext(port, true, 0, 0);
    newQueue.invalidateAll(port);
    switchOn(port, RegisterLayout.TRANSLATION_ENABLE);
  }

  private void requireCapabilities(long capability, long extended, boolean remapsInterrupts) {
    int levelBit = 1 << RegisterLayout.CAP_LEVELS_SHIFT + config.levels() - 2;
    if ((capability & levelBit) == 0) {
      throw new IllegalStateException(
          "the IOMMU has no tables of so many levels: levels=" + config.levels());
    }
    if ((extended & RegisterLayout.ECAP_QUEUED_INVALIDATION) == 0
        || remapsInterrupts && (extended & RegisterLayout.ECAP_INTERRUPT_REMAPPING) == 0) {
      throw new IllegalStateException(
          String.format(
              "the IOMMU lacks queued invalidation or interrupt remapping: ECAP=0x%x", extended));
    }
  }

  private void startQueue(CpuPort port, CommandQueue newQueue) {
    newQueue.clear(port, isSnooped);
    port.mmioWrite(registersPa + RegisterLayout.IQT, Long.BYTES, 0);
    port.mmioWrite(registersPa + RegisterLayout.IQA, Long.BYTES, newQueue.ringPa());
    switchOn(port, RegisterLayout.QUEUED_INVALIDATION_ENABLE);
  }

  private void startInterruptRemapping(CpuPort port, CommandQueue newQueue) {
    int tableBytes = INTERRUPT_ENTRIES * InterruptEntryLayout.LENGTH_BYTES;
    interruptTablePa = newTable(port, tableBytes);
    long table = interruptTablePa | RegisterLayout.IRTA_EXTENDED | INTERRUPT_SIZE_CODE;
    port.mmioWrite(registersPa + RegisterLayout.IRTA, Long.BYTES, table);
    commandOnce(port, RegisterLayout.SET_INTERRUPT_POINTER);
    newQueue.invalidateInterruptEntries(port);
    switchOn(port, RegisterLayout.INTERRUPT_REMAPPING_ENABLE);
  }

  private void switchOn(CpuPort port, int bit) {
    command |= bit;
    writeCommand(port, command, bit);
  }

  private void commandOnce(CpuPort port, int bit) {
    writeCommand(port, command | bit, bit);
  }

  private void writeCommand(CpuPort port, int value, int statusBit) {
    port.mmioWrite(registersPa + RegisterLayout.GCMD, Integer.BYTES, value & 0xffff_ffffL);
    for (int polls = 0; polls < POLLS_MAX; polls++) {
      if ((port.mmioRead(registersPa + RegisterLayout.GSTS, Integer.BYTES) & statusBit) != 0) {
        return;
      }
    }
    throw new IllegalStateException(
        String.format("the IOMMU does not obey: GCMD=0x%x, bit=0x%x", value, statusBit));
  }

  @Override
  void attach(
      CpuPort port, int requesterId, @Nullable DmaDomain domain, int number, boolean isCaching) {
    int type =
        domain == null
            ? ContextEntryLayout.PASS_THROUGH
            : isCaching
                ? ContextEntryLayout.TRANSLATE_WITH_DEVICE_TLB
                : ContextEntryLayout.TRANSLATE;
    long low =
        (domain == null ? 0 : domain.tables().rootPa())
            | ContextEntryLayout.PRESENT
            | (long) type << ContextEntryLayout.TRANSLATION_TYPE_SHIFT;
    long high = addressWidth() | (long) number << ContextEntryLayout.DOMAIN_SHIFT;
    storeContext(port, contextTable(port, requesterId >>> 8), requesterId, low, high);
  }

  @Override
  void detach(CpuPort port, int requesterId, int domainId) {
    storeContext(port, contextTables[requesterId >>> 8], requesterId, 0, 0);
    queue().invalidateContext(port, false, domainId, requesterId);
  }

  @Override
  IommuDriver.RemappedMessage remapInterrupt(
      CpuPort port, int requesterId, InterruptVector vector) {
    if (interruptTablePa == PageAllocator.NO_MEMORY || interruptEntriesUsed == INTERRUPT_ENTRIES) {
      throw new IllegalStateException(
          "interrupts must be remapped and entries free: used=" + interruptEntriesUsed);
    }
    int index = interruptEntriesUsed++;
    long entryPa = interruptTablePa + (long) index * InterruptEntryLayout.LENGTH_BYTES;
    long destination = vector.address() >>> InterruptEntryLayout.MESSAGE_DESTINATION_SHIFT & 0xff;
    long low =
        InterruptEntryLayout.PRESENT
            | (long) (vector.data() & InterruptEntryLayout.VECTOR_MASK)
                << InterruptEntryLayout.VECTOR_SHIFT
            | destination << InterruptEntryLayout.DESTINATION_SHIFT;
    long high =
        requesterId
            | (long) InterruptEntryLayout.VALIDATE_SOURCE << InterruptEntryLayout.VALIDATION_SHIFT;
    store(port, entryPa + InterruptEntryLayout.HIGH, high);
    store(port, entryPa, low);
    queue().invalidateInterruptEntry(port, index);
    long address =
        IovaRange.INTERRUPTS.firstIova()
            | InterruptEntryLayout.MESSAGE_REMAPPABLE
            | (long) (index & InterruptEntryLayout.MESSAGE_HANDLE_MASK)
                << InterruptEntryLayout.MESSAGE_HANDLE_SHIFT
            | (long) (index >>> 15) << InterruptEntryLayout.MESSAGE_HANDLE_15_SHIFT;
    return new IommuDriver.RemappedMessage(index, address, 0);
  }

  private long contextTable(CpuPort port, int bus) {
    if (contextTables[bus] == 0) {
      contextTables[bus] = newTable(port, PageAllocator.PAGE_BYTES);
      long entryPa = rootPa + (long) bus * RootEntryLayout.ENTRY_BYTES;
      store(port, entryPa + RootEntryLayout.LOW, contextTables[bus] | RootEntryLayout.PRESENT);
    }
    return contextTables[bus];
  }

  /** Stores the half with the present bit last when an entry appears, first when it goes. */
  private void storeContext(CpuPort port, long tablePa, int requesterId, long low, long high) {
    long entryPa = tablePa + (long) (requesterId & 0xff) * ContextEntryLayout.ENTRY_BYTES;
    if (low == 0) {
      store(port, entryPa + ContextEntryLayout.LOW, 0);
      store(port, entryPa + ContextEntryLayout.HIGH, 0);
    } else {
      store(port, entryPa + ContextEntryLayout.HIGH, high);
      store(port, entryPa + ContextEntryLayout.LOW, low);
    }
  }

  private long addressWidth() {
    return config.levels() - 2;
  }

  @Override
  int domainIdMax() {
    return domainIdMax;
  }

  @Override
  boolean isEmulated() {
    return isEmulated;
  }
}
