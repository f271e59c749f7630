package io.github.bellwire.device.nic.driver;

import io.github.bellwire.cpu.CpuPort;

/** Reads and writes the registers of BAR0. */
final class RegisterAccess {
  private static final int SIZE_BYTES = 4;

  private final long bar0;

  RegisterAccess(long bar0) {
    this.bar0 = bar0;
  }

  long bar0() {
    return bar0;
  }

  int read(CpuPort port, int offset) {
    return (int) port.mmioRead(bar0 + offset, SIZE_BYTES);
  }

  void write(CpuPort port, int offset, int value) {
    port.mmioWrite(bar0 + offset, SIZE_BYTES, Integer.toUnsignedLong(value));
  }

  void setBits(CpuPort port, int offset, int bits) {
    write(port, offset, read(port, offset) | bits);
  }

  void clearBits(CpuPort port, int offset, int bits) {
    write(port, offset, read(port, offset) & ~bits);
  }

  /** Reads a counter of two registers, the high one last because that read clears both. */
  long readPair(CpuPort port, int lowOffset, int highOffset) {
    long low = Integer.toUnsignedLong(read(port, lowOffset));
    return low | (long) read(port, highOffset) << Integer.SIZE;
  }

  long readUnsigned(CpuPort port, int offset) {
    return Integer.toUnsignedLong(read(port, offset));
  }

  /**
   * Polls a register until the bits under a mask have a value.
   *
   * @param name for the error message
   * @param stepPs pause between two reads
   * @param stepsMax pauses before giving up
   * @return what was read last
   * @throws IllegalStateException if they never have
   */
  int poll(
      CpuPort port, String name, int offset, int mask, int expected, long stepPs, int stepsMax) {
    int value = read(port, offset);
    for (int step = 0; (value & mask) != expected; step++) {
      if (step == stepsMax) {
        throw mismatch(name, mask, expected, value);
      }
      port.delay(stepPs);
      value = read(port, offset);
    }
    return value;
  }

  /** Describes a register that holds what it should not. */
  static IllegalStateException mismatch(String name, int mask, int expected, int value) {
    return new IllegalStateException(
        String.format(
            "%s must be 0x%x under mask 0x%x: %s=0x%x", name, expected, mask, name, value));
  }
}
