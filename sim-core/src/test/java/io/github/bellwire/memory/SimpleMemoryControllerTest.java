package io.github.bellwire.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SimpleMemoryControllerTest {
  private final SimpleMemoryController dram =
      new SimpleMemoryController(new SimpleMemoryControllerConfig(50_000, 20_000, 313));

  @Test
  void shouldTakeTheLatencyBehindTheTurn() {
    assertThat(dram.read(0, 64, 1_000)).isEqualTo(1_000 + 313 + 50_000);
    assertThat(dram.write(0, 64, 100_000)).isEqualTo(100_000 + 313 + 20_000);
  }

  @Test
  void shouldLetAccessesOccupyThePipeOneAfterTheOther() {
    dram.read(0, 64, 1_000);

    assertThat(dram.write(0, 64, 1_000)).isEqualTo(1_000 + 2 * 313 + 20_000);
    assertThat(dram.read(0, 64, 1_500)).isEqualTo(1_000 + 3 * 313 + 50_000);
    // 1_939: just free again.
    assertThat(dram.read(0, 64, 1_939)).isEqualTo(1_939 + 313 + 50_000);
  }

  @Test
  void shouldServeInTheOrderOfArrivalAndTellWhoIsDelayed() {
    long from = dram.askedTotal();
    dram.read(0, 64, 2_000);
    long to = dram.askedTotal();
    assertThat(dram.changesTotal()).isZero();

    assertThat(dram.read(64, 64, 1_900)).isEqualTo(1_900 + 313 + 50_000);

    // It waits until 2_213.
    assertThat(dram.delayPs(from, to, 0)).isEqualTo(213);
    assertThat(dram.changesTotal()).isEqualTo(1);
    assertThat(dram.delayPs(-1, 0, 0)).isEqualTo(MemoryController.FORGOTTEN);
  }

  @ParameterizedTest
  @CsvSource({"0, 64, 1", "0, 65, 2", "63, 1, 1", "63, 2, 2", "1, 128, 3", "64, 4096, 64"})
  void shouldTransferTheLinesThatAnAccessTouches(long pa, int lengthBytes, int lines) {
    assertThat(dram.read(pa, lengthBytes, 0)).isEqualTo(lines * 313 + 50_000);
    dram.write(pa, lengthBytes, 0);

    assertThat(dram.readLinesTotal()).isEqualTo(lines);
    assertThat(dram.writeLinesTotal()).isEqualTo(lines);
  }

  @Test
  void shouldNotLimitAnIdealHost() {
    SimpleMemoryController ideal = new SimpleMemoryController(SimpleMemoryControllerConfig.IDEAL);

    // A device has computed ahead; a core that comes earlier does not wait for it.
    assertThat(ideal.read(0, 4096, 9_000_000)).isEqualTo(9_000_000);
    assertThat(ideal.read(0, 64, 1_000)).isEqualTo(1_000);
    assertThat(ideal.write(0, 64, 500)).isEqualTo(500);
  }

  @ParameterizedTest
  @CsvSource({
    "-1, 0, 0, readLatencyPs must be 0..1000000000: readLatencyPs=-1",
    "1000000001, 0, 0, readLatencyPs must be 0..1000000000: readLatencyPs=1000000001",
    "0, -1, 0, writeLatencyPs must be 0..1000000000: writeLatencyPs=-1",
    "0, 0, -1, psPerLine must be 0..1000000: psPerLine=-1",
    "0, 0, 1000001, psPerLine must be 0..1000000: psPerLine=1000001"
  })
  void shouldRejectAnIllegalConfiguration(
      long readLatencyPs, long writeLatencyPs, long psPerLine, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new SimpleMemoryControllerConfig(readLatencyPs, writeLatencyPs, psPerLine))
        .withMessage(message);
  }
}
