package io.github.bellwire.device.nic.driver;

/**
 * The standard part of the device's configuration space, as far as a driver sets it up (PCI Express
 * Base Specification 5.0, sections 7.5.1 and 7.7.2).
 */
final class PciFunction {
  /** Bytes of an entry of the MSI-X table. */
  static final int MSIX_ENTRY_BYTES = 16;

  private static final int COMMAND = 0x04;
  private static final int COMMAND_MEMORY = 1 << 1;
  private static final int COMMAND_BUS_MASTER = 1 << 2;
  private static final int BAR0 = 0x10;
  private static final int BAR_ATTRIBUTES = 0xF;
  private static final int BAR_TYPE_64 = 1 << 2;
  private static final int CAPABILITIES_POINTER = 0x34;
  private static final int CAPABILITY_MSIX = 0x11;
  private static final int CAPABILITIES_MAX = 48;
  private static final int MSIX_CONTROL = 2;
  private static final int MSIX_CONTROL_ENABLE = 1 << 15;
  private static final int MSIX_TABLE = 4;
  private static final int MSIX_BAR_MASK = 7;

  private final ConfigAccess access;

  PciFunction(ConfigAccess access) {
    this.access = access;
  }

  /** Lets the device answer register accesses and access memory. */
  void enableBusMaster() {
    int command = access.read(COMMAND, Short.BYTES);
    access.write(COMMAND, Short.BYTES, command | COMMAND_MEMORY | COMMAND_BUS_MASTER);
  }

  /** Takes memory from the device's reach. */
  void disableBusMaster() {
    access.write(COMMAND, Short.BYTES, access.read(COMMAND, Short.BYTES) & ~COMMAND_BUS_MASTER);
  }

  /** Makes messages of the MSI-X table the device's interrupts. */
  void enableMsiX() {
    int control = msiX() + MSIX_CONTROL;
    access.write(control, Short.BYTES, access.read(control, Short.BYTES) | MSIX_CONTROL_ENABLE);
  }

  /** {@return the host physical address of the MSI-X table} */
  long msiXTableAddress() {
    int place = access.read(msiX() + MSIX_TABLE, Integer.BYTES);
    int bar = BAR0 + 4 * (place & MSIX_BAR_MASK);
    int low = access.read(bar, Integer.BYTES);
    long high = (low & BAR_TYPE_64) == 0 ? 0 : access.read(bar + 4, Integer.BYTES);
    long address = high << Integer.SIZE | Integer.toUnsignedLong(low & ~BAR_ATTRIBUTES);
    return address + Integer.toUnsignedLong(place & ~MSIX_BAR_MASK);
  }

  private int msiX() {
    int capability = access.read(CAPABILITIES_POINTER, 1) & ~3;
    // A bound on the walk: so many capabilities fit.
    for (int i = 0; i < CAPABILITIES_MAX && capability != 0; i++) {
      if ((access.read(capability, 1) & 0xFF) == CAPABILITY_MSIX) {
        return capability;
      }
      capability = access.read(capability + 1, 1) & 0xFC;
    }
    throw new IllegalStateException("device must have an MSI-X capability");
  }
}
