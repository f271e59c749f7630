package io.github.bellwire.iommu.layout;

import org.jspecify.annotations.Nullable;

/**
 * Why a request has been blocked (VT-d, sections 7.1.3 and 5.1.4.1). The names in capitals and
 * digits are the specification's own.
 */
public enum FaultReason implements FaultCode {
  /** The bus has no context table. */
  ROOT_ENTRY_NOT_PRESENT(0x1, false),

  /** The function has no context entry. */
  CONTEXT_ENTRY_NOT_PRESENT(0x2, true),

  /** The context entry asks for what the unit cannot do. */
  CONTEXT_ENTRY_INVALID(0x3, true),

  /** The address has more bits than the domain or the unit. */
  ADDRESS_BEYOND_WIDTH(0x4, true),

  /** The tables do not permit writing. */
  WRITE_DENIED(0x5, true),

  /** The tables do not permit reading. */
  READ_DENIED(0x6, true),

  /** The address of a table in an entry cannot be accessed. */
  NEXT_TABLE_INVALID(0x7, true),

  /** The root table cannot be accessed. */
  ROOT_TABLE_INVALID(0x8, false),

  /** The context table cannot be accessed. */
  CONTEXT_TABLE_INVALID(0x9, false),

  /** Reserved bits are set in the root entry. */
  ROOT_ENTRY_RESERVED(0xA, false),

  /** Reserved bits are set in the context entry. */
  CONTEXT_ENTRY_RESERVED(0xB, true),

  /** Reserved bits are set in an entry of the tables. */
  PAGE_ENTRY_RESERVED(0xC, true),

  /** The context entry permits no device TLB. */
  TRANSLATION_REQUEST_BLOCKED(0xD, true),

  /** The address lies in the interrupt range after translation. */
  INTERRUPT_RANGE(0xE, true),

  /** Reserved bits are set in a remappable interrupt request. */
  INTERRUPT_REQUEST_RESERVED(0x20, false),

  /** The index of the interrupt is beyond the table. */
  INTERRUPT_INDEX_BEYOND_TABLE(0x21, false),

  /** The interrupt's entry is not present. */
  INTERRUPT_ENTRY_NOT_PRESENT(0x22, true),

  /** The interrupt remapping table cannot be accessed. */
  INTERRUPT_TABLE_INVALID(0x23, false),

  /** Reserved bits are set in the interrupt's entry. */
  INTERRUPT_ENTRY_RESERVED(0x24, true),

  /** An interrupt request that is not remappable. */
  INTERRUPT_COMPATIBILITY_BLOCKED(0x25, false),

  /** The source of the interrupt is not the one in its entry. */
  INTERRUPT_SOURCE_REJECTED(0x26, true),

  /** RTA.1: the translation table mode of the root table address is reserved or not supported. */
  SCALABLE_ROOT_POINTER_INVALID(0x30, false),

  /** RTA.2: a request with PASID in legacy mode. */
  PASID_IN_LEGACY_MODE(0x31, false),

  /** RTA.3: a page request in legacy mode. */
  PAGE_REQUEST_IN_LEGACY_MODE(0x32, false),

  /** SRT.1: the root entry cannot be accessed. */
  SCALABLE_ROOT_TABLE_INVALID(0x38, false),

  /** SRT.2: the half bus has no context table. */
  SCALABLE_ROOT_ENTRY_NOT_PRESENT(0x39, false),

  /** SRT.3: reserved bits are set in the root entry. */
  SCALABLE_ROOT_ENTRY_RESERVED(0x3A, false),

  /** SCT.1: the context entry cannot be accessed. */
  SCALABLE_CONTEXT_TABLE_INVALID(0x40, false),

  /** SCT.2: the function has no context entry. */
  SCALABLE_CONTEXT_NOT_PRESENT(0x41, true),

  /** SCT.3: reserved bits are set in the context entry. */
  SCALABLE_CONTEXT_RESERVED(0x42, true),

  /** SCT.4: the context entry asks for what the unit cannot do. */
  SCALABLE_CONTEXT_INVALID(0x43, true),

  /** SCT.5: the context entry permits no device TLB. */
  DEVICE_TLB_DISABLED(0x44, true),

  /** SCT.6: the context entry permits no PASID. */
  PASID_DISABLED(0x45, true),

  /** SCT.7: the PASID is beyond the directory. */
  PASID_BEYOND_DIRECTORY(0x46, true),

  /** SCT.8: the context entry permits no page requests. */
  PAGE_REQUEST_DISABLED(0x47, true),

  /** SCT.9: RID_PASID is beyond the directory. */
  RID_PASID_BEYOND_DIRECTORY(0x48, true),

  /** SPD.1: the directory entry cannot be accessed. */
  PASID_DIRECTORY_INVALID(0x50, true),

  /** SPD.2: the directory entry is not present. */
  PASID_DIRECTORY_NOT_PRESENT(0x51, true),

  /** SPD.3: reserved bits are set in the directory entry. */
  PASID_DIRECTORY_RESERVED(0x52, true),

  /** SPT.1: the PASID entry cannot be accessed. */
  PASID_TABLE_INVALID(0x58, true),

  /** SPT.2: the PASID entry is not present. */
  PASID_ENTRY_NOT_PRESENT(0x59, true),

