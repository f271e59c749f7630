package io.github.bellwire.device.nic;

import static io.github.bellwire.device.nic.OffloadFrames.SCTP;
import static io.github.bellwire.device.nic.OffloadFrames.TCP;
import static io.github.bellwire.device.nic.OffloadFrames.UDP;
import static io.github.bellwire.device.nic.OffloadFrames.address;
import static io.github.bellwire.device.nic.OffloadFrames.ethernet;
import static io.github.bellwire.device.nic.OffloadFrames.ipv4;
import static io.github.bellwire.device.nic.OffloadFrames.ipv6;
import static io.github.bellwire.device.nic.OffloadFrames.join;
import static io.github.bellwire.device.nic.OffloadFrames.tag;
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

class FrameParserTest {
  private static final byte[] V4_A = address("192.0.2.1");
  private static final byte[] V4_B = address("198.51.100.7");
  private static final byte[] V6_A = address("2001:db8::1");
  private static final byte[] V6_B = address("2001:db8::2");
  private static final byte[] PAYLOAD = new byte[5];

  private final FrameParser parser = new FrameParser();

  @Test
  void shouldFindNothingWhereItSaysItDoesNotLook() {
    byte[] frame = new byte[100];
    Random random = new Random(1);
    FrameParser shortcut = new FrameParser();
    int looked = 0;
    for (int etherType = 0; etherType <= 0xFFFF; etherType++) {
      random.nextBytes(frame);
      NetworkOrder.putU16(frame, 12, etherType);
      if (FrameParser.looksInto(etherType)) {
        looked++;
        continue;
      }
      shortcut.parse(frame, 0, frame.length);
      assertThat(shortcut.packetType()).as("%x", etherType).isZero();
      assertThat(shortcut.l3Offset()).as("%x", etherType).isZero();
      assertThat(shortcut.isComplete()).as("%x", etherType).isFalse();
      assertThat(shortcut.vlanTci()).as("%x", etherType).isZero();
    }
    // IPv4, IPv6 and two kinds of VLAN tags.
    assertThat(looked).isEqualTo(4);
  }

  @Test
  void shouldLocateTheHeadersOfATcpPacket() {
    parse(
        ethernet(0x0800), ipv4(V4_A, V4_B, TCP, 37), tcp(1, 2, 3, 0xFFF, 32), PAYLOAD, new byte[9]);

    assertThat(parser.packetType()).isEqualTo(0x110); // IPv4 4, TCP 8
    assertThat(parser.etherType()).isEqualTo(0x0800);
    assertThat(parser.vlanTci()).isZero();
    assertThat(parser.l3Offset()).isEqualTo(14);
    assertThat(parser.sourceOffset()).isEqualTo(26);
    assertThat(parser.destinationOffset()).isEqualTo(30);
    assertThat(parser.l4Offset()).isEqualTo(34);
    assertThat(parser.protocol()).isEqualTo(6);
    assertThat(parser.headerBytes()).isEqualTo(66); // 14 + 20 + 32
    assertThat(parser.l4Bytes()).isEqualTo(37);
    assertThat(parser.l3End()).isEqualTo(71); // The last 9 bytes are Ethernet padding.
    assertThat(parser.isComplete()).isTrue();
    assertThat(parser.isFragment()).isFalse();
  }

  @Test
  void shouldLocateTheHeadersOfAUdpPacketOverIpv6() {
    parse(ethernet(0x86DD), ipv6(V6_A, V6_B, UDP, 13), udp(1, 2, 5), PAYLOAD);

    assertThat(parser.packetType()).isEqualTo(0x240); // IPv6 6, UDP 9
    assertThat(parser.l3Offset()).isEqualTo(14);
    assertThat(parser.sourceOffset()).isEqualTo(22);
    assertThat(parser.destinationOffset()).isEqualTo(38);
    assertThat(parser.homeAddressOffset()).isEqualTo(22);
    assertThat(parser.finalDestinationOffset()).isEqualTo(38);
    assertThat(parser.l4Offset()).isEqualTo(54);
    assertThat(parser.headerBytes()).isEqualTo(62);
    assertThat(parser.l4Bytes()).isEqualTo(13);
  }

  @Test
  void shouldRecogniseSctp() {
    parse(ethernet(0x0800), ipv4(V4_A, V4_B, SCTP, 12), OffloadFrames.sctp(1, 2));

    assertThat(parser.packetType()).isEqualTo(0x410); // IPv4 4, SCTP 10
    assertThat(parser.isSctp()).isTrue();
    assertThat(parser.headerBytes()).isEqualTo(46);
  }

