package io.github.bellwire.iommu.layout;

/**
 * Offsets and bits of the register block (Intel Virtualization Technology for Directed I/O,
 * architecture specification 4.1, section 11.4). Registers are 32 or 64 bits wide, little endian.
 *
 * <pre>{@code
 *       +0          +4          +8          +C
 * 000   VER         -           CAP
 * 010   ECAP                    GCMD        GSTS
 * 020   RTADDR                  CCMD
 * 030   -           FSTS        FECTL       FEDATA
 * 040   FEADDR      FEUADDR     -           -
 * 060   -           PMEN        PLMBASE     PLMLIMIT
 * 070   PHMBASE                 PHMLIMIT
 * 080   IQH                     IQT
 * 090   IQA                     -           ICS
 * 0A0   IECTL       IEDATA      IEADDR      IEUADDR
 * 0B0   IQERCD                  IRTA
 * 0C0   PQH                     PQT
 * 0D0   PQA                     -           PRS
 * 0E0   PECTL       PEDATA      PEADDR      PEUADDR
 * 0F0   IVA                     IOTLB              (where ECAP says)
 * 220   fault recording registers, 16 bytes each   (where CAP says)
 * }</pre>
 */
public final class RegisterLayout {
  /** Where firmware of PC hosts puts the first unit (QEMU's Q35 machine and Intel's chipsets). */
  public static final long BASE_ADDRESS = 0xFED9_0000L;

  /** Bytes of the block: one page. */
  public static final int SIZE_BYTES = 4096;

  /** Version, 32 bits: major 7:4, minor 3:0. */
  public static final int VER = 0x00;

  /** Capability, 64 bits. */
  public static final int CAP = 0x08;

  /** Extended capability, 64 bits. */
  public static final int ECAP = 0x10;

  /** Global command, 32 bits, reads as zero. */
  public static final int GCMD = 0x18;

  /** Global status, 32 bits, read only. */
  public static final int GSTS = 0x1C;

  /** Root table address, 64 bits; taken over by {@link #SET_ROOT_POINTER}. */
  public static final int RTADDR = 0x20;

  /** Context command, 64 bits. */
  public static final int CCMD = 0x28;

  /** Fault status, 32 bits. */
  public static final int FSTS = 0x34;

  /** Fault event control, 32 bits. */
  public static final int FECTL = 0x38;

  /** Fault event message data, 32 bits. */
  public static final int FEDATA = 0x3C;

  /** Fault event message address, 32 bits. */
  public static final int FEADDR = 0x40;

  /** Fault event message upper address, 32 bits. */
  public static final int FEUADDR = 0x44;

  /** Protected memory enable, 32 bits. */
  public static final int PMEN = 0x64;

  /** Protected low memory base, 32 bits. */
  public static final int PLMBASE = 0x68;

  /** Protected low memory limit, 32 bits: last block that is protected. */
  public static final int PLMLIMIT = 0x6C;

  /** Protected high memory base, 64 bits. */
  public static final int PHMBASE = 0x70;

  /** Protected high memory limit, 64 bits: last block that is protected. */
  public static final int PHMLIMIT = 0x78;

  /** Invalidation queue head, 64 bits, read only. */
  public static final int IQH = 0x80;

  /** Invalidation queue tail, 64 bits. */
  public static final int IQT = 0x88;

  /** Invalidation queue address, 64 bits. */
  public static final int IQA = 0x90;

  /** Invalidation completion status, 32 bits. */
  public static final int ICS = 0x9C;

  /** Invalidation event control, 32 bits. */
  public static final int IECTL = 0xA0;

  /** Invalidation event message data, 32 bits. */
  public static final int IEDATA = 0xA4;

  /** Invalidation event message address, 32 bits. */
  public static final int IEADDR = 0xA8;

  /** Invalidation event message upper address, 32 bits. */
  public static final int IEUADDR = 0xAC;

  /** Invalidation queue error record, 64 bits, read only. */
  public static final int IQERCD = 0xB0;

  /** Interrupt remapping table address, 64 bits; taken over by {@link #SET_INTERRUPT_POINTER}. */
  public static final int IRTA = 0xB8;

