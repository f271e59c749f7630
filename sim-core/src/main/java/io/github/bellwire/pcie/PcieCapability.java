package io.github.bellwire.pcie;

import static io.github.bellwire.kernel.Requirements.require;

/**
 * The PCI Express capability structure of a function inside its configuration space (PCI Express
 * Base Specification 5.0, section 7.5.3).
 */
final class PcieCapability {
  private static final int MIN_PAYLOAD_SHIFT = 7; // field value 0 is 128 B
  private static final int MAX_REQUEST_CODE = 5; // field value 5 is 4096 B; 6 and 7 are reserved

  private static final int STRUCTURE_VERSION = 2;

  private final ConfigRegisters registers;
  private final int offset;

  /** Finds the structure that {@link #install} has put at {@code offset}. */
  PcieCapability(ConfigRegisters registers, int offset) {
    this.registers = registers;
    this.offset = offset;
  }

  /** Writes reset values and access rights of all registers but the header. */
  static void install(
      ConfigRegisters registers,
      int offset,
      int generation,
      int lanes,
      int maxPayloadBytes,
      boolean extendedTag) {
    require(generation >= 1 && generation <= 6, "generation", generation, "1..6");
    requireLanes(lanes, 32);
    boolean legalPayload =
        maxPayloadBytes >= 128 && maxPayloadBytes <= 4096 && Integer.bitCount(maxPayloadBytes) == 1;
    require(legalPayload, "maxPayloadBytes", maxPayloadBytes, "a power of two in 128..4096");
    registers.set16(offset + ConfigLayout.PCIE_CAPABILITIES, STRUCTURE_VERSION);
    installDevice(registers, offset, maxPayloadBytes, extendedTag);
    installLink(registers, offset, generation, lanes);
  }

  /** Says what the function is; endpoints need not. */
  static void setType(ConfigRegisters registers, int offset, PortType type) {
    int slot =
        registers.value(offset + ConfigLayout.PCIE_CAPABILITIES) >>> Short.SIZE
            & ConfigLayout.PCIE_CAPABILITIES_SLOT;
    registers.set16(
        offset + ConfigLayout.PCIE_CAPABILITIES,
        slot | STRUCTURE_VERSION | type.code() << ConfigLayout.PCIE_CAPABILITIES_TYPE_SHIFT);
  }

  private static void installDevice(
      ConfigRegisters registers, int offset, int maxPayloadBytes, boolean extendedTag) {
    registers.set32(
        offset + ConfigLayout.DEVICE_CAPABILITIES,
        ConfigLayout.DEVICE_CAPABILITIES_ROLE_BASED_ERRORS
            | (extendedTag ? ConfigLayout.DEVICE_CAPABILITIES_EXTENDED_TAG : 0)
            | sizeCode(maxPayloadBytes));
    registers.set16(
        offset + ConfigLayout.DEVICE_CONTROL,
        ConfigLayout.DEVICE_CONTROL_RELAXED_ORDERING
            | ConfigLayout.DEVICE_CONTROL_NO_SNOOP
            | sizeCode(512) << ConfigLayout.DEVICE_CONTROL_MRRS_SHIFT);
    registers.writable16(
        offset + ConfigLayout.DEVICE_CONTROL,
        ConfigLayout.DEVICE_CONTROL_ERROR_ENABLES
            | ConfigLayout.DEVICE_CONTROL_RELAXED_ORDERING
            | ConfigLayout.DEVICE_CONTROL_MPS_MASK
            | (extendedTag ? ConfigLayout.DEVICE_CONTROL_EXTENDED_TAG : 0)
            | ConfigLayout.DEVICE_CONTROL_NO_SNOOP
            | ConfigLayout.DEVICE_CONTROL_MRRS_MASK);
    // What a function-level reset leaves alone (section 6.6.2).
    registers.sticky16(offset + ConfigLayout.DEVICE_CONTROL, ConfigLayout.DEVICE_CONTROL_MPS_MASK);
    registers.sticky16(offset + ConfigLayout.LINK_CONTROL, ConfigLayout.LINK_CONTROL_WRITABLE);
    registers.clearable16(offset + ConfigLayout.DEVICE_STATUS, ConfigLayout.DEVICE_STATUS_RW1C);
    registers.set32(
        offset + ConfigLayout.DEVICE_CAPABILITIES_2,
        ConfigLayout.DEVICE_CAPABILITIES_2_COMPLETION_TIMEOUT);
    registers.writable16(
        offset + ConfigLayout.DEVICE_CONTROL_2,
        ConfigLayout.DEVICE_CONTROL_2_COMPLETION_TIMEOUT
            | ConfigLayout.DEVICE_CONTROL_2_IDO_REQUEST
            | ConfigLayout.DEVICE_CONTROL_2_IDO_COMPLETION);
  }

