package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.memory.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/**
 * A device's posted requests: memory writes and interrupt messages, from the device until they are
 * globally visible.
 *
 * <pre>{@code
 * pieces of MPS --> credits --> link --> [ faults ] --> [ switches ] --> [ asleep ] --+
 *    memory, polled: at its commit time <-- order <-- caches <-- [ translation ] <-----+
 *                 interrupt controller <--'    '--> peer
 * }</pre>
 *
 * <p>A stage in brackets that is not there costs a look. Allocates nothing after construction.
 */
final class WriteRequests {
  private static final int MESSAGE_BYTES = 4;
  private static final int LINE_SHIFT = 6;

  /** By how much a TLP may last longer than its whole picoseconds. */
  private static final long ROUNDING_PS = 1;

  private final UpstreamPath path;
  private final Requester requester;
  private final RootComplex rootComplex;
  private final DeviceCachePort caches;
  private final PhysicalMemory memory;
  private final CommitQueue commits;
  private final LinkDirection upstream;
  private final @Nullable CreditPool credits;
  private final FaultyTlps faults;
  private final TlpTap tap;
  private final @Nullable IdleStates idleStates;
  // Of a device that may be pulled out.
  private final @Nullable InterruptMessages messages;
  // Ready times with the times at which the writes have left: a gap must not let others pass them.
  // None lies behind the ready time of a write that has left at once, so it need not be remembered,
  // unless somebody asks for the waiting time itself.
  private final PostedOrder sends;
  private final boolean remembersAllSends;
  private final PostedOrder order;
  private final byte[] message = new byte[MESSAGE_BYTES];
  private final long creditReturnPs;
  private final long rootUpstreamPs;
  private final long rootDownstreamPs;
  private final long ownershipPs;
  private final boolean isArrivalObservable;
  // The end of high memory if the link and the host, as they are configured, add nothing to the way
  // of a write, 0 otherwise. They have no credits, no retries (so no send need be remembered), no
  // FLIT mode, no idle states, no slot whose device may be pulled out, and no core that could tell
  // when bytes reach memory.
  private final long plainEnd;
  private final long plainWayPs;
  private long sentPs;

  WriteRequests(
      UpstreamPath path,
      Requester requester,
      RootComplex rootComplex,
      DownstreamPort port,
      DeviceCachePort caches) {
    this.path = path;
    this.requester = requester;
    this.rootComplex = rootComplex;
    this.caches = caches;
    memory = rootComplex.memory();
    commits = rootComplex.commits();
    upstream = port.upstream();
    FlowControlConfig flowControl = port.link().flowControl();
    credits = CreditPool.ofNullable(flowControl.rootPort().ph(), flowControl.rootPort().pd());
    creditReturnPs = flowControl.updatePs() + port.link().propagationPs();
    faults = port.faultyTlps();
    tap = port.tap();
    sends = new PostedOrder(rootComplex.simulation());
    remembersAllSends = credits != null || DataLinkLayer.isNeeded(port.link());
    order = new PostedOrder(rootComplex.simulation());
    rootUpstreamPs = rootComplex.config().upstreamPs();
    rootDownstreamPs = rootComplex.config().downstreamPs();
    ownershipPs = rootComplex.config().ownershipPs();
    isArrivalObservable = caches.isArrivalObservable();
    idleStates = rootComplex.idleStates();
    messages =
        port.isSlot()
            ? new InterruptMessages(rootComplex.simulation(), rootComplex.interrupts())
            : null;
    boolean isWayPlain =
        !remembersAllSends
            && idleStates == null
            && messages == null
            && !isArrivalObservable
            && !port.link().generation().isFlitMode();
    plainEnd = isWayPlain ? PhysicalMemory.HIGH_BASE + memory.highBytes() : 0;
    plainWayPs = port.link().propagationPs() + rootUpstreamPs + ownershipPs;
  }

  /** The link has gone down: what has not left never does. */
  void disconnect(long nowPs) {
    if (messages != null) {
      messages.drop(nowPs);
    }
  }

  /** {@return when the last TLP of the last write had left the device} */
  long sentPs() {
    return sentPs;
  }

  /** {@return when all writes that have left until a time are globally visible} */
  long committedPs(long atPs) {
    return order.commitBefore(atPs);
  }

  /** {@return when a TLP may enter the serializer: behind the writes that were ready no later} */
  long behindPs(long readyPs) {
    return Math.max(readyPs, sends.commitBefore(readyPs));
  }

  /** {@return how long writes have waited for credits, in picoseconds} */
  long creditWaitPsTotal() {
    return credits == null ? 0 : credits.waitedPsTotal();
  }