  /** Page request queue head, 64 bits. */
  public static final int PQH = 0xC0;

  /** Page request queue tail, 64 bits. */
  public static final int PQT = 0xC8;

  /** Page request queue address, 64 bits. */
  public static final int PQA = 0xD0;

  /** Page request status, 32 bits. */
  public static final int PRS = 0xDC;

  /** Page request event control, 32 bits. */
  public static final int PECTL = 0xE0;

  /** Page request event message data, 32 bits. */
  public static final int PEDATA = 0xE4;

  /** Page request event message address, 32 bits. */
  public static final int PEADDR = 0xE8;

  /** Page request event message upper address, 32 bits. */
  public static final int PEUADDR = 0xEC;

  /** Invalidate address, 64 bits; the offset is in ECAP. */
  public static final int IVA = 0xF0;

  /** IOTLB invalidate, 64 bits. */
  public static final int IOTLB = 0xF8;

  /** First fault recording register, 128 bits each; the offset is in CAP. */
  public static final int FRCD = 0x220;

  /** Bytes of one fault recording register, see {@link FaultRecordLayout}. */
  public static final int FRCD_BYTES = 16;

  // CAP.

  /** CAP 2:0: domain IDs have 4 + 2 x this many bits. */
  public static final int CAP_DOMAINS_SHIFT = 0;

  /** CAP: the protected low memory region exists. */
  public static final long CAP_PROTECTED_LOW = 1L << 5;

  /** CAP: the protected high memory region exists. */
  public static final long CAP_PROTECTED_HIGH = 1L << 6;

  /** CAP: entries that are not present may be cached. */
  public static final long CAP_CACHING_MODE = 1L << 7;

  /** CAP 12:8: second-level tables of bit 1: 3, bit 2: 4, bit 3: 5 levels. */
  public static final int CAP_LEVELS_SHIFT = 8;

  /** CAP 21:16: widest device address in bits, less 1. */
  public static final int CAP_ADDRESS_WIDTH_SHIFT = 16;

  /** CAP: reads of no bytes pass pages that may be written only. */
  public static final long CAP_ZERO_LENGTH_READ = 1L << 22;

  /** CAP 33:24: where the fault recording registers are, in 16 bytes. */
  public static final int CAP_FAULT_OFFSET_SHIFT = 24;

  /** CAP: second-level pages of 2 MiB. */
  public static final long CAP_SECOND_LEVEL_2M = 1L << 34;

  /** CAP: second-level pages of 1 GiB. */
  public static final long CAP_SECOND_LEVEL_1G = 1L << 35;

  /** CAP: page-selective invalidation. */
  public static final long CAP_PAGE_SELECTIVE = 1L << 39;

  /** CAP 47:40: fault recording registers, less 1. */
  public static final int CAP_FAULT_COUNT_SHIFT = 40;

  /** CAP 53:48: largest address mask of a page-selective invalidation. */
  public static final int CAP_ADDRESS_MASK_SHIFT = 48;

  /** CAP: first-level pages of 1 GiB. */
  public static final long CAP_FIRST_LEVEL_1G = 1L << 56;

  /** CAP: first-level tables of 5 levels. */
  public static final long CAP_FIRST_LEVEL_5 = 1L << 60;

  // ECAP.

  /** ECAP: the unit's accesses to tables are coherent with the caches. */
  public static final long ECAP_COHERENT = 1L;

  /** ECAP: queued invalidation. */
  public static final long ECAP_QUEUED_INVALIDATION = 1L << 1;

  /** ECAP: device TLBs. */
  public static final long ECAP_DEVICE_TLB = 1L << 2;

  /** ECAP: interrupt remapping. */
  public static final long ECAP_INTERRUPT_REMAPPING = 1L << 3;

  /** ECAP: interrupts to 32-bit destinations. */
  public static final long ECAP_EXTENDED_INTERRUPTS = 1L << 4;

  /** ECAP: pass-through. */
  public static final long ECAP_PASS_THROUGH = 1L << 6;

