package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.FaultReason;

/**
 * What goes wrong in a walk, by its kind.
 *
 * @param rootInvalid the root table cannot be accessed
 * @param tableInvalid a table below it cannot be accessed
 * @param notPresent an entry is not there
 * @param reserved reserved bits are set
 */
record WalkFaults(
    FaultReason rootInvalid,
    FaultReason tableInvalid,
    FaultReason notPresent,
    FaultReason reserved) {
  static final WalkFaults LEGACY =
      new WalkFaults(
          FaultReason.NEXT_TABLE_INVALID,
          FaultReason.NEXT_TABLE_INVALID,
          FaultReason.READ_DENIED,
          FaultReason.PAGE_ENTRY_RESERVED);

  /** As {@link #LEGACY}, for a write. */
  static final WalkFaults LEGACY_WRITE =
      new WalkFaults(
          FaultReason.NEXT_TABLE_INVALID,
          FaultReason.NEXT_TABLE_INVALID,
          FaultReason.WRITE_DENIED,
          FaultReason.PAGE_ENTRY_RESERVED);

  static final WalkFaults SECOND_LEVEL =
      new WalkFaults(
          FaultReason.SECOND_LEVEL_ROOT_INVALID,
          FaultReason.SECOND_LEVEL_TABLE_INVALID,
          FaultReason.SECOND_LEVEL_DENIED,
          FaultReason.SECOND_LEVEL_RESERVED);

  static final WalkFaults FIRST_LEVEL =
      new WalkFaults(
          FaultReason.FIRST_LEVEL_ROOT_INVALID,
          FaultReason.FIRST_LEVEL_TABLE_INVALID,
          FaultReason.FIRST_LEVEL_NOT_PRESENT,
          FaultReason.FIRST_LEVEL_RESERVED);
}
