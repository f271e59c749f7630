package io.github.bellwire.device.nic.driver;

import static java.util.Objects.requireNonNull;

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

  /**
   * {@return the way that two functions make up}
   *
   * @param reader as {@link #read}
   * @param writer as {@link #write}
   */
  static ConfigAccess of(Reader reader, Writer writer) {
    requireNonNull(reader, "reader");
    requireNonNull(writer, "writer");
    return new ConfigAccess() {
      @Override
      public int read(int offset, int sizeBytes) {
        return reader.read(offset, sizeBytes);
      }

      @Override
      public void write(int offset, int sizeBytes, int value) {
        writer.write(offset, sizeBytes, value);
      }
    };
  }

  /** Reads as {@link ConfigAccess#read}. */
  @FunctionalInterface
  interface Reader {
    /**
     * {@return the register}
     *
     * @param offset byte offset
     * @param sizeBytes 1, 2 or 4
     */
    int read(int offset, int sizeBytes);
  }

  /** Writes as {@link ConfigAccess#write}. */
  @FunctionalInterface
  interface Writer {
    /**
     * Writes a register.
     *
     * @param offset byte offset
     * @param sizeBytes 1, 2 or 4
     * @param value the low bytes count
     */
    void write(int offset, int sizeBytes, int value);
  }
}
