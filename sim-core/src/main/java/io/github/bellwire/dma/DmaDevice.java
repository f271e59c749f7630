package io.github.bellwire.dma;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.MappingTable.Kind;
import org.jspecify.annotations.Nullable;

/**
 * The DMA API of an operating system as the driver of one device sees it: masks, streaming mappings
 * and coherent memory, modelled after the dma_map calls of Linux 6.12 without IOMMU.
 *
 * <pre>{@code
 *              map            syncForCpu         syncForDevice          unmap
 *   host owns   |  device owns     |    host owns      |   device owns    |   host owns
 * --------------+------------------+-------------------+------------------+------------->
 * }</pre>
 *
 * <p>A range that the {@link DmaMapper} cannot give to the device where it lies (it exceeds the
 * mask, as a rule) is copied to a bounce buffer; the device gets the address of that. For a
 * coherent device a sync of what is not bounced checks its arguments and costs nothing. For one
 * that is not, the lines of a buffer are cleaned when it is given to the device and invalidated
 * when the host gets it back, unless the device only reads it, as arm64 does (Linux,
 * arch/arm64/mm/dma-mapping.c); a buffer that shares a line with other data may then lose what was
 * written to either.
 *
 * <p>A refusal (no bounce slots, no memory, no room under the mask) is returned and counted. What
 * no correct driver does, unmapping what is not mapped or with another length or direction, throws
 * at once. Mapping and unmapping allocate nothing as long as {@link DmaConfig#expectedMappings()}
 * holds. Confined to the simulation thread.
 */
public final class DmaDevice {
  /** Returned instead of a bus address: all ones, as {@code DMA_MAPPING_ERROR} of Linux. */
  public static final long MAPPING_ERROR = DmaMapper.MAPPING_ERROR;

  /** Address bits of a device whose driver sets no mask. */
  public static final int MASK_BITS_DEFAULT = 32;

  /** No segment crosses a multiple of 4 GiB (dma_get_seg_boundary of Linux 6.12). */
  private static final long SEGMENT_BOUNDARY_MASK = 0xffff_ffffL;

  private static final byte[] ZERO_PAGE = new byte[PageAllocator.PAGE_BYTES];

  private final DmaConfig config;
  private final PageAllocator allocator;
  private final DmaMapper mapper;
  private final @Nullable BounceBufferPool pool;
  private final MappingTable mappings;

  private long mask = maskOf(MASK_BITS_DEFAULT);
  private long coherentMask = maskOf(MASK_BITS_DEFAULT);

  private long mapsCount;
  private long unmapsCount;
  private long bouncedMapsCount;
  private long mappingErrorsCount;

  /**
   * Creates the state of a device that has nothing mapped and masks of 32 bits.
   *
   * @param config what the device demands of mappings
   * @param allocator where coherent memory comes from
   * @param mapper what makes memory reachable for the device
   * @param pool where memory out of reach is copied to; {@code null} if the machine has none, so
   *     that such memory cannot be mapped
   */
  public DmaDevice(
      DmaConfig config,
      PageAllocator allocator,
      DmaMapper mapper,
      @Nullable BounceBufferPool pool) {
    this.config = requireNonNull(config, "config");
    this.allocator = requireNonNull(allocator, "allocator");
    this.mapper = requireNonNull(mapper, "mapper");
    this.pool = pool;
    mappings = new MappingTable(config.expectedMappings());
  }

  /**
   * Says how many address bits the device has for streaming mappings.
   *
   * @param bits 12..64
   * @return {@code false} if the device could reach no memory of the machine then; nothing changed
   * @throws IllegalArgumentException if the number of bits is out of range
   */
  public boolean trySetMask(int bits) {
    long newMask = checkedMask(bits);
    if (newMask == 0) {
      return false;
    }
    mask = newMask;
    return true;
  }

  /**
   * Says how many address bits the device has for coherent memory.
   *
   * @param bits 12..64
   * @return {@code false} if the device could reach no memory of the machine then; nothing changed
   * @throws IllegalArgumentException if the number of bits is out of range
   */
  public boolean trySetCoherentMask(int bits) {
    long newMask = checkedMask(bits);
    if (newMask == 0) {
      return false;
    }
    coherentMask = newMask;
    return true;
  }

