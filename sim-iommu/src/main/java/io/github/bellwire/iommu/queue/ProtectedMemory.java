package io.github.bellwire.iommu.queue;

/**
 * Two regions of memory that firmware keeps devices out of while nothing is translated (VT-d
 * specification 4.1, section 11.4.8). A base and a limit are the first and the last block of 2 MiB;
 * the size of a block is an assumption, software finds it by writing ones.
 */
final class ProtectedMemory {
  static final long BLOCK_MASK = -1L << 21;

  private static final long LOW_MASK = 0xFFFF_FFFFL;

  private boolean isEnabled;
  private long lowBase;
  private long lowLimit;
  private long highBase;
  private long highLimit;

  void setEnabled(boolean newIsEnabled) {
    isEnabled = newIsEnabled;
  }

  boolean isEnabled() {
    return isEnabled;
  }

  void setLow(long base, long limit) {
    lowBase = base & BLOCK_MASK & LOW_MASK;
    lowLimit = limit & LOW_MASK | ~BLOCK_MASK;
  }

  void setHigh(long base, long limit) {
    highBase = base & BLOCK_MASK;
    highLimit = limit | ~BLOCK_MASK;
  }

  /** {@return whether devices may not touch a range} */
  boolean contains(long pa, int lengthBytes) {
    if (!isEnabled) {
      return false;
    }
    long last = pa + lengthBytes - 1;
    return pa <= lowLimit && last >= lowBase || pa <= highLimit && last >= highBase;
  }
}
