package io.github.bellwire.device.nic;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The one's complement sum of 16-bit big-endian words of IPv4, TCP and UDP (RFC 1071).
 *
 * <p>Sums of ranges are plain totals, 0 or more: they may be added up and are folded to 16 bits
 * once at the end, as long as every range but the last has an even length. A complete header,
 * checksum field included, is intact when its folded sum is FFFF.
 *
 * <p>Bytes are added eight at a time; ranges below 2 GiB cannot overflow. Allocates nothing.
 */
final class InternetChecksum {
  /** The folded sum of an intact range that contains its own checksum. */
  static final int INTACT = 0xFFFF;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private InternetChecksum() {}

  /**
   * {@return the sum of a range, not folded}
   *
   * @param data the bytes; an odd last byte counts as the high half of a word
   * @param offset first byte
   * @param bytes length, 0 or more, inside {@code data}
   */
  static long sum(byte[] data, int offset, int bytes) {
    long upperHalves = 0;
    long words = 0;
    int index = offset;
    // Four words a round by hand: a compiler that saw short headers first would not unroll.
    int roundsEnd = offset + (bytes & ~31);
    for (; index < roundsEnd; index += 32) {
      long first = (long) LONG.get(data, index);
      long second = (long) LONG.get(data, index + 8);
      long third = (long) LONG.get(data, index + 16);
      long fourth = (long) LONG.get(data, index + 24);
      upperHalves += (first >>> 32) + (second >>> 32) + (third >>> 32) + (fourth >>> 32);
      words += first + second + third + fourth;
    }
    int wordsEnd = offset + (bytes & ~7);
    for (; index < wordsEnd; index += 8) {
      long word = (long) LONG.get(data, index);
      upperHalves += word >>> 32;
      words += word;
    }
    // What the words add up to beyond their upper halves, modulo 2^64, is the lower halves.
    long sum = upperHalves + (words - (upperHalves << 32));
    if ((bytes & 4) != 0) {
      sum += NetworkOrder.u32(data, index) & 0xFFFF_FFFFL;
      index += 4;
    }
    if ((bytes & 2) != 0) {
      sum += NetworkOrder.u16(data, index);
      index += 2;
    }
    if ((bytes & 1) != 0) {
      sum += (data[index] & 0xFF) << 8;
    }
    return sum;
  }

  /**
   * {@return a total brought back to 0..FFFF by end-around carry}
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
   * @param sum total, the checksum field itself counted as zero
   */
  static int checksum(long sum) {
    return ~fold(sum) & 0xFFFF;
  }

  /**
   * {@return the sum of the IPv4 pseudo header (RFC 793 section 3.1): addresses, protocol, length;
   * not folded}
   *
   * @param frame holds a complete IPv4 header
   * @param ipOffset first byte of that header
   * @param protocol 0..255
   * @param l4Bytes transport header and payload, 0..FFFF; 0 gives the sum that drivers leave in the
   *     checksum field ahead of segmentation
   */
  static long pseudoHeaderIpv4(byte[] frame, int ipOffset, int protocol, int l4Bytes) {
    return sum(frame, ipOffset + 12, 8) + protocol + l4Bytes;
  }

  /**
   * {@return the sum of the IPv6 pseudo header (RFC 8200 section 8.1): addresses, length, protocol;
   * not folded}
   *
   * @param frame holds a complete IPv6 header
   * @param ipOffset first byte of that header
   * @param protocol of the transport header, 0..255
   * @param l4Bytes transport header and payload, 0 or more
   */
  static long pseudoHeaderIpv6(byte[] frame, int ipOffset, int protocol, int l4Bytes) {
    return sum(frame, ipOffset + 8, 32) + protocol + l4Bytes;
  }
}
