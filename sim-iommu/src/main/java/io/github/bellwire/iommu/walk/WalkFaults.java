package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.AmdFault;
import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.iommu.layout.SmmuEvent;
import org.jspecify.annotations.Nullable;

/**
 * What goes wrong in a walk, by its kind.
 *
 * @param rootInvalid the root table cannot be accessed
 * @param tableInvalid a table below it cannot be accessed
 * @param notPresent an entry is not there
 * @param reserved reserved bits are set
 * @param updateNotSnooped accessed or dirty bits are to be set by a unit that does not snoop; null
 *     where no such bits are
 * @param notUsable the entry is fine but must not be used as it is; null where none is so
 */
record WalkFaults(
    FaultCode rootInvalid,
    FaultCode tableInvalid,
    FaultCode notPresent,
    FaultCode reserved,
    @Nullable FaultCode updateNotSnooped,
    @Nullable FaultCode notUsable) {
  static final WalkFaults LEGACY =
      new WalkFaults(
          FaultReason.NEXT_TABLE_INVALID,
          FaultReason.NEXT_TABLE_INVALID,
          FaultReason.READ_DENIED,
          FaultReason.PAGE_ENTRY_RESERVED,
          null,
          null);

  /** As {@link #LEGACY}, for a write. */
  static final WalkFaults LEGACY_WRITE =
      new WalkFaults(
          FaultReason.NEXT_TABLE_INVALID,
          FaultReason.NEXT_TABLE_INVALID,
          FaultReason.WRITE_DENIED,
          FaultReason.PAGE_ENTRY_RESERVED,
          null,
          null);

  static final WalkFaults SECOND_LEVEL =
      new WalkFaults(
          FaultReason.SECOND_LEVEL_ROOT_INVALID,
          FaultReason.SECOND_LEVEL_TABLE_INVALID,
          FaultReason.SECOND_LEVEL_DENIED,
          FaultReason.SECOND_LEVEL_RESERVED,
          FaultReason.SECOND_LEVEL_UPDATE_NOT_SNOOPED,
          null);

  static final WalkFaults FIRST_LEVEL =
      new WalkFaults(
          FaultReason.FIRST_LEVEL_ROOT_INVALID,
          FaultReason.FIRST_LEVEL_TABLE_INVALID,
          FaultReason.FIRST_LEVEL_NOT_PRESENT,
          FaultReason.FIRST_LEVEL_RESERVED,
          FaultReason.FIRST_LEVEL_UPDATE_NOT_SNOOPED,
          null);

  static final WalkFaults AMD =
      new WalkFaults(
          AmdFault.PAGE_TABLE_ERROR,
          AmdFault.PAGE_TABLE_ERROR,
          AmdFault.PAGE_NOT_PRESENT,
          AmdFault.PAGE_ENTRY_RESERVED,
          null,
          null);

  static final WalkFaults SMMU =
      new WalkFaults(
          SmmuEvent.WALK_ABORT,
          SmmuEvent.WALK_ABORT,
          SmmuEvent.TRANSLATION,
          SmmuEvent.ADDRESS_SIZE,
          null,
          SmmuEvent.ACCESS);
}
