package io.github.bellwire.iommu.layout;

/**
 * Registers and queues of SMMUv3 (Arm IHI 0070, chapters 4, 6 and 7), as far as they are modelled.
 * Bit positions are within the 32-bit register or the 64-bit word that a name says.
 *
 * <pre>{@code
 * command  word 0  63        48 47      32 31                 12 11     8 7     0
 *                 |   ASID     |   VMID   |  SubstreamID        | SSV    | opcode |
 *                 |       StreamID        |    SCALE 24:20 NUM 16:12     |        |
 *          word 1 |  address 63:12        | TG 11:10, TTL 9:8, leaf 0             |
 * event    word 0 |       StreamID        |  SubstreamID        | SSV    | number |
 *          word 1 |                     RnW 35                                    |
 *          word 2 |  input address                                                |
 * }</pre>
 */
public final class SmmuLayout {
  /** Bytes of the two pages of registers. */
  public static final int SIZE_BYTES = 0x2_0000;

  /** Page 1, where the pointers of the event queue are. */
  public static final int PAGE_1 = 0x1_0000;

  /** Identification: stage 1, formats, coherency, messages. */
  public static final int IDR0 = 0x0;

  /** Identification: sizes of queues and streams. */
  public static final int IDR1 = 0x4;

  /** Identification: range invalidation. */
  public static final int IDR3 = 0xC;

  /** Identification: granules and output size. */
  public static final int IDR5 = 0x14;

  /** Enables. */
  public static final int CR0 = 0x20;

  /** What of them is in effect. */
  public static final int CR0ACK = 0x24;

  /** What becomes of requests while nothing is translated. */
  public static final int GBPA = 0x44;

  /** Interrupt enables. */
  public static final int IRQ_CTRL = 0x50;

  /** What of them is in effect. */
  public static final int IRQ_CTRLACK = 0x54;

  /** Global errors: active where a bit differs from that of {@link #GERRORN}. */
  public static final int GERROR = 0x60;

  /** What software has acknowledged. */
  public static final int GERRORN = 0x64;

  /** Message of global errors: address. */
  public static final int GERROR_IRQ_CFG0 = 0x68;

  /** Message of global errors: data. */
  public static final int GERROR_IRQ_CFG1 = 0x70;

  /** Stream table: address. */
  public static final int STRTAB_BASE = 0x80;

  /** Stream table: shape. */
  public static final int STRTAB_BASE_CFG = 0x88;

  /** Command queue: address and size. */
  public static final int CMDQ_BASE = 0x90;

  /** Command queue: where software writes. */
  public static final int CMDQ_PROD = 0x98;

  /** Command queue: where the unit reads. */
  public static final int CMDQ_CONS = 0x9C;

  /** Event queue: address and size. */
  public static final int EVTQ_BASE = 0xA0;

  /** Event queue: where the unit writes. */
  public static final int EVTQ_PROD = PAGE_1 + 0xA8;

  /** Event queue: where software reads. */
  public static final int EVTQ_CONS = PAGE_1 + 0xAC;

  /** Message of the event queue: address. */
  public static final int EVTQ_IRQ_CFG0 = 0xB0;

  /** Message of the event queue: data. */
  public static final int EVTQ_IRQ_CFG1 = 0xB8;

  /** IDR0: stage 1. */
  public static final int IDR0_STAGE_1 = 1 << 1;

  /** IDR0: AArch64 tables. */
  public static final int IDR0_AARCH64 = 2 << 2;

  /** IDR0: tables and queues are coherent. */
  public static final int IDR0_COHERENT = 1 << 4;

  /** IDR0: device TLBs. */
  public static final int IDR0_ATS = 1 << 10;

  /** IDR0: address spaces of 16 bits. */
  public static final int IDR0_ASID16 = 1 << 12;

  /** IDR0: completions write messages. */
  public static final int IDR0_MSI = 1 << 13;

  /** IDR0: little endian tables. */
  public static final int IDR0_LITTLE_ENDIAN = 2 << 21;

  /** IDR0: stream tables of two levels. */
  public static final int IDR0_TWO_LEVELS = 1 << 27;

  /** IDR1: position of the bits of a queue's entries. */
  public static final int IDR1_COMMANDS_SHIFT = 21;

  /** IDR1: the same for events. */
  public static final int IDR1_EVENTS_SHIFT = 16;

  /** IDR1: position of the bits of a SubstreamID. */
  public static final int IDR1_SUBSTREAM_SHIFT = 6;

  /** IDR3: range invalidation. */
  public static final int IDR3_RANGE = 1 << 10;

  /** IDR5: 4 KiB, 16 KiB and 64 KiB granules. */
  public static final int IDR5_GRANULES = 7 << 4;

  /** IDR5: output addresses of 48 bits. */
  public static final int IDR5_OUTPUT_48 = 5;

  /** CR0: translate. */
  public static final int CR0_ENABLE = 1;

  /** CR0: events are recorded. */
  public static final int CR0_EVENTS = 1 << 2;

  /** CR0: commands are worked on. */
  public static final int CR0_COMMANDS = 1 << 3;

  /** GBPA: apply. */
  public static final int GBPA_UPDATE = 1 << 31;

  /** GBPA: abort. */
  public static final int GBPA_ABORT = 1 << 20;

