package io.github.bellwire.device.nic;

import java.util.Arrays;

/**
 * Bytes of a packet buffer that become free at known times, in the order of those times. The last
 * ones stay beside the ring, which nothing enters as long as each leave before the next come.
 */
final class ReleaseQueue {
  private long[] releasePs = new long[64];
  private int[] lengths = new int[64];
  private int head;
  private int count;
  private int bytes;
  private long lastPs;
  private int lastBytes;

  /**
   * Adds bytes.
   *
   * @param lengthBytes at least 1
   * @param atPs not before the last addition
   * @param nowPs the current time
   */
  void add(int lengthBytes, long atPs, long nowPs) {
    if (lastPs <= nowPs) {
      clear();
    } else {
      enterLast(nowPs);
    }
    lastPs = atPs;
    lastBytes = lengthBytes;
    bytes += lengthBytes;
  }

  /** {@return no fewer bytes than are not free yet; for who only has to know that there is room} */
  int bytesAtMost() {
    return bytes;
  }

  /** {@return bytes that are not free yet at a time} */
  int bytesAt(long nowPs) {
    releaseUntil(nowPs);
    if (count == 0 && lastPs <= nowPs) {
      clear();
    }
    return bytes;
  }

  void clear() {
    count = 0;
    bytes = 0;
    lastPs = 0;
  }

  private void releaseUntil(long nowPs) {
    while (count > 0 && releasePs[head] <= nowPs) {
      bytes -= lengths[head];
      head = head + 1 & releasePs.length - 1;
      count--;
    }
  }

  private void enterLast(long nowPs) {
    if (count == releasePs.length) {
      releaseUntil(nowPs);
      if (count == releasePs.length) {
        grow();
      }
    }
    int slot = head + count++ & releasePs.length - 1;
    releasePs[slot] = lastPs;
    lengths[slot] = lastBytes;
  }

  private void grow() {
    int length = releasePs.length;
    long[] newReleasePs = Arrays.copyOf(releasePs, length * 2);
    int[] newLengths = Arrays.copyOf(lengths, length * 2);
    for (int i = 0; i < length; i++) {
      newReleasePs[i] = releasePs[head + i & length - 1];
      newLengths[i] = lengths[head + i & length - 1];
    }
    releasePs = newReleasePs;
    lengths = newLengths;
    head = 0;
  }
}
