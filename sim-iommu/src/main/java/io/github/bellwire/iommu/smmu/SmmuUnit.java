package io.github.bellwire.iommu.smmu;

import static io.github.bellwire.iommu.layout.SmmuLayout.*;

import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.iommu.layout.SmmuLayout;
import io.github.bellwire.iommu.queue.CommandConfig;
import io.github.bellwire.iommu.queue.DeviceTlbs;
import io.github.bellwire.iommu.queue.TimedEffects;
import io.github.bellwire.iommu.queue.WordRegisters;
import io.github.bellwire.iommu.walk.TableKind;
import io.github.bellwire.iommu.walk.TranslationConfig;
import io.github.bellwire.iommu.walk.TranslationUnit;

/**
 * An SMMUv3: the registers by which software drives it (Arm IHI 0070, chapter 6), and what is
 * behind them. What does not exist reads as zero. Enables take effect when the write arrives.
 */
public final class SmmuUnit extends WordRegisters {
  private static final int REQUESTER_ID = 0;
  private static final int SUBSTREAM_BITS = 20;
  private static final int STREAM_BITS = 16;
  private static final int ENABLES = CR0_ENABLE | CR0_EVENTS | CR0_COMMANDS;

  private final RemappingPorts ports;
  private final TranslationConfig config;
  private final TranslationUnit translation;
  private final SmmuEventQueue events;
  private final SmmuCommandQueue commands;
  private final TimedEffects errors;
  private int enables;
  private int globalErrors;
  private int acknowledgedErrors;
  private boolean aborts;

  /**
   * Creates a unit in its state after reset: all passes.
   *
   * @param baseAddress of the registers, a multiple of 64 KiB
   * @param config what it translates, remembers and takes
   * @param commandConfig what its commands take
   * @param ports the machine
   * @param deviceTlbs caches of devices
   */
  public SmmuUnit(
      long baseAddress,
      TranslationConfig config,
      CommandConfig commandConfig,
      RemappingPorts ports,
      DeviceTlbs deviceTlbs) {
    super(baseAddress, SmmuLayout.SIZE_BYTES);
    this.config = config;
    this.ports = ports;
    events = new SmmuEventQueue(ports, this::onEvent);
    translation =
        new TranslationUnit(TableKind.SMMU_V3, config, ports.commits(), ports.caches(), events);
    errors =
        new TimedEffects(ports.simulation()) {
          @Override
          protected void apply(long first, long second, long atPs) {
            raise((int) first, atPs);
          }
        };
    commands =
        new SmmuCommandQueue(
            commandConfig,
            ports,
            deviceTlbs,
            translation.caches(),
            atPs -> errors.add(atPs, GERROR_COMMAND, 0));
  }

  private void onEvent(long atPs) {
    if ((word(IRQ_CTRL) & IRQ_EVENTS) != 0) {
      send(EVTQ_IRQ_CFG0, EVTQ_IRQ_CFG1, atPs);
    }
  }

  private void raise(int bit, long atPs) {
    boolean isActive = ((globalErrors ^ acknowledgedErrors) & bit) != 0;
    if (!isActive) {
      globalErrors ^= bit;
      if ((word(IRQ_CTRL) & IRQ_ERRORS) != 0) {
        send(GERROR_IRQ_CFG0, GERROR_IRQ_CFG1, atPs);
      }
    }
  }

  private void send(int addressOffset, int dataOffset, long atPs) {
    long address = wide(addressOffset) & SYNC_ADDRESS_MASK;
    if (address != 0) {
      ports.interrupts().onMessage(REQUESTER_ID, address, word(dataOffset), atPs);
    }
  }

  /** {@return whether requests are aborted while nothing is translated} */
  public boolean abortsUntranslated() {
    return aborts && !translation.isEnabled();
  }

  @Override
  protected void settle(long atPs) {
    events.settle(atPs);
    errors.settle(atPs);
  }

