package io.github.bellwire.pcie;

/**
 * The extended capability structures that a {@link ConfigSpace} can hold, with their IDs (PCI Code
 * and ID Assignment Specification, "Extended Capability IDs").
 */
public enum ExtendedCapabilityId {
  /** Advanced Error Reporting; PCI Express Base Specification 5.0, section 7.8.4. */
  ADVANCED_ERROR_REPORTING(0x0001, 2),
  /** Access Control Services; PCI Express Base Specification 5.0, section 7.7.8. */
  ACCESS_CONTROL_SERVICES(0x000D, 1),
  /** Address Translation Services; PCI Express Base Specification 5.0, section 10.5.1. */
  ADDRESS_TRANSLATION_SERVICES(0x000F, 1),
  /** Page Request Interface; PCI Express Base Specification 5.0, section 10.5.2. */
  PAGE_REQUEST_INTERFACE(0x0013, 1),
  /** Process Address Space ID; PCI Express Base Specification 5.0, section 7.8.8. */
  PROCESS_ADDRESS_SPACE_ID(0x001B, 1);

  private final int code;
  private final int version;

  ExtendedCapabilityId(int code, int version) {
    this.code = code;
    this.version = version;
  }

  /** {@return the ID as it stands in the low 16 bits of the structure's header} */
  public int code() {
    return code;
  }

  /** {@return the version of the structure, 1..15} */
  public int version() {
    return version;
  }
}
