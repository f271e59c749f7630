package io.github.bellwire.device.nic;

import static io.github.bellwire.device.nic.OffloadFrames.TCP;
import static io.github.bellwire.device.nic.OffloadFrames.UDP;
import static io.github.bellwire.device.nic.OffloadFrames.address;
import static io.github.bellwire.device.nic.OffloadFrames.ethernet;
import static io.github.bellwire.device.nic.OffloadFrames.get16;
import static io.github.bellwire.device.nic.OffloadFrames.get32;
import static io.github.bellwire.device.nic.OffloadFrames.ipv4;
import static io.github.bellwire.device.nic.OffloadFrames.ipv6;
import static io.github.bellwire.device.nic.OffloadFrames.join;
import static io.github.bellwire.device.nic.OffloadFrames.naivePseudoSum;
import static io.github.bellwire.device.nic.OffloadFrames.naiveSum;
import static io.github.bellwire.device.nic.OffloadFrames.tcp;
import static io.github.bellwire.device.nic.OffloadFrames.udp;
import static io.github.bellwire.device.nic.OffloadFrames.verifies;
import static io.github.bellwire.device.nic.OffloadFrames.with16;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SegmentationOffloadTest {
  private static final byte[] V4_A = address("192.0.2.1");
  private static final byte[] V4_B = address("198.51.100.7");
  private static final byte[] V6_A = address("2001:db8::1");
  private static final byte[] V6_B = address("2001:db8::2");
  private static final int ALL_FLAGS = 0x1FF; // NS, CWR, ECE, URG, ACK, PSH, RST, SYN, FIN.

  private final SegmentationOffload tso = new SegmentationOffload();

  @Test
  void shouldCutATcpPacketOverIpv4() {
    byte[] payload = OffloadFrames.random(new Random(1), 2500);
    byte[] packet = packet(true, TCP, 14, 20, 32, 0xFFFF_FF00, ALL_FLAGS, payload);
    with16(packet, 18, 0xFFFF); // IP identification

    List<byte[]> frames = cut(packet, context(14, 20, 32, 1000, true, TCP));

    assertThat(tso.segmentCount()).isEqualTo(3); // ceil(2500 / 1000)
    assertThat(frames).extracting(frame -> frame.length).containsExactly(1066, 1066, 566);
    // Total length is 20 + 32 + payload; the identification wraps at 16 bits.
    assertThat(frames).extracting(frame -> get16(frame, 16)).containsExactly(1052, 1052, 552);
    assertThat(frames).extracting(frame -> get16(frame, 18)).containsExactly(0xFFFF, 0, 1);
    // The sequence number wraps at 32 bits: ffffff00 + 3e8 = 2e8, + 3e8 = 6d0.
    assertThat(frames)
        .extracting(frame -> get32(frame, 38))
        .containsExactly(0xFFFF_FF00, 0x2E8, 0x6D0);
    // Data offset 8; reset masks FF6, FF6, F7F: FIN and PSH in the last, CWR not in the last.
    assertThat(frames)
        .extracting(frame -> get16(frame, 46))
        .containsExactly(0x81F6, 0x81F6, 0x817F);
    assertThat(reassembled(frames, 66)).isEqualTo(payload);
  }

  @Test
  void shouldKeepEveryOtherHeaderByte() {
    byte[] packet = packet(true, TCP, 14, 20, 32, 7, 0x10, new byte[2000]);

    List<byte[]> frames = cut(packet, context(14, 20, 32, 1000, true, TCP));

    // Changed are total length, identification, IP checksum, sequence number, TCP checksum.
    for (byte[] frame : frames) {
      byte[] expected = Arrays.copyOf(packet, 66);
      for (int field : new int[] {16, 18, 24, 38, 40, 50}) {
        with16(expected, field, get16(frame, field));
      }
      assertThat(Arrays.copyOf(frame, 66)).isEqualTo(expected);
    }
  }

  @Test
  void shouldObeyTheFlagMasks() {
    tso.writeFlagMasks(0x0F76_0FF6, 0x0F7F); // CWR in the first frame only, as RFC 3168 wants.
    byte[] packet = packet(true, TCP, 14, 20, 20, 7, ALL_FLAGS, new byte[40]);

    List<byte[]> frames = cut(packet, context(14, 20, 20, 10, true, TCP));

    assertThat(frames)
        .extracting(frame -> get16(frame, 46))
        .containsExactly(0x51F6, 0x5176, 0x5176, 0x517F);
    assertThat(tso.segmentCount()).isEqualTo(4);
  }

  @Test
  void shouldKeepTheFlagsOfASingleSegment() {
    byte[] packet = packet(true, TCP, 14, 20, 20, 7, ALL_FLAGS, new byte[40]);

    List<byte[]> frames = cut(packet, context(14, 20, 20, 40, true, TCP));

    assertThat(frames).hasSize(1);
    assertThat(get16(frames.get(0), 46)).isEqualTo(0x51FF);
    assertThat(frames.get(0)).hasSize(94);
  }

  @Test
  void shouldCutATcpPacketOverIpv6WithExtensions() {
    byte[] packet = packet(false, TCP, 18, 48, 20, 100, 0x18, new byte[25]);

    List<byte[]> frames = cut(packet, context(18, 48, 20, 10, false, TCP));

    // Payload length is 8 + 20 + payload: the extension header counts.
    assertThat(frames).extracting(frame -> get16(frame, 22)).containsExactly(38, 38, 33);
    assertThat(frames).extracting(frame -> get32(frame, 70)).containsExactly(100, 110, 120);
    assertThat(frames)
        .extracting(frame -> get16(frame, 78))
        .containsExactly(0x5010, 0x5010, 0x5018);
    assertThat(frames).extracting(frame -> frame.length).containsExactly(96, 96, 91);
  }

  @Test
  void shouldCutAUdpPacket() {
    byte[] packet = packet(true, UDP, 14, 24, 8, 0, 0, new byte[25]);

    List<byte[]> frames = cut(packet, context(14, 24, 8, 10, true, UDP));

    assertThat(frames).extracting(frame -> get16(frame, 42)).containsExactly(18, 18, 13);
    assertThat(frames).extracting(frame -> get16(frame, 16)).containsExactly(42, 42, 37);
  }

  @Test
  void shouldLeaveChecksumsAloneUnlessAskedFor() {
    byte[] packet = packet(true, TCP, 14, 20, 20, 7, 0x10, new byte[20]);
    byte[] out = new byte[64];

    tso.begin(packet, 0, packet.length, context(14, 20, 20, 10, true, TCP), false, false);
    tso.next(out, 0);

    assertThat(get16(out, 24)).isEqualTo(get16(packet, 24));
    assertThat(get16(out, 50)).isEqualTo(get16(packet, 50));
  }

  @Test
  void shouldRestoreThePayloadUnderRightChecksums() {
    long seed = 23;
    Random random = new Random(seed);

    for (int round = 0; round < 300; round++) {
      boolean v4 = random.nextBoolean();
      int protocol = random.nextBoolean() ? TCP : UDP;
      int macBytes = random.nextBoolean() ? 14 : 18;
      int ipBytes = v4 ? 20 + 4 * random.nextInt(11) : 40 + 8 * random.nextInt(3);
      int l4Bytes = protocol == TCP ? 20 + 4 * random.nextInt(11) : 8;
      int mss = 1 + random.nextInt(1500);
      byte[] payload = OffloadFrames.random(random, 1 + random.nextInt(20 * mss));
      byte[] packet =
          packet(v4, protocol, macBytes, ipBytes, l4Bytes, random.nextInt(), 0x1F, payload);

      List<byte[]> frames = cut(packet, context(macBytes, ipBytes, l4Bytes, mss, v4, protocol));

      int headerBytes = macBytes + ipBytes + l4Bytes;
      String label = "seed " + seed + " round " + round;
      assertThat(frames).as(label).hasSize(Math.floorDiv(payload.length + mss - 1, mss));
      assertThat(Arrays.equals(reassembled(frames, headerBytes), payload)).as(label).isTrue();
      if (v4) {
        assertThat(get16(frames.get(0), macBytes + 4)).as(label).isEqualTo(0x1234);
      }
      for (byte[] frame : frames) {
        int l4 = macBytes + ipBytes;
        assertThat(
                verifies(frame, macBytes, v4, protocol, l4, frame.length - l4)
                    && (!v4 || naiveSum(frame, macBytes, ipBytes) == 0xFFFF))
            .as(label)
            .isTrue();
      }
    }
  }

  @Test
  void shouldCutTheLargestPayload() {
    byte[] payload = OffloadFrames.random(new Random(4), SegmentationOffload.PAYLOAD_BYTES_MAX);
    byte[] packet = packet(true, TCP, 14, 20, 20, 0, 0x10, payload);

    List<byte[]> frames = cut(packet, context(14, 20, 20, 1460, true, TCP));

    assertThat(frames).hasSize(180); // 262143 / 1460 = 179.55
    assertThat(Arrays.equals(reassembled(frames, 54), payload)).isTrue();
    assertThat(get32(frames.get(179), 38)).isEqualTo(179 * 1460);
  }

  @ParameterizedTest
  @CsvSource({
    // MACLEN, IPLEN, L4LEN, MSS, IPv4, L4T, packet bytes, accepted
    "14, 20, 20, 1, true, 1, 55, true",
    "13, 20, 20, 1, true, 1, 55, false",
    "14, 19, 20, 1, true, 1, 60, false",
    "14, 39, 20, 1, false, 1, 80, false",
    "14, 40, 20, 1, false, 1, 80, true",
    "14, 20, 19, 1, true, 1, 60, false",
    "14, 20, 8, 1, true, 0, 60, true",
    "14, 20, 7, 1, true, 0, 60, false",
    "14, 20, 20, 0, true, 1, 60, false", // no MSS
    "14, 20, 20, 1, true, 1, 54, false", // no payload
    "14, 20, 20, 1, true, 1, 20, false",
    "14, 20, 20, 1, true, 2, 60, false", // SCTP
    "14, 20, 20, 1, true, 3, 60, false",
    "14, 242, 255, 1, true, 1, 600, true", // 511 bytes of headers
    "14, 243, 255, 1, true, 1, 600, false",
    "14, 20, 20, 1, true, 1, 262197, true", // 54 + 2^18 - 1
    "14, 20, 20, 1, true, 1, 262198, false",
  })
  void shouldRefuseAContextThatMakesNoSense(
      int macBytes,
      int ipBytes,
      int l4Bytes,
      int mss,
      boolean v4,
      int l4Type,
      int length,
      boolean accepted) {
    TransmitContext context = new TransmitContext();
    context.decode(
        macBytes << 9 | ipBytes, l4Type << 11 | (v4 ? 1 << 10 : 0), mss << 16 | l4Bytes << 8);

    assertThat(tso.begin(new byte[length], 0, length, context, true, true)).isEqualTo(accepted);

    assertThat(tso.hasNext()).isEqualTo(accepted);
    assertThat(tso.segmentCount() > 0).isEqualTo(accepted);
  }

  @Test
  void shouldThrowWhenNoSegmentIsLeft() {
    assertThat(tso.hasNext()).isFalse();
    assertThatIllegalStateException()
        .isThrownBy(() -> tso.next(new byte[64], 0))
        .withMessage("no segment left: payloadBytes=0");
  }

  /** Takes all frames at a nonzero offset from a packet at a nonzero offset. */
  private List<byte[]> cut(byte[] packet, TransmitContext context) {
    byte[] shifted = join(new byte[3], packet);
    byte[] out = new byte[7 + 2100];
    List<byte[]> frames = new ArrayList<>();
    assertThat(tso.begin(shifted, 3, packet.length, context, true, true)).isTrue();
    while (tso.hasNext()) {
      int bytes = tso.next(out, 7);
      frames.add(Arrays.copyOfRange(out, 7, 7 + bytes));
    }
    return frames;
  }

  private static byte[] reassembled(List<byte[]> frames, int headerBytes) {
    return join(
        frames.stream()
            .map(frame -> Arrays.copyOfRange(frame, headerBytes, frame.length))
            .toArray(byte[][]::new));
  }

  /** Returns a packet as a driver hands it over: pseudo-header sum with a length of zero. */
  private static byte[] packet(
      boolean v4,
      int protocol,
      int macBytes,
      int ipBytes,
      int l4Bytes,
      int sequence,
      int flags,
      byte[] payload) {
    byte[] mac = join(ethernet(v4 ? 0x0800 : 0x86DD), new byte[macBytes - 14]);
    byte[] ip =
        v4
            ? ipv4(V4_A, V4_B, protocol, 0, 0, ipBytes)
            : join(ipv6(V6_A, V6_B, protocol, 0), new byte[ipBytes - 40]);
    byte[] l4 = protocol == TCP ? tcp(1, 2, sequence, flags, l4Bytes) : udp(1, 2, 0);
    byte[] packet = join(mac, ip, l4, payload);
    int field = macBytes + ipBytes + (protocol == TCP ? 16 : 6);
    return with16(packet, field, naivePseudoSum(packet, macBytes, v4, protocol, 0));
  }

  private static TransmitContext context(
      int macBytes, int ipBytes, int l4Bytes, int mss, boolean v4, int protocol) {
    TransmitContext context = new TransmitContext();
    context.decode(
        macBytes << 9 | ipBytes,
        (protocol == TCP ? 1 << 11 : 0) | (v4 ? 1 << 10 : 0),
        mss << 16 | l4Bytes << 8);
    return context;
  }
}
