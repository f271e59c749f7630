package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.FaultCode;
import org.jspecify.annotations.Nullable;

/** Walks tables of one stage, whose format the device's entry chooses. */
final class StageWalker implements AddressWalk {
  private final WalkFaults faults;
  private final FaultCode denied;
  private final TableWalk[] walks;
  private final long overheadPs;

  private TableWalk last;
  private @Nullable FaultCode fault;
  private int rights;
  private long endPs;

  /**
   * Creates a walker.
   *
   * @param faults what goes wrong on the way is called
   * @param denied the lack of a right is called
   * @param walks by format
   * @param overheadPs of each walk
   */
  StageWalker(WalkFaults faults, FaultCode denied, TableWalk[] walks, long overheadPs) {
    this.faults = faults;
    this.denied = denied;
    this.walks = walks;
    this.overheadPs = overheadPs;
    last = walks[0];
  }

  @Override
  public boolean walk(DeviceContext context, long iova, boolean isWrite, long startPs) {
    fault = null;
    endPs = startPs + overheadPs;
    if (iova >>> context.inputBits != 0) {
      fault = faults.notPresent();
      return false;
    }
    last = walks[context.format];
    last.prepare(faults, false, null, context);
    int needed = context.neededRights(isWrite);
    boolean isFound =
        last.walk(
            context.secondRoot, context.secondLevels, iova, context.tag, isWrite, needed, endPs);
    endPs = last.endPs();
    fault = last.fault();
    if (isFound) {
      rights = last.rights() & context.deviceRights;
      if ((rights & needed) == 0) {
        fault = denied;
      }
    }
    return fault == null;
  }

  @Override
  public @Nullable FaultCode fault() {
    return fault;
  }

  @Override
  public long pagePa() {
    return last.pagePa();
  }

  @Override
  public int pageShift() {
    return last.pageShift();
  }

  @Override
  public int rights() {
    return rights;
  }

  @Override
  public boolean isDirty() {
    return true;
  }

  @Override
  public long endPs() {
    return endPs;
  }
}
