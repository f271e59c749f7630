package io.github.bellwire.iommu.amd;

import static io.github.bellwire.iommu.layout.AmdLayout.*;

import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.iommu.layout.AmdLayout;
import io.github.bellwire.iommu.queue.CommandConfig;
import io.github.bellwire.iommu.queue.DeviceTlbs;
import io.github.bellwire.iommu.queue.TimedEffects;
import io.github.bellwire.iommu.queue.WordRegisters;
import io.github.bellwire.iommu.walk.TableKind;
import io.github.bellwire.iommu.walk.TranslationConfig;
import io.github.bellwire.iommu.walk.TranslationUnit;

/**
 * An IOMMU of the kind AMD-Vi: the registers by which software drives it (publication 48882,
 * section 3.4), and what is behind them. What does not exist reads as zero.
 */
public final class AmdUnit extends WordRegisters {
  private static final int DEVICES_PER_PAGE = 4096 / DEVICE_ENTRY_BYTES;
  private static final int REQUESTER_ID = 0;

  private final RemappingPorts ports;
  private final TranslationUnit translation;
  private final AmdEventLog events;
  private final AmdCommandBuffer commands;
  private final TimedEffects completions;
  private long control;
  private boolean isCompletionPending;

  /**
   * Creates a unit in its state after reset: all passes.
   *
   * @param baseAddress of the registers, a multiple of 16 KiB
   * @param config what it translates, remembers and takes
   * @param commandConfig what its commands take
   * @param ports the machine
   * @param deviceTlbs caches of devices
   */
  public AmdUnit(
      long baseAddress,
      TranslationConfig config,
      CommandConfig commandConfig,
      RemappingPorts ports,
      DeviceTlbs deviceTlbs) {
    super(baseAddress, AmdLayout.SIZE_BYTES);
    this.ports = ports;
    events = new AmdEventLog(ports, this::onEvent);
    translation =
        new TranslationUnit(TableKind.AMD_VI, config, ports.commits(), ports.caches(), events);
    completions =
        new TimedEffects(ports.simulation()) {
          @Override
          protected void apply(long first, long second, long atPs) {
            onCompletion(atPs);
          }
        };
    commands =
        new AmdCommandBuffer(
            commandConfig,
            ports,
            deviceTlbs,
            translation.caches(),
            events,
            atPs -> completions.add(atPs, 0, 0));
  }

  private void onEvent() {
    if ((control & CONTROL_EVENT_INTERRUPT) != 0) {
      send(events.recordedPs());
    }
  }

  private void onCompletion(long atPs) {
    if (!isCompletionPending) {
      isCompletionPending = true;
      if ((control & CONTROL_COMPLETION_INTERRUPT) != 0) {
        send(atPs);
      }
    }
  }

  private void send(long atPs) {
    long address = wide(MESSAGE_ADDRESS_LOW);
    ports.interrupts().onMessage(REQUESTER_ID, address, word(MESSAGE_DATA), atPs);
  }

  @Override
  protected void settle(long atPs) {
    events.settle(atPs);
    completions.settle(atPs);
  }

  @Override
  protected int readWord(int offset, long atPs) {
    return switch (offset) {
      case FEATURES -> (int) (FEATURE_INVALIDATE_ALL | 1L << FEATURE_LEVELS_SHIFT);
      case COMMAND_HEAD -> commands.head(atPs) * ENTRY_BYTES;
      case COMMAND_TAIL -> commands.tail() * ENTRY_BYTES;
      case EVENT_HEAD -> events.head() * ENTRY_BYTES;
      case EVENT_TAIL -> events.tail() * ENTRY_BYTES;
      case STATUS -> status();
      default -> word(offset);
    };
  }

  private int status() {
    return events.statusBits()
        | (isCompletionPending ? STATUS_COMPLETION_INTERRUPT : 0)
        | (commands.isRunning() ? STATUS_COMMANDS_RUNNING : 0);
  }

  @Override
  protected void writeWord(int offset, int value, long atPs) {
    int position = (int) (value & RING_OFFSET_MASK) / ENTRY_BYTES;
    switch (offset) {
      case DEVICE_TABLE_BASE, DEVICE_TABLE_BASE + 4 -> {
        keep(offset, value);
        long base = wide(DEVICE_TABLE_BASE);
        long entries = ((base & DEVICE_TABLE_SIZE_MASK) + 1) * DEVICES_PER_PAGE;
        translation.setDeviceTable(base & ADDRESS_MASK, entries);
      }
      case COMMAND_BASE, COMMAND_BASE + 4 -> {
        keep(offset, value);
        int entries = entries(COMMAND_BASE);
        commands.setUp(wide(COMMAND_BASE) & ADDRESS_MASK, entries, entries);
        commands.setHead(0);
      }
      case EVENT_BASE, EVENT_BASE + 4 -> {
        keep(offset, value);
        int entries = entries(EVENT_BASE);
        events.setUp(wide(EVENT_BASE) & ADDRESS_MASK, entries, entries);
      }
      case CONTROL, CONTROL + 4 -> {
        keep(offset, value);
        control(wide(CONTROL), atPs);
      }
      case MESSAGE_ADDRESS_LOW, MESSAGE_ADDRESS_HIGH, MESSAGE_DATA -> keep(offset, value);
      case COMMAND_HEAD -> {
        if (!commands.isRunning()) {
          commands.setHead(position);
        }
      }
      case COMMAND_TAIL -> commands.writeTail(position, atPs);
      case EVENT_HEAD -> events.setHead(position);
      case EVENT_TAIL -> {
        if (!events.isEnabled()) {
          events.setTail(position);
        }
      }
      case STATUS -> clear(value);
      default -> {
        // Nothing is there, or only to be read.
      }
    }
  }

  private void control(long value, long atPs) {
    long changed = control ^ value;
    control = value;
    if ((changed & CONTROL_ENABLE) != 0) {
      translation.setEnabled((value & CONTROL_ENABLE) != 0);
    }
    if ((changed & CONTROL_EVENT_LOG) != 0) {
      events.setEnabled((value & CONTROL_EVENT_LOG) != 0);
    }
    if ((changed & CONTROL_COMMANDS) != 0) {
      commands.setEnabled((value & CONTROL_COMMANDS) != 0, atPs);
    }
  }

  private void clear(int bits) {
    events.clear(bits);
    if ((bits & STATUS_COMPLETION_INTERRUPT) != 0) {
      isCompletionPending = false;
    }
  }

  private int entries(int offset) {
    int length = (int) (wide(offset) >>> RING_LENGTH_SHIFT) & RING_LENGTH_MASK;
    return 1 << Math.max(RING_LENGTH_MIN, length);
  }

  /** {@return translation} */
  public TranslationUnit translation() {
    return translation;
  }

  /** {@return the command buffer} */
  public AmdCommandBuffer commands() {
    return commands;
  }

  /** {@return the event log} */
  public AmdEventLog events() {
    return events;
  }
}
