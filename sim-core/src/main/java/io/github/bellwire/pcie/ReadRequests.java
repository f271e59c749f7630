package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.PhysicalMemory;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A device's memory reads: requests up, completions down.
 *
 * <pre>{@code
 * pieces of MRRS --> tag, credits --> link --> [ faults ] --> [ switches ] --> [ translation ] --+
 *       device <-- [ faults ] <-- link <-- cut at RCB <-- caches and memory, or a peer <---------+
 * }</pre>
 *
 * <p>A stage in brackets that is not there costs a look. Allocates nothing after construction.
 */
final class ReadRequests {
  /** No completion is coming. */
  private static final long NEVER_PS = Simulation.NEVER_PS;

  private static final int ENDPOINT_RCB_BYTES = 128; // section 2.3.1.1: other than root complexes

  private final UpstreamPath path;
  private final Requester requester;
  private final WriteRequests writes;
  private final RootComplex rootComplex;
  private final DownstreamPort port;
  private final DeviceCachePort caches;
  private final PhysicalMemory memory;
  private final CommitQueue commits;
  private final LinkDirection upstream;
  private final LinkDirection downstream;
  private final ReadSlots slots;
  private final PendingReads pending;
  private final CompletionCutter cutter;
  private final FaultyTlps faults;
  private final PortErrors deviceErrors;
  private final TlpTap tap;
  private final @Nullable IdleStates idleStates;
  private final byte[] nothing = new byte[1];
  private final int completionMpsBytes;
  private final long rootUpstreamPs;
  private final long rootDownstreamPs;
  private boolean isFlush;
  private long ticket;

  ReadRequests(
      UpstreamPath path,
      Requester requester,
      WriteRequests writes,
      PendingReads pending,
      ReadSlots slots,
      RootComplex rootComplex,
      DownstreamPort port,
      DeviceCachePort caches) {
    this.path = path;
    this.requester = requester;
    this.writes = writes;
    this.pending = pending;
    this.slots = slots;
    this.rootComplex = rootComplex;
    this.port = port;
    this.caches = caches;
    memory = rootComplex.memory();
    commits = rootComplex.commits();
    upstream = port.upstream();
    downstream = port.downstream();
    cutter = port.cutter();
    faults = port.faultyTlps();
    deviceErrors = port.deviceErrors();
    tap = port.tap();
    completionMpsBytes = port.link().maxPayloadBytes();
    rootUpstreamPs = rootComplex.config().upstreamPs();
    rootDownstreamPs = rootComplex.config().downstreamPs();
    idleStates = rootComplex.idleStates();
  }

  /** {@return when the next request finds a free tag} */
  long tagFreePs() {
    return slots.tagFreePs();
  }

  /** {@return the ticket of the last read} */
  long ticket() {
    return ticket;
  }

  /** {@return when the last completion of a read arrives, see {@link DmaPort#arrivalPs}} */
  long arrivalPs(long ofTicket) {
    return pending.arrivalOfTicketPs(ofTicket);
  }

  /** Reads, see {@link DmaPort#read(long, byte[], int, int, long, int)}. */
  long read(long iova, byte[] destination, int offset, int lengthBytes, long atPs) {
    long first = pending.addedTotal();
    if (!requester.mayIssue()) {
      ticket = pending.ticketSince(first);
      Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
      return atPs;
    }
    if (lengthBytes <= 0) {
      return flush(iova, lengthBytes, atPs);
    }
    slots.useExtendedTags(requester.isExtendedTagEnabled());
    int mrrsBytes = requester.maxReadRequestBytes();
    long donePs = atPs;
    long readyPs = atPs;
    int done = 0;
    while (done < lengthBytes) {
      long address = iova + done;
      int piece = TlpLayout.requestPieceBytes(address, lengthBytes - done, mrrsBytes);
      long startPs = writes.behindPs(slots.startPs(address, piece, readyPs));
      int wireBytes = TlpLayout.requestBytes(address) + requester.extraBytes(address, piece);
      readyPs = upstream.transmitMemoryRead(wireBytes, startPs);
      pending.begin();
      long repliedPs = answer(address, destination, offset + done, piece, wireBytes, readyPs);
      if (repliedPs - readyPs > CompletionTimeout.SHORTEST_PS) {
        repliedPs = awaitPs(destination, offset + done, piece, readyPs, repliedPs);
      }
      slots.completed(repliedPs, pending.end(repliedPs));
      donePs = Math.max(donePs, repliedPs);
      done += piece;
    }
    ticket = pending.ticketSince(first);
    return donePs;
  }

  /** Reads nothing: one double word without any byte enabled, which pushes the writes before it. */
  private long flush(long iova, int lengthBytes, long atPs) {
    if (lengthBytes < 0) {
      throw new IllegalArgumentException("lengthBytes must be >= 0: lengthBytes=" + lengthBytes);
    }
    isFlush = true;
    long donePs = read(iova, nothing, 0, nothing.length, atPs);
    isFlush = false;
    return donePs;
  }

