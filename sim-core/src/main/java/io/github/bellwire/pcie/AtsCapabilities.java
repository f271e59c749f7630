package io.github.bellwire.pcie;

/**
 * The structures of a function that translates its own addresses, inside its configuration space:
 * ATS, page requests and process address spaces. Offset 0 stands for a structure that is not there.
 */
final class AtsCapabilities {
  private static final int SMALLEST_UNIT_BYTES = 4096;

  private int atsOffset;
  private int priOffset;
  private int pasidOffset;

  private int atsControl;
  private boolean isPageRequestEnabled;
  private boolean isPasidEnabled;

  AtsCapabilities() {}

  /** Adds the ATS structure. */
  void installAts(ConfigRegisters registers, int offset, int queueDepth) {
    atsOffset = offset;
    registers.set16(
        offset + AtsLayout.ATS_CAPABILITY,
        queueDepth & AtsLayout.ATS_QUEUE_DEPTH_MASK | AtsLayout.ATS_PAGE_ALIGNED);
    registers.writable16(
        offset + AtsLayout.ATS_CONTROL, AtsLayout.ATS_ENABLE | AtsLayout.ATS_STU_MASK);
  }

  /** Adds the page request structure. */
  void installPri(ConfigRegisters registers, int offset, int capacity) {
    priOffset = offset;
    registers.writable16(offset + AtsLayout.PRI_CONTROL, AtsLayout.PRI_ENABLE);
    registers.set16(offset + AtsLayout.PRI_STATUS, AtsLayout.PRI_STATUS_STOPPED);
    registers.clearable16(
        offset + AtsLayout.PRI_STATUS,
        AtsLayout.PRI_STATUS_FAILURE | AtsLayout.PRI_STATUS_UNEXPECTED_GROUP);
    registers.set32(offset + AtsLayout.PRI_CAPACITY, capacity);
    registers.writable32(offset + AtsLayout.PRI_ALLOCATION, -1);
  }

  /** Adds the process address space structure. */
  void installPasid(ConfigRegisters registers, int offset, int widthBits) {
    pasidOffset = offset;
    registers.set16(offset + AtsLayout.PASID_CAPABILITY, widthBits << AtsLayout.PASID_WIDTH_SHIFT);
    registers.writable16(offset + AtsLayout.PASID_CONTROL, AtsLayout.PASID_ENABLE);
  }

  void decode(ConfigRegisters registers) {
    if (atsOffset != 0) {
      atsControl = registers.value(atsOffset + AtsLayout.ATS_CAPABILITY) >>> Short.SIZE;
    }
    if (priOffset != 0) {
      int control = registers.value(priOffset + AtsLayout.PRI_CONTROL);
      isPageRequestEnabled = (control & AtsLayout.PRI_ENABLE) != 0;
    }
    if (pasidOffset != 0) {
      int control = registers.value(pasidOffset + AtsLayout.PASID_CAPABILITY) >>> Short.SIZE;
      isPasidEnabled = (control & AtsLayout.PASID_ENABLE) != 0;
    }
  }

  boolean isTranslationEnabled() {
    return (atsControl & AtsLayout.ATS_ENABLE) != 0;
  }

  /** {@return the smallest range that software translates, in bytes} */
  long smallestUnitBytes() {
    return (long) SMALLEST_UNIT_BYTES << (atsControl & AtsLayout.ATS_STU_MASK);
  }

  boolean isPageRequestEnabled() {
    return isPageRequestEnabled;
  }

  boolean isPasidEnabled() {
    return isPasidEnabled;
  }
}