  /**
   * Gives a contiguous buffer to the device.
   *
   * @param port the core that maps
   * @param pa host physical address of the first byte, any alignment
   * @param lengthBytes at least 1
   * @param direction what the device will do
   * @return bus address of the first byte, or {@link #MAPPING_ERROR}
   * @throws IllegalArgumentException if the range is not one of host memory
   */
  public long mapSingle(CpuPort port, long pa, int lengthBytes, DmaDirection direction) {
    requireRange(pa, lengthBytes);
    return map(port, pa, lengthBytes, direction, Kind.SINGLE);
  }

  /**
   * Takes a contiguous buffer back from the device; what it wrote is in the original afterwards.
   *
   * @param port the core that unmaps
   * @param iova as returned by {@link #mapSingle}
   * @param lengthBytes as mapped
   * @param direction as mapped
   * @throws IllegalArgumentException if there is no such mapping
   */
  public void unmapSingle(CpuPort port, long iova, int lengthBytes, DmaDirection direction) {
    unmap(port, iova, lengthBytes, direction, Kind.SINGLE, true);
  }

  /**
   * Lets the host look at a part of a mapped buffer, until it is given to the device again.
   *
   * @param port the core that executes the call
   * @param iova bus address of the whole mapping, as mapped
   * @param offsetBytes first byte of the part, counted from the beginning of the mapping
   * @param lengthBytes at least 1; the part must lie within the mapping
   * @param direction as mapped, or any if mapped in both directions
   * @throws IllegalArgumentException if no mapping holds such a part
   */
  public void syncForCpu(
      CpuPort port, long iova, int offsetBytes, int lengthBytes, DmaDirection direction) {
    int entry = requireHolding(iova, offsetBytes, lengthBytes, direction);
    long pa = mappings.pa(entry) + offsetBytes;
    long bouncePa = mappings.bouncePa(entry);
    boolean isBounced = bouncePa != MappingTable.NOT_BOUNCED;
    giveToCpu(port, isBounced ? bouncePa + offsetBytes : pa, lengthBytes, direction);
    if (isBounced && direction != DmaDirection.TO_DEVICE) {
      requirePool().copyFromBounce(port, pa, bouncePa + offsetBytes, lengthBytes);
    }
  }

  /**
   * Gives a part of a mapped buffer to the device again.
   *
   * @param port the core that executes the call
   * @param iova bus address of the whole mapping, as mapped
   * @param offsetBytes first byte of the part, counted from the beginning of the mapping
   * @param lengthBytes at least 1; the part must lie within the mapping
   * @param direction as mapped, or any if mapped in both directions
   * @throws IllegalArgumentException if no mapping holds such a part
   */
  public void syncForDevice(
      CpuPort port, long iova, int offsetBytes, int lengthBytes, DmaDirection direction) {
    int entry = requireHolding(iova, offsetBytes, lengthBytes, direction);
    long pa = mappings.pa(entry) + offsetBytes;
    long bouncePa = mappings.bouncePa(entry);
    boolean isBounced = bouncePa != MappingTable.NOT_BOUNCED;
    if (isBounced && direction != DmaDirection.FROM_DEVICE) {
      requirePool().copyToBounce(port, pa, bouncePa + offsetBytes, lengthBytes);
    }
    giveToDevice(port, isBounced ? bouncePa + offsetBytes : pa, lengthBytes);
  }

  /**
   * Gives all segments of a list to the device. Segments that follow each other in host memory
   * become one, as long as it does not exceed {@link DmaConfig#maxSegmentBytes()} and need not be
   * bounced for that reason alone. Behind an IOMMU that maps the list as one range, those become
   * one that meet at a granule of bus addresses.
   *
   * @param port the core that maps
   * @param list at least one segment; belongs to this device until unmapped
   * @param direction what the device will do
   * @return how many mapped segments the list has, 0 if it could not be mapped as a whole; then no
   *     part of it is
   * @throws IllegalArgumentException if a segment is longer than the device allows
   * @throws IllegalStateException if the list is empty or mapped
   */
  public int mapScatterList(CpuPort port, ScatterList list, DmaDirection direction) {
    requireSegmentLengths(list);
    list.beginUse();
    if (mapper.listGranuleBytes() != 0) {
      return mapAsOneRange(port, list, direction);
    }
    int next = 0;
    while (next < list.segmentCount()) {
      long pa = list.pa(next);
      int lengthBytes = list.lengthBytes(next);
      next++;
      while (next < list.segmentCount() && joins(pa, lengthBytes, list, next)) {
        lengthBytes += list.lengthBytes(next);
        next++;
      }
      long iova = map(port, pa, lengthBytes, direction, Kind.SCATTER);
      if (iova == MAPPING_ERROR) {
        unmapAll(port, list, direction, false);
        return 0;
      }
      list.addMapped(iova, lengthBytes);
    }
    return list.mappedCount();
  }

