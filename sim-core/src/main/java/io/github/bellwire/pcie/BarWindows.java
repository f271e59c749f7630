package io.github.bellwire.pcie;

import java.util.List;

/** The memory windows of a function as its base address registers place them. */
final class BarWindows {
  private final Bar[] bars;
  private final long[] sizesBytes = new long[ConfigLayout.BAR_COUNT];
  private final long[] addresses = new long[ConfigLayout.BAR_COUNT];

  // The windows that are decoded, without gaps.
  private int decodedCount;
  private final int[] decodedBar = new int[ConfigLayout.BAR_COUNT];
  private final long[] decodedAddress = new long[ConfigLayout.BAR_COUNT];
  private final long[] decodedMask = new long[ConfigLayout.BAR_COUNT];

  /** Takes the windows in ascending order of their index. */
  BarWindows(List<Bar> bars) {
    this.bars = bars.toArray(new Bar[0]);
    for (Bar bar : bars) {
      sizesBytes[bar.index()] = bar.sizeBytes();
    }
  }

  /** Defines the registers of a window: unassigned after reset. */
  static void install(ConfigRegisters registers, Bar bar) {
    int offset = ConfigLayout.barOffset(bar.index());
    long addressBits = -bar.sizeBytes();
    registers.set32(
        offset,
        (bar.is64Bit() ? ConfigLayout.BAR_TYPE_64 : 0)
            | (bar.prefetchable() ? ConfigLayout.BAR_PREFETCHABLE : 0));
    registers.writable32(offset, (int) addressBits & ~ConfigLayout.BAR_ATTRIBUTES);
    if (bar.is64Bit()) {
      registers.writable32(offset + Integer.BYTES, (int) (addressBits >>> Integer.SIZE));
    }
  }

  /** Reads the base address registers; a window at address 0 is never decoded. */
  void decode(ConfigRegisters registers, boolean memoryEnabled) {
    decodedCount = 0;
    for (int i = 0; i < bars.length; i++) {
      Bar bar = bars[i];
      int index = bar.index();
      int offset = ConfigLayout.barOffset(index);
      long address = registers.value(offset) & 0xFFFF_FFF0L;
      if (bar.is64Bit()) {
        address |= (long) registers.value(offset + Integer.BYTES) << Integer.SIZE;
      }
      addresses[index] = address;
      if (memoryEnabled && address != 0) {
        decodedBar[decodedCount] = index;
        decodedAddress[decodedCount] = address;
        decodedMask[decodedCount] = -bar.sizeBytes();
        decodedCount++;
      }
    }
  }

  int indexAt(long address) {
    for (int i = 0; i < decodedCount; i++) {
      if ((address & decodedMask[i]) == decodedAddress[i]) {
        return decodedBar[i];
      }
    }
    return -1;
  }

  long address(int index) {
    requireIndex(index);
    return addresses[index];
  }

  long sizeBytes(int index) {
    requireIndex(index);
    return sizesBytes[index];
  }

  private static void requireIndex(int bar) {
    if (bar < 0 || bar >= ConfigLayout.BAR_COUNT) {
      throw new IllegalArgumentException("bar must be 0..5: bar=" + bar);
    }
  }
}
