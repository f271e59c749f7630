package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TlpHeaderTest {
  private static final int REQUESTER = 0x0100;

  @Test
  void shouldEncodeAWriteAsTheSpecificationDraws() {
    long header01 = TlpHeader.request01(true, 0x1_2345_6780L, 256, 0, REQUESTER, 0x2A);
    long header23 = TlpHeader.request23(0x1_2345_6780L);

    // Fmt 011b (4 DW with data), Type 0, Length 64; requester, tag, last and first BE.
    assertThat(header01).isEqualTo(0x6000_0040_0100_2AFFL);
    assertThat(header23).isEqualTo(0x1_2345_6780L);
  }

  @Test
  void shouldEncodeAReadOf1024DoubleWordsAsZero() {
    long header01 = TlpHeader.request01(false, 0x1000, 4096, 0, REQUESTER, 0);

    // Fmt 000b: 3 DW without data.
    assertThat(header01).isEqualTo(0x0000_0000_0100_00FFL);
    assertThat(TlpHeader.request23(0x1000)).isEqualTo(0x0000_1000_0000_0000L);
    assertThat(TlpHeader.lengthWords(header01)).isEqualTo(1024);
  }

  @Test
  void shouldEncodeACompletionAsTheSpecificationDraws() {
    long header01 =
        TlpHeader.completion01(
            0x1_0000_10C4L, 60, 4096, TlpHeader.STATUS_SUCCESSFUL, 0, 0x0008, 0x2A);
    long header23 = TlpHeader.completion23(0x1_0000_10C4L, REQUESTER, 0x2A);

    // Fmt 010b, Type 01010b, Length 15; completer, status, Byte Count 4096 as 0.
    assertThat(header01).isEqualTo(0x4A00_000F_0008_0000L);
    // Requester, tag, Lower Address 44h.
    assertThat(header23).isEqualTo(0x0100_2A44_0000_0000L);
  }

  @Test
  void shouldEncodeAnUnsupportedRequestWithoutData() {
    long header01 =
        TlpHeader.completion01(0x1000, 0, 64, TlpHeader.STATUS_UNSUPPORTED_REQUEST, 0, 0x0008, 0);

    assertThat(header01).isEqualTo(0x0A00_0000_0008_2040L);
    assertThat(TlpHeader.hasData(header01)).isFalse();
    assertThat(TlpHeader.completionStatus(header01)).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    // address, length, DWs, first BE, last BE.
    "0x1000, 4, 1, 0xF, 0",
    "0x1001, 1, 1, 0x2, 0",
    "0x1001, 2, 1, 0x6, 0",
    "0x1003, 1, 1, 0x8, 0",
    "0x1003, 2, 2, 0x8, 0x1",
    "0x1002, 8, 3, 0xC, 0x3",
    "0x1000, 63, 16, 0xF, 0x7",
    "0x1001, 64, 17, 0xE, 0x1",
    "0x1002, 0, 1, 0, 0"
  })
  void shouldEnableExactlyTheBytes(
      String address, int lengthBytes, int words, String first, String last) {
    long header01 = TlpHeader.request01(true, Long.decode(address), lengthBytes, 0, REQUESTER, 0);

    assertThat(TlpHeader.lengthWords(header01)).isEqualTo(words);
    assertThat(TlpHeader.firstByteEnables(header01)).isEqualTo(Integer.decode(first));
    assertThat(TlpHeader.lastByteEnables(header01)).isEqualTo(Integer.decode(last));
  }

  @Test
  void shouldEnableAsManyBytesAsARangeHas() {
    for (int start = 0; start < 8; start++) {
      for (int lengthBytes = 0; lengthBytes <= 300; lengthBytes++) {
        long header01 = TlpHeader.request01(true, start, lengthBytes, 0, REQUESTER, 0);
        int first = TlpHeader.firstByteEnables(header01);
        int last = TlpHeader.lastByteEnables(header01);
        int words = TlpHeader.lengthWords(header01);
        int between = words > 2 ? (words - 2) * 4 : 0;

        assertThat(Integer.bitCount(first) + Integer.bitCount(last) + between)
            .as("start=%d, length=%d", start, lengthBytes)
            .isEqualTo(lengthBytes);
        if (lengthBytes > 0) {
          assertThat(Integer.numberOfTrailingZeros(first)).isEqualTo(start & 3);
        }
      }
    }
  }

  @Test
  void shouldReturnWhatItWasGiven() {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 20_000; i++) {
      long address = random.nextLong() >>> random.nextInt(64);
      int lengthBytes = 1 + random.nextInt(4096 - (int) (address & 3));
      int attributes = random.nextInt(8);
      int id = random.nextInt(1 << 16);
      int tag = random.nextInt(1024);

      long request = TlpHeader.request01(i % 2 == 0, address, lengthBytes, attributes, id, tag);
      assertThat(TlpHeader.isMemoryWrite(request)).isEqualTo(i % 2 == 0);
      assertThat(TlpHeader.isMemoryRead(request)).isEqualTo(i % 2 == 1);
      assertThat(TlpHeader.isCompletion(request)).isFalse();
      assertThat(TlpHeader.attributes(request)).isEqualTo(attributes);
      assertThat(TlpHeader.senderId(request)).isEqualTo(id);
      assertThat(TlpHeader.requestTag(request)).isEqualTo(tag);
      assertThat(TlpHeader.requestAddress(request, TlpHeader.request23(address)))
          .isEqualTo(address & ~3L);

      int requester = random.nextInt(1 << 16);
      long completion =
          TlpHeader.completion01(address, lengthBytes, lengthBytes, 0, attributes, id, tag);
      long completion23 = TlpHeader.completion23(address, requester, tag);
      assertThat(TlpHeader.isCompletion(completion)).isTrue();
      assertThat(TlpHeader.isMemoryWrite(completion)).isFalse();
      assertThat(TlpHeader.isMemoryRead(completion)).isFalse();
      assertThat(TlpHeader.attributes(completion)).isEqualTo(attributes);
      assertThat(TlpHeader.senderId(completion)).isEqualTo(id);
      assertThat(TlpHeader.byteCount(completion)).isEqualTo(lengthBytes);
      assertThat(TlpHeader.lowerAddress(completion23)).isEqualTo((int) address & 0x7F);
      assertThat(TlpHeader.completionRequesterId(completion23)).isEqualTo(requester);
      assertThat(TlpHeader.completionTag(completion, completion23)).isEqualTo(tag);
    }
  }

  @Test
  void shouldMarkDigestAndPoison() {
    long header01 = TlpHeader.request01(true, 0x1000, 4, 0, REQUESTER, 0);

    assertThat(TlpHeader.hasDigest(header01)).isFalse();
    assertThat(TlpHeader.isPoisoned(header01)).isFalse();
    assertThat(TlpHeader.withDigest(header01)).isEqualTo(header01 | 0x0000_8000_0000_0000L);
    assertThat(TlpHeader.withPoison(header01)).isEqualTo(header01 | 0x0000_4000_0000_0000L);
    assertThat(TlpHeader.hasDigest(TlpHeader.withDigest(header01))).isTrue();
    assertThat(TlpHeader.isPoisoned(TlpHeader.withPoison(header01))).isTrue();
  }
}
