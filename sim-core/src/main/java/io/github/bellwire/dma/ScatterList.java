package io.github.bellwire.dma;

import java.util.Arrays;
import java.util.Objects;

/**
 * A buffer in several pieces of host memory, and where a device finds them once it is mapped.
 *
 * <pre>{@code
 * segments          (pa, length) (pa, length) (pa, length)     added by the driver
 *                        '------.------'           |           contiguous pieces become one
 * mapped segments         (iova, length)     (iova, length)    for the descriptors
 * }</pre>
 *
 * <p>Filled, mapped, unmapped, cleared and filled again; allocates nothing after construction. The
 * owner must not change it while it is mapped. Confined to the simulation thread.
 */
public final class ScatterList {
  private final long[] pas;
  private final int[] lengths;
  private final long[] mappedIovas;
  private final int[] mappedLengths;
  private final long[] layoutOffsets;

  private int segmentCount;
  private int mappedCount;
  private boolean inUse;
  private boolean isOneRange;
  private long rangeIova;
  private long layoutBytes;
  private long totalBytes;

  /**
   * Creates an empty list.
   *
   * @param segmentCountMax segments that fit, at least 1
   * @throws IllegalArgumentException if it is out of range
   */
  public ScatterList(int segmentCountMax) {
    if (segmentCountMax < 1) {
      throw new IllegalArgumentException(
          "segmentCountMax must be >= 1: segmentCountMax=" + segmentCountMax);
    }
    pas = new long[segmentCountMax];
    lengths = new int[segmentCountMax];
    mappedIovas = new long[segmentCountMax];
    mappedLengths = new int[segmentCountMax];
    layoutOffsets = new long[segmentCountMax];
  }

  /**
   * Appends a segment.
   *
   * @param pa host physical address of the first byte, at least 0
   * @param lengthBytes at least 1
   * @throws IllegalArgumentException if an argument is out of range
   * @throws IllegalStateException if the list is full or mapped
   */
  public void add(long pa, int lengthBytes) {
    requireNotInUse();
    DmaDevice.requireRange(pa, lengthBytes);
    if (segmentCount == pas.length) {
      throw new IllegalStateException("segmentCount must be < " + pas.length + " to add another");
    }
    pas[segmentCount] = pa;
    lengths[segmentCount] = lengthBytes;
    segmentCount++;
    totalBytes += lengthBytes;
  }

  /**
   * Removes all segments.
   *
   * @throws IllegalStateException if the list is mapped
   */
  public void clear() {
    requireNotInUse();
    segmentCount = 0;
    totalBytes = 0;
  }

  /** {@return the segments added} */
  public int segmentCount() {
    return segmentCount;
  }

  /** {@return the segments that fit} */
  public int segmentCountMax() {
    return pas.length;
  }

  /** {@return the bytes of all segments} */
  public long totalBytes() {
    return totalBytes;
  }

  /**
   * {@return the host physical address of a segment}
   *
   * @param segmentIndex 0 to below {@link #segmentCount()}
   */
  public long pa(int segmentIndex) {
    return pas[Objects.checkIndex(segmentIndex, segmentCount)];
  }

  /**
   * {@return the bytes of a segment}
   *
   * @param segmentIndex 0 to below {@link #segmentCount()}
   */
  public int lengthBytes(int segmentIndex) {
    return lengths[Objects.checkIndex(segmentIndex, segmentCount)];
  }

  /** {@return the segments as the device sees them, 0 if the list is not mapped} */
  public int mappedCount() {
    return mappedCount;
  }

  /**
   * {@return the bus address of a mapped segment}
   *
   * @param mappedIndex 0 to below {@link #mappedCount()}
   */
  public long iova(int mappedIndex) {
    return mappedIovas[Objects.checkIndex(mappedIndex, mappedCount)];
  }

  /**
   * {@return the bytes of a mapped segment}
   *
   * @param mappedIndex 0 to below {@link #mappedCount()}
   */
  public int mappedLengthBytes(int mappedIndex) {
    return mappedLengths[Objects.checkIndex(mappedIndex, mappedCount)];
  }

