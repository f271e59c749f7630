package io.github.bellwire.pcie;

/**
 * Offsets and bits of an MSI-X table entry (PCI Express Base Specification 5.0, sections 7.7.2.5 to
 * 7.7.2.9). In the pending bit array, vector n is bit {@code n % 64} of the 64-bit word {@code n /
 * 64}.
 *
 * <pre>{@code
 *      31                                            2       0
 *     +-----------------------------------------------+-------+
 * 0   |             Message Address 31:2              |  00   |
 * 4   |             Message Upper Address                     |
 * 8   |             Message Data                              |
 * C   |             Vector Control                     | mask |
 *     +-------------------------------------------------------+
 * }</pre>
 */
public final class MsiXLayout {
  /** Length of a table entry, in bytes. */
  public static final int ENTRY_BYTES = 16;

  /** Low half of the message address; bits 1:0 read 0. */
  public static final int MESSAGE_ADDRESS = 0;

  /** High half of the message address. */
  public static final int MESSAGE_UPPER_ADDRESS = 4;

  /** Message data. */
  public static final int MESSAGE_DATA = 8;

  /** Vector control. */
  public static final int VECTOR_CONTROL = 12;

  /** Vector control: the vector must not send; 1 after reset. */
  public static final int VECTOR_CONTROL_MASK = 1;

  private MsiXLayout() {}
}
