package io.github.bellwire.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DmaConfigTest {
  private static final DmaConfig LINUX = DmaConfig.LINUX_DEFAULT;

  @Test
  void shouldOverrideOneProperty() {
    assertThat(LINUX).isEqualTo(new DmaConfig(65_536, 0, 1024, true));
    assertThat(LINUX.withMaxSegmentBytes(4096)).isEqualTo(new DmaConfig(4096, 0, 1024, true));
    assertThat(LINUX.withMinAlignMask(4095)).isEqualTo(new DmaConfig(65_536, 4095, 1024, true));
    assertThat(LINUX.withCoherent(false)).isEqualTo(new DmaConfig(65_536, 0, 1024, false));
    assertThat(LINUX.withExpectedMappings(7)).isEqualTo(new DmaConfig(65_536, 0, 7, true));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 2, 4096, 131_071})
  void shouldRejectAnIllegalAlignment(int mask) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LINUX.withMinAlignMask(mask))
        .withMessage("minAlignMask must be 0 or 2^k - 1 up to 65535: minAlignMask=" + mask);
  }

  @Test
  void shouldRejectIllegalSizes() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LINUX.withMaxSegmentBytes(511))
        .withMessage("maxSegmentBytes must be >= 512: maxSegmentBytes=511");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LINUX.withExpectedMappings(0))
        .withMessage("expectedMappings must be 1..2^22: expectedMappings=0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LINUX.withExpectedMappings((1 << 22) + 1))
        .withMessage("expectedMappings must be 1..2^22: expectedMappings=4194305");
  }
}