  /**
   * {@return where a segment lies in one range of bus addresses, counted from the beginning of
   * that} Its low bits are those of the segment's host address. Valid while the list is mapped so.
   *
   * @param segmentIndex 0 to below {@link #segmentCount()}
   */
  public long layoutOffset(int segmentIndex) {
    return layoutOffsets[Objects.checkIndex(segmentIndex, segmentCount)];
  }

  /** {@return the bytes of the whole range, a multiple of the granule} */
  public long layoutBytes() {
    return layoutBytes;
  }

  /**
   * Decides where segments lie in one range, as iommu_dma_map_sg of Linux 6.12 does: one behind the
   * other, rounded to granules. A segment that would cross a boundary begins there, for the range
   * is aligned to its size.
   */
  void layOut(int granuleBytes, long boundaryMask) {
    long granuleMask = granuleBytes - 1L;
    long bytes = 0;
    for (int i = 0; i < segmentCount; i++) {
      long inGranule = pas[i] & granuleMask;
      long rounded = inGranule + lengths[i] + granuleMask & ~granuleMask;
      long untilBoundary = boundaryMask - bytes + 1 & boundaryMask;
      if (untilBoundary != 0 && untilBoundary < rounded) {
        bytes += untilBoundary;
      }
      layoutOffsets[i] = bytes + inGranule;
      bytes += rounded;
    }
    layoutBytes = bytes;
  }

  /**
   * The list is mapped as laid out. A segment joins the one before it if both meet at a granule
   * that is no boundary, and the sum is not too long.
   */
  void mappedAsOneRange(long iova, int granuleBytes, long boundaryMask, int maxSegmentBytes) {
    isOneRange = true;
    rangeIova = iova;
    long granuleMask = granuleBytes - 1L;
    for (int i = 0; i < segmentCount; i++) {
      long segmentIova = iova + layoutOffsets[i];
      int last = mappedCount - 1;
      if (last >= 0
          && (segmentIova & granuleMask) == 0
          && mappedIovas[last] + mappedLengths[last] == segmentIova
          && (segmentIova & boundaryMask) != 0
          && mappedLengths[last] <= maxSegmentBytes - lengths[i]) {
        mappedLengths[last] += lengths[i];
      } else {
        addMapped(segmentIova, lengths[i]);
      }
    }
  }

  /** {@return whether the list is mapped as one range} */
  boolean isOneRange() {
    return isOneRange;
  }

  /** {@return where that range begins} */
  long rangeIova() {
    return rangeIova;
  }

  /** {@return how many mappings make up the list: its own segments, or joined ones} */
  int pieceCount() {
    return isOneRange ? segmentCount : mappedCount;
  }

  long pieceIova(int pieceIndex) {
    return isOneRange ? rangeIova + layoutOffsets[pieceIndex] : mappedIovas[pieceIndex];
  }

  int pieceBytes(int pieceIndex) {
    return isOneRange ? lengths[pieceIndex] : mappedLengths[pieceIndex];
  }

  /** Starts mapping or unmapping; the list is in use until {@link #endUse()}. */
  void beginUse() {
    requireNotInUse();
    if (segmentCount == 0) {
      throw new IllegalStateException("segmentCount must be >= 1 to map: segmentCount=0");
    }
    inUse = true;
  }

  /** The device has no part of the list any more. */
  void endUse() {
    mappedCount = 0;
    isOneRange = false;
    inUse = false;
  }

  void addMapped(long iova, int lengthBytes) {
    mappedIovas[mappedCount] = iova;
    mappedLengths[mappedCount] = lengthBytes;
    mappedCount++;
  }

  /** {@return where the first mapped segment is or was; 0 if the list has never been mapped} */
  long lastIova() {
    return mappedIovas[0];
  }

  void requireMapped() {
    if (mappedCount == 0) {
      throw new IllegalStateException("scatter list must be mapped: mappedCount=0");
    }
  }

  private void requireNotInUse() {
    if (inUse) {
      throw new IllegalStateException(
          "scatter list must not be mapped: mappedCount=" + mappedCount);
    }
  }

  /** Prints the segments in hexadecimal, as {@code [0x1000+4096, ...]}. */
  @Override
  public String toString() {
    String[] segments = new String[segmentCount];
    Arrays.setAll(segments, i -> "0x" + Long.toHexString(pas[i]) + "+" + lengths[i]);
    return Arrays.toString(segments);
  }
}
