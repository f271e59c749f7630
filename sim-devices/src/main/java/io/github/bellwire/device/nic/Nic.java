package io.github.bellwire.device.nic;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.Bar;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.ConfigSpaceBuilder;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.Endpoint;
import io.github.bellwire.pcie.MsiX;
import io.github.bellwire.pcie.MsiXConfig;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.stats.StatsRegistry;
import io.github.bellwire.trace.TraceSink;
import org.jspecify.annotations.Nullable;

/**
 * One port of a network card of the Intel 82599 class, as its drivers see it: registers in BAR 0,
 * MSI-X table and pending bits in BAR 4. Receives frames by {@link #onFrame} and sends them to the
 * receiver given by {@link #connectWire}.
 *
 * <p>An enable bit takes effect at once; reset and link-up take the times of the configuration. A
 * function-level reset does to the port what CTRL.RST does, and to configuration space what the
 * specification says; the port is silent for the longest time that is allowed (assumption: the data
 * sheet states none). Registers that the model does not know read as 0. Registers are 32 bits wide:
 * an 8-byte access is two, smaller ones read part of a register and write nothing.
 *
 * <p>Confined to the simulation thread.
 */
public final class Nic implements Endpoint, FrameReceiver {
  /** BAR with the MSI-X table at 0 and the pending bits at 2000h. */
  public static final int MSIX_BAR = 4;

  /** The longest frame that is sent, without tag and FCS: 15.5 KiB (82599, section 7.2.1.1). */
  public static final int SENT_FRAME_MAX_BYTES = 15_872;

  private static final int VENDOR_INTEL = 0x8086;
  private static final int CLASS_ETHERNET = 0x020000;
  private static final int REGISTER_BAR_BYTES = 512 << 10;
  private static final int MSIX_BAR_BYTES = 16 << 10;
  private static final int MSIX_PBA_OFFSET = 0x2000;
  private static final int MSIX_CAPABILITY = 0x70;
  private static final int PCIE_CAPABILITY = 0xA0;
  private static final int ERROR_REPORTING_CAPABILITY = 0x100;
  private static final int MPS_SUPPORTED_BYTES = 512;
  private static final long PS_PER_SECOND = 1_000_000_000_000L;
  private static final int SPEED_SHIFT = 28;
  private static final FrameReceiver NOBODY = (frame, offset, lengthBytes, nowPs) -> {};

  private final NicConfig config;
  private final Simulation simulation;
  private final ConfigSpace configSpace;
  private final MsiX msiX;
  private final RegisterFile registers;
  private final NicStatistics statistics = new NicStatistics();
  private final NvmUnit nvm = new NvmUnit();
  private final RssRegisters scaling;
  private final InterruptUnit interrupts;
  private final DmaGate dma;
  private final EthernetWire wire;
  private final RxPath rx;
  private final TxPath tx;
  private final Event resetDone;
  private final Event linkUp;
  private FrameReceiver farEnd = NOBODY;
  private int resetBits;

