package io.github.bellwire.cache;

import io.github.bellwire.memory.PhysicalMemory;

/**
 * The bytes that cores load and store. Where caches are kept coherent these are the bytes of
 * physical memory; where they are not, a core sees what its cache holds. Takes no time: that is the
 * business of {@link CacheHierarchy}, which is told of an access first.
 *
 * <p>Addresses are host physical, the whole range in RAM. Values are little endian.
 */
public interface CoreMemory {
  /**
   * {@return what coherent cores see: physical memory}
   *
   * @param memory the bytes
   */
  static CoreMemory coherent(PhysicalMemory memory) {
    return new CoherentCoreMemory(memory);
  }

  /**
   * {@return the value at an address, zero-extended}
   *
   * @param pa any alignment
   * @param sizeBytes 1, 2, 4 or 8
   */
  long get(long pa, int sizeBytes);

  /**
   * Writes a value.
   *
   * @param pa any alignment
   * @param sizeBytes 1, 2, 4 or 8
   * @param value the low bytes count
   */
  void put(long pa, int sizeBytes, long value);

  /**
   * Writes two 64-bit values side by side.
   *
   * @param pa any alignment, both values in one line
   * @param first the value at {@code pa}
   * @param second the value 8 bytes on
   */
  default void putLongs(long pa, long first, long second) {
    put(pa, Long.BYTES, first);
    put(pa + Long.BYTES, Long.BYTES, second);
  }

  /**
   * Copies bytes out.
   *
   * @param pa first address
   * @param destination receives the bytes
   * @param offset first index in {@code destination}
   * @param lengthBytes at least 0
   */
  void copyOut(long pa, byte[] destination, int offset, int lengthBytes);

  /**
   * Copies bytes in.
   *
   * @param pa first address
   * @param source the bytes
   * @param offset first index in {@code source}
   * @param lengthBytes at least 0
   */
  void copyIn(long pa, byte[] source, int offset, int lengthBytes);
}
