package io.github.bellwire.device.nic;

import static io.github.bellwire.device.nic.OffloadFrames.SCTP;
import static io.github.bellwire.device.nic.OffloadFrames.TCP;
import static io.github.bellwire.device.nic.OffloadFrames.UDP;
import static io.github.bellwire.device.nic.OffloadFrames.address;
import static io.github.bellwire.device.nic.OffloadFrames.ethernet;
import static io.github.bellwire.device.nic.OffloadFrames.ipv4;
import static io.github.bellwire.device.nic.OffloadFrames.ipv6;
import static io.github.bellwire.device.nic.OffloadFrames.join;
import static io.github.bellwire.device.nic.OffloadFrames.naivePseudoSum;
import static io.github.bellwire.device.nic.OffloadFrames.naiveSum;
import static io.github.bellwire.device.nic.OffloadFrames.tcp;
import static io.github.bellwire.device.nic.OffloadFrames.udp;
import static io.github.bellwire.device.nic.OffloadFrames.with16;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReceiveChecksumTest {
  private static final byte[] V4_A = address("192.0.2.1");
  private static final byte[] V4_B = address("198.51.100.7");
  private static final byte[] V6_A = address("2001:db8::1");
  private static final byte[] V6_B = address("2001:db8::2");

  private static final int IPCS = 1 << 6;
  private static final int L4CS = 1 << 5;
  private static final int UDPCS = 1 << 4;
  private static final int UDPV = 1 << 10;
  private static final int TCPE = 1 << 30;
  private static final int IPE = 1 << 31;

  private final FrameParser parser = new FrameParser();
  private final ReceiveChecksum checksum = new ReceiveChecksum();

  @ParameterizedTest
  @CsvSource({"true, 6", "true, 17", "true, 132", "false, 6", "false, 17", "false, 132"})
  void shouldAcceptIntactPacketsAndRejectAnyFlippedBit(boolean v4, int protocol) {
    long seed = 5;
    Random random = new Random(seed);
    int l4 = v4 ? 34 : 54;
    int expected = L4CS | (protocol == UDP ? UDPCS : 0) | (v4 ? IPCS : 0);

    for (int round = 0; round < 200; round++) {
      byte[] frame = intact(v4, protocol, OffloadFrames.random(random, random.nextInt(200)));
      check(frame);
      assertThat(checksum.status()).as("seed %d round %d", seed, round).isEqualTo(expected);
      assertThat(checksum.errors()).as("seed %d round %d", seed, round).isZero();

      // Ports, checksum and payload, but not the length and data offset that move the borders.
      int hit = l4 + (random.nextBoolean() ? random.nextInt(4) : frame.length - l4 - 1);
      frame[hit] ^= (byte) (1 << random.nextInt(8));
      check(frame);
      assertThat(checksum.status()).as("seed %d round %d", seed, round).isEqualTo(expected);
      assertThat(checksum.errors()).as("seed %d round %d", seed, round).isEqualTo(TCPE);
    }
  }

  @Test
  void shouldReportABadIpv4HeaderAlone() {
    byte[] frame = intact(true, TCP, new byte[10]);
    frame[22] ^= 1; // Time to live: in the header checksum, not in the pseudo header.

    check(frame);

    assertThat(checksum.status()).isEqualTo(IPCS | L4CS);
    assertThat(checksum.errors()).isEqualTo(IPE);

    frame[34] ^= 1;
    check(frame);
    assertThat(checksum.errors()).isEqualTo(IPE | TCPE);
  }

  @Test
  void shouldSumIpv4Options() {
    byte[] header = ipv4(V4_A, V4_B, 1, 8, 0, 24);
    check(join(ethernet(0x0800), header, new byte[8]));
    assertThat(checksum.status()).isEqualTo(IPCS);
    assertThat(checksum.errors()).isZero();

    header[23] ^= 1;
    check(join(ethernet(0x0800), header, new byte[8]));
    assertThat(checksum.errors()).isEqualTo(IPE);
  }

  @Test
  void shouldNotCheckAUdpPacketWithoutChecksum() {
    check(join(ethernet(0x0800), ipv4(V4_A, V4_B, UDP, 8), udp(1, 2, 0)));

    assertThat(checksum.status()).isEqualTo(IPCS);
    assertThat(checksum.errors()).isZero();
  }

  @Test
  void shouldRejectAUdpPacketWithoutChecksumOverIpv6() {
    check(join(ethernet(0x86DD), ipv6(V6_A, V6_B, UDP, 8), udp(1, 2, 0)));

    assertThat(checksum.status()).isEqualTo(L4CS | UDPCS);
    assertThat(checksum.errors()).isEqualTo(TCPE);
  }

  @Test
  void shouldIgnorePaddingBehindThePacket() {
    byte[] frame = join(intact(true, TCP, new byte[1]), new byte[] {1, 2, 3, 4, 5});

    check(frame);

    assertThat(checksum.status()).isEqualTo(IPCS | L4CS);
    assertThat(checksum.errors()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {7, 13})
  void shouldNotCheckAUdpPacketOfContradictoryLength(int udpBytes) {
    byte[] udp = with16(with16(udp(1, 2, 4), 4, udpBytes), 6, 0x1234);

    check(join(ethernet(0x0800), ipv4(V4_A, V4_B, UDP, 12), udp, new byte[4]));

    assertThat(checksum.status()).isEqualTo(IPCS);
  }

  @Test
  void shouldSumAUdpPacketByItsOwnLength() {
    byte[] l4 = udp(1, 2, 2);
    byte[] frame = join(ethernet(0x0800), ipv4(V4_A, V4_B, UDP, 12), l4, new byte[] {1, 2, 3, 4});
    int sum = naivePseudoSum(frame, 14, true, UDP, 10) + naiveSum(frame, 34, 10);
    with16(frame, 40, ~InternetChecksum.fold(sum));

    check(frame);

    assertThat(checksum.status()).isEqualTo(IPCS | L4CS | UDPCS);
    assertThat(checksum.errors()).isZero();
  }

  @Test
  void shouldNotCheckATransportThatIsCutShort() {
    byte[] frame = intact(true, TCP, new byte[10]);

    parser.parse(frame, 0, frame.length - 1);
    checksum.check(parser, frame, 0, true);

    assertThat(checksum.status()).isEqualTo(IPCS);
    assertThat(checksum.errors()).isZero();
  }

  @Test
  void shouldCheckBehindExtensionsButNotBehindRoutingAddresses() {
    byte[] routed = new byte[24];
    routed[0] = TCP;
    routed[1] = 2;
    check(join(ethernet(0x86DD), ipv6(V6_A, V6_B, 43, 44), routed, tcp(1, 2, 3, 0x10, 20)));
    assertThat(checksum.status()).isZero();

    byte[] options = {TCP, 0, 1, 4, 0, 0, 0, 0};
    check(join(ethernet(0x86DD), ipv6(V6_A, V6_B, 60, 28), options, tcp(1, 2, 3, 0x10, 20)));
    assertThat(checksum.status()).isEqualTo(L4CS);
    assertThat(checksum.errors()).isEqualTo(TCPE);
  }

  @Test
  void shouldSumTheFragmentsOfAUdpPacketToAllOnes() {
    Random random = new Random(9);
    byte[] datagram = join(udp(1, 2, 24), OffloadFrames.random(random, 24));
    byte[] header = ipv4(V4_A, V4_B, UDP, 32);
    int pseudo = naivePseudoSum(header, 0, true, UDP, 32);
    with16(datagram, 6, ~InternetChecksum.fold((long) pseudo + naiveSum(datagram, 0, 32)));

    int sum = pseudo;
    check(fragment(datagram, 0, 16, 0x2000));
    assertThat(checksum.status()).isEqualTo(IPCS | UDPCS | UDPV);
    sum += checksum.fragmentChecksum();
    check(fragment(datagram, 16, 32, 0x0002));
    assertThat(checksum.status()).isEqualTo(IPCS | UDPCS);
    sum += checksum.fragmentChecksum();

    assertThat(InternetChecksum.fold(sum)).isEqualTo(0xFFFF);
    assertThat(checksum.errors()).isZero();
  }

  @Test
  void shouldSetUdpvOnlyForAChecksumInAFirstUdpFragment() {
    byte[] without = new byte[16];
    check(fragment(without, 0, 16, 0x2000));
    assertThat(checksum.status()).isEqualTo(IPCS | UDPCS);

    byte[] ones = {1, 1, 1, 1, 1, 1, 1, 1};
    check(join(ethernet(0x0800), ipv4(V4_A, V4_B, TCP, 8, 0x2000, 20), ones));
    assertThat(checksum.status()).isEqualTo(IPCS | UDPCS);
    check(join(ethernet(0x0800), ipv4(V4_A, V4_B, UDP, 8, 0x2000, 20), ones));
    assertThat(checksum.status()).isEqualTo(IPCS | UDPCS | UDPV);
    check(join(ethernet(0x0800), ipv4(V4_A, V4_B, UDP, 7, 0x2000, 20), ones));
    assertThat(checksum.status()).isEqualTo(IPCS | UDPCS);
  }

  @Test
  void shouldLeaveFragmentsAloneUnlessAskedTo() {
    byte[] frame = fragment(new byte[16], 0, 16, 0x2000);
    frame[40] = 1;

    parser.parse(frame, 0, frame.length);
    checksum.check(parser, frame, 0, false);

    assertThat(checksum.status()).isEqualTo(IPCS);
    assertThat(checksum.fragmentChecksum()).isZero();
  }

  @Test
  void shouldNotSumIpv6Fragments() {
    byte[] extension = {UDP, 0, 0, 1, 0, 0, 0, 1};
    check(join(ethernet(0x86DD), ipv6(V6_A, V6_B, 44, 16), extension, udp(1, 2, 0)));

    assertThat(checksum.status()).isZero();
    assertThat(checksum.fragmentChecksum()).isZero();
  }

  @Test
  void shouldForgetTheFrameBefore() {
    check(fragment(new byte[] {1, 1, 1, 1, 1, 1, 1, 1}, 0, 8, 0x2000));
    assertThat(checksum.fragmentChecksum()).isNotZero();

    check(ethernet(0x0806));

    assertThat(checksum.status()).isZero();
    assertThat(checksum.errors()).isZero();
    assertThat(checksum.fragmentChecksum()).isZero();
  }

  private void check(byte[] frame) {
    parser.parse(frame, 0, frame.length);
    checksum.check(parser, frame, 0, true);
  }

  private static byte[] fragment(byte[] datagram, int from, int to, int field) {
    byte[] part = Arrays.copyOfRange(datagram, from, to);
    return join(ethernet(0x0800), ipv4(V4_A, V4_B, UDP, to - from, field, 20), part);
  }

  /** Returns a packet whose checksums were filled in by the plain reference arithmetic. */
  private static byte[] intact(boolean v4, int protocol, byte[] payload) {
    byte[] header =
        protocol == TCP
            ? tcp(1000, 2000, 3, 0x18, 20)
            : protocol == UDP ? udp(1000, 2000, payload.length) : OffloadFrames.sctp(1000, 2000);
    int l4Bytes = header.length + payload.length;
    byte[] ip = v4 ? ipv4(V4_A, V4_B, protocol, l4Bytes) : ipv6(V6_A, V6_B, protocol, l4Bytes);
    byte[] frame = join(ethernet(v4 ? 0x0800 : 0x86DD), ip, header, payload);
    int l4 = 14 + ip.length;
    if (protocol == SCTP) {
      int crc = Integer.reverseBytes(OffloadFrames.naiveCrc32c(frame, l4, l4Bytes));
      with16(with16(frame, l4 + 8, crc >>> 16), l4 + 10, crc);
    } else {
      int sum = naivePseudoSum(frame, 14, v4, protocol, l4Bytes) + naiveSum(frame, l4, l4Bytes);
      int field = ~InternetChecksum.fold(sum) & 0xFFFF;
      with16(frame, l4 + (protocol == TCP ? 16 : 6), field == 0 ? 0xFFFF : field);
    }
    return frame;
  }
}
