package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.iommu.layout.FaultReason;
import org.jspecify.annotations.Nullable;

/** Walks a device's tables of VT-d: one level, the other, or both. */
final class PageWalker implements AddressWalk {
  private static final int READ = PageTableFormat.READ;
  private static final int WRITE = PageTableFormat.WRITE;
  private static final int USER = PageTableFormat.USER;
  private static final int SUPERVISOR_WRITE = PageTableFormat.SUPERVISOR_WRITE;

  private final TableWalk secondLevel;
  private final TableWalk firstLevel;
  private final long overheadPs;

  private @Nullable FaultCode fault;
  private long pagePa;
  private int pageShift;
  private int rights;
  private boolean isDirty;
  private long endPs;

  PageWalker(
      TranslationConfig config,
      TableReader reader,
      TranslationCaches caches,
      TranslationStatistics statistics) {
    TranslationConfig.Capabilities capabilities = config.capabilities();
    secondLevel = new TableWalk(new SecondLevelFormat(capabilities), reader, caches, statistics);
    firstLevel = new TableWalk(new FirstLevelFormat(capabilities), reader, caches, statistics);
    overheadPs = config.walkers().overheadPs();
  }

  @Override
  public boolean walk(DeviceContext context, long iova, boolean isWrite, long startPs) {
    fault = null;
    endPs = startPs + overheadPs;
    if (context.firstLevels == 0) {
      walkSecondLevel(context, iova, isWrite);
    } else if (isCanonical(iova, context.firstLevels)) {
      walkFirstLevel(context, iova, isWrite);
    } else {
      fault = FaultReason.ADDRESS_NOT_CANONICAL;
    }
    return fault == null;
  }

  @Override
  public @Nullable FaultCode fault() {
    return fault;
  }

  @Override
  public long pagePa() {
    return pagePa;
  }

  @Override
  public int pageShift() {
    return pageShift;
  }

  @Override
  public int rights() {
    return rights;
  }

  @Override
  public boolean isDirty() {
    return isDirty;
  }

  @Override
  public long endPs() {
    return endPs;
  }

  private void walkSecondLevel(DeviceContext context, long iova, boolean isWrite) {
    if (isBeyond(iova, context.secondLevels)) {
      fault =
          context.isLegacy
              ? FaultReason.ADDRESS_BEYOND_WIDTH
              : FaultReason.SCALABLE_ADDRESS_BEYOND_WIDTH;
      return;
    }
    WalkFaults legacy = isWrite ? WalkFaults.LEGACY_WRITE : WalkFaults.LEGACY;
    WalkFaults faults = context.isLegacy ? legacy : WalkFaults.SECOND_LEVEL;
    secondLevel.prepare(faults, context.marksSecondLevel, null, context);
    int needed = isWrite ? WRITE : READ;
    if (!step(
        secondLevel,
        context.secondRoot,
        context.secondLevels,
        iova,
        context.tag,
        isWrite,
        needed)) {
      return;
    }
    take(
        secondLevel.pagePa(), secondLevel.pageShift(), secondLevel.rights(), secondLevel.isDirty());
    if ((rights & needed) == 0) {
      fault = denied(context.isLegacy, isWrite);
    }
  }

  private void walkFirstLevel(DeviceContext context, long iova, boolean isWrite) {
    boolean isNested = context.kind == DeviceContext.Kind.NESTED;
    secondLevel.prepare(WalkFaults.SECOND_LEVEL, context.marksSecondLevel, null, context);
    firstLevel.prepare(WalkFaults.FIRST_LEVEL, true, isNested ? secondLevel : null, context);
    int needed = context.neededRights(isWrite) & ~SUPERVISOR_WRITE;
    if (!step(
        firstLevel, context.firstRoot, context.firstLevels, iova, context.tag, isWrite, needed)) {
      return;
    }
    int firstRights = firstLevel.rights();
    take(firstLevel.pagePa(), firstLevel.pageShift(), firstRights, firstLevel.isDirty());
    if ((needed & USER & ~firstRights) != 0) {
      fault = FaultReason.USER_DENIED;
    } else if ((needed & WRITE & ~firstRights) != 0) {
      fault = FaultReason.SCALABLE_WRITE_DENIED;
    } else if (isNested) {
      walkPageOfFirstLevel(context, iova, isWrite);
    }
  }

  /** The page of the first level is one of the second level's addresses. */
  private void walkPageOfFirstLevel(DeviceContext context, long iova, boolean isWrite) {
    int firstShift = pageShift;
    long address = pagePa | iova & (1L << firstShift) - 1;
    if (isBeyond(address, context.secondLevels)) {
      fault = FaultReason.FIRST_LEVEL_PAGE_BEYOND_SECOND;
      return;
    }
    int needed = isWrite ? WRITE : READ;
    long tag = EntryTag.ofDomain(context.domainId);
    if (!step(
        secondLevel, context.secondRoot, context.secondLevels, address, tag, isWrite, needed)) {
      return;
    }
    int shift = Math.min(firstShift, secondLevel.pageShift());
    long inSecond = address & (1L << secondLevel.pageShift()) - 1 & -1L << shift;
    int secondRights = secondLevel.rights();
    int both = rights & secondRights & (READ | WRITE) | rights & USER;
    boolean wasDirty = isDirty;
    take(secondLevel.pagePa() | inSecond, shift, both, wasDirty && secondLevel.isDirty());
    rights = (secondRights & WRITE) != 0 ? both | SUPERVISOR_WRITE : both & ~SUPERVISOR_WRITE;
    if ((secondRights & needed) == 0) {
      fault = denied(false, isWrite);
    }
  }

  private boolean step(
      TableWalk tables,
      long root,
      int levels,
      long address,
      long tag,
      boolean isWrite,
      int needed) {
    boolean isFound = tables.walk(root, levels, address, tag, isWrite, needed, endPs);
    endPs = tables.endPs();
    fault = tables.fault();
    return isFound;
  }

  private void take(long newPagePa, int newShift, int newRights, boolean newIsDirty) {
    pagePa = newPagePa;
    pageShift = newShift;
    rights = newRights | SUPERVISOR_WRITE;
    isDirty = newIsDirty;
  }

  private static FaultReason denied(boolean isLegacy, boolean isWrite) {
    if (isLegacy) {
      return isWrite ? FaultReason.WRITE_DENIED : FaultReason.READ_DENIED;
    }
    return isWrite ? FaultReason.SCALABLE_WRITE_DENIED : FaultReason.SCALABLE_READ_DENIED;
  }

  private static boolean isBeyond(long address, int levels) {
    return address >>> PageTableFormat.shift(levels + 1) != 0;
  }

  /** {@return whether the bits above the highest one that counts all equal it} */
  private static boolean isCanonical(long address, int levels) {
    int unused = Long.SIZE - PageTableFormat.shift(levels + 1);
    return address << unused >> unused == address;
  }
}
