package io.github.bellwire.iommu.driver;

/**
 * A range of bus addresses that is not handed out, or is mapped to itself.
 *
 * @param firstIova a multiple of 4 KiB, at least 0
 * @param lastIova last byte, the end of a page
 */
public record IovaRange(long firstIova, long lastIova) {
  /** Writes to these addresses are interrupt messages. */
  public static final IovaRange INTERRUPTS = new IovaRange(0xFEE0_0000L, 0xFEEF_FFFFL);

  // Checked here and nowhere else.
  public IovaRange {
    if (firstIova < 0
        || lastIova < firstIova
        || (firstIova & PageTables.PAGE_BYTES - 1) != 0
        || (lastIova + 1 & PageTables.PAGE_BYTES - 1) != 0) {
      throw new IllegalArgumentException(
          String.format(
              "range must be whole pages of 4 KiB: firstIova=0x%x, lastIova=0x%x",
              firstIova, lastIova));
    }
  }

  /** {@return its length} */
  public long lengthBytes() {
    return lastIova - firstIova + 1;
  }
}
