package io.github.bellwire.iommu.layout;

/**
 * A fault recording register of 128 bits (VT-d specification 4.1, section 11.4.7.6).
 *
 * <pre>{@code
 *           63 62 61 60 59           40 39        32 31 30 29 28 27   16 15           0
 * high     |F |T1| AT  |    PASID     |   reason    |PP|EX|PR|T2|   -   |  source ID   |
 *           63                                            12 11                       0
 * low      |               page address                     |            -            |
 *          |  index (63:48) of a refused interrupt  |                -                |
 * }</pre>
 */
public final class FaultRecordLayout {
  /** Bytes of a record. */
  public static final int LENGTH_BYTES = 16;

  /** Where the high word is. */
  public static final int HIGH = 8;

  /** Low word: page address. */
  public static final long ADDRESS = ~0xFFFL;

  /** Low word of a refused interrupt: index of its entry. */
  public static final int INTERRUPT_INDEX_SHIFT = 48;

  /** High word: who sent the request. */
  public static final long SOURCE_MASK = 0xFFFF;

  /** High word: the request carried a PASID. */
  public static final long PASID_PRESENT = 1L << 31;

  /** High word: 8 bits of reason. */
  public static final int REASON_SHIFT = 32;

  /** Eight bits of reason. */
  public static final long REASON_MASK = 0xFF;

  /** High word: PASID. */
  public static final int PASID_SHIFT = 40;

  /** 20 bits of PASID. */
  public static final long PASID_MASK = 0xF_FFFF;

  /** High word: the request was a read. */
  public static final long READ = 1L << 62;

  /** High word: the register holds a fault; write 1 to clear. */
  public static final long FAULT = 1L << 63;

  private FaultRecordLayout() {}
}
