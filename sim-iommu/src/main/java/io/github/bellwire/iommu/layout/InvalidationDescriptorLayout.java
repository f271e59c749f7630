package io.github.bellwire.iommu.layout;

/**
 * Descriptors of the invalidation queue (VT-d specification 4.1, section 6.5.2). A descriptor has
 * 128 bits, or 256 bits of which the upper half is zero but in page group responses. Reserved bits
 * are zero; positions below are within the 64-bit word that a name says, word 0 first.
 *
 * <pre>{@code
 * word 0, bits     63      52 51    48 47      32 31      16 15 12 11 9  8  7  6  5  4 3   0
 * 1 context       |    -     |- |FM|  source   |  domain   |  -  | 0 |  -        |  G  |  1 |
 * 2 IOTLB         |             -              |  domain   |  -  | 0 |- |DR|DW|  G  |  2 |
 * 3 device TLB    | PF 15:4  |  -  |  source   | - |depth  |PF3:0| 0 |        -        |  3 |
 * 4 interrupts    |        -       |  index    |mask|      -     | 0 |       -      |G  |  4 |
 * 5 wait          |        status data         |         -       | 0 |- |PD|FN|SW|IF |  5 |
 * 6 PASID IOTLB   |    -     |     PASID       |  domain   |  -  | 0 |  -        |  G  |  6 |
 * 7 PASID cache   |    -     |     PASID       |  domain   |  -  | 0 |  -        |  G  |  7 |
 * 8 PASID dev TLB | PF 15:4  |     PASID       |  source   |PF3:0| 0 |     depth       |  8 |
 * 9 response      |    -     |     PASID       | requester |code | 0 |  -     |PD|PP   |  9 |
 *
 * word 1, bits     63                    12 11 10        7  6  5 .. 2  1  0
 * 2, 6            |         address        |      -      |IH|     mask     |
 * 3               |         address        |            -               |S |
 * 5               |           status address                     |   -     |
 * 8               |         address        |S |          -              |G |
 * 9               |            -           |   group index      |L |  -   |
 * }</pre>
 */
public final class InvalidationDescriptorLayout {
  /** Bytes of a descriptor of 128 bits. */
  public static final int NARROW_BYTES = 16;

  /** Bytes of a descriptor of 256 bits. */
  public static final int WIDE_BYTES = 32;

  /** Word 0: the type. */
  public static final long TYPE_MASK = 0xF;

  /** Word 0: upper bits of the type, zero in all types here. */
  public static final long TYPE_HIGH_MASK = 7L << 9;

  /** Type: context cache. */
  public static final int CONTEXT = 1;

  /** Type: IOTLB. */
  public static final int IOTLB = 2;

  /** Type: TLB in a device. */
  public static final int DEVICE_TLB = 3;

  /** Type: interrupt entry cache. */
  public static final int INTERRUPT_ENTRY = 4;

  /** Type: wait. */
  public static final int WAIT = 5;

  /** Type: IOTLB entries of a PASID. */
  public static final int PASID_IOTLB = 6;

  /** Type: PASID cache. */
  public static final int PASID_CACHE = 7;

  /** Type: entries of a PASID in the TLB of a device. */
  public static final int PASID_DEVICE_TLB = 8;

  /** Type: answer to a group of page requests. */
  public static final int PAGE_GROUP_RESPONSE = 9;

  /** Word 0 of types 1, 2, 6 and 7: granularity. */
  public static final int GRANULARITY_SHIFT = 4;

  /** Two bits of granularity. */
  public static final int GRANULARITY_MASK = 3;

  /** Granularity of types 1 and 2: everything. */
  public static final int GLOBAL = 1;

  /** Granularity of types 1 and 2: one domain. */
  public static final int DOMAIN = 2;

  /** Granularity of type 1: a device and its functions under the mask. */
  public static final int CONTEXT_DEVICE = 3;

  /** Granularity of type 2: pages of a domain. */
  public static final int IOTLB_PAGE = 3;

  /** Granularity of type 6: all of a PASID. */
  public static final int PASID_ALL = 2;

  /** Granularity of type 6: pages of a PASID. */
  public static final int PASID_PAGE = 3;

  /** Granularity of type 7: all PASIDs of a domain. */
  public static final int PASID_CACHE_DOMAIN = 0;

  /** Granularity of type 7: one PASID of a domain. */
  public static final int PASID_CACHE_PASID = 1;

  /** Granularity of type 7: everything. */
  public static final int PASID_CACHE_GLOBAL = 3;

  /** Word 0 of types 1, 2, 6 and 7: domain ID. */
  public static final int DOMAIN_SHIFT = 16;

  /** 16 bits of a domain ID or source ID. */
  public static final int ID_MASK = 0xFFFF;

  /** Word 0 of type 1: source ID. */
  public static final int CONTEXT_SOURCE_SHIFT = 32;

