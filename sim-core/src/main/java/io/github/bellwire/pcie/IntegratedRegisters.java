package io.github.bellwire.pcie;

/**
 * Registers of a unit inside the root complex, at a fixed physical address and behind no link, such
 * as those of an IOMMU.
 */
public interface IntegratedRegisters {
  /** {@return host physical address of the first register, a multiple of 4 KiB} */
  long baseAddress();

  /** {@return bytes of all registers, a multiple of 4 KiB} */
  int sizeBytes();

  /**
   * A core reads.
   *
   * @param offset from the first register
   * @param sizeBytes 1, 2, 4 or 8
   * @param atPs when the request arrives, in picoseconds
   * @return the value, little endian in the low bytes
   */
  long read(int offset, int sizeBytes, long atPs);

  /**
   * A core writes.
   *
   * @param offset from the first register
   * @param sizeBytes 1, 2, 4 or 8
   * @param value little endian in the low bytes
   * @param atPs when the request arrives, in picoseconds; it may be ahead of the clock
   */
  void write(int offset, int sizeBytes, long value, long atPs);
}
