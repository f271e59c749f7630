package io.github.bellwire.device.nic.driver;

/**
 * The way to the device's configuration space that an operating system gives a driver. Accesses
 * take no simulated time.
 */
public interface ConfigAccess {
  /**
   * {@return the register, little endian, zero-extended}
   *
   * @param offset byte offset, a multiple of the size
   * @param sizeBytes 1, 2 or 4
   */
  int read(int offset, int sizeBytes);

  /**
   * Writes a register.
   *
   * @param offset byte offset, a multiple of the size
   * @param sizeBytes 1, 2 or 4
   * @param value the low bytes count
   */
  void write(int offset, int sizeBytes, int value);
}