  /** Sends a message, see {@link DmaPort#sendMessage}. */
  long sendMessage(long address, int data, long atPs) {
    LittleEndian.putInt(message, 0, data);
    return write(address, message, 0, MESSAGE_BYTES, atPs, true);
  }

  /**
   * Writes, see {@link DmaPort#write(long, byte[], int, int, long, int)}.
   *
   * @param isPolled whether the bytes may become visible at their commit time only
   */
  long write(long iova, byte[] source, int offset, int lengthBytes, long atPs, boolean isPolled) {
    requireLength(lengthBytes);
    sentPs = atPs;
    boolean isPlain = isPlain(iova, lengthBytes);
    // What lies in one line, as descriptors and small frames do, is one TLP whatever the limits.
    if (isPlain && iova >>> LINE_SHIFT == iova + lengthBytes - 1 >>> LINE_SHIFT) {
      return sendPlain(iova, source, offset, lengthBytes, isPolled);
    }
    return isPlain || requester.mayIssue()
        ? writePieces(isPlain, iova, source, offset, lengthBytes, isPolled)
        : atPs;
  }

  private long writePieces(
      boolean isPlain, long iova, byte[] source, int offset, int lengthBytes, boolean isPolled) {
    long visiblePs = 0;
    int done = 0;
    do {
      long address = iova + done;
      int piece =
          TlpLayout.requestPieceBytes(address, lengthBytes - done, requester.maxPayloadBytes());
      visiblePs =
          isPlain
              ? sendPlain(address, source, offset + done, piece, isPolled)
              : Math.max(visiblePs, send(address, source, offset + done, piece, isPolled));
      done += piece;
    } while (done < lengthBytes);
    if (!isPlain && !requester.isRelaxed()) {
      visiblePs = order.commitBefore(sentPs);
    }
    // Nothing may have been committed if all was refused.
    return Math.max(visiblePs, sentPs);
  }

  /**
   * {@return whether nothing but link, caches and memory has to do with a write, as is usual}
   *
   * <p>On a {@linkplain #plainEnd plain way} that leaves what may change from write to write: the
   * {@linkplain Requester#isPlain requester} may send, straight to the root complex, untranslated,
   * unwatched and without attributes; and all bytes go to memory above 4 GiB, so that each header
   * has four double words, and none is a message or for a peer.
   */
  private boolean isPlain(long iova, int lengthBytes) {
    return requester.isPlain()
        && iova >= PhysicalMemory.HIGH_BASE
        && iova <= plainEnd - lengthBytes;
  }

  /**
   * Does what {@link #send} does for a piece of a write that {@link #isPlain}: the same bytes on
   * the link, the same times and the same order, but without asking for what cannot be there.
   */
  private long sendPlain(long pa, byte[] source, int offset, int lengthBytes, boolean isPolled) {
    int dataBytes = TlpLayout.dataBytes(pa, lengthBytes);
    int wireBytes = TlpLayout.REQUEST_4DW_BYTES + dataBytes;
    if (upstream.freePs() <= sentPs) {
      sentPs = upstream.appendMemoryWrite(wireBytes, sentPs); // Earlier writes have left, too.
    } else {
      transmit(wireBytes, dataBytes);
    }
    long cachedPs = caches.write(pa, lengthBytes, false, sentPs + plainWayPs);
    long commitPs = order.addBehind(sentPs, cachedPs);
    place(pa, source, offset, lengthBytes, isPolled, commitPs);
    return commitPs;
  }

  /** Sends one request; returns when it is globally visible or has been dropped. */
  private long send(long iova, byte[] source, int offset, int lengthBytes, boolean isPolled) {
    int dataBytes = TlpLayout.dataBytes(iova, lengthBytes);
    int wireBytes =
        TlpLayout.requestBytes(iova) + dataBytes + requester.extraBytes(iova, lengthBytes);
    transmit(wireBytes, dataBytes);
    long takenPs =
        requester.isWatched()
            ? receiveWatched(iova, source, offset, lengthBytes, wireBytes, isPolled)
            : receive(iova, source, offset, lengthBytes, wireBytes, isPolled);
    if (credits != null) {
      long forwardedPs = requester.isRouted() ? requester.forwardedPs(takenPs) : takenPs;
      credits.giveBack(CreditPool.dataCredits(dataBytes), forwardedPs + creditReturnPs);
    }
    return takenPs;
  }

