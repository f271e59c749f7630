package io.github.bellwire.pcie;

/**
 * Translates the bus addresses of devices, or refuses. Implementations outside this module model an
 * IOMMU; {@link #IDENTITY} is a host without one.
 */
@FunctionalInterface
public interface Translation {
  /** Bus address equals physical address; takes no time and refuses nothing. */
  Translation IDENTITY =
      (requesterId, iova, lengthBytes, isWrite, atPs, result) -> result.translated(iova, atPs);

  /**
   * Translates one TLP's range, which never crosses 4 KiB.
   *
   * @param requesterId see {@link Bdf#requesterId()}
   * @param iova first byte
   * @param lengthBytes 1..4096
   * @param isWrite whether the device writes
   * @param atPs when the TLP arrives, in picoseconds
   * @param result receives the outcome; owned by the caller
   */
  void translate(
      int requesterId,
      long iova,
      int lengthBytes,
      boolean isWrite,
      long atPs,
      TranslationResult result);

  /**
   * {@return whether the addresses that a function declares translated (AT field 10b) are used as
   * they are; without address translation services nobody's are}
   *
   * @param requesterId see {@link Bdf#requesterId()}
   */
  default boolean trustsTranslated(int requesterId) {
    return false;
  }
}