  @Override
  protected int readWord(int offset, long atPs) {
    return switch (offset) {
      case IDR0 -> identification0();
      case IDR1 ->
          QUEUE_BITS_MAX << IDR1_COMMANDS_SHIFT
              | QUEUE_BITS_MAX << IDR1_EVENTS_SHIFT
              | (config.capabilities().isScalable() ? SUBSTREAM_BITS : 0) << IDR1_SUBSTREAM_SHIFT
              | STREAM_BITS;
      case IDR3 -> IDR3_RANGE;
      case IDR5 -> IDR5_GRANULES | IDR5_OUTPUT_48;
      case CR0, CR0ACK -> enables;
      case GBPA -> aborts ? GBPA_ABORT : 0;
      case IRQ_CTRLACK -> word(IRQ_CTRL);
      case GERROR -> globalErrors;
      case GERRORN -> acknowledgedErrors;
      case CMDQ_PROD -> commands.tail();
      case CMDQ_CONS -> commands.head(atPs) | commands.error() << CONS_ERROR_SHIFT;
      case EVTQ_PROD -> events.producer();
      case EVTQ_CONS -> events.consumer();
      default -> word(offset);
    };
  }

  private int identification0() {
    return IDR0_STAGE_1
        | IDR0_AARCH64
        | (config.capabilities().isSnooped() ? IDR0_COHERENT : 0)
        | (config.capabilities().hasDeviceTlbs() ? IDR0_ATS : 0)
        | IDR0_ASID16
        | IDR0_MSI
        | IDR0_LITTLE_ENDIAN
        | IDR0_TWO_LEVELS;
  }

  @Override
  protected void writeWord(int offset, int value, long atPs) {
    switch (offset) {
      case CR0 -> enable(value & ENABLES, atPs);
      case GBPA -> aborts = (value & GBPA_UPDATE) != 0 ? (value & GBPA_ABORT) != 0 : aborts;
      case GERRORN -> acknowledge(value, atPs);
      case STRTAB_BASE, STRTAB_BASE + 4, STRTAB_BASE_CFG -> {
        keep(offset, value);
        translation.setDeviceTable(wide(STRTAB_BASE), word(STRTAB_BASE_CFG));
      }
      case CMDQ_BASE, CMDQ_BASE + 4 -> {
        keep(offset, value);
        int entries = entries(CMDQ_BASE);
        commands.setUp(wide(CMDQ_BASE) & QUEUE_ADDRESS_MASK, entries, 2 * entries);
      }
      case CMDQ_PROD -> commands.writeTail(value, atPs);
      case CMDQ_CONS -> {
        if ((enables & CR0_COMMANDS) == 0) {
          commands.setHead(value);
        }
      }
      case EVTQ_BASE, EVTQ_BASE + 4 -> {
        keep(offset, value);
        int entries = entries(EVTQ_BASE);
        events.setUp(wide(EVTQ_BASE) & QUEUE_ADDRESS_MASK, entries, 2 * entries);
      }
      case EVTQ_PROD -> {
        if (!events.isEnabled()) {
          events.setTail(value);
        }
      }
      case EVTQ_CONS -> events.writeConsumer(value);
      case IRQ_CTRL,
          GERROR_IRQ_CFG0,
          GERROR_IRQ_CFG0 + 4,
          GERROR_IRQ_CFG1,
          EVTQ_IRQ_CFG0,
          EVTQ_IRQ_CFG0 + 4,
          EVTQ_IRQ_CFG1 ->
          keep(offset, value);
      default -> {
        // Nothing is there, or only to be read.
      }
    }
  }

  private void enable(int value, long atPs) {
    int changed = enables ^ value;
    enables = value;
    if ((changed & CR0_ENABLE) != 0) {
      translation.setEnabled((value & CR0_ENABLE) != 0);
    }
    if ((changed & CR0_EVENTS) != 0) {
      events.setEnabled((value & CR0_EVENTS) != 0);
    }
    if ((changed & CR0_COMMANDS) != 0) {
      commands.setEnabled((value & CR0_COMMANDS) != 0, atPs);
    }
  }

  /** Software acknowledges errors; the command queue goes on. */
  private void acknowledge(int value, long atPs) {
    boolean wasStopped = ((globalErrors ^ acknowledgedErrors) & GERROR_COMMAND) != 0;
    acknowledgedErrors = value;
    if (wasStopped && ((globalErrors ^ value) & GERROR_COMMAND) == 0) {
      commands.resume(atPs);
    }
  }

  private int entries(int offset) {
    return 1 << Math.min(QUEUE_BITS_MAX, word(offset) & QUEUE_SIZE_MASK);
  }

  /** {@return translation} */
  public TranslationUnit translation() {
    return translation;
  }

  /** {@return the command queue} */
  public SmmuCommandQueue commands() {
    return commands;
  }

  /** {@return the event queue} */
  public SmmuEventQueue events() {
    return events;
  }
}
