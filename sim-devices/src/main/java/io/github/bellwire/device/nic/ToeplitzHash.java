package io.github.bellwire.device.nic;

/**
 * The Toeplitz hash of receive side scaling: the exclusive or of the 32-bit key windows that start
 * at each set bit of the input (Microsoft RSS specification; Intel 82599 datasheet section
 * 7.1.2.8.1).
 *
 * <pre>{@code
 * input  b0 ........ b7 | b8 ....... b15 | ...        bit i set:
 * key    k0 k1 k2 ...                                 hash ^= key[i .. i+31]
 * }</pre>
 *
 * <p>Because the hash is linear, each input byte contributes a value that depends on its position
 * and its value alone. Those contributions stand in a table of 36 x 256 ints (36 KiB), which is
 * rebuilt at the first hash after a change of the key. Allocates nothing after construction.
 */
final class ToeplitzHash {
  /** Bytes of the key. */
  static final int KEY_BYTES = 40;

  /** Longest input: two IPv6 addresses and two ports. */
  static final int INPUT_BYTES_MAX = 36;

  private final byte[] key = new byte[KEY_BYTES];
  private final int[] contributions = new int[INPUT_BYTES_MAX * 256];
  private boolean stale;

  /** Creates a hash with a key of zeros, under which everything hashes to zero. */
  ToeplitzHash() {}

  /**
   * Replaces one byte of the key.
   *
   * @param index 0..39; key byte 0 meets the first input byte
   * @param value the low eight bits count
   */
  void setKeyByte(int index, int value) {
    key[index] = (byte) value;
    stale = true;
  }

  /**
   * {@return one byte of the key, 0..FF}
   *
   * @param index 0..39
   */
  int keyByte(int index) {
    return key[index] & 0xFF;
  }

  /**
   * {@return the contribution of some input bytes; the exclusive or over all of them is the hash}
   *
   * @param position of the first byte within the input; {@code position + bytes} is at most 36
   * @param data holds the bytes, in network order
   * @param offset first byte
   * @param bytes how many, 0 or more
   */
  int hash(int position, byte[] data, int offset, int bytes) {
    if (stale) {
      rebuild();
    }
    int hash = 0;
    int row = position << 8;
    for (int index = offset; index < offset + bytes; index++) {
      hash ^= contributions[row | (data[index] & 0xFF)];
      row += 256;
    }
    return hash;
  }

  private void rebuild() {
    for (int position = 0; position < INPUT_BYTES_MAX; position++) {
      int row = position << 8;
      // The five key bytes that this input byte meets; bit 7 selects the topmost window of 32.
      long window = 0;
      for (int i = 0; i < 5; i++) {
        window = window << 8 | keyByte(position + i);
      }
      for (int value = 1; value < 256; value++) {
        int lowest = Integer.numberOfTrailingZeros(value);
        int rest = contributions[row | (value & (value - 1))];
        contributions[row | value] = rest ^ (int) (window >>> (lowest + 1));
      }
    }
    stale = false;
  }
}