  /**
   * Serves a request that has left the device; returns when its last completion is back, {@link
   * #NEVER_PS} if one is missing.
   */
  private long answer(
      long iova, byte[] destination, int offset, int lengthBytes, int wireBytes, long sentPs) {
    TlpFault fault = faults.ofReadRequest();
    if (fault != TlpFault.NONE) {
      return ignore(fault, iova, lengthBytes, sentPs);
    }
    long arrivalPs = upstream.arrivalPs(sentPs);
    long forwardedPs = arrivalPs + rootUpstreamPs;
    if (requester.isRouted()) {
      RequestRoute route =
          requester.route(TlpType.MEMORY_READ, wireBytes, iova, lengthBytes, sentPs);
      arrivalPs = route.arrivalPs();
      if (route.status() != DmaStatus.OK || route.turn() != null) {
        return leaveAtSwitch(route, iova, destination, offset, lengthBytes, sentPs);
      }
      forwardedPs = requester.forwardedPs(arrivalPs + rootUpstreamPs);
    }
    slots.requestTaken(forwardedPs);
    long pa = iova;
    long readyPs = awakePs(arrivalPs) + rootUpstreamPs;
    DmaStatus status = DmaStatus.OK;
    if (requester.isTranslated()) {
      TranslationResult translated = requester.translate(iova, lengthBytes, false, readyPs);
      readyPs = translated.readyPs();
      status = translated.status();
      pa = translated.pa();
    }
    if (status != DmaStatus.OK || !memory.contains(pa, lengthBytes)) {
      tapRead(iova, lengthBytes, sentPs, readyPs);
      return leaveMemory(status, iova, pa, destination, offset, lengthBytes, readyPs);
    }
    // Alone, a device takes the first answer of memory: hosts are calibrated with it.
    boolean isShared = rootComplex.isShared();
    long from = isShared ? caches.memoryMark() : 0;
    long cachesPs = caches.read(pa, lengthBytes, requester.isNoSnoop(), readyPs);
    long to = isShared ? caches.memoryMark() : 0;
    long floorPs = writes.committedPs(sentPs);
    long dataPs = Math.max(cachesPs, floorPs);
    commits.copyOut(pa, destination, offset, lengthBytes, dataPs);
    DmaAccessListener listener = rootComplex.accessListener();
    if (listener != null && !isFlush) {
      listener.onRead(requester.id(), iova, pa, destination, offset, lengthBytes, dataPs);
    }
    tapRead(iova, lengthBytes, sentPs, dataPs);
    long downPs = dataPs + rootDownstreamPs;
    long firstTlp = downstream.nextTicket();
    long arrivedPs = complete(null, null, iova, destination, offset, lengthBytes, downPs);
    if (port.owner() == null && downstream.isInTurn() && arrivedPs != NEVER_PS) {
      long behindPs = behindRegisterWritesPs(downPs);
      long heldPs = behindPs > downPs ? behindPs - rootDownstreamPs : floorPs;
      pending.estimate(cachesPs, heldPs, from, to, firstTlp);
    }
    return arrivedPs;
  }

  private long awakePs(long arrivalPs) {
    return idleStates == null ? arrivalPs : idleStates.awakePs(arrivalPs);
  }

  /** Takes a request that nobody will answer. */
  private long ignore(TlpFault fault, long iova, int lengthBytes, long sentPs) {
    long arrivalPs = upstream.arrivalPs(sentPs);
    slots.requestTaken(arrivalPs);
    tapRead(iova, lengthBytes, sentPs, arrivalPs);
    long header01 = header01(iova, lengthBytes);
    faults.dropRead(fault, header01, TlpHeader.request23(iova), arrivalPs);
    return NEVER_PS;
  }

  private long header01(long iova, int lengthBytes) {
    int bytes = isFlush ? 0 : lengthBytes;
    return TlpHeader.withAddressType(
        TlpHeader.request01(
            false, iova, bytes, requester.attributes(), requester.id(), slots.nextTag()),
        requester.addressType());
  }

  private void tapRead(long iova, int lengthBytes, long sentPs, long effectivePs) {
    if (tap.isOpen()) {
      long header01 = header01(iova, lengthBytes);
      tap.tell(header01, TlpHeader.request23(iova), sentPs, effectivePs);
    }
  }

