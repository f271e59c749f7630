package io.github.bellwire.iommu.queue;

import io.github.bellwire.pcie.IntegratedRegisters;

/**
 * Registers of an IOMMU as words of 32 bits. Accesses of 32 and 64 bits at multiples of their size
 * count; a 64-bit access is one to the low half and one to the high half. Smaller reads give their
 * part of the word, smaller writes are ignored. What is no more than memory is kept here.
 */
public abstract class WordRegisters implements IntegratedRegisters {
  private static final long LOW_MASK = 0xFFFF_FFFFL;

  private final long baseAddress;
  private final int[] words;
  private long oddAccessesTotal;

  /**
   * Creates registers that are zero.
   *
   * @param baseAddress host physical address of the first one
   * @param sizeBytes of all of them, a multiple of 4
   */
  protected WordRegisters(long baseAddress, int sizeBytes) {
    this.baseAddress = baseAddress;
    words = new int[sizeBytes / Integer.BYTES];
  }

  /**
   * Brings what happens by itself up to date.
   *
   * @param atPs when software looks
   */
  protected abstract void settle(long atPs);

  /**
   * {@return a word as software sees it}
   *
   * @param offset a multiple of 4
   * @param atPs when the request arrives
   */
  protected abstract int readWord(int offset, long atPs);

  /**
   * Software writes a word.
   *
   * @param offset a multiple of 4
   * @param value what it writes
   * @param atPs when the request arrives
   */
  protected abstract void writeWord(int offset, int value, long atPs);

  @Override
  public final long baseAddress() {
    return baseAddress;
  }

  @Override
  public final int sizeBytes() {
    return words.length * Integer.BYTES;
  }

  @Override
  public final long read(int offset, int sizeBytes, long atPs) {
    long mask = -1L >>> Long.SIZE - sizeBytes * Byte.SIZE;
    if ((offset & sizeBytes - 1) != 0) {
      oddAccessesTotal++;
      return mask;
    }
    settle(atPs);
    if (sizeBytes == Long.BYTES) {
      return join(readWord(offset, atPs), readWord(offset + Integer.BYTES, atPs));
    }
    int shift = (offset & Integer.BYTES - 1) * Byte.SIZE;
    return readWord(offset & -Integer.BYTES, atPs) >>> shift & mask;
  }

  @Override
  public final void write(int offset, int sizeBytes, long value, long atPs) {
    if ((offset & sizeBytes - 1) != 0 || sizeBytes < Integer.BYTES) {
      oddAccessesTotal++;
      return;
    }
    settle(atPs);
    writeWord(offset, (int) value, atPs);
    if (sizeBytes == Long.BYTES) {
      writeWord(offset + Integer.BYTES, (int) (value >>> Integer.SIZE), atPs);
    }
  }

  /** {@return accesses that no register understands} */
  public final long oddAccessesTotal() {
    return oddAccessesTotal;
  }

  /**
   * Keeps a word.
   *
   * @param offset a multiple of 4
   * @param value for {@link #word}
   */
  protected final void keep(int offset, int value) {
    words[offset / Integer.BYTES] = value;
  }

  /**
   * {@return the word kept}
   *
   * @param offset a multiple of 4
   */
  protected final int word(int offset) {
    return words[offset / Integer.BYTES];
  }

  /**
   * {@return two words kept, the low one first}
   *
   * @param offset a multiple of 4
   */
  protected final long wide(int offset) {
    return join(word(offset), word(offset + Integer.BYTES));
  }

  private static long join(int low, int high) {
    return low & LOW_MASK | (long) high << Integer.SIZE;
  }
}
