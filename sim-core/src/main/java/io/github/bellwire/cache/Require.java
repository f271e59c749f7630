package io.github.bellwire.cache;

/** The bounds of configurations. */
final class Require {
  private Require() {}

  static void within(long value, long min, long max, String name) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          name + " must be " + min + ".." + max + ": " + name + "=" + value);
    }
  }

  static void powerOfTwo(int value, int min, int max, String name) {
    if (value < min || value > max || Integer.bitCount(value) != 1) {
      throw new IllegalArgumentException(
          name + " must be a power of two, " + min + ".." + max + ": " + name + "=" + value);
    }
  }
}
