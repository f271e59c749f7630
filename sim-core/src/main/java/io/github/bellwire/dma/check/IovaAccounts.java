package io.github.bellwire.dma.check;

import io.github.bellwire.dma.TranslationListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What an IOMMU and its driver tell: stale translations, flushes, and bus addresses in use. */
final class IovaAccounts implements TranslationListener {
  /** Longer than a flush queue keeps addresses: twice its 10 ms in Linux 6.12. */
  private static final long GRACE_PS = 20_000_000_000L;

  /**
   * A range of bus addresses.
   *
   * @param requesterId a device of the domain
   * @param lengthBytes at least 1
   * @param sincePs when it was allocated
   * @param awaitsFlushPs when it began to wait for a flush, -1 if it does not
   */
  private record Range(int requesterId, long lengthBytes, long sincePs, long awaitsFlushPs) {}

  private final CheckerState state;
  // By requester, so that domains do not mix.
  private final TreeMap<Integer, TreeMap<Long, Range>> allocated = new TreeMap<>();

  IovaAccounts(CheckerState state) {
    this.state = state;
  }

  @Override
  public void onStaleTranslation(int requesterId, long iova, long atPs) {
    for (DeviceShadow device : state.devicesOf(requesterId)) {
      device.expectStale(iova);
    }
  }

  @Override
  public void onChangeWithoutInvalidation(int requesterId, long iova, long lengthBytes, long atPs) {
    for (DeviceShadow device : last(state.devicesOf(requesterId))) {
      state.report(
          DmaViolation.PTE_CHANGED_WITHOUT_INVALIDATION,
          device,
          atPs,
          "the IOMMU driver went on",
          iova,
          -1,
          (int) Math.min(Integer.MAX_VALUE, lengthBytes),
          null,
          lastOf(device.touching(iova, 1)));
    }
  }

  @Override
  public void onIovaAllocated(int requesterId, long iova, long lengthBytes, long atPs) {
    allocated
        .computeIfAbsent(requesterId, id -> new TreeMap<>())
        .put(iova, new Range(requesterId, lengthBytes, atPs, -1));
  }

  @Override
  public void onFlushAwaited(int requesterId, long iova, long atPs) {
    TreeMap<Long, Range> ranges = allocated.get(requesterId);
    if (ranges != null) {
      ranges.computeIfPresent(
          iova,
          (first, range) -> new Range(requesterId, range.lengthBytes(), range.sincePs(), atPs));
    }
  }

  @Override
  public void onIovaFreed(int requesterId, long iova, long atPs) {
    TreeMap<Long, Range> ranges = allocated.get(requesterId);
    if (ranges != null) {
      ranges.remove(iova);
    }
  }

  @Override
  public void onGlobalFlush(int requesterId, long changesCount, long atPs) {
    if (changesCount == 0) {
      for (DeviceShadow device : last(state.devicesOf(requesterId))) {
        state.report(
            DmaViolation.NEEDLESS_GLOBAL_FLUSH,
            device,
            atPs,
            "no entry had changed since the flush before",
            -1,
            -1,
            0,
            null,
            null);
      }
    }
  }

  /** {@return what has become of a bus address, in words; nothing if no IOMMU translates it} */
  String describe(DeviceShadow device, long iova) {
    TreeMap<Long, Range> ranges = allocated.get(device.requesterId());
    if (ranges == null) {
      return "";
    }
    Map.Entry<Long, Range> below = ranges.floorEntry(iova);
    if (below == null || iova - below.getKey() >= below.getValue().lengthBytes()) {
      return "; nobody has allocated the bus address";
    }
    long awaitsFlushPs = below.getValue().awaitsFlushPs();
    return awaitsFlushPs < 0
        ? "; the bus address is still allocated"
        : "; the bus address waits for a lazy flush since " + Text.ns(awaitsFlushPs);
  }

  /** Reports the ranges in which nothing has been mapped for a while; each once. */
  void audit(long nowPs) {
    for (TreeMap<Long, Range> ranges : allocated.values()) {
      List<Long> leaked = new ArrayList<>();
      ranges.forEach(
          (iova, range) -> {
            if (isLeaked(iova, range, nowPs)) {
              leaked.add(iova);
            }
          });
      for (long iova : leaked) {
        report(iova, ranges.remove(iova), nowPs);
      }
    }
  }

  private boolean isLeaked(long iova, Range range, long nowPs) {
    if (nowPs - range.sincePs() < GRACE_PS) {
      return false;
    }
    for (DeviceShadow device : state.devicesOf(range.requesterId())) {
      for (ShadowMapping mapping : device.touching(iova, range.lengthBytes())) {
        CallSite end = mapping.endedBy;
        if (end == null || nowPs - end.atPs() < GRACE_PS) {
          return false;
        }
      }
    }
    return true;
  }

  private void report(long iova, Range range, long nowPs) {
    for (DeviceShadow device : last(state.devicesOf(range.requesterId()))) {
      state.report(
          DmaViolation.IOVA_LEAK,
          device,
          nowPs,
          "allocated at " + Text.ns(range.sincePs()),
          iova,
          -1,
          (int) Math.min(Integer.MAX_VALUE, range.lengthBytes()),
          null,
          lastOf(device.touching(iova, range.lengthBytes())));
    }
  }

  /** Returns the driver that a device has at present, or none. */
  private static List<DeviceShadow> last(List<DeviceShadow> devices) {
    return devices.isEmpty() ? devices : devices.subList(devices.size() - 1, devices.size());
  }

  private static @Nullable ShadowMapping lastOf(List<ShadowMapping> mappings) {
    return mappings.isEmpty() ? null : mappings.get(mappings.size() - 1);
  }
}
