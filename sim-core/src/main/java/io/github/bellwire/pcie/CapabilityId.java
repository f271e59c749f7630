package io.github.bellwire.pcie;

/**
 * The capability structures that a {@link ConfigSpace} can hold, with their IDs (PCI Code and ID
 * Assignment Specification, "Capability IDs").
 */
public enum CapabilityId {
  /** PCI power management interface; PCI Express Base Specification 5.0, section 7.5.2. */
  POWER_MANAGEMENT(0x01),
  /** Message signaled interrupts; PCI Express Base Specification 5.0, section 7.7.1. */
  MSI(0x05),
  /** PCI Express capability; PCI Express Base Specification 5.0, section 7.5.3. */
  PCI_EXPRESS(0x10),
  /** MSI-X; PCI Express Base Specification 5.0, section 7.7.2. */
  MSI_X(0x11);

  private final int code;

  CapabilityId(int code) {
    this.code = code;
  }

  /** {@return the ID as it stands in the first byte of the structure, 0..255} */
  public int code() {
    return code;
  }
}
