package io.github.bellwire.pcie;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.DownstreamPort.Occupant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What cores and peers ask of the device at the far end of a link, and its answers.
 *
 * <pre>{@code
 * core, peer --> [ switches ] --> credits --> downstream --> RequestQueue --> Endpoint
 *            <-- [ switches ] <-------------- upstream <--- behind its writes <---'
 * }</pre>
 *
 * <p>Where there is no device the port answers in its place. Allocates nothing after construction.
 */
final class DownstreamRequests {
  private final DownstreamPort port;
  private final RootComplex rootComplex;
  private final Simulation simulation;
  private final LinkDirection upstream;
  private final LinkDirection downstream;
  private final PortErrors errors;
  private final PortErrors deviceErrors;
  private final @Nullable CreditPool postedCredits;
  private final long creditReturnPs;
  private final long propagationPs;
  // When the last memory write left the port.
  private long sentPs;
  private long mmioWritesTotal;

  /**
   * Creates the way through a port.
   *
   * @param credits of posted requests; null if there is no limit
   * @param creditReturnPs from a write's arrival to the return of its credits
   */
  DownstreamRequests(
      DownstreamPort port,
      RootComplex rootComplex,
      PcieLink link,
      @Nullable CreditPool credits,
      long creditReturnPs) {
    this.port = port;
    this.rootComplex = rootComplex;
    simulation = rootComplex.simulation();
    upstream = link.upstream();
    downstream = link.downstream();
    errors = link.upperErrors();
    deviceErrors = link.lowerErrors();
    postedCredits = credits;
    this.creditReturnPs = creditReturnPs;
    propagationPs = link.config().propagationPs();
  }

  /** {@return register writes that cores have sent to the device} */
  long mmioWritesTotal() {
    return mmioWritesTotal;
  }

  /** A core writes to a register; returns how long the root port took: waiting and sending. */
  long mmioWrite(long address, int sizeBytes, long value, long readyPs) {
    Occupant current = port.occupantOrNull();
    long herePs = sendWrite(null, address, sizeBytes, readyPs);
    int bar = barAt(address, sizeBytes);
    if (current == null || bar < 0) {
      reportUnsupported(true, address, sizeBytes, 0, arrivalPs());
    } else {
      long offset = address - current.endpoint().configSpace().barAddress(bar);
      long arrivalPs = arrivalPs();
      current.queue().add(bar, offset, sizeBytes, value, herePs, arrivalPs);
      mmioWritesTotal++;
    }
    return port.leftRootPs(sentPs) - readyPs;
  }

  /** A core writes up to a line; returns how long the root port took: waiting and sending. */
  long mmioWrite(long address, byte[] source, int sourceOffset, int lengthBytes, long readyPs) {
    long arrivalPs = peerWrite(null, null, address, source, sourceOffset, lengthBytes, readyPs);
    mmioWritesTotal += arrivalPs < 0 ? 0 : 1;
    return port.leftRootPs(sentPs) - readyPs;
  }

  /** Sends a memory write, see {@link #sentPs}; returns when it was ready at this port. */
  private long sendWrite(@Nullable Switch turn, long address, int lengthBytes, long readyPs) {
    int dataBytes = TlpLayout.dataBytes(address, lengthBytes);
    int wireBytes =
        TlpLayout.requestBytes(address)
            + dataBytes
            + downstream.requestExtraBytes(address, lengthBytes);
    long herePs = port.descend(turn, TlpType.MEMORY_WRITE, wireBytes, readyPs, true);
    long startPs = behindPostedWritesPs(herePs);
    if (port.occupantOrNull() == null) {
      sentPs = herePs; // Nothing is sent on a link that is down.
    } else if (postedCredits == null) {
      sentPs = downstream.transmitMemoryWrite(wireBytes, startPs);
    } else {
      int credits = CreditPool.dataCredits(dataBytes);
      sentPs = downstream.transmitMemoryWrite(wireBytes, postedCredits.take(credits, startPs));
      // The device takes a register write when it arrives.
      postedCredits.giveBack(credits, downstream.arrivalPs(sentPs) + creditReturnPs);
    }
    return herePs;
  }

