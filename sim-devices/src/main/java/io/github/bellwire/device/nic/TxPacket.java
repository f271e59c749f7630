package io.github.bellwire.device.nic;

import java.util.Arrays;

/** The packet that the transmit engine is reading: its bytes, and when each part has arrived. */
final class TxPacket {
  /** Longer than any packet that descriptors can describe: 256 KiB of payload and its headers. */
  private static final int BYTES_MAX = (1 << 18) + 1024;

  private byte[] bytes = new byte[4096];
  private int[] partEnds = new int[16];
  private long[] partReadyPs = new long[16];
  private int partsCount;
  private int lengthBytes;
  private boolean isBroken;

  void clear() {
    partsCount = 0;
    lengthBytes = 0;
    isBroken = false;
  }

  boolean isEmpty() {
    return partsCount == 0 && !isBroken;
  }

  /** Gives up on the packet: it will not be sent. */
  void markBroken() {
    isBroken = true;
  }

  boolean isBroken() {
    return isBroken;
  }

  byte[] bytes() {
    return bytes;
  }

  int lengthBytes() {
    return lengthBytes;
  }

  /**
   * Makes room for another part.
   *
   * @return false if the packet would be longer than the part can send
   */
  boolean tryReserve(int partBytes) {
    if (lengthBytes + partBytes > BYTES_MAX) {
      return false;
    }
    if (lengthBytes + partBytes > bytes.length) {
      bytes = Arrays.copyOf(bytes, Integer.highestOneBit(lengthBytes + partBytes) * 2);
    }
    return true;
  }

  void addPart(int partBytes, long readyPs) {
    if (partsCount == partEnds.length) {
      partEnds = Arrays.copyOf(partEnds, partsCount * 2);
      partReadyPs = Arrays.copyOf(partReadyPs, partsCount * 2);
    }
    lengthBytes += partBytes;
    partEnds[partsCount] = lengthBytes;
    partReadyPs[partsCount++] = readyPs;
  }

  /** {@return when the first so many bytes have arrived; parts arrive in order} */
  long readyPs(int endBytes) {
    int part = 0;
    while (part < partsCount - 1 && partEnds[part] < endBytes) {
      part++;
    }
    return partReadyPs[part];
  }
}
