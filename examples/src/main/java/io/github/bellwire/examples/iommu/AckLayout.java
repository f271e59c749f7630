package io.github.bellwire.examples.iommu;

/** An acknowledgement on the wire, little endian. */
final class AckLayout {
  static final int FLOW = 0;

  /** The first frame that has not arrived. */
  static final int EXPECTED = 4;

  /** Bit n: the n-th frame behind that one has arrived. */
  static final int ARRIVED = 8;

  static final int ARRIVED_WORDS = 7;
  static final int LENGTH_BYTES = 64;

  private AckLayout() {}

  static void put(byte[] bytes, int offset, long value, int sizeBytes) {
    for (int i = 0; i < sizeBytes; i++) {
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
