package io.github.bellwire.iommu.queue;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.iommu.walk.TranslationConfig;
import io.github.bellwire.iommu.walk.TranslationUnit;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;

/** A register block with memory that takes fixed times, and neighbours that remember. */
public final class QueueFixture {
  public static final long READ_PS = 50_000;
  public static final long WRITE_PS = 30_000;
  public static final long IOTLB_PS = 400_000;
  public static final long ISSUE_PS = 20_000;
  public static final long TIMEOUT_PS = 5_000_000;
  public static final int RECORDS = 4;
  public static final long QUEUE = 0x10_0000;
  public static final long STATUS = 0x20_0000;
  public static final int VECTOR = 0x41;
  public static final long MESSAGE_ADDRESS = 0xFEE0_3000L;

  public static final InvalidationConfig INVALIDATION =
      new InvalidationConfig(100_000, IOTLB_PS, 200_000, 300_000, ISSUE_PS, TIMEOUT_PS, 18);

  public static final TranslationConfig.Capabilities LEGACY =
      new TranslationConfig.Capabilities(
          46,
          TranslationConfig.WIDTH_48,
          TranslationConfig.PAGES_2_MIB | TranslationConfig.PAGES_1_GIB,
          true,
          true,
          false,
          true);

  public static final TranslationConfig.Capabilities SCALABLE =
      new TranslationConfig.Capabilities(
          52,
          TranslationConfig.WIDTH_48 | TranslationConfig.WIDTH_57,
          TranslationConfig.PAGES_2_MIB | TranslationConfig.PAGES_1_GIB,
          true,
          true,
          true,
          true);

  /** An interrupt message that has left the unit. */
  public record Message(long address, int data, long atPs) {}

  /** A request to the cache of a device. */
  public record Asked(int requesterId, int pasid, long iova, long sizeBytes, long atPs) {}

  /** An answer to page requests. */
  public record Responded(int requesterId, int pasid, int group, int code, long atPs) {}

  public final Simulation simulation = new Simulation(1);
  public final PhysicalMemory memory = new PhysicalMemory(64 << 20, 0);
  public final CommitQueue commits = new CommitQueue(simulation, memory);
  public final List<Message> messages = new ArrayList<>();
  public final List<Asked> asked = new ArrayList<>();
  public final List<Responded> responded = new ArrayList<>();
  public final List<String> interruptCalls = new ArrayList<>();
  public final List<Long> reads = new ArrayList<>();
  public final TranslationUnit translation;
  public final FaultLog faults;
  public final RegisterBlock registers;
  public long answerPs;
  private boolean isQuiet;

  public QueueFixture() {
    this(SCALABLE);
  }

  public QueueFixture(TranslationConfig.Capabilities capabilities) {
    this(
        capabilities,
        new RegisterConfig(RegisterLayout.BASE_ADDRESS, 0x10, RECORDS, 16, true, true));
  }

  public QueueFixture(TranslationConfig.Capabilities capabilities, RegisterConfig config) {
    DeviceCachePort caches =
        new DeviceCachePort() {
          @Override
          public long read(long pa, int lengthBytes, boolean noSnoop, long atPs) {
            if (!isQuiet) {
              reads.add(pa);
            }
            return atPs + READ_PS;
          }

          @Override
          public long write(long pa, int lengthBytes, boolean noSnoop, long atPs) {
            return atPs + WRITE_PS;
          }
        };
    RemappingPorts ports =
        new RemappingPorts(
            simulation,
            commits,
            caches,
            true,
            (requesterId, address, data, atPs) -> {
              if (!isQuiet) {
                messages.add(new Message(address, data, atPs));
              }
            });
    TranslationConfig walk =
        new TranslationConfig(
            capabilities,
            new TranslationConfig.Iotlb(1, 64, 1, 1),
            new TranslationConfig.PagingCaches(4, 4, 4),
            64,
            64,
            new TranslationConfig.Walkers(1, 0, 0, 0, false),
            true);
    faults = new FaultLog(config.faultRecordsCount(), simulation, ports.interrupts());
    translation = new TranslationUnit(walk, commits, caches, faults);
    registers =
        new RegisterBlock(
            config, INVALIDATION, ports, translation, new Interrupts(), faults, new Devices());
  }

  private final class Interrupts implements InterruptControl {
    @Override
    public void setTable(long pa, int entriesCount, boolean isExtended) {
      interruptCalls.add("table " + Long.toHexString(pa) + " " + entriesCount + " " + isExtended);
    }

    @Override
    public void setEnabled(boolean isEnabled) {
      interruptCalls.add("enabled " + isEnabled);
    }

    @Override
    public void setCompatibilityPassed(boolean isPassed) {
      interruptCalls.add("compatibility " + isPassed);
    }

    @Override
    public void invalidateEntries(int index, int entriesCount, long atPs) {
      interruptCalls.add("forget " + index + " " + entriesCount + " at " + atPs);
    }

    @Override
    public void invalidateAllEntries(long atPs) {
      interruptCalls.add("forget all at " + atPs);
    }
  }

  private final class Devices implements DeviceTlbs {
    @Override
    public long invalidate(int requesterId, int pasid, long iova, long sizeBytes, long atPs) {
      asked.add(new Asked(requesterId, pasid, iova, sizeBytes, atPs));
      return answerPs < 0 ? -1 : atPs + answerPs;
    }

    @Override
    public void respond(int requesterId, int pasid, int group, int code, long atPs) {
      responded.add(new Responded(requesterId, pasid, group, code, atPs));
    }
  }

  /** Stops remembering what the unit does. */
  public void quiet() {
    isQuiet = true;
  }

  public int read4(int offset) {
    return read4(offset, simulation.nowPs());
  }

  public int read4(int offset, long atPs) {
    return (int) registers.read(offset, 4, atPs);
  }

  public long read8(int offset) {
    return registers.read(offset, 8, simulation.nowPs());
  }

  public void write4(int offset, int value) {
    registers.write(offset, 4, value & 0xFFFF_FFFFL, simulation.nowPs());
  }

  public void write8(int offset, long value) {
    registers.write(offset, 8, value, simulation.nowPs());
  }

  /** Lets the unit interrupt by one of the groups of event registers. */
  public void unmask(int control) {
    write4(control + 4, VECTOR);
    write4(control + 8, (int) MESSAGE_ADDRESS);
    write4(control, 0);
  }

  /** Switches the invalidation queue on, 4 KiB at QUEUE. */
  public void enableQueue(boolean isWide) {
    write8(RegisterLayout.IQA, QUEUE | (isWide ? RegisterLayout.IQA_WIDE : 0));
    write4(RegisterLayout.GCMD, RegisterLayout.QUEUED_INVALIDATION_ENABLE);
  }

  public void descriptor(int index, long word0, long word1) {
    memory.putLong(QUEUE + index * 16L, word0);
    memory.putLong(QUEUE + index * 16L + 8, word1);
  }

  public void wideDescriptor(int index, long word0, long word1) {
    memory.putLong(QUEUE + index * 32L, word0);
    memory.putLong(QUEUE + index * 32L + 8, word1);
    memory.putLong(QUEUE + index * 32L + 16, 0);
    memory.putLong(QUEUE + index * 32L + 24, 0);
  }

  /** Words of memory as of now. */
  public int visible4(long pa) {
    commits.settle(simulation.nowPs());
    return memory.getInt(pa);
  }
}
