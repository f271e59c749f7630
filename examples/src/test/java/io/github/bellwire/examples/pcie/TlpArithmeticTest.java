package io.github.bellwire.examples.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TlpArithmeticTest {
  private static final long BASE = 1L << 32;

  private final TlpArithmetic arithmetic = new TlpArithmetic(256, 512, 64);

  @ParameterizedTest
  @CsvSource({
    // offset, size, TLPs, bytes: 24 per TLP and whole double words.
    "0, 64, 1, 88",
    "0, 63, 1, 88",
    "1, 64, 1, 92",
    "0, 257, 2, 308",
    "192, 128, 2, 176",
    "4000, 200, 2, 248"
  })
  void shouldCutWritesAtMultiplesOfMps(int offset, int size, int tlps, int bytes) {
    arithmetic.addWrite(BASE + offset, size);

    assertThat(arithmetic.writesCount()).isEqualTo(tlps);
    assertThat(arithmetic.upBytes()).isEqualTo(bytes);
    assertThat(arithmetic.downBytes()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    // offset, size, requests, completions, bytes down: 20 per completion and whole double words.
    "0, 64, 1, 1, 84",
    "1, 64, 1, 1, 88",
    "0, 257, 1, 2, 300",
    // Bytes 1 to 256, then the last one.
    "1, 256, 1, 2, 300",
    "0, 513, 2, 3, 576",
    // 511 bytes fill 128 double words; three bytes are left.
    "1, 514, 2, 3, 576",
    // 96 bytes up to 4 KiB, then 504.
    "4000, 600, 2, 3, 660"
  })
  void shouldCutReadsAtMrrsAndPagesAndCompletionsAtRcb(
      int offset, int size, int requests, int completions, int downBytes) {
    arithmetic.addRead(BASE + offset, size);

    assertThat(arithmetic.requestsCount()).isEqualTo(requests);
    assertThat(arithmetic.completionsCount()).isEqualTo(completions);
    assertThat(arithmetic.upBytes()).isEqualTo(24L * requests);
    assertThat(arithmetic.downBytes()).isEqualTo(downBytes);
  }

  @Test
  void shouldUseTheShortHeaderBelowFourGib() {
    arithmetic.addWrite(64, 64);
    arithmetic.addRead(64, 64);

    assertThat(arithmetic.upBytes()).isEqualTo(20 + 64 + 20);
  }
}
