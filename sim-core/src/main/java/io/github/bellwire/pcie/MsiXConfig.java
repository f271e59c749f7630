package io.github.bellwire.pcie;

import static io.github.bellwire.kernel.Requirements.require;

/**
 * Where a function keeps its MSI-X table and pending bit array, and how many vectors it has (PCI
 * Express Base Specification 5.0, section 7.7.2). Construction throws {@link
 * IllegalArgumentException} naming the property, the bound it breaks and its value.
 *
 * @param vectorCount 1..2048
 * @param tableBar BAR that holds the table, 0..5
 * @param tableOffset first byte of the table in its BAR, a non-negative multiple of 8
 * @param pbaBar BAR that holds the pending bit array, 0..5
 * @param pbaOffset first byte of the array in its BAR, a non-negative multiple of 8; the two do not
 *     overlap
 */
public record MsiXConfig(
    int vectorCount, int tableBar, int tableOffset, int pbaBar, int pbaOffset) {
  // Checked here and nowhere else.
  public MsiXConfig {
    require(vectorCount >= 1 && vectorCount <= 2048, "vectorCount", vectorCount, "1..2048");
    require(tableBar >= 0 && tableBar <= 5, "tableBar", tableBar, "0..5");
    require(pbaBar >= 0 && pbaBar <= 5, "pbaBar", pbaBar, "0..5");
    require(isWindowOffset(tableOffset), "tableOffset", tableOffset, "a multiple of 8, >= 0");
    require(isWindowOffset(pbaOffset), "pbaOffset", pbaOffset, "a multiple of 8, >= 0");
    boolean disjoint =
        tableBar != pbaBar
            || (long) tableOffset + tableBytes(vectorCount) <= pbaOffset
            || (long) pbaOffset + pbaBytes(vectorCount) <= tableOffset;
    require(disjoint, "pbaOffset", pbaOffset, "outside the table at " + tableOffset);
  }

  /** {@return the size of the table in bytes: 16 per vector} */
  public int tableBytes() {
    return tableBytes(vectorCount);
  }

  /** {@return the size of the pending bit array in bytes: 8 per 64 vectors, rounded up} */
  public int pbaBytes() {
    return pbaBytes(vectorCount);
  }

  private static int tableBytes(int vectorCount) {
    return vectorCount * MsiXLayout.ENTRY_BYTES;
  }

  private static int pbaBytes(int vectorCount) {
    return (vectorCount + 63) / 64 * Long.BYTES; // rounded up to whole 64-bit words
  }

  private static boolean isWindowOffset(int offset) {
    return offset >= 0 && (offset & 7) == 0;
  }
}