  /** Returns when the last memory write is at the device, or is found to have nowhere to go. */
  private long arrivalPs() {
    return port.occupantOrNull() == null ? sentPs : downstream.arrivalPs(sentPs);
  }

  /** A core reads a register: lets time run until the request is there. */
  void mmioRead(long address, int sizeBytes, long readyPs, MmioResult result) {
    simulation.runUntil(sendRead(null, address, readyPs));
    long nowPs = simulation.nowPs();
    int bar = barAt(address, sizeBytes);
    long value = RootComplex.allOnes(sizeBytes);
    if (bar >= 0) {
      Endpoint endpoint = port.endpoint();
      long offset = address - endpoint.configSpace().barAddress(bar);
      value = endpoint.mmioRead(bar, offset, sizeBytes, nowPs);
    }
    result.answer(value, complete(bar, address, sizeBytes, nowPs));
  }

  /** Returns when a read request is at the device. */
  long sendRead(@Nullable Switch turn, long address, long readyPs) {
    int wireBytes = TlpLayout.requestBytes(address);
    long herePs = port.descend(turn, TlpType.MEMORY_READ, wireBytes, readyPs, true);
    if (port.occupantOrNull() == null) {
      return herePs; // Nothing is sent on a link that is down.
    }
    return downstream.arrivalPs(
        downstream.transmitMemoryRead(wireBytes, behindPostedWritesPs(herePs)));
  }

  /** Lets time run until the request is at the device; returns when the bytes are at the core. */
  long answerRead(
      long address, byte[] destination, int destinationOffset, int lengthBytes, long arrivalPs) {
    simulation.runUntil(arrivalPs);
    long nowPs = simulation.nowPs();
    int bar = barAt(address, lengthBytes);
    if (bar >= 0) {
      Endpoint endpoint = port.endpoint();
      long offset = address - endpoint.configSpace().barAddress(bar);
      endpoint.mmioRead(bar, offset, destination, destinationOffset, lengthBytes, nowPs);
    } else {
      int end = destinationOffset + lengthBytes;
      Arrays.fill(destination, destinationOffset, end, (byte) 0xff);
    }
    return complete(bar, address, lengthBytes, nowPs);
  }

  /** Answers a core's read, without data if no BAR was hit; returns when that is at the core. */
  private long complete(int bar, long address, int lengthBytes, long arrivalPs) {
    Occupant current = port.occupantOrNull();
    if (current == null) {
      reportUnsupported(false, address, lengthBytes, 0, arrivalPs);
      return port.climb(null, TlpType.COMPLETION, TlpLayout.COMPLETION_BYTES, arrivalPs, true)
          + rootComplex.config().upstreamPs();
    }
    TlpType type = TlpType.COMPLETION;
    int wireBytes = TlpLayout.COMPLETION_BYTES;
    long readyPs = arrivalPs;
    if (bar >= 0) {
      type = TlpType.COMPLETION_WITH_DATA;
      wireBytes += TlpLayout.dataBytes(address, lengthBytes);
      readyPs += current.endpoint().readLatencyPs(bar);
    } else {
      reportUnsupported(false, address, lengthBytes, 0, arrivalPs);
    }
    UpstreamPath path = current.upstreamPath();
    long completionSentPs = upstream.transmit(type, wireBytes, path.behindPostedWritesPs(readyPs));
    long rootPs = port.climb(null, type, wireBytes, upstream.arrivalPs(completionSentPs), true);
    // The completion pushes the device's posted writes ahead of it.
    return Math.max(rootPs + rootComplex.config().upstreamPs(), path.committedPs(completionSentPs));
  }

