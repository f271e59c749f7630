package io.github.bellwire.device.probe;

import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.TlpAttributes;

/** Carries out one write at a time: sends it in TLPs that end at multiples of MPS. */
final class WriteEngine {
  /** What {@link #issue} returns when all of a write has been issued. */
  static final long ISSUED = -1;

  private final DmaPort dma;
  private final ConfigSpace configSpace;
  private final byte[] buffer;

  private long iova;
  private int lengthBytes;
  private int issuedBytes;
  private long sentPs;
  private long committedPs;
  private long refusedTotal;

  WriteEngine(DmaPort dma, ConfigSpace configSpace, byte[] buffer) {
    this.dma = dma;
    this.configSpace = configSpace;
    this.buffer = buffer;
  }

  /** Takes up a write, of which nothing has been sent yet. */
  void begin(long newIova, int newLengthBytes) {
    iova = newIova;
    lengthBytes = newLengthBytes;
    issuedBytes = 0;
    committedPs = 0;
  }

  /**
   * Sends data that has been fetched, as far ahead of the clock as the port allows.
   *
   * @return when to go on, or {@link #ISSUED}
   */
  long issue(long nowPs) {
    int mpsBytes = configSpace.maxPayloadBytes();
    long horizonPs = dma.horizonPs();
    sentPs = nowPs;
    while (issuedBytes < lengthBytes) {
      if (sentPs - nowPs > horizonPs) {
        return sentPs;
      }
      long address = iova + issuedBytes;
      int toBoundary = mpsBytes - (int) (address & mpsBytes - 1);
      int piece = Math.min(lengthBytes - issuedBytes, toBoundary);
      // Relaxed, an earlier piece may be visible later.
      long visiblePs =
          dma.write(address, buffer, issuedBytes, piece, sentPs, TlpAttributes.RELAXED_ORDERING);
      committedPs = Math.max(committedPs, visiblePs);
      if (dma.status() != DmaStatus.OK) {
        refusedTotal++;
      }
      sentPs = dma.sentPs();
      issuedBytes += piece;
    }
    return ISSUED;
  }

  /** {@return when the last TLP of the write issued last has left} */
  long sentPs() {
    return sentPs;
  }

  /** {@return when the write taken up last is globally visible, as far as it has been issued} */
  long committedPs() {
    return committedPs;
  }

  long refusedTotal() {
    return refusedTotal;
  }
}
