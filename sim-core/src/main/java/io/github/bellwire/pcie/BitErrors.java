package io.github.bellwire.pcie;

import io.github.bellwire.kernel.RandomStream;

/**
 * Bit errors of one direction of a link: independent, each bit with the same chance. Draws the
 * distance to the next wrong bit, so that a good TLP costs a subtraction.
 */
final class BitErrors {
  private final RandomStream random;
  private final double logGood;
  private long goodBits;

  /**
   * Creates a source of errors.
   *
   * @param bitErrorRatio chance of a bit to be wrong, above 0
   * @param random its numbers
   */
  BitErrors(double bitErrorRatio, RandomStream random) {
    this.random = random;
    logGood = StrictMath.log1p(-bitErrorRatio);
    goodBits = nextDistance();
  }

  /** {@return whether at least one of the next bits is wrong} */
  boolean corrupts(int bytes) {
    goodBits -= (long) bytes * Byte.SIZE;
    if (goodBits >= 0) {
      return false;
    }
    goodBits = nextDistance(); // Errors have no memory: count anew from the end of this one.
    return true;
  }

  /** Good bits before the next wrong one, by inversion of the geometric distribution. */
  private long nextDistance() {
    // StrictMath: the same on every JDK. 1 - x lies above 0.
    return (long) (StrictMath.log(1 - random.nextDouble()) / logGood);
  }
}
