package io.github.bellwire.pcie;

import io.github.bellwire.kernel.Simulation;
import org.jspecify.annotations.Nullable;

/**
 * What a device with a translation cache of its own asks the host for: translations, by read
 * requests with AT field 01b, and pages, by messages (PCI Express Base Specification 5.0, sections
 * 10.2 and 10.4).
 *
 * <pre>{@code
 * MRd, AT 01b --> tag, credits --> link --> [ switches ] --> translation, page by page --+
 *              device <-- CplD, 8 bytes per page <-- link <------------------------------+
 * Msg --> link --> switches --> RemappingUnit
 * }</pre>
 *
 * <p>Tags and credits are those of reads. Allocates nothing after construction.
 */
final class AtsRequests {
  private static final int PAGE_BYTES = 4096;
  private static final int GROUPS = 512;

  private final Requester requester;
  private final WriteRequests writes;
  private final ReadSlots slots;
  private final RootComplex rootComplex;
  private final DownstreamPort port;
  private final LinkDirection upstream;
  private final LinkDirection downstream;
  private final FaultyTlps faults;
  private final PortErrors deviceErrors;
  private final TlpTap tap;
  private final byte[] spoilt = new byte[AtsLayout.ENTRY_BYTES];
  private final long rootUpstreamPs;
  private final long rootDownstreamPs;

  AtsRequests(
      Requester requester,
      WriteRequests writes,
      ReadSlots slots,
      RootComplex rootComplex,
      DownstreamPort port) {
    this.requester = requester;
    this.writes = writes;
    this.slots = slots;
    this.rootComplex = rootComplex;
    this.port = port;
    upstream = port.upstream();
    downstream = port.downstream();
    faults = port.faultyTlps();
    deviceErrors = port.deviceErrors();
    tap = port.tap();
    rootUpstreamPs = rootComplex.config().upstreamPs();
    rootDownstreamPs = rootComplex.config().downstreamPs();
  }

  /** Asks for translations, see {@link DmaPort#requestTranslation}. */
  long requestTranslation(
      long iova, int pagesCount, boolean wantsWrite, long atPs, AtsTranslation answer) {
    requirePage(iova);
    if (pagesCount < 1 || pagesCount > AtsTranslation.ENTRIES_MAX) {
      throw new IllegalArgumentException("pagesCount must be 1..8: pagesCount=" + pagesCount);
    }
    answer.clear();
    if (!requester.mayIssue()) {
      answer.refused(requester.status());
      return atPs;
    }
    slots.useExtendedTags(requester.isExtendedTagEnabled());
    int answerBytes = pagesCount * AtsLayout.ENTRY_BYTES;
    long startPs = writes.behindPs(slots.startPs(0, answerBytes, atPs));
    int wireBytes = TlpLayout.requestBytes(iova) + requester.extraBytes(iova, answerBytes);
    long sentPs = upstream.transmitMemoryRead(wireBytes, startPs);
    long repliedPs = reply(iova, answerBytes, wantsWrite, wireBytes, sentPs, answer);
    long donePs = Math.min(repliedPs, sentPs + requester.timeoutPs());
    if (donePs < repliedPs) {
      deviceErrors.record(PcieError.COMPLETION_TIMEOUT, donePs);
      requester.fail(DmaStatus.COMPLETION_TIMEOUT);
      answer.refused(DmaStatus.COMPLETION_TIMEOUT);
    }
    slots.completed(donePs, PendingReads.NONE);
    return donePs;
  }

  /** Serves a request that has left the device; returns when its completion is back. */
  private long reply(
      long iova,
      int answerBytes,
      boolean wantsWrite,
      int wireBytes,
      long sentPs,
      AtsTranslation answer) {
    long header01 = header01(iova, answerBytes);
    TlpFault fault = faults.ofReadRequest();
    long arrivalPs = upstream.arrivalPs(sentPs);
    if (fault != TlpFault.NONE) {
      slots.requestTaken(arrivalPs);
      tell(header01, iova, sentPs, arrivalPs);
      faults.dropRead(fault, header01, TlpHeader.request23(iova), arrivalPs);
      return Simulation.NEVER_PS;
    }
    RequestRoute route = requester.routeTranslationRequest(wireBytes, iova, answerBytes, sentPs);
    Switch turn = route.turn();
    if (turn != null) { // Translation blocking, or a port that may not pass requests on.
      long readyPs = route.arrivalPs() + turn.forwardPs();
      slots.requestTaken(requester.forwardedPs(readyPs));
      tell(header01, iova, sentPs, readyPs);
      return refuse(route.status(), turn, readyPs, answer);
    }
    long readyPs = awakePs(route.arrivalPs()) + rootUpstreamPs;
    slots.requestTaken(requester.forwardedPs(route.arrivalPs() + rootUpstreamPs));
    if (route.status() != DmaStatus.OK) {
      tell(header01, iova, sentPs, readyPs);
      return refuse(route.status(), null, readyPs + rootDownstreamPs, answer);
    }
    return translate(iova, answerBytes, wantsWrite, sentPs, readyPs, answer);
  }