  /** IRQ_CTRL: of global errors. */
  public static final int IRQ_ERRORS = 1;

  /** IRQ_CTRL: of events. */
  public static final int IRQ_EVENTS = 1 << 2;

  /** GERROR: a command is in error. */
  public static final int GERROR_COMMAND = 1;

  /** GERROR: an event could not be written. */
  public static final int GERROR_EVENT_ABORT = 1 << 2;

  /** Position of the bits of a queue's entries in its base. */
  public static final int QUEUE_SIZE_MASK = 0x1F;

  /** Address of a queue. */
  public static final long QUEUE_ADDRESS_MASK = 0x000F_FFFF_FFFF_FFE0L;

  /** The most bits that a queue's entries have. */
  public static final int QUEUE_BITS_MAX = 19;

  /** Overflow of a queue: toggled by the unit in PROD, by software in CONS. */
  public static final int QUEUE_OVERFLOW = 1 << 31;

  /** Position of the error in CMDQ_CONS. */
  public static final int CONS_ERROR_SHIFT = 24;

  /** The command is illegal. */
  public static final int ERROR_ILLEGAL = 1;

  /** The command could not be fetched. */
  public static final int ERROR_ABORT = 2;

  /** A device did not answer. */
  public static final int ERROR_DEVICE_TIMEOUT = 3;

  /** Bytes of a command. */
  public static final int COMMAND_BYTES = 16;

  /** Bytes of an event. */
  public static final int EVENT_BYTES = 32;

  /** CMD_PREFETCH_CONFIG: a hint. */
  public static final int PREFETCH_CONFIG = 0x01;

  /** CMD_PREFETCH_ADDR: a hint. */
  public static final int PREFETCH_ADDRESS = 0x02;

  /** CMD_CFGI_STE: the configuration of a stream. */
  public static final int CFGI_STE = 0x03;

  /** CMD_CFGI_STE_RANGE: that of 2^(n + 1) streams; 31 for all, which is CMD_CFGI_ALL. */
  public static final int CFGI_STE_RANGE = 0x04;

  /** CMD_CFGI_CD: a context descriptor. */
  public static final int CFGI_CD = 0x05;

  /** CMD_CFGI_CD_ALL: those of a stream. */
  public static final int CFGI_CD_ALL = 0x06;

  /** CMD_TLBI_NH_ASID: an address space. */
  public static final int TLBI_NH_ASID = 0x11;

  /** CMD_TLBI_NH_VA: addresses of an address space. */
  public static final int TLBI_NH_VA = 0x12;

  /** CMD_TLBI_NSNH_ALL: all address spaces. */
  public static final int TLBI_NSNH_ALL = 0x30;

  /** CMD_ATC_INV: a device TLB. */
  public static final int ATC_INV = 0x40;

  /** CMD_SYNC. */
  public static final int SYNC = 0x46;

  /** Mask of the opcode and of an event's number. */
  public static final int CODE_MASK = 0xFF;

  /** A SubstreamID counts. */
  public static final long SUBSTREAM_VALID = 1 << 11;

  /** Its position. */
  public static final int SUBSTREAM_SHIFT = 12;

  /** Its mask. */
  public static final int SUBSTREAM_MASK = 0xF_FFFF;

  /** Position of the StreamID. */
  public static final int STREAM_SHIFT = 32;

  /** Position of the ASID. */
  public static final int ASID_SHIFT = 48;

  /** TLBI, word 0: position of NUM. */
  public static final int RANGE_NUMBER_SHIFT = 12;

  /** TLBI, word 0: position of SCALE. */
  public static final int RANGE_SCALE_SHIFT = 20;

  /** Mask of both. */
  public static final int RANGE_MASK = 0x1F;

  /** TLBI, word 1: only last entries have changed. */
  public static final long TLBI_LEAF = 1;

  /** TLBI, word 1: position of the granule: 0 no range, 1 4 KiB, 2 16 KiB, 3 64 KiB. */
  public static final int GRANULE_SHIFT = 10;

  /** Its mask. */
  public static final int GRANULE_MASK = 3;

  /** TLBI and ATC_INV, word 1: the address. */
  public static final long ADDRESS_MASK = -1L << 12;

  /** ATC_INV, word 1: 2^n pages of 4 KiB; 52 is all. */
  public static final int ATC_SIZE_MASK = 0x3F;

  /** CFGI_STE_RANGE, word 1. */
  public static final int CFGI_RANGE_MASK = 0x1F;

  /** SYNC: position of the signal. */
  public static final int SYNC_SIGNAL_SHIFT = 12;

  /** Its mask. */
  public static final int SYNC_SIGNAL_MASK = 3;

  /** SYNC: by a message. */
  public static final int SYNC_SIGNAL_MESSAGE = 1;

  /** SYNC, word 0: position of the data. */
  public static final int SYNC_DATA_SHIFT = 32;

  /** SYNC, word 1: the address. */
  public static final long SYNC_ADDRESS_MASK = 0x000F_FFFF_FFFF_FFFCL;

  /** Event, word 1: a read. */
  public static final long EVENT_READ = 1L << 35;

  /** Event, word 1: CLASS, of faults of translation: the address of the request is to blame. */
  public static final long EVENT_CLASS_INPUT = 2L << 40;

  private SmmuLayout() {}
}
