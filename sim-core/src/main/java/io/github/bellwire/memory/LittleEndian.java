package io.github.bellwire.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Little-endian numbers in byte arrays, at any offset. Allocates nothing. */
public final class LittleEndian {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private LittleEndian() {}

  /**
   * {@return 8 bytes as a number}
   *
   * @param bytes where they are
   * @param offset of the first one
   */
  public static long getLong(byte[] bytes, int offset) {
    return (long) LONGS.get(bytes, offset);
  }

  /**
   * Stores a number as 8 bytes.
   *
   * @param bytes where to
   * @param offset of the first one
   * @param value the number
   */
  public static void putLong(byte[] bytes, int offset, long value) {
    LONGS.set(bytes, offset, value);
  }

  /**
   * {@return 4 bytes as a number}
   *
   * @param bytes where they are
   * @param offset of the first one
   */
  public static int getInt(byte[] bytes, int offset) {
    return (int) INTS.get(bytes, offset);
  }

  /**
   * Stores a number as 4 bytes.
   *
   * @param bytes where to
   * @param offset of the first one
   * @param value the number
   */
  public static void putInt(byte[] bytes, int offset, int value) {
    INTS.set(bytes, offset, value);
  }

  /**
   * {@return bytes as a number without a sign}
   *
   * @param bytes where they are
   * @param offset of the first one
   * @param sizeBytes 1..8
   */
  public static long get(byte[] bytes, int offset, int sizeBytes) {
    long value = 0;
    for (int i = sizeBytes - 1; i >= 0; i--) {
      value = value << Byte.SIZE | bytes[offset + i] & 0xff;
    }
    return value;
  }

  /**
   * Stores the low bytes of a number.
   *
   * @param bytes where to
   * @param offset of the first one
   * @param sizeBytes 1..8
   * @param value the number
   */
  public static void put(byte[] bytes, int offset, int sizeBytes, long value) {
    for (int i = 0; i < sizeBytes; i++) {
      bytes[offset + i] = (byte) (value >>> i * Byte.SIZE);
    }
  }
}
