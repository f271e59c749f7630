package io.github.bellwire.pcie;

/**
 * Offsets and bits of a configuration space; the header is that of type 0. Sections are those of
 * the PCI Express Base Specification 5.0. Offsets of capability registers are relative to their
 * structure.
 *
 * <pre>{@code
 *       31           24 23           16 15            8 7             0
 *      +-------------------------------+-------------------------------+
 * 000  |           Device ID           |           Vendor ID           |
 * 004  |            Status             |            Command            |
 * 008  |                  Class Code                   |  Revision ID  |
 * 00C  |     BIST      |  Header Type  | Latency Timer |Cache Line Size|
 * 010  |                 Base Address Registers 0..5                   |
 * 02C  |         Subsystem ID          |      Subsystem Vendor ID      |
 * 030  |                Expansion ROM Base Address                     |
 * 034  |                                               | Capabilities  |
 * 03C  |    Max_Lat    |    Min_Gnt    |Interrupt Pin  |Interrupt Line |
 *      +---------------------------------------------------------------+
 * 040  |         capability structures, linked by their second byte    |
 * 100  |         extended capabilities                                 |
 *      +---------------------------------------------------------------+
 * }</pre>
 */
public final class ConfigLayout {
  /** Size of the configuration space of a function, in bytes (section 7.2.2). */
  public static final int CONFIG_SPACE_BYTES = 4096;

  /** Where the extended configuration space starts (section 7.2). */
  public static final int EXTENDED_BASE = 0x100;

  // Type 0 header, section 7.5.1.

  /** Vendor ID, 16 bits (7.5.1.1.1). */
  public static final int VENDOR_ID = 0x00;

  /** Device ID, 16 bits (7.5.1.1.2). */
  public static final int DEVICE_ID = 0x02;

  /** Command, 16 bits (7.5.1.1.3). */
  public static final int COMMAND = 0x04;

  /** Command: respond to memory requests. */
  public static final int COMMAND_MEMORY_ENABLE = 1 << 1;

  /** Command: may issue memory requests, interrupt messages included. */
  public static final int COMMAND_BUS_MASTER_ENABLE = 1 << 2;

  /** Command: log poisoned TLPs in the status register. */
  public static final int COMMAND_PARITY_ERROR_RESPONSE = 1 << 6;

  /** Command: report errors to the root complex. */
  public static final int COMMAND_SERR_ENABLE = 1 << 8;

  /** Command: no INTx messages. */
  public static final int COMMAND_INTERRUPT_DISABLE = 1 << 10;

  /** Status, 16 bits (7.5.1.1.4). */
  public static final int STATUS = 0x06;

  /** Status: the capability list exists; always 1. */
  public static final int STATUS_CAPABILITIES_LIST = 1 << 4;

  /** Status: a poisoned TLP was sent or received as requester; write 1 to clear. */
  public static final int STATUS_MASTER_DATA_PARITY_ERROR = 1 << 8;

  /** Status: completed a request with Completer Abort; write 1 to clear. */
  public static final int STATUS_SIGNALED_TARGET_ABORT = 1 << 11;

  /** Status: a completion with Completer Abort arrived; write 1 to clear. */
  public static final int STATUS_RECEIVED_TARGET_ABORT = 1 << 12;

  /** Status: a completion with Unsupported Request arrived; write 1 to clear. */
  public static final int STATUS_RECEIVED_MASTER_ABORT = 1 << 13;

  /** Status: a fatal or non-fatal error message was sent; write 1 to clear. */
  public static final int STATUS_SIGNALED_SYSTEM_ERROR = 1 << 14;

  /** Status: a poisoned TLP arrived; write 1 to clear. */
  public static final int STATUS_DETECTED_PARITY_ERROR = 1 << 15;

