package io.github.bellwire.dma.check;

import io.github.bellwire.cpu.CpuListener;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.MappingKind;
import java.util.List;

/** Checks what cores do with memory that devices know of. */
final class CpuChecks implements CpuListener {
  private static final int LINE_BYTES = 64;

  private final CheckerState state;

  CpuChecks(CheckerState state) {
    this.state = state;
  }

  @Override
  public void onLoad(int coreIndex, long pa, int lengthBytes, long atPs) {
    boolean isReported = false;
    for (ShadowMapping mapping : state.byPa.touching(pa, lengthBytes)) {
      if (mapping.kind == MappingKind.COHERENT) {
        state.acknowledge(mapping.device, pa, lengthBytes);
      } else if (mapping.direction != DmaDirection.TO_DEVICE
          && isTakenFromDevice(mapping, pa, lengthBytes, atPs)) {
        boolean isDone =
            mapping.lastWritePs >= 0 && mapping.device.isAnnounced(mapping.lastWritePs);
        DmaViolation violation =
            isDone ? DmaViolation.SYNC_FOR_CPU_MISSING : DmaViolation.CPU_ACCESS_DEVICE_OWNED;
        report(violation, "a load", mapping, coreIndex, pa, lengthBytes, atPs);
        isReported = true;
      }
    }
    if (!isReported) {
      checkAnnounced(coreIndex, pa, lengthBytes, atPs);
    }
  }

  private void checkAnnounced(int coreIndex, long pa, int lengthBytes, long atPs) {
    UnseenWrites.Write write =
        state.unseen.take(pa, lengthBytes, unseen -> isLookedAt(unseen, pa, lengthBytes));
    if (write == null) {
      return;
    }
    DeviceShadow device = write.device();
    String detail =
        "a load of what became or becomes visible at "
            + Text.ns(write.visiblePs())
            + "; no completion was loaded, no register read and no interrupt taken since";
    ShadowMapping mapping = device.lastAt(write.pa());
    state.report(
        DmaViolation.READ_BEFORE_COMPLETION,
        device,
        atPs,
        detail,
        mapping == null ? -1 : mapping.iova + (write.pa() - mapping.devicePa()),
        pa,
        lengthBytes,
        device.access(coreIndex, atPs),
        mapping);
  }

  /**
   * Returns whether a core looks at a write in a part of a live mapping that the driver has synced
   * for the host: what it finds there, it has been told. What is not visible yet, it does not find.
   * Copying from a bounce buffer by that sync is a look as well.
   */
  private boolean isLookedAt(UnseenWrites.Write write, long pa, int lengthBytes) {
    long fromPa = Math.max(pa, write.pa());
    long endPa = Math.min(pa + lengthBytes, write.pa() + write.lengthBytes());
    ShadowMapping mapping = write.device().lastAt(fromPa);
    if (mapping == null
        || !mapping.isLive()
        || !mapping.isStreaming()
        || mapping.isDeviceOwned(mapping.pa + (fromPa - mapping.devicePa()), endPa - fromPa)) {
      return false;
    }
    if (write.visiblePs() <= state.simulation.nowPs()) {
      state.announce(write.device(), write.visiblePs());
    }
    return true;
  }

  @Override
  public void onStore(int coreIndex, long pa, int lengthBytes, long atPs) {
    state.written.add(pa, lengthBytes);
    state.unseen.overwrite(pa, lengthBytes, atPs);
    long firstPa = pa & -LINE_BYTES;
    long endPa = pa + lengthBytes + LINE_BYTES - 1 & -LINE_BYTES;
    List<ShadowMapping> near = state.byPa.touching(firstPa, endPa - firstPa);
    for (ShadowMapping mapping : near) {
      if (!mapping.overlapsPa(pa, lengthBytes)) {
        checkLine(mapping, coreIndex, pa, lengthBytes, atPs);
      } else if (mapping.kind == MappingKind.COHERENT) {
        mapping.device.tell(atPs);
        for (RingShadow ring : mapping.device.rings()) {
          ring.onStore(pa, lengthBytes, coreIndex, atPs);
        }
      } else if (isTakenFromDevice(mapping, pa, lengthBytes, atPs)) {
        DmaViolation violation = DmaViolation.CPU_ACCESS_DEVICE_OWNED;
        report(violation, "a store", mapping, coreIndex, pa, lengthBytes, atPs);
      }
    }
  }

  /** A line that is invalidated later takes with it what was stored beside the buffer. */
  private void checkLine(
      ShadowMapping mapping, int coreIndex, long pa, int lengthBytes, long atPs) {
    if (!mapping.device.isCoherent()
        && mapping.isStreaming()
        && mapping.direction != DmaDirection.TO_DEVICE
        && mapping.madeBy.atPs() <= atPs) {
      DmaViolation violation = DmaViolation.CPU_WRITE_SHARED_LINE;
      report(violation, "a store beside the buffer", mapping, coreIndex, pa, lengthBytes, atPs);
    }
  }

  private static boolean isTakenFromDevice(
      ShadowMapping mapping, long pa, int lengthBytes, long atPs) {
    return mapping.isStreaming()
        && mapping.madeBy.atPs() <= atPs
        && mapping.isDeviceOwned(pa, lengthBytes);
  }

  private void report(
      DmaViolation violation,
      String detail,
      ShadowMapping mapping,
      int coreIndex,
      long pa,
      int lengthBytes,
      long atPs) {
    state.report(
        violation,
        mapping.device,
        atPs,
        detail + " by core " + coreIndex,
        mapping.iova + (pa - mapping.pa),
        pa,
        lengthBytes,
        mapping.device.access(coreIndex, atPs),
        mapping);
  }
}
