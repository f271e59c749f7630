package io.github.bellwire.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DevicePortConfigTest {
  @Test
  void shouldAllocateOnSocketZeroUnlessToldOtherwise() {
    assertThat(DevicePortConfig.DEFAULT).isEqualTo(new DevicePortConfig(true, 0));
    assertThat(DevicePortConfig.DEFAULT.withAllocatesOnWrite(false))
        .isEqualTo(new DevicePortConfig(false, 0));
    assertThat(DevicePortConfig.DEFAULT.withSocket(7)).isEqualTo(new DevicePortConfig(true, 7));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 8})
  void shouldRejectASocketOutOfRange(int socket) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DevicePortConfig(true, socket))
        .withMessage("socket must be 0..7: socket=" + socket);
  }
}