  /** ECAP 17:8: where IVA is, in 16 bytes. */
  public static final int ECAP_IOTLB_OFFSET_SHIFT = 8;

  /** ECAP 23:20: largest mask of an interrupt entry cache invalidation. */
  public static final int ECAP_HANDLE_MASK_SHIFT = 20;

  /** ECAP: nested translation. */
  public static final long ECAP_NESTED = 1L << 26;

  /** ECAP: page requests. */
  public static final long ECAP_PAGE_REQUESTS = 1L << 29;

  /** ECAP 39:35: bits of a PASID, less 1. */
  public static final int ECAP_PASID_SIZE_SHIFT = 35;

  /** ECAP: requests with PASID. */
  public static final long ECAP_PASID = 1L << 40;

  /** ECAP: scalable mode. */
  public static final long ECAP_SCALABLE_MODE = 1L << 43;

  /** ECAP: second-level translation in scalable mode. */
  public static final long ECAP_SECOND_LEVEL = 1L << 46;

  /** ECAP: first-level translation in scalable mode. */
  public static final long ECAP_FIRST_LEVEL = 1L << 47;

  // GCMD and GSTS: the same bits.

  /** Translate device addresses. */
  public static final int TRANSLATION_ENABLE = 1 << 31;

  /** Take the root table address over; one-shot. */
  public static final int SET_ROOT_POINTER = 1 << 30;

  /** Queued invalidation. */
  public static final int QUEUED_INVALIDATION_ENABLE = 1 << 26;

  /** Remap interrupts. */
  public static final int INTERRUPT_REMAPPING_ENABLE = 1 << 25;

  /** Take the interrupt remapping table address over; one-shot. */
  public static final int SET_INTERRUPT_POINTER = 1 << 24;

  /** Let compatibility format interrupts pass. */
  public static final int COMPATIBILITY_INTERRUPTS = 1 << 23;

  // RTADDR.

  /** RTADDR: shift of the translation table mode, 0 legacy, 1 scalable; others are not possible. */
  public static final int RTADDR_MODE_SHIFT = 10;

  /** RTADDR: mask of the translation table mode. */
  public static final int RTADDR_MODE_MASK = 3;

  /** RTADDR: the table is one of scalable mode. */
  public static final long RTADDR_SCALABLE = 1L << RTADDR_MODE_SHIFT;

  // CCMD.

  /** CCMD: invalidate the context cache; reads as 1 until that is done. */
  public static final long CCMD_INVALIDATE = 1L << 63;

  /** CCMD 62:61: requested granularity, see {@link InvalidationDescriptorLayout#GLOBAL}. */
  public static final int CCMD_GRANULARITY_SHIFT = 61;

  /** CCMD 60:59: granularity of what was done, read only. */
  public static final int CCMD_ACTUAL_SHIFT = 59;

  /** CCMD 33:32: function mask. */
  public static final int CCMD_FUNCTION_MASK_SHIFT = 32;

  /** CCMD 31:16: source ID. */
  public static final int CCMD_SOURCE_ID_SHIFT = 16;

  // IVA and IOTLB.

  /** IVA: leave paging-structure caches alone. */
  public static final long IVA_HINT = 1L << 6;

  /** IVA 5:0: address mask. */
  public static final long IVA_ADDRESS_MASK = 0x3F;

  /** IOTLB: invalidate; reads as 1 until that is done. */
  public static final long IOTLB_INVALIDATE = 1L << 63;

  /** IOTLB 61:60: requested granularity. */
  public static final int IOTLB_GRANULARITY_SHIFT = 60;

  /** IOTLB 58:57: granularity of what was done, read only. */
  public static final int IOTLB_ACTUAL_SHIFT = 57;

  /** IOTLB 47:32: domain ID. */
  public static final int IOTLB_DOMAIN_SHIFT = 32;

  // FSTS.

  /** FSTS: a fault found its recording register taken; write 1 to clear. */
  public static final int FSTS_OVERFLOW = 1;

  /** FSTS: a recording register holds a fault; read only. */
  public static final int FSTS_PENDING = 1 << 1;

  /** FSTS: invalidation queue error; write 1 to clear. */
  public static final int FSTS_QUEUE_ERROR = 1 << 4;

