package io.github.bellwire.dma;

import io.github.bellwire.cpu.CpuPort;

/**
 * Maps scatter lists for one device: segment by segment, or as one range of bus addresses where the
 * mapper can.
 */
final class ScatterMappings {
  private final DeviceMappings base;

  /** 2^k - 1: no segment crosses a multiple of 2^k. */
  long segmentBoundary = DmaDevice.SEGMENT_BOUNDARY_DEFAULT;

  ScatterMappings(DeviceMappings base) {
    this.base = base;
  }

  /** See {@link DmaDevice#mapScatterList}. */
  int map(CpuPort port, ScatterList list, DmaDirection direction) {
    requireSegmentLengths(list);
    list.beginUse();
    if (base.mapper.listGranuleBytes() != 0) {
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
      long iova = base.map(port, pa, lengthBytes, direction, MappingKind.SCATTER);
      if (iova == DmaMapper.MAPPING_ERROR) {
        unmapAll(port, list, direction, false);
        return 0;
      }
      list.addMapped(iova, lengthBytes);
    }
    if (base.listener != null) {
      base.listener.onMapList(base.device, port, list);
    }
    return list.mappedCount();
  }

  /** Returns whether a segment of a list may become part of the mapped segment before it. */
  private boolean joins(long pa, int lengthBytes, ScatterList list, int segmentIndex) {
    long lastPa = list.pa(segmentIndex) + list.lengthBytes(segmentIndex) - 1;
    if (base.mapper.bounceGranuleBytes() > 1
        || pa + lengthBytes != list.pa(segmentIndex)
        || ((pa ^ lastPa) & ~segmentBoundary) != 0
        || lengthBytes > base.config.maxSegmentBytes() - list.lengthBytes(segmentIndex)) {
      return false;
    }
    int joinedBytes = lengthBytes + list.lengthBytes(segmentIndex);
    return base.mapper.reaches(pa, joinedBytes, base.mask)
        || joinedBytes <= BounceBufferPool.MAPPING_BYTES_MAX - base.config.minAlignMask()
            && !base.mapper.reaches(pa, lengthBytes, base.mask);
  }

  private void requireSegmentLengths(ScatterList list) {
    for (int i = 0; i < list.segmentCount(); i++) {
      if (list.lengthBytes(i) > base.config.maxSegmentBytes() && base.listener == null) {
        throw new IllegalArgumentException(
            "lengthBytes must be <= "
                + base.config.maxSegmentBytes()
                + " in segment "
                + i
                + ": lengthBytes="
                + list.lengthBytes(i));
      }
    }
  }

  /** Maps a list whose segments need not follow each other in host memory to become one. */
  private int mapAsOneRange(CpuPort port, ScatterList list, DmaDirection direction) {
    int granuleBytes = base.mapper.listGranuleBytes();
    list.layOut(granuleBytes, segmentBoundary);
    long rangeIova =
        list.layoutBytes() > base.mapper.maxMappingBytes()
            ? DmaMapper.MAPPING_ERROR
            : base.mapper.mapList(port, list, direction, base.mask);
    if (rangeIova == DmaMapper.MAPPING_ERROR) {
      int bytes = (int) Math.min(Integer.MAX_VALUE, list.totalBytes());
      base.refused(port, MappingKind.SCATTER, list.pa(0), bytes, MapRefusal.NO_ADDRESS);
      list.endUse();
      return 0;
    }
    list.mappedAsOneRange(rangeIova, granuleBytes, segmentBoundary, base.config.maxSegmentBytes());
    for (int i = 0; i < list.segmentCount(); i++) {
      base.giveToDevice(port, list.pa(i), list.lengthBytes(i));
      long key = MappingTable.key(list.lengthBytes(i), direction, MappingKind.SCATTER);
      base.table.add(list.pieceIova(i), list.pa(i), MappingTable.NOT_BOUNCED, key);
      base.mapsCount++;
      tellPiece(port, list, i, direction);
    }
    if (base.listener != null) {
      base.listener.onMapList(base.device, port, list);
    }
    return list.mappedCount();
  }

  private void tellPiece(CpuPort port, ScatterList list, int index, DmaDirection direction) {
    if (base.listener != null) {
      base.listener.onMap(
          base.device,
          port,
          MappingKind.SCATTER,
          list.pieceIova(index),
          list.pa(index),
          -1,
          list.lengthBytes(index),
          direction);
    }
  }