  /** Maps a list whose segments need not follow each other in host memory to become one. */
  private int mapAsOneRange(CpuPort port, ScatterList list, DmaDirection direction) {
    int granuleBytes = mapper.listGranuleBytes();
    list.layOut(granuleBytes, SEGMENT_BOUNDARY_MASK);
    long rangeIova =
        list.layoutBytes() > mapper.maxMappingBytes()
            ? MAPPING_ERROR
            : mapper.mapList(port, list, direction, mask);
    if (rangeIova == MAPPING_ERROR) {
      mappingErrorsCount++;
      list.endUse();
      return 0;
    }
    list.mappedAsOneRange(rangeIova, granuleBytes, SEGMENT_BOUNDARY_MASK, config.maxSegmentBytes());
    for (int i = 0; i < list.segmentCount(); i++) {
      giveToDevice(port, list.pa(i), list.lengthBytes(i));
      long key = MappingTable.key(list.lengthBytes(i), direction, Kind.SCATTER);
      mappings.add(list.pieceIova(i), list.pa(i), MappingTable.NOT_BOUNCED, key);
      mapsCount++;
    }
    return list.mappedCount();
  }

  private void unmapOneRange(CpuPort port, ScatterList list, DmaDirection direction) {
    requireMappedHere(list, direction);
    for (int i = 0; i < list.segmentCount(); i++) {
      long key = MappingTable.key(list.lengthBytes(i), direction, Kind.SCATTER);
      mappings.remove(mappings.find(list.pieceIova(i), key));
      unmapsCount++;
    }
    mapper.unmap(port, list.rangeIova(), (int) list.layoutBytes(), direction);
    for (int i = 0; i < list.segmentCount(); i++) {
      giveToCpu(port, list.pa(i), list.lengthBytes(i), direction);
    }
    list.endUse();
  }

  private void requireMappedHere(ScatterList list, DmaDirection direction) {
    for (int i = 0; i < list.segmentCount(); i++) {
      long key = MappingTable.key(list.lengthBytes(i), direction, Kind.SCATTER);
      if (mappings.find(list.pieceIova(i), key) == MappingTable.NOT_FOUND) {
        throw notMapped(list.pieceIova(i), 0, list.lengthBytes(i), Kind.SCATTER + " " + direction);
      }
    }
  }

  /**
   * Takes all segments of a list back from the device. The list keeps its segments and may be
   * mapped again.
   *
   * @param port the core that unmaps
   * @param list a list mapped by this device
   * @param direction as mapped
   * @throws IllegalArgumentException if the list is mapped for another device or direction
   * @throws IllegalStateException if the list is not mapped
   */
  public void unmapScatterList(CpuPort port, ScatterList list, DmaDirection direction) {
    list.requireMapped();
    if (list.isOneRange()) {
      unmapOneRange(port, list, direction);
    } else {
      unmapAll(port, list, direction, true);
    }
  }

  /**
   * Lets the host look at a mapped list, until it is given to the device again.
   *
   * @param port the core that executes the call
   * @param list a list mapped by this device
   * @param direction as mapped, or any if mapped in both directions
   * @throws IllegalArgumentException if the list is mapped for another device or direction
   * @throws IllegalStateException if the list is not mapped
   */
  public void syncScatterListForCpu(CpuPort port, ScatterList list, DmaDirection direction) {
    list.requireMapped();
    for (int i = 0; i < list.pieceCount(); i++) {
      syncForCpu(port, list.pieceIova(i), 0, list.pieceBytes(i), direction);
    }
  }

