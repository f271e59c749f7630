package io.github.bellwire.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CoreConfigTest {
  @Test
  void shouldChangeTheClock() {
    assertThat(CoreConfig.SERVER.withFrequencyHz(2_400_000_000L))
        .isEqualTo(
            new CoreConfig(2_400_000_000L, 40_000, 1_000_000, 12, 84, DeviceAccessConfig.SERVER));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "99999999|1|0|1|0|frequencyHz must be 100000000..10000000000: frequencyHz=99999999",
        "10000000001|1|0|1|0|frequencyHz must be 100000000..10000000000: frequencyHz=10000000001",
        "100000000|0|0|1|0|mmioWritePs must be 1..10000000: mmioWritePs=0",
        "100000000|10000001|0|1|0|mmioWritePs must be 1..10000000: mmioWritePs=10000001",
        "100000000|1|-1|1|0|interruptPs must be 0..100000000: interruptPs=-1",
        "100000000|1|100000001|1|0|interruptPs must be 0..100000000: interruptPs=100000001",
        "100000000|1|0|0|0|linesOutstanding must be 1..64: linesOutstanding=0",
        "100000000|1|0|65|0|linesOutstanding must be 1..64: linesOutstanding=65",
        "100000000|1|0|1|-1|lookAheadCycles must be 0..10000: lookAheadCycles=-1",
        "100000000|1|0|1|10001|lookAheadCycles must be 0..10000: lookAheadCycles=10001"
      })
  void shouldRejectAnIllegalConfiguration(
      long frequencyHz, long mmioWritePs, long interruptPs, int lines, int ahead, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new CoreConfig(
                    frequencyHz, mmioWritePs, interruptPs, lines, ahead, DeviceAccessConfig.SERVER))
        .withMessage(message);
  }
}