  /** Goes on with a request that a switch has turned, or that a port on its way has refused. */
  private long leaveAtSwitch(
      RequestRoute route, long iova, byte[] destination, int offset, int lengthBytes, long sentPs) {
    Switch turn = route.turn();
    if (turn == null) { // A root port refuses where the root complex does.
      slots.requestTaken(requester.forwardedPs(route.arrivalPs() + rootUpstreamPs));
      long refusedPs = awakePs(route.arrivalPs()) + rootUpstreamPs;
      tapRead(iova, lengthBytes, sentPs, refusedPs);
      long downPs = refusedPs + rootDownstreamPs;
      return refuse(route.status(), destination, offset, lengthBytes, null, downPs);
    }
    long readyPs = route.arrivalPs() + turn.forwardPs();
    slots.requestTaken(requester.forwardedPs(readyPs));
    tapRead(iova, lengthBytes, sentPs, readyPs);
    DownstreamPort peer = route.peer();
    return peer == null
        ? refuse(route.status(), destination, offset, lengthBytes, turn, readyPs)
        : readPeer(peer, turn, iova, destination, offset, lengthBytes, readyPs);
  }

  /** What is not for memory is for a peer or for nobody, or translation has refused it. */
  private long leaveMemory(
      DmaStatus status,
      long iova,
      long pa,
      byte[] destination,
      int offset,
      int lengthBytes,
      long readyPs) {
    long downPs = readyPs + rootDownstreamPs;
    DownstreamPort peer = status == DmaStatus.OK ? rootComplex.peerAt(pa) : null;
    if (peer != null) {
      return readPeer(peer, null, pa, destination, offset, lengthBytes, downPs);
    }
    requester.report(status, header01(iova, lengthBytes), iova, readyPs);
    DmaAccessListener listener = rootComplex.accessListener();
    if (listener != null && !isFlush) {
      listener.onRefused(requester.id(), iova, lengthBytes, false, readyPs);
    }
    return refuse(status, destination, offset, lengthBytes, null, downPs);
  }

  /** Answers a read by a completion without data from where it was refused. */
  private long refuse(
      DmaStatus why,
      byte[] destination,
      int offset,
      int lengthBytes,
      @Nullable Switch turn,
      long readyPs) {
    requester.refuse(why);
    Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
    long herePs = port.descend(turn, TlpType.COMPLETION, TlpLayout.COMPLETION_BYTES, readyPs, true);
    long sentPs = downstream.transmitCompletion(behindRegisterWritesPs(herePs));
    return faults.ofCompletion(false) == TlpFault.NONE ? downstream.arrivalPs(sentPs) : NEVER_PS;
  }

  /** Returns when a completion that is ready may leave: behind what cores have written before. */
  private long behindRegisterWritesPs(long readyPs) {
    return requester.isRelaxed() ? readyPs : port.requests().behindPostedWritesPs(readyPs);
  }

  /**
   * Sends the completions of one request; they stay in address order.
   *
   * @param peer who answers; null for the root complex
   * @param turn the switch where completions of a peer turn downwards; null for the root complex
   * @param readyPs when they could leave the peer or the root complex
   */
  private long complete(
      @Nullable DownstreamPort peer,
      @Nullable Switch turn,
      long iova,
      byte[] destination,
      int offset,
      int lengthBytes,
      long readyPs) {
    int limitBytes = peer == null ? completionMpsBytes : peer.maxPayloadBytes();
    int mpsBytes = Math.min(limitBytes, requester.maxPayloadBytes());
    boolean isAnswered = true;
    boolean isFaulty = false;
    long pieceSentPs = 0;
    int done = 0;
    while (done < lengthBytes) {
      long address = iova + done;
      int left = lengthBytes - done;
      int piece =
          peer == null
              ? cutter.pieceBytes(address, left, mpsBytes)
              : TlpLayout.completionPieceBytes(address, left, mpsBytes, ENDPOINT_RCB_BYTES);
      int wireBytes =
          TlpLayout.COMPLETION_BYTES
              + TlpLayout.dataBytes(address, piece)
              + downstream.completionExtraBytes(address);
      long turnedPs = peer == null ? readyPs : turnedPs(peer, turn, wireBytes, readyPs, done == 0);
      long herePs =
          port.descend(turn, TlpType.COMPLETION_WITH_DATA, wireBytes, turnedPs, done == 0);
      // Only the root complex has all data at once; others pass on what has come, as it comes.
      pieceSentPs =
          peer == null
              ? answer(done == 0, wireBytes, address, piece, left, herePs, pieceSentPs)
              : receiveCompletion(wireBytes, herePs, pieceSentPs);
      TlpFault fault = faults.ofCompletion(true);
      if (fault != TlpFault.NONE) {
        isFaulty = true;
        isAnswered &= receiveFaulty(fault, destination, offset + done, piece, pieceSentPs);
      }
      if (tap.isOpen()) {
        tapCompletion(address, piece, left, fault, pieceSentPs);
      }
      done += piece;
    }
    if (peer != null && isFaulty) {
      peer.requests().abandonRead(); // What is given up must not arrive later.
      Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
    }
    if (peer == null && idleStates != null) {
      idleStates.busyUntil(pieceSentPs);
    }
    return isAnswered ? downstream.arrivalPs(pieceSentPs) : NEVER_PS;
  }

