package io.github.bellwire.device.nic;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The one's complement sum of 16-bit big-endian words of IPv4, TCP and UDP (RFC 1071).
 *
 * <p>Sums are partial results in 0..FFFF: those of several ranges may be added as plain ints and
 * folded once, as long as every range but the last has an even length. A complete header, checksum
 * field included, is intact when the sum is FFFF.
 *
 * <p>Bytes are added eight at a time in little-endian order and the result is swapped at the end,
 * which RFC 1071 section 2 allows (B: byte order independence). Allocates nothing.
 */
final class InternetChecksum {
  /** The sum of an intact range that contains its own checksum. */
  static final int INTACT = 0xFFFF;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private InternetChecksum() {}

  /**
   * {@return the one's complement sum of a range, 0..FFFF}
   *
   * @param data the bytes; an odd last byte counts as the high half of a word
   * @param offset first byte
   * @param bytes length, 0 or more, inside {@code data}
   */
  static int sum(byte[] data, int offset, int bytes) {
    long sum = 0;
    int index = offset;
    int wordsEnd = offset + (bytes & ~7);
    for (; index < wordsEnd; index += 8) {
      long word = (long) LONG.get(data, index);
      sum += (word & 0xFFFF_FFFFL) + (word >>> 32);
    }
    int end = offset + bytes;
    for (int shift = 0; index < end; index++, shift ^= 8) {
      sum += (long) (data[index] & 0xFF) << shift;
    }
    return Short.toUnsignedInt(Short.reverseBytes((short) fold(sum)));
  }

  /**
   * {@return a total of partial sums brought back to 0..FFFF by end-around carry}
   *
   * @param sum 0 or more
   */
  static int fold(long sum) {
    // 63 -> at most 33 -> 32 -> at most 17 -> 16 bits, then once more for the last carry.
    long folded = (sum >>> 32) + (sum & 0xFFFF_FFFFL);
    folded = (folded >>> 32) + (folded & 0xFFFF_FFFFL);
    folded = (folded >>> 16) + (folded & 0xFFFF);
    folded = (folded >>> 16) + (folded & 0xFFFF);
    return (int) folded;
  }

  /**
   * {@return the value of a checksum field: the complement of the folded sum, 0..FFFF}
   *
   * @param sum total of partial sums, the checksum field itself counted as zero
   */
  static int checksum(long sum) {
    return ~fold(sum) & 0xFFFF;
  }

  /**
   * {@return the sum of the IPv4 pseudo header (RFC 793 section 3.1): addresses, protocol, length}
   *
   * @param frame holds a complete IPv4 header
   * @param ipOffset first byte of that header
   * @param protocol 0..255
   * @param l4Bytes transport header and payload, 0..FFFF; 0 gives the sum that drivers leave in the
   *     checksum field ahead of segmentation
   */
  static int pseudoHeaderIpv4(byte[] frame, int ipOffset, int protocol, int l4Bytes) {
    return fold(sum(frame, ipOffset + 12, 8) + protocol + (long) l4Bytes);
  }

  /**
   * {@return the sum of the IPv6 pseudo header (RFC 8200 section 8.1): addresses, length, protocol}
   *
   * @param frame holds a complete IPv6 header
   * @param ipOffset first byte of that header
   * @param protocol of the transport header, 0..255
   * @param l4Bytes transport header and payload, 0 or more
   */
  static int pseudoHeaderIpv6(byte[] frame, int ipOffset, int protocol, int l4Bytes) {
    return fold(sum(frame, ipOffset + 8, 32) + protocol + (long) l4Bytes);
  }
}