  /**
   * Creates a port that is not plugged in.
   *
   * @param config its fixed properties
   * @param simulation the clock
   * @param slot what the link will be, for the capabilities that drivers read
   * @param trace listens to DMA operations, or null
   */
  public Nic(
      NicConfig config, Simulation simulation, PcieLinkConfig slot, @Nullable TraceSink trace) {
    this.config = requireNonNull(config, "config");
    this.simulation = requireNonNull(simulation, "simulation");
    configSpace = newConfigSpace(slot);
    msiX = new MsiX(configSpace, simulation);
    registers = new RegisterFile(config);
    interrupts = new InterruptUnit(simulation, (vector, atPs) -> msiX.fire(vector, atPs));
    dma = new DmaGate(configSpace);
    ReceiveSideScaling hashing = new ReceiveSideScaling();
    scaling = new RssRegisters(hashing);
    wire = new EthernetWire(config.lineBitsPerSecond());
    rx = new RxPath(config, simulation, registers, statistics, interrupts, hashing, dma, trace);
    tx = new TxPath(config, simulation, registers, statistics, interrupts, dma, mac(), trace);
    resetDone =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            registers.clearBits(NicRegisters.CTRL, resetBits);
            resetBits = 0;
          }
        };
    linkUp =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            onLinkUp(nowPs);
          }
        };
  }

  /**
   * Chooses where sent frames go.
   *
   * @param receiver called at the time of each frame's last bit
   */
  public void connectWire(FrameReceiver receiver) {
    farEnd = requireNonNull(receiver, "receiver");
  }

  @Override
  public ConfigSpace configSpace() {
    return configSpace;
  }

  @Override
  public void connect(DmaPort port) {
    dma.connect(port);
    msiX.connect(port);
  }

  @Override
  public void onFrame(byte[] frame, int offset, int lengthBytes, long nowPs) {
    rx.onFrame(frame, offset, lengthBytes, false, nowPs);
  }

  @Override
  public void onFrames(FrameStream frames) {
    rx.onFrames(frames);
  }

  @Override
  public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
    if (msiX.contains(bar, offset)) {
      return msiX.read(bar, offset, sizeBytes);
    }
    if (bar != 0) {
      return 0;
    }
    int register = (int) offset & ~3;
    long low = Integer.toUnsignedLong(readRegister(register, nowPs));
    if (sizeBytes == Long.BYTES) {
      return low | (long) readRegister(register + Integer.BYTES, nowPs) << Integer.SIZE;
    }
    return low >>> ((int) offset & 3) * Byte.SIZE & -1L >>> Long.SIZE - sizeBytes * Byte.SIZE;
  }

  @Override
  public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {
    if (msiX.contains(bar, offset)) {
      msiX.write(bar, offset, sizeBytes, value);
    } else if (bar == 0 && sizeBytes >= Integer.BYTES && (offset & 3) == 0) {
      writeRegister((int) offset, (int) value, nowPs);
      if (sizeBytes == Long.BYTES) {
        writeRegister((int) offset + Integer.BYTES, (int) (value >>> Integer.SIZE), nowPs);
      }
    }
  }

  @Override
  public void reset(long nowPs) {
    resetFunction();
    resetBits = 0;
    simulation.cancel(resetDone);
    simulation.cancel(linkUp);
    configSpace.reset();
    msiX.reset();
  }

  /** {@return its fixed properties} */
  public NicConfig config() {
    return config;
  }

  /** {@return whether the link is up} */
  public boolean isLinkUp() {
    return registers.hasBits(NicRegisters.LINKS, NicRegisters.LINKS_UP);
  }

  /** {@return the direction that this port sends on} */
  public EthernetWire wire() {
    return wire;
  }

  /** {@return frames that have arrived and wait for descriptors or for their turn} */
  public int framesInFifoCount() {
    return rx.waitingCount();
  }

  /**
   * Registers this port's counters. They run on whatever the driver reads and clears.
   *
   * @param registry takes them
   * @param prefix such as {@code nic0}
   */
  public void registerCounters(StatsRegistry registry, String prefix) {
    registry.register(prefix + ".rx_delivered_count", statistics::deliveredFramesTotal);
    registry.register(prefix + ".rx_missed_count", statistics::missedFramesTotal);
    registry.register(prefix + ".rx_no_descriptor_count", statistics::noDescriptorDropsTotal);
    registry.register(prefix + ".rx_bad_count", statistics::badFramesTotal);
    registry.register(prefix + ".rx_filtered_count", statistics::filteredFramesTotal);
    registry.register(prefix + ".rx_fault_count", rx::faultsTotal);
    registry.register(prefix + ".rx_lost_to_fault_count", rx::lostTotal);
    registry.register(prefix + ".rx_lost_to_reset_count", rx::resetLossesTotal);
    registry.register(prefix + ".tx_sent_count", statistics::sentFramesTotal);
    registry.register(prefix + ".tx_fault_count", tx::faultsTotal);
    registry.register(prefix + ".tx_discarded_count", tx::discardedTotal);
    registry.register(prefix + ".interrupt_messages_count", interrupts::messagesTotal);
  }

  /** {@return how long the engine takes for a descriptor, rounded down; 0 if unlimited} */
  static long psPerDescriptor(NicConfig config) {
    return config.descriptorsPerSecond() == NicConfig.UNLIMITED
        ? 0
        : PS_PER_SECOND / config.descriptorsPerSecond();
  }

  static int ceilDiv(int dividend, int divisor) {
    return (dividend + divisor - 1) / divisor;
  }

  private ConfigSpace newConfigSpace(PcieLinkConfig slot) {
    return new ConfigSpaceBuilder(VENDOR_INTEL, config.deviceId())
        .revisionId(1)
        .classCode(CLASS_ETHERNET)
        .subsystem(VENDOR_INTEL, config.deviceId())
        .bar(Bar.memory64(0, REGISTER_BAR_BYTES))
        .bar(Bar.memory64(MSIX_BAR, MSIX_BAR_BYTES))
        .pcie(
            PCIE_CAPABILITY,
            slot.generation().number(),
            slot.lanes(),
            Math.max(MPS_SUPPORTED_BYTES, slot.maxPayloadBytes()),
            true)
        .functionLevelReset()
        .advancedErrorReporting(ERROR_REPORTING_CAPABILITY)
        .msiX(
            MSIX_CAPABILITY,
            new MsiXConfig(NicRegisters.VECTORS, MSIX_BAR, 0, MSIX_BAR, MSIX_PBA_OFFSET))
        .transactionsPending(() -> !isIdle(simulation.nowPs()))
        .build();
  }

  private MacPort mac() {
    return new MacPort() {
      @Override
      public boolean canTransmit() {
        return isLinkUp() || isLoopedBack();
      }

      @Override
      public long transmit(int lengthBytes, long readyPs) {
        return wire.transmit(lengthBytes, readyPs);
      }

      @Override
      public void deliver(byte[] frame, int offset, int lengthBytes, long nowPs) {
        if (isLoopedBack()) {
          rx.onFrame(frame, offset, lengthBytes, true, nowPs);
        } else {
          farEnd.onFrame(frame, offset, lengthBytes, nowPs);
        }
      }
    };
  }

  private boolean isLoopedBack() {
    return registers.hasBits(NicRegisters.HLREG0, NicRegisters.HLREG0_LPBK);
  }

  private int readRegister(int offset, long nowPs) {
    if (statistics.handles(offset)) {
      return statistics.read(offset);
    }
    if (interrupts.handles(offset)) {
      return interrupts.read(offset, nowPs);
    }
    if (nvm.handles(offset)) {
      return nvm.read(offset, nowPs);
    }
    if (scaling.handles(offset)) {
      return scaling.read(offset);
    }
    if (NicRegisters.isRxBlock(offset)) {
      return readRxQueue(offset);
    }
    if (NicRegisters.isTxBlock(offset)) {
      return readTxQueue(offset);
    }
    if (offset == NicRegisters.STATUS) {
      return status(nowPs);
    }
    return registers.read(offset);
  }

  private void writeRegister(int offset, int value, long nowPs) {
    if (NicRegisters.isRxBlock(offset)) {
      writeRxQueue(offset, value, nowPs);
    } else if (NicRegisters.isTxBlock(offset)) {
      writeTxQueue(offset, value, nowPs);
    } else if (interrupts.handles(offset)) {
      interrupts.write(offset, value, nowPs);
    } else if (statistics.handles(offset)) {
      statistics.write(offset, value);
    } else if (nvm.handles(offset)) {
      nvm.write(offset, value, nowPs);
    } else if (scaling.handles(offset)) {
      scaling.write(offset, value);
    } else {
      writePlain(offset, value, nowPs);
    }
  }

  private void writePlain(int offset, int value, long nowPs) {
    registers.write(offset, value);
    switch (offset) {
      case NicRegisters.CTRL:
        onControl(value, nowPs);
        break;
      case NicRegisters.CTRL_EXT:
        dma.setRelaxed((value & NicRegisters.CTRL_EXT_RO_DIS) == 0);
        break;
      case NicRegisters.AUTOC:
        onAutoNegotiation(value, nowPs);
        break;
      case NicRegisters.DMATXCTL:
      case NicRegisters.HLREG0:
        tx.kick(nowPs);
        break;
      default:
        break;
    }
  }

  private void onControl(int value, long nowPs) {
    int newResetBits = value & (NicRegisters.CTRL_RST | NicRegisters.CTRL_LNK_RST);
    if (newResetBits != 0 && !resetDone.isScheduled()) {
      // Written again while it lasts, the reset goes on and does not start anew.
      resetFunction();
      simulation.schedule(resetDone, nowPs + config.resetPs());
    }
    // The bits clear themselves; software cannot.
    resetBits |= newResetBits;
    registers.setBits(NicRegisters.CTRL, resetBits);
    dma.setMasterDisabled(registers.hasBits(NicRegisters.CTRL, NicRegisters.CTRL_GIO_DIS));
    rx.kick(nowPs);
    tx.kick(nowPs);
  }

  private void resetFunction() {
    rx.reset();
    tx.reset();
    simulation.cancel(linkUp);
    registers.reset();
    interrupts.reset();
    statistics.reset();
    nvm.reset();
    scaling.reset();
    wire.abandon(simulation.nowPs());
    dma.setMasterDisabled(false);
    dma.setRelaxed(true);
  }

  private void onAutoNegotiation(int value, long nowPs) {
    if ((value & NicRegisters.AUTOC_AN_RESTART) == 0) {
      return;
    }
    registers.clearBits(NicRegisters.AUTOC, NicRegisters.AUTOC_AN_RESTART);
    if (isLinkUp()) {
      registers.clearBits(NicRegisters.LINKS, NicRegisters.LINKS_UP);
      interrupts.onOther(NicRegisters.EICR_LSC, nowPs);
    }
    simulation.reschedule(linkUp, nowPs + config.linkUpPs());
  }

  private void onLinkUp(long nowPs) {
    registers.setBits(NicRegisters.LINKS, NicRegisters.LINKS_UP | speedBits());
    interrupts.onOther(NicRegisters.EICR_LSC, nowPs);
    tx.kick(nowPs);
  }

  /** LINKS bits 29:28 know 100 Mb/s, 1 Gb/s and 10 Gb/s; what is faster calls itself 10 Gb/s. */
  private int speedBits() {
    return config.lineBitsPerSecond() >= 10_000_000_000L ? 3 << SPEED_SHIFT : 2 << SPEED_SHIFT;
  }

  private int status(long nowPs) {
    int status = registers.read(NicRegisters.STATUS) | NicRegisters.STATUS_GIO;
    boolean isDisabled =
        registers.hasBits(NicRegisters.CTRL, NicRegisters.CTRL_GIO_DIS) && isIdle(nowPs);
    return isDisabled ? status & ~NicRegisters.STATUS_GIO : status;
  }

  private boolean isIdle(long nowPs) {
    return rx.isIdle(nowPs) && tx.isIdle();
  }

  private int readRxQueue(int offset) {
    int index = NicRegisters.rxQueue(offset);
    if (index < config.rxQueues() && offset == NicRegisters.rdh(index)) {
      RxQueue queue = rx.queue(index);
      return queue.isEnabled ? queue.head : registers.read(offset);
    }
    return registers.read(offset);
  }

  private void writeRxQueue(int offset, int value, long nowPs) {
    int index = NicRegisters.rxQueue(offset);
    boolean wasEnabled = registers.hasBits(NicRegisters.rxdctl(index), NicRegisters.RXDCTL_ENABLE);
    registers.write(offset, value);
    if (index >= config.rxQueues()) {
      registers.clearBits(NicRegisters.rxdctl(index), NicRegisters.RXDCTL_ENABLE);
      return;
    }
    RxQueue queue = rx.queue(index);
    if (offset == NicRegisters.rdt(index) && queue.isEnabled) {
      rx.onTail(queue, registers.get(offset), nowPs);
    } else if (offset == NicRegisters.rxdctl(index)) {
      if (registers.hasBits(offset, NicRegisters.RXDCTL_SWFLSH)) {
        registers.clearBits(offset, NicRegisters.RXDCTL_SWFLSH);
        rx.flush(queue, nowPs);
      }
      boolean isEnabled = registers.hasBits(offset, NicRegisters.RXDCTL_ENABLE);
      if (isEnabled && !wasEnabled) {
        queue.enable(registers);
        showState(offset, NicRegisters.RXDCTL_ENABLE, queue.isEnabled);
      } else if (!isEnabled && wasEnabled) {
        rx.disable(queue, nowPs);
        registers.set(NicRegisters.rdh(index), queue.head);
      }
      rx.kick(nowPs);
    }
  }

  /** The enable bit reads as what the queue does: one without a ring stays off. */
  private void showState(int offset, int enableBit, boolean isEnabled) {
    if (!isEnabled) {
      registers.clearBits(offset, enableBit);
    }
  }

  private int readTxQueue(int offset) {
    int index = NicRegisters.txQueue(offset);
    if (index < config.txQueues() && offset == NicRegisters.tdh(index)) {
      TxQueue queue = tx.queue(index);
      return queue.isEnabled ? queue.done : registers.read(offset);
    }
    return registers.read(offset);
  }

  private void writeTxQueue(int offset, int value, long nowPs) {
    int index = NicRegisters.txQueue(offset);
    boolean wasEnabled = registers.hasBits(NicRegisters.txdctl(index), NicRegisters.TXDCTL_ENABLE);
    registers.write(offset, value);
    if (index >= config.txQueues()) {
      registers.clearBits(NicRegisters.txdctl(index), NicRegisters.TXDCTL_ENABLE);
      return;
    }
    TxQueue queue = tx.queue(index);
    if (offset == NicRegisters.tdt(index) && queue.isEnabled) {
      tx.onTail(queue, registers.get(offset), nowPs);
    } else if (offset == NicRegisters.txdctl(index)) {
      onTransmitControl(queue, wasEnabled, nowPs);
    }
  }

  private void onTransmitControl(TxQueue queue, boolean wasEnabled, long nowPs) {
    int offset = NicRegisters.txdctl(queue.index);
    boolean isEnabled = registers.hasBits(offset, NicRegisters.TXDCTL_ENABLE);
    if (isEnabled && !wasEnabled) {
      tx.enable(queue);
      showState(offset, NicRegisters.TXDCTL_ENABLE, queue.isEnabled);
    } else if (!isEnabled) {
      tx.disable(queue);
    }
    queue.setThresholds(registers.get(offset));
    if (registers.hasBits(offset, NicRegisters.TXDCTL_SWFLSH)) {
      registers.clearBits(offset, NicRegisters.TXDCTL_SWFLSH);
      tx.flush(queue, nowPs);
    }
    tx.kick(nowPs);
  }
}