  /**
   * Gives a mapped list to the device again.
   *
   * @param port the core that executes the call
   * @param list a list mapped by this device
   * @param direction as mapped, or any if mapped in both directions
   * @throws IllegalArgumentException if the list is mapped for another device or direction
   * @throws IllegalStateException if the list is not mapped
   */
  public void syncScatterListForDevice(CpuPort port, ScatterList list, DmaDirection direction) {
    list.requireMapped();
    for (int i = 0; i < list.pieceCount(); i++) {
      syncForDevice(port, list.pieceIova(i), 0, list.pieceBytes(i), direction);
    }
  }

  /**
   * Allocates memory that host and device share, cleared and contiguous.
   *
   * @param port the core that allocates; it stores the zeros
   * @param sizeBytes 1..1 GiB
   * @return the memory, or {@code null} if there is none within the coherent mask
   * @throws IllegalArgumentException if the size is out of range
   */
  public @Nullable CoherentBuffer allocateCoherent(CpuPort port, int sizeBytes) {
    long pa = allocateReachable(sizeBytes);
    if (pa == PageAllocator.NO_MEMORY) {
      mappingErrorsCount++;
      return null;
    }
    for (int done = 0; done < sizeBytes; done += ZERO_PAGE.length) {
      port.store(pa + done, ZERO_PAGE, 0, Math.min(ZERO_PAGE.length, sizeBytes - done));
    }
    long iova = mapper.map(port, pa, sizeBytes, DmaDirection.BIDIRECTIONAL, coherentMask);
    if (iova == MAPPING_ERROR) {
      allocator.free(pa, sizeBytes);
      mappingErrorsCount++;
      return null;
    }
    long key = MappingTable.key(sizeBytes, DmaDirection.BIDIRECTIONAL, Kind.COHERENT);
    mappings.add(iova, pa, MappingTable.NOT_BOUNCED, key);
    mapsCount++;
    if (!config.isCoherent()) {
      port.maintainCache(CacheOperation.CLEAN_AND_INVALIDATE, pa, sizeBytes);
      port.setCacheable(pa, sizeBytes, false);
    }
    return new CoherentBuffer(pa, iova, sizeBytes);
  }

  /**
   * Gives coherent memory back.
   *
   * @param port the core that frees
   * @param buffer as returned by {@link #allocateCoherent}
   * @throws IllegalArgumentException if the buffer is not one of this device or freed already
   */
  public void freeCoherent(CpuPort port, CoherentBuffer buffer) {
    int sizeBytes = buffer.sizeBytes();
    requireSamePa(buffer);
    unmap(port, buffer.iova(), sizeBytes, DmaDirection.BIDIRECTIONAL, Kind.COHERENT, false);
    if (!config.isCoherent()) {
      port.setCacheable(buffer.pa(), sizeBytes, true);
    }
    allocator.free(buffer.pa(), sizeBytes);
  }

  /** {@return the highest bus address for streaming mappings} */
  public long mask() {
    return mask;
  }

  /** {@return the highest bus address for coherent memory} */
  public long coherentMask() {
    return coherentMask;
  }

  /**
   * {@return the longest range that can be mapped, in bytes; a bounced one may be at most 256 KiB}
   */
  public int maxMappingBytes() {
    return mapper.maxMappingBytes();
  }

  /** {@return up to what length mapping is cheap, in bytes; longer ones miss IOVA caches} */
  public int optimalMappingBytes() {
    return mapper.optimalMappingBytes();
  }

  /** {@return what the device demands of mappings} */
  public DmaConfig config() {
    return config;
  }

  /**
   * {@return the mappings that live at present; each mapped segment of a list counts, each segment
   * of one that is mapped as one range}
   */
  public int liveMappingsCount() {
    return mappings.count();
  }

  /** {@return the mappings made; each mapped segment of a list counts} */
  public long mapsCount() {
    return mapsCount;
  }

  /** {@return the mappings removed; each mapped segment of a list counts} */
  public long unmapsCount() {
    return unmapsCount;
  }

  /** {@return the mappings made that needed a bounce buffer} */
  public long bouncedMapsCount() {
    return bouncedMapsCount;
  }

  /** {@return how often a mapping or coherent memory was refused} */
  public long mappingErrorsCount() {
    return mappingErrorsCount;
  }