  /** FSTS: a device answered an invalidation that was not asked for; write 1 to clear. */
  public static final int FSTS_COMPLETION_ERROR = 1 << 5;

  /** FSTS: a device did not answer an invalidation in time; write 1 to clear. */
  public static final int FSTS_TIMEOUT_ERROR = 1 << 6;

  /** FSTS 15:8: the register that held the first of the pending faults. */
  public static final int FSTS_INDEX_SHIFT = 8;

  // FECTL, IECTL and PECTL: the same bits.

  /** Event control: send no message; set after reset. */
  public static final int EVENT_MASK = 1 << 31;

  /** Event control: a message waits for the mask to be cleared; read only. */
  public static final int EVENT_PENDING = 1 << 30;

  // PMEN.

  /** PMEN: protect the regions. */
  public static final int PMEN_ENABLE = 1 << 31;

  /** PMEN: the regions are protected; read only. */
  public static final int PMEN_STATUS = 1;

  // IQA, IQT, IQH, ICS and IQERCD.

  /** IQA 2:0: the queue has 4 KiB shifted left by this. */
  public static final long IQA_SIZE_MASK = 7;

  /** IQA: descriptors of 256 bits. */
  public static final long IQA_WIDE = 1L << 11;

  /** IQT and IQH 18:4: byte offset of a descriptor. */
  public static final long QUEUE_OFFSET_MASK = 0x7_FFF0;

  /** ICS: a wait descriptor that asked for an interrupt is done; write 1 to clear. */
  public static final int ICS_WAIT_COMPLETE = 1;

  /** IQERCD 3:0: why the queue stopped, see the constants {@code QUEUE_ERROR_...}. */
  public static final long IQERCD_REASON_MASK = 0xF;

  /** IQERCD 47:32: the device that did not answer in time. */
  public static final int IQERCD_TIMEOUT_SOURCE_SHIFT = 32;

  /** IQERCD 63:48: the device that answered what was not asked. */
  public static final int IQERCD_COMPLETION_SOURCE_SHIFT = 48;

  /** IQERCD: the tail lies outside the queue. */
  public static final int QUEUE_ERROR_TAIL = 1;

  /** IQERCD: a descriptor could not be fetched. */
  public static final int QUEUE_ERROR_FETCH = 2;

  /** IQERCD: nobody knows this type of descriptor. */
  public static final int QUEUE_ERROR_TYPE = 3;

  /** IQERCD: a reserved field of a descriptor is not zero. */
  public static final int QUEUE_ERROR_RESERVED = 4;

  /** IQERCD: the type needs descriptors of 256 bits. */
  public static final int QUEUE_ERROR_WIDTH = 5;

  /** IQERCD: the tail is no multiple of 256 bits. */
  public static final int QUEUE_ERROR_ALIGNMENT = 6;

  // IRTA.

  /** IRTA 3:0: the table has 2 to the power of this plus 1 entries. */
  public static final long IRTA_SIZE_MASK = 0xF;

  /** IRTA: destinations have 32 bits. */
  public static final long IRTA_EXTENDED = 1L << 11;

  // PQA, PQT, PQH and PRS.

  /** PQA 2:0: the queue has 4 KiB shifted left by this. */
  public static final long PQA_SIZE_MASK = 7;

  /** PQT and PQH 18:5: byte offset of a descriptor. */
  public static final long PAGE_QUEUE_OFFSET_MASK = 0x7_FFE0;

  /** PRS: a page request has been queued; write 1 to clear. */
  public static final int PRS_PENDING = 1;

  /** PRS: a page request found the queue full; write 1 to clear. */
  public static final int PRS_OVERFLOW = 1 << 1;

  /** Bits of an address above a page. */
  public static final long PAGE_MASK = ~0xFFFL;

  private RegisterLayout() {}

  /**
   * {@return the highest number of a domain}
   *
   * @param capability register CAP
   */
  public static int domainIdMax(long capability) {
    return (1 << 4 + 2 * (int) (capability >>> CAP_DOMAINS_SHIFT & 7)) - 1;
  }
}
