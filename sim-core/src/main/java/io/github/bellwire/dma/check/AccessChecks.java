package io.github.bellwire.dma.check;

import io.github.bellwire.dma.MappingKind;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.pcie.DmaAccessListener;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Checks what devices do with the memory that their drivers have mapped. A transfer that is cut
 * into TLPs is told of once.
 */
final class AccessChecks implements DmaAccessListener {
  private static final int PAGE_BYTES = PageAllocator.PAGE_BYTES;

  private final CheckerState state;
  private final IovaAccounts iovas;

  AccessChecks(CheckerState state, IovaAccounts iovas) {
    this.state = state;
    this.iovas = iovas;
  }

  @Override
  public void onRead(
      int requesterId, long address, long pa, byte[] data, int offset, int lengthBytes, long atPs) {
    DeviceShadow device = deviceOf(requesterId, address, lengthBytes, atPs);
    long iova = device == null ? address : device.busAddress(address, lengthBytes, pa);
    boolean isOwnCache = iova != address;
    ShadowMapping mapping =
        device == null ? null : check(device, iova, pa, lengthBytes, false, isOwnCache, atPs);
    if (device == null || mapping == null) {
      return;
    }
    long originalPa = mapping.originalPa(iova);
    if (mapping.kind == MappingKind.COHERENT) {
      for (RingShadow ring : device.rings()) {
        ring.onFetch(originalPa, lengthBytes, data, offset, atPs);
      }
    }
    long unwrittenPa = state.written.firstUnwritten(originalPa, lengthBytes);
    if (unwrittenPa >= 0 && mapping.permits(false)) {
      state.written.add(originalPa, lengthBytes); // Once is enough.
      String detail = "the first such byte is at pa " + Text.hex(unwrittenPa);
      report(DmaViolation.DEVICE_READ_UNWRITTEN, detail, mapping, iova, pa, lengthBytes, atPs);
    }
  }

  @Override
  public void onWrite(
      int requesterId, long address, long pa, byte[] data, int offset, int lengthBytes, long atPs) {
    DeviceShadow device = deviceOf(requesterId, address, lengthBytes, atPs);
    long iova = device == null ? address : device.busAddress(address, lengthBytes, pa);
    boolean isOwnCache = iova != address;
    ShadowMapping mapping =
        device == null ? null : check(device, iova, pa, lengthBytes, true, isOwnCache, atPs);
    if (device == null || mapping == null) {
      state.written.add(pa, lengthBytes);
      return;
    }
    long originalPa = mapping.originalPa(iova);
    state.written.add(originalPa, lengthBytes);
    mapping.lastWritePs = Math.max(mapping.lastWritePs, atPs);
    if (mapping.kind == MappingKind.COHERENT) {
      device.addCompletion(new UnseenWrites.Write(device, originalPa, lengthBytes, atPs));
      for (RingShadow ring : device.rings()) {
        ring.onDeviceWrite(originalPa, lengthBytes, atPs);
      }
    } else {
      state.unseen.add(new UnseenWrites.Write(device, pa, lengthBytes, atPs));
    }
  }

  @Override
  public void onRefused(int requesterId, long iova, int lengthBytes, boolean isWrite, long atPs) {
    DeviceShadow device = deviceOf(requesterId, iova, lengthBytes, atPs);
    if (device == null) {
      return;
    }
    device.beginAccess(iova, lengthBytes);
    ShadowMapping mapping = live(device, iova, lengthBytes, isWrite, atPs);
    if (mapping == null) {
      reportMiss(device, iova, -1, lengthBytes, isWrite, false, atPs);
    } else if (!mapping.permits(isWrite)) {
      reportDirection(mapping, iova, -1, lengthBytes, isWrite, atPs);
    }
  }

  @Override
  public void onMessage(int requesterId, long atPs) {
    for (DeviceShadow device : state.devicesOf(requesterId)) {
      device.addMessage(atPs);
    }
  }

  @Override
  public void onRegisterRead(int requesterId, long atPs) {
    for (DeviceShadow device : state.devicesOf(requesterId)) {
      device.announce(atPs);
    }
  }

