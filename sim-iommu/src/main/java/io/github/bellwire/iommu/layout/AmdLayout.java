package io.github.bellwire.iommu.layout;

/**
 * Registers and structures in memory of AMD-Vi (AMD I/O Virtualization Technology (IOMMU)
 * Specification, publication 48882, revision 3.08). Bit positions are within the 64-bit word that a
 * name says, word 0 first.
 *
 * <pre>{@code
 * device table entry  63 62 61 60            51        12 11  9 8 7     1  0
 *   word 0           | - IW IR  -           |  root      | mode |HAD| - |TV| V|
 *   word 1           |  ...                        SA SE  I |      domain     |
 * page table entry    63 62 61 60 59 .. 52  51        12 11  9 8  7 6 5 4 1  0
 *                    | - IW IR FC   -      |  address   | next |  -        PR|
 * command  word 0    | opcode 63:60 | operand | domain 47:32 | device 15:0    |
 * event    word 0    | code 63:60 | flags 59:48 | domain 47:32 | device 15:0  |
 * }</pre>
 */
public final class AmdLayout {
  // Registers, section 3.4.

  /** Device table base: address 51:12, size 8:0 in pages of 4 KiB less one. */
  public static final int DEVICE_TABLE_BASE = 0x0;

  /** Command buffer base: address 51:12, length 59:56 as a power of two of entries. */
  public static final int COMMAND_BASE = 0x8;

  /** Event log base, of the same shape. */
  public static final int EVENT_BASE = 0x10;

  /** Control. */
  public static final int CONTROL = 0x18;

  /** Extended features. */
  public static final int FEATURES = 0x30;

  /** Message of the event log and of completions: low address. */
  public static final int MESSAGE_ADDRESS_LOW = 0x15C;

  /** Its high address. */
  public static final int MESSAGE_ADDRESS_HIGH = 0x160;

  /** Its data. */
  public static final int MESSAGE_DATA = 0x164;

  /** Command buffer head, a byte offset. */
  public static final int COMMAND_HEAD = 0x2000;

  /** Command buffer tail. */
  public static final int COMMAND_TAIL = 0x2008;

  /** Event log head. */
  public static final int EVENT_HEAD = 0x2010;

  /** Event log tail. */
  public static final int EVENT_TAIL = 0x2018;

  /** Status. */
  public static final int STATUS = 0x2020;

  /** Bytes of all registers without performance counters. */
  public static final int SIZE_BYTES = 0x4000;

  /** Address of a base register, of a device table entry, or of a page table entry. */
  public static final long ADDRESS_MASK = 0x000F_FFFF_FFFF_F000L;

  /** Size in the device table base. */
  public static final long DEVICE_TABLE_SIZE_MASK = 0x1FF;

  /** Position of the length in the bases of the rings. */
  public static final int RING_LENGTH_SHIFT = 56;

  /** Its mask. */
  public static final int RING_LENGTH_MASK = 0xF;

  /** Least length: 256 entries. */
  public static final int RING_LENGTH_MIN = 8;

  /** Offset in a ring. */
  public static final long RING_OFFSET_MASK = 0x7_FFF0;

  /** Control: translate. */
  public static final long CONTROL_ENABLE = 1;

  /** Control: log events. */
  public static final long CONTROL_EVENT_LOG = 1 << 2;

  /** Control: interrupt for events. */
  public static final long CONTROL_EVENT_INTERRUPT = 1 << 3;

  /** Control: interrupt for completions. */
  public static final long CONTROL_COMPLETION_INTERRUPT = 1 << 4;

  /** Control: work on commands. */
  public static final long CONTROL_COMMANDS = 1 << 12;

  /** Status: an event has been lost. */
  public static final int STATUS_EVENT_OVERFLOW = 1;

  /** Status: an event has been logged. */
  public static final int STATUS_EVENT_INTERRUPT = 1 << 1;

  /** Status: a completion has asked for an interrupt. */
  public static final int STATUS_COMPLETION_INTERRUPT = 1 << 2;

  /** Status: events are logged. */
  public static final int STATUS_EVENT_RUNNING = 1 << 3;

  /** Status: commands are worked on. */
  public static final int STATUS_COMMANDS_RUNNING = 1 << 4;

  /** Extended features: INVALIDATE_IOMMU_ALL is understood. */
  public static final long FEATURE_INVALIDATE_ALL = 1 << 6;

  /** Extended features: position of the greatest number of levels, 0 four, 1 five. */
  public static final int FEATURE_LEVELS_SHIFT = 10;

  // Device table, section 2.2.2.1.

  /** Bytes of a device table entry. */
  public static final int DEVICE_ENTRY_BYTES = 32;

  /** Word 0: the entry counts; otherwise all passes. */
  public static final long DEVICE_VALID = 1;

  /** Word 0: what is said of translation counts. */
  public static final long DEVICE_TRANSLATION_VALID = 1 << 1;

