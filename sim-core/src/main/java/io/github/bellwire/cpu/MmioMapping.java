package io.github.bellwire.cpu;

import static java.util.Objects.requireNonNull;

/**
 * A range of a BAR as software has mapped it: addresses and memory type. What a store or load does
 * follows from the type, so code that copies need not know it.
 *
 * @param address host physical address of the first byte, inside a BAR, a multiple of 64
 * @param sizeBytes at least 1
 * @param type how cores treat it
 */
public record MmioMapping(long address, long sizeBytes, MemoryType type) {
  private static final int LINE_MASK = 63;

  // Checked here and nowhere else.
  public MmioMapping {
    requireNonNull(type, "type");
    if ((address & LINE_MASK) != 0) {
      throw new IllegalArgumentException(
          "address must be a multiple of 64: address=0x" + Long.toHexString(address));
    }
    if (sizeBytes < 1) {
      throw new IllegalArgumentException("sizeBytes must be >= 1: sizeBytes=" + sizeBytes);
    }
  }

  /**
   * {@return the same range mapped in another way}
   *
   * @param newType how cores treat it
   */
  public MmioMapping withType(MemoryType newType) {
    return new MmioMapping(address, sizeBytes, newType);
  }

  /**
   * Stores bytes. Those of a write-combining mapping may stay in the core until it {@linkplain
   * CpuPort#fence() fences}.
   *
   * @param port the core that stores
   * @param offset first byte in the range
   * @param source the bytes
   * @param sourceOffset first index in {@code source}
   * @param lengthBytes at least 1, up to the end of the range
   */
  public void store(CpuPort port, long offset, byte[] source, int sourceOffset, int lengthBytes) {
    requireInside(offset, lengthBytes);
    if (type == MemoryType.WC) {
      port.wcStore(address + offset, source, sourceOffset, lengthBytes);
    } else {
      port.mmioWrite(address + offset, source, sourceOffset, lengthBytes);
    }
  }

  /**
   * Loads bytes, streaming where the type allows it.
   *
   * @param port the core that loads
   * @param offset first byte in the range
   * @param destination receives the bytes
   * @param destinationOffset first index in {@code destination}
   * @param lengthBytes at least 1, up to the end of the range
   */
  public void load(
      CpuPort port, long offset, byte[] destination, int destinationOffset, int lengthBytes) {
    requireInside(offset, lengthBytes);
    if (type == MemoryType.WC) {
      port.wcLoad(address + offset, destination, destinationOffset, lengthBytes);
    } else {
      port.mmioRead(address + offset, destination, destinationOffset, lengthBytes);
    }
  }

  private void requireInside(long offset, int lengthBytes) {
    if (offset < 0 || lengthBytes < 1 || offset > sizeBytes - lengthBytes) {
      throw new IllegalArgumentException(
          String.format(
              "access must be inside the mapping: offset=%d, lengthBytes=%d, sizeBytes=%d",
              offset, lengthBytes, sizeBytes));
    }
  }
}
