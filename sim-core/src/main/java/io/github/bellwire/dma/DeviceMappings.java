package io.github.bellwire.dma;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
import org.jspecify.annotations.Nullable;

/**
 * The live mappings of one device: makes, syncs and ends contiguous ones, bounced if need be. Lists
 * and coherent memory are made of these.
 *
 * <pre>{@code
 * DmaDevice ---> DeviceMappings ---> MappingTable, DmaMapper, BounceBufferPool
 *    |                ^    '-------> DmaListener, if there is one
 *    '--> ScatterMappings, CoherentMemory
 * }</pre>
 */
final class DeviceMappings {
  private static final long MAPPING_ERROR = DmaMapper.MAPPING_ERROR;

  final DmaDevice device;
  final DmaConfig config;
  final DmaMapper mapper;
  final @Nullable BounceBufferPool pool;
  final MappingTable table;

  /** The highest bus address for streaming mappings. */
  long mask;

  /** Hears every call; a device that is listened to forgives. */
  @Nullable DmaListener listener;

  long mapsCount;
  long unmapsCount;
  long bouncedMapsCount;
  long mappingErrorsCount;

  DeviceMappings(
      DmaDevice device,
      DmaConfig config,
      DmaMapper mapper,
      @Nullable BounceBufferPool pool,
      long mask) {
    this.device = device;
    this.config = config;
    this.mapper = mapper;
    this.pool = pool;
    this.mask = mask;
    table = new MappingTable(config.expectedMappings());
  }

  /** Maps a range; returns its bus address or MAPPING_ERROR. */
  long map(CpuPort port, long pa, int lengthBytes, DmaDirection direction, MappingKind kind) {
    if (!mapper.reaches(pa, lengthBytes, mask)) {
      return mapBounced(port, pa, lengthBytes, direction, kind);
    }
    long iova = mapper.map(port, pa, lengthBytes, direction, mask);
    if (iova == MAPPING_ERROR) {
      return refused(port, kind, pa, lengthBytes, MapRefusal.NO_ADDRESS);
    }
    giveToDevice(port, pa, lengthBytes);
    mapsCount++;
    long key = MappingTable.key(lengthBytes, direction, kind);
    table.add(iova, pa, MappingTable.NOT_BOUNCED, key);
    if (listener != null) {
      listener.onMap(device, port, kind, iova, pa, -1, lengthBytes, direction);
    }
    return iova;
  }

  private long mapBounced(
      CpuPort port, long pa, int lengthBytes, DmaDirection direction, MappingKind kind) {
    if (pool == null || kind == MappingKind.SHARED) {
      MapRefusal why = pool == null ? MapRefusal.OUT_OF_REACH : MapRefusal.NOT_SHARABLE;
      return refused(port, kind, pa, lengthBytes, why);
    }
    int granuleBytes = mapper.bounceGranuleBytes();
    long tooLargeBefore = pool.tooLargeCount();
    long bouncePa = pool.allocate(port, pa, lengthBytes, config.minAlignMask(), granuleBytes);
    if (bouncePa == BounceBufferPool.NO_SLOTS) {
      boolean isTooLarge = pool.tooLargeCount() != tooLargeBefore;
      MapRefusal why = isTooLarge ? MapRefusal.TOO_LARGE_TO_BOUNCE : MapRefusal.NO_BOUNCE_SLOTS;
      return refused(port, kind, pa, lengthBytes, why);
    }
    int before = (int) bouncePa & granuleBytes - 1;
    int paddedBytes = before + lengthBytes + granuleBytes - 1 & -granuleBytes;
    long paddedIova = MAPPING_ERROR;
    // A mask may be so narrow that not even the bounce buffer is within reach.
    boolean reaches = mapper.reaches(bouncePa - before, paddedBytes, mask);
    if (reaches) {
      pool.copyToBounce(port, pa, bouncePa, lengthBytes);
      pool.clearPadding(port, bouncePa, lengthBytes, granuleBytes);
      paddedIova = mapper.map(port, bouncePa - before, paddedBytes, direction, mask);
    }
    if (paddedIova == MAPPING_ERROR) {
      pool.undo(port, bouncePa, lengthBytes, granuleBytes);
      MapRefusal why = reaches ? MapRefusal.NO_ADDRESS : MapRefusal.OUT_OF_REACH;
      return refused(port, kind, pa, lengthBytes, why);
    }
    long iova = paddedIova + before;
    giveToDevice(port, bouncePa - before, paddedBytes);
    mapsCount++;
    bouncedMapsCount++;
    table.add(iova, pa, bouncePa, MappingTable.key(lengthBytes, direction, kind));
    if (listener != null) {
      listener.onMap(device, port, kind, iova, pa, bouncePa, lengthBytes, direction);
    }
    return iova;
  }

