package io.github.bellwire.iommu.interrupt;

import static io.github.bellwire.iommu.layout.InterruptEntryLayout.*;
import static java.util.Objects.requireNonNull;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.iommu.queue.InterruptControl;
import io.github.bellwire.iommu.walk.FaultSink;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.InterruptSink;
import io.github.bellwire.pcie.RootComplex;
import io.github.bellwire.pcie.TranslationRequest;
import org.jspecify.annotations.Nullable;

/**
 * Decides what becomes of devices' interrupt messages (VT-d specification 4.1, section 5.1): a
 * remappable one names an entry of a table in memory that says who may send it, and to which core
 * and vector it goes. What is refused is a fault, and the message is dropped.
 *
 * <p>Passive and confined to the simulation thread.
 */
public final class InterruptRemapper implements InterruptSink, InterruptControl {
  private static final int BUS_SHIFT = 8;
  private static final int BYTE_MASK = 0xFF;
  private static final int SUBHANDLE_MASK = 0xFFFF;
  private static final int DELIVERY_MODE_MASK = 7;
  private static final int MESSAGE_DELIVERY_MODE_SHIFT = 8;
  private static final int MESSAGE_LEVEL = 1 << 15;

  // By qualifier: which bits of a source ID count.
  private static final int[] QUALIFIERS = {0xFFFF, 0xFFFB, 0xFFF9, 0xFFF8};

  private final InterruptConfig config;
  private final CommitQueue commits;
  private final DeviceCachePort port;
  private final FaultSink faults;
  private final InterruptSink destination;
  private final EntryCache cache;

  private boolean isEnabled;
  private boolean isCompatibilityPassed;
  private long tablePa;
  private int entriesCount = 2;
  private boolean isExtended;

  // Of the message in progress.
  private long low;
  private long high;
  private long readyPs;

  private long remappedTotal;
  private long passedTotal;
  private long refusedTotal;
  private long cacheHitsTotal;
  private long cacheMissesTotal;

  /**
   * Creates a remapper that lets all messages pass as they are.
   *
   * @param config what it remembers and takes
   * @param commits memory with the bytes of the table
   * @param port the time that reading it takes
   * @param faults takes the faults
   * @param destination where messages go that pass
   */
  public InterruptRemapper(
      InterruptConfig config,
      CommitQueue commits,
      DeviceCachePort port,
      FaultSink faults,
      InterruptSink destination) {
    this.config = requireNonNull(config, "config");
    this.commits = requireNonNull(commits, "commits");
    this.port = requireNonNull(port, "port");
    this.faults = requireNonNull(faults, "faults");
    this.destination = requireNonNull(destination, "destination");
    cache = new EntryCache(config.cachedEntries());
  }

  @Override
  public void setTable(long pa, int newEntriesCount, boolean newIsExtended) {
    tablePa = pa;
    entriesCount = newEntriesCount;
    isExtended = newIsExtended;
  }

  @Override
  public void setEnabled(boolean newIsEnabled) {
    isEnabled = newIsEnabled;
  }

  @Override
  public void setCompatibilityPassed(boolean isPassed) {
    isCompatibilityPassed = isPassed;
  }

  @Override
  public void invalidateEntries(int index, int count, long atPs) {
    cache.invalidate(index, count, atPs);
  }

  @Override
  public void invalidateAllEntries(long atPs) {
    cache.invalidateAll(atPs);
  }

  @Override
  public void onMessage(int requesterId, long address, int data, long atPs) {
    if (!isEnabled) {
      pass(requesterId, address, data, atPs);
    } else if ((address & MESSAGE_REMAPPABLE) != 0) {
      remap(requesterId, address, data, atPs + config.lookupPs());
    } else if (isCompatibilityPassed && !isExtended) {
      pass(requesterId, address, data, atPs + config.lookupPs());
    } else {
      refuse(FaultReason.INTERRUPT_COMPATIBILITY_BLOCKED, requesterId, 0, atPs);
    }
  }

  /** {@return messages that have gone where their entry says} */
  public long remappedTotal() {
    return remappedTotal;
  }

  /** {@return messages that have passed as they were} */
  public long passedTotal() {
    return passedTotal;
  }

  /** {@return messages that have been dropped} */
  public long refusedTotal() {
    return refusedTotal;
  }

  /** {@return entries that were remembered} */
  public long cacheHitsTotal() {
    return cacheHitsTotal;
  }

  /** {@return entries that were read from memory} */
  public long cacheMissesTotal() {
    return cacheMissesTotal;
  }

  private void pass(int requesterId, long address, int data, long atPs) {
    passedTotal++;
    destination.onMessage(requesterId, address, data, atPs);
  }

