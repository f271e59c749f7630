package io.github.bellwire.device.nic;

import static io.github.bellwire.device.nic.OffloadFrames.SCTP;
import static io.github.bellwire.device.nic.OffloadFrames.TCP;
import static io.github.bellwire.device.nic.OffloadFrames.UDP;
import static io.github.bellwire.device.nic.OffloadFrames.address;
import static io.github.bellwire.device.nic.OffloadFrames.ethernet;
import static io.github.bellwire.device.nic.OffloadFrames.get16;
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

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TransmitChecksumTest {
  private static final byte[] V4_A = address("192.0.2.1");
  private static final byte[] V4_B = address("198.51.100.7");
  private static final byte[] V6_A = address("2001:db8::1");
  private static final byte[] V6_B = address("2001:db8::2");

  private final TransmitChecksum checksum = new TransmitChecksum();

  @Test
  void shouldDecodeEveryFieldOfAContext() {
    TransmitContext context = new TransmitContext();

    context.decode(0xFFFF << 16 | 0x7F << 9, 0, 0);
    assertThat(context.vlanTci()).isEqualTo(0xFFFF);
    assertThat(context.macBytes()).isEqualTo(0x7F);
    assertThat(context.ipBytes()).isZero();

    context.decode(0x1FF, 1 << 10, 0xFFFF << 16 | 0xFF << 8);
    assertThat(context.vlanTci()).isZero();
    assertThat(context.macBytes()).isZero();
    assertThat(context.ipBytes()).isEqualTo(0x1FF);
    assertThat(context.isIpv4()).isTrue();
    assertThat(context.l4Type()).isZero();
    assertThat(context.mssBytes()).isEqualTo(0xFFFF);
    assertThat(context.l4Bytes()).isEqualTo(0xFF);
    assertThat(context.index()).isZero();
    assertThat(context.headerBytes()).isEqualTo(0x1FF + 0xFF);

    context.decode(0, 3 << 11, 7 << 4);
    assertThat(context.isIpv4()).isFalse();
    assertThat(context.l4Type()).isEqualTo(3);
    assertThat(context.index()).isEqualTo(7);
    assertThat(context.mssBytes()).isZero();
    assertThat(context.l4Bytes()).isZero();

    context.decode(0, 0, 0xFF << 8);
    assertThat(context.l4Bytes()).isEqualTo(0xFF);
    assertThat(context.mssBytes()).isZero();
  }

  @Test
  void shouldCompleteThePseudoHeaderSumOfTheDriver() {
    long seed = 17;
    Random random = new Random(seed);

    for (int round = 0; round < 2_000; round++) {
      boolean v4 = random.nextBoolean();
      int protocol = random.nextBoolean() ? TCP : UDP;
      int macBytes = random.nextBoolean() ? 14 : 18;
      int ipBytes = v4 ? 20 + 4 * random.nextInt(11) : 40;
      byte[] frame = unfinished(random, v4, protocol, macBytes, ipBytes);
      int l4 = macBytes + ipBytes;
      byte[] shifted = join(new byte[5], frame);

      boolean inserted =
          checksum.insert(
              shifted, 5, frame.length, context(macBytes, ipBytes, v4, protocol), v4, true);

      assertThat(inserted).isTrue();
      assertThat(
              verifies(shifted, 5 + macBytes, v4, protocol, 5 + l4, frame.length - l4)
                  && (!v4 || naiveSum(shifted, 5 + macBytes, ipBytes) == 0xFFFF))
          .as("seed %d round %d", seed, round)
          .isTrue();
    }
  }

  @Test
  void shouldSendAZeroUdpChecksumAsAllOnes() {
    byte[] frame = join(ethernet(0x0800), ipv4(V4_A, V4_B, UDP, 10), udp(1, 2, 2), new byte[2]);
    // Choose the payload word so that everything sums to FFFF: the checksum comes to zero.
    with16(frame, 40, naivePseudoSum(frame, 14, true, UDP, 10));
    with16(frame, 42, 0xFFFF - naiveSum(frame, 34, 10));
    byte[] asTcp = join(frame, new byte[8]);

    checksum.insert(frame, 0, frame.length, context(14, 20, true, UDP), false, true);

    assertThat(get16(frame, 40)).isEqualTo(0xFFFF);
    assertThat(verifies(frame, 14, true, UDP, 34, 10)).isTrue();

    // TCP keeps the zero: 18 bytes from 34 whose sum, field at 50 included, is FFFF.
    with16(asTcp, 50, 0);
    assertThat(naiveSum(asTcp, 34, 18)).isEqualTo(0xFFFF);
    checksum.insert(asTcp, 0, asTcp.length, context(14, 20, true, TCP), false, true);
    assertThat(get16(asTcp, 50)).isZero();
  }

  @Test
  void shouldInsertTheCrcOfSctp() {
    byte[] frame =
        join(ethernet(0x0800), ipv4(V4_A, V4_B, SCTP, 18), OffloadFrames.sctp(1, 2), new byte[6]);
    frame[50] = 5;
    int crc = OffloadFrames.naiveCrc32c(frame, 34, 18);
    with16(frame, 42, 0xBEEF); // What the driver left there does not matter.

    assertThat(checksum.insert(frame, 0, frame.length, context(14, 20, true, SCTP), false, true))
        .isTrue();

    assertThat(OffloadFrames.get32(frame, 42)).isEqualTo(Integer.reverseBytes(crc));
  }

  @Test
  void shouldInsertOnlyWhatIsAskedFor() {
    byte[] frame = unfinished(new Random(1), true, TCP, 14, 20);
    byte[] before = frame.clone();

    assertThat(checksum.insert(frame, 0, frame.length, context(14, 20, true, TCP), false, false))
        .isTrue();
    assertThat(frame).isEqualTo(before);

    checksum.insert(frame, 0, frame.length, context(14, 20, true, TCP), true, false);
    assertThat(get16(frame, 50)).isEqualTo(get16(before, 50));
    assertThat(naiveSum(frame, 14, 20)).isEqualTo(0xFFFF);
  }

  @Test
  void shouldIgnoreTheIpRequestOfAContextThatIsNotIpv4() {
    byte[] frame = unfinished(new Random(1), false, TCP, 14, 40);
    byte[] before = frame.clone();

    assertThat(checksum.insert(frame, 0, frame.length, context(14, 40, false, TCP), true, false))
        .isTrue();

    assertThat(frame).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource({
    // MACLEN, IPLEN, protocol, IXSM, TXSM, frame bytes, accepted
    "14, 20, 6, true, false, 34, true",
    "14, 20, 6, true, false, 33, false",
    "14, 19, 6, true, false, 60, false",
    "14, 20, 6, false, true, 52, true", // 34 + 16 + 2
    "14, 20, 6, false, true, 51, false",
    "14, 20, 17, false, true, 42, true",
    "14, 20, 17, false, true, 41, false",
    "14, 20, 132, false, true, 46, true",
    "14, 20, 132, false, true, 45, false",
    "14, 20, 0, false, true, 60, false", // L4T 3 is reserved
    "127, 511, 6, false, true, 60, false",
  })
  void shouldRefuseHeadersThatDoNotFit(
      int macBytes,
      int ipBytes,
      int protocol,
      boolean ip,
      boolean l4,
      int length,
      boolean accepted) {
    byte[] frame = OffloadFrames.random(new Random(2), 700);
    byte[] before = frame.clone();

    assertThat(
            checksum.insert(frame, 0, length, context(macBytes, ipBytes, true, protocol), ip, l4))
        .isEqualTo(accepted);

    if (!accepted) {
      assertThat(frame).isEqualTo(before);
    }
  }

  @Test
  void shouldInsertALegacyChecksum() {
    byte[] frame =
        join(ethernet(0x0800), ipv4(V4_A, V4_B, TCP, 23), tcp(1, 2, 3, 0x10, 20), new byte[3]);
    frame[56] = 77;
    with16(frame, 50, naivePseudoSum(frame, 14, true, TCP, 23));

    assertThat(checksum.insertLegacy(frame, 0, frame.length, 34, 50)).isTrue();

    assertThat(verifies(frame, 14, true, TCP, 34, 23)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"60, 10, false", "59, 10, true", "0, 58, true", "0, 59, false"})
  void shouldRefuseALegacyChecksumOutsideTheFrame(int css, int cso, boolean accepted) {
    byte[] frame = OffloadFrames.random(new Random(2), 100);
    byte[] before = frame.clone();

    assertThat(checksum.insertLegacy(frame, 0, 60, css, cso)).isEqualTo(accepted);

    assertThat(Arrays.equals(frame, before)).isEqualTo(!accepted);
  }

  /** Returns a frame as a driver hands it over: pseudo-header sum in place, IP checksum garbage. */
  private static byte[] unfinished(
      Random random, boolean v4, int protocol, int macBytes, int ipBytes) {
    byte[] payload = OffloadFrames.random(random, random.nextInt(300));
    byte[] header =
        protocol == TCP ? tcp(1000, 2000, 3, 0x18, 20) : udp(1000, 2000, payload.length);
    int l4Bytes = header.length + payload.length;
    byte[] ip =
        v4 ? ipv4(V4_A, V4_B, protocol, l4Bytes, 0, ipBytes) : ipv6(V6_A, V6_B, protocol, l4Bytes);
    byte[] frame = join(new byte[macBytes], ip, header, payload);
    if (v4) {
      with16(frame, macBytes + 10, random.nextInt());
    }
    int pseudo = naivePseudoSum(frame, macBytes, v4, protocol, l4Bytes);
    return with16(frame, macBytes + ipBytes + (protocol == TCP ? 16 : 6), pseudo);
  }

  private static TransmitContext context(int macBytes, int ipBytes, boolean v4, int protocol) {
    int l4Type = protocol == UDP ? 0 : protocol == TCP ? 1 : protocol == SCTP ? 2 : 3;
    TransmitContext context = new TransmitContext();
    context.decode(macBytes << 9 | ipBytes, l4Type << 11 | (v4 ? 1 << 10 : 0), 0);
    return context;
  }
}
