package io.github.bellwire.dma.check;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DescriptorRing;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaListener;
import io.github.bellwire.dma.MapRefusal;
import io.github.bellwire.dma.MappingKind;
import io.github.bellwire.dma.ScatterList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Checks the calls of one device's driver, as Linux does. */
final class ApiChecks implements DmaListener {
  private static final int LINE_BYTES = 64;
  private static final int OVERLAPS_MAX = 7; // 3 tag bits of a radix tree (debug.c)

  private final CheckerState state;
  private final DeviceShadow shadow;
  private final IovaAccounts iovas;

  ApiChecks(CheckerState state, DeviceShadow shadow, IovaAccounts iovas) {
    this.state = state;
    this.shadow = shadow;
    this.iovas = iovas;
  }

  @Override
  public void onMap(
      DmaDevice device,
      CpuPort port,
      MappingKind kind,
      long iova,
      long pa,
      long bouncePa,
      int lengthBytes,
      DmaDirection direction) {
    CallSite by = shadow.call(port.coreIndex(), port.nowPs());
    ShadowMapping mapping =
        new ShadowMapping(shadow, kind, iova, pa, bouncePa, lengthBytes, direction, by);
    checkMasks(device, mapping, by);
    checkMemory(mapping, by);
    checkOverlap(mapping, by);
    if (kind == MappingKind.COHERENT) {
      state.written.add(pa, lengthBytes);
    }
    shadow.add(mapping);
  }

  private void checkMasks(DmaDevice device, ShadowMapping mapping, CallSite by) {
    if (mapping.kind == MappingKind.COHERENT && !device.isCoherentMaskSet()) {
      report(DmaViolation.ALLOCATE_WITHOUT_MASK, "32 bits are assumed", mapping, by);
    } else if (mapping.kind != MappingKind.COHERENT && !device.isMaskSet()) {
      report(DmaViolation.MAP_WITHOUT_MASK, "32 bits are assumed", mapping, by);
    }
  }

  private void checkMemory(ShadowMapping mapping, CallSite by) {
    for (CheckerState.Region region : state.regions) {
      if (mapping.overlapsPa(region.pa(), region.lengthBytes())) {
        String detail =
            "mapped memory touches "
                + region.kind()
                + " at "
                + Text.hex(region.pa())
                + ", "
                + Text.bytes(region.lengthBytes());
        report(region.kind().violation(), detail, mapping, by);
      }
    }
  }

  /** Memory that is shared for good is the business of whoever shares it. */
  private void checkOverlap(ShadowMapping mapping, CallSite by) {
    if (mapping.direction == DmaDirection.TO_DEVICE || mapping.kind == MappingKind.SHARED) {
      return;
    }
    long firstPa = mapping.pa & -LINE_BYTES;
    long endPa = mapping.pa + mapping.lengthBytes + LINE_BYTES - 1 & -LINE_BYTES;
    int overlaps = 0;
    ShadowMapping first = null;
    for (ShadowMapping other : state.byPa.touching(firstPa, endPa - firstPa)) {
      if (other.direction != DmaDirection.TO_DEVICE && other.kind != MappingKind.SHARED) {
        overlaps++;
        first = first == null ? other : first;
      }
    }
    if (first != null) {
      report(
          DmaViolation.OVERLAPPING_CACHE_LINES,
          "shares a line with the mapping at iova "
              + Text.hex(first.iova)
              + " of "
              + Text.bytes(first.lengthBytes)
              + ", mapped by "
              + first.madeBy,
          mapping,
          by);
    }
    if (overlaps > OVERLAPS_MAX) {
      report(DmaViolation.TOO_MANY_OVERLAPS, overlaps + " others share a line", mapping, by);
    }
  }

  @Override
  public void onMapList(DmaDevice device, CpuPort port, ScatterList list) {
    for (int i = 0; i < list.mappedCount(); i++) {
      long iova = list.iova(i);
      int bytes = list.mappedLengthBytes(i);
      ShadowMapping mapping =
          shadow.findBest(iova, bytes, DmaDirection.BIDIRECTIONAL, MappingKind.SCATTER);
      if (mapping == null) {
        continue;
      }
      int maxBytes = device.config().maxSegmentBytes();
      if (bytes > maxBytes) {
        String detail = "segment " + i + " has " + bytes + " bytes, at most " + maxBytes;
        report(DmaViolation.SEGMENT_TOO_LONG, detail, mapping, mapping.madeBy);
      }
      long boundary = device.segmentBoundary();
      if (((iova ^ iova + bytes - 1) & ~boundary) != 0) {
        String detail = "segment " + i + " crosses a multiple of " + Text.hex(boundary + 1);
        report(DmaViolation.SEGMENT_CROSSES_BOUNDARY, detail, mapping, mapping.madeBy);
      }
    }
  }

