package io.github.bellwire.pcie;

import org.jspecify.annotations.Nullable;

/**
 * Messages from the host to a function that keeps translations, and their answers (PCI Express Base
 * Specification 5.0, sections 10.3 and 10.4): requests to make translations invalid, with the
 * completion that comes back, and responses to groups of page requests.
 *
 * <pre>{@code
 * unit --> credits --> switches, link --> Endpoint
 *      <-- behind the function's writes <--- when its uses of the translations are over
 * }</pre>
 */
final class AtsMessages {
  /** Invalidations of one function's translations that may be outstanding: 5 bits of ITag. */
  private static final int INVALIDATIONS_MAX = 32;

  private final DownstreamPort port;
  private final Endpoint endpoint;
  private final UpstreamPath path;
  private final @Nullable CreditPool credits;
  private final long creditReturnPs;
  private final long rootUpstreamPs;
  private final TagPool tags = new TagPool(INVALIDATIONS_MAX);

  /**
   * Creates the way to one function.
   *
   * @param credits of the port's posted requests, shared with those; null if there is no limit
   * @param creditReturnPs from a message's arrival to the return of its credits
   */
  AtsMessages(
      DownstreamPort port,
      Endpoint endpoint,
      UpstreamPath path,
      @Nullable CreditPool credits,
      long creditReturnPs,
      RootComplexConfig rootComplex) {
    this.port = port;
    this.endpoint = endpoint;
    this.path = path;
    this.credits = credits;
    this.creditReturnPs = creditReturnPs;
    rootUpstreamPs = rootComplex.upstreamPs();
  }

  /** See {@link RootComplex#invalidateDeviceTlb}; from the port of the root complex on. */
  long invalidate(int pasid, long iova, long sizeBytes, long readyPs) {
    if (endpoint.configSpace().isSilent()) {
      return -1; // Under reset.
    }
    int wireBytes = TlpLayout.MESSAGE_WITH_DATA_BYTES + TlpLayout.prefixBytes(pasid);
    long arrivalPs = send(wireBytes, Math.max(readyPs, tags.nextFreePs()));
    long donePs = endpoint.onInvalidateRequest(pasid, iova, sizeBytes, arrivalPs);
    if (donePs < 0) {
      return -1;
    }
    TlpType type = TlpType.MESSAGE;
    int answerBytes = TlpLayout.MESSAGE_BYTES;
    LinkDirection upstream = port.upstream();
    long leftPs = upstream.transmit(type, answerBytes, path.behindPostedWritesPs(donePs));
    long rootPs = port.climb(null, type, answerBytes, upstream.arrivalPs(leftPs), true);
    long answeredPs = Math.max(rootPs + rootUpstreamPs, path.committedPs(leftPs));
    tags.take(answeredPs);
    return answeredPs;
  }

  /** See {@link RootComplex#respondToPageRequest}; from the port of the root complex on. */
  long respond(int pasid, int groupIndex, int response, long readyPs) {
    if (endpoint.configSpace().isSilent()) {
      return -1;
    }
    long arrivalPs = send(TlpLayout.MESSAGE_BYTES + TlpLayout.prefixBytes(pasid), readyPs);
    endpoint.onPageGroupResponse(pasid, groupIndex, response, arrivalPs);
    return arrivalPs;
  }

  /** Sends a message to the function, behind register writes before it; returns its arrival. */
  private long send(int wireBytes, long readyPs) {
    long herePs = port.descend(null, TlpType.MESSAGE, wireBytes, readyPs, true);
    long startPs = port.requests().behindPostedWritesPs(herePs);
    LinkDirection downstream = port.downstream();
    if (credits == null) {
      return downstream.arrivalPs(downstream.transmit(TlpType.MESSAGE, wireBytes, startPs));
    }
    int data = CreditPool.dataCredits(Math.max(0, wireBytes - TlpLayout.MESSAGE_BYTES));
    long takenPs = credits.take(data, startPs);
    long arrivalPs = downstream.arrivalPs(downstream.transmit(TlpType.MESSAGE, wireBytes, takenPs));
    credits.giveBack(data, arrivalPs + creditReturnPs);
    return arrivalPs;
  }
}
