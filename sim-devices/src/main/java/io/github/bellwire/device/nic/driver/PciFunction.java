package io.github.bellwire.device.nic.driver;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.pcie.CapabilityId;
import io.github.bellwire.pcie.ConfigLayout;

/**
 * The standard part of the device's configuration space, as far as a driver sets it up (PCI Express
 * Base Specification 5.0, sections 7.5.1, 7.5.3 and 7.7.2).
 */
final class PciFunction {
  private static final int COMMAND_BITS =
      ConfigLayout.COMMAND_MEMORY_ENABLE | ConfigLayout.COMMAND_BUS_MASTER_ENABLE;

  private static final int ABSENT = 0xFFFF;

  /** Where a capability holds the place of the next one. */
  private static final int CAPABILITY_NEXT = 1;

  /** How long software waits before it looks at the function again (section 6.6.2). */
  private static final long RESET_PS = 100_000_000_000L;

  private static final int BAR_REGISTERS = 6;

  /** A bound on the walk: so many capabilities fit. */
  private static final int CAPABILITIES_MAX = 48;

  private final ConfigAccess access;

  PciFunction(ConfigAccess access) {
    this.access = access;
  }

  /** Lets the device answer register accesses and access memory. */
  void enableBusMaster() {
    int command = access.read(ConfigLayout.COMMAND, Short.BYTES);
    access.write(ConfigLayout.COMMAND, Short.BYTES, command | COMMAND_BITS);
  }

  /** Takes memory from the device's reach. */
  void disableBusMaster() {
    int command = access.read(ConfigLayout.COMMAND, Short.BYTES);
    access.write(
        ConfigLayout.COMMAND, Short.BYTES, command & ~ConfigLayout.COMMAND_BUS_MASTER_ENABLE);
  }

  /** Makes messages of the MSI-X table the device's interrupts. */
  void enableMsiX() {
    int offset = msiX() + ConfigLayout.MSIX_CONTROL;
    int control = access.read(offset, Short.BYTES) & ~ConfigLayout.MSIX_CONTROL_FUNCTION_MASK;
    access.write(offset, Short.BYTES, control | ConfigLayout.MSIX_CONTROL_ENABLE);
  }

  /** {@return the host physical address of the MSI-X table} */
  long msiXTableAddress() {
    int place = access.read(msiX() + ConfigLayout.MSIX_TABLE, Integer.BYTES);
    int bar = ConfigLayout.barOffset(place & ConfigLayout.MSIX_BAR_INDEX_MASK);
    int low = access.read(bar, Integer.BYTES);
    boolean is64 = (low & ConfigLayout.BAR_TYPE_64) != 0;
    long high = is64 ? access.read(bar + Integer.BYTES, Integer.BYTES) : 0;
    return (high << Integer.SIZE | Integer.toUnsignedLong(low & ~ConfigLayout.BAR_ATTRIBUTES))
        + Integer.toUnsignedLong(place & ~ConfigLayout.MSIX_BAR_INDEX_MASK);
  }

  /**
   * Resets the function and nothing else (section 6.6.2), and puts back what firmware and operating
   * system have set up: windows, command, device control, MSI-X control.
   *
   * @throws IllegalStateException if the function cannot do that, or does not come back
   */
  void reset(CpuPort port) {
    int pcie = find(CapabilityId.PCI_EXPRESS);
    int capabilities = access.read(pcie + ConfigLayout.DEVICE_CAPABILITIES, Integer.BYTES);
    if ((capabilities & ConfigLayout.DEVICE_CAPABILITIES_FUNCTION_RESET) == 0) {
      throw new IllegalStateException("device must support function-level reset");
    }
    int[] bars = new int[BAR_REGISTERS];
    for (int i = 0; i < bars.length; i++) {
      bars[i] = access.read(ConfigLayout.barOffset(i), Integer.BYTES);
    }
    int command = access.read(ConfigLayout.COMMAND, Short.BYTES);
    int control = access.read(pcie + ConfigLayout.DEVICE_CONTROL, Short.BYTES);
    int control2 = access.read(pcie + ConfigLayout.DEVICE_CONTROL_2, Short.BYTES);
    int msiXControl = access.read(msiX() + ConfigLayout.MSIX_CONTROL, Short.BYTES);
    access.write(
        pcie + ConfigLayout.DEVICE_CONTROL,
        Short.BYTES,
        control | ConfigLayout.DEVICE_CONTROL_FUNCTION_RESET);
    port.delay(RESET_PS);
    if (access.read(ConfigLayout.VENDOR_ID, Short.BYTES) == ABSENT) {
      throw new IllegalStateException("device must answer after a function-level reset");
    }
    for (int i = 0; i < bars.length; i++) {
      access.write(ConfigLayout.barOffset(i), Integer.BYTES, bars[i]);
    }
    access.write(pcie + ConfigLayout.DEVICE_CONTROL, Short.BYTES, control);
    access.write(pcie + ConfigLayout.DEVICE_CONTROL_2, Short.BYTES, control2);
    access.write(msiX() + ConfigLayout.MSIX_CONTROL, Short.BYTES, msiXControl);
    access.write(ConfigLayout.COMMAND, Short.BYTES, command);
  }

  private int msiX() {
    return find(CapabilityId.MSI_X);
  }

  private int find(CapabilityId id) {
    int capability = access.read(ConfigLayout.CAPABILITIES_POINTER, 1) & 0xFC;
    for (int i = 0; i < CAPABILITIES_MAX && capability != 0; i++) {
      if (access.read(capability, 1) == id.code()) {
        return capability;
      }
      capability = access.read(capability + CAPABILITY_NEXT, 1) & 0xFC;
    }
    throw new IllegalStateException("device must have a capability: " + id);
  }
}