  /**
   * Word 0 of type 1: function mask. 0 compares all bits of the source ID, 1 not bit 2, 2 not bits
   * 2:1, 3 not bits 2:0.
   */
  public static final int CONTEXT_FUNCTION_MASK_SHIFT = 48;

  /** Word 0 of type 2: wait for writes that are on their way. */
  public static final long DRAIN_WRITES = 1L << 6;

  /** Word 0 of type 2: wait for reads that are on their way. */
  public static final long DRAIN_READS = 1L << 7;

  /** Word 1 of types 2 and 6: 2 to the power of this many pages, to which the address aligns. */
  public static final long ADDRESS_MASK = 0x3F;

  /** Word 1 of types 2 and 6: leave paging-structure caches alone. */
  public static final long HINT = 1L << 6;

  /** Word 1 of types 2, 3, 6 and 8: page address. */
  public static final long ADDRESS = ~0xFFFL;

  /** Word 0 of type 3: invalidations that the device may have outstanding; 0 stands for 32. */
  public static final int DEVICE_DEPTH_SHIFT = 16;

  /** Five bits of depth. */
  public static final int DEPTH_MASK = 0x1F;

  /** Word 0 of type 3: source ID. */
  public static final int DEVICE_SOURCE_SHIFT = 32;

  /**
   * Word 1 of type 3: more than a page. The lowest clear bit of the address, from bit 12 on, tells:
   * bit 12 two pages, bit 13 four and so on.
   */
  public static final long DEVICE_SIZE = 1L;

  /** Word 0 of type 4: only the entries that index and mask name. */
  public static final long INTERRUPT_SELECTIVE = 1L << 4;

  /** Word 0 of type 4: 2 to the power of this many entries. */
  public static final int INTERRUPT_MASK_SHIFT = 27;

  /** Five bits of mask. */
  public static final int INTERRUPT_MASK_MASK = 0x1F;

  /** Word 0 of type 4: first entry. */
  public static final int INTERRUPT_INDEX_SHIFT = 32;

  /** Word 0 of type 5: interrupt when done. */
  public static final long WAIT_INTERRUPT = 1L << 4;

  /** Word 0 of type 5: write the status data when done. */
  public static final long WAIT_STATUS_WRITE = 1L << 5;

  /** Word 0 of type 5: nothing after it starts before what is ahead of it is done. */
  public static final long WAIT_FENCE = 1L << 6;

  /** Word 0 of type 5: wait for page requests that are on their way. */
  public static final long WAIT_DRAIN_PAGE_REQUESTS = 1L << 7;

  /** Word 0 of type 5: 32 bits of status data. */
  public static final int WAIT_DATA_SHIFT = 32;

  /** Word 1 of type 5: where the status data goes. */
  public static final long WAIT_ADDRESS = ~3L;

  /** Word 0 of types 6 to 9: PASID. */
  public static final int PASID_SHIFT = 32;

  /** 20 bits of a PASID. */
  public static final int PASID_MASK = 0xF_FFFF;

  /** Word 0 of type 8: invalidations that the device may have outstanding. */
  public static final int PASID_DEVICE_DEPTH_SHIFT = 4;

  /** Word 0 of type 8: source ID. */
  public static final int PASID_DEVICE_SOURCE_SHIFT = 16;

  /** Word 1 of type 8: all PASIDs. */
  public static final long PASID_DEVICE_GLOBAL = 1L;

  /** Word 1 of type 8: more than a page, as {@link #DEVICE_SIZE}. */
  public static final long PASID_DEVICE_SIZE = 1L << 11;

  /** Word 0 of type 9: the PASID counts. */
  public static final long RESPONSE_PASID_PRESENT = 1L << 4;

  /** Word 0 of type 9: words 2 and 3 hold private data. */
  public static final long RESPONSE_PRIVATE_DATA = 1L << 5;

  /** Word 0 of type 9: response code. */
  public static final int RESPONSE_CODE_SHIFT = 12;

  /** Four bits of response code. */
  public static final int RESPONSE_CODE_MASK = 0xF;

  /** Response code: all pages of the group are there. */
  public static final int RESPONSE_SUCCESS = 0;

  /** Response code: a page of the group is not, and will not be. */
  public static final int RESPONSE_INVALID = 1;

  /** Response code: page requests of the device fail from now on. */
  public static final int RESPONSE_FAILURE = 15;

  /** Word 0 of type 9: requester ID. */
  public static final int RESPONSE_REQUESTER_SHIFT = 16;

  /** Word 1 of type 9: the request was the last of its group. */
  public static final long RESPONSE_LAST = 1L << 2;

  /** Word 1 of type 9: page request group index. */
  public static final int RESPONSE_GROUP_SHIFT = 3;

  /** Nine bits of group index. */
  public static final int RESPONSE_GROUP_MASK = 0x1FF;

  private InvalidationDescriptorLayout() {}
}
