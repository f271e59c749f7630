package io.github.bellwire.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CoherentCacheConfigTest {
  @Test
  void shouldHaveThePublishedSizes() {
    // 18 slices x 2048 sets x 11 ways x 64 B = 24.75 MiB; 10 x 2048 x 20 x 64 B = 25 MiB.
    assertThat(llcBytes(CoherentCacheConfig.XEON_GOLD_6140.llc())).isEqualTo(99L << 18);
    assertThat(llcBytes(CoherentCacheConfig.XEON_E5_2630_V4.llc())).isEqualTo(25L << 20);
    assertThat(l2Bytes(CoherentCacheConfig.XEON_GOLD_6140.core())).isEqualTo(1 << 20);
    assertThat(l2Bytes(CoherentCacheConfig.XEON_E5_2630_V4.core())).isEqualTo(256 << 10);
  }

  @Test
  void shouldGiveDevicesTheHighestTwoWays() {
    LlcConfig skylake = CoherentCacheConfig.XEON_GOLD_6140.llc();
    LlcConfig broadwell = CoherentCacheConfig.XEON_E5_2630_V4.llc();

    assertThat(skylake.ioWays()).isEqualTo(skylake.highestWays(2)).isEqualTo(0x600);
    assertThat(broadwell.ioWays()).isEqualTo(broadwell.highestWays(2));
    assertThat(skylake.highestWays(11)).isEqualTo(0x7FF);
    assertThat(skylake.withIoWays(0x7FF).ioWays()).isEqualTo(0x7FF);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> skylake.highestWays(12))
        .withMessage("ioWaysCount must be 1..11: ioWaysCount=12");
  }

  private static long llcBytes(LlcConfig llc) {
    return (long) llc.slices() * llc.setsPerSlice() * llc.ways() * CacheHierarchy.LINE_BYTES;
  }

  private static int l2Bytes(CoreCacheConfig core) {
    return core.l2Sets() * core.l2Ways() * CacheHierarchy.LINE_BYTES;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0|256|1|1|1|0|slices must be 1..64: slices=0",
        "65|256|1|1|1|0|slices must be 1..64: slices=65",
        "1|128|1|1|1|0|setsPerSlice must be a power of two, 256..16384: setsPerSlice=128",
        "1|300|1|1|1|0|setsPerSlice must be a power of two, 256..16384: setsPerSlice=300",
        "1|32768|1|1|1|0|setsPerSlice must be a power of two, 256..16384: setsPerSlice=32768",
        "1|256|0|1|1|0|ways must be 1..24: ways=0",
        "1|256|25|1|1|0|ways must be 1..24: ways=25",
        "1|256|11|0|1|0|ioWays must be a mask within 0x7ff: ioWays=0x0",
        "1|256|11|2048|1|0|ioWays must be a mask within 0x7ff: ioWays=0x800",
        "1|256|1|1|0|0|snoopFilterWays must be 1..24: snoopFilterWays=0",
        "1|256|1|1|25|0|snoopFilterWays must be 1..24: snoopFilterWays=25",
        "1|256|1|1|1|-1|hitPs must be 0..1000000: hitPs=-1",
        "1|256|1|1|1|1000001|hitPs must be 0..1000000: hitPs=1000001"
      })
  void shouldRejectAnIllegalLastLevelCache(
      int slices, int sets, int ways, int ioWays, int filterWays, long hitPs, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new LlcConfig(slices, sets, ways, ioWays, true, filterWays, hitPs))
        .withMessage(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0|1|1|256|1|1|1|0|l1Sets must be a power of two, 1..1024: l1Sets=0",
        "2048|1|1|256|1|1|1|0|l1Sets must be a power of two, 1..1024: l1Sets=2048",
        "1|25|1|256|1|1|1|0|l1Ways must be 1..24: l1Ways=25",
        "1|1|0|256|1|1|1|0|l1HitPs must be 1..1000000: l1HitPs=0",
        "1|1|1|128|1|1|1|0|l2Sets must be a power of two, 256..16384: l2Sets=128",
        "1|1|1|256|0|1|1|0|l2Ways must be 1..24: l2Ways=0",
        "1|1|1|256|1|0|1|0|l2HitPs must be 1..1000000: l2HitPs=0",
        "1|1|1|256|1|1|0|0|storePs must be 1..1000000: storePs=0",
        "1|1|1|256|1|1|1|-1|snoopPs must be 0..1000000: snoopPs=-1"
      })
  void shouldRejectIllegalPrivateCaches(
      int l1Sets,
      int l1Ways,
      long l1HitPs,
      int l2Sets,
      int l2Ways,
      long l2HitPs,
      long storePs,
      long snoopPs,
      String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new CoreCacheConfig(
                    l1Sets, l1Ways, l1HitPs, l2Sets, l2Ways, l2HitPs, storePs, snoopPs))
        .withMessage(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0|0|0|sockets must be 1..2: sockets=0",
        "3|0|0|sockets must be 1..2: sockets=3",
        "2|32|0|secondSocketPa must be a multiple of 64, >= 0: secondSocketPa=32",
        "2|-64|0|secondSocketPa must be a multiple of 64, >= 0: secondSocketPa=-64",
        "2|0|1000001|roundTripPs must be 0..1000000: roundTripPs=1000001"
      })
  void shouldRejectIllegalSockets(int sockets, long secondSocketPa, long trip, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new NumaConfig(sockets, secondSocketPa, trip))
        .withMessage(message);
  }
}