  /** Counts a refusal and tells of it; returns MAPPING_ERROR. */
  long refused(CpuPort port, MappingKind kind, long pa, int lengthBytes, MapRefusal why) {
    mappingErrorsCount++;
    if (listener != null) {
      listener.onMapRefused(device, port, kind, pa, lengthBytes, why);
    }
    return MAPPING_ERROR;
  }

  private void unmapPadded(
      CpuPort port, long iova, int lengthBytes, int granuleBytes, DmaDirection direction) {
    int before = (int) iova & granuleBytes - 1;
    int paddedBytes = before + lengthBytes + granuleBytes - 1 & -granuleBytes;
    mapper.unmap(port, iova - before, paddedBytes, direction);
  }

  /** Ends a mapping; of a watched device the one that fits best, or none. */
  void unmap(
      CpuPort port,
      long iova,
      int lengthBytes,
      DmaDirection direction,
      MappingKind kind,
      boolean copyBack) {
    long key = MappingTable.key(lengthBytes, direction, kind);
    int entry = table.find(iova, key);
    if (listener != null) {
      listener.onUnmap(device, port, kind, iova, lengthBytes, direction);
      if (entry == MappingTable.NOT_FOUND) {
        removeBest(port, iova, key);
        return;
      }
    }
    if (entry == MappingTable.NOT_FOUND) {
      throw notMapped(iova, 0, lengthBytes, kind + " " + direction);
    }
    remove(port, entry, iova, lengthBytes, direction, copyBack);
  }

  /** Removes the mapping that fits a mistaken driver's call best, or nothing. */
  private void removeBest(CpuPort port, long iova, long key) {
    int entry = table.findBest(iova, key);
    if (entry != MappingTable.NOT_FOUND) {
      boolean copyBack = table.kind(entry) != MappingKind.COHERENT;
      int lengthBytes = table.lengthBytes(entry);
      remove(port, entry, iova, lengthBytes, table.direction(entry), copyBack);
    }
  }

  private void remove(
      CpuPort port,
      int entry,
      long iova,
      int lengthBytes,
      DmaDirection direction,
      boolean copyBack) {
    long pa = table.pa(entry);
    long bouncePa = table.bouncePa(entry);
    // Removed first: what follows takes time, and an interrupt handler may change the table then.
    table.remove(entry);
    unmapsCount++;
    boolean isBounced = bouncePa != MappingTable.NOT_BOUNCED;
    int granuleBytes = isBounced ? mapper.bounceGranuleBytes() : 1;
    unmapPadded(port, iova, lengthBytes, granuleBytes, direction);
    if (copyBack) {
      giveToCpu(port, isBounced ? bouncePa : pa, lengthBytes, direction);
    }
    if (isBounced) {
      BounceBufferPool bouncePool = requirePool();
      if (copyBack && direction != DmaDirection.TO_DEVICE) {
        bouncePool.copyFromBounce(port, pa, bouncePa, lengthBytes);
      }
      bouncePool.free(port, bouncePa, lengthBytes, granuleBytes);
    }
  }

