package io.github.bellwire.iommu.driver;

import static io.github.bellwire.iommu.layout.AmdLayout.*;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.kernel.Simulation;
import org.jspecify.annotations.Nullable;

/**
 * Registers and device table of AMD-Vi. The table has an entry for each requester ID; what is not
 * attached reaches nothing.
 */
final class AmdDriver extends HardwareDriver<AmdCommands> {
  private static final int DEVICES = 1 << 16;
  private static final int LEVELS_MIN = 4;
  private static final int LEVELS_MASK = 3;
  private static final long BLOCKED = DEVICE_VALID | DEVICE_TRANSLATION_VALID;

  private long deviceTablePa;

  AmdDriver(
      Simulation simulation, PageAllocator pages, long registersPa, IommuDriverConfig config) {
    super(simulation, pages, registersPa, config);
  }

  @Override
  EntryFormat format() {
    return EntryFormat.AMD_VI;
  }

  @Override
  void start(CpuPort port, boolean remapsInterrupts) {
    isSnooped = true; // There are no others.
    long features = port.mmioRead(registersPa + FEATURES, Long.BYTES);
    int levelsMax = LEVELS_MIN + (int) (features >>> FEATURE_LEVELS_SHIFT & LEVELS_MASK);
    if (config.levels() > levelsMax || remapsInterrupts) {
      throw new IllegalStateException(
          String.format(
              "the IOMMU must have enough levels, and remaps no interrupts: features=0x%x,"
                  + " levels=%d",
              features, config.levels()));
    }
    deviceTablePa = newDeviceTable(port);
    int sizeCode = DEVICES * DEVICE_ENTRY_BYTES / PageAllocator.PAGE_BYTES - 1;
    writeRegister(port, DEVICE_TABLE_BASE, deviceTablePa | sizeCode);
    AmdCommands commands = new AmdCommands(simulation, config, pages, registersPa);
    commands.clear(port, true);
    long length = (long) AmdCommands.LENGTH_BITS << RING_LENGTH_SHIFT;
    writeRegister(port, COMMAND_BASE, commands.ringPa() | length);
    long eventsPa = pages.allocate(ENTRY_BYTES << AmdCommands.LENGTH_BITS);
    if (eventsPa == PageAllocator.NO_MEMORY) {
      throw new IllegalStateException("there is no memory for an event log");
    }
    writeRegister(port, EVENT_BASE, eventsPa | length);
    writeRegister(port, CONTROL, CONTROL_COMMANDS | CONTROL_EVENT_LOG);
    writeRegister(port, CONTROL, CONTROL_COMMANDS | CONTROL_EVENT_LOG | CONTROL_ENABLE);
    commands.invalidateAll(port);
    queue = commands;
  }

  private long newDeviceTable(CpuPort port) {
    long pa = pages.allocate(DEVICES * DEVICE_ENTRY_BYTES);
    if (pa == PageAllocator.NO_MEMORY) {
      throw new IllegalStateException("there is no memory for a device table");
    }
    byte[] blocked = new byte[PageAllocator.PAGE_BYTES];
    for (int entry = 0; entry < blocked.length; entry += DEVICE_ENTRY_BYTES) {
      blocked[entry] = (byte) BLOCKED;
    }
    for (int done = 0; done < DEVICES * DEVICE_ENTRY_BYTES; done += blocked.length) {
      port.store(pa + done, blocked, 0, blocked.length);
    }
    return pa;
  }

  @Override
  void attach(
      CpuPort port, int requesterId, @Nullable DmaDomain domain, int number, boolean isCaching) {
    long word0 = BLOCKED | READ | WRITE;
    if (domain != null) {
      word0 |= domain.tables().rootPa() | (long) config.levels() << DEVICE_MODE_SHIFT;
    }
    store(port, requesterId, word0, number | (isCaching ? DEVICE_TLB : 0));
  }

  @Override
  void detach(CpuPort port, int requesterId, int domainId) {
    store(port, requesterId, BLOCKED, 0);
  }

  private void store(CpuPort port, int requesterId, long word0, long word1) {
    long pa = deviceTablePa + (long) requesterId * DEVICE_ENTRY_BYTES;
    port.store(pa + Long.BYTES, Long.BYTES, word1);
    port.store(pa, Long.BYTES, word0);
    queue().invalidateDevice(port, requesterId);
  }

  @Override
  IommuDriver.RemappedMessage remapInterrupt(
      CpuPort port, int requesterId, InterruptVector vector) {
    throw new IllegalStateException("interrupts must be remapped: requesterId=" + requesterId);
  }
}