  @Override
  public void onMapRefused(
      DmaDevice device, CpuPort port, MappingKind kind, long pa, int lengthBytes, MapRefusal why) {
    CallSite by = shadow.call(port.coreIndex(), port.nowPs());
    if (kind != MappingKind.COHERENT && !device.isMaskSet()) {
      String detail = "32 bits are assumed, and the memory is out of reach";
      state.report(
          DmaViolation.MAP_WITHOUT_MASK, shadow, by.atPs(), detail, -1, pa, lengthBytes, by, null);
    }
    switch (why) {
      case NO_BOUNCE_SLOTS, TOO_LARGE_TO_BOUNCE -> {
        DmaViolation violation =
            why == MapRefusal.NO_BOUNCE_SLOTS
                ? DmaViolation.SWIOTLB_EXHAUSTED
                : DmaViolation.SWIOTLB_MAPPING_TOO_LARGE;
        String detail = BounceOwners.describe(state, device, lengthBytes);
        state.report(violation, shadow, by.atPs(), detail, -1, pa, lengthBytes, by, null);
      }
      case OUT_OF_REACH, NOT_SHARABLE ->
          state.report(
              DmaViolation.MAP_OVER_MASK,
              shadow,
              by.atPs(),
              "the device reaches up to " + Text.hex(device.mask()),
              -1,
              pa,
              lengthBytes,
              by,
              null);
      default -> {
        // Exhaustion is no mistake of this driver.
      }
    }
  }

  @Override
  public void onUnmap(
      DmaDevice device,
      CpuPort port,
      MappingKind kind,
      long iova,
      int lengthBytes,
      DmaDirection direction) {
    CallSite by = shadow.call(port.coreIndex(), port.nowPs());
    if (iova == DmaDevice.MAPPING_ERROR) {
      reportAt(DmaViolation.UNMAP_ERROR_ADDRESS, "mapping had failed", -1, lengthBytes, by);
      return;
    }
    ShadowMapping mapping = shadow.findBest(iova, lengthBytes, direction, kind);
    if (mapping == null) {
      reportAt(DmaViolation.UNMAP_NOT_MAPPED, "nothing is mapped there", iova, lengthBytes, by);
      return;
    }
    checkUnmap(mapping, kind, lengthBytes, direction, by);
    shadow.end(mapping, by);
    if (mapping.lastAccessPs > by.atPs()) {
      state.report(
          DmaViolation.DEVICE_ACCESS_AFTER_UNMAP,
          shadow,
          mapping.lastAccessPs,
          "an access was under way when the memory was unmapped",
          mapping.lastAccessIova,
          mapping.originalPa(mapping.lastAccessIova),
          mapping.lastAccessBytes,
          by,
          mapping);
    }
  }

  private void checkUnmap(
      ShadowMapping mapping,
      MappingKind kind,
      int lengthBytes,
      DmaDirection direction,
      CallSite by) {
    if (mapping.lengthBytes != lengthBytes) {
      String detail = "mapped " + mapping.lengthBytes + ", unmapped " + lengthBytes + " bytes";
      report(DmaViolation.UNMAP_WRONG_SIZE, detail, mapping, by);
    }
    if (mapping.kind != kind) {
      String detail = "mapped as " + mapping.kind + ", unmapped as " + kind;
      report(DmaViolation.UNMAP_WRONG_FUNCTION, detail, mapping, by);
    }
    if (mapping.direction != direction) {
      String detail = "mapped " + mapping.direction + ", unmapped " + direction;
      report(DmaViolation.UNMAP_WRONG_DIRECTION, detail, mapping, by);
    }
    boolean mustCheck = mapping.kind == MappingKind.SINGLE || mapping.kind == MappingKind.SHARED;
    if (mustCheck && !mapping.isErrorChecked) {
      String detail = "isMappingError was not called";
      report(DmaViolation.MAPPING_ERROR_UNCHECKED, detail, mapping, by);
    }
  }

  @Override
  public void onWrongCpuAddress(DmaDevice device, CpuPort port, CoherentBuffer buffer) {
    CallSite by = shadow.access(port.coreIndex(), port.nowPs());
    ShadowMapping mapping = shadow.coherentAt(buffer.iova());
    if (mapping != null) {
      String detail = "freed " + Text.hex(buffer.pa()) + ", allocated " + Text.hex(mapping.pa);
      report(DmaViolation.FREE_WRONG_CPU_ADDRESS, detail, mapping, by);
    }
  }

  @Override
  public void onWrongSegmentCount(
      DmaDevice device, CpuPort port, ScatterList list, int segmentCount, boolean isUnmap) {
    DmaViolation violation =
        isUnmap ? DmaViolation.UNMAP_WRONG_SEGMENT_COUNT : DmaViolation.SYNC_WRONG_SEGMENT_COUNT;
    String detail =
        String.format(
            "%d segments were added, %d mapped, and %d given",
            list.segmentCount(), list.mappedCount(), segmentCount);
    CallSite by = shadow.access(port.coreIndex(), port.nowPs());
    reportAt(violation, detail, list.iova(0), (int) list.totalBytes(), by);
  }

