package io.github.bellwire.pcie;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import java.util.ArrayList;
import java.util.List;

/**
 * A device of {@link OrderErrorTest} that keeps its tags busy, as devices here do: it goes on by an
 * event when the next request or write can start, and asks its {@link DmaPort} when each is done,
 * again when that time has come.
 */
final class AnnotatedRequester extends Event {
  private final Simulation simulation;
  private final ClosedLoopLoad load;
  private final DmaPort dma;
  private final TagPool writes;
  private final byte[] buffer = new byte[4096];
  private final int pieceBytes;

  private long address;
  private long startPs;
  private long donePs;
  private long sentPs;
  private int issuedBytes;
  private final List<Read> reads = new ArrayList<>();
  private List<Long> tickets = new ArrayList<>();

  /** A read that may not be done yet, with the tickets of its requests. */
  private record Read(long startPs, List<Long> tickets) {}

  AnnotatedRequester(Simulation simulation, ClosedLoopLoad load, DmaPort dma, PcieLinkConfig link) {
    this.simulation = simulation;
    this.load = load;
    this.dma = dma;
    writes = new TagPool(load.tags);
    pieceBytes = load.isWrite ? link.maxPayloadBytes() : link.maxReadRequestBytes();
  }

  @Override
  protected void onEvent(long nowPs) {
    record(nowPs);
    long againPs = nowPs;
    while (againPs == nowPs) {
      againPs = load.isWrite ? write(nowPs) : read(nowPs);
    }
    simulation.schedule(this, againPs);
  }

  /** Issues the next request; returns when to go on. */
  private long read(long nowPs) {
    if (dma.tagFreePs() > nowPs) {
      return dma.tagFreePs();
    }
    begin(nowPs);
    int piece =
        TlpLayout.requestPieceBytes(
            address + issuedBytes, load.sizeBytes - issuedBytes, pieceBytes);
    dma.read(address + issuedBytes, buffer, 0, piece, nowPs);
    tickets.add(dma.readTicket());
    issuedBytes += piece;
    if (isEnd()) {
      reads.add(new Read(startPs, tickets));
      tickets = new ArrayList<>();
    }
    return nowPs;
  }

  /** Takes note of the reads that are certainly done. */
  private void record(long nowPs) {
    for (int i = 0; i < reads.size(); ) {
      long arrivedPs = 0;
      for (long ticket : reads.get(i).tickets) {
        arrivedPs = Math.max(arrivedPs, dma.arrivalPs(ticket));
      }
      if (arrivedPs <= nowPs) {
        load.done(reads.remove(i).startPs, arrivedPs);
      } else {
        i++;
      }
    }
  }

  /** Sends the next write as far as the horizon allows; returns when to go on. */
  private long write(long nowPs) {
    if (issuedBytes == 0 && writes.nextFreePs() > nowPs) {
      return writes.nextFreePs();
    }
    begin(nowPs);
    sentPs = nowPs;
    do {
      int piece =
          TlpLayout.requestPieceBytes(
              address + issuedBytes, load.sizeBytes - issuedBytes, pieceBytes);
      donePs = dma.write(address + issuedBytes, buffer, 0, piece, sentPs);
      sentPs = dma.sentPs();
      issuedBytes += piece;
    } while (issuedBytes < load.sizeBytes && sentPs - nowPs <= dma.horizonPs());
    if (isEnd()) {
      load.done(startPs, donePs);
      writes.take(donePs);
    }
    return sentPs;
  }

  private void begin(long nowPs) {
    if (issuedBytes == 0) {
      address = load.nextAddress();
      startPs = nowPs;
      donePs = 0;
    }
  }

  private boolean isEnd() {
    if (issuedBytes < load.sizeBytes) {
      return false;
    }
    issuedBytes = 0;
    return true;
  }
}
