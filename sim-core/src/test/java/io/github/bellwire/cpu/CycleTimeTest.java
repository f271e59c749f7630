package io.github.bellwire.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CycleTimeTest {
  @ParameterizedTest
  @CsvSource({
    // 333.33, 666.67 and 1000 ps at 3 GHz; 416.67 ps at 2.4 GHz.
    "3000000000, 0, 0",
    "3000000000, 1, 333",
    "3000000000, 2, 667",
    "3000000000, 3, 1000",
    "2400000000, 1, 417",
    "2400000000, 12, 5000",
    "10000000000, 7, 700",
    "100000000, 2147483647, 21474836470000",
    "10000000000, 2147483647, 214748364700"
  })
  void shouldRoundToNearest(long frequencyHz, int cycles, long ps) {
    assertThat(new CycleTime(frequencyHz).toPs(cycles)).isEqualTo(ps);
  }

  @Test
  void shouldStayExactForMillionsOfCycles() {
    long seed = 1;
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 20_000; i++) {
      long frequencyHz = random.nextLong(100_000_000, 10_000_000_001L);
      int cycles = random.nextInt(10_000_000);
      // Distance from the exact time in units of 1 / frequencyHz ps.
      BigInteger distance =
          BigInteger.valueOf(new CycleTime(frequencyHz).toPs(cycles))
              .multiply(BigInteger.valueOf(frequencyHz))
              .subtract(BigInteger.valueOf(cycles).multiply(BigInteger.valueOf(1_000_000_000_000L)))
              .abs();
      // Half a picosecond of rounding and at most 10^7 x 2^-30 ps of the fraction.
      assertThat(distance.doubleValue() / frequencyHz)
          .as("seed=%d, frequencyHz=%d, cycles=%d", seed, frequencyHz, cycles)
          .isLessThan(0.51);
    }
  }
}