  /** Sends a request behind the writes that were ready no later, when there are credits for it. */
  private void transmit(int wireBytes, int dataBytes) {
    long readyPs = sentPs;
    long startPs = behindPs(readyPs);
    if (credits != null) {
      startPs = credits.take(CreditPool.dataCredits(dataBytes), startPs);
    }
    sentPs = upstream.transmitMemoryWrite(wireBytes, startPs);
    if (remembersAllSends || hasWaited(wireBytes, readyPs)) {
      sends.add(readyPs, sentPs);
    }
  }

  private boolean hasWaited(int wireBytes, long readyPs) {
    return sentPs - readyPs > upstream.tlpPs(wireBytes) + ROUNDING_PS;
  }

  private long receiveWatched(
      long iova, byte[] source, int offset, int lengthBytes, int wireBytes, boolean isPolled) {
    TlpFault fault = faults.ofWrite();
    long takenPs =
        fault == TlpFault.NONE
            ? receive(iova, source, offset, lengthBytes, wireBytes, isPolled)
            : receiveFaulty(fault, iova, source, offset, lengthBytes, wireBytes, isPolled);
    if (tap.isOpen()) {
      long header01 = header01(iova, lengthBytes);
      long marked = fault == TlpFault.POISONED ? TlpHeader.withPoison(header01) : header01;
      tap.tell(marked, TlpHeader.request23(iova), sentPs, takenPs);
    }
    return takenPs;
  }

  private long receiveFaulty(
      TlpFault fault,
      long iova,
      byte[] source,
      int offset,
      int lengthBytes,
      int wireBytes,
      boolean isPolled) {
    if (faults.passes(fault)) {
      byte[] wrong = faults.corrupt(source, offset, lengthBytes);
      return receive(iova, wrong, 0, lengthBytes, wireBytes, isPolled);
    }
    long arrivalPs = upstream.arrivalPs(sentPs);
    requester.drop(arrivalPs);
    long header01 = header01(iova, lengthBytes);
    requester.fail(faults.drop(fault, header01, TlpHeader.request23(iova), arrivalPs));
    return arrivalPs;
  }

  private long header01(long iova, int lengthBytes) {
    return TlpHeader.withAddressType(
        TlpHeader.request01(true, iova, lengthBytes, requester.attributes(), requester.id(), 0),
        requester.addressType());
  }

  /** Serves a request that has left the device; returns when it is globally visible or refused. */
  private long receive(
      long iova, byte[] source, int offset, int lengthBytes, int wireBytes, boolean isPolled) {
    return requester.isRouted()
        ? receiveRouted(iova, source, offset, lengthBytes, wireBytes, isPolled)
        : arrive(iova, source, offset, lengthBytes, isPolled, upstream.arrivalPs(sentPs));
  }

  private long receiveRouted(
      long iova, byte[] source, int offset, int lengthBytes, int wireBytes, boolean isPolled) {
    RequestRoute route =
        requester.route(TlpType.MEMORY_WRITE, wireBytes, iova, lengthBytes, sentPs);
    return route.status() != DmaStatus.OK || route.turn() != null
        ? leaveAtSwitch(route, iova, source, offset, lengthBytes)
        : arrive(iova, source, offset, lengthBytes, isPolled, route.arrivalPs());
  }

  /** Serves a request that has arrived at the root complex. */
  private long arrive(
      long iova, byte[] source, int offset, int lengthBytes, boolean isPolled, long arrivalPs) {
    long awakePs = idleStates == null ? arrivalPs : idleStates.awakePs(arrivalPs);
    long readyPs = awakePs + rootUpstreamPs;
    if (requester.isMessage(iova)) {
      return deliverMessage(iova, source, offset, lengthBytes, inOrder(readyPs));
    }
    return requester.isTranslated()
        ? translate(iova, source, offset, lengthBytes, isPolled, readyPs)
        : commit(iova, iova, source, offset, lengthBytes, isPolled, readyPs);
  }

  private long translate(
      long iova, byte[] source, int offset, int lengthBytes, boolean isPolled, long atPs) {
    TranslationResult translated = requester.translate(iova, lengthBytes, true, atPs);
    long readyPs = translated.readyPs();
    return translated.status() == DmaStatus.OK
        ? commit(iova, translated.pa(), source, offset, lengthBytes, isPolled, readyPs)
        : refuseAtRoot(translated.status(), iova, lengthBytes, readyPs);
  }

