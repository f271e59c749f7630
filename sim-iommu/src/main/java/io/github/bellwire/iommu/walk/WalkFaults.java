package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.FaultReason;
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
 */
record WalkFaults(
    FaultReason rootInvalid,
    FaultReason tableInvalid,
    FaultReason notPresent,
    FaultReason reserved,
    @Nullable FaultReason updateNotSnooped) {
  static final WalkFaults LEGACY =
      new WalkFaults(
          FaultReason.NEXT_TABLE_INVALID,
          FaultReason.NEXT_TABLE_INVALID,
          FaultReason.READ_DENIED,
          FaultReason.PAGE_ENTRY_RESERVED,
          null);

  /** As {@link #LEGACY}, for a write. */
  static final WalkFaults LEGACY_WRITE =
      new WalkFaults(
          FaultReason.NEXT_TABLE_INVALID,
          FaultReason.NEXT_TABLE_INVALID,
          FaultReason.WRITE_DENIED,
          FaultReason.PAGE_ENTRY_RESERVED,
          null);

  static final WalkFaults SECOND_LEVEL =
      new WalkFaults(
          FaultReason.SECOND_LEVEL_ROOT_INVALID,
          FaultReason.SECOND_LEVEL_TABLE_INVALID,
          FaultReason.SECOND_LEVEL_DENIED,
          FaultReason.SECOND_LEVEL_RESERVED,
          FaultReason.SECOND_LEVEL_UPDATE_NOT_SNOOPED);

  static final WalkFaults FIRST_LEVEL =
      new WalkFaults(
          FaultReason.FIRST_LEVEL_ROOT_INVALID,
          FaultReason.FIRST_LEVEL_TABLE_INVALID,
          FaultReason.FIRST_LEVEL_NOT_PRESENT,
          FaultReason.FIRST_LEVEL_RESERVED,
          FaultReason.FIRST_LEVEL_UPDATE_NOT_SNOOPED);
}
