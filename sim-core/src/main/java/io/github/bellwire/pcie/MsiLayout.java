package io.github.bellwire.pcie;

/**
 * Offsets and bits of the MSI capability with 64-bit address and one vector, relative to its
 * structure (PCI Express Base Specification 5.0, section 7.7.1). Ports signal errors and hot-plug
 * events by it.
 */
final class MsiLayout {
  /** Length of the structure, in bytes. */
  public static final int LENGTH_BYTES = 14;

  /** Message control, 16 bits. */
  public static final int CONTROL = 2;

  /** Message control: MSI is in use. */
  public static final int CONTROL_ENABLE = 1;

  /** Message control: the address has 64 bits; always 1. */
  public static final int CONTROL_64_BIT = 1 << 7;

  /** Message address, 64 bits. */
  public static final int ADDRESS = 4;

  /** Message data, 16 bits. */
  public static final int DATA = 12;

  private MsiLayout() {}
}
