package io.github.bellwire.dma.check;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What all checks share: devices, their mappings, memory, and the log. */
final class CheckerState {
  /**
   * Memory that must not be mapped.
   *
   * @param kind why
   * @param pa first byte
   * @param lengthBytes at least 1
   */
  record Region(MemoryKind kind, long pa, long lengthBytes) {}

  final Simulation simulation;
  final ReportLog log;
  final WrittenBytes written;
  final FreedPages freed = new FreedPages();
  final UnseenWrites unseen = new UnseenWrites();

  /** Live mappings of all devices by the addresses of their originals. */
  final MappingIndex byPa = new MappingIndex(mapping -> mapping.pa);

  final List<DeviceShadow> devices = new ArrayList<>();
  final List<Region> regions = new ArrayList<>();

  CheckerState(Simulation simulation, PhysicalMemory memory, int reportsMax) {
    this.simulation = simulation;
    log = new ReportLog(reportsMax);
    written = new WrittenBytes(memory);
  }

  /**
   * {@return the devices that a requester may be: those whose ID it is, or all whose ID nobody has
   * told}
   */
  List<DeviceShadow> devicesOf(int requesterId) {
    List<DeviceShadow> own = new ArrayList<>(1);
    List<DeviceShadow> unknown = new ArrayList<>(1);
    for (DeviceShadow device : devices) {
      if (device.requesterId() == requesterId) {
        own.add(device);
      } else if (device.requesterId() < 0) {
        unknown.add(device);
      }
    }
    return own.isEmpty() ? unknown : own;
  }

  /**
   * A core has loaded coherent memory of a device: all drivers of the device know what it tells.
   */
  void acknowledge(DeviceShadow device, long pa, long bytes) {
    announce(device, device.acknowledge(pa, bytes, simulation.nowPs()));
  }

  /** Software knows of everything that a device had made visible by a time: all of its drivers. */
  void announce(DeviceShadow device, long announcedPs) {
    device.announce(announcedPs);
    if (device.requesterId() >= 0) {
      for (DeviceShadow other : devices) {
        if (other != device && other.requesterId() == device.requesterId()) {
          other.announce(announcedPs);
        }
      }
    }
  }

  /**
   * Counts a violation and explains it.
   *
   * @param iova bus address, -1 if none
   * @param pa host physical address, -1 if none
   * @param by who called, null if nobody did
   * @param mapping the mapping concerned, null if none
   */
  void report(
      DmaViolation violation,
      DeviceShadow device,
      long timePs,
      String detail,
      long iova,
      long pa,
      int lengthBytes,
      @Nullable CallSite by,
      @Nullable ShadowMapping mapping) {
    log.add(
        violation,
        () -> {
          ShadowMapping nearest = device.nearestLive(iova, mapping);
          return new DmaReport(
              violation,
              device.name(),
              timePs,
              detail,
              iova,
              pa,
              lengthBytes,
              mapping == null || iova < 0 ? 0 : iova - mapping.iova,
              by,
              mapping == null ? null : mapping.toInfo(),
              nearest == null ? null : nearest.toInfo());
        });
  }
}
