package io.github.bellwire.kernel;

/**
 * Checks of arguments. Each throws {@link IllegalArgumentException} with the name, the bound and
 * the value.
 */
public final class Requirements {
  private Requirements() {}

  /**
   * Throws unless a bound holds.
   *
   * @param ok whether it does
   * @param name of the argument
   * @param value of the argument
   * @param bound what the argument must be, in words
   */
  public static void require(boolean ok, String name, long value, String bound) {
    if (!ok) {
      throw new IllegalArgumentException(name + " must be " + bound + ": " + name + "=" + value);
    }
  }

  /**
   * Throws unless the value is a power of two between two bounds, both included.
   *
   * @param name of the argument
   * @param value of the argument
   * @param min the lowest value allowed, at least 1
   * @param max the highest value allowed
   */
  public static void requirePowerOfTwo(String name, long value, long min, long max) {
    if (value < min || value > max || Long.bitCount(value) != 1) {
      throw new IllegalArgumentException(
          name + " must be a power of two, " + min + ".." + max + ": " + name + "=" + value);
    }
  }

  /**
   * Throws unless the value lies between two bounds, both included.
   *
   * @param name of the argument
   * @param value of the argument
   * @param min the lowest value allowed
   * @param max the highest value allowed
   */
  public static void requireRange(String name, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          name + " must be " + min + ".." + max + ": " + name + "=" + value);
    }
  }
}