  /** Makes a write of 1 to the function reset bit do something. */
  static void allowFunctionReset(ConfigRegisters registers, int offset) {
    registers.set32(
        offset + ConfigLayout.DEVICE_CAPABILITIES,
        registers.value(offset + ConfigLayout.DEVICE_CAPABILITIES)
            | ConfigLayout.DEVICE_CAPABILITIES_FUNCTION_RESET);
  }

  private static void installLink(
      ConfigRegisters registers, int offset, int generation, int lanes) {
    registers.set32(
        offset + ConfigLayout.LINK_CAPABILITIES,
        ConfigLayout.LINK_CAPABILITIES_ASPM_OPTIONALITY
            | lanes << ConfigLayout.LINK_WIDTH_SHIFT
            | generation);
    registers.writable16(offset + ConfigLayout.LINK_CONTROL, ConfigLayout.LINK_CONTROL_WRITABLE);
    registers.set16(offset + ConfigLayout.LINK_STATUS, linkStatus(generation, lanes));
    // Generations 1..n are supported: bits 1..n.
    registers.set32(offset + ConfigLayout.LINK_CAPABILITIES_2, (1 << generation + 1) - 2);
    registers.set16(offset + ConfigLayout.LINK_CONTROL_2, generation);
    registers.writable16(offset + ConfigLayout.LINK_CONTROL_2, ConfigLayout.LINK_SPEED_MASK);
  }

  void linkUp(int generation, int lanes) {
    int supported = registers.value(offset + ConfigLayout.LINK_CAPABILITIES);
    int maxGeneration = supported & ConfigLayout.LINK_SPEED_MASK;
    int maxLanes = (supported & ConfigLayout.LINK_WIDTH_MASK) >>> ConfigLayout.LINK_WIDTH_SHIFT;
    boolean legalGeneration = generation >= 1 && generation <= maxGeneration;
    require(legalGeneration, "generation", generation, "1.." + maxGeneration);
    requireLanes(lanes, maxLanes);
    registers.set16(offset + ConfigLayout.LINK_STATUS, linkStatus(generation, lanes));
  }

  boolean isDeviceControlSet(int bit) {
    return (registers.value(offset + ConfigLayout.DEVICE_CONTROL) & bit) != 0;
  }

  int deviceControl2() {
    return registers.value(offset + ConfigLayout.DEVICE_CONTROL_2);
  }

  int maxPayloadBytes() {
    int supportedCode =
        registers.value(offset + ConfigLayout.DEVICE_CAPABILITIES)
            & ConfigLayout.DEVICE_CAPABILITIES_MPS_MASK;
    int code =
        (registers.value(offset + ConfigLayout.DEVICE_CONTROL)
                & ConfigLayout.DEVICE_CONTROL_MPS_MASK)
            >>> ConfigLayout.DEVICE_CONTROL_MPS_SHIFT;
    return sizeBytes(Math.min(code, supportedCode));
  }

  int maxReadRequestBytes() {
    int code =
        (registers.value(offset + ConfigLayout.DEVICE_CONTROL)
                & ConfigLayout.DEVICE_CONTROL_MRRS_MASK)
            >>> ConfigLayout.DEVICE_CONTROL_MRRS_SHIFT;
    return sizeBytes(Math.min(code, MAX_REQUEST_CODE));
  }

  /** {@return the field value of a payload or read request size, a power of two in 128..4096} */
  static int sizeCode(int sizeBytes) {
    return Integer.numberOfTrailingZeros(sizeBytes) - MIN_PAYLOAD_SHIFT;
  }

  /** {@return the payload or read request size of a field value, 0..5} */
  static int sizeBytes(int code) {
    return 1 << MIN_PAYLOAD_SHIFT + code;
  }

  private static int linkStatus(int generation, int lanes) {
    return ConfigLayout.LINK_STATUS_SLOT_CLOCK
        | lanes << ConfigLayout.LINK_WIDTH_SHIFT
        | generation;
  }

  private static void requireLanes(int lanes, int maxLanes) {
    boolean legal =
        switch (lanes) {
          case 1, 2, 4, 8, 12, 16, 32 -> lanes <= maxLanes;
          default -> false;
        };
    require(legal, "lanes", lanes, "1, 2, 4, 8, 12, 16 or 32, at most " + maxLanes);
  }
}
