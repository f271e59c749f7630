package io.github.bellwire.cpu;

/** Clock cycles as picoseconds, rounded to nearest, by one multiplication. */
final class CycleTime {
  private static final int FRACTION_BITS = 20;
  private static final long PS_PER_SECOND = 1_000_000_000_000L;

  private final long psPerCycleScaled;

  CycleTime(long frequencyHz) {
    psPerCycleScaled = ((PS_PER_SECOND << FRACTION_BITS) + frequencyHz / 2) / frequencyHz;
  }

  long toPs(long cycles) {
    return cycles * psPerCycleScaled + (1L << FRACTION_BITS - 1) >> FRACTION_BITS;
  }
}
