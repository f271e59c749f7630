package io.github.bellwire.examples.dmacheck;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static io.github.bellwire.examples.dmacheck.BugMachine.PAGE_BYTES;

import io.github.bellwire.dma.BounceBufferPool;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.ScatterList;
import io.github.bellwire.dma.check.DmaViolation;
import io.github.bellwire.dma.check.MemoryKind;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Memory that must not be mapped, or not like that. */
final class MemoryBugs {
  private static final int LINE_BYTES = 64;
  private static final int SEGMENT_BYTES_MAX = 64 << 10;
  private static final int NARROW_BITS = 32;

  private MemoryBugs() {}

  static List<DriverBug> all() {
    return List.of(
        DriverBug.of(
            DmaViolation.OVERLAPPING_CACHE_LINES,
            m -> mapSideBySide(m, 2, LINE_BYTES / 2),
            m -> mapSideBySide(m, 2, LINE_BYTES)),
        DriverBug.of(
            DmaViolation.TOO_MANY_OVERLAPS,
            m -> mapSideBySide(m, 9, 0),
            m -> mapSideBySide(m, 9, LINE_BYTES)),
        forbidden(DmaViolation.MAP_STACK_MEMORY, MemoryKind.STACK),
        forbidden(DmaViolation.MAP_KERNEL_TEXT, MemoryKind.KERNEL_TEXT),
        forbidden(DmaViolation.MAP_VMALLOC_MEMORY, MemoryKind.VMALLOC),
        forbidden(DmaViolation.MAP_NOT_LINEAR_MEMORY, MemoryKind.NOT_LINEAR),
        DriverBug.of(
            DmaViolation.SEGMENT_TOO_LONG,
            m -> mapList(m, 2 * SEGMENT_BYTES_MAX),
            m -> mapList(m, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MAX)),
        DriverBug.of(
            DmaViolation.SEGMENT_CROSSES_BOUNDARY,
            m -> mapWithinPages(m, 2 * PAGE_BYTES),
            m -> mapWithinPages(m, PAGE_BYTES, PAGE_BYTES)),
        DriverBug.of(DmaViolation.MAP_WITHOUT_MASK, m -> mapLow(m, false), m -> mapLow(m, true)),
        DriverBug.of(
            DmaViolation.ALLOCATE_WITHOUT_MASK,
            m -> allocateCoherent(m, false),
            m -> allocateCoherent(m, true)),
        DriverBug.of(
            DmaViolation.MAP_OVER_MASK,
            m -> mapNarrow(m, null, m.allocate(PAGE_BYTES), PAGE_BYTES),
            m -> mapNarrow(m, null, m.allocateLow(PAGE_BYTES), PAGE_BYTES)),
        DriverBug.of(DmaViolation.SWIOTLB_EXHAUSTED, m -> bounce(m, false), m -> bounce(m, true)),
        DriverBug.of(
            DmaViolation.SWIOTLB_MAPPING_TOO_LARGE,
            m -> bounceOnce(m, BounceBufferPool.MAPPING_BYTES_MAX + 1),
            m -> bounceOnce(m, BounceBufferPool.MAPPING_BYTES_MAX)));
  }

  private static void mapSideBySide(BugMachine m, int count, int distanceBytes) {
    long pa = m.allocate(PAGE_BYTES);
    long[] iovas = new long[count];
    for (int i = 0; i < count; i++) {
      iovas[i] = m.map(pa + (long) i * distanceBytes, LINE_BYTES / 2, FROM_DEVICE);
    }
    for (long iova : iovas) {
      m.unmap(iova, LINE_BYTES / 2, FROM_DEVICE);
    }
  }

  private static DriverBug forbidden(DmaViolation violation, MemoryKind kind) {
    return DriverBug.of(violation, m -> mapBeside(m, kind, 0), m -> mapBeside(m, kind, PAGE_BYTES));
  }

  /** Maps a part of memory of a kind, or what lies behind it. */
  private static void mapBeside(BugMachine m, MemoryKind kind, int offset) {
    long pa = m.allocate(2 * PAGE_BYTES);
    m.checker.declare(kind, pa, PAGE_BYTES);
    m.unmap(m.map(pa + offset, LINE_BYTES, FROM_DEVICE), LINE_BYTES, FROM_DEVICE);
  }

  private static void mapList(BugMachine m, int... lengths) {
    ScatterList list = BugMachine.list(m.allocate(2 * SEGMENT_BYTES_MAX), lengths);
    m.dma.mapScatterList(m.cpu, list, TO_DEVICE);
    m.dma.unmapScatterList(m.cpu, list, TO_DEVICE);
  }

  private static void mapWithinPages(BugMachine m, int... lengths) {
    m.dma.setSegmentBoundary(PAGE_BYTES - 1);
    mapList(m, lengths);
  }

  private static void mapLow(BugMachine m, boolean setsMask) {
    DmaDevice device = m.newDevice(DmaMapper.IDENTITY, null);
    if (setsMask) {
      device.trySetMask(NARROW_BITS);
    }
    long iova = m.map(device, m.allocateLow(PAGE_BYTES), PAGE_BYTES, FROM_DEVICE);
    device.unmapSingle(m.cpu, iova, PAGE_BYTES, FROM_DEVICE);
  }

  private static void allocateCoherent(BugMachine m, boolean setsMask) {
    DmaDevice device = m.newDevice(DmaMapper.IDENTITY, null);
    if (setsMask) {
      device.trySetCoherentMask(NARROW_BITS);
    }
    device.freeCoherent(m.cpu, m.allocateCoherent(device, PAGE_BYTES));
  }

  private static void mapNarrow(BugMachine m, @Nullable BounceBufferPool pool, long pa, int bytes) {
    DmaDevice device = m.newDevice(DmaMapper.IDENTITY, pool);
    BugMachine.setMasks(device, NARROW_BITS);
    long iova = device.mapSingle(m.cpu, pa, bytes, TO_DEVICE);
    if (!device.isMappingError(iova)) {
      device.unmapSingle(m.cpu, iova, bytes, TO_DEVICE);
    }
  }

  private static BounceBufferPool smallestPool(BugMachine m) {
    return new BounceBufferPool(m.host.pages(), BounceBufferPool.SIZE_BYTES_MIN);
  }

  private static void bounceOnce(BugMachine m, int bytes) {
    mapNarrow(m, smallestPool(m), m.allocate(bytes), bytes);
  }

  /** A driver that forgets to unmap, or does not: 16 times 64 KiB are all there is. */
  private static void bounce(BugMachine m, boolean unmaps) {
    DmaDevice device = m.newDevice(DmaMapper.IDENTITY, smallestPool(m));
    BugMachine.setMasks(device, NARROW_BITS);
    long pa = m.allocate(SEGMENT_BYTES_MAX);
    for (int i = 0; i < 17; i++) {
      long iova = device.mapSingle(m.cpu, pa, SEGMENT_BYTES_MAX, TO_DEVICE);
      if (!device.isMappingError(iova) && unmaps) {
        device.unmapSingle(m.cpu, iova, SEGMENT_BYTES_MAX, TO_DEVICE);
      }
    }
  }
}
