package io.github.bellwire.cpu;

/** Clock cycles as picoseconds, rounded to nearest, without a division. */
final class CycleTime {
  // The largest with which neither the shift nor the product of 2^31 cycles overflows.
  private static final int FRACTION_BITS = 29;
  private static final long PS_PER_SECOND = 1_000_000_000_000L;

  private final long psPerCycle;
  private final long fractionScaled;

  CycleTime(long frequencyHz) {
    psPerCycle = PS_PER_SECOND / frequencyHz;
    long restPs = PS_PER_SECOND % frequencyHz;
    fractionScaled = ((restPs << FRACTION_BITS) + frequencyHz / 2) / frequencyHz;
  }

  long toPs(int cycles) {
    long half = 1L << FRACTION_BITS - 1;
    return cycles * psPerCycle + (cycles * fractionScaled + half >> FRACTION_BITS);
  }
}
