package io.github.bellwire.pcie;

/**
 * Offsets and bits of the Advanced Error Reporting extended capability, relative to its structure
 * (PCI Express Base Specification 5.0, section 7.8.4). The bits of the status, mask and severity
 * registers are those of {@link PcieError#bit()}.
 *
 * <pre>{@code
 *      +---------------------------------------------------------------+
 * 00   |       extended capability header: ID 0001h, version 2         |
 * 04   |                 Uncorrectable Error Status                    |
 * 08   |                 Uncorrectable Error Mask                      |
 * 0C   |                 Uncorrectable Error Severity                  |
 * 10   |                 Correctable Error Status                      |
 * 14   |                 Correctable Error Mask                        |
 * 18   |          Advanced Error Capabilities and Control              |
 * 1C   |                 Header Log, four double words                 |
 * 2C   |                 Root Error Command        (root ports only)   |
 * 30   |                 Root Error Status         (root ports only)   |
 * 34   |  ERR_FATAL/NONFATAL Source ID | ERR_COR Source ID   (same)    |
 * 38   |                 TLP Prefix Log, not used                      |
 *      +---------------------------------------------------------------+
 * }</pre>
 */
public final class AerLayout {
  /** Length of the structure, in bytes. */
  public static final int LENGTH_BYTES = 0x48;

  /** Uncorrectable error status; write 1 to clear; sticky. */
  public static final int UNCORRECTABLE_STATUS = 0x04;

  /** Uncorrectable error mask; a masked error is neither logged in the header log nor reported. */
  public static final int UNCORRECTABLE_MASK = 0x08;

  /** Uncorrectable error severity: 1 is fatal. */
  public static final int UNCORRECTABLE_SEVERITY = 0x0C;

  /** Correctable error status; write 1 to clear; sticky. */
  public static final int CORRECTABLE_STATUS = 0x10;

  /** Correctable error mask; advisory non-fatal errors are masked after reset. */
  public static final int CORRECTABLE_MASK = 0x14;

  /** Capabilities and control: the first error pointer in 4:0. */
  public static final int CONTROL = 0x18;

  /** Capabilities and control: the bit of the error whose header is in the log. */
  public static final int CONTROL_FIRST_ERROR_MASK = 0x1F;

  /** Header log: the first double word; three more follow. */
  public static final int HEADER_LOG = 0x1C;

  /** Root error command: which messages interrupt. */
  public static final int ROOT_COMMAND = 0x2C;

  /** Root error command: interrupt on ERR_COR. */
  public static final int ROOT_COMMAND_CORRECTABLE = 1;

  /** Root error command: interrupt on ERR_NONFATAL. */
  public static final int ROOT_COMMAND_NON_FATAL = 1 << 1;

  /** Root error command: interrupt on ERR_FATAL. */
  public static final int ROOT_COMMAND_FATAL = 1 << 2;

  /** Root error status; write 1 to clear; sticky. */
  public static final int ROOT_STATUS = 0x30;

  /** Root error status: ERR_COR has arrived. */
  public static final int ROOT_STATUS_CORRECTABLE = 1;

  /** Root error status: more than one ERR_COR has arrived. */
  public static final int ROOT_STATUS_CORRECTABLE_MULTIPLE = 1 << 1;

  /** Root error status: ERR_FATAL or ERR_NONFATAL has arrived. */
  public static final int ROOT_STATUS_UNCORRECTABLE = 1 << 2;

  /** Root error status: more than one ERR_FATAL or ERR_NONFATAL has arrived. */
  public static final int ROOT_STATUS_UNCORRECTABLE_MULTIPLE = 1 << 3;

  /** Root error status: the first uncorrectable message was ERR_FATAL. */
  public static final int ROOT_STATUS_FIRST_FATAL = 1 << 4;

  /** Root error status: ERR_NONFATAL has arrived. */
  public static final int ROOT_STATUS_NON_FATAL = 1 << 5;

  /** Root error status: ERR_FATAL has arrived. */
  public static final int ROOT_STATUS_FATAL = 1 << 6;

  /** Root error status: all bits that are set by messages and cleared by writing 1. */
  public static final int ROOT_STATUS_RW1C = 0x7F;

  /** Source IDs: of the first ERR_COR in 15:0, of the first uncorrectable message in 31:16. */
  public static final int SOURCE_ID = 0x34;

  private AerLayout() {}
}
