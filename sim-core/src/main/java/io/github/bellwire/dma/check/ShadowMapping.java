package io.github.bellwire.dma.check;

import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.MappingKind;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/** What the checker knows of one mapping, from the call that makes it on. */
final class ShadowMapping {
  /**
   * A write of the device.
   *
   * @param iova bus address of the first byte
   * @param pa where the device's first byte lies
   * @param lengthBytes at least 1
   * @param atPs when it becomes visible
   */
  record Use(long iova, long pa, int lengthBytes, long atPs) {}

  final DeviceShadow device;
  final MappingKind kind;
  final long iova;
  final long pa;
  final long bouncePa;
  final int lengthBytes;
  final DmaDirection direction;
  final CallSite madeBy;
  @Nullable CallSite endedBy;
  boolean isErrorChecked;

  /** The device's access that took or takes effect last. */
  long lastAccessPs = -1;

  long lastAccessIova;
  int lastAccessBytes;

  /** The device's write that became or becomes visible last. */
  long lastWritePs = -1;

  private @Nullable BitSet hostOwned;
  private long hostOwnedSincePs;
  private @Nullable Use useWhileTaken;

  ShadowMapping(
      DeviceShadow device,
      MappingKind kind,
      long iova,
      long pa,
      long bouncePa,
      int lengthBytes,
      DmaDirection direction,
      CallSite madeBy) {
    this.device = device;
    this.kind = kind;
    this.iova = iova;
    this.pa = pa;
    this.bouncePa = bouncePa;
    this.lengthBytes = lengthBytes;
    this.direction = direction;
    this.madeBy = madeBy;
  }

  /** {@return whether it changes hands: memory that is neither coherent nor shared for good} */
  boolean isStreaming() {
    return kind == MappingKind.SINGLE || kind == MappingKind.SCATTER;
  }

  boolean isLive() {
    return endedBy == null;
  }

  /** {@return whether it was there at a time, however far the driver has come since} */
  boolean isLiveAt(long ps) {
    CallSite end = endedBy;
    return madeBy.atPs() <= ps && (end == null || ps < end.atPs());
  }

  boolean containsIova(long address, int bytes) {
    return address >= iova && address - iova <= (long) lengthBytes - bytes;
  }

  boolean overlapsIova(long address, long bytes) {
    return address < iova + lengthBytes && iova < address + bytes;
  }

  boolean overlapsPa(long address, long bytes) {
    return address < pa + lengthBytes && pa < address + bytes;
  }

  boolean permits(boolean isWrite) {
    return direction != (isWrite ? DmaDirection.TO_DEVICE : DmaDirection.FROM_DEVICE);
  }

  /** {@return where the original of a byte lies that the device knows by another address} */
  long originalPa(long address) {
    return pa + (address - iova);
  }

  /** {@return where the device's first byte lies: in the copy, if there is one} */
  long devicePa() {
    return bouncePa >= 0 ? bouncePa : pa;
  }

  boolean holdsDevicePa(long address) {
    return devicePa() <= address && address < devicePa() + lengthBytes;
  }

  void giveToHost(int offsetBytes, int bytes, long atPs) {
    BitSet owned = hostOwned;
    if (owned == null) {
      owned = new BitSet(lengthBytes);
      hostOwned = owned;
    }
    owned.set(offsetBytes, offsetBytes + bytes);
    hostOwnedSincePs = atPs;
  }

  /** {@return when the host got a part last; meaningful if it owns one} */
  long hostOwnedSincePs() {
    return hostOwnedSincePs;
  }

  /** The device has used a part that the host has, which is a mistake if it is never given back. */
  void noteUseWhileTaken(Use use) {
    useWhileTaken = useWhileTaken == null ? use : useWhileTaken;
  }

  /** {@return the first such use in a part that the host still has; it is forgotten then} */
  @Nullable Use takeUseWhileTaken(int offsetBytes, int bytes) {
    Use use = useWhileTaken;
    if (use == null
        || use.iova >= iova + offsetBytes + bytes
        || use.iova + use.lengthBytes <= iova + offsetBytes) {
      return null;
    }
    useWhileTaken = null;
    return use;
  }

  void giveToDevice(int offsetBytes, int bytes) {
    takeUseWhileTaken(offsetBytes, bytes);
    if (hostOwned != null) {
      hostOwned.clear(offsetBytes, offsetBytes + bytes);
    }
  }

  /** {@return whether the host owns any byte of a range of original memory at a time} */
  boolean isHostOwned(long address, long bytes, long atPs) {
    BitSet owned = hostOwned;
    if (owned == null || atPs < hostOwnedSincePs) {
      return false;
    }
    int next = owned.nextSetBit(offset(address));
    return next >= 0 && next < endOffset(address, bytes);
  }

  /** {@return whether the device owns any byte of a range of original memory} */
  boolean isDeviceOwned(long address, long bytes) {
    BitSet owned = hostOwned;
    return owned == null || owned.nextClearBit(offset(address)) < endOffset(address, bytes);
  }

  private int offset(long address) {
    return (int) Math.max(0, address - pa);
  }

  private int endOffset(long address, long bytes) {
    return (int) Math.min(lengthBytes, address + bytes - pa);
  }

  MappingInfo toInfo() {
    return new MappingInfo(
        device.name(), kind, iova, pa, lengthBytes, direction, bouncePa >= 0, madeBy, endedBy);
  }
}
