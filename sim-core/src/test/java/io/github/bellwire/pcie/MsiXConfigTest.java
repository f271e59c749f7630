package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MsiXConfigTest {
  @ParameterizedTest
  @CsvSource({"1, 16, 8", "64, 1024, 8", "65, 1040, 16", "2048, 32768, 256"})
  void shouldSizeTableAndPendingBits(int vectorCount, int tableBytes, int pbaBytes) {
    MsiXConfig config = new MsiXConfig(vectorCount, 0, 0, 1, 0);

    assertThat(config.tableBytes()).isEqualTo(tableBytes);
    assertThat(config.pbaBytes()).isEqualTo(pbaBytes);
  }

  @Test
  void shouldAllowAdjacentWindowsInEitherOrder() {
    assertThat(new MsiXConfig(4, 0, 0, 0, 64).pbaOffset()).isEqualTo(64);
    assertThat(new MsiXConfig(4, 0, 8, 0, 0).tableOffset()).isEqualTo(8);
    assertThat(new MsiXConfig(4, 5, 0, 5, 64).tableBar()).isEqualTo(5);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0, 0, 64, vectorCount must be 1..2048: vectorCount=0",
    "2049, 0, 0, 1, 0, vectorCount must be 1..2048: vectorCount=2049",
    "4, 6, 0, 0, 64, tableBar must be 0..5: tableBar=6",
    "4, 0, 0, -1, 64, pbaBar must be 0..5: pbaBar=-1",
    "4, 0, 4, 0, 128, 'tableOffset must be a multiple of 8, >= 0: tableOffset=4'",
    "4, 0, 0, 0, -8, 'pbaOffset must be a multiple of 8, >= 0: pbaOffset=-8'",
    "4, 0, 0, 0, 56, pbaOffset must be outside the table at 0: pbaOffset=56",
    "4, 0, 8, 0, 8, pbaOffset must be outside the table at 8: pbaOffset=8"
  })
  void shouldRejectAnIllegalLayout(
      int vectorCount, int tableBar, int tableOffset, int pbaBar, int pbaOffset, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MsiXConfig(vectorCount, tableBar, tableOffset, pbaBar, pbaOffset))
        .withMessage(message);
  }
}
