package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PcieGenerationTest {
  @ParameterizedTest
  @CsvSource({
    "1, GEN1, 2500, 8, 10",
    "2, GEN2, 5000, 8, 10",
    "3, GEN3, 8000, 128, 130",
    "4, GEN4, 16000, 128, 130",
    "5, GEN5, 32000, 128, 130",
    "6, GEN6, 64000, 236, 256"
  })
  void shouldHaveTheRateAndCodeOfTheSpecification(
      int number, PcieGeneration generation, int megatransfers, int payloadBits, int totalBits) {
    assertThat(PcieGeneration.of(number)).isSameAs(generation);
    assertThat(generation.number()).isEqualTo(number);
    assertThat(generation.megatransfersPerSecond()).isEqualTo(megatransfers);
    assertThat(generation.codePayloadBits()).isEqualTo(payloadBits);
    assertThat(generation.codeTotalBits()).isEqualTo(totalBits);
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MIN_VALUE, 0, 7})
  void shouldRejectAnUnknownNumber(int number) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PcieGeneration.of(number))
        .withMessage("generation must be 1..6: generation=" + number);
  }
}
