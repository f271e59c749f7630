package io.github.bellwire.iommu.walk;

/**
 * What the tables say of a device or of one of its PASIDs, decoded. Objects are as many as slots in
 * the cache and are filled again and again.
 */
final class DeviceContext {
  /** How untranslated requests are dealt with. */
  enum Kind {
    /** A scalable-mode context entry: the PASID entry says. */
    BY_PASID,
    /** As they are. */
    PASS_THROUGH,
    /** By the second level. */
    SECOND_LEVEL,
    /** By the first level. */
    FIRST_LEVEL,
    /** By the first level, and its addresses by the second. */
    NESTED
  }

  Kind kind = Kind.PASS_THROUGH;
  boolean isFaultSilent;
  boolean hasDeviceTlb;
  boolean isLegacy;
  int domainId;
  long tag;

  // Of a PASID entry or a legacy context entry.
  long secondRoot;
  int secondLevels;
  boolean marksSecondLevel;
  long firstRoot;
  int firstLevels;
  boolean allowsSupervisor;
  boolean protectsFromSupervisor;
  boolean isPrivileged;

  // Where an entry chooses among formats.
  int format;
  int inputBits;
  int deviceRights;

  // Of a scalable-mode context entry.
  long directoryPa;
  int pasidsCount;
  boolean allowsPasid;
  boolean allowsPageRequests;
  int ridPasid;
  boolean isRidPrivileged;

  boolean isScalable() {
    return kind == Kind.BY_PASID;
  }

  /** {@return the rights that an access takes, see {@link PageTableFormat}} */
  int neededRights(boolean isWrite) {
    if (firstLevels == 0) {
      return isWrite ? PageTableFormat.WRITE : PageTableFormat.READ;
    }
    if (!isPrivileged) {
      return PageTableFormat.USER | (isWrite ? PageTableFormat.WRITE : PageTableFormat.READ);
    }
    if (!isWrite) {
      return PageTableFormat.READ;
    }
    return protectsFromSupervisor ? PageTableFormat.WRITE : PageTableFormat.SUPERVISOR_WRITE;
  }
}
