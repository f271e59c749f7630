package io.github.bellwire.examples.dmacheck;

import static io.github.bellwire.dma.DmaDirection.BIDIRECTIONAL;
import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.ScatterList;
import io.github.bellwire.dma.check.DmaViolation;
import java.util.List;
import java.util.function.ToLongFunction;

/** Wrong calls of the DMA API. */
final class ApiBugs {
  private static final int BYTES = 512;

  /** A translation whose addresses are all taken. */
  private static final DmaMapper FULL =
      new DmaMapper() {
        @Override
        public boolean reaches(long pa, int lengthBytes, long mask) {
          return true;
        }

        @Override
        public long map(CpuPort port, long pa, int lengthBytes, DmaDirection direction, long mask) {
          return MAPPING_ERROR;
        }

        @Override
        public void unmap(CpuPort port, long iova, int lengthBytes, DmaDirection direction) {}
      };

  private ApiBugs() {}

  static List<DriverBug> all() {
    return List.of(
        DriverBug.of(
            DmaViolation.DEVICE_UNBOUND_WITH_MAPPINGS,
            m -> m.map(m.allocate(BYTES), BYTES, FROM_DEVICE),
            m -> m.unmap(m.map(m.allocate(BYTES), BYTES, FROM_DEVICE), BYTES, FROM_DEVICE)),
        DriverBug.of(
            DmaViolation.UNMAP_ERROR_ADDRESS,
            m -> mapWithoutRoom(m, true),
            m -> mapWithoutRoom(m, false)),
        DriverBug.of(DmaViolation.UNMAP_NOT_MAPPED, m -> unmapTimes(m, 2), m -> unmapTimes(m, 1)),
        DriverBug.of(
            DmaViolation.UNMAP_WRONG_SIZE, m -> unmapAs(m, 500, FROM_DEVICE), ApiBugs::unmapWell),
        DriverBug.of(
            DmaViolation.UNMAP_WRONG_DIRECTION,
            m -> unmapAs(m, BYTES, BIDIRECTIONAL),
            ApiBugs::unmapWell),
        DriverBug.of(
            DmaViolation.UNMAP_WRONG_FUNCTION,
            m -> m.unmap(mappedList(m).iova(0), 2 * BYTES, TO_DEVICE),
            m -> m.dma.unmapScatterList(m.cpu, mappedList(m), TO_DEVICE)),
        DriverBug.of(
            DmaViolation.UNMAP_WRONG_SEGMENT_COUNT,
            m -> unmapList(m, ScatterList::mappedCount),
            m -> unmapList(m, ScatterList::segmentCount)),
        DriverBug.of(
            DmaViolation.FREE_WRONG_CPU_ADDRESS, m -> freeCoherent(m, 64), m -> freeCoherent(m, 0)),
        DriverBug.of(
            DmaViolation.MAPPING_ERROR_UNCHECKED,
            m ->
                m.unmap(
                    m.dma.mapSingle(m.cpu, m.allocate(BYTES), BYTES, FROM_DEVICE),
                    BYTES,
                    FROM_DEVICE),
            ApiBugs::unmapWell),
        DriverBug.of(
            DmaViolation.SYNC_NOT_MAPPED, m -> sync(m, true, false), m -> sync(m, false, false)),
        DriverBug.of(
            DmaViolation.SYNC_OUTSIDE_MAPPING,
            m -> sync(m, false, true),
            m -> sync(m, false, false)),
        DriverBug.of(
            DmaViolation.SYNC_WRONG_DIRECTION,
            m -> syncForCpu(m, FROM_DEVICE, BIDIRECTIONAL),
            m -> syncForCpu(m, FROM_DEVICE, FROM_DEVICE)),
        DriverBug.of(
            DmaViolation.SYNC_FOR_CPU_OF_TO_DEVICE,
            m -> syncForCpu(m, TO_DEVICE, FROM_DEVICE),
            m -> syncForCpu(m, FROM_DEVICE, FROM_DEVICE)),
        DriverBug.of(
            DmaViolation.SYNC_FOR_DEVICE_OF_FROM_DEVICE,
            m -> syncForDevice(m, FROM_DEVICE, TO_DEVICE),
            m -> syncForDevice(m, TO_DEVICE, TO_DEVICE)),
        DriverBug.of(
            DmaViolation.SYNC_WRONG_SEGMENT_COUNT,
            m -> syncList(m, ScatterList::mappedCount),
            m -> syncList(m, ScatterList::segmentCount)));
  }

