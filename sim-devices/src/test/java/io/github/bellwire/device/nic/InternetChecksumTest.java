package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class InternetChecksumTest {
  @Test
  void shouldSumTheExampleOfRfc1071() {
    byte[] data = {
      0x00, 0x01, (byte) 0xF2, 0x03, (byte) 0xF4, (byte) 0xF5, (byte) 0xF6, (byte) 0xF7
    };

    // Section 3: 0001 + f203 + f4f5 + f6f7 = 2ddf0, folded ddf2.
    assertThat(folded(data, 0, 8)).isEqualTo(0xDDF2);
    assertThat(InternetChecksum.checksum(0xDDF2)).isEqualTo(0x220D);
  }

  @Test
  void shouldCountAnOddLastByteAsTheHighHalf() {
    byte[] data = {0x12, 0x34, 0x56, 0x78};

    // 1234 + 5600 = 6834.
    assertThat(folded(data, 0, 3)).isEqualTo(0x6834);
    assertThat(folded(data, 0, 0)).isZero();
  }

  @Test
  void shouldAgreeWithTheNaiveSumAtAnyOffsetAndLength() {
    long seed = 7;
    Random random = new Random(seed);

    for (int i = 0; i < 20_000; i++) {
      byte[] data = OffloadFrames.random(random, 200);
      int offset = random.nextInt(100);
      int bytes = random.nextInt(101);

      assertThat(folded(data, offset, bytes))
          .as("seed %d round %d", seed, i)
          .isEqualTo(OffloadFrames.naiveSum(data, offset, bytes));
    }
  }

  @Test
  void shouldNotOverflowOnTheLargestSum() {
    byte[] ones = new byte[1 << 18];
    Arrays.fill(ones, (byte) 0xFF);

    assertThat(folded(ones, 0, ones.length)).isEqualTo(0xFFFF);
    assertThat(InternetChecksum.fold(Long.MAX_VALUE)).isEqualTo(0x7FFF);
    // 7fffffff + 80010000 = 1_0000ffff, carried 10000, carried 1.
    assertThat(InternetChecksum.fold(0x7FFF_FFFF_8001_0000L)).isEqualTo(1);
  }

  @Test
  void shouldSumPseudoHeaders() {
    byte[] v4 =
        OffloadFrames.ipv4(
            OffloadFrames.address("192.0.2.1"), OffloadFrames.address("198.51.100.7"), 6, 100);
    byte[] v6 =
        OffloadFrames.ipv6(
            OffloadFrames.address("2001:db8::1"), OffloadFrames.address("fe80::abcd"), 17, 70_000);

    // c000 + 0201 + c633 + 6407 + 6 + 64 = 1eca5 -> eca6.
    assertThat(InternetChecksum.pseudoHeaderIpv4(v4, 0, 6, 100))
        .isEqualTo(0xC000_0201L + 0xC633_6407L + 6 + 100);
    assertThat(InternetChecksum.fold(InternetChecksum.pseudoHeaderIpv4(v4, 0, 6, 100)))
        .isEqualTo(0xECA6);
    assertThat(InternetChecksum.fold(InternetChecksum.pseudoHeaderIpv6(v6, 0, 17, 70_000)))
        .isEqualTo(OffloadFrames.naivePseudoSum(v6, 0, false, 17, 70_000));
  }

  private static int folded(byte[] data, int offset, int bytes) {
    return InternetChecksum.fold(InternetChecksum.sum(data, offset, bytes));
  }
}