  /** Status: all bits that are set by events and cleared by writing 1. */
  public static final int STATUS_RW1C =
      STATUS_MASTER_DATA_PARITY_ERROR
          | STATUS_SIGNALED_TARGET_ABORT
          | STATUS_RECEIVED_TARGET_ABORT
          | STATUS_RECEIVED_MASTER_ABORT
          | STATUS_SIGNALED_SYSTEM_ERROR
          | STATUS_DETECTED_PARITY_ERROR;

  /** Revision ID, 8 bits (7.5.1.1.5). */
  public static final int REVISION_ID = 0x08;

  /** Class code, 24 bits: programming interface, sub-class, base class (7.5.1.1.6). */
  public static final int CLASS_CODE = 0x09;

  /** Cache line size, 8 bits, read-write without effect (7.5.1.1.7). */
  public static final int CACHE_LINE_SIZE = 0x0C;

  /** Header type, 8 bits: 0 is a single-function endpoint, 1 a bridge (7.5.1.1.9). */
  public static final int HEADER_TYPE = 0x0E;

  /** First of six base address registers, 32 bits each (7.5.1.2.1). */
  public static final int BAR0 = 0x10;

  /** Number of base address registers. */
  public static final int BAR_COUNT = 6;

  /** BAR type field, bits 2:1: 64-bit decoder. */
  public static final int BAR_TYPE_64 = 1 << 2;

  /** BAR: reads have no side effects. */
  public static final int BAR_PREFETCHABLE = 1 << 3;

  /** BAR: bits that describe the BAR and are not address. */
  public static final int BAR_ATTRIBUTES = 0xF;

  /** Subsystem vendor ID, 16 bits (7.5.1.2.3). */
  public static final int SUBSYSTEM_VENDOR_ID = 0x2C;

  /** Subsystem ID, 16 bits (7.5.1.2.3). */
  public static final int SUBSYSTEM_ID = 0x2E;

  /** Expansion ROM base address; reads 0, as there is no ROM (7.5.1.2.4). */
  public static final int EXPANSION_ROM = 0x30;

  /** Offset of the first capability structure, 8 bits (7.5.1.1.11). */
  public static final int CAPABILITIES_POINTER = 0x34;

  /** Interrupt line, 8 bits, software's scratch register (7.5.1.1.12). */
  public static final int INTERRUPT_LINE = 0x3C;

  /** Interrupt pin, 8 bits; reads 0, as INTx is not modelled (7.5.1.1.13). */
  public static final int INTERRUPT_PIN = 0x3D;

  /** First offset that a capability structure may occupy. */
  public static final int CAPABILITIES_BASE = 0x40;

  // Power management capability, section 7.5.2.

  /** Length of the power management structure, in bytes. */
  public static final int PM_LENGTH_BYTES = 8;

  /** Power management capabilities, 16 bits (7.5.2.1). */
  public static final int PM_CAPABILITIES = 2;

  /** Power management control and status, 16 bits (7.5.2.2). */
  public static final int PM_CONTROL_STATUS = 4;

  /** Power state: 0 is D0, 3 is D3hot; D1 and D2 are not implemented. */
  public static final int PM_POWER_STATE_MASK = 3;

  /** No_Soft_Reset: going from D3hot to D0 keeps all registers; always 1. */
  public static final int PM_NO_SOFT_RESET = 1 << 3;

  // PCI Express capability, section 7.5.3.

  /** Length of the PCI Express structure, version 2, in bytes. */
  public static final int PCIE_LENGTH_BYTES = 0x3C;

  /** PCI Express capabilities, 16 bits: version 3:0, device type 7:4 (7.5.3.2). */
  public static final int PCIE_CAPABILITIES = 0x02;

  /** PCI Express capabilities: position of the device type. */
  public static final int PCIE_CAPABILITIES_TYPE_SHIFT = 4;

  /** PCI Express capabilities: the link leads to a slot. */
  public static final int PCIE_CAPABILITIES_SLOT = 1 << 8;

