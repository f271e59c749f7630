package io.github.bellwire.dma;

import io.github.bellwire.cpu.CpuPort;

/**
 * A device register by which host software tells that there is new work: a tail pointer, mostly.
 *
 * <p>The write is posted, and ordered behind the stores before it: the device sees the descriptors
 * that it announces. Confined to the simulation thread.
 */
public final class Doorbell {
  private final long address;
  private final int sizeBytes;
  private long ringsCount;

  /**
   * Creates a doorbell.
   *
   * @param address host physical address of the register, inside a BAR, a multiple of its size
   * @param sizeBytes 1, 2, 4 or 8
   * @throws IllegalArgumentException if an argument is out of range
   */
  public Doorbell(long address, int sizeBytes) {
    if (sizeBytes < 1 || sizeBytes > 8 || Integer.bitCount(sizeBytes) != 1) {
      throw new IllegalArgumentException("sizeBytes must be 1, 2, 4 or 8: sizeBytes=" + sizeBytes);
    }
    if ((address & sizeBytes - 1) != 0) {
      throw new IllegalArgumentException(
          "address must be a multiple of "
              + sizeBytes
              + ": address=0x"
              + Long.toHexString(address));
    }
    this.address = address;
    this.sizeBytes = sizeBytes;
  }

  /**
   * Writes the register.
   *
   * @param port the core that writes
   * @param value the low bytes count
   */
  public void ring(CpuPort port, long value) {
    ringsCount++;
    port.mmioWrite(address, sizeBytes, value);
  }

  /** {@return the host physical address of the register} */
  public long address() {
    return address;
  }

  /** {@return the size of the register in bytes} */
  public int sizeBytes() {
    return sizeBytes;
  }

  /** {@return how often it was rung} */
  public long ringsCount() {
    return ringsCount;
  }
}
