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

  private final PageAllocator allocator;
  private final DeviceMappings mappings;
  private final ScatterMappings lists;
  private final CoherentMemory coherent;

  private boolean isMaskSet;
  private boolean isCoherentMaskSet;

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
    requireNonNull(config, "config");
    requireNonNull(mapper, "mapper");
    this.allocator = requireNonNull(allocator, "allocator");
    long mask = maskOf(MASK_BITS_DEFAULT);
    mappings = new DeviceMappings(this, config, mapper, pool, mask);
    lists = new ScatterMappings(mappings);
    coherent = new CoherentMemory(mappings, allocator, mask);
  }

  /**
   * Tells somebody of every call from now on. Calls that no correct driver makes do not throw then;
   * see {@link DmaListener}.
   *
   * @param newListener hears the calls
   * @throws IllegalStateException if something is mapped already, or somebody listens already
   */
  public void listen(DmaListener newListener) {
    if (mappings.listener != null || mappings.table.count() > 0) {
      throw new IllegalStateException(
          "nothing must be mapped and nobody listen: liveMappingsCount=" + mappings.table.count());
    }
    mappings.listener = requireNonNull(newListener, "newListener");
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
    mappings.mask = newMask;
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
    coherent.mask = newMask;
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
    return mappings.map(port, pa, lengthBytes, direction, MappingKind.SINGLE);
  }

  /**
   * {@return whether a mapping failed; every driver has to ask before it uses the address}
   *
   * @param iova what {@link #mapSingle} or {@link #mapShared} returned
   */
  public boolean isMappingError(long iova) {
    DmaListener listener = mappings.listener;
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
    return mappings.map(port, pa, lengthBytes, DmaDirection.BIDIRECTIONAL, MappingKind.SHARED);
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
    mappings.unmap(port, iova, lengthBytes, DmaDirection.BIDIRECTIONAL, MappingKind.SHARED, true);
  }

  /**
   * Writes back what cores have in their caches of a shared buffer, before the device reads or
   * writes it: what arm64 lets user space do (DC CVAC). Does nothing for a coherent device.
   *
   * @param port the core that does it
   * @param pa host physical address of the first byte
   * @param lengthBytes at least 1
   */
  public void cleanShared(CpuPort port, long pa, int lengthBytes) {
    mappings.maintainShared(port, CacheOperation.CLEAN, pa, lengthBytes);
  }

  /**
   * Makes cores look at memory again, where the device has written a shared buffer (DC CIVAC). Does
   * nothing for a coherent device.
   *
   * @param port the core that does it
   * @param pa host physical address of the first byte
   * @param lengthBytes at least 1
   */
  public void dropShared(CpuPort port, long pa, int lengthBytes) {
    mappings.maintainShared(port, CacheOperation.CLEAN_AND_INVALIDATE, pa, lengthBytes);
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
    mappings.unmap(port, iova, lengthBytes, direction, MappingKind.SINGLE, true);
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
    mappings.syncForCpu(port, iova, offsetBytes, lengthBytes, direction);
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
    mappings.syncForDevice(port, iova, offsetBytes, lengthBytes, direction);
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
    return lists.map(port, list, direction);
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
    lists.unmap(port, list, segmentCount, direction);
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
    lists.syncForCpu(port, list, segmentCount, direction);
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
    lists.syncForDevice(port, list, direction);
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
    return coherent.allocate(port, sizeBytes);
  }

  /**
   * Gives coherent memory back.
   *
   * @param port the core that frees
   * @param buffer as returned by {@link #allocateCoherent}
   * @throws IllegalArgumentException if the buffer is not one of this device or freed already
   */
  public void freeCoherent(CpuPort port, CoherentBuffer buffer) {
    coherent.free(port, buffer);
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
    DmaListener listener = mappings.listener;
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
    DmaListener listener = mappings.listener;
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
    lists.segmentBoundary = newBoundary;
  }

  /** {@return 2^k - 1: no segment of a list may cross a multiple of 2^k} */
  public long segmentBoundary() {
    return lists.segmentBoundary;
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
    return mappings.pool;
  }

  /** {@return the highest bus address for streaming mappings} */
  public long mask() {
    return mappings.mask;
  }

  /** {@return the highest bus address for coherent memory} */
  public long coherentMask() {
    return coherent.mask;
  }

  /**
   * {@return the longest range that can be mapped, in bytes; a bounced one may be at most 256 KiB}
   */
  public int maxMappingBytes() {
    return mappings.mapper.maxMappingBytes();
  }

  /** {@return up to what length mapping is cheap, in bytes; longer ones miss IOVA caches} */
  public int optimalMappingBytes() {
    return mappings.mapper.optimalMappingBytes();
  }

  /** {@return what the device demands of mappings} */
  public DmaConfig config() {
    return mappings.config;
  }

  /**
   * {@return the mappings that live at present; each mapped segment of a list counts, each segment
   * of one that is mapped as one range}
   */
  public int liveMappingsCount() {
    return mappings.table.count();
  }

  /** {@return the mappings made; each mapped segment of a list counts} */
  public long mapsCount() {
    return mappings.mapsCount;
  }

  /** {@return the mappings removed; each mapped segment of a list counts} */
  public long unmapsCount() {
    return mappings.unmapsCount;
  }

  /** {@return the mappings made that needed a bounce buffer} */
  public long bouncedMapsCount() {
    return mappings.bouncedMapsCount;
  }

  /** {@return how often a mapping or coherent memory was refused} */
  public long mappingErrorsCount() {
    return mappings.mappingErrorsCount;
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

  /** Returns the mask of so many bits, or 0 if no memory is within its reach. */
  private long checkedMask(int bits) {
    if (bits < 12 || bits > 64) {
      throw new IllegalArgumentException("bits must be 12..64: bits=" + bits);
    }
    long newMask = maskOf(bits);
    long lowestPa = allocator.zones().lowestPa();
    return mappings.mapper.reaches(lowestPa, PageAllocator.PAGE_BYTES, newMask) ? newMask : 0;
  }

  /** Returns the highest address of so many bits, as a positive long. */
  private static long maskOf(int bits) {
    return bits >= Long.SIZE - 1 ? Long.MAX_VALUE : (1L << bits) - 1;
  }
}