  @Override
  public void onSync(
      DmaDevice device,
      CpuPort port,
      boolean isForCpu,
      long iova,
      int offsetBytes,
      int lengthBytes,
      DmaDirection direction) {
    CallSite by = shadow.call(port.coreIndex(), port.nowPs());
    ShadowMapping mapping = shadow.findBest(iova, lengthBytes, direction, MappingKind.SINGLE);
    if (mapping == null) {
      reportAt(DmaViolation.SYNC_NOT_MAPPED, "nothing is mapped there", iova, lengthBytes, by);
      return;
    }
    if (offsetBytes < 0 || lengthBytes < 1 || offsetBytes > mapping.lengthBytes - lengthBytes) {
      String detail =
          "mapped " + mapping.lengthBytes + ", synced " + lengthBytes + " bytes at " + offsetBytes;
      report(DmaViolation.SYNC_OUTSIDE_MAPPING, detail, mapping, by);
      return;
    }
    checkSyncDirection(mapping, isForCpu, direction, by);
    if (isForCpu) {
      checkGivenBack(mapping, offsetBytes, lengthBytes, by);
      mapping.giveToHost(offsetBytes, lengthBytes, by.atPs());
    } else {
      mapping.giveToDevice(offsetBytes, lengthBytes);
    }
  }

  /** A part that the host gets must have been given back if the device has used it since. */
  private void checkGivenBack(
      ShadowMapping mapping, int offsetBytes, int lengthBytes, CallSite by) {
    ShadowMapping.Use use = mapping.takeUseWhileTaken(offsetBytes, lengthBytes);
    if (use != null) {
      state.report(
          DmaViolation.SYNC_FOR_DEVICE_MISSING,
          shadow,
          use.atPs(),
          "the device wrote, and the host gets the part again without having given it back",
          use.iova(),
          use.pa(),
          use.lengthBytes(),
          by,
          mapping);
    }
  }

  private void checkSyncDirection(
      ShadowMapping mapping, boolean isForCpu, DmaDirection direction, CallSite by) {
    if (mapping.direction == DmaDirection.BIDIRECTIONAL || mapping.direction == direction) {
      return;
    }
    DmaViolation violation = DmaViolation.SYNC_WRONG_DIRECTION;
    if (isForCpu && mapping.direction == DmaDirection.TO_DEVICE) {
      violation = DmaViolation.SYNC_FOR_CPU_OF_TO_DEVICE;
    } else if (!isForCpu && mapping.direction == DmaDirection.FROM_DEVICE) {
      violation = DmaViolation.SYNC_FOR_DEVICE_OF_FROM_DEVICE;
    }
    report(violation, "mapped " + mapping.direction + ", synced " + direction, mapping, by);
  }

  @Override
  public void onErrorChecked(DmaDevice device, long iova) {
    List<ShadowMapping> there =
        iova == DmaDevice.MAPPING_ERROR ? List.of() : shadow.touching(iova, 1);
    for (ShadowMapping mapping : there) {
      if (mapping.isLive() && mapping.iova == iova && !mapping.isErrorChecked) {
        mapping.isErrorChecked = true;
        return;
      }
    }
  }

  @Override
  public void onRing(DmaDevice device, DescriptorRing ring) {
    shadow.rings().add(new RingShadow(state, shadow, ring));
  }

  @Override
  public void onUnbind(DmaDevice device, CpuPort port) {
    CallSite by = shadow.call(port.coreIndex(), port.nowPs());
    List<ShadowMapping> left = List.copyOf(shadow.live());
    if (!left.isEmpty()) {
      report(
          DmaViolation.DEVICE_UNBOUND_WITH_MAPPINGS,
          left.size() + " mappings are left, this one the oldest",
          left.get(0),
          by);
    }
    for (ShadowMapping mapping : left) {
      shadow.end(mapping, by);
    }
    iovas.audit(by.atPs());
  }

  private void report(DmaViolation violation, String detail, ShadowMapping mapping, CallSite by) {
    state.report(
        violation,
        shadow,
        by.atPs(),
        detail,
        mapping.iova,
        mapping.pa,
        mapping.lengthBytes,
        by,
        mapping);
  }

  private void reportAt(
      DmaViolation violation, String detail, long iova, int lengthBytes, CallSite by) {
    state.report(violation, shadow, by.atPs(), detail, iova, -1, lengthBytes, by, lastEnded(iova));
  }

  /** Returns what was mapped at an address last, null if nothing ever was. */
  private @Nullable ShadowMapping lastEnded(long iova) {
    ShadowMapping last = null;
    for (ShadowMapping mapping : iova < 0 ? List.<ShadowMapping>of() : shadow.touching(iova, 1)) {
      last = mapping;
    }
    return last;
  }
}
