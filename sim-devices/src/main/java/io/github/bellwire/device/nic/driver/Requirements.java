package io.github.bellwire.device.nic.driver;

/** Checks of arguments. */
final class Requirements {
  private Requirements() {}

  /** Throws unless the bound holds. */
  static void require(boolean ok, String name, long value, String bound) {
    if (!ok) {
      throw new IllegalArgumentException(name + " must be " + bound + ": " + name + "=" + value);
    }
  }

  /** Throws unless the value lies between two bounds, both included. */
  static void requireRange(String name, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          name + " must be " + min + ".." + max + ": " + name + "=" + value);
    }
  }
}