  @Override
  public void onRegisterWrite(int requesterId, long atPs) {
    for (DeviceShadow device : state.devicesOf(requesterId)) {
      device.tell(atPs);
      for (RingShadow ring : device.rings()) {
        ring.onDoorbell(atPs);
      }
    }
  }

  /** Returns whose access it is; null if it cannot be one of a device that is watched. */
  private @Nullable DeviceShadow deviceOf(int requesterId, long iova, int lengthBytes, long atPs) {
    List<DeviceShadow> candidates = state.devicesOf(requesterId);
    if (!candidates.isEmpty() && candidates.get(0).requesterId() >= 0) {
      return concerned(candidates, iova, lengthBytes, atPs);
    }
    for (DeviceShadow device : candidates) {
      for (ShadowMapping mapping : device.touching(iova, lengthBytes)) {
        if (mapping.isLiveAt(atPs)) {
          // Rings are the device's own, so the requester is known from here on.
          if (mapping.kind == MappingKind.COHERENT) {
            device.identify(requesterId);
          }
          return device;
        }
      }
    }
    return null;
  }

  /**
   * Returns which driver of a device an access concerns, oldest first: the one that has something
   * mapped there, the last that had, or the last of all.
   */
  private static DeviceShadow concerned(
      List<DeviceShadow> drivers, long iova, int lengthBytes, long atPs) {
    DeviceShadow last = drivers.get(drivers.size() - 1);
    if (drivers.size() == 1) {
      return last;
    }
    DeviceShadow lastThere = null;
    for (DeviceShadow driver : drivers) {
      for (ShadowMapping mapping : driver.touching(iova, lengthBytes)) {
        if (mapping.isLiveAt(atPs)) {
          return driver;
        }
        lastThere = driver;
      }
    }
    return lastThere == null ? last : lastThere;
  }

  /** Returns the mapping that an access hits, null if there is none, which has been reported. */
  private @Nullable ShadowMapping check(
      DeviceShadow device,
      long iova,
      long pa,
      int lengthBytes,
      boolean isWrite,
      boolean isOwnCache,
      long atPs) {
    device.beginAccess(iova, lengthBytes);
    boolean isStale = false;
    for (DeviceShadow driver : state.devicesOf(device.requesterId())) {
      isStale |= driver.takeStale(iova);
    }
    ShadowMapping mapping = live(device, iova, lengthBytes, isWrite, atPs);
    if (mapping == null) {
      reportMiss(device, iova, pa, lengthBytes, isWrite, isStale || isOwnCache, atPs);
      return null;
    }
    if (atPs >= mapping.lastAccessPs) {
      mapping.lastAccessPs = atPs;
      mapping.lastAccessIova = iova;
      mapping.lastAccessBytes = lengthBytes;
    }
    long originalPa = mapping.originalPa(iova);
    // If the mapping has been ended meanwhile, tables are as they are to be after this access.
    if (isStale && mapping.isLive()) {
      String detail = verb(isWrite) + " by a translation that the tables no longer hold";
      DmaViolation violation = DmaViolation.PTE_CHANGED_WITHOUT_INVALIDATION;
      report(violation, detail, mapping, iova, pa, lengthBytes, atPs);
    }
    if (state.freed.contains(originalPa, lengthBytes, atPs)) {
      DmaViolation violation = DmaViolation.DEVICE_ACCESS_FREED_MEMORY;
      report(violation, verb(isWrite), mapping, iova, pa, lengthBytes, atPs);
    } else if (!mapping.permits(isWrite)) {
      reportDirection(mapping, iova, pa, lengthBytes, isWrite, atPs);
    } else if (mapping.isStreaming() && mapping.isHostOwned(originalPa, lengthBytes, atPs)) {
      checkTaken(mapping, iova, pa, lengthBytes, isWrite, atPs);
    }
    return mapping;
  }