  @Test
  void shouldReadOneVlanTag() {
    parse(
        ethernet(0x8100), tag(0xA123, 0x0800), ipv4(V4_A, V4_B, UDP, 8), udp(1, 2, 0), new byte[0]);

    assertThat(parser.vlanTci()).isEqualTo(0xA123);
    assertThat(parser.etherType()).isEqualTo(0x0800);
    assertThat(parser.l3Offset()).isEqualTo(18);
    assertThat(parser.isUdp()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {0x88A8, 0x8100})
  void shouldReadTwoVlanTags(int outer) {
    parse(ethernet(outer), tag(0x0007, 0x8100), tag(0x0064, 0x86DD), ipv6(V6_A, V6_B, 59, 0));

    assertThat(parser.vlanTci()).isEqualTo(0x64);
    assertThat(parser.packetType()).isEqualTo(0x40);
    assertThat(parser.l3Offset()).isEqualTo(22);
  }

  @Test
  void shouldStopAtAThirdVlanTag() {
    parse(ethernet(0x8100), tag(1, 0x8100), tag(2, 0x8100), tag(3, 0x0800));

    assertThat(parser.etherType()).isEqualTo(0x8100);
    assertThat(parser.vlanTci()).isEqualTo(2);
    assertThat(parser.headerBytes()).isEqualTo(22);
  }

  @Test
  void shouldNotTakeAServiceTagForTheInnerOne() {
    parse(ethernet(0x8100), tag(1, 0x88A8), tag(2, 0x0800));

    assertThat(parser.etherType()).isEqualTo(0x88A8);
    assertThat(parser.vlanTci()).isEqualTo(1);
  }

  @Test
  void shouldTellIpv4Options() {
    parse(ethernet(0x0800), ipv4(V4_A, V4_B, TCP, 20, 0, 60), tcp(1, 2, 3, 0x10, 20));

    assertThat(parser.packetType()).isEqualTo(0x130); // IPv4 4, IPv4 ext 5, TCP 8
    assertThat(parser.l4Offset()).isEqualTo(74);
  }

  @ParameterizedTest
  @CsvSource({"2000, true, true", "0001, true, false", "3fff, true, false", "c000, false, false"})
  void shouldTellIpv4Fragments(String field, boolean fragment, boolean first) {
    int flags = Integer.parseInt(field, 16);
    parse(ethernet(0x0800), ipv4(V4_A, V4_B, UDP, 8, flags, 20), udp(1, 2, 0));

    assertThat(parser.isFragment()).isEqualTo(fragment);
    assertThat(parser.isFirstFragment()).isEqualTo(first);
    assertThat(parser.isUdp()).isEqualTo(!fragment);
    assertThat(parser.l4Offset()).isEqualTo(34);
    assertThat(parser.headerBytes()).isEqualTo(fragment ? 34 : 42);
  }

  @Test
  void shouldWalkIpv6ExtensionHeaders() {
    byte[] hopByHop = new byte[16];
    hopByHop[0] = 60;
    hopByHop[1] = 1;
    byte[] destination = {TCP, 0, 1, 4, 0, 0, 0, 0};
    parse(ethernet(0x86DD), ipv6(V6_A, V6_B, 0, 44), hopByHop, destination, tcp(1, 2, 3, 0x10, 20));

    assertThat(parser.packetType()).isEqualTo(0x1C0); // IPv6 6, IPv6 ext 7, TCP 8
    assertThat(parser.l4Offset()).isEqualTo(78); // 14 + 40 + 16 + 8
    assertThat(parser.protocol()).isEqualTo(TCP);
    assertThat(parser.isAddressRouted()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"0000, true", "0001, true", "0008, false", "ffff, false"})
  void shouldTellIpv6Fragments(String field, boolean first) {
    byte[] fragment = with16(new byte[] {UDP, 0, 0, 0, 0, 0, 0, 1}, 2, Integer.parseInt(field, 16));
    parse(ethernet(0x86DD), ipv6(V6_A, V6_B, 44, 16), fragment, udp(1, 2, 0));

    assertThat(parser.isFragment()).isTrue();
    assertThat(parser.isFirstFragment()).isEqualTo(first);
    assertThat(parser.packetType()).isEqualTo(0xC0);
    assertThat(parser.l4Offset()).isEqualTo(62);
    assertThat(parser.protocol()).isEqualTo(UDP);
  }

  @Test
  void shouldNotWalkOnBehindALaterFragment() {
    byte[] fragment = with16(new byte[] {60, 0, 0, 0, 0, 0, 0, 1}, 2, 0x0008);
    parse(ethernet(0x86DD), ipv6(V6_A, V6_B, 44, 16), fragment, new byte[8]);

    assertThat(parser.l4Offset()).isEqualTo(62); // What follows is data, not options.
  }

  @Test
  void shouldFindTheHomeAddressBehindOtherOptions() {
    // PAD1, PADN of 2, unknown option of 1, then the home address at offset 2 + 1 + 4 + 3 + 2.
    byte[] options = new byte[32];
    byte[] head = {59, 3, 0, 1, 2, 9, 9, 5, 1, 7, (byte) 0xC9, 16};
    System.arraycopy(head, 0, options, 0, head.length);
    parse(ethernet(0x86DD), ipv6(V6_A, V6_B, 60, 32), options);

    assertThat(parser.homeAddressOffset()).isEqualTo(54 + 12);
    assertThat(parser.isAddressRouted()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    // length, type, segments left, final destination, routed
    "2, 2, 1, 62, true",
    "2, 2, 0, 38, true",
    "2, 0, 1, 38, true",
    "4, 2, 1, 38, true",
    "0, 2, 1, 38, false"
  })
  void shouldFollowOnlyTheTypeTwoRoutingHeader(
      int length, int type, int segmentsLeft, int finalDestination, boolean routed) {
    byte[] routing = new byte[8 + 8 * length];
    routing[0] = 59;
    routing[1] = (byte) length;
    routing[2] = (byte) type;
    routing[3] = (byte) segmentsLeft;
    parse(ethernet(0x86DD), ipv6(V6_A, V6_B, 43, routing.length), routing);

    assertThat(parser.finalDestinationOffset()).isEqualTo(finalDestination);
    assertThat(parser.isAddressRouted()).isEqualTo(routed);
  }

  @Test
  void shouldReportATransportHeaderOnlyWhole() {
    byte[] whole = join(ethernet(0x0800), ipv4(V4_A, V4_B, TCP, 24), tcp(1, 2, 3, 0x10, 24));

    parser.parse(whole, 0, whole.length);
    assertThat(parser.isTcp()).isTrue();
    parser.parse(whole, 0, whole.length - 1);
    assertThat(parser.isTcp()).isFalse();
    assertThat(parser.isComplete()).isFalse();
    assertThat(parser.l4Bytes()).isEqualTo(23);
    whole[46] = 0x40; // A data offset of 4 words is shorter than the fixed header.
    parser.parse(whole, 0, whole.length);
    assertThat(parser.isTcp()).isFalse();
    assertThat(parser.headerBytes()).isEqualTo(34);
  }

  @ParameterizedTest
  @CsvSource({"17, 7, false", "17, 8, true", "132, 11, false", "132, 12, true"})
  void shouldWantTheFixedTransportHeader(int protocol, int bytes, boolean present) {
    parse(ethernet(0x0800), ipv4(V4_A, V4_B, protocol, bytes), new byte[20]);

    assertThat(parser.isUdp() || parser.isSctp()).isEqualTo(present);
  }

  @ParameterizedTest
  @CsvSource({
    "14, 55", // version 5
    "14, 44", // header of 16 bytes
    "14, 4f", // header of 60 bytes in a packet of 40
  })
  void shouldIgnoreABrokenIpv4Header(int at, String value) {
    byte[] frame = join(ethernet(0x0800), ipv4(V4_A, V4_B, TCP, 20), tcp(1, 2, 3, 0x10, 20));
    frame[at] = (byte) Integer.parseInt(value, 16);

    parser.parse(frame, 0, frame.length);

    assertThat(parser.packetType()).isZero();
    assertThat(parser.l3Offset()).isZero();
    assertThat(parser.sourceOffset()).isZero();
    assertThat(parser.destinationOffset()).isZero();
    assertThat(parser.headerBytes()).isEqualTo(14);
  }

  @Test
  void shouldNotLookBehindAnIpv4HeaderWhoseLengthIsTooShort() {
    byte[] frame = join(ethernet(0x0800), ipv4(V4_A, V4_B, TCP, 20), tcp(1, 2, 3, 0x10, 20));
    with16(frame, 16, 19);

    parser.parse(frame, 0, frame.length);

    assertThat(parser.packetType()).isEqualTo(0x10);
    assertThat(parser.l4Offset()).isZero();
    assertThat(parser.l4Bytes()).isZero();
    assertThat(parser.isComplete()).isFalse();
  }

  @Test
  void shouldForgetTheFrameBefore() {
    byte[] options = join(new byte[] {43, 2, (byte) 0xC9, 16}, V6_A, new byte[4]);
    byte[] routing = join(new byte[] {44, 2, 2, 1, 0, 0, 0, 0}, V6_B);
    byte[] fragment = {UDP, 0, 1, 0, 0, 0, 0, 1};
    byte[] ip = ipv6(V6_A, V6_B, 60, 56);
    parse(ethernet(0x8100), tag(7, 0x8100), tag(8, 0x86DD), ip, options, routing, fragment);
    assertThat(parser.isFirstFragment()).isFalse();
    assertThat(parser.homeAddressOffset()).isEqualTo(66); // 22 + 40 + 4
    assertThat(parser.finalDestinationOffset()).isEqualTo(94); // 62 + 24 + 8

    parser.parse(new byte[64], 0, 13);

    assertThat(parser)
        .usingRecursiveComparison()
        .withStrictTypeChecking()
        .isEqualTo(new FrameParser());
  }

  @Test
  void shouldParseAtAnyOffset() {
    byte[] frame = join(ethernet(0x0800), ipv4(V4_A, V4_B, UDP, 8), udp(1, 2, 0));
    byte[] shifted = join(new byte[77], frame, new byte[3]);
    FrameParser other = new FrameParser();

    parser.parse(frame, 0, frame.length);
    other.parse(shifted, 77, frame.length);

    assertThat(other).usingRecursiveComparison().isEqualTo(parser);
    assertThat(parser.isUdp()).isTrue();
  }

  @Test
  void shouldReadHeadersThatEndWithTheFrame() {
    parse(ethernet(0x1234));
    assertThat(parser.etherType()).isEqualTo(0x1234);
    assertThat(parser.headerBytes()).isEqualTo(14);

    parse(ethernet(0x8100), tag(7, 0x1234));
    assertThat(parser.etherType()).isEqualTo(0x1234);
    parser.parse(join(ethernet(0x8100), tag(7, 0x1234)), 0, 17);
    assertThat(parser.vlanTci()).isZero();

    parse(ethernet(0x0800), ipv4(V4_A, V4_B, 59, 0));
    assertThat(parser.isIpv4()).isTrue();
    assertThat(parser.isComplete()).isTrue();
    assertThat(parser.l4Offset()).isEqualTo(34);

    parse(ethernet(0x86DD), ipv6(V6_A, V6_B, 60, 8), new byte[] {59, 0, 1, 4, 0, 0, 0, 0});
    assertThat(parser.l4Offset()).isEqualTo(62);
    assertThat(parser.protocol()).isEqualTo(59);
  }

  @Test
  void shouldIgnoreTheTrafficClassOfIpv6() {
    byte[] frame = join(ethernet(0x86DD), ipv6(V6_A, V6_B, 59, 0));
    frame[14] = 0x6F;

    parser.parse(frame, 0, frame.length);

    assertThat(parser.isIpv6()).isTrue();
  }

  @Test
  void shouldWalkOnBehindAFirstFragment() {
    byte[] fragment = {60, 0, 0, 1, 0, 0, 0, 1};
    byte[] options = {UDP, 0, 1, 4, 0, 0, 0, 0};
    parse(ethernet(0x86DD), ipv6(V6_A, V6_B, 44, 24), fragment, options, udp(1, 2, 0));

    assertThat(parser.l4Offset()).isEqualTo(70);
    assertThat(parser.protocol()).isEqualTo(UDP);
  }

  @ParameterizedTest
  @CsvSource({"7, 0", "8, 1", "15, 1"}) // bytes present, length field
  void shouldStopAtAnExtensionHeaderThatIsCutShort(int bytes, int length) {
    byte[] options = Arrays.copyOf(new byte[] {UDP, (byte) length, 1, 4, 0, 0, 0, 0}, bytes);
    parse(ethernet(0x86DD), ipv6(V6_A, V6_B, 60, bytes), options, new byte[30]);

    assertThat(parser.packetType()).isEqualTo(0xC0);
    assertThat(parser.l4Offset()).isZero();
    assertThat(parser.l4Bytes()).isZero();
    assertThat(parser.headerBytes()).isEqualTo(54);
  }

  @Test
  void shouldStopAtAnOptionThatIsCutShort() {
    // A home address that would run past its header, then an option without its length byte.
    byte[] tooLong = {59, 0, (byte) 0xC9, 16, 0, 0, 0, 0};
    parse(ethernet(0x86DD), ipv6(V6_A, V6_B, 60, 28), tooLong, new byte[20]);
    assertThat(parser.homeAddressOffset()).isEqualTo(22);
    assertThat(parser.isAddressRouted()).isFalse();

    byte[] noLength = {59, 0, 1, 3, 0, 0, 0, 5};
    parse(ethernet(0x86DD), ipv6(V6_A, V6_B, 60, 8), noLength);
    assertThat(parser.l4Offset()).isEqualTo(62);
  }

  /**
   * Each frame ends where its array ends, so a read beyond the length would throw; frames that
   * start out whole and are then damaged reach the deep branches.
   */
  @Test
  void shouldSurviveGarbage() {
    long seed = 20_260_101;
    Random random = new Random(seed);
    ReceiveChecksum checksum = new ReceiveChecksum();
    ReceiveSideScaling rss = new ReceiveSideScaling();
    rss.writeMrqc(0xFFFF_0001);

    for (int round = 0; round < 100_000; round++) {
      byte[] frame = damaged(random);
      try {
        parser.parse(frame, 0, frame.length);
        checksum.check(parser, frame, 0, true);
        rss.classify(parser, frame, 0);
      } catch (RuntimeException e) {
        throw new AssertionError(
            "seed " + seed + " round " + round + " " + Arrays.toString(frame), e);
      }
      if (!isConsistent(frame.length)) {
        throw new AssertionError("seed " + seed + " round " + round + Arrays.toString(frame));
      }
    }
  }

  private boolean isConsistent(int length) {
    boolean ip = parser.l3Offset() != 0;
    return parser.headerBytes() <= length
        && parser.l3Offset() <= parser.headerBytes()
        && parser.l4Offset() <= parser.headerBytes()
        && parser.l3End() <= length
        && parser.l4Bytes() >= 0
        && parser.finalDestinationOffset() + (parser.isIpv6() ? 16 : 0) <= length
        && parser.homeAddressOffset() + (parser.isIpv6() ? 16 : 0) <= length
        && ip == (parser.isIpv4() || parser.isIpv6())
        && (parser.l4Offset() == 0 || ip && parser.l4Offset() + parser.l4Bytes() == parser.l3End());
  }

  private static byte[] damaged(Random random) {
    byte[] frame = random.nextBoolean() ? deepFrame(random) : shallowFrame(random);
    for (int hits = random.nextInt(5); hits > 0; hits--) {
      frame[random.nextInt(frame.length)] = (byte) random.nextInt();
    }
    return Arrays.copyOf(frame, random.nextInt(frame.length + 1));
  }

  private static byte[] deepFrame(Random random) {
    int[] headers = {0, 43, 44, 60, TCP, UDP, SCTP};
    byte[] chain = OffloadFrames.random(random, random.nextInt(120) + 8);
    for (int at = 0; at + 1 < chain.length; at += 8) {
      chain[at] = (byte) headers[random.nextInt(headers.length)];
      chain[at + 1] = (byte) random.nextInt(3);
    }
    int first = headers[random.nextInt(headers.length)];
    return join(ethernet(0x8100), tag(1, 0x86DD), ipv6(V6_A, V6_B, first, chain.length), chain);
  }

  private static byte[] shallowFrame(Random random) {
    int[] protocols = {TCP, UDP, SCTP, 1};
    int protocol = protocols[random.nextInt(protocols.length)];
    byte[] l4 = OffloadFrames.random(random, random.nextInt(60));
    int ipBytes = 20 + 4 * random.nextInt(11);
    int fragment = random.nextInt(4) == 0 ? random.nextInt(0x10000) : 0x4000;
    return join(ethernet(0x0800), ipv4(V4_A, V4_B, protocol, l4.length, fragment, ipBytes), l4);
  }

  private void parse(byte[]... parts) {
    byte[] frame = join(parts);
    parser.parse(frame, 0, frame.length);
  }
}
