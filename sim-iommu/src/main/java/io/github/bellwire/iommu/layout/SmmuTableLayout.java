package io.github.bellwire.iommu.layout;

/**
 * Stream table entries, context descriptors and stage 1 tables of SMMUv3 (Arm IHI 0070, chapters 3
 * and 5; translation tables are those of the Armv8-A architecture, VMSAv8-64).
 *
 * <pre>{@code
 * STE word 0   | S1CDMax 63:59 | context table 51:6 | format 5:4 | config 3:1 | V |
 *     word 1   | EATS 29:28 | S1DSS 1:0 |
 * CD  word 0   | ASID 63:48 | R 45 | AA64 41 | IPS 34:32 | V 31 | EPD0 14 | TG0 7:6 | T0SZ 5:0 |
 *     word 1   | table 51:4 |
 * descriptor   | APTable 62:61 | address 47:n | nG 11 AF 10 SH 9:8 AP 7:6 | type 1:0 |
 * }</pre>
 */
public final class SmmuTableLayout {
  /** Bytes of a stream table entry and of a context descriptor. */
  public static final int ENTRY_BYTES = 64;

  /** STRTAB_BASE_CFG: bits of a StreamID. */
  public static final int STREAM_BITS_MASK = 0x3F;

  /** STRTAB_BASE_CFG: position of the bits that the second level translates. */
  public static final int SPLIT_SHIFT = 6;

  /** Its mask. */
  public static final int SPLIT_MASK = 0x1F;

  /** STRTAB_BASE_CFG: position of the format, 0 linear, 1 two levels. */
  public static final int FORMAT_SHIFT = 16;

  /** Stream table, address. */
  public static final long TABLE_MASK = 0x000F_FFFF_FFFF_FFC0L;

  /** First-level entry: 2^(n - 1) entries below; 0 none. */
  public static final int SPAN_MASK = 0x1F;

  /** STE: the entry counts. */
  public static final long STREAM_VALID = 1;

  /** STE: position of the configuration. */
  public static final int CONFIG_SHIFT = 1;

  /** Its mask. */
  public static final int CONFIG_MASK = 7;

  /** Configuration: pass. */
  public static final int CONFIG_BYPASS = 4;

  /** Configuration: stage 1. */
  public static final int CONFIG_STAGE_1 = 5;

  /** STE: position of the bits of a SubstreamID. */
  public static final int SUBSTREAM_BITS_SHIFT = 59;

  /** STE: position of the format of the context table, 0 linear. */
  public static final int CONTEXT_FORMAT_SHIFT = 4;

  /** STE, word 1: what becomes of requests without a SubstreamID: 0 end, 1 pass, 2 number 0. */
  public static final int DEFAULT_MASK = 3;

  /** They pass. */
  public static final int DEFAULT_BYPASS = 1;

  /** They are those of substream 0. */
  public static final int DEFAULT_SUBSTREAM_0 = 2;

  /** STE, word 1: position of what device TLBs may do. */
  public static final int DEVICE_TLB_SHIFT = 28;

  /** STE, word 1: the device may ask for translations. */
  public static final int DEVICE_TLB_FULL = 1;

  /** CD: the descriptor counts. */
  public static final long CONTEXT_VALID = 1L << 31;

  /** CD: AArch64 tables. */
  public static final long CONTEXT_AARCH64 = 1L << 41;

  /** CD: faults are recorded. */
  public static final long CONTEXT_RECORDS = 1L << 45;

  /** CD: faults abort. */
  public static final long CONTEXT_ABORTS = 1L << 46;

  /** CD: TTB0 is not walked. */
  public static final long CONTEXT_DISABLED = 1L << 14;

  /** CD: TTB1 is not walked. */
  public static final long CONTEXT_UPPER_DISABLED = 1L << 30;

  /** CD: big endian tables. */
  public static final long CONTEXT_BIG_ENDIAN = 1L << 15;

  /** CD: 64 less the bits of an input address. */
  public static final int INPUT_SIZE_MASK = 0x3F;

  /** Least of it: 48 bits. */
  public static final int INPUT_SIZE_MIN = 16;

  /** Most of it: 25 bits. */
  public static final int INPUT_SIZE_MAX = 39;

  /** CD: position of the granule: 0 4 KiB, 1 64 KiB, 2 16 KiB. */
  public static final int GRANULE_SHIFT = 6;

  /** Its mask. */
  public static final int GRANULE_MASK = 3;

  /** CD: position of the size of output addresses. */
  public static final int OUTPUT_SIZE_SHIFT = 32;

  /** Output addresses of 48 bits. */
  public static final int OUTPUT_SIZE_48 = 5;

  /** Its mask. */
  public static final int OUTPUT_SIZE_MASK = 7;

  /** CD: position of the ASID. */
  public static final int ASID_SHIFT = 48;

  /** CD, word 1: the root table. */
  public static final long ROOT_MASK = 0x000F_FFFF_FFFF_FFF0L;

  /** Descriptor: there is something. */
  public static final long VALID = 1;

  /** Descriptor: a table, or a page in the last level; otherwise a block. */
  public static final long TABLE = 1 << 1;

  /** Descriptor: may be accessed without privilege, as devices do. */
  public static final long UNPRIVILEGED = 1 << 6;

  /** Descriptor: may not be written. */
  public static final long READ_ONLY = 1 << 7;

  /** Descriptor: inner shareable. */
  public static final long INNER_SHAREABLE = 3 << 8;

  /** Descriptor: has been accessed. */
  public static final long ACCESSED = 1 << 10;

  /** Descriptor: of one address space. */
  public static final long NOT_GLOBAL = 1 << 11;

  /** Table descriptor: nothing below may be accessed without privilege. */
  public static final long TABLE_PRIVILEGED = 1L << 61;

  /** Table descriptor: nothing below may be written. */
  public static final long TABLE_READ_ONLY = 1L << 62;

  /** Descriptor: bits of an address. */
  public static final long ADDRESS_MASK = 0x0000_FFFF_FFFF_F000L;

  private SmmuTableLayout() {}
}