  /**
   * The host has a part that the device uses. A driver may look at what the device still has from
   * an order before, and cannot know when the device writes; but it gives the part back before it
   * orders anything more, or looks again.
   */
  private void checkTaken(
      ShadowMapping mapping, long iova, long pa, int lengthBytes, boolean isWrite, long atPs) {
    if (isWrite && mapping.device.toldPs() < mapping.hostOwnedSincePs()) {
      mapping.noteUseWhileTaken(new ShadowMapping.Use(iova, pa, lengthBytes, atPs));
    } else {
      DmaViolation violation = DmaViolation.SYNC_FOR_DEVICE_MISSING;
      report(violation, verb(isWrite), mapping, iova, pa, lengthBytes, atPs);
    }
  }

  /** Returns the mapping that holds all of a range at a time, one that permits it if possible. */
  private static @Nullable ShadowMapping live(
      DeviceShadow device, long iova, int lengthBytes, boolean isWrite, long atPs) {
    ShadowMapping found = null;
    for (ShadowMapping mapping : device.touching(iova, lengthBytes)) {
      if (mapping.isLiveAt(atPs) && mapping.containsIova(iova, lengthBytes)) {
        if (mapping.permits(isWrite)) {
          return mapping;
        }
        found = mapping;
      }
    }
    return found;
  }

  /** An access hits no mapping: tells which it comes after, or beside which it lies. */
  private void reportMiss(
      DeviceShadow device,
      long iova,
      long pa,
      int lengthBytes,
      boolean isWrite,
      boolean isStale,
      long atPs) {
    DmaViolation violation = DmaViolation.DEVICE_ACCESS_UNMAPPED;
    ShadowMapping concerned = null;
    long firstPage = iova & -PAGE_BYTES;
    long endPage = iova + lengthBytes + PAGE_BYTES - 1 & -PAGE_BYTES;
    for (ShadowMapping mapping : device.touching(firstPage, endPage - firstPage)) {
      boolean isLive = mapping.isLiveAt(atPs);
      boolean isTouched = mapping.overlapsIova(iova, lengthBytes);
      boolean isEnded = !mapping.isLive() && mapping.madeBy.atPs() <= atPs;
      if (isLive && isTouched) {
        violation = DmaViolation.DEVICE_ACCESS_BEYOND_MAPPING;
        concerned = mapping;
        break;
      }
      if (isTouched && isEnded) {
        violation =
            isStale
                ? DmaViolation.DEVICE_ACCESS_AFTER_UNMAP_CACHED
                : DmaViolation.DEVICE_ACCESS_AFTER_UNMAP;
        concerned = mapping;
      } else if (isLive && violation == DmaViolation.DEVICE_ACCESS_UNMAPPED) {
        violation = DmaViolation.DEVICE_ACCESS_BEYOND_MAPPING;
        concerned = mapping;
      }
    }
    if (!device.isNewFault(violation)) {
      return;
    }
    String detail =
        verb(isWrite)
            + (pa < 0 ? ", refused" : "")
            + (concerned == null ? "" : after(concerned, atPs))
            + (concerned == null || !concerned.isLive() ? iovas.describe(device, iova) : "");
    state.report(violation, device, atPs, detail, iova, pa, lengthBytes, null, concerned);
  }

  /** Returns how long a mapping had been ended at a time, in words; nothing if it had not. */
  private static String after(ShadowMapping mapping, long atPs) {
    CallSite end = mapping.endedBy;
    return end == null || end.atPs() > atPs
        ? ""
        : ", " + Text.ns(atPs - end.atPs()) + " after the memory was unmapped";
  }

  private void reportDirection(
      ShadowMapping mapping, long iova, long pa, int lengthBytes, boolean isWrite, long atPs) {
    String detail = verb(isWrite) + ", mapped " + mapping.direction + (pa < 0 ? ", refused" : "");
    DmaViolation violation = DmaViolation.DEVICE_ACCESS_WRONG_DIRECTION;
    report(violation, detail, mapping, iova, pa, lengthBytes, atPs);
  }

  private void report(
      DmaViolation violation,
      String detail,
      ShadowMapping mapping,
      long iova,
      long pa,
      int lengthBytes,
      long atPs) {
    if (mapping.device.isNewFault(violation)) {
      state.report(violation, mapping.device, atPs, detail, iova, pa, lengthBytes, null, mapping);
    }
  }

  private static String verb(boolean isWrite) {
    return isWrite ? "the device wrote" : "the device read";
  }
}