  /** Device capabilities, 32 bits (7.5.3.3). */
  public static final int DEVICE_CAPABILITIES = 0x04;

  /** Device capabilities: largest payload supported, 128 B shifted left by this field. */
  public static final int DEVICE_CAPABILITIES_MPS_MASK = 7;

  /** Device capabilities: 8-bit tags supported. */
  public static final int DEVICE_CAPABILITIES_EXTENDED_TAG = 1 << 5;

  /** Device capabilities: role-based error reporting; always 1. */
  public static final int DEVICE_CAPABILITIES_ROLE_BASED_ERRORS = 1 << 15;

  /** Device capabilities: function-level reset supported. */
  public static final int DEVICE_CAPABILITIES_FUNCTION_RESET = 1 << 28;

  /** Device control, 16 bits (7.5.3.4). */
  public static final int DEVICE_CONTROL = 0x08;

  /** Device control: the four error reporting enables. */
  public static final int DEVICE_CONTROL_ERROR_ENABLES = 0xF;

  /** Device control: report correctable errors. */
  public static final int DEVICE_CONTROL_CORRECTABLE_ENABLE = 1;

  /** Device control: report non-fatal errors. */
  public static final int DEVICE_CONTROL_NON_FATAL_ENABLE = 1 << 1;

  /** Device control: report fatal errors. */
  public static final int DEVICE_CONTROL_FATAL_ENABLE = 1 << 2;

  /** Device control: report unsupported requests. */
  public static final int DEVICE_CONTROL_UNSUPPORTED_ENABLE = 1 << 3;

  /** Device control: writing 1 resets the function, if it supports that; reads 0. */
  public static final int DEVICE_CONTROL_FUNCTION_RESET = 1 << 15;

  /** Device control: may set the relaxed ordering attribute; 1 after reset. */
  public static final int DEVICE_CONTROL_RELAXED_ORDERING = 1 << 4;

  /** Device control: position of the maximum payload size, 128 B shifted left by the field. */
  public static final int DEVICE_CONTROL_MPS_SHIFT = 5;

  /** Device control: the maximum payload size field. */
  public static final int DEVICE_CONTROL_MPS_MASK = 7 << DEVICE_CONTROL_MPS_SHIFT;

  /** Device control: may use 8-bit tags. */
  public static final int DEVICE_CONTROL_EXTENDED_TAG = 1 << 8;

  /** Device control: may set the no snoop attribute; 1 after reset. */
  public static final int DEVICE_CONTROL_NO_SNOOP = 1 << 11;

  /** Device control: position of the maximum read request size, 128 B shifted left by it. */
  public static final int DEVICE_CONTROL_MRRS_SHIFT = 12;

  /** Device control: the maximum read request size field; 2 (512 B) after reset. */
  public static final int DEVICE_CONTROL_MRRS_MASK = 7 << DEVICE_CONTROL_MRRS_SHIFT;

  /** Device status, 16 bits (7.5.3.5). */
  public static final int DEVICE_STATUS = 0x0A;

  /** Device status: a correctable error was detected; write 1 to clear. */
  public static final int DEVICE_STATUS_CORRECTABLE_ERROR = 1;

  /** Device status: a non-fatal error was detected; write 1 to clear. */
  public static final int DEVICE_STATUS_NON_FATAL_ERROR = 1 << 1;

  /** Device status: a fatal error was detected; write 1 to clear. */
  public static final int DEVICE_STATUS_FATAL_ERROR = 1 << 2;

  /** Device status: an unsupported request arrived; write 1 to clear. */
  public static final int DEVICE_STATUS_UNSUPPORTED_REQUEST = 1 << 3;

  /** Device status: all bits that are set by events and cleared by writing 1. */
  public static final int DEVICE_STATUS_RW1C =
      DEVICE_STATUS_CORRECTABLE_ERROR
          | DEVICE_STATUS_NON_FATAL_ERROR
          | DEVICE_STATUS_FATAL_ERROR
          | DEVICE_STATUS_UNSUPPORTED_REQUEST;