  /** See {@link DmaDevice#syncForCpu}. */
  void syncForCpu(
      CpuPort port, long iova, int offsetBytes, int lengthBytes, DmaDirection direction) {
    if (listener != null) {
      listener.onSync(device, port, true, iova, offsetBytes, lengthBytes, direction);
    }
    int entry = findHolding(iova, offsetBytes, lengthBytes, direction);
    if (entry == MappingTable.NOT_FOUND) {
      return;
    }
    long pa = table.pa(entry) + offsetBytes;
    long bouncePa = table.bouncePa(entry);
    boolean isBounced = bouncePa != MappingTable.NOT_BOUNCED;
    giveToCpu(port, isBounced ? bouncePa + offsetBytes : pa, lengthBytes, direction);
    if (isBounced && direction != DmaDirection.TO_DEVICE) {
      requirePool().copyFromBounce(port, pa, bouncePa + offsetBytes, lengthBytes);
    }
  }

  /** See {@link DmaDevice#syncForDevice}. */
  void syncForDevice(
      CpuPort port, long iova, int offsetBytes, int lengthBytes, DmaDirection direction) {
    int entry = findHolding(iova, offsetBytes, lengthBytes, direction);
    if (entry != MappingTable.NOT_FOUND) {
      giveToDevice(port, entry, offsetBytes, lengthBytes, direction);
    }
    if (listener != null) {
      listener.onSync(device, port, false, iova, offsetBytes, lengthBytes, direction);
    }
  }

  private void giveToDevice(
      CpuPort port, int entry, int offsetBytes, int lengthBytes, DmaDirection direction) {
    long pa = table.pa(entry) + offsetBytes;
    long bouncePa = table.bouncePa(entry);
    boolean isBounced = bouncePa != MappingTable.NOT_BOUNCED;
    if (isBounced && direction != DmaDirection.FROM_DEVICE) {
      requirePool().copyToBounce(port, pa, bouncePa + offsetBytes, lengthBytes);
    }
    giveToDevice(port, isBounced ? bouncePa + offsetBytes : pa, lengthBytes);
  }

  /** Brings memory up to date; whatever the device will do, no dirty line may be evicted later. */
  void giveToDevice(CpuPort port, long pa, int lengthBytes) {
    if (!config.isCoherent()) {
      port.maintainCache(CacheOperation.CLEAN, pa, lengthBytes);
    }
  }

  /** Makes cores look at memory again: they may have loaded lines before the device wrote them. */
  void giveToCpu(CpuPort port, long pa, int lengthBytes, DmaDirection direction) {
    if (!config.isCoherent() && direction != DmaDirection.TO_DEVICE) {
      port.maintainCache(CacheOperation.INVALIDATE, pa, lengthBytes);
    }
  }

  /** What software has to do itself for memory that never changes hands. */
  void maintainShared(CpuPort port, CacheOperation operation, long pa, int lengthBytes) {
    if (!config.isCoherent()) {
      port.maintainCache(operation, pa, lengthBytes);
    }
  }

  /** Returns the mapping that holds a part; if there is none, throws or lets it be told. */
  private int findHolding(long iova, int offsetBytes, int lengthBytes, DmaDirection direction) {
    if (offsetBytes >= 0 && lengthBytes >= 1) {
      int entry = table.findHolding(iova, offsetBytes, lengthBytes, direction);
      if (entry != MappingTable.NOT_FOUND) {
        return entry;
      }
    }
    if (listener == null) {
      throw notMapped(iova, offsetBytes, lengthBytes, "sync " + direction);
    }
    return offsetBytes < 0 || lengthBytes < 1
        ? MappingTable.NOT_FOUND
        : table.findHolding(iova, offsetBytes, lengthBytes);
  }

  /** {@return what tells a driver that nothing is mapped as it says} */
  IllegalArgumentException notMapped(long iova, int offsetBytes, int lengthBytes, String what) {
    return new IllegalArgumentException(
        "iova must be mapped like that: iova=0x"
            + Long.toHexString(iova)
            + ", offsetBytes="
            + offsetBytes
            + ", lengthBytes="
            + lengthBytes
            + ", "
            + what
            + "; mapped there: "
            + table.describe(iova));
  }

  private BounceBufferPool requirePool() {
    return requireNonNull(pool, "a bounced mapping without a pool");
  }
}
