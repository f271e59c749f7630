package io.github.bellwire.iommu.layout;

/**
 * An entry of the interrupt remapping table, and the messages that lead to it (VT-d specification
 * 4.0, sections 9.10 and 5.1.2).
 *
 * <pre>{@code
 *          63                         32 31   24 23    16 15 14 12 11   8 7   5  4  3  2  1  0
 * low     |       destination           |   -   | vector |IM|  -  | avail | DLM |TM|RH|DM|FPD|P |
 *          63                                    20 19 18 17 16 15                            0
 * high    |                  -                     | SVT | SQ  |        source ID              |
 *
 *          31           20 19                            5  4   3   2  1  0
 * address |     FEEh      |      handle bits 14:0         | 1 |SHV|H15| -   |  remappable
 *         |     FEEh      | destination 19:12 |    -      | 0 |RH |DM | -   |  compatibility
 *          31                            16 15                             0
 * data    |             0                  |    subhandle, added if SHV     |  remappable
 * }</pre>
 */
public final class InterruptEntryLayout {
  /** Bytes of an entry. */
  public static final int LENGTH_BYTES = 16;

  /** Where the high word is. */
  public static final int HIGH = 8;

  /** Low word: present. */
  public static final long PRESENT = 1L;

  /** Low word: record no faults of the entry. */
  public static final long FAULT_PROCESSING_DISABLE = 1L << 1;

  /** Low word: the destination is a logical one. */
  public static final long LOGICAL_DESTINATION = 1L << 2;

  /** Low word: any core of the destination will do. */
  public static final long REDIRECTION_HINT = 1L << 3;

  /** Low word: level triggered. */
  public static final long LEVEL_TRIGGERED = 1L << 4;

  /** Low word: delivery mode, 0 fixed. */
  public static final int DELIVERY_MODE_SHIFT = 5;

  /** Low word: the interrupt is posted to memory. */
  public static final long POSTED = 1L << 15;

  /** Low word: vector. */
  public static final int VECTOR_SHIFT = 16;

  /** Eight bits of vector. */
  public static final int VECTOR_MASK = 0xFF;

  /** Low word: 32 bits of destination if the table is extended. */
  public static final int DESTINATION_SHIFT = 32;

  /** Low word: eight bits of destination otherwise. */
  public static final int NARROW_DESTINATION_SHIFT = 40;

  /** Low word: bits that are zero in a remapped entry. */
  public static final long LOW_RESERVED = 0xFF00_7000L;

  /** Low word: bits of the destination that are zero in a table that is not extended. */
  public static final long NARROW_RESERVED = 0xFFFF_00FFL << DESTINATION_SHIFT;

  /** High word: who may send the message. */
  public static final long SOURCE_MASK = 0xFFFF;

  /** High word: which bits of the source count, see the constants of {@code QUALIFIER_...}. */
  public static final int QUALIFIER_SHIFT = 16;

  /** Qualifier: all 16 bits. */
  public static final int QUALIFIER_ALL = 0;

  /** Qualifier: all but bit 2. */
  public static final int QUALIFIER_NOT_2 = 1;

  /** Qualifier: all but bits 2:1. */
  public static final int QUALIFIER_NOT_2_1 = 2;

  /** Qualifier: all but bits 2:0. */
  public static final int QUALIFIER_NOT_2_0 = 3;

  /** High word: how the source is checked, see the constants of {@code VALIDATE_...}. */
  public static final int VALIDATION_SHIFT = 18;

  /** Validation: not at all. */
  public static final int VALIDATE_NOTHING = 0;

  /** Validation: the source ID under the qualifier. */
  public static final int VALIDATE_SOURCE = 1;

  /** Validation: the bus lies in source ID 15:8 to source ID 7:0. */
  public static final int VALIDATE_BUS = 2;

  /** High word: bits that are zero in a remapped entry. */
  public static final long HIGH_RESERVED = -1L << 20;

  /** Address: the message is a remappable one. */
  public static final long MESSAGE_REMAPPABLE = 1L << 4;

  /** Address: the data holds a subhandle. */
  public static final long MESSAGE_SUBHANDLE_VALID = 1L << 3;

  /** Address: handle bits 14:0. */
  public static final int MESSAGE_HANDLE_SHIFT = 5;

  /** 15 bits of handle. */
  public static final int MESSAGE_HANDLE_MASK = 0x7FFF;

  /** Address: handle bit 15. */
  public static final int MESSAGE_HANDLE_15_SHIFT = 2;

  /** Address: destination of a compatibility format message. */
  public static final int MESSAGE_DESTINATION_SHIFT = 12;

  private InterruptEntryLayout() {}
}