  /** Device status: non-posted requests are waiting for completions; read-only. */
  public static final int DEVICE_STATUS_TRANSACTIONS_PENDING = 1 << 5;

  /** Link capabilities, 32 bits (7.5.3.6). */
  public static final int LINK_CAPABILITIES = 0x0C;

  /** Link capabilities: ASPM optionality compliance; always 1. */
  public static final int LINK_CAPABILITIES_ASPM_OPTIONALITY = 1 << 22;

  /** Link capabilities: link status tells whether the data link layer is active. */
  public static final int LINK_CAPABILITIES_DLL_ACTIVE = 1 << 20;

  /** Link control, 16 bits (7.5.3.7). */
  public static final int LINK_CONTROL = 0x10;

  /**
   * Link control: bits that software may write on an endpoint: ASPM 1:0, read completion boundary
   * 3, common clock 6, extended synch 7. They have no effect here.
   */
  public static final int LINK_CONTROL_WRITABLE = 0xCB;

  /** Link status, 16 bits (7.5.3.8). */
  public static final int LINK_STATUS = 0x12;

  /** Link capabilities and status: generation, 1 (2.5 GT/s) to 6 (64 GT/s). */
  public static final int LINK_SPEED_MASK = 0xF;

  /** Link capabilities and status: position of the number of lanes. */
  public static final int LINK_WIDTH_SHIFT = 4;

  /** Link capabilities and status: the number of lanes. */
  public static final int LINK_WIDTH_MASK = 0x3F << LINK_WIDTH_SHIFT;

  /** Link status: the slot's reference clock is used; always 1. */
  public static final int LINK_STATUS_SLOT_CLOCK = 1 << 12;

  /** Link status: the data link layer is active, if link capabilities say that it is told. */
  public static final int LINK_STATUS_DLL_ACTIVE = 1 << 13;

  /** Slot capabilities, 32 bits (7.5.3.9). */
  public static final int SLOT_CAPABILITIES = 0x14;

  /** Slot capabilities: a device may be gone without notice. */
  public static final int SLOT_CAPABILITIES_SURPRISE = 1 << 5;

  /** Slot capabilities: hot-plug. */
  public static final int SLOT_CAPABILITIES_HOT_PLUG = 1 << 6;

  /** Slot capabilities: writes to slot control take effect without further notice. */
  public static final int SLOT_CAPABILITIES_NO_COMMAND_COMPLETED = 1 << 18;

  /** Slot capabilities: position of the physical slot number. */
  public static final int SLOT_CAPABILITIES_NUMBER_SHIFT = 19;

  /** Slot control, 16 bits (7.5.3.10). */
  public static final int SLOT_CONTROL = 0x18;

  /** Slot control: a change of presence interrupts. */
  public static final int SLOT_CONTROL_PRESENCE = 1 << 3;

  /** Slot control: hot-plug events interrupt at all. */
  public static final int SLOT_CONTROL_HOT_PLUG_INTERRUPT = 1 << 5;

  /** Slot control: a link that goes up or down interrupts. */
  public static final int SLOT_CONTROL_LINK = 1 << 12;

  /** Slot control: what software may write. */
  public static final int SLOT_CONTROL_WRITABLE =
      SLOT_CONTROL_PRESENCE | SLOT_CONTROL_HOT_PLUG_INTERRUPT | SLOT_CONTROL_LINK;

  /** Slot status, 16 bits (7.5.3.11). */
  public static final int SLOT_STATUS = 0x1A;

  /** Slot status: presence has changed; write 1 to clear. */
  public static final int SLOT_STATUS_PRESENCE_CHANGED = 1 << 3;

  /** Slot status: a device is in the slot; read-only. */
  public static final int SLOT_STATUS_PRESENT = 1 << 6;

