package io.github.bellwire.device.probe;

import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.TlpAttributes;

/**
 * Carries out one read at a time: cuts it into requests, takes a tag for each and stores the data
 * once the last completion is there.
 */
final class ReadEngine {
  /** What {@link #issue} returns when every request has been issued. */
  static final long ISSUED = -1;

  private static final int MRRS_MIN_BYTES = 128;

  private final ProbeConfig.Reads config;
  private final DmaPort dma;
  private final ConfigSpace configSpace;
  private final OutstandingTags tags;
  private final OutstandingTags buffers;
  private final byte[] buffer;
  private final long commandPs;
  private final long requestGapPs;

  private long iova;
  private int lengthBytes;
  private int issuedBytes;
  private long nextRequestPs;
  private final long[] requestTickets;
  private int requestsCount;
  private long arrivedPs;
  private long lastTicket; // of the request whose data arrives last, as known when issued
  private long refusedTotal;

  /** All reads have the length of the buffer; in a stream of them, others use the gaps in one. */
  ReadEngine(
      ProbeConfig config, DmaPort dma, ConfigSpace configSpace, byte[] buffer, boolean isStream) {
    this.config = config.reads();
    this.dma = dma;
    this.configSpace = configSpace;
    this.buffer = buffer;
    boolean isShort = buffer.length <= this.config.shortBytes();
    int most = isShort ? this.config.shortOutstandingBytes() / buffer.length : config.tags();
    tags = new OutstandingTags(config.tags(), this.config.takesTagsInTurn());
    buffers = new OutstandingTags(Math.min(config.tags(), most), false);
    requestTickets = new long[buffer.length / MRRS_MIN_BYTES + 2];
    commandPs = config.firmware().commandPs();
    requestGapPs = isStream ? 0 : this.config.nextRequestPs();
  }

  /** Takes up a read, of which nothing has been issued yet. */
  void begin(long newIova, int newLengthBytes) {
    iova = newIova;
    lengthBytes = newLengthBytes;
    issuedBytes = 0;
    nextRequestPs = 0;
    requestsCount = 0;
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
      long mayPs = Math.max(nextRequestPs, freePs(tags, nowPs));
      if (issuedBytes == 0) {
        mayPs = Math.max(mayPs, freePs(buffers, nowPs));
      }
      if (mayPs > nowPs) {
        return mayPs;
      }
      long address = iova + issuedBytes;
      int piece = config.requestBytes(address, lengthBytes - issuedBytes, mrrsBytes);
      long repliedPs =
          dma.read(address, buffer, issuedBytes, piece, nowPs, TlpAttributes.RELAXED_ORDERING);
      if (dma.status() != DmaStatus.OK) {
        refusedTotal++;
      }
      // The tag belongs to the command from its start on, which is that much earlier; so is the
      // time at which the command that takes it next may start.
      long ticket = dma.readTicket();
      tags.take(nowPs, repliedPs + commandPs, ticket, commandPs);
      nextRequestPs = nowPs + requestGapPs;
      requestTickets[requestsCount++] = ticket;
      if (repliedPs >= arrivedPs) {
        arrivedPs = repliedPs;
        lastTicket = ticket;
      }
      issuedBytes += piece;
      if (issuedBytes == lengthBytes) {
        takeBuffer(nowPs);
      }
    }
    return ISSUED;
  }

  /** Requests may pass each other: the buffer is needed until all data has arrived and retired. */
  private void takeBuffer(long nowPs) {
    long retirePs = lengthBytes * config.retirePsPerByte() + commandPs;
    buffers.take(nowPs, arrivedPs + retirePs, lastTicket, retirePs);
  }

  /** Asks again when the last data of the read issued last arrives; returns that time. */
  long updateArrivedPs() {
    long updatedPs = 0;
    for (int i = 0; i < requestsCount; i++) {
      updatedPs = Math.max(updatedPs, dma.arrivalPs(requestTickets[i]));
    }
    arrivedPs = updatedPs == 0 ? arrivedPs : updatedPs;
    return arrivedPs;
  }

  /** {@return when the last data of the read issued last arrives, as known when last asked} */
  long arrivedPs() {
    return arrivedPs;
  }

  /** {@return when the device has all data of the read issued last, as known when last asked} */
  long donePs() {
    return arrivedPs + lengthBytes * config.retirePsPerByte();
  }

  /** {@return when to look whether a tag and a buffer are free for the next read} */
  long nextReadPs() {
    return Math.max(tags.nextFreePs(), buffers.nextFreePs());
  }

  /** Returns when the next read finds a free one, as known now. */
  private long freePs(OutstandingTags those, long nowPs) {
    while (those.firstTicket() != 0) {
      long arrivalPs = dma.arrivalPs(those.firstTicket());
      long freePs = arrivalPs == 0 ? those.nextFreePs() : arrivalPs + those.firstRetirePs();
      if (freePs != those.nextFreePs()) {
        those.postponeFirst(freePs);
      } else if (freePs > nowPs) {
        return freePs;
      } else {
        those.confirmFirst();
      }
    }
    return those.nextFreePs();
  }

  long tagsHeldPsTotal() {
    return tags.heldPsTotal();
  }

  /** {@return reads that have no answer yet} */
  int outstandingCount(long nowPs) {
    return tags.inUseCount(nowPs);
  }

  long refusedTotal() {
    return refusedTotal;
  }
}