  private long awakePs(long arrivalPs) {
    IdleStates idleStates = rootComplex.idleStates();
    return idleStates == null ? arrivalPs : idleStates.awakePs(arrivalPs);
  }

  /** Translates page by page, all at once; returns when the completion is at the device. */
  private long translate(
      long iova,
      int answerBytes,
      boolean wantsWrite,
      long sentPs,
      long arrivalPs,
      AtsTranslation answer) {
    long unitBytes = requester.smallestUnitBytes();
    long readyPs = arrivalPs;
    DmaStatus status = DmaStatus.OK;
    for (int done = 0; done < answerBytes; done += AtsLayout.ENTRY_BYTES) {
      long page = iova + done / AtsLayout.ENTRY_BYTES * unitBytes; // a shift: the divisor is 8
      TranslationResult result =
          requester.requestTranslation(page, PAGE_BYTES, wantsWrite, arrivalPs);
      readyPs = Math.max(readyPs, result.readyPs());
      status = result.status();
      if (status != DmaStatus.OK) {
        break;
      }
      answer.add(
          AtsLayout.entry(
              result.pa(), result.rangeBytes(), result.isReadable(), result.isWritable()));
    }
    long header01 = header01(iova, answerBytes);
    tell(header01, iova, sentPs, readyPs);
    long downPs = readyPs + rootDownstreamPs;
    if (status != DmaStatus.OK) {
      requester.report(status, header01, iova, readyPs);
      return refuse(status, null, downPs, answer);
    }
    int wireBytes = TlpLayout.COMPLETION_BYTES + answerBytes;
    TlpType type = TlpType.COMPLETION_WITH_DATA;
    return complete(type, wireBytes, null, downPs, answer);
  }

  /** Answers by a completion without entries. */
  private long refuse(DmaStatus why, @Nullable Switch turn, long readyPs, AtsTranslation answer) {
    requester.refuse(why);
    answer.refused(why);
    return complete(TlpType.COMPLETION, TlpLayout.COMPLETION_BYTES, turn, readyPs, answer);
  }

  private long complete(
      TlpType type, int wireBytes, @Nullable Switch turn, long readyPs, AtsTranslation answer) {
    long herePs = port.descend(turn, type, wireBytes, readyPs, true);
    long leftPs =
        downstream.transmit(type, wireBytes, port.requests().behindPostedWritesPs(herePs));
    long arrivalPs = downstream.arrivalPs(leftPs);
    TlpFault fault = faults.ofCompletion(type == TlpType.COMPLETION_WITH_DATA);
    if (fault == TlpFault.NONE) {
      return arrivalPs;
    }
    boolean isAnswered = faults.accept(fault, spoilt, 0, spoilt.length, arrivalPs);
    requester.fail(DmaStatus.POISONED); // An address with a wrong bit is as good as none.
    answer.refused(DmaStatus.POISONED);
    return isAnswered ? arrivalPs : Simulation.NEVER_PS;
  }

  /** Asks for a page, see {@link DmaPort#requestPage}. */
  long requestPage(
      long iova, boolean isRead, boolean isWrite, boolean isLast, int groupIndex, long atPs) {
    requirePage(iova);
    if (groupIndex < 0 || groupIndex >= GROUPS) {
      throw new IllegalArgumentException("groupIndex must be 0..511: groupIndex=" + groupIndex);
    }
    if (!requester.mayIssue()) {
      return atPs;
    }
    TlpType type = TlpType.MESSAGE;
    int wireBytes = TlpLayout.MESSAGE_BYTES + TlpLayout.prefixBytes(requester.pasid());
    long sentPs = upstream.transmit(type, wireBytes, writes.behindPs(atPs));
    long portPs = port.climb(null, type, wireBytes, upstream.arrivalPs(sentPs), true);
    long arrivalPs = portPs + rootUpstreamPs;
    int pasid = requester.pasid();
    rootComplex.receivePageRequest(
        requester.id(), pasid, iova, isRead, isWrite, isLast, groupIndex, arrivalPs);
    return arrivalPs;
  }

  private long header01(long iova, int answerBytes) {
    return TlpHeader.withAddressType(
        TlpHeader.request01(
            false, iova, answerBytes, TlpAttributes.NONE, requester.id(), slots.nextTag()),
        AddressType.TRANSLATION_REQUEST);
  }

  private void tell(long header01, long iova, long sentPs, long effectivePs) {
    if (tap.isOpen()) {
      tap.tell(header01, TlpHeader.request23(iova), sentPs, effectivePs);
    }
  }

  private static void requirePage(long iova) {
    if ((iova & PAGE_BYTES - 1) != 0) {
      throw new IllegalArgumentException(
          "iova must be a multiple of 4096: iova=0x" + Long.toHexString(iova));
    }
  }
}
