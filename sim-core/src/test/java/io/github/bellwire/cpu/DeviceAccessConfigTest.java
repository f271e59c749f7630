package io.github.bellwire.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeviceAccessConfigTest {
  @Test
  void shouldChangeOnePropertyAtATime() {
    assertThat(
            DeviceAccessConfig.IDEAL
                .withStoreGapPs(100_000)
                .withVectorBytes(16)
                .withBuffersCount(10)
                .withStreamingLoadsCount(8))
        .isEqualTo(new DeviceAccessConfig(100_000, 16, 1, 10, 0, 0, 8));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0|8|0|1|0|0|1|storeGapPs must be 1..10000000: storeGapPs=0",
        "10000001|8|0|1|0|0|1|storeGapPs must be 1..10000000: storeGapPs=10000001",
        "1|4|0|1|0|0|1|vectorBytes must be 8, 16, 32 or 64: vectorBytes=4",
        "1|24|0|1|0|0|1|vectorBytes must be 8, 16, 32 or 64: vectorBytes=24",
        "1|128|0|1|0|0|1|vectorBytes must be 8, 16, 32 or 64: vectorBytes=128",
        "1|8|-1|1|0|0|1|vectorStorePs must be 0..1000000: vectorStorePs=-1",
        "1|8|1000001|1|0|0|1|vectorStorePs must be 0..1000000: vectorStorePs=1000001",
        "1|8|0|0|0|0|1|buffersCount must be 1..64: buffersCount=0",
        "1|8|0|65|0|0|1|buffersCount must be 1..64: buffersCount=65",
        "1|8|0|1|-1|0|1|handoverPs must be 0..10000000: handoverPs=-1",
        "1|8|0|1|10000001|0|1|handoverPs must be 0..10000000: handoverPs=10000001",
        "1|8|0|1|0|-1|1|fencePs must be 0..10000000: fencePs=-1",
        "1|8|0|1|0|10000001|1|fencePs must be 0..10000000: fencePs=10000001",
        "1|8|0|1|0|0|0|streamingLoadsCount must be 1..64: streamingLoadsCount=0",
        "1|8|0|1|0|0|65|streamingLoadsCount must be 1..64: streamingLoadsCount=65"
      })
  void shouldRejectAnIllegalConfiguration(
      long gap,
      int vector,
      long store,
      int buffers,
      long handover,
      long fence,
      int loads,
      String m) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new DeviceAccessConfig(gap, vector, store, buffers, handover, fence, loads))
        .withMessage(m);
  }
}