  private boolean receiveFaulty(
      TlpFault fault, byte[] destination, int offset, int lengthBytes, long sentPs) {
    if (fault == TlpFault.POISONED) {
      requester.fail(DmaStatus.POISONED);
    }
    long arrivalPs = downstream.arrivalPs(sentPs);
    return faults.accept(fault, destination, offset, lengthBytes, arrivalPs);
  }

  private void tapCompletion(
      long address, int lengthBytes, int owedBytes, TlpFault fault, long sentPs) {
    long header01 =
        TlpHeader.completion01(
            address,
            lengthBytes,
            owedBytes,
            TlpHeader.STATUS_SUCCESSFUL,
            requester.attributes(),
            TlpTap.ROOT_COMPLEX_ID,
            slots.nextTag());
    long header23 = TlpHeader.completion23(address, requester.id(), slots.nextTag());
    long marked = fault == TlpFault.POISONED ? TlpHeader.withPoison(header01) : header01;
    tap.tell(marked, header23, sentPs, downstream.arrivalPs(sentPs));
  }

  /** Gives a read up if its answer takes too long; returns when the device goes on. */
  private long awaitPs(
      byte[] destination, int offset, int lengthBytes, long sentPs, long repliedPs) {
    long expiryPs = sentPs + requester.timeoutPs();
    if (repliedPs <= expiryPs) {
      return repliedPs;
    }
    pending.giveUp();
    Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
    deviceErrors.record(PcieError.COMPLETION_TIMEOUT, expiryPs);
    requester.fail(DmaStatus.COMPLETION_TIMEOUT);
    if (repliedPs != NEVER_PS) {
      deviceErrors.record(PcieError.UNEXPECTED_COMPLETION, repliedPs);
    }
    return expiryPs;
  }

  /** Sends a completion to the device, behind the one before; returns when it has left. */
  private long receiveCompletion(int wireBytes, long readyPs, long previousSentPs) {
    return downstream.transmitCompletionWithData(wireBytes, startPs(readyPs, previousSentPs));
  }

  /** As {@link #receiveCompletion}, straight from the root complex. */
  private long answer(
      boolean isFirst,
      int wireBytes,
      long address,
      int lengthBytes,
      int owedBytes,
      long readyPs,
      long previousSentPs) {
    return downstream.transmitCompletionWithData(
        isFirst, wireBytes, address, lengthBytes, owedBytes, startPs(readyPs, previousSentPs));
  }

  private long startPs(long readyPs, long previousSentPs) {
    long startPs = behindRegisterWritesPs(readyPs);
    // A gap must not let them pass each other.
    return downstream.isInTurn() ? startPs : Math.max(previousSentPs, startPs);
  }

  /**
   * Takes a read from where it turns down to a peer, and the completions from there to here. The
   * bytes come when the request arrives there; if a completion meets a fault, all of them are ones.
   */
  private long readPeer(
      DownstreamPort peer,
      @Nullable Switch turn,
      long address,
      byte[] destination,
      int offset,
      int lengthBytes,
      long readyPs) {
    long answerPs =
        peer.requests().peerRead(path, turn, address, destination, offset, lengthBytes, readyPs);
    // Completions are routed by requester ID, wherever the request has turned.
    Switch direct = turn == null ? peer.sharedSwitch(port) : turn;
    Switch back = peer.redirectsCompletions() && !requester.isRelaxed() ? null : direct;
    if (answerPs >= 0) {
      return complete(peer, back, address, destination, offset, lengthBytes, answerPs);
    }
    TlpType type = TlpType.COMPLETION;
    int wireBytes = TlpLayout.COMPLETION_BYTES;
    long turnedPs =
        peer.requests().peerCompletion(back, type, wireBytes, -1 - answerPs, true) + turnPs(back);
    DmaStatus why = DmaStatus.UNSUPPORTED_REQUEST;
    return refuse(why, destination, offset, lengthBytes, back, turnedPs);
  }

  /** Returns when a completion of a peer has turned on its way. */
  private long turnedPs(
      DownstreamPort peer, @Nullable Switch turn, int wireBytes, long readyPs, boolean isFirst) {
    TlpType type = TlpType.COMPLETION_WITH_DATA;
    return peer.requests().peerCompletion(turn, type, wireBytes, readyPs, isFirst) + turnPs(turn);
  }

  /** Returns how long a TLP takes where it turns: in a switch or in the root complex. */
  private long turnPs(@Nullable Switch turn) {
    return turn == null ? rootUpstreamPs + rootDownstreamPs : turn.forwardPs();
  }
}
