package io.github.bellwire.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SimpleCacheConfigTest {
  @Test
  void shouldHaveAServerOf32MiBIn16Ways() {
    SimpleCacheConfig server = SimpleCacheConfig.SERVER;

    assertThat((long) server.llcSets() * server.llcWays() * CacheHierarchy.LINE_BYTES)
        .isEqualTo(32 << 20);
    assertThat((long) server.coreLines() * CacheHierarchy.LINE_BYTES).isEqualTo(1 << 20);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0|1|0|1|1|1|llcSets must be a power of two, 1..2^20: llcSets=0",
        "3|1|0|1|1|1|llcSets must be a power of two, 1..2^20: llcSets=3",
        "2097152|1|0|1|1|1|llcSets must be a power of two, 1..2^20: llcSets=2097152",
        "1|0|0|1|1|1|llcWays must be 1..32: llcWays=0",
        "1|33|0|1|1|1|llcWays must be 1..32: llcWays=33",
        "1|1|-1|1|1|1|llcHitPs must be 0..1000000: llcHitPs=-1",
        "1|1|1000001|1|1|1|llcHitPs must be 0..1000000: llcHitPs=1000001",
        "1|1|0|6|1|1|coreLines must be a power of two, 1..2^20: coreLines=6",
        "1|1|0|1|0|1|coreHitPs must be 1..1000000: coreHitPs=0",
        "1|1|0|1|1000001|1|coreHitPs must be 1..1000000: coreHitPs=1000001",
        "1|1|0|1|1|0|storePs must be 1..1000000: storePs=0",
        "1|1|0|1|1|1000001|storePs must be 1..1000000: storePs=1000001"
      })
  void shouldRejectAnIllegalConfiguration(
      int llcSets,
      int llcWays,
      long llcHitPs,
      int coreLines,
      long coreHitPs,
      long storePs,
      String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new SimpleCacheConfig(llcSets, llcWays, llcHitPs, coreLines, coreHitPs, storePs))
        .withMessage(message);
  }
}
