package io.github.bellwire.dma;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
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

  /** No segment crosses a multiple of 4 GiB unless a driver says otherwise (Linux 6.12). */
  public static final long SEGMENT_BOUNDARY_DEFAULT = 0xffff_ffffL;

  private static final byte[] ZERO_PAGE = new byte[PageAllocator.PAGE_BYTES];

  private final DmaConfig config;
  private final PageAllocator allocator;
  private final DmaMapper mapper;
  private final @Nullable BounceBufferPool pool;
  private final MappingTable mappings;

  private long mask = maskOf(MASK_BITS_DEFAULT);
  private long coherentMask = maskOf(MASK_BITS_DEFAULT);
  private boolean isMaskSet;
  private boolean isCoherentMaskSet;
  private long segmentBoundary = SEGMENT_BOUNDARY_DEFAULT;
  private @Nullable DmaListener listener;

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
   * Tells somebody of every call from now on. Calls that no correct driver makes do not throw then;
   * see {@link DmaListener}.
   *
   * @param newListener hears the calls
   * @throws IllegalStateException if something is mapped already, or somebody listens already
   */
  public void listen(DmaListener newListener) {
    if (listener != null || mappings.count() > 0) {
      throw new IllegalStateException(
          "nothing must be mapped and nobody listen: liveMappingsCount=" + mappings.count());
    }
    listener = requireNonNull(newListener, "newListener");
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
    isMaskSet = true;
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
    isCoherentMaskSet = true;
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
    return map(port, pa, lengthBytes, direction, MappingKind.SINGLE);
  }

  /**
   * {@return whether a mapping failed; every driver has to ask before it uses the address}
   *
   * @param iova what {@link #mapSingle} or {@link #mapShared} returned
   */
  public boolean isMappingError(long iova) {
    if (listener != null) {
      listener.onErrorChecked(this, iova);
    }
    return iova == MAPPING_ERROR;
  }

  /**
   * Lets device and host share a buffer for good: it never changes hands, as memory that a driver
   * in user space maps by VFIO. There are no sync calls, so it cannot be bounced, and unless the
   * device is coherent, software has to maintain caches itself.
   *
   * @param port the core that maps
   * @param pa host physical address of the first byte, any alignment
   * @param lengthBytes at least 1
   * @return bus address of the first byte, or {@link #MAPPING_ERROR}
   * @throws IllegalArgumentException if the range is not one of host memory
   */
  public long mapShared(CpuPort port, long pa, int lengthBytes) {
    requireRange(pa, lengthBytes);
    return map(port, pa, lengthBytes, DmaDirection.BIDIRECTIONAL, MappingKind.SHARED);
  }

  /**
   * Ends sharing a buffer.
   *
   * @param port the core that unmaps
   * @param iova as returned by {@link #mapShared}
   * @param lengthBytes as mapped
   * @throws IllegalArgumentException if there is no such mapping
   */
  public void unmapShared(CpuPort port, long iova, int lengthBytes) {
    unmap(port, iova, lengthBytes, DmaDirection.BIDIRECTIONAL, MappingKind.SHARED, true);
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
    unmap(port, iova, lengthBytes, direction, MappingKind.SINGLE, true);
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
    if (listener != null) {
      listener.onSync(this, port, true, iova, offsetBytes, lengthBytes, direction);
    }
    int entry = findHolding(iova, offsetBytes, lengthBytes, direction);
    if (entry == MappingTable.NOT_FOUND) {
      return;
    }
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
    int entry = findHolding(iova, offsetBytes, lengthBytes, direction);
    if (entry != MappingTable.NOT_FOUND) {
      giveToDevice(port, entry, offsetBytes, lengthBytes, direction);
    }
    if (listener != null) {
      listener.onSync(this, port, false, iova, offsetBytes, lengthBytes, direction);
    }
  }

  private void giveToDevice(
      CpuPort port, int entry, int offsetBytes, int lengthBytes, DmaDirection direction) {
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
      long iova = map(port, pa, lengthBytes, direction, MappingKind.SCATTER);
      if (iova == MAPPING_ERROR) {
        unmapAll(port, list, direction, false);
        return 0;
      }
      list.addMapped(iova, lengthBytes);
    }
    if (listener != null) {
      listener.onMapList(this, port, list);
    }
    return list.mappedCount();
  }

  /** Maps a list whose segments need not follow each other in host memory to become one. */
  private int mapAsOneRange(CpuPort port, ScatterList list, DmaDirection direction) {
    int granuleBytes = mapper.listGranuleBytes();
    list.layOut(granuleBytes, segmentBoundary);
    long rangeIova =
        list.layoutBytes() > mapper.maxMappingBytes()
            ? MAPPING_ERROR
            : mapper.mapList(port, list, direction, mask);
    if (rangeIova == MAPPING_ERROR) {
      int bytes = (int) Math.min(Integer.MAX_VALUE, list.totalBytes());
      refused(port, MappingKind.SCATTER, list.pa(0), bytes, MapRefusal.NO_ADDRESS);
      list.endUse();
      return 0;
    }
    list.mappedAsOneRange(rangeIova, granuleBytes, segmentBoundary, config.maxSegmentBytes());
    for (int i = 0; i < list.segmentCount(); i++) {
      giveToDevice(port, list.pa(i), list.lengthBytes(i));
      long key = MappingTable.key(list.lengthBytes(i), direction, MappingKind.SCATTER);
      mappings.add(list.pieceIova(i), list.pa(i), MappingTable.NOT_BOUNCED, key);
      mapsCount++;
      tellPiece(port, list, i, direction);
    }
    if (listener != null) {
      listener.onMapList(this, port, list);
    }
    return list.mappedCount();
  }

  private void tellPiece(CpuPort port, ScatterList list, int index, DmaDirection direction) {
    if (listener != null) {
      listener.onMap(
          this,
          port,
          MappingKind.SCATTER,
          list.pieceIova(index),
          list.pa(index),
          -1,
          list.lengthBytes(index),
          direction);
    }
  }

  private void unmapOneRange(CpuPort port, ScatterList list, DmaDirection direction) {
    if (listener == null) {
      requireMappedHere(list, direction);
    }
    int removed = 0;
    for (int i = 0; i < list.segmentCount(); i++) {
      removed += removePiece(port, list, i, direction) ? 1 : 0;
    }
    if (removed > 0) {
      mapper.unmap(port, list.rangeIova(), (int) list.layoutBytes(), direction);
    }
    for (int i = 0; i < list.segmentCount(); i++) {
      giveToCpu(port, list.pa(i), list.lengthBytes(i), direction);
    }
    list.endUse();
  }

  /** Removes a piece from the table; it is there unless a mistaken driver is forgiven. */
  private boolean removePiece(CpuPort port, ScatterList list, int index, DmaDirection direction) {
    long iova = list.pieceIova(index);
    int lengthBytes = list.lengthBytes(index);
    long key = MappingTable.key(lengthBytes, direction, MappingKind.SCATTER);
    int entry = mappings.find(iova, key);
    if (listener != null) {
      listener.onUnmap(this, port, MappingKind.SCATTER, iova, lengthBytes, direction);
      entry = entry == MappingTable.NOT_FOUND ? mappings.findBest(iova, key) : entry;
    }
    if (entry == MappingTable.NOT_FOUND) {
      return false;
    }
    mappings.remove(entry);
    unmapsCount++;
    return true;
  }

  private void requireMappedHere(ScatterList list, DmaDirection direction) {
    for (int i = 0; i < list.segmentCount(); i++) {
      long key = MappingTable.key(list.lengthBytes(i), direction, MappingKind.SCATTER);
      if (mappings.find(list.pieceIova(i), key) == MappingTable.NOT_FOUND) {
        throw notMapped(
            list.pieceIova(i), 0, list.lengthBytes(i), MappingKind.SCATTER + " " + direction);
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
    unmapScatterList(port, list, list.segmentCount(), direction);
  }

  /**
   * As above, by a driver that counts segments itself, as those of Linux do.
   *
   * @param port the core that unmaps
   * @param list a list mapped by this device
   * @param segmentCount the segments added, not the mapped ones
   * @param direction as mapped
   * @throws IllegalArgumentException as above, or if the count is wrong
   * @throws IllegalStateException if the list is not mapped
   */
  public void unmapScatterList(
      CpuPort port, ScatterList list, int segmentCount, DmaDirection direction) {
    if (!isListMapped(port, list, direction)) {
      return;
    }
    checkSegmentCount(port, list, segmentCount, true);
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
    syncScatterListForCpu(port, list, list.segmentCount(), direction);
  }

  /**
   * As above, by a driver that counts segments itself.
   *
   * @param port the core that executes the call
   * @param list a list mapped by this device
   * @param segmentCount the segments added, not the mapped ones
   * @param direction as mapped, or any if mapped in both directions
   * @throws IllegalArgumentException as above, or if the count is wrong
   * @throws IllegalStateException if the list is not mapped
   */
  public void syncScatterListForCpu(
      CpuPort port, ScatterList list, int segmentCount, DmaDirection direction) {
    list.requireMapped();
    checkSegmentCount(port, list, segmentCount, false);
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
      refused(port, MappingKind.COHERENT, -1, sizeBytes, MapRefusal.NO_MEMORY);
      return null;
    }
    for (int done = 0; done < sizeBytes; done += ZERO_PAGE.length) {
      port.store(pa + done, ZERO_PAGE, 0, Math.min(ZERO_PAGE.length, sizeBytes - done));
    }
    long iova = mapper.map(port, pa, sizeBytes, DmaDirection.BIDIRECTIONAL, coherentMask);
    if (iova == MAPPING_ERROR) {
      allocator.free(pa, sizeBytes);
      refused(port, MappingKind.COHERENT, pa, sizeBytes, MapRefusal.NO_ADDRESS);
      return null;
    }
    long key = MappingTable.key(sizeBytes, DmaDirection.BIDIRECTIONAL, MappingKind.COHERENT);
    mappings.add(iova, pa, MappingTable.NOT_BOUNCED, key);
    mapsCount++;
    if (!config.isCoherent()) {
      port.maintainCache(CacheOperation.CLEAN_AND_INVALIDATE, pa, sizeBytes);
      port.setCacheable(pa, sizeBytes, false);
    }
    if (listener != null) {
      DmaDirection direction = DmaDirection.BIDIRECTIONAL;
      listener.onMap(this, port, MappingKind.COHERENT, iova, pa, -1, sizeBytes, direction);
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
    long key =
        MappingTable.key(buffer.sizeBytes(), DmaDirection.BIDIRECTIONAL, MappingKind.COHERENT);
    int entry = findSamePa(port, buffer, key);
    // What is freed is what was allocated, whatever a mistaken driver says.
    boolean isAllocated =
        entry != MappingTable.NOT_FOUND && mappings.kind(entry) == MappingKind.COHERENT;
    long pa = isAllocated ? mappings.pa(entry) : 0;
    int sizeBytes = isAllocated ? mappings.lengthBytes(entry) : 0;
    unmap(
        port,
        buffer.iova(),
        buffer.sizeBytes(),
        DmaDirection.BIDIRECTIONAL,
        MappingKind.COHERENT,
        false);
    if (isAllocated) {
      if (!config.isCoherent()) {
        port.setCacheable(pa, sizeBytes, true);
      }
      allocator.free(pa, sizeBytes);
    }
  }

  /**
   * Makes a ring of descriptors in coherent memory of this device.
   *
   * @param memory holds the descriptors from its first byte on
   * @param descriptorBytes size of one descriptor, 2^k, 4..4096
   * @param descriptorCount at least 2
   * @return the ring, empty
   * @throws IllegalArgumentException if an argument is out of range or the memory too small
   */
  public DescriptorRing newRing(CoherentBuffer memory, int descriptorBytes, int descriptorCount) {
    DescriptorRing ring = new DescriptorRing(memory, descriptorBytes, descriptorCount);
    if (listener != null) {
      listener.onRing(this, ring);
    }
    return ring;
  }

  /**
   * Says that the driver lets go of the device: nothing should be mapped any more.
   *
   * @param port the core that unbinds
   */
  public void unbind(CpuPort port) {
    if (listener != null) {
      listener.onUnbind(this, port);
    }
  }

  /**
   * Says which boundaries no segment of a list may cross.
   *
   * @param newBoundary 2^k - 1: multiples of 2^k, at least 4 KiB
   * @throws IllegalArgumentException if it is something else
   */
  public void setSegmentBoundary(long newBoundary) {
    if (newBoundary < PageAllocator.PAGE_BYTES - 1 || (newBoundary & newBoundary + 1) != 0) {
      throw new IllegalArgumentException(
          "newBoundary must be 2^k - 1, at least 4095: newBoundary=" + newBoundary);
    }
    segmentBoundary = newBoundary;
  }

  /** {@return 2^k - 1: no segment of a list may cross a multiple of 2^k} */
  public long segmentBoundary() {
    return segmentBoundary;
  }

  /** {@return whether the driver has chosen a mask for streaming mappings} */
  public boolean isMaskSet() {
    return isMaskSet;
  }

  /** {@return whether the driver has chosen a mask for coherent memory} */
  public boolean isCoherentMaskSet() {
    return isCoherentMaskSet;
  }

  /** {@return where memory out of reach is copied to; null if the machine has none} */
  public @Nullable BounceBufferPool bounceBuffers() {
    return pool;
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

  private long map(
      CpuPort port, long pa, int lengthBytes, DmaDirection direction, MappingKind kind) {
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
    mappings.add(iova, pa, MappingTable.NOT_BOUNCED, key);
    if (listener != null) {
      listener.onMap(this, port, kind, iova, pa, -1, lengthBytes, direction);
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
      pool.free(port, bouncePa, lengthBytes, granuleBytes);
      MapRefusal why = reaches ? MapRefusal.NO_ADDRESS : MapRefusal.OUT_OF_REACH;
      return refused(port, kind, pa, lengthBytes, why);
    }
    long iova = paddedIova + before;
    giveToDevice(port, bouncePa, lengthBytes);
    mapsCount++;
    bouncedMapsCount++;
    mappings.add(iova, pa, bouncePa, MappingTable.key(lengthBytes, direction, kind));
    if (listener != null) {
      listener.onMap(this, port, kind, iova, pa, bouncePa, lengthBytes, direction);
    }
    return iova;
  }

  private long refused(CpuPort port, MappingKind kind, long pa, int lengthBytes, MapRefusal why) {
    mappingErrorsCount++;
    if (listener != null) {
      listener.onMapRefused(this, port, kind, pa, lengthBytes, why);
    }
    return MAPPING_ERROR;
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
      MappingKind kind,
      boolean copyBack) {
    long key = MappingTable.key(lengthBytes, direction, kind);
    int entry = mappings.find(iova, key);
    if (listener != null) {
      listener.onUnmap(this, port, kind, iova, lengthBytes, direction);
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
    int entry = mappings.findBest(iova, key);
    if (entry != MappingTable.NOT_FOUND) {
      boolean copyBack = mappings.kind(entry) != MappingKind.COHERENT;
      int lengthBytes = mappings.lengthBytes(entry);
      remove(port, entry, iova, lengthBytes, mappings.direction(entry), copyBack);
    }
  }

  private void remove(
      CpuPort port,
      int entry,
      long iova,
      int lengthBytes,
      DmaDirection direction,
      boolean copyBack) {
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
      unmap(port, list.iova(i), lengthBytes, direction, MappingKind.SCATTER, copyBack);
    }
    list.endUse();
  }

  /** Returns whether a segment of a list may become part of the mapped segment before it. */
  private boolean joins(long pa, int lengthBytes, ScatterList list, int segmentIndex) {
    long lastPa = list.pa(segmentIndex) + list.lengthBytes(segmentIndex) - 1;
    if (mapper.bounceGranuleBytes() > 1
        || pa + lengthBytes != list.pa(segmentIndex)
        || ((pa ^ lastPa) & ~segmentBoundary) != 0
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
      if (list.lengthBytes(i) > config.maxSegmentBytes() && listener == null) {
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

  /** Returns the mapping that holds a part; if there is none, throws or lets it be told. */
  private int findHolding(long iova, int offsetBytes, int lengthBytes, DmaDirection direction) {
    if (offsetBytes >= 0 && lengthBytes >= 1) {
      int entry = mappings.findHolding(iova, offsetBytes, lengthBytes, direction);
      if (entry != MappingTable.NOT_FOUND) {
        return entry;
      }
    }
    if (listener == null) {
      throw notMapped(iova, offsetBytes, lengthBytes, "sync " + direction);
    }
    return offsetBytes < 0 || lengthBytes < 1
        ? MappingTable.NOT_FOUND
        : mappings.findHolding(iova, offsetBytes, lengthBytes);
  }

  private boolean isListMapped(CpuPort port, ScatterList list, DmaDirection direction) {
    if (listener == null || list.mappedCount() > 0) {
      list.requireMapped();
      return true;
    }
    long iova = list.lastIova();
    listener.onUnmap(this, port, MappingKind.SCATTER, iova, (int) list.totalBytes(), direction);
    return false;
  }

  private void checkSegmentCount(
      CpuPort port, ScatterList list, int segmentCount, boolean isUnmap) {
    if (segmentCount == list.segmentCount()) {
      return;
    }
    if (listener == null) {
      throw new IllegalArgumentException(
          "segmentCount must be " + list.segmentCount() + ": segmentCount=" + segmentCount);
    }
    listener.onWrongSegmentCount(this, port, list, segmentCount, isUnmap);
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

  /** Returns the mapping of coherent memory; if its host address is another, throws or tells. */
  private int findSamePa(CpuPort port, CoherentBuffer buffer, long key) {
    int entry = mappings.find(buffer.iova(), key);
    if (entry == MappingTable.NOT_FOUND) {
      return mappings.findBest(buffer.iova(), key);
    }
    if (mappings.pa(entry) != buffer.pa()) {
      if (listener == null) {
        throw new IllegalArgumentException(
            String.format(
                "pa must be that of the buffer: pa=0x%x, iova=0x%x, buffer pa=0x%x",
                buffer.pa(), buffer.iova(), mappings.pa(entry)));
      }
      listener.onWrongCpuAddress(this, port, buffer);
    }
    return entry;
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
