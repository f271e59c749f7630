package io.github.bellwire.device.drive;

/** Registers of a {@link FixedRateDrive}: windows of 64 bytes per queue, registers of 8 bytes. */
public final class DriveLayout {
  /** The window of queue q begins at q times this. */
  public static final int QUEUE_BYTES = 64;

  /** Written: bus address of the buffer of one more read. */
  public static final int SUBMIT = 0;

  /** Bus address of the ring of status words. */
  public static final int STATUS_RING = 8;

  /** Where messages go. */
  public static final int MESSAGE_ADDRESS = 16;

  /** What they say. */
  public static final int MESSAGE_DATA = 24;

  /** Words in the ring of status words, each the bus address of a buffer that has been filled. */
  public static final int STATUS_WORDS = 256;

  /** A status word. */
  public static final int STATUS_BYTES = 8;

  private DriveLayout() {}
}
