package io.github.bellwire.dma;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
import org.jspecify.annotations.Nullable;

/** Memory that one device and the host share: allocated, cleared, mapped for good. */
final class CoherentMemory {
  private static final byte[] ZERO_PAGE = new byte[PageAllocator.PAGE_BYTES];

  private final DeviceMappings base;
  private final PageAllocator allocator;

  /** The highest bus address. */
  long mask;

  CoherentMemory(DeviceMappings base, PageAllocator allocator, long mask) {
    this.base = base;
    this.allocator = allocator;
    this.mask = mask;
  }

  /** See {@link DmaDevice#allocateCoherent}. */
  @Nullable CoherentBuffer allocate(CpuPort port, int sizeBytes) {
    long pa = allocateReachable(sizeBytes);
    if (pa == PageAllocator.NO_MEMORY) {
      base.refused(port, MappingKind.COHERENT, -1, sizeBytes, MapRefusal.NO_MEMORY);
      return null;
    }
    for (int done = 0; done < sizeBytes; done += ZERO_PAGE.length) {
      port.store(pa + done, ZERO_PAGE, 0, Math.min(ZERO_PAGE.length, sizeBytes - done));
    }
    long iova = base.mapper.map(port, pa, sizeBytes, DmaDirection.BIDIRECTIONAL, mask);
    if (iova == DmaMapper.MAPPING_ERROR) {
      allocator.free(pa, sizeBytes);
      base.refused(port, MappingKind.COHERENT, pa, sizeBytes, MapRefusal.NO_ADDRESS);
      return null;
    }
    long key = MappingTable.key(sizeBytes, DmaDirection.BIDIRECTIONAL, MappingKind.COHERENT);
    base.table.add(iova, pa, MappingTable.NOT_BOUNCED, key);
    base.mapsCount++;
    if (!base.config.isCoherent()) {
      port.maintainCache(CacheOperation.CLEAN_AND_INVALIDATE, pa, sizeBytes);
      port.setCacheable(pa, sizeBytes, false);
    }
    if (base.listener != null) {
      DmaDirection direction = DmaDirection.BIDIRECTIONAL;
      base.listener.onMap(
          base.device, port, MappingKind.COHERENT, iova, pa, -1, sizeBytes, direction);
    }
    return new CoherentBuffer(pa, iova, sizeBytes);
  }

  /** Returns memory within the mask, or NO_MEMORY. */
  private long allocateReachable(int sizeBytes) {
    // Behind a translation all memory is within reach, and what others need below 4 GiB is spared.
    long pa = allocator.allocate(sizeBytes);
    if (pa != PageAllocator.NO_MEMORY && !base.mapper.reaches(pa, sizeBytes, mask)) {
      allocator.free(pa, sizeBytes);
      pa = allocator.allocate(sizeBytes, mask);
    }
    return pa;
  }

  /** See {@link DmaDevice#freeCoherent}. */
  void free(CpuPort port, CoherentBuffer buffer) {
    long key =
        MappingTable.key(buffer.sizeBytes(), DmaDirection.BIDIRECTIONAL, MappingKind.COHERENT);
    int entry = findSamePa(port, buffer, key);
    // What is freed is what was allocated, whatever a mistaken driver says.
    boolean isAllocated =
        entry != MappingTable.NOT_FOUND && base.table.kind(entry) == MappingKind.COHERENT;
    long pa = isAllocated ? base.table.pa(entry) : 0;
    int sizeBytes = isAllocated ? base.table.lengthBytes(entry) : 0;
    base.unmap(
        port,
        buffer.iova(),
        buffer.sizeBytes(),
        DmaDirection.BIDIRECTIONAL,
        MappingKind.COHERENT,
        false);
    if (isAllocated) {
      if (!base.config.isCoherent()) {
        port.setCacheable(pa, sizeBytes, true);
      }
      allocator.free(pa, sizeBytes);
    }
  }

  /** Returns the mapping of coherent memory; if its host address is another, throws or tells. */
  private int findSamePa(CpuPort port, CoherentBuffer buffer, long key) {
    int entry = base.table.find(buffer.iova(), key);
    if (entry == MappingTable.NOT_FOUND) {
      return base.table.findBest(buffer.iova(), key);
    }
    if (base.table.pa(entry) != buffer.pa()) {
      if (base.listener == null) {
        throw new IllegalArgumentException(
            String.format(
                "pa must be that of the buffer: pa=0x%x, iova=0x%x, buffer pa=0x%x",
                buffer.pa(), buffer.iova(), base.table.pa(entry)));
      }
      base.listener.onWrongCpuAddress(base.device, port, buffer);
    }
    return entry;
  }
}
