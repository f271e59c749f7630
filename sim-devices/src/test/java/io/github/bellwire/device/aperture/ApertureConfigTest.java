package io.github.bellwire.device.aperture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ApertureConfigTest {
  @Test
  void shouldChangeTheLatencyOfReads() {
    assertThat(new ApertureConfig(1 << 16, 1, 2, 3).withReadLatencyPs(9))
        .isEqualTo(new ApertureConfig(1 << 16, 9, 2, 3));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "32768|0|0|0|apertureBytes must be a power of two, 64 KiB..64 GiB: apertureBytes=32768",
        "65537|0|0|0|apertureBytes must be a power of two, 64 KiB..64 GiB: apertureBytes=65537",
        "65536|-1|0|0|readLatencyPs must be 0..100000000: readLatencyPs=-1",
        "65536|0|100000001|0|engineStartPs must be 0..100000000: engineStartPs=100000001",
        "65536|0|0|-1|engineMemoryPs must be 0..100000000: engineMemoryPs=-1"
      })
  void shouldRejectAnIllegalConfiguration(
      long bytes, long read, long start, long memory, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ApertureConfig(bytes, read, start, memory))
        .withMessage(message);
  }
}
