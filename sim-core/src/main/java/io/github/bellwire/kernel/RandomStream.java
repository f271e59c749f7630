package io.github.bellwire.kernel;

import java.util.SplittableRandom;

/**
 * A reproducible stream of random numbers for one component. The same seed and name give the same
 * numbers on every JDK ({@link SplittableRandom} specifies its algorithm).
 */
public final class RandomStream {
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  private final SplittableRandom random;

  RandomStream(long seed, String name) {
    // FNV-1a over the name: String.hashCode has only 32 bits and collides on short names.
    long hash = FNV_OFFSET;
    for (int i = 0; i < name.length(); i++) {
      hash = (hash ^ name.charAt(i)) * FNV_PRIME;
    }
    random = new SplittableRandom(seed ^ hash);
  }

  /** {@return any {@code long}} */
  public long nextLong() {
    return random.nextLong();
  }

  /**
   * {@return a number from 0 to below a bound}
   *
   * @param bound exclusive upper bound, at least 1
   */
  public int nextInt(int bound) {
    return random.nextInt(bound);
  }

  /** {@return a number from 0 to below 1} */
  public double nextDouble() {
    return random.nextDouble();
  }

  /**
   * Fills a byte array.
   *
   * @param bytes overwritten entirely
   */
  public void nextBytes(byte[] bytes) {
    random.nextBytes(bytes);
  }
}
