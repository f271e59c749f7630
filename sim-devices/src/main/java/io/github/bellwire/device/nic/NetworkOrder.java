package io.github.bellwire.device.nic;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Header fields in network byte order, at any alignment. Allocates nothing. */
final class NetworkOrder {
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  private NetworkOrder() {}

  /** {@return the 16-bit field at {@code offset}, 0..FFFF} */
  static int u16(byte[] data, int offset) {
    return (short) SHORT.get(data, offset) & 0xFFFF;
  }

  /** {@return the 32-bit field at {@code offset}, all 32 bits significant} */
  static int u32(byte[] data, int offset) {
    return (int) INT.get(data, offset);
  }

  /** Stores the low 16 bits of {@code value} at {@code offset}. */
  static void putU16(byte[] data, int offset, int value) {
    SHORT.set(data, offset, (short) value);
  }

  /** Stores {@code value} at {@code offset}. */
  static void putU32(byte[] data, int offset, int value) {
    INT.set(data, offset, value);
  }
}
