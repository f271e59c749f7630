package io.github.bellwire.dma;

import io.github.bellwire.cpu.CpuPort;

/**
 * Makes host memory reachable for one device: an IOMMU driver, or nothing at all.
 *
 * <pre>{@code
 * DmaDevice --reaches(pa, length, mask)--> yes: map(pa)          --> iova
 *                                      --> no:  map(bounce slot) --> iova
 * }</pre>
 *
 * <p>The work of an implementation (page-table stores, invalidation, waiting for it) goes through
 * the {@link CpuPort} that it is given. Addresses need no alignment; an implementation with pages
 * maps all pages that the range touches and returns the address of its first byte.
 */
public interface DmaMapper {
  /** Returned instead of an address: all ones, as {@code DMA_MAPPING_ERROR} of Linux. */
  long MAPPING_ERROR = ~0L;

  /** The device addresses host memory itself: the iova is the pa, at no cost. */
  DmaMapper IDENTITY = new IdentityMapper();

  /**
   * {@return whether memory can be mapped where it lies; if not, it is copied to a bounce buffer,
   * and that is mapped}
   *
   * @param pa first byte, at least 0
   * @param lengthBytes at least 1
   * @param mask highest bus address that the device can emit
   */
  boolean reaches(long pa, int lengthBytes, long mask);

  /**
   * Maps a range of host memory.
   *
   * @param port executes what mapping takes
   * @param pa first byte, at least 0
   * @param lengthBytes at least 1
   * @param direction what the device may do: read, write or both
   * @param mask highest bus address that the device can emit
   * @return bus address of the first byte, or {@link #MAPPING_ERROR} if there is no room under the
   *     mask
   */
  long map(CpuPort port, long pa, int lengthBytes, DmaDirection direction, long mask);

  /**
   * {@return to what the pieces of a scatter list are rounded when it is mapped as one range of bus
   * addresses, 2^k bytes; 0 if lists are mapped piece by piece}
   */
  default int listGranuleBytes() {
    return 0;
  }

  /**
   * Maps a scatter list as one range of bus addresses, if {@link #listGranuleBytes()} is not 0. The
   * list has been {@linkplain ScatterList#layoutOffset laid out}; nothing is mapped to the holes.
   *
   * @param port executes what mapping takes
   * @param list the pieces; to be looked at only
   * @param direction what the device may do
   * @param mask highest bus address that the device can emit
   * @return bus address at which the layout begins, a multiple of the granule, or {@link
   *     #MAPPING_ERROR} if there is no room under the mask
   */
  default long mapList(CpuPort port, ScatterList list, DmaDirection direction, long mask) {
    throw new UnsupportedOperationException("lists are mapped piece by piece");
  }

  /**
   * {@return what bounce buffers begin at and are filled up with zeros to, 2^k bytes up to 64 KiB;
   * 1 if the device may see what lies beside them}
   */
  default int bounceGranuleBytes() {
    return 1;
  }

  /** {@return the longest range that can be mapped, in bytes} */
  default int maxMappingBytes() {
    return Integer.MAX_VALUE;
  }

  /** {@return up to what length mapping is cheap, in bytes} */
  default int optimalMappingBytes() {
    return maxMappingBytes();
  }

  /**
   * Removes a mapping. The arguments are those of the mapping; the caller has checked that.
   *
   * @param port executes what unmapping takes
   * @param iova the address that {@link #map} or {@link #mapList} returned
   * @param lengthBytes as mapped; of a list those of its whole layout
   * @param direction as mapped
   */
  void unmap(CpuPort port, long iova, int lengthBytes, DmaDirection direction);
}
