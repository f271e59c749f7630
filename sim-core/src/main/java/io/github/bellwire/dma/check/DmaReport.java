package io.github.bellwire.dma.check;

import org.jspecify.annotations.Nullable;

/**
 * One violation, explained.
 *
 * @param violation what kind
 * @param device name of the device concerned
 * @param timePs when, in picoseconds
 * @param detail what exactly, in words
 * @param iova bus address concerned, -1 if none
 * @param pa host physical address concerned, -1 if none
 * @param lengthBytes the bytes concerned, 0 if none
 * @param offsetBytes where they begin in the mapping, if there is one
 * @param by who called; null if it was the device or a plain load or store
 * @param mapping the mapping concerned, live or ended; null if none
 * @param nearest the live mapping of the device that is nearest to the address; null if none
 */
public record DmaReport(
    DmaViolation violation,
    String device,
    long timePs,
    String detail,
    long iova,
    long pa,
    int lengthBytes,
    long offsetBytes,
    @Nullable CallSite by,
    @Nullable MappingInfo mapping,
    @Nullable MappingInfo nearest) {

  /** Prints the report in several lines, as a person reads it. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(violation.identifier()).append(": ").append(violation.sentence());
    text.append("\n  what:    ").append(device).append(": ").append(detail);
    if (iova >= 0 || pa >= 0) {
      text.append("\n  where:   ");
      text.append(iova >= 0 ? "iova " + Text.hex(iova) : "");
      text.append(iova >= 0 && pa >= 0 ? ", " : "");
      text.append(pa >= 0 ? "pa " + Text.hex(pa) : "");
      text.append(lengthBytes > 0 ? ", " + Text.bytes(lengthBytes) : "");
      text.append(mapping != null ? ", offset " + offsetBytes + " in the mapping" : "");
    }
    text.append("\n  when:    ").append(Text.ns(timePs));
    if (by != null) {
      text.append("\n  who:     ").append(by);
    }
    if (mapping != null) {
      text.append("\n  mapping: ").append(mapping);
    }
    if (nearest != null) {
      text.append("\n  nearest: live, ");
      text.append(Text.bytes(nearest.distanceBytes(Math.max(0, iova)))).append(" away: ");
      text.append(nearest);
    }
    return text.toString();
  }
}
