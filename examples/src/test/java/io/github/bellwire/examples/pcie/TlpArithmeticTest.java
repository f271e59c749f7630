package io.github.bellwire.examples.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.pcie.CompletionCut;
import io.github.bellwire.pcie.PcieLinkConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TlpArithmeticTest {
  private static final long BASE = 1L << 32;

  private final TlpArithmetic arithmetic = new TlpArithmetic(PcieLinkConfig.GEN3_X8);

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
    assertThat(arithmetic.downBytes(0)).isZero();
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
    assertThat(arithmetic.fewestCompletionsCount()).isEqualTo(completions);
    assertThat(arithmetic.mostCompletionsCount()).isEqualTo(completions);
    assertThat(arithmetic.upBytes()).isEqualTo(24L * requests);
    assertThat(arithmetic.downBytes(completions)).isEqualTo(downBytes);
  }

  @ParameterizedTest
  @CsvSource({
    // offset, size, requests, completions, bytes down.
    "0, 512, 1, 2, 552",
    "320, 257, 2, 2, 300",
    "448, 576, 2, 3, 636",
    "4095, 2, 2, 2, 48"
  })
  void shouldCutReadsAtMultiplesOfMrrsWhereTheRequesterDoes(
      int offset, int size, int requests, int completions, int downBytes) {
    arithmetic.addReadCutAtMultiples(BASE + offset, size);

    assertThat(arithmetic.requestsCount()).isEqualTo(requests);
    assertThat(arithmetic.fewestCompletionsCount()).isEqualTo(completions);
    assertThat(arithmetic.downBytes(completions)).isEqualTo(downBytes);
  }

  @Test
  void shouldUseTheShortHeaderBelowFourGib() {
    arithmetic.addWrite(64, 64);
    arithmetic.addRead(64, 64);

    assertThat(arithmetic.upBytes()).isEqualTo(20 + 64 + 20);
  }

  @Test
  void shouldCountADigestOnEveryTlp() {
    TlpArithmetic checked = new TlpArithmetic(PcieLinkConfig.GEN3_X8.withEcrc(true));

    checked.addWrite(BASE, 512);
    checked.addRead(BASE, 512);

    assertThat(checked.upBytes()).isEqualTo(2 * 284 + 28);
    assertThat(checked.downBytes(2)).isEqualTo(2 * 280);
  }

  @Test
  void shouldCountNoFramingButByteEnablesInFlits() {
    TlpArithmetic flits = new TlpArithmetic(PcieLinkConfig.GEN6_X16);

    flits.addWrite(BASE, 64);
    flits.addWrite(BASE + 1, 64);
    flits.addRead(BASE, 64);
    flits.addRead(BASE + 2, 64);

    // 16 + 64, 16 + 4 + 68, 16, 16 + 4; 12 + 64, 12 + 4 + 68.
    assertThat(flits.upBytes()).isEqualTo(80 + 88 + 16 + 20);
    assertThat(flits.downBytes(2)).isEqualTo(76 + 84);
  }

  @Test
  void shouldBoundCompletionsCutAtRandom() {
    PcieLinkConfig slot = PcieLinkConfig.GEN3_X8;
    TlpArithmetic every = new TlpArithmetic(slot.withCompletionCut(CompletionCut.EVERY_RCB));
    TlpArithmetic random = new TlpArithmetic(slot.withCompletionCut(CompletionCut.RANDOM));

    every.addRead(BASE + 0x20, 256);
    random.addRead(BASE + 0x20, 256);

    assertThat(every.fewestCompletionsCount()).isEqualTo(5);
    assertThat(every.mostCompletionsCount()).isEqualTo(5);
    assertThat(random.fewestCompletionsCount()).isEqualTo(1);
    assertThat(random.mostCompletionsCount()).isEqualTo(5);
  }
}
