package io.github.bellwire.kernel;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequirementsTest {
  @Test
  void shouldNameTheArgumentTheBoundAndTheValue() {
    assertThatCode(() -> Requirements.require(true, "count", 7, "even")).doesNotThrowAnyException();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Requirements.require(false, "count", 7, "even"))
        .withMessage("count must be even: count=7");
  }

  @ParameterizedTest
  @ValueSource(longs = {Long.MIN_VALUE, 1, 6, Long.MAX_VALUE})
  void shouldRefuseWhatLiesOutsideTheBounds(long value) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Requirements.requireRange("count", value, 2, 5))
        .withMessage("count must be 2..5: count=" + value);
  }

  @ParameterizedTest
  @ValueSource(longs = {2, 3, 5})
  void shouldAcceptTheBoundsAndWhatLiesBetween(long value) {
    assertThatCode(() -> Requirements.requireRange("count", value, 2, 5))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(longs = {Long.MIN_VALUE, 0, 1, 3, 12, 32})
  void shouldRefuseWhatIsNoPowerOfTwoWithinTheBounds(long value) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Requirements.requirePowerOfTwo("count", value, 2, 16))
        .withMessage("count must be a power of two, 2..16: count=" + value);
  }

  @ParameterizedTest
  @ValueSource(longs = {2, 8, 16})
  void shouldAcceptAPowerOfTwoWithinTheBounds(long value) {
    assertThatCode(() -> Requirements.requirePowerOfTwo("count", value, 2, 16))
        .doesNotThrowAnyException();
  }
}
