package io.github.bellwire.pcie;

/**
 * A core's access of more than a register: what one memory request of at most a cache line carries.
 * Little endian, cut into naturally aligned pieces for devices that know registers only.
 */
final class MmioBlock {
  /** The most that one store or load of a core moves. */
  static final int BYTES_MAX = 64;

  private MmioBlock() {}

  /** Checks that one request can carry a block: no more than a line, and inside one. */
  static void require(long address, int lengthBytes) {
    if (lengthBytes < 1 || (address & BYTES_MAX - 1) + lengthBytes > BYTES_MAX) {
      throw new IllegalArgumentException(
          String.format(
              "block must lie in a line of %d bytes: address=0x%x, lengthBytes=%d",
              BYTES_MAX, address, lengthBytes));
    }
  }

  /** {@return the largest register access at an offset: 1, 2, 4 or 8, naturally aligned} */
  static int pieceBytes(long offset, int leftBytes) {
    int aligned = (int) Long.lowestOneBit(offset | Long.BYTES);
    return Math.min(aligned, Integer.highestOneBit(leftBytes));
  }
}
