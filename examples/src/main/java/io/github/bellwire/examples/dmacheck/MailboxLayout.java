package io.github.bellwire.examples.dmacheck;

/**
 * Registers and descriptors of {@link MailboxDevice}.
 *
 * <pre>{@code
 * descriptor   0 iova, 8 bytes | 8 length, 4 bytes | 12 flags, 4 bytes: 0 to host, 31 done
 * }</pre>
 */
final class MailboxLayout {
  /** Bus address of the ring, 8 bytes. */
  static final int RING_BASE = 0x00;

  /** Descriptors in the ring, 4 bytes. */
  static final int RING_SIZE = 0x08;

  /** Bit 0: fetch each descriptor a second time, to check it first; 4 bytes. */
  static final int CONTROL = 0x0C;

  /** The doorbell: the first descriptor that is the driver's, 4 bytes. */
  static final int TAIL = 0x10;

  static final int CONTROL_FETCH_TWICE = 1;

  static final int DESCRIPTOR_BYTES = 16;
  static final int IOVA_OFFSET = 0;
  static final int LENGTH_OFFSET = 8;
  static final int FLAGS_OFFSET = 12;
  static final int FLAG_TO_HOST = 1;
  static final int FLAG_DONE = 1 << 31;

  private MailboxLayout() {}
}