  /** Writes to memory, unless the address is somebody else's. */
  private long commit(
      long iova,
      long pa,
      byte[] source,
      int offset,
      int lengthBytes,
      boolean isPolled,
      long readyPs) {
    if (!memory.contains(pa, lengthBytes)) {
      return leaveMemory(pa, source, offset, lengthBytes, readyPs);
    }
    long ownedPs = readyPs + ownershipPs;
    long commitPs = inOrder(caches.write(pa, lengthBytes, requester.isNoSnoop(), ownedPs));
    if (rootComplex.isHeard()) {
      tellWrite(iova, pa, source, offset, lengthBytes, commitPs);
    }
    if (messages != null) {
      // The device may be gone before the write has left: then it must not have happened.
      commits.add(pa, source, offset, lengthBytes, commitPs, path, sentPs);
    } else {
      place(pa, source, offset, lengthBytes, isPolled || isArrivalObservable, commitPs);
    }
    return commitPs;
  }

  private void place(
      long pa, byte[] source, int offset, int lengthBytes, boolean isVisibleLater, long commitPs) {
    if (isVisibleLater || commits.overlaps(pa, lengthBytes)) {
      commits.add(pa, source, offset, lengthBytes, commitPs);
    } else {
      memory.copyIn(pa, source, offset, lengthBytes);
    }
  }

  private void tellWrite(
      long iova, long pa, byte[] source, int offset, int lengthBytes, long commitPs) {
    DmaAccessListener listener = rootComplex.accessListener();
    if (listener != null) {
      listener.onWrite(requester.id(), iova, pa, source, offset, lengthBytes, commitPs);
    }
  }

  private long leaveAtSwitch(
      RequestRoute route, long iova, byte[] source, int offset, int lengthBytes) {
    Switch turn = route.turn();
    DownstreamPort peer = route.peer();
    if (turn == null || peer == null) {
      requester.refuse(route.status());
      return route.arrivalPs();
    }
    long readyPs = route.arrivalPs() + turn.forwardPs();
    return writePeer(peer, turn, iova, source, offset, lengthBytes, readyPs);
  }

  /** What is not for memory is for a peer or for nobody. */
  private long leaveMemory(long pa, byte[] source, int offset, int lengthBytes, long readyPs) {
    DownstreamPort peer = rootComplex.peerAt(pa);
    if (peer != null) {
      long downPs = readyPs + rootDownstreamPs;
      return writePeer(peer, null, pa, source, offset, lengthBytes, downPs);
    }
    return refuseAtRoot(DmaStatus.UNSUPPORTED_REQUEST, pa, lengthBytes, readyPs);
  }

  /**
   * Takes a write from where it turns down to a peer, where it commits when it arrives; returns
   * when it has left the port here.
   */
  private long writePeer(
      DownstreamPort peer,
      @Nullable Switch turn,
      long address,
      byte[] source,
      int offset,
      int lengthBytes,
      long readyPs) {
    long arrivalPs =
        peer.requests().peerWrite(path, turn, address, source, offset, lengthBytes, readyPs);
    if (arrivalPs < 0) {
      requester.refuse(DmaStatus.UNSUPPORTED_REQUEST);
      return readyPs;
    }
    return inOrder(arrivalPs);
  }

  private long deliverMessage(long pa, byte[] source, int offset, int lengthBytes, long arrivalPs) {
    if (lengthBytes != MESSAGE_BYTES) {
      return refuseAtRoot(DmaStatus.UNSUPPORTED_REQUEST, pa, lengthBytes, arrivalPs);
    }
    int data = LittleEndian.getInt(source, offset);
    DmaAccessListener listener = rootComplex.accessListener();
    if (listener != null) {
      listener.onMessage(requester.id(), arrivalPs);
    }
    if (messages != null) {
      messages.add(requester.id(), pa, data, sentPs, arrivalPs);
    } else {
      rootComplex.interrupts().onMessage(requester.id(), pa, data, arrivalPs);
    }
    return arrivalPs;
  }

  private long refuseAtRoot(DmaStatus why, long address, int lengthBytes, long atPs) {
    DmaAccessListener listener = rootComplex.accessListener();
    if (listener != null) {
      listener.onRefused(requester.id(), address, lengthBytes, true, atPs);
    }
    requester.report(why, header01(address, lengthBytes), address, atPs);
    requester.refuse(why);
    return atPs;
  }

  /**
   * Returns when a write that could commit at a time may: behind those that left before it unless
   * it is relaxed. What follows stays behind all of them.
   */
  private long inOrder(long readyPs) {
    long commitPs = order.addBehind(sentPs, readyPs);
    return requester.isRelaxed() ? readyPs : commitPs;
  }

  private static void requireLength(int lengthBytes) {
    if (lengthBytes < 1) {
      throw new IllegalArgumentException("lengthBytes must be >= 1: lengthBytes=" + lengthBytes);
    }
  }
}
