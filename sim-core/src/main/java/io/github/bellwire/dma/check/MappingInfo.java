package io.github.bellwire.dma.check;

import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.MappingKind;
import org.jspecify.annotations.Nullable;

/**
 * A mapping as reports show it.
 *
 * @param device name of the device
 * @param kind what made it
 * @param iova first byte for the device
 * @param pa host physical address of the original
 * @param lengthBytes at least 1
 * @param direction what the device may do
 * @param isBounced whether the device has a copy
 * @param madeBy who mapped it
 * @param endedBy who unmapped it; null if it is live
 */
public record MappingInfo(
    String device,
    MappingKind kind,
    long iova,
    long pa,
    int lengthBytes,
    DmaDirection direction,
    boolean isBounced,
    CallSite madeBy,
    @Nullable CallSite endedBy) {

  /**
   * {@return how far an address is from the nearest byte of the mapping, 0 if it lies inside}
   *
   * @param address a bus address
   */
  public long distanceBytes(long address) {
    return address < iova ? iova - address : Math.max(0, address - (iova + lengthBytes - 1));
  }

  /** Prints the mapping and who made and ended it, in up to three lines. */
  @Override
  public String toString() {
    String text =
        String.format(
            "%s %s of %s at iova 0x%x, pa 0x%x%s",
            kind, direction, Text.bytes(lengthBytes), iova, pa, isBounced ? ", bounced" : "");
    text += "\n    mapped by " + madeBy;
    return endedBy == null ? text : text + "\n    unmapped by " + endedBy;
  }
}