  /**
   * A peer writes to the device: posted.
   *
   * @param peer who writes; null for a core
   * @param turn where the request has turned downwards, as for {@link DownstreamPort#descend}
   * @return when it arrives there, or -1 - that time if nobody takes it
   */
  long peerWrite(
      @Nullable UpstreamPath peer,
      @Nullable Switch turn,
      long address,
      byte[] source,
      int sourceOffset,
      int lengthBytes,
      long readyPs) {
    long herePs = sendWrite(turn, address, lengthBytes, readyPs);
    long arrivalPs = arrivalPs();
    Occupant current = port.occupantOrNull();
    int bar = barAt(address, lengthBytes);
    if (current == null || bar < 0) {
      int requesterId = peer == null ? 0 : peer.requesterId();
      reportUnsupported(true, address, lengthBytes, requesterId, arrivalPs);
      return -1 - arrivalPs;
    }
    long offset = address - current.endpoint().configSpace().barAddress(bar);
    long leavesPs = peer == null ? 0 : peer.sentPs();
    current
        .queue()
        .addWrite(
            bar, offset, source, sourceOffset, lengthBytes, herePs, arrivalPs, peer, leavesPs);
    return arrivalPs;
  }

  /**
   * A peer reads from the device, which answers when the request arrives.
   *
   * @param turn where the request has turned downwards, as for {@link DownstreamPort#descend}
   * @return when the device can answer, or -1 - the time of arrival if nobody takes it
   */
  long peerRead(
      UpstreamPath peer,
      @Nullable Switch turn,
      long address,
      byte[] destination,
      int destinationOffset,
      int lengthBytes,
      long readyPs) {
    long arrivalPs = sendRead(turn, address, readyPs);
    Occupant current = port.occupantOrNull();
    int bar = barAt(address, lengthBytes);
    if (current == null || bar < 0) {
      reportUnsupported(false, address, lengthBytes, peer.requesterId(), arrivalPs);
      return -1 - arrivalPs;
    }
    long offset = address - current.endpoint().configSpace().barAddress(bar);
    current.queue().addRead(bar, offset, destination, destinationOffset, lengthBytes, arrivalPs);
    return arrivalPs + current.endpoint().readLatencyPs(bar);
  }

  /**
   * Sends a completion of the device for a peer up to where it turns.
   *
   * @param readyPs when the device could send it
   * @param turn as for {@link DownstreamPort#climb}
   * @param isFirst as for {@link DownstreamPort#climb}
   * @return when it has arrived there
   */
  long peerCompletion(
      @Nullable Switch turn, TlpType type, int wireBytes, long readyPs, boolean isFirst) {
    Occupant current = port.occupantOrNull();
    if (current == null) {
      return port.climb(turn, type, wireBytes, readyPs, isFirst); // The port answers in its place.
    }
    long startPs = current.upstreamPath().behindPostedWritesPs(readyPs);
    long completionSentPs = upstream.transmit(type, wireBytes, startPs);
    return port.climb(turn, type, wireBytes, upstream.arrivalPs(completionSentPs), isFirst);
  }

  /** The read of a peer that came last is given up: nothing must arrive for it. */
  void abandonRead() {
    port.occupant().queue().abandonRead();
  }

  /**
   * {@return when a TLP may enter the serializer of the downstream direction: not before the
   * register writes that were ready up to then have left}
   *
   * @param readyPs when it could start otherwise
   */
  long behindPostedWritesPs(long readyPs) {
    Occupant current = port.occupantOrNull();
    boolean isInTurn = downstream.isInTurn() && postedCredits == null; // Then it is anyway.
    return current == null || isInTurn
        ? readyPs
        : Math.max(readyPs, current.queue().lastArrivalPs(readyPs) - propagationPs);
  }

  /** Returns the window that holds all of a range, -1 if none does. */
  private int barAt(long address, int lengthBytes) {
    Occupant current = port.occupantOrNull();
    if (current == null) {
      return -1;
    }
    ConfigSpace device = current.endpoint().configSpace();
    int bar = device.barIndexAt(address);
    return bar == device.barIndexAt(address + lengthBytes - 1) ? bar : -1;
  }

  /** The device, or the port itself if there is none, does not support a request. */
  private void reportUnsupported(
      boolean isWrite, long address, int lengthBytes, int requesterId, long atPs) {
    rootComplex.countUnclaimed();
    PortErrors detector = port.occupantOrNull() == null ? errors : deviceErrors;
    detector.record(
        PcieError.UNSUPPORTED_REQUEST,
        TlpHeader.request01(isWrite, address, lengthBytes, 0, requesterId, 0),
        TlpHeader.request23(address),
        atPs);
  }
}
