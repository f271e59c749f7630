package io.github.bellwire.device.nic.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConfigAccessTest {
  @Test
  void shouldHandAccessesToItsFunctions() {
    List<List<Integer>> writes = new ArrayList<>();
    ConfigAccess access =
        ConfigAccess.of(
            (offset, size) -> 100 * offset + size,
            (offset, size, value) -> writes.add(List.of(offset, size, value)));

    access.write(4, 2, 6);

    assertThat(access.read(0x10, 4)).isEqualTo(1604);
    assertThat(writes).containsExactly(List.of(4, 2, 6));
  }

  @Test
  void shouldRefuseAMissingFunction() {
    assertThatNullPointerException()
        .isThrownBy(() -> ConfigAccess.of(null, (offset, size, value) -> {}))
        .withMessage("reader");
    assertThatNullPointerException()
        .isThrownBy(() -> ConfigAccess.of((offset, size) -> 0, null))
        .withMessage("writer");
  }
}
