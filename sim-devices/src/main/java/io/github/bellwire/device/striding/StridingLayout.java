package io.github.bellwire.device.striding;

/**
 * Registers, ring entries and completions of a {@link StridingNic}, all little endian. Sizes are
 * those of mlx5 devices (Linux, include/linux/mlx5/device.h): completions and events of 64 bytes,
 * send entries of 64, page addresses of 8.
 */
public final class StridingLayout {
  /** Registers of a queue: the window of queue q begins at q times this. All are 8 bytes wide. */
  public static final int QUEUE_BYTES = 256;

  /** Bus address of the ring of receive entries. */
  public static final int RX_RING = 0x00;

  /** Receive entries in the ring, a power of two; writing it resets the queue. */
  public static final int RX_ENTRIES = 0x08;

  /** Entries ever given to the device. */
  public static final int RX_TAIL = 0x10;

  /** Pages of 4 KiB in an entry, 1..64. */
  public static final int RX_PAGES = 0x18;

  /** Frames begin at multiples of this, a power of two. */
  public static final int RX_STRIDE = 0x20;

  /** The longest frame; an entry with less room is finished. */
  public static final int RX_FRAME_MAX = 0x28;

  /** Bus address of the ring of send entries. */
  public static final int TX_RING = 0x30;

  /** Send entries in the ring, a power of two. */
  public static final int TX_ENTRIES = 0x38;

  /** Entries ever given to the device. */
  public static final int TX_TAIL = 0x40;

  /** Bus address of the ring of completions. */
  public static final int CQ_RING = 0x48;

  /** Completions in the ring, a power of two. */
  public static final int CQ_ENTRIES = 0x50;

  /** Bus address of the page of events. */
  public static final int EVENTS = 0x58;

  /** Where the message of an event goes. */
  public static final int MESSAGE_ADDRESS = 0x60;

  /** What the message says. */
  public static final int MESSAGE_DATA = 0x68;

  /** From a completion to the event that tells of it, in nanoseconds. */
  public static final int MODERATION_NS = 0x70;

  /** Completions ever taken by software, which wants an event for the next one. */
  public static final int CQ_ARM = 0x78;

  /** A page address in a receive entry. */
  public static final int ADDRESS_BYTES = 8;

  /** A page. */
  public static final int PAGE_BYTES = 4096;

  /** A send entry. */
  public static final int TX_ENTRY_BYTES = 64;

  /** In a send entry: bus address of the frame. */
  public static final int TX_ADDRESS = 0;

  /** In a send entry: its length, 4 bytes. */
  public static final int TX_LENGTH = 8;

  /** A completion, or an event. */
  public static final int COMPLETION_BYTES = 64;

  /** In a completion: what is done, 4 bytes. */
  public static final int KIND = 0;

  /** {@link #KIND}: a frame has arrived. */
  public static final int KIND_RECEIVED = 1;

  /** {@link #KIND}: frames have been sent. */
  public static final int KIND_SENT = 2;

  /** In a completion: the frame's flow, 4 bytes. */
  public static final int FLOW = 4;

  /** In a completion: the frame's number in its flow, 4 bytes. */
  public static final int SEQUENCE = 8;

  /** In a completion: bytes of the frame, or frames sent; 4 bytes. */
  public static final int LENGTH = 12;

  /** In a completion: place of the entry in its ring, 4 bytes. */
  public static final int ENTRY = 16;

  /** In a completion: where in the entry the frame begins, 4 bytes. */
  public static final int OFFSET = 20;

  /** In a completion: 1 if nothing more goes into the entry, 4 bytes. */
  public static final int ENTRY_DONE = 24;

  /** In a completion: how often the ring has been gone round, from 1 on; written last, 4 bytes. */
  public static final int GENERATION = 60;

  /** The header of a frame: flow, sequence, length, 4 bytes each, and 52 that are free. */
  public static final int FRAME_HEADER_BYTES = 64;

  private StridingLayout() {}
}