  private void remap(int requesterId, long address, int data, long atPs) {
    boolean hasSubhandle = (address & MESSAGE_SUBHANDLE_VALID) != 0;
    int index =
        (int) (address >>> MESSAGE_HANDLE_SHIFT) & MESSAGE_HANDLE_MASK
            | (int) (address >>> MESSAGE_HANDLE_15_SHIFT & 1) << 15;
    readyPs = atPs;
    if (hasSubhandle && data >>> Short.SIZE != 0) {
      refuse(FaultReason.INTERRUPT_REQUEST_RESERVED, requesterId, index, atPs);
      return;
    }
    index += hasSubhandle ? data & SUBHANDLE_MASK : 0;
    FaultReason fault = find(index);
    if (fault == null) {
      fault = check(requesterId);
    }
    if (fault == null) {
      deliver(requesterId);
    } else {
      refuse(fault, requesterId, index, readyPs);
    }
  }

  /** Finds an entry, in the cache or in memory; returns why that is impossible, or null. */
  private @Nullable FaultReason find(int index) {
    if (index >= entriesCount) {
      return FaultReason.INTERRUPT_INDEX_BEYOND_TABLE;
    }
    int slot = cache.find(index, readyPs);
    if (slot != EntryCache.ABSENT) {
      cacheHitsTotal++;
      low = cache.low(slot);
      high = cache.high(slot);
      readyPs = Math.max(readyPs, cache.readyPs(slot));
      return null;
    }
    cacheMissesTotal++;
    long pa = tablePa + (long) index * LENGTH_BYTES;
    PhysicalMemory memory = commits.memory();
    if (!memory.contains(pa, LENGTH_BYTES)) {
      return FaultReason.INTERRUPT_TABLE_INVALID;
    }
    readyPs = port.read(pa, LENGTH_BYTES, false, readyPs);
    low = memory.getLong(pa);
    high = memory.getLong(pa + HIGH);
    if ((low & PRESENT) == 0) {
      return FaultReason.INTERRUPT_ENTRY_NOT_PRESENT;
    }
    if (isReserved()) {
      return FaultReason.INTERRUPT_ENTRY_RESERVED;
    }
    cache.put(index, low, high, readyPs);
    return null;
  }

  private boolean isReserved() {
    int validation = (int) (high >>> VALIDATION_SHIFT) & 3;
    return (low & (LOW_RESERVED | POSTED)) != 0
        || !isExtended && (low & NARROW_RESERVED) != 0
        || (high & HIGH_RESERVED) != 0
        || validation > VALIDATE_BUS;
  }

  private @Nullable FaultReason check(int requesterId) {
    int source = (int) (high & SOURCE_MASK);
    boolean isAllowed =
        switch ((int) (high >>> VALIDATION_SHIFT) & 3) {
          case VALIDATE_SOURCE -> {
            int mask = QUALIFIERS[(int) (high >>> QUALIFIER_SHIFT) & 3];
            yield ((source ^ requesterId) & mask) == 0;
          }
          case VALIDATE_BUS -> {
            int bus = requesterId >>> BUS_SHIFT;
            yield bus >= source >>> BUS_SHIFT && bus <= (source & BYTE_MASK);
          }
          default -> true;
        };
    return isAllowed ? null : FaultReason.INTERRUPT_SOURCE_REJECTED;
  }

  /** Sends the message of an entry on; bits of a wide destination go to the upper address. */
  private void deliver(int requesterId) {
    remappedTotal++;
    long target =
        isExtended ? low >>> DESTINATION_SHIFT : low >>> NARROW_DESTINATION_SHIFT & BYTE_MASK;
    long address =
        RootComplex.INTERRUPT_BASE
            | (target & BYTE_MASK) << MESSAGE_DESTINATION_SHIFT
            | (target & ~(long) BYTE_MASK) << DESTINATION_SHIFT;
    int deliveryMode = (int) (low >>> DELIVERY_MODE_SHIFT) & DELIVERY_MODE_MASK;
    int data =
        (int) (low >>> VECTOR_SHIFT) & VECTOR_MASK
            | deliveryMode << MESSAGE_DELIVERY_MODE_SHIFT
            | ((low & LEVEL_TRIGGERED) != 0 ? MESSAGE_LEVEL : 0);
    destination.onMessage(requesterId, address, data, readyPs);
  }

  private void refuse(FaultReason reason, int requesterId, int index, long atPs) {
    refusedTotal++;
    if (!reason.isQualified() || (low & FAULT_PROCESSING_DISABLE) == 0) {
      long information = (long) index << 48;
      faults.onFault(reason, requesterId, TranslationRequest.NO_PASID, information, true, atPs);
    }
  }
}