  /** Slot status: the data link layer has become active or inactive; write 1 to clear. */
  public static final int SLOT_STATUS_LINK_CHANGED = 1 << 8;

  /** Slot status: all bits that are set by events and cleared by writing 1. */
  public static final int SLOT_STATUS_CHANGES =
      SLOT_STATUS_PRESENCE_CHANGED | SLOT_STATUS_LINK_CHANGED;

  /** Device capabilities 2, 32 bits (7.5.3.15). */
  public static final int DEVICE_CAPABILITIES_2 = 0x24;

  /** Device capabilities 2: completion timeout ranges A to D, and disabling it, are supported. */
  public static final int DEVICE_CAPABILITIES_2_COMPLETION_TIMEOUT = 0x1F;

  /** Device control 2, 16 bits (7.5.3.16). */
  public static final int DEVICE_CONTROL_2 = 0x28;

  /** Device control 2: completion timeout value 3:0 and disable 4. */
  public static final int DEVICE_CONTROL_2_COMPLETION_TIMEOUT = 0x1F;

  /** Device control 2: completion timeout value. */
  public static final int DEVICE_CONTROL_2_COMPLETION_TIMEOUT_VALUE = 0xF;

  /** Device control 2: may set the ID-based ordering attribute in requests. */
  public static final int DEVICE_CONTROL_2_IDO_REQUEST = 1 << 8;

  /** Device control 2: may set the ID-based ordering attribute in completions. */
  public static final int DEVICE_CONTROL_2_IDO_COMPLETION = 1 << 9;

  /** Link capabilities 2, 32 bits: supported generations, generation n in bit n (7.5.3.18). */
  public static final int LINK_CAPABILITIES_2 = 0x2C;

  /** Link control 2, 16 bits: target speed in 3:0 (7.5.3.19). */
  public static final int LINK_CONTROL_2 = 0x30;

  // Extended capabilities, section 7.6.3: ID 15:0, version 19:16, next offset 31:20.

  /** Extended capability header: the ID. */
  public static final int EXTENDED_ID_MASK = 0xFFFF;

  /** Extended capability header: position of the version. */
  public static final int EXTENDED_VERSION_SHIFT = 16;

  /** Extended capability header: position of the next structure's offset. */
  public static final int EXTENDED_NEXT_SHIFT = 20;

  // MSI-X capability, section 7.7.2.

  /** Length of the MSI-X structure, in bytes. */
  public static final int MSIX_LENGTH_BYTES = 12;

  /** Message control, 16 bits: table size minus one in 10:0 (7.7.2.2). */
  public static final int MSIX_CONTROL = 2;

  /** Message control: number of vectors minus one. */
  public static final int MSIX_CONTROL_TABLE_SIZE_MASK = 0x7FF;

  /** Message control: all vectors are masked. */
  public static final int MSIX_CONTROL_FUNCTION_MASK = 1 << 14;

  /** Message control: MSI-X is in use. */
  public static final int MSIX_CONTROL_ENABLE = 1 << 15;

  /** Table offset 31:3 and BAR index 2:0, 32 bits (7.7.2.3). */
  public static final int MSIX_TABLE = 4;

  /** Pending bit array offset 31:3 and BAR index 2:0, 32 bits (7.7.2.4). */
  public static final int MSIX_PBA = 8;

  /** MSI-X table and PBA: the BAR index in the offset register. */
  public static final int MSIX_BAR_INDEX_MASK = 7;

  private ConfigLayout() {}

  /**
   * {@return the offset of a base address register}
   *
   * @param index 0..5
   * @throws IllegalArgumentException if there is no such register
   */
  public static int barOffset(int index) {
    if (index < 0 || index >= BAR_COUNT) {
      throw new IllegalArgumentException("index must be 0..5: index=" + index);
    }
    return BAR0 + index * Integer.BYTES;
  }
}
