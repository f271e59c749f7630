package io.github.bellwire.device.striding;

/** Little-endian numbers in byte arrays. */
final class LittleEndian {
  private LittleEndian() {}

  static void putInt(byte[] bytes, int offset, int value) {
    for (int i = 0; i < Integer.BYTES; i++) {
      bytes[offset + i] = (byte) (value >>> i * Byte.SIZE);
    }
  }

  static long get(byte[] bytes, int offset, int sizeBytes) {
    long value = 0;
    for (int i = sizeBytes - 1; i >= 0; i--) {
      value = value << Byte.SIZE | bytes[offset + i] & 0xff;
    }
    return value;
  }
}