  /** Position of the mode: levels of the tables, 0 for none. */
  public static final int DEVICE_MODE_SHIFT = 9;

  /** Mask of the mode. */
  public static final int DEVICE_MODE_MASK = 7;

  /** Word 0: reserved bits, and those of guest translation, which is not there. */
  public static final long DEVICE_RESERVED_0 = 0x9FF0_0000_0000_007CL;

  /** Word 1: the domain. */
  public static final int DOMAIN_MASK = 0xFFFF;

  /** Word 1: the device may ask for translations. */
  public static final long DEVICE_TLB = 1L << 32;

  /** Word 1: page faults are not logged. */
  public static final long DEVICE_SILENT = 1L << 34;

  // Page tables, section 2.2.3.

  /** The entry is there. */
  public static final long PAGE_PRESENT = 1;

  /** Position of the level of the next table: 0 a page of the size of the level, 7 of any size. */
  public static final int NEXT_LEVEL_SHIFT = 9;

  /** Mask of the next level. */
  public static final int NEXT_LEVEL_MASK = 7;

  /** Next level: a page whose size the address tells. */
  public static final int ANY_SIZE = 7;

  /** Accesses are coherent. */
  public static final long FORCE_COHERENT = 1L << 60;

  /** What is below may be read; in device table entries too. */
  public static final long READ = 1L << 61;

  /** What is below may be written; in device table entries too. */
  public static final long WRITE = 1L << 62;

  /** Reserved in page table entries. */
  public static final long PAGE_RESERVED = 1L << 63 | 0x07F0_0000_0000_0000L;

  // Commands, section 2.4.

  /** Bytes of a command or an event. */
  public static final int ENTRY_BYTES = 16;

  /** Position of the opcode, and of an event's code. */
  public static final int CODE_SHIFT = 60;

  /** COMPLETION_WAIT. */
  public static final int COMPLETION_WAIT = 1;

  /** INVALIDATE_DEVTAB_ENTRY. */
  public static final int INVALIDATE_DEVICE = 2;

  /** INVALIDATE_IOMMU_PAGES. */
  public static final int INVALIDATE_PAGES = 3;

  /** INVALIDATE_IOTLB_PAGES: in a device. */
  public static final int INVALIDATE_DEVICE_TLB = 4;

  /** INVALIDATE_INTERRUPT_TABLE. */
  public static final int INVALIDATE_INTERRUPTS = 5;

  /** INVALIDATE_IOMMU_ALL. */
  public static final int INVALIDATE_ALL = 8;

  /** COMPLETION_WAIT: store word 1. */
  public static final long WAIT_STORE = 1;

  /** COMPLETION_WAIT: interrupt. */
  public static final long WAIT_INTERRUPT = 1 << 1;

  /** COMPLETION_WAIT: where to store. */
  public static final long WAIT_ADDRESS_MASK = 0x000F_FFFF_FFFF_FFF8L;

  /** Position of the domain. */
  public static final int DOMAIN_SHIFT = 32;

  /** INVALIDATE_IOMMU_PAGES, word 1: more than 4 KiB, the address tells how much. */
  public static final long PAGES_SIZE = 1;

  /** INVALIDATE_IOMMU_PAGES, word 1: entries above the last level too. */
  public static final long PAGES_DIRECTORIES = 1 << 1;

  /** Word 1: the address. */
  public static final long PAGES_ADDRESS_MASK = -1L << 12;

  // Events, section 2.5. Flags are within word 0.

  /** A device table entry that is not as it must be. */
  public static final int ILLEGAL_DEVICE_ENTRY = 1;

  /** A page that is not there or must not be accessed so. */
  public static final int PAGE_FAULT = 2;

  /** The device table is not in memory. */
  public static final int DEVICE_TABLE_ERROR = 3;

  /** A page table is not in memory. */
  public static final int PAGE_TABLE_ERROR = 4;

  /** A command that makes no sense. */
  public static final int ILLEGAL_COMMAND = 5;

  /** The commands are not in memory. */
  public static final int COMMAND_ERROR = 6;

  /** A device has not answered in time. */
  public static final int DEVICE_TLB_TIMEOUT = 7;

  /** A request that the device may not send. */
  public static final int INVALID_DEVICE_REQUEST = 8;

  /** PR: the page is there. */
  public static final long EVENT_PRESENT = 1L << 52;

  /** RW: a write. */
  public static final long EVENT_WRITE = 1L << 53;

  /** PE: no right. */
  public static final long EVENT_DENIED = 1L << 54;

  /** RZ: reserved bits, or an illegal level. */
  public static final long EVENT_RESERVED = 1L << 55;

  private AmdLayout() {}

  /**
   * {@return the bits of a range whose address tells its size: 2^(n + 1) bytes if bit n is the
   * first one from 12 on that is 0}
   *
   * @param word an entry with next level 7, or word 1 of an invalidation with S set
   */
  public static int sizeShift(long word) {
    return Long.numberOfTrailingZeros(~(word | 0xFFF)) + 1;
  }
}
