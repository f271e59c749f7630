package io.github.bellwire.device.nic;

import static io.github.bellwire.device.nic.OffloadFrames.TCP;
import static io.github.bellwire.device.nic.OffloadFrames.UDP;
import static io.github.bellwire.device.nic.OffloadFrames.address;
import static io.github.bellwire.device.nic.OffloadFrames.join;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReceiveSideScalingTest {
  /** Verification suite of the 82599 datasheet section 7.1.2.8.3, as in DPDK test_thash.c. */
  private static final byte[] KEY =
      HexFormat.of()
          .parseHex(
              "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa");

  private static final byte[] V4_SOURCE = address("66.9.149.187");
  private static final byte[] V4_DESTINATION = address("161.142.100.80");
  private static final byte[] V6_SOURCE = address("3ffe:2501:200:1fff::7");
  private static final byte[] V6_DESTINATION = address("3ffe:2501:200:3::1");
  private static final int V4_L3_HASH = 0x323e8fc2;
  private static final int V4_L4_HASH = 0x51ccc178;
  private static final int V6_L3_HASH = 0x2cc18cd5;
  private static final int V6_L4_HASH = 0x40207d3d;

  private static final int ALL_FIELDS = 0xFFFF_0000;
  private static final int RSS = 1;

  private final FrameParser parser = new FrameParser();
  private final ReceiveSideScaling rss = new ReceiveSideScaling();

  ReceiveSideScalingTest() {
    load(KEY);
  }

  @ParameterizedTest
  @CsvSource({
    "66.9.149.187, 2794, 161.142.100.80, 1766, 323e8fc2, 51ccc178, 66, 120",
    "199.92.111.2, 14230, 65.69.140.83, 4739, d718262a, c626b0ea, 42, 106",
    "24.19.198.95, 12898, 12.22.207.184, 38024, d2d0a5de, 5c2b394a, 94, 74",
    "38.27.205.30, 48228, 209.142.163.6, 2217, 82989176, afc7327f, 118, 127",
    "153.39.163.191, 44251, 202.188.127.2, 1303, 5d1809c5, 10e828a2, 69, 34",
    "3ffe:2501:200:1fff::7, 2794, 3ffe:2501:200:3::1, 1766, 2cc18cd5, 40207d3d, 85, 61",
    "3ffe:501:8::260:97ff:fe40:efab, 14230, ff02::1, 4739, 0f0c461c, dde51bbf, 28, 63",
    "3ffe:1900:4545:3:200:f8ff:fe21:67cf, 44251, fe80::200:f8ff:fe21:67cf, 38024,"
        + " 4b61e985, 02d1feef, 5, 111"
  })
  void shouldReproduceTheVerificationSuite(
      String source,
      int sourcePort,
      String destination,
      int destinationPort,
      String l3Hash,
      String l4Hash,
      int l3Index,
      int l4Index) {
    byte[] frame = frame(address(source), address(destination), TCP, sourcePort, destinationPort);

    classify(frame, ReceiveSideScaling.FIELD_IPV4 | ReceiveSideScaling.FIELD_IPV6 | RSS);
    assertThat(rss.hash()).isEqualTo((int) Long.parseLong(l3Hash, 16));
    assertSelectsEntry(frame, l3Index);

    classify(frame, ALL_FIELDS | RSS);
    assertThat(rss.hash()).isEqualTo((int) Long.parseLong(l4Hash, 16));
    assertSelectsEntry(frame, l4Index);
  }

  @Test
  void shouldBeSymmetricUnderARepeatedSixteenBitKey() {
    byte[] symmetric = new byte[40];
    for (int i = 0; i < 40; i++) {
      symmetric[i] = KEY[i % 2];
    }
    load(symmetric);

    classify(frame(V4_SOURCE, V4_DESTINATION, TCP, 2794, 1766), ALL_FIELDS | RSS);
    int there = rss.hash();
    classify(frame(V4_DESTINATION, V4_SOURCE, TCP, 1766, 2794), ALL_FIELDS | RSS);
    assertThat(rss.hash()).isEqualTo(there).isNotZero();
    classify(frame(V6_SOURCE, V6_DESTINATION, UDP, 2794, 1766), ALL_FIELDS | RSS);
    there = rss.hash();
    classify(frame(V6_DESTINATION, V6_SOURCE, UDP, 1766, 2794), ALL_FIELDS | RSS);
    assertThat(rss.hash()).isEqualTo(there).isNotZero();
  }

  @ParameterizedTest
  @CsvSource({
    // protocol, MRQC fields, type of an IPv4 packet
    "6, 00030000, 1", // TCP enabled: used
    "6, 01020000, 2", // only plain enabled
    "6, 00400000, 0", // only UDP enabled
    "17, 00430000, 7",
    "17, 00030000, 2", // UDP falls back
    "17, 00010000, 0",
    "1, 01ff0000, 2", // ICMP
    "1, 01fd0000, 0",
  })
  void shouldSelectTheFunctionOfAnIpv4Packet(int protocol, String fields, int type) {
    byte[] frame = frame(V4_SOURCE, V4_DESTINATION, protocol, 2794, 1766);

    classify(frame, (int) Long.parseLong(fields, 16) | RSS);

    boolean ports = type == 1 || type == 7;
    assertThat(rss.rssType()).isEqualTo(type);
    assertThat(rss.hash()).isEqualTo(type == 0 ? 0 : ports ? V4_L4_HASH : V4_L3_HASH);
  }

  @ParameterizedTest
  @CsvSource({
    // protocol, MRQC fields, type of an IPv6 packet
    "6, 01ff0000, 6", // the extended function comes first
    "6, 01fb0000, 3",
    "6, 01db0000, 4",
    "6, 01d30000, 5",
    "6, 01c30000, 0",
    "17, 01ff0000, 9",
    "17, 00ff0000, 8",
    "17, 007f0000, 4",
    "17, 00770000, 5",
    "17, 00670000, 0",
    "58, 01ff0000, 4",
  })
  void shouldSelectTheFunctionOfAnIpv6Packet(int protocol, String fields, int type) {
    byte[] frame = frame(V6_SOURCE, V6_DESTINATION, protocol, 2794, 1766);

    classify(frame, (int) Long.parseLong(fields, 16) | RSS);

    boolean ports = type != 4 && type != 5;
    assertThat(rss.rssType()).isEqualTo(type);
    assertThat(rss.hash()).isEqualTo(type == 0 ? 0 : ports ? V6_L4_HASH : V6_L3_HASH);
  }

  @Test
  void shouldHashFragmentsByTheirAddressesAlone() {
    byte[] tcp = OffloadFrames.tcp(2794, 1766, 1, 0x10, 20);
    int moreFragments = 0x2000;
    byte[] frame =
        join(
            OffloadFrames.ethernet(0x0800),
            OffloadFrames.ipv4(V4_SOURCE, V4_DESTINATION, TCP, 20, moreFragments, 20),
            tcp);

    classify(frame, ALL_FIELDS | RSS);

    assertThat(rss.rssType()).isEqualTo(RxDescriptorLayout.RSS_IPV4);
    assertThat(rss.hash()).isEqualTo(V4_L3_HASH);
  }

  @Test
  void shouldHashTheHomeAndRoutingAddressesWithTheExtendedFunctionsOnly() {
    // Destination options with a home address, then a type 2 routing header: RFC 6275.
    byte[] options = join(new byte[] {43, 2, 1, 2, 0, 0, (byte) 0xC9, 16}, V6_SOURCE);
    byte[] routing = join(new byte[] {TCP, 2, 2, 1, 0, 0, 0, 0}, V6_DESTINATION);
    byte[] tcp = OffloadFrames.tcp(2794, 1766, 1, 0x10, 20);
    byte[] careOf = address("2001:db8::1");
    byte[] home = address("2001:db8::2");
    byte[] frame =
        join(
            OffloadFrames.ethernet(0x86DD),
            OffloadFrames.ipv6(careOf, home, 60, 68),
            options,
            routing,
            tcp);

    classify(frame, ALL_FIELDS | RSS);
    assertThat(rss.rssType()).isEqualTo(RxDescriptorLayout.RSS_IPV6_EX_TCP);
    assertThat(rss.hash()).isEqualTo(V6_L4_HASH);

    classify(frame, ReceiveSideScaling.FIELD_IPV6_EX | RSS);
    assertThat(rss.hash()).isEqualTo(V6_L3_HASH);

    classify(frame, ReceiveSideScaling.FIELD_IPV6 | RSS);
    assertThat(rss.rssType()).isEqualTo(RxDescriptorLayout.RSS_IPV6);
    assertThat(rss.hash()).isEqualTo(OffloadFrames.naiveToeplitz(KEY, join(careOf, home)));
  }

  @Test
  void shouldUseQueueZeroForWhatItCannotHash() {
    fillTable(5);

    classify(frame(V4_SOURCE, V4_DESTINATION, TCP, 2794, 1766), ALL_FIELDS | RSS);
    assertThat(rss.queueIndex()).isEqualTo(5);

    classify(OffloadFrames.ethernet(0x0806), ALL_FIELDS | RSS);

    assertThat(rss.rssType()).isZero();
    assertThat(rss.hash()).isZero();
    assertThat(rss.queueIndex()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0",
    "1, 1, 15",
    "2, 0, 0",
    "3, 0, 0",
    "4, 1, 15",
    "5, 1, 15",
    "6, 0, 0",
    "8, 0, 0",
    "10, 1, 3",
    "11, 1, 1",
    "12, 0, 0",
    "13, 0, 0"
  })
  void shouldTakeAsManyQueueBitsAsTheModeLeavesToRss(int mode, int type, int queue) {
    fillTable(15);

    classify(frame(V4_SOURCE, V4_DESTINATION, TCP, 2794, 1766), ALL_FIELDS | mode);

    assertThat(rss.rssType()).isEqualTo(type);
    assertThat(rss.queueIndex()).isEqualTo(queue);
  }

  @Test
  void shouldReadBackItsRegisters() {
    rss.writeMrqc(0x01FF_0001);
    rss.writeReta(31, 0xFEDC_BA98);
    rss.writeKey(9, 0x8765_4321);

    assertThat(rss.readMrqc()).isEqualTo(0x01FF_0001);
    assertThat(rss.readReta(31)).isEqualTo(0x0E0C_0A08); // Four bits per entry.
    assertThat(rss.readReta(30)).isZero();
    assertThat(rss.readKey(9)).isEqualTo(0x8765_4321);
    assertThat(rss.readKey(0)).isEqualTo(0xDA56_5A6D); // Key byte 0 in bits 7:0.
  }

  /** Marks one entry of the table and expects the last frame to find it. */
  private void assertSelectsEntry(byte[] frame, int index) {
    fillTable(0);
    rss.writeReta(index / 4, 9 << 8 * (index % 4));
    rss.classify(parser, frame, 0);
    assertThat(rss.queueIndex()).isEqualTo(9);
    rss.writeReta(index / 4, ~(9 << 8 * (index % 4)) & ~(0xF << 8 * (index % 4)));
    rss.classify(parser, frame, 0);
    assertThat(rss.queueIndex()).isZero();
  }

  private void fillTable(int queue) {
    for (int i = 0; i < ReceiveSideScaling.RETA_REGISTERS; i++) {
      rss.writeReta(i, queue * 0x0101_0101);
    }
  }

  private void load(byte[] key) {
    for (int i = 0; i < ReceiveSideScaling.KEY_REGISTERS; i++) {
      rss.writeKey(i, Integer.reverseBytes(OffloadFrames.get32(key, 4 * i)));
    }
  }

  private void classify(byte[] frame, int mrqc) {
    rss.writeMrqc(mrqc);
    parser.parse(frame, 0, frame.length);
    rss.classify(parser, frame, 0);
  }

  private static byte[] frame(
      byte[] source, byte[] destination, int protocol, int sourcePort, int destinationPort) {
    byte[] l4 =
        protocol == UDP
            ? OffloadFrames.udp(sourcePort, destinationPort, 0)
            : OffloadFrames.tcp(sourcePort, destinationPort, 1, 0x10, 20);
    return source.length == 4
        ? join(
            OffloadFrames.ethernet(0x0800),
            OffloadFrames.ipv4(source, destination, protocol, l4.length),
            l4)
        : join(
            OffloadFrames.ethernet(0x86DD),
            OffloadFrames.ipv6(source, destination, protocol, l4.length),
            l4);
  }
}