  /** SPT.3: reserved bits are set in the PASID entry. */
  PASID_ENTRY_RESERVED(0x5A, true),

  /** SPT.4: the PASID entry asks for what the unit cannot do. */
  PASID_ENTRY_INVALID(0x5B, true),

  /** SPT.5: the PASID entry permits no execute requests. */
  EXECUTE_REQUEST_DISABLED(0x5C, true),

  /** SPT.6: the PASID entry permits no supervisor requests. */
  SUPERVISOR_REQUEST_DISABLED(0x5D, true),

  /** SFS.1: a first-level entry cannot be accessed. */
  FIRST_LEVEL_TABLE_INVALID(0x70, true),

  /** SFS.2: a first-level entry is not present. */
  FIRST_LEVEL_NOT_PRESENT(0x71, true),

  /** SFS.3: reserved bits are set in a first-level entry. */
  FIRST_LEVEL_RESERVED(0x72, true),

  /** SFS.4: the root of the first level cannot be accessed. */
  FIRST_LEVEL_ROOT_INVALID(0x73, true),

  /** SFS.5: the address of a first-level entry is beyond the second level's width. */
  FIRST_LEVEL_BEYOND_SECOND(0x74, true),

  /** SFS.6: the second level does not permit reading the root of the first. */
  FIRST_LEVEL_ROOT_READ_DENIED(0x75, true),

  /** SFS.7: the second level does not permit reading a first-level entry. */
  FIRST_LEVEL_READ_DENIED(0x76, true),

  /** SFS.8: the second level does not permit setting bits in a first-level entry. */
  FIRST_LEVEL_WRITE_DENIED(0x77, true),

  /** SSS.1: a second-level entry cannot be accessed. */
  SECOND_LEVEL_TABLE_INVALID(0x78, true),

  /** SSS.2: a second-level entry does not permit the access. */
  SECOND_LEVEL_DENIED(0x79, true),

  /** SSS.3: reserved bits are set in a second-level entry. */
  SECOND_LEVEL_RESERVED(0x7A, true),

  /** SSS.4: the root of the second level cannot be accessed. */
  SECOND_LEVEL_ROOT_INVALID(0x7B, true),

  /** SSS.5: bits of a second-level entry are to be set without snooping. */
  SECOND_LEVEL_UPDATE_NOT_SNOOPED(0x7C, true),

  /** SGN.1: the address is not canonical in the first level. */
  ADDRESS_NOT_CANONICAL(0x80, true),

  /** SGN.2: the first level does not permit user privilege. */
  USER_DENIED(0x81, true),

  /** SGN.3: the tables do not permit executing. */
  EXECUTE_DENIED(0x82, true),

  /** SGN.4: the address has more bits than the second level. */
  SCALABLE_ADDRESS_BEYOND_WIDTH(0x83, true),

  /** SGN.5: the first level's result is beyond the second level's width. */
  FIRST_LEVEL_PAGE_BEYOND_SECOND(0x84, true),

  /** SGN.6: the tables do not permit writing. */
  SCALABLE_WRITE_DENIED(0x85, true),

  /** SGN.7: the tables do not permit reading. */
  SCALABLE_READ_DENIED(0x86, true),

  /** SGN.8: the address lies in the interrupt range after translation. */
  SCALABLE_INTERRUPT_RANGE(0x87, true),

  /** SFS.9: bits of a first-level entry are to be set without snooping. */
  FIRST_LEVEL_UPDATE_NOT_SNOOPED(0x90, true),

  /** SFS.10: bits of a first-level entry could not be set. */
  FIRST_LEVEL_UPDATE_FAILED(0x91, true);

  private static final @Nullable FaultReason[] BY_CODE = byCode();

  private final int code;
  private final boolean isQualified;

  FaultReason(int code, boolean isQualified) {
    this.code = code;
    this.isQualified = isQualified;
  }

  @Override
  public int code() {
    return code;
  }

  @Override
  public boolean isQualified() {
    return isQualified;
  }

  @Override
  public boolean isAnswer() {
    switch (this) {
      case READ_DENIED:
      case WRITE_DENIED:
      case ADDRESS_BEYOND_WIDTH:
      case FIRST_LEVEL_NOT_PRESENT:
      case SECOND_LEVEL_DENIED:
      case ADDRESS_NOT_CANONICAL:
      case USER_DENIED:
      case SCALABLE_ADDRESS_BEYOND_WIDTH:
      case FIRST_LEVEL_PAGE_BEYOND_SECOND:
      case SCALABLE_WRITE_DENIED:
      case SCALABLE_READ_DENIED:
        return true;
      default:
        return false;
    }
  }

  /** {@return whether it is about an interrupt request, not about an address} */
  public boolean isInterrupt() {
    return code >>> 4 == 2;
  }

  /**
   * {@return the reason with a code, or null}
   *
   * @param code any value
   */
  public static @Nullable FaultReason of(int code) {
    return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
  }

  private static @Nullable FaultReason[] byCode() {
    @Nullable FaultReason[] reasons = new FaultReason[0x100];
    for (FaultReason reason : values()) {
      reasons[reason.code] = reason;
    }
    return reasons;
  }
}
