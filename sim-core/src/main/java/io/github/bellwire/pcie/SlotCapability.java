package io.github.bellwire.pcie;

/**
 * The slot registers of a port's PCI Express capability, and what its link status says of the data
 * link layer (PCI Express Base Specification 5.0, sections 7.5.3.9 to 7.5.3.11 and 6.7.3).
 */
final class SlotCapability {
  private final ConfigRegisters registers;
  private final int offset;

  /** Finds the registers of the PCI Express structure at {@code offset}. */
  SlotCapability(ConfigRegisters registers, int offset) {
    this.registers = registers;
    this.offset = offset;
  }

  /** Writes reset values and access rights: an empty slot. */
  static void install(ConfigRegisters registers, int offset, SlotConfig slot) {
    int type = registers.value(offset + ConfigLayout.PCIE_CAPABILITIES) >>> Short.SIZE;
    registers.set16(
        offset + ConfigLayout.PCIE_CAPABILITIES, type | ConfigLayout.PCIE_CAPABILITIES_SLOT);
    registers.set32(
        offset + ConfigLayout.SLOT_CAPABILITIES,
        ConfigLayout.SLOT_CAPABILITIES_HOT_PLUG
            | (slot.surpriseExpected() ? ConfigLayout.SLOT_CAPABILITIES_SURPRISE : 0)
            | ConfigLayout.SLOT_CAPABILITIES_NO_COMMAND_COMPLETED
            | slot.number() << ConfigLayout.SLOT_CAPABILITIES_NUMBER_SHIFT);
    registers.writable16(offset + ConfigLayout.SLOT_CONTROL, ConfigLayout.SLOT_CONTROL_WRITABLE);
    registers.clearable16(offset + ConfigLayout.SLOT_STATUS, ConfigLayout.SLOT_STATUS_CHANGES);
    int link = registers.value(offset + ConfigLayout.LINK_CAPABILITIES);
    registers.set32(
        offset + ConfigLayout.LINK_CAPABILITIES, link | ConfigLayout.LINK_CAPABILITIES_DLL_ACTIVE);
  }

  /** A device is in the slot or out of it; returns whether that interrupts. */
  boolean setPresent(boolean isPresent) {
    registers.assign16(
        offset + ConfigLayout.SLOT_STATUS, ConfigLayout.SLOT_STATUS_PRESENT, isPresent);
    return raise(ConfigLayout.SLOT_STATUS_PRESENCE_CHANGED, ConfigLayout.SLOT_CONTROL_PRESENCE);
  }

  /** The link is up or down; returns whether that interrupts. */
  boolean setLinkActive(boolean isActive) {
    registers.assign16(
        offset + ConfigLayout.LINK_STATUS, ConfigLayout.LINK_STATUS_DLL_ACTIVE, isActive);
    return raise(ConfigLayout.SLOT_STATUS_LINK_CHANGED, ConfigLayout.SLOT_CONTROL_LINK);
  }

  /** Sets an event bit; a further event on a bit that is set already does not interrupt again. */
  private boolean raise(int statusBit, int enableBit) {
    int controlAndStatus = registers.value(offset + ConfigLayout.SLOT_CONTROL);
    registers.raise16(offset + ConfigLayout.SLOT_STATUS, statusBit);
    int enables = enableBit | ConfigLayout.SLOT_CONTROL_HOT_PLUG_INTERRUPT;
    return (controlAndStatus & enables) == enables
        && (controlAndStatus >>> Short.SIZE & statusBit) == 0;
  }
}