  /** Throws unless the arguments denote a range of host memory. */
  static void requireRange(long pa, int lengthBytes) {
    if (lengthBytes < 1) {
      throw new IllegalArgumentException("lengthBytes must be >= 1: lengthBytes=" + lengthBytes);
    }
    if (pa < 0 || pa > Long.MAX_VALUE - lengthBytes) {
      throw new IllegalArgumentException(
          "pa must be >= 0 and below 2^63 with its length: pa=0x" + Long.toHexString(pa));
    }
  }

  private long map(CpuPort port, long pa, int lengthBytes, DmaDirection direction, Kind kind) {
    if (!mapper.reaches(pa, lengthBytes, mask)) {
      return mapBounced(port, pa, lengthBytes, direction, kind);
    }
    long iova = mapper.map(port, pa, lengthBytes, direction, mask);
    if (iova == MAPPING_ERROR) {
      mappingErrorsCount++;
      return MAPPING_ERROR;
    }
    giveToDevice(port, pa, lengthBytes);
    mapsCount++;
    long key = MappingTable.key(lengthBytes, direction, kind);
    mappings.add(iova, pa, MappingTable.NOT_BOUNCED, key);
    return iova;
  }

  private long mapBounced(
      CpuPort port, long pa, int lengthBytes, DmaDirection direction, Kind kind) {
    int granuleBytes = mapper.bounceGranuleBytes();
    long bouncePa =
        pool == null
            ? BounceBufferPool.NO_SLOTS
            : pool.allocate(port, pa, lengthBytes, config.minAlignMask(), granuleBytes);
    if (pool == null || bouncePa == BounceBufferPool.NO_SLOTS) {
      mappingErrorsCount++;
      return MAPPING_ERROR;
    }
    int before = (int) bouncePa & granuleBytes - 1;
    int paddedBytes = before + lengthBytes + granuleBytes - 1 & -granuleBytes;
    long paddedIova = MAPPING_ERROR;
    // A mask may be so narrow that not even the bounce buffer is within reach.
    if (mapper.reaches(bouncePa - before, paddedBytes, mask)) {
      pool.copyToBounce(port, pa, bouncePa, lengthBytes);
      pool.clearPadding(port, bouncePa, lengthBytes, granuleBytes);
      paddedIova = mapper.map(port, bouncePa - before, paddedBytes, direction, mask);
    }
    if (paddedIova == MAPPING_ERROR) {
      pool.free(port, bouncePa, lengthBytes, granuleBytes);
      mappingErrorsCount++;
      return MAPPING_ERROR;
    }
    long iova = paddedIova + before;
    giveToDevice(port, bouncePa - before, paddedBytes);
    mapsCount++;
    bouncedMapsCount++;
    mappings.add(iova, pa, bouncePa, MappingTable.key(lengthBytes, direction, kind));
    return iova;
  }

  private void unmapPadded(
      CpuPort port, long iova, int lengthBytes, int granuleBytes, DmaDirection direction) {
    int before = (int) iova & granuleBytes - 1;
    int paddedBytes = before + lengthBytes + granuleBytes - 1 & -granuleBytes;
    mapper.unmap(port, iova - before, paddedBytes, direction);
  }

