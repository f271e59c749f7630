package io.github.bellwire.device.nic;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Random;

/**
 * Builds frames for the offload tests and checks them with the slowest, plainest arithmetic there
 * is, so that the code under test is compared with something written differently.
 */
final class OffloadFrames {
  static final int TCP = 6;
  static final int UDP = 17;
  static final int SCTP = 132;

  private OffloadFrames() {}

  /** Returns an address from its text form; never asks a name server, as literals need none. */
  static byte[] address(String literal) {
    try {
      return InetAddress.getByName(literal).getAddress();
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("not an address literal: " + literal, e);
    }
  }

  /** Returns 14 bytes of Ethernet header. */
  static byte[] ethernet(int etherType) {
    byte[] header = new byte[14];
    header[0] = 2;
    header[6] = 2;
    header[11] = 1;
    return with16(header, 12, etherType);
  }

  /** Returns a VLAN tag as it follows the EtherType that announces it: TCI, then EtherType. */
  static byte[] tag(int tci, int etherType) {
    return with16(with16(new byte[4], 0, tci), 2, etherType);
  }

  /** Returns an IPv4 header with a right checksum for {@code payloadBytes} behind it. */
  static byte[] ipv4(byte[] source, byte[] destination, int protocol, int payloadBytes) {
    return ipv4(source, destination, protocol, payloadBytes, 0, 20);
  }

  static byte[] ipv4(
      byte[] source, byte[] destination, int protocol, int payloadBytes, int fragment, int bytes) {
    byte[] header = new byte[bytes];
    header[0] = (byte) (0x40 | bytes / 4);
    with16(header, 2, bytes + payloadBytes);
    with16(header, 4, 0x1234);
    with16(header, 6, fragment);
    header[8] = 64;
    header[9] = (byte) protocol;
    System.arraycopy(source, 0, header, 12, 4);
    System.arraycopy(destination, 0, header, 16, 4);
    for (int i = 20; i < bytes; i++) {
      header[i] = 1; // No-operation options.
    }
    return with16(header, 10, ~naiveSum(header, 0, bytes) & 0xFFFF);
  }

  /** Returns a bare IPv6 header. */
  static byte[] ipv6(byte[] source, byte[] destination, int nextHeader, int payloadBytes) {
    byte[] header = new byte[40];
    header[0] = 0x60;
    with16(header, 4, payloadBytes);
    header[6] = (byte) nextHeader;
    header[7] = 64;
    System.arraycopy(source, 0, header, 8, 16);
    System.arraycopy(destination, 0, header, 24, 16);
    return header;
  }

  /** Returns a TCP header whose checksum is zero. */
  static byte[] tcp(int sourcePort, int destinationPort, int sequence, int flags, int bytes) {
    byte[] header = ports(new byte[bytes], sourcePort, destinationPort);
    with16(header, 4, sequence >>> 16);
    with16(header, 6, sequence);
    with16(header, 12, bytes / 4 << 12 | flags);
    with16(header, 14, 0xFFFF);
    return header;
  }

  /** Returns a UDP header whose checksum is zero. */
  static byte[] udp(int sourcePort, int destinationPort, int payloadBytes) {
    return with16(ports(new byte[8], sourcePort, destinationPort), 4, 8 + payloadBytes);
  }

  /** Returns an SCTP common header whose checksum is zero. */
  static byte[] sctp(int sourcePort, int destinationPort) {
    return ports(new byte[12], sourcePort, destinationPort);
  }

  static byte[] random(Random random, int bytes) {
    byte[] data = new byte[bytes];
    random.nextBytes(data);
    return data;
  }

  static byte[] join(byte[]... parts) {
    int bytes = 0;
    for (byte[] part : parts) {
      bytes += part.length;
    }
    byte[] joined = new byte[bytes];
    int at = 0;
    for (byte[] part : parts) {
      System.arraycopy(part, 0, joined, at, part.length);
      at += part.length;
    }
    return joined;
  }

  static byte[] with16(byte[] data, int offset, int value) {
    data[offset] = (byte) (value >>> 8);
    data[offset + 1] = (byte) value;
    return data;
  }

  static int get16(byte[] data, int offset) {
    return (data[offset] & 0xFF) << 8 | data[offset + 1] & 0xFF;
  }

  static int get32(byte[] data, int offset) {
    return get16(data, offset) << 16 | get16(data, offset + 2);
  }

  /** Sums 16-bit words one by one, adding each carry at once. */
  static int naiveSum(byte[] data, int offset, int bytes) {
    int sum = 0;
    for (int i = 0; i < bytes; i += 2) {
      int low = i + 1 < bytes ? data[offset + i + 1] & 0xFF : 0;
      sum += (data[offset + i] & 0xFF) << 8 | low;
      if (sum > 0xFFFF) {
        sum -= 0xFFFF;
      }
    }
    return sum;
  }

  /** Sums the pseudo header, written out, of an IP header of 4-byte or 16-byte addresses. */
  static int naivePseudoSum(byte[] frame, int ip, boolean ipv4, int protocol, int l4Bytes) {
    int addressBytes = ipv4 ? 8 : 32;
    byte[] pseudo = new byte[addressBytes + 8];
    System.arraycopy(frame, ip + (ipv4 ? 12 : 8), pseudo, 0, addressBytes);
    with16(pseudo, addressBytes, l4Bytes >>> 16);
    with16(pseudo, addressBytes + 2, l4Bytes);
    pseudo[addressBytes + 7] = (byte) protocol;
    return naiveSum(pseudo, 0, pseudo.length);
  }

  /** Returns whether a TCP or UDP checksum verifies, pseudo header included. */
  static boolean verifies(byte[] frame, int ip, boolean ipv4, int protocol, int l4, int l4Bytes) {
    int sum = naivePseudoSum(frame, ip, ipv4, protocol, l4Bytes) + naiveSum(frame, l4, l4Bytes);
    return sum == 0xFFFF || sum == 2 * 0xFFFF;
  }

  /** Computes CRC32c bit by bit with the reflected polynomial 82F63B78. */
  static int naiveCrc32c(byte[] data, int offset, int bytes) {
    int crc = -1;
    for (int i = offset; i < offset + bytes; i++) {
      crc ^= data[i] & 0xFF;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 1) != 0 ? crc >>> 1 ^ 0x82F63B78 : crc >>> 1;
      }
    }
    return ~crc;
  }

  /** Hashes bit by bit: each set input bit adds the 32 key bits that start at its position. */
  static int naiveToeplitz(byte[] key, byte[] input) {
    int hash = 0;
    for (int bit = 0; bit < input.length * 8; bit++) {
      if (bitOf(input, bit)) {
        for (int i = 0; i < 32; i++) {
          hash ^= bitOf(key, bit + i) ? Integer.MIN_VALUE >>> i : 0;
        }
      }
    }
    return hash;
  }

  private static boolean bitOf(byte[] data, int bit) {
    return (data[bit / 8] & 0x80 >>> bit % 8) != 0;
  }

  private static byte[] ports(byte[] header, int sourcePort, int destinationPort) {
    return with16(with16(header, 0, sourcePort), 2, destinationPort);
  }
}