  /** See {@link DmaDevice#unmapScatterList}. */
  void unmap(CpuPort port, ScatterList list, int segmentCount, DmaDirection direction) {
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

  private boolean isListMapped(CpuPort port, ScatterList list, DmaDirection direction) {
    if (base.listener == null || list.mappedCount() > 0) {
      list.requireMapped();
      return true;
    }
    long iova = list.lastIova();
    base.listener.onUnmap(
        base.device, port, MappingKind.SCATTER, iova, (int) list.totalBytes(), direction);
    return false;
  }

  private void checkSegmentCount(
      CpuPort port, ScatterList list, int segmentCount, boolean isUnmap) {
    if (segmentCount == list.segmentCount()) {
      return;
    }
    if (base.listener == null) {
      throw new IllegalArgumentException(
          "segmentCount must be " + list.segmentCount() + ": segmentCount=" + segmentCount);
    }
    base.listener.onWrongSegmentCount(base.device, port, list, segmentCount, isUnmap);
  }

  private void unmapAll(CpuPort port, ScatterList list, DmaDirection direction, boolean copyBack) {
    for (int i = 0; i < list.mappedCount(); i++) {
      int lengthBytes = list.mappedLengthBytes(i);
      base.unmap(port, list.iova(i), lengthBytes, direction, MappingKind.SCATTER, copyBack);
    }
    list.endUse();
  }

  private void unmapOneRange(CpuPort port, ScatterList list, DmaDirection direction) {
    if (base.listener == null) {
      requireMappedHere(list, direction);
    }
    int removed = 0;
    for (int i = 0; i < list.segmentCount(); i++) {
      removed += removePiece(port, list, i, direction) ? 1 : 0;
    }
    if (removed > 0) {
      base.mapper.unmap(port, list.rangeIova(), (int) list.layoutBytes(), direction);
    }
    for (int i = 0; i < list.segmentCount(); i++) {
      base.giveToCpu(port, list.pa(i), list.lengthBytes(i), direction);
    }
    list.endUse();
  }

  /** Removes a piece from the table; it is there unless a mistaken driver is forgiven. */
  private boolean removePiece(CpuPort port, ScatterList list, int index, DmaDirection direction) {
    long iova = list.pieceIova(index);
    int lengthBytes = list.lengthBytes(index);
    long key = MappingTable.key(lengthBytes, direction, MappingKind.SCATTER);
    int entry = base.table.find(iova, key);
    if (base.listener != null) {
      base.listener.onUnmap(base.device, port, MappingKind.SCATTER, iova, lengthBytes, direction);
      entry = entry == MappingTable.NOT_FOUND ? base.table.findBest(iova, key) : entry;
    }
    if (entry == MappingTable.NOT_FOUND) {
      return false;
    }
    base.table.remove(entry);
    base.unmapsCount++;
    return true;
  }

  private void requireMappedHere(ScatterList list, DmaDirection direction) {
    for (int i = 0; i < list.segmentCount(); i++) {
      long key = MappingTable.key(list.lengthBytes(i), direction, MappingKind.SCATTER);
      if (base.table.find(list.pieceIova(i), key) == MappingTable.NOT_FOUND) {
        throw base.notMapped(
            list.pieceIova(i), 0, list.lengthBytes(i), MappingKind.SCATTER + " " + direction);
      }
    }
  }

  /** See {@link DmaDevice#syncScatterListForCpu}. */
  void syncForCpu(CpuPort port, ScatterList list, int segmentCount, DmaDirection direction) {
    list.requireMapped();
    checkSegmentCount(port, list, segmentCount, false);
    for (int i = 0; i < list.pieceCount(); i++) {
      base.syncForCpu(port, list.pieceIova(i), 0, list.pieceBytes(i), direction);
    }
  }

  /** See {@link DmaDevice#syncScatterListForDevice}. */
  void syncForDevice(CpuPort port, ScatterList list, DmaDirection direction) {
    list.requireMapped();
    for (int i = 0; i < list.pieceCount(); i++) {
      base.syncForDevice(port, list.pieceIova(i), 0, list.pieceBytes(i), direction);
    }
  }
}