  private void unmap(
      CpuPort port,
      long iova,
      int lengthBytes,
      DmaDirection direction,
      Kind kind,
      boolean copyBack) {
    int entry = mappings.find(iova, MappingTable.key(lengthBytes, direction, kind));
    if (entry == MappingTable.NOT_FOUND) {
      throw notMapped(iova, 0, lengthBytes, kind + " " + direction);
    }
    long pa = mappings.pa(entry);
    long bouncePa = mappings.bouncePa(entry);
    // Removed first: what follows takes time, and an interrupt handler may change the table then.
    mappings.remove(entry);
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

  /** Brings memory up to date; whatever the device will do, no dirty line may be evicted later. */
  private void giveToDevice(CpuPort port, long pa, int lengthBytes) {
    if (!config.isCoherent()) {
      port.maintainCache(CacheOperation.CLEAN, pa, lengthBytes);
    }
  }

  /** Makes cores look at memory again: they may have loaded lines before the device wrote them. */
  private void giveToCpu(CpuPort port, long pa, int lengthBytes, DmaDirection direction) {
    if (!config.isCoherent() && direction != DmaDirection.TO_DEVICE) {
      port.maintainCache(CacheOperation.INVALIDATE, pa, lengthBytes);
    }
  }

  private void unmapAll(CpuPort port, ScatterList list, DmaDirection direction, boolean copyBack) {
    for (int i = 0; i < list.mappedCount(); i++) {
      int lengthBytes = list.mappedLengthBytes(i);
      unmap(port, list.iova(i), lengthBytes, direction, Kind.SCATTER, copyBack);
    }
    list.endUse();
  }

  /** Returns whether a segment of a list may become part of the mapped segment before it. */
  private boolean joins(long pa, int lengthBytes, ScatterList list, int segmentIndex) {
    if (mapper.bounceGranuleBytes() > 1
        || pa + lengthBytes != list.pa(segmentIndex)
        || lengthBytes > config.maxSegmentBytes() - list.lengthBytes(segmentIndex)) {
      return false;
    }
    int joinedBytes = lengthBytes + list.lengthBytes(segmentIndex);
    return mapper.reaches(pa, joinedBytes, mask)
        || joinedBytes <= BounceBufferPool.MAPPING_BYTES_MAX - config.minAlignMask()
            && !mapper.reaches(pa, lengthBytes, mask);
  }

  private void requireSegmentLengths(ScatterList list) {
    for (int i = 0; i < list.segmentCount(); i++) {
      if (list.lengthBytes(i) > config.maxSegmentBytes()) {
        throw new IllegalArgumentException(
            "lengthBytes must be <= "
                + config.maxSegmentBytes()
                + " in segment "
                + i
                + ": lengthBytes="
                + list.lengthBytes(i));
      }
    }
  }

  private int requireHolding(long iova, int offsetBytes, int lengthBytes, DmaDirection direction) {
    int entry =
        offsetBytes < 0 || lengthBytes < 1
            ? MappingTable.NOT_FOUND
            : mappings.findHolding(iova, offsetBytes, lengthBytes, direction);
    if (entry == MappingTable.NOT_FOUND) {
      throw notMapped(iova, offsetBytes, lengthBytes, "sync " + direction);
    }
    return entry;
  }

  private IllegalArgumentException notMapped(
      long iova, int offsetBytes, int lengthBytes, String what) {
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
            + mappings.describe(iova));
  }

  private void requireSamePa(CoherentBuffer buffer) {
    long key = MappingTable.key(buffer.sizeBytes(), DmaDirection.BIDIRECTIONAL, Kind.COHERENT);
    int entry = mappings.find(buffer.iova(), key);
    if (entry != MappingTable.NOT_FOUND && mappings.pa(entry) != buffer.pa()) {
      throw new IllegalArgumentException(
          String.format(
              "pa must be that of the buffer: pa=0x%x, iova=0x%x, buffer pa=0x%x",
              buffer.pa(), buffer.iova(), mappings.pa(entry)));
    }
  }

  private BounceBufferPool requirePool() {
    return requireNonNull(pool, "a bounced mapping without a pool");
  }

  /** Returns memory within the coherent mask, or NO_MEMORY. */
  private long allocateReachable(int sizeBytes) {
    // Behind a translation all memory is within reach, and what others need below 4 GiB is spared.
    long pa = allocator.allocate(sizeBytes);
    if (pa != PageAllocator.NO_MEMORY && !mapper.reaches(pa, sizeBytes, coherentMask)) {
      allocator.free(pa, sizeBytes);
      pa = allocator.allocate(sizeBytes, coherentMask);
    }
    return pa;
  }

  /** Returns the mask of so many bits, or 0 if no memory is within its reach. */
  private long checkedMask(int bits) {
    if (bits < 12 || bits > 64) {
      throw new IllegalArgumentException("bits must be 12..64: bits=" + bits);
    }
    long newMask = maskOf(bits);
    long lowestPa = allocator.zones().lowestPa();
    return mapper.reaches(lowestPa, PageAllocator.PAGE_BYTES, newMask) ? newMask : 0;
  }

  /** Returns the highest address of so many bits, as a positive long. */
  private static long maskOf(int bits) {
    return bits >= Long.SIZE - 1 ? Long.MAX_VALUE : (1L << bits) - 1;
  }
}
