package io.github.bellwire.pcie;

/**
 * The bits of a configuration space: for each 32-bit register its value, its value after reset,
 * which bits software may write and which it clears by writing 1, and which survive the reset of
 * the function alone. All other bits are read-only. Offsets are bytes, accesses naturally aligned.
 */
final class ConfigRegisters {
  private static final int COUNT = ConfigLayout.CONFIG_SPACE_BYTES / Integer.BYTES;

  private final int[] values = new int[COUNT];
  private final int[] resetValues = new int[COUNT];
  private final int[] writable = new int[COUNT];
  private final int[] clearable = new int[COUNT];
  private final int[] sticky = new int[COUNT];

  ConfigRegisters() {}

  ConfigRegisters(ConfigRegisters other) {
    System.arraycopy(other.values, 0, values, 0, COUNT);
    System.arraycopy(other.resetValues, 0, resetValues, 0, COUNT);
    System.arraycopy(other.writable, 0, writable, 0, COUNT);
    System.arraycopy(other.clearable, 0, clearable, 0, COUNT);
    System.arraycopy(other.sticky, 0, sticky, 0, COUNT);
  }

  /** {@return the 32-bit register that contains an offset} */
  int value(int offset) {
    return values[offset >>> 2];
  }

  /** {@return the bytes of {@code register} that an access at {@code offset} sees} */
  static int extract(int register, int offset, int sizeBytes) {
    return register >>> laneShift(offset) & laneMask(sizeBytes);
  }

  /** Writes as software does. Bits of {@code locked} keep their value although writable. */
  void write(int offset, int sizeBytes, int value, int locked) {
    int index = offset >>> 2;
    int lanes = laneMask(sizeBytes) << laneShift(offset);
    int data = value << laneShift(offset) & lanes;
    int taken = writable[index] & lanes & ~locked;
    values[index] = (values[index] & ~taken | data & taken) & ~(data & clearable[index]);
  }

  void reset() {
    System.arraycopy(resetValues, 0, values, 0, COUNT);
  }

  /** Resets all but the sticky bits. */
  void resetFunction() {
    for (int i = 0; i < COUNT; i++) {
      values[i] = resetValues[i] & ~sticky[i] | values[i] & sticky[i];
    }
  }

  /** Sets event bits of a 16-bit register, as the hardware does. */
  void raise16(int offset, int bits) {
    values[offset >>> 2] |= bits << laneShift(offset);
  }

  /** Sets or clears status bits of a 16-bit register, as the hardware does. */
  void assign16(int offset, int bits, boolean isSet) {
    int mask = bits << laneShift(offset);
    int old = values[offset >>> 2];
    values[offset >>> 2] = isSet ? old | mask : old & ~mask;
  }

  /** Sets a 32-bit register, as the hardware does. */
  void put32(int offset, int value) {
    values[offset >>> 2] = value;
  }

  /** Fixes the value, now and after reset, of a 16-bit register. */
  void set16(int offset, int value) {
    put16(values, offset, value);
    put16(resetValues, offset, value);
  }

  /** Fixes the value, now and after reset, of a 32-bit register. */
  void set32(int offset, int value) {
    values[offset >>> 2] = value;
    resetValues[offset >>> 2] = value;
  }

  void writable16(int offset, int bits) {
    put16(writable, offset, bits);
  }

  void writable32(int offset, int bits) {
    writable[offset >>> 2] = bits;
  }

  void clearable16(int offset, int bits) {
    put16(clearable, offset, bits);
  }

  void clearable32(int offset, int bits) {
    clearable[offset >>> 2] = bits;
  }

  /** Makes a 32-bit register survive a function-level reset. */
  void sticky32(int offset) {
    sticky[offset >>> 2] = -1;
  }

  /** Makes bits of a 16-bit register survive a function-level reset. */
  void sticky16(int offset, int bits) {
    sticky[offset >>> 2] |= bits << laneShift(offset);
  }

  static void requireAccess(int offset, int sizeBytes) {
    if (sizeBytes != 1 && sizeBytes != 2 && sizeBytes != 4) {
      throw new IllegalArgumentException("sizeBytes must be 1, 2 or 4: sizeBytes=" + sizeBytes);
    }
    if (offset < 0 || offset >= ConfigLayout.CONFIG_SPACE_BYTES || (offset & sizeBytes - 1) != 0) {
      throw new IllegalArgumentException(
          "offset must be 0..4095 and a multiple of sizeBytes: offset="
              + offset
              + ", sizeBytes="
              + sizeBytes);
    }
  }

  private static void put16(int[] target, int offset, int value) {
    int shift = laneShift(offset);
    int index = offset >>> 2;
    target[index] = target[index] & ~(0xFFFF << shift) | value << shift;
  }

  private static int laneShift(int offset) {
    return (offset & 3) * Byte.SIZE;
  }

  private static int laneMask(int sizeBytes) {
    return sizeBytes == Integer.BYTES ? -1 : (1 << sizeBytes * Byte.SIZE) - 1;
  }
}