  private static void mapWithoutRoom(BugMachine m, boolean unmapsAnyway) {
    DmaDevice device = m.newDevice(FULL, null);
    BugMachine.setMasks(device, Long.SIZE);
    long iova = device.mapSingle(m.cpu, m.allocate(BYTES), BYTES, FROM_DEVICE);
    if (!device.isMappingError(iova) || unmapsAnyway) {
      device.unmapSingle(m.cpu, iova, BYTES, FROM_DEVICE);
    }
  }

  private static void unmapTimes(BugMachine m, int times) {
    long iova = m.map(m.allocate(BYTES), BYTES, FROM_DEVICE);
    for (int i = 0; i < times; i++) {
      m.unmap(iova, BYTES, FROM_DEVICE);
    }
  }

  private static void unmapWell(BugMachine m) {
    unmapTimes(m, 1);
  }

  private static void unmapAs(BugMachine m, int bytes, DmaDirection direction) {
    m.unmap(m.map(m.allocate(BYTES), BYTES, FROM_DEVICE), bytes, direction);
  }

  /** Two segments that become one. */
  private static ScatterList mappedList(BugMachine m) {
    ScatterList list = BugMachine.list(m.allocate(2 * BYTES), BYTES, BYTES);
    m.dma.mapScatterList(m.cpu, list, TO_DEVICE);
    return list;
  }

  private static void unmapList(BugMachine m, ToLongFunction<ScatterList> count) {
    ScatterList list = mappedList(m);
    m.dma.unmapScatterList(m.cpu, list, (int) count.applyAsLong(list), TO_DEVICE);
  }

  private static void syncList(BugMachine m, ToLongFunction<ScatterList> count) {
    ScatterList list = BugMachine.list(m.allocate(2 * BYTES), BYTES, BYTES);
    m.dma.mapScatterList(m.cpu, list, FROM_DEVICE);
    m.dma.syncScatterListForCpu(m.cpu, list, (int) count.applyAsLong(list), FROM_DEVICE);
    m.dma.unmapScatterList(m.cpu, list, FROM_DEVICE);
  }

  private static void freeCoherent(BugMachine m, long offset) {
    CoherentBuffer buffer = m.allocateCoherent(m.dma, BYTES);
    m.dma.freeCoherent(m.cpu, new CoherentBuffer(buffer.pa() + offset, buffer.iova(), BYTES));
  }

  private static void sync(BugMachine m, boolean isTooLate, boolean isTooLong) {
    long iova = m.map(m.allocate(BYTES), BYTES, FROM_DEVICE);
    if (isTooLate) {
      m.unmap(iova, BYTES, FROM_DEVICE);
    }
    m.dma.syncForCpu(m.cpu, iova, 0, isTooLong ? 2 * BYTES : BYTES, FROM_DEVICE);
    if (!isTooLate) {
      m.unmap(iova, BYTES, FROM_DEVICE);
    }
  }

  private static void syncForCpu(BugMachine m, DmaDirection mapped, DmaDirection synced) {
    long iova = m.map(m.allocate(BYTES), BYTES, mapped);
    m.dma.syncForCpu(m.cpu, iova, 0, BYTES, synced);
    m.unmap(iova, BYTES, mapped);
  }

  private static void syncForDevice(BugMachine m, DmaDirection mapped, DmaDirection synced) {
    long iova = m.map(m.allocate(BYTES), BYTES, mapped);
    m.dma.syncForDevice(m.cpu, iova, 0, BYTES, synced);
    m.unmap(iova, BYTES, mapped);
  }
}
