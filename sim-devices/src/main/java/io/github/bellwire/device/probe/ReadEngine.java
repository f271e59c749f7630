package io.github.bellwire.device.probe;

import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.TlpAttributes;
import io.github.bellwire.pcie.TlpLayout;

/**
 * Carries out one read at a time: cuts it into requests of MRRS, takes a tag for each and stores
 * the data once the last completion is there.
 */
final class ReadEngine {
  /** What {@link #issue} returns when every request has been issued. */
  static final long ISSUED = -1;

  private final ProbeConfig.Reads config;
  private final DmaPort dma;
  private final ConfigSpace configSpace;
  private final OutstandingTags tags;
  private final byte[] buffer;
  private final long commandPs;

  private long iova;
  private int lengthBytes;
  private int issuedBytes;
  private long arrivedPs;
  private long requestsTotal;
  private long refusedTotal;

  /** All reads have the length of the buffer. */
  ReadEngine(ProbeConfig config, DmaPort dma, ConfigSpace configSpace, byte[] buffer) {
    this.config = config.reads();
    this.dma = dma;
    this.configSpace = configSpace;
    this.buffer = buffer;
    boolean isShort = buffer.length <= this.config.shortBytes();
    int most = isShort ? this.config.shortOutstandingBytes() / buffer.length : config.tags();
    tags = new OutstandingTags(Math.min(config.tags(), most));
    commandPs = config.firmware().commandPs();
  }

  /** Takes up a read, of which nothing has been issued yet. */
  void begin(long newIova, int newLengthBytes) {
    iova = newIova;
    lengthBytes = newLengthBytes;
    issuedBytes = 0;
    arrivedPs = 0;
  }

  /**
   * Issues as many requests as there are free tags.
   *
   * @return when to go on, or {@link #ISSUED}
   */
  long issue(long nowPs) {
    int mrrsBytes = configSpace.maxReadRequestBytes();
    while (issuedBytes < lengthBytes) {
      long freePs = tags.nextFreePs();
      if (freePs > nowPs) {
        return freePs;
      }
      long address = iova + issuedBytes;
      int piece = TlpLayout.requestPieceBytes(address, lengthBytes - issuedBytes, mrrsBytes);
      long repliedPs =
          dma.read(address, buffer, issuedBytes, piece, nowPs, TlpAttributes.RELAXED_ORDERING);
      if (dma.status() != DmaStatus.OK) {
        refusedTotal++;
      }
      // The tag belongs to the command from its start on, which is that much earlier; so is the
      // time at which the command that takes it next may start.
      long heldPs = repliedPs + piece * config.retirePsPerByte() + commandPs;
      tags.take(nowPs, heldPs);
      arrivedPs = Math.max(arrivedPs, repliedPs);
      issuedBytes += piece;
      requestsTotal++;
    }
    return ISSUED;
  }

  /** {@return when the device has all data of the read issued last} */
  long donePs() {
    return arrivedPs + lengthBytes * config.retirePsPerByte();
  }

  /** {@return when the next read finds a free tag} */
  long tagFreePs() {
    return tags.nextFreePs();
  }

  long tagsHeldPsTotal() {
    return tags.heldPsTotal();
  }

  /** {@return reads that have no answer yet} */
  int outstandingCount(long nowPs) {
    return tags.inUseCount(nowPs);
  }

  long requestsTotal() {
    return requestsTotal;
  }

  long refusedTotal() {
    return refusedTotal;
  }
}
