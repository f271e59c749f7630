package io.github.bellwire.iommu.layout;

/**
 * A descriptor of the page request queue, 256 bits (VT-d specification 4.1, section 7.5.1).
 *
 * <pre>{@code
 *         63       54 53 52 51          32 31         16 15     10  9  8  7         0
 * word 0 |     -     |PM|EX|    PASID     | requester   |    -    |PD|PP|   type 1   |
 *         63                              12 11           3  2  1  0
 * word 1 |            page address          | group index  |L |W |R |
 * word 2, word 3: private data, not modelled: zero
 * }</pre>
 */
public final class PageRequestLayout {
  /** Bytes of a descriptor. */
  public static final int LENGTH_BYTES = 32;

  /** Word 0: type of a page request. */
  public static final long TYPE_PAGE_REQUEST = 1;

  /** Word 0: the request carried a PASID. */
  public static final long PASID_PRESENT = 1L << 8;

  /** Word 0: requester ID. */
  public static final int REQUESTER_SHIFT = 16;

  /** 16 bits of requester ID. */
  public static final long REQUESTER_MASK = 0xFFFF;

  /** Word 0: PASID. */
  public static final int PASID_SHIFT = 32;

  /** 20 bits of PASID. */
  public static final long PASID_MASK = 0xF_FFFF;

  /** Where word 1 is. */
  public static final int WORD_1 = 8;

  /** Word 1: the device wants to read. */
  public static final long READ = 1L;

  /** Word 1: the device wants to write. */
  public static final long WRITE = 1L << 1;

  /** Word 1: last of its group. */
  public static final long LAST = 1L << 2;

  /** Word 1: page request group index. */
  public static final int GROUP_SHIFT = 3;

  /** Nine bits of group index. */
  public static final long GROUP_MASK = 0x1FF;

  /** Word 1: page address. */
  public static final long ADDRESS = ~0xFFFL;

  private PageRequestLayout() {}
}
