package io.github.bellwire.pcie;

import org.jspecify.annotations.Nullable;

/** The configuration spaces of root ports and of the ports of switches. */
final class BridgeFunction {
  /** Where the PCI Express capability of every bridge lies. */
  static final int PCIE_OFFSET = 0x40;

  private static final int MSI_OFFSET = 0x80;
  private static final int AER_OFFSET = ConfigLayout.EXTENDED_BASE;
  private static final int ACS_OFFSET = AER_OFFSET + AerLayout.LENGTH_BYTES;
  private static final int CLASS_BRIDGE = 0x06_04_00;
  private static final int VENDOR = 0x1B36; // Red Hat's, which virtual machines' bridges carry
  private static final int DEVICE = 0x000C;

  private BridgeFunction() {}

  /**
   * {@return the configuration space of a port in its reset state}
   *
   * @param type root port or port of a switch
   * @param link the port's link
   * @param accessControl the access control services that it has, 0 for none
   * @param slot what it leads to, or null
   */
  static ConfigSpace newConfigSpace(
      PortType type, PcieLinkConfig link, int accessControl, @Nullable SlotConfig slot) {
    int generation = link.generation().ordinal() + 1;
    ConfigSpaceBuilder builder =
        new ConfigSpaceBuilder(VENDOR, DEVICE)
            .bridge(type)
            .classCode(CLASS_BRIDGE)
            .pcie(PCIE_OFFSET, generation, link.lanes(), link.maxPayloadBytes(), true)
            .msi(MSI_OFFSET)
            .advancedErrorReporting(AER_OFFSET);
    if (accessControl != 0) {
      builder.accessControl(ACS_OFFSET, accessControl);
    }
    if (slot != null) {
      builder.slot(slot);
    }
    return builder.build();
  }
}
