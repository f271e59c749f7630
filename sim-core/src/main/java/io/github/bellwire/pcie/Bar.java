package io.github.bellwire.pcie;

/**
 * A memory window that a function asks for (PCI Express Base Specification 5.0, section 7.5.1.2.1).
 * Construction throws {@link IllegalArgumentException} naming the property, the bound it breaks and
 * its value. I/O windows are not modelled.
 *
 * @param index register that describes the window, 0..5; a 64-bit window occupies {@code index + 1}
 *     as well, so its index is at most 4
 * @param is64Bit whether the window may lie above 4 GiB
 * @param prefetchable whether reads have no side effects
 * @param sizeBytes a power of two from 128 B to 2 GiB, for 64-bit windows to 1 TiB
 */
public record Bar(int index, boolean is64Bit, boolean prefetchable, long sizeBytes) {
  /** The smallest memory window of a PCI Express function, in bytes (section 7.5.1.2.1). */
  public static final long MIN_SIZE_BYTES = 128;

  /** The largest 32-bit window, in bytes: one address bit has to be writable. */
  public static final long MAX_SIZE_32_BYTES = 1L << 31;

  /** The largest 64-bit window, in bytes; a bound of this model. */
  public static final long MAX_SIZE_64_BYTES = 1L << 40;

  // Checked here and nowhere else.
  public Bar {
    int maxIndex = is64Bit ? ConfigLayout.BAR_COUNT - 2 : ConfigLayout.BAR_COUNT - 1;
    if (index < 0 || index > maxIndex) {
      throw new IllegalArgumentException(
          "index must be 0.." + maxIndex + ": index=" + index + ", is64Bit=" + is64Bit);
    }
    long maxBytes = is64Bit ? MAX_SIZE_64_BYTES : MAX_SIZE_32_BYTES;
    if (sizeBytes < MIN_SIZE_BYTES || sizeBytes > maxBytes || Long.bitCount(sizeBytes) != 1) {
      throw new IllegalArgumentException(
          "sizeBytes must be a power of two in "
              + MIN_SIZE_BYTES
              + ".."
              + maxBytes
              + ": sizeBytes="
              + sizeBytes);
    }
  }

  /**
   * {@return a 32-bit window whose reads may have side effects}
   *
   * @param index 0..5
   * @param sizeBytes a power of two from 128 B to 2 GiB
   */
  public static Bar memory32(int index, long sizeBytes) {
    return new Bar(index, false, false, sizeBytes);
  }

  /**
   * {@return a 64-bit window whose reads may have side effects}
   *
   * @param index 0..4
   * @param sizeBytes a power of two from 128 B to 1 TiB
   */
  public static Bar memory64(int index, long sizeBytes) {
    return new Bar(index, true, false, sizeBytes);
  }

  /**
   * {@return this window with or without the promise that reads have no side effects}
   *
   * @param newPrefetchable the promise
   */
  public Bar withPrefetchable(boolean newPrefetchable) {
    return new Bar(index, is64Bit, newPrefetchable, sizeBytes);
  }

  /** {@return how many base address registers the window occupies, 1 or 2} */
  public int registerCount() {
    return is64Bit ? 2 : 1;
  }
}
