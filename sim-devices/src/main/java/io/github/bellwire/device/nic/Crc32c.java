package io.github.bellwire.device.nic;

import java.util.zip.CRC32C;

/**
 * The CRC32c of an SCTP packet (RFC 9260 section 6.8 and appendix A), computed as if the checksum
 * field were zero. Allocates nothing after construction.
 */
final class Crc32c {
  /** Offset of the checksum field in the SCTP common header. */
  static final int FIELD_OFFSET = 8;

  private static final int FIELD_BYTES = 4;

  private final CRC32C crc = new CRC32C();
  private final byte[] zeros = new byte[FIELD_BYTES];

  /** Creates a calculator; it keeps no state between calls. */
  Crc32c() {}

  /**
   * {@return the checksum field of a packet, as a big-endian 32-bit value}
   *
   * @param frame holds the packet; only read
   * @param offset first byte of the SCTP header
   * @param bytes header and chunks, at least 12
   */
  int field(byte[] frame, int offset, int bytes) {
    crc.reset();
    crc.update(frame, offset, FIELD_OFFSET);
    crc.update(zeros, 0, FIELD_BYTES);
    int rest = FIELD_OFFSET + FIELD_BYTES;
    crc.update(frame, offset + rest, bytes - rest);
    // The CRC is sent least significant byte first, unlike every other field.
    return Integer.reverseBytes((int) crc.getValue());
  }
}
