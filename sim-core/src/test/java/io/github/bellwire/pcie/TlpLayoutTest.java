package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TlpLayoutTest {
  private static final int RCB_64 = 64;

  @Test
  void shouldAgreeWithTheSizesOfTheSpecification() {
    // STP token 4 + LCRC 4; 3 and 4 double words; a completion has 3 always.
    assertThat(TlpLayout.FRAMING_BYTES).isEqualTo(8);
    assertThat(TlpLayout.HEADER_3DW_BYTES).isEqualTo(12);
    assertThat(TlpLayout.HEADER_4DW_BYTES).isEqualTo(16);
    assertThat(TlpLayout.COMPLETION_BYTES).isEqualTo(20);
    assertThat(TlpLayout.REQUEST_BOUNDARY_BYTES).isEqualTo(4096);
  }

  @Test
  void shouldUseTheLongHeaderFrom4GiBOn() {
    assertThat(TlpLayout.requestBytes(0)).isEqualTo(20);
    assertThat(TlpLayout.requestBytes(0xFFFF_FFFFL)).isEqualTo(20);
    assertThat(TlpLayout.requestBytes(0x1_0000_0000L)).isEqualTo(24);
    assertThat(TlpLayout.requestBytes(-1)).isEqualTo(24);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1, 4",
    "3, 1, 4",
    "3, 2, 8",
    "2, 4, 8",
    "0, 63, 64",
    "0, 64, 64",
    "1, 64, 68",
    "3, 62, 68",
    "1, 1, 4",
    "-1, 1, 4",
    "1, 4095, 4096"
  })
  void shouldCarryEveryDoubleWordThatARangeTouches(long address, int lengthBytes, int dataBytes) {
    assertThat(TlpLayout.dataBytes(address, lengthBytes)).isEqualTo(dataBytes);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 64, 256, 64",
    "0, 256, 256, 256",
    "0, 257, 256, 256",
    // A start inside a double word costs one: 255 B are 64 double words from the one at 0 on.
    "1, 256, 256, 255",
    "3, 4096, 128, 125",
    // 4 KiB: 16 B up to 0x1000, 3 B up to 0x1000.
    "0xFF0, 64, 256, 16",
    "0xFFD, 300, 256, 3",
    "0xFFF, 2, 128, 1",
    // Up to the top of the address space.
    "-16, 64, 256, 16"
  })
  void shouldCutRequests(String address, int lengthBytes, int limitBytes, int pieceBytes) {
    assertThat(TlpLayout.requestPieceBytes(Long.decode(address), lengthBytes, limitBytes))
        .isEqualTo(pieceBytes);
  }

  @Test
  void shouldCutEveryRequestIntoAsFewLegalPiecesAsPossible() {
    for (int limitBytes : new int[] {128, 256, 512}) {
      for (int start = 4096 - 520; start < 4096 + 8; start++) {
        for (int lengthBytes = 1; lengthBytes <= 1100; lengthBytes += 1 + lengthBytes / 97) {
          assertRequestsAreLegal(start, lengthBytes, limitBytes);
        }
      }
    }
  }

  private static void assertRequestsAreLegal(long start, int lengthBytes, int limitBytes) {
    long address = start;
    long end = start + lengthBytes;
    while (address < end) {
      int piece = TlpLayout.requestPieceBytes(address, (int) (end - address), limitBytes);
      long next = address + piece;
      boolean isLegal =
          piece >= 1
              && next <= end
              && address >>> 12 == next - 1 >>> 12
              && ceil4(next) - floor4(address) <= limitBytes;
      // No byte more would have been legal.
      boolean isLongest =
          next == end || next % 4096 == 0 || ceil4(next + 1) - floor4(address) > limitBytes;
      if (!isLegal || !isLongest) {
        assertThat(piece)
            .as("start=%d, length=%d, limit=%d, at=%d", start, lengthBytes, limitBytes, address)
            .isNegative();
      }
      address = next;
    }
  }

  // Completions (section 2.3.1.1).

  @ParameterizedTest
  @CsvSource({
    "0x20, 256, 256, 64, 256",
    // 65 double words: up to 0x121 & ~63.
    "0x21, 256, 256, 64, 223",
    "0x20, 256, 128, 64, 96",
    "0x80, 160, 128, 64, 128",
    "0x100, 32, 128, 64, 32",
    "0x20, 512, 256, 128, 224",
    "0x7F, 512, 128, 128, 1",
    "0, 4096, 4096, 64, 4096"
  })
  void shouldCutCompletions(
      String address, int lengthBytes, int mpsBytes, int rcbBytes, int pieceBytes) {
    assertThat(
            TlpLayout.completionPieceBytes(Long.decode(address), lengthBytes, mpsBytes, rcbBytes))
        .isEqualTo(pieceBytes);
  }

  @Test
  void shouldCutEveryShortReadLegally() {
    for (int mpsBytes : new int[] {128, 256}) {
      for (int rcbBytes : new int[] {64, 128}) {
        for (int start = 0; start < 160; start++) {
          for (int lengthBytes = 1; lengthBytes <= 600; lengthBytes++) {
            assertCompletionsAreLegal(start, lengthBytes, mpsBytes, rcbBytes, 0);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void shouldCutReadsOfAnySizeLegally(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 200_000; i++) {
      int mpsBytes = 128 << random.nextInt(6);
      int rcbBytes = 64 << random.nextInt(2);
      long start = random.nextLong();
      int longest = 4096 - (int) (start & 4095);
      assertCompletionsAreLegal(start, 1 + random.nextInt(longest), mpsBytes, rcbBytes, seed);
    }
  }

  @Test
  void shouldCutOnlyWhereTheLawAllows() {
    // 16 legal answers of RCB 64, 0x20 + 256: interior cuts among 0x40, 0x80, 0xC0, 0x100.
    for (int mpsBytes = 128; mpsBytes <= 256; mpsBytes *= 2) {
      assertCompletionsAreLegal(0x20, 256, mpsBytes, RCB_64, 0);
    }
  }

  private static void assertCompletionsAreLegal(
      long start, int lengthBytes, int mpsBytes, int rcbBytes, long seed) {
    long address = start;
    int left = lengthBytes;
    while (left > 0) {
      int piece = TlpLayout.completionPieceBytes(address, left, mpsBytes, rcbBytes);
      long next = address + piece;
      boolean isLegal =
          piece >= 1
              && piece <= left
              && ceil4(next) - floor4(address) <= mpsBytes
              && (piece == left || next % rcbBytes == 0);
      // Neither the rest nor one more RCB would have fitted.
      boolean isLongest = piece == left || next + rcbBytes - floor4(address) > mpsBytes;
      if (!isLegal || !isLongest) {
        assertThat(piece)
            .as(
                "seed=%d, start=0x%x, length=%d, mps=%d, rcb=%d, at=0x%x",
                seed, start, lengthBytes, mpsBytes, rcbBytes, address)
            .isNegative();
      }
      address = next;
      left -= piece;
    }
  }

  private static long floor4(long address) {
    return address & ~3;
  }

  private static long ceil4(long address) {
    return address + 3 & ~3;
  }
}
