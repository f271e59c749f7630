package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BarTest {
  @Test
  void shouldOccupyTwoRegistersWhen64Bit() {
    assertThat(Bar.memory64(4, 1L << 40).registerCount()).isEqualTo(2);
    assertThat(Bar.memory32(5, 1L << 31).registerCount()).isEqualTo(1);
    assertThat(Bar.memory64(0, 128)).isEqualTo(new Bar(0, true, false, 128));
    assertThat(Bar.memory32(0, 128).withPrefetchable(true)).isEqualTo(new Bar(0, false, true, 128));
  }

  @ParameterizedTest
  @CsvSource({"-1, false, 5", "6, false, 5", "5, true, 4"})
  void shouldRejectAnIllegalIndex(int index, boolean is64Bit, int maxIndex) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Bar(index, is64Bit, false, 4096))
        .withMessage("index must be 0.." + maxIndex + ": index=" + index + ", is64Bit=" + is64Bit);
  }

  @ParameterizedTest
  @CsvSource({
    "false, 64, 2147483648",
    "false, 4097, 2147483648",
    "false, 4294967296, 2147483648",
    "true, 0, 1099511627776",
    "true, 2199023255552, 1099511627776"
  })
  void shouldRejectAnIllegalSize(boolean is64Bit, long sizeBytes, long maxBytes) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Bar(0, is64Bit, false, sizeBytes))
        .withMessage(
            "sizeBytes must be a power of two in 128.." + maxBytes + ": sizeBytes=" + sizeBytes);
  }
}
