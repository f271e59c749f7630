package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.PhysicalMemory;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What happens to a device's request on its way up: TLPs, link, switches, translation, then caches
 * and memory, the interrupt controller or a peer, and completions back down. The only such way.
 *
 * <p>Ordering kept (Base Specification, section 2.4.1): posted writes commit in order, interrupt
 * messages among them; reads see the posted writes before them; completions stay behind the
 * register writes before them. Relaxed ordering lifts the first and the last. ID-based ordering
 * needs several requesters and changes nothing here: devices behind one switch commit independently
 * of each other.
 */
final class UpstreamPath implements DmaPort {
  private static final int MESSAGE_BYTES = 4;
  private static final int PAYLOAD_MAX_BYTES = 4096;
  private static final int OWN_REQUESTER_ID = -1;
  private static final int ENDPOINT_RCB_BYTES = 128; // section 2.3.1.1: other than root complexes

  /** What never happens: no completion is coming. */
  private static final long NEVER_PS = Simulation.NEVER_PS;

  private final RootComplex rootComplex;
  private final DownstreamPort port;
  private final Translation translation;
  private final PhysicalMemory memory;
  private final CommitQueue commits;
  private final DeviceCachePort caches;
  private final ConfigSpace configSpace;
  private final LinkDirection upstream;
  private final LinkDirection downstream;
  private final ReadSlots slots;
  private final @Nullable CreditPool postedCredits;
  private final CompletionCutter cutter;
  private final FaultInjector upstreamFaults;
  private final FaultInjector downstreamFaults;
  private final PortErrors errors;
  private final PortErrors rootErrors;
  private final PortErrors deviceErrors;
  private final TlpTap tap;
  private final RequestRoute route;
  // Of a device that may be pulled out.
  private final @Nullable InterruptMessages messages;
  // Ready times with the times at which the writes have left: a gap must not let others pass them.
  private final PostedOrder postedSends = new PostedOrder();
  private final PostedOrder postedOrder = new PostedOrder();
  private final TranslationResult translated = new TranslationResult();
  private final byte[] message = new byte[MESSAGE_BYTES];
  private final byte[] corrupted = new byte[PAYLOAD_MAX_BYTES];
  private final byte[] flushed = new byte[1];
  private final int completionMpsBytes;
  private final boolean hasEcrc;
  private final long timeoutPs;
  private final long creditReturnPs;
  private final long rootUpstreamPs;
  private final long rootDownstreamPs;

  // Of the access in progress.
  private DmaStatus status = DmaStatus.OK;
  private int attributes;
  private boolean isFlush;
  private long sentPs;
  private long refusedRequestsTotal;
  // What the device writes into its requests, which may be a lie.
  private int claimedRequesterId = OWN_REQUESTER_ID;
  private boolean isTranslated;
  private boolean isLinkDown;

  UpstreamPath(
      RootComplex rootComplex, DownstreamPort port, Endpoint endpoint, DeviceCachePort caches) {
    this.rootComplex = rootComplex;
    this.port = port;
    translation = rootComplex.translation();
    memory = rootComplex.memory();
    commits = rootComplex.commits();
    this.caches = caches;
    configSpace = endpoint.configSpace();
    route = new RequestRoute(port);
    upstream = port.upstream();
    downstream = port.downstream();
    PcieLinkConfig link = port.link();
    FlowControlConfig flowControl = link.flowControl();
    slots = new ReadSlots(link);
    postedCredits = CreditPool.ofNullable(flowControl.rootPort().ph(), flowControl.rootPort().pd());
    creditReturnPs = flowControl.updatePs() + link.propagationPs();
    cutter = port.cutter();
    upstreamFaults = port.upstreamFaults();
    downstreamFaults = port.downstreamFaults();
    errors = port.errors();
    rootErrors = port.rootPort().errors();
    deviceErrors = port.deviceErrors();
    tap = port.tap();
    messages =
        port.isSlot()
            ? new InterruptMessages(rootComplex.simulation(), rootComplex.interrupts())
            : null;
    completionMpsBytes = link.maxPayloadBytes();
    hasEcrc = link.ecrc();
    timeoutPs = link.requester().completionTimeoutPs();
    rootUpstreamPs = rootComplex.config().upstreamPs();
    rootDownstreamPs = rootComplex.config().downstreamPs();
  }

  @Override
  public long read(
      long iova,
      byte[] destination,
      int offset,
      int lengthBytes,
      long atPs,
      int requestedAttributes) {
    begin(requestedAttributes);
    if (!mayIssue()) {
      Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
      return atPs;
    }
    if (lengthBytes <= 0) {
      return flush(iova, lengthBytes, atPs);
    }
    slots.useExtendedTags(configSpace.isExtendedTagEnabled());
    int mrrsBytes = configSpace.maxReadRequestBytes();
    long donePs = atPs;
    long readyPs = atPs;
    int done = 0;
    while (done < lengthBytes) {
      long address = iova + done;
      int piece = TlpLayout.requestPieceBytes(address, lengthBytes - done, mrrsBytes);
      long startPs = behindPostedWritesPs(slots.startPs(address, piece, readyPs));
      int wireBytes = TlpLayout.requestBytes(address) + upstream.requestExtraBytes(address, piece);
      long requestSentPs = upstream.transmitMemoryRead(wireBytes, startPs);
      long repliedPs = answer(address, destination, offset + done, piece, wireBytes, requestSentPs);
      if (repliedPs - requestSentPs > CompletionTimeout.SHORTEST_PS) {
        repliedPs = awaitPs(destination, offset + done, piece, requestSentPs, repliedPs);
      }
      slots.completed(repliedPs);
      donePs = Math.max(donePs, repliedPs);
      readyPs = requestSentPs;
      done += piece;
    }
    return donePs;
  }

  /** Reads nothing: one double word without any byte enabled, which pushes the writes before it. */
  private long flush(long iova, int lengthBytes, long atPs) {
    if (lengthBytes < 0) {
      throw new IllegalArgumentException("lengthBytes must be >= 0: lengthBytes=" + lengthBytes);
    }
    isFlush = true;
    long donePs = read(iova, flushed, 0, 1, atPs, attributes);
    isFlush = false;
    return donePs;
  }

  @Override
  public long write(
      long iova, byte[] source, int offset, int lengthBytes, long atPs, int requestedAttributes) {
    begin(requestedAttributes);
    return write(iova, source, offset, lengthBytes, atPs, false);
  }

  @Override
  public long writeStatus(long iova, byte[] source, int offset, int lengthBytes, long atPs) {
    begin(TlpAttributes.NONE);
    return write(iova, source, offset, lengthBytes, atPs, true);
  }

  @Override
  public long sendMessage(long address, int data, long atPs) {
    for (int i = 0; i < MESSAGE_BYTES; i++) {
      message[i] = (byte) (data >>> i * Byte.SIZE);
    }
    begin(TlpAttributes.NONE);
    return write(address, message, 0, MESSAGE_BYTES, atPs, true);
  }

  @Override
  public void claimRequesterId(int requesterId) {
    claimedRequesterId = requesterId;
  }

  @Override
  public void claimTranslated(boolean newTranslated) {
    isTranslated = newTranslated;
  }

  @Override
  public DmaStatus status() {
    return status;
  }

  @Override
  public long sentPs() {
    return sentPs;
  }

  @Override
  public long tagFreePs() {
    return slots.tagFreePs();
  }

  @Override
  public long horizonPs() {
    return rootComplex.horizonPs();
  }

  /** The link has gone down: what has not left never does. */
  void disconnect(long nowPs) {
    isLinkDown = true;
    if (messages != null) {
      messages.drop(nowPs);
    }
  }

  private boolean mayIssue() {
    if (isLinkDown) {
      status = DmaStatus.LINK_DOWN;
    } else if (!configSpace.isBusMasterEnabled()) {
      status = DmaStatus.BUS_MASTER_DISABLED;
    }
    return status == DmaStatus.OK;
  }

  int requesterId() {
    return claimedRequesterId == OWN_REQUESTER_ID ? port.requesterId() : claimedRequesterId;
  }

  /** {@return when all posted writes that have left until a time are globally visible} */
  long committedPs(long atPs) {
    return postedOrder.commitBefore(atPs);
  }

  long refusedRequestsTotal() {
    return refusedRequestsTotal;
  }

  /**
   * {@return when a TLP that is ready at a time may enter the serializer: behind the posted writes
   * that were ready no later}
   */
  long behindPostedWritesPs(long readyPs) {
    return Math.max(readyPs, postedSends.commitBefore(readyPs));
  }

  /** {@return time that writes have waited for credits, in picoseconds} */
  long creditWaitPsTotal() {
    return postedCredits == null ? 0 : postedCredits.waitedPsTotal();
  }

  private void begin(int requestedAttributes) {
    status = DmaStatus.OK;
    attributes =
        requestedAttributes == TlpAttributes.NONE
            ? TlpAttributes.NONE
            : permitted(requestedAttributes);
  }

  /** Returns the attributes that software lets the device set. */
  private int permitted(int requested) {
    TlpAttributes.require(requested);
    int enabled =
        (configSpace.isNoSnoopEnabled() ? TlpAttributes.NO_SNOOP : 0)
            | (configSpace.isRelaxedOrderingEnabled() ? TlpAttributes.RELAXED_ORDERING : 0)
            | (configSpace.isIdOrderingEnabled() ? TlpAttributes.ID_BASED_ORDERING : 0);
    return requested & enabled;
  }

  private boolean isRelaxed() {
    return (attributes & TlpAttributes.RELAXED_ORDERING) != 0;
  }

  private boolean isNoSnoop() {
    return (attributes & TlpAttributes.NO_SNOOP) != 0;
  }

  /**
   * Serves one read request that has left the device; returns when its last completion is back,
   * {@link #NEVER_PS} if it is not.
   */
  private long answer(
      long iova,
      byte[] destination,
      int offset,
      int lengthBytes,
      int wireBytes,
      long requestSentPs) {
    long arrivalPs = upstream.arrivalPs(requestSentPs);
    if (upstreamFaults.isArmed() && isRequestLost(arrivalPs)) {
      slots.requestTaken(arrivalPs + rootUpstreamPs);
      tapRead(iova, lengthBytes, requestSentPs, arrivalPs);
      return NEVER_PS;
    }
    route.follow(
        TlpType.MEMORY_READ, wireBytes, requesterId(), isTranslated, iova, lengthBytes, arrivalPs);
    Switch turn = route.turn();
    if (turn != null) {
      long readyPs = route.arrivalPs() + turn.forwardPs();
      slots.requestTaken(readyPs);
      tapRead(iova, lengthBytes, requestSentPs, readyPs);
      DownstreamPort peer = route.peer();
      return peer == null
          ? refuseRead(route.status(), iova, destination, offset, lengthBytes, turn, readyPs)
          : readPeer(peer, turn, iova, destination, offset, lengthBytes, readyPs);
    }
    slots.requestTaken(port.owner() == null ? arrivalPs + rootUpstreamPs : route.forwardedPs());
    return answerAtRoot(iova, destination, offset, lengthBytes, requestSentPs);
  }

  /** Serves a read request that has arrived at the root complex. */
  private long answerAtRoot(
      long iova, byte[] destination, int offset, int lengthBytes, long requestSentPs) {
    translate(iova, lengthBytes, false, route.arrivalPs() + rootUpstreamPs);
    long pa = translated.pa();
    if (translated.status() == DmaStatus.OK && memory.contains(pa, lengthBytes)) {
      long dataPs = caches.read(pa, lengthBytes, isNoSnoop(), translated.readyPs());
      dataPs = Math.max(dataPs, postedOrder.commitBefore(requestSentPs));
      commits.copyOut(pa, destination, offset, lengthBytes, dataPs);
      tapRead(iova, lengthBytes, requestSentPs, dataPs);
      long readyPs = dataPs + rootDownstreamPs;
      return complete(null, null, iova, destination, offset, lengthBytes, readyPs);
    }
    tapRead(iova, lengthBytes, requestSentPs, translated.readyPs());
    long readyPs = translated.readyPs() + rootDownstreamPs;
    DownstreamPort peer = translated.status() == DmaStatus.OK ? rootComplex.peerAt(pa) : null;
    if (peer != null) {
      return readPeer(peer, null, pa, destination, offset, lengthBytes, readyPs);
    }
    DmaStatus why = recordRefusal(false, iova, lengthBytes, route.arrivalPs());
    return refuseRead(why, iova, destination, offset, lengthBytes, null, readyPs);
  }

  /** Answers a read by a completion without data from where it was refused. */
  private long refuseRead(
      DmaStatus why,
      long iova,
      byte[] destination,
      int offset,
      int lengthBytes,
      @Nullable Switch turn,
      long readyPs) {
    refuse(why);
    Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
    return completeWithoutData(why, iova, lengthBytes, turn, readyPs);
  }

  /** Takes a read from where it turns down to a peer, and the completions from there to here. */
  private long readPeer(
      DownstreamPort peer,
      @Nullable Switch turn,
      long address,
      byte[] destination,
      int offset,
      int lengthBytes,
      long readyPs) {
    long answerPs = peer.peerRead(this, turn, address, destination, offset, lengthBytes, readyPs);
    Switch back = peer.redirectsCompletions() && !isRelaxed() ? null : turn;
    if (answerPs >= 0) {
      return complete(peer, back, address, destination, offset, lengthBytes, answerPs);
    }
    TlpType type = TlpType.COMPLETION;
    int wireBytes = TlpLayout.COMPLETION_BYTES;
    long turnedPs = peer.peerCompletion(back, type, wireBytes, -1 - answerPs, true) + turnPs(back);
    DmaStatus why = DmaStatus.UNSUPPORTED_REQUEST;
    return refuseRead(why, address, destination, offset, lengthBytes, back, turnedPs);
  }

  /** Returns how long a TLP takes where it turns: in a switch or in the root complex. */
  private long turnPs(@Nullable Switch turn) {
    return turn == null ? rootUpstreamPs + rootDownstreamPs : turn.forwardPs();
  }

  private void tapRead(long iova, int lengthBytes, long requestSentPs, long effectivePs) {
    if (tap.isOpen()) {
      int bytes = isFlush ? 0 : lengthBytes;
      int tag = slots.nextTag();
      tap.onRequest(
          false, iova, bytes, attributes, requesterId(), tag, false, requestSentPs, effectivePs);
    }
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
    int mpsBytes = Math.min(limitBytes, configSpace.maxPayloadBytes());
    boolean isComplete = true;
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
      long turnedPs = readyPs;
      if (peer != null) {
        TlpType type = TlpType.COMPLETION_WITH_DATA;
        turnedPs = peer.peerCompletion(turn, type, wireBytes, readyPs, done == 0) + turnPs(turn);
      }
      pieceSentPs = sendCompletion(turn, wireBytes, turnedPs, pieceSentPs, done == 0);
      TlpFault fault =
          downstreamFaults.isArmed() ? downstreamFaults.next(false, true) : TlpFault.NONE;
      if (fault != TlpFault.NONE) {
        isComplete &= receiveFaulty(fault, destination, offset + done, piece, pieceSentPs);
      }
      if (tap.isOpen()) {
        tapCompletion(address, piece, left, fault, pieceSentPs);
      }
      done += piece;
    }
    if (peer != null && (!isComplete || status != DmaStatus.OK)) {
      peer.abandonRead(); // What the device gives up must not arrive later.
    }
    return isComplete ? downstream.arrivalPs(pieceSentPs) : NEVER_PS;
  }

  /** Takes a completion down to the device, behind the one before; returns when it has left. */
  private long sendCompletion(
      @Nullable Switch turn, int wireBytes, long readyPs, long previousSentPs, boolean isFirst) {
    long herePs = port.descend(turn, TlpType.COMPLETION_WITH_DATA, wireBytes, readyPs, isFirst);
    long startPs = isRelaxed() ? herePs : port.behindPostedWritesPs(herePs);
    return downstream.transmitCompletionWithData(wireBytes, Math.max(previousSentPs, startPs));
  }

  private void tapCompletion(long address, int piece, int owedBytes, TlpFault fault, long sentPs) {
    tap.onCompletion(
        address,
        piece,
        owedBytes,
        TlpHeader.STATUS_SUCCESSFUL,
        attributes,
        requesterId(),
        slots.nextTag(),
        fault == TlpFault.POISONED,
        sentPs,
        downstream.arrivalPs(sentPs));
  }

  /** Sends the completion of a request that is refused; returns when it has arrived. */
  private long completeWithoutData(
      DmaStatus why, long iova, int lengthBytes, @Nullable Switch turn, long readyPs) {
    long herePs = port.descend(turn, TlpType.COMPLETION, TlpLayout.COMPLETION_BYTES, readyPs, true);
    long startPs = isRelaxed() ? herePs : port.behindPostedWritesPs(herePs);
    long sentPs = downstream.transmitCompletion(startPs);
    long arrivalPs = downstream.arrivalPs(sentPs);
    if (tap.isOpen()) {
      int completionStatus =
          why == DmaStatus.COMPLETER_ABORT
              ? TlpHeader.STATUS_COMPLETER_ABORT
              : TlpHeader.STATUS_UNSUPPORTED_REQUEST;
      tap.onCompletion(
          iova,
          0,
          lengthBytes,
          completionStatus,
          attributes,
          requesterId(),
          slots.nextTag(),
          false,
          sentPs,
          arrivalPs);
    }
    boolean isLost =
        downstreamFaults.isArmed() && downstreamFaults.next(false, false) != TlpFault.NONE;
    return isLost ? NEVER_PS : arrivalPs;
  }

  private long write(
      long iova, byte[] source, int offset, int lengthBytes, long atPs, boolean isPolled) {
    requireLength(lengthBytes);
    sentPs = atPs;
    if (!mayIssue()) {
      return atPs;
    }
    int writeMpsBytes = configSpace.maxPayloadBytes();
    long visiblePs = 0;
    int done = 0;
    while (done < lengthBytes) {
      long address = iova + done;
      int piece = TlpLayout.requestPieceBytes(address, lengthBytes - done, writeMpsBytes);
      int dataBytes = TlpLayout.dataBytes(address, piece);
      int wireBytes =
          TlpLayout.requestBytes(address) + dataBytes + upstream.requestExtraBytes(address, piece);
      long readyPs = sentPs;
      long startPs = behindPostedWritesPs(readyPs);
      if (postedCredits != null) {
        startPs = postedCredits.take(CreditPool.dataCredits(dataBytes), startPs);
      }
      sentPs = upstream.transmitMemoryWrite(wireBytes, startPs);
      postedSends.add(readyPs, sentPs);
      long commitPs = receiveWrite(address, source, offset + done, piece, wireBytes, isPolled);
      if (postedCredits != null) {
        postedCredits.giveBack(CreditPool.dataCredits(dataBytes), commitPs + creditReturnPs);
      }
      visiblePs = Math.max(visiblePs, commitPs);
      done += piece;
    }
    if (isRelaxed()) {
      return Math.max(visiblePs, sentPs);
    }
    // Nothing may have been committed if all was refused.
    return Math.max(postedOrder.commitBefore(sentPs), sentPs);
  }

  /**
   * Takes one write request that has left the device at {@link #sentPs}; returns when its place in
   * the port's queue is free again.
   */
  private long receiveWrite(
      long iova, byte[] source, int offset, int lengthBytes, int wireBytes, boolean isPolled) {
    TlpFault fault = upstreamFaults.isArmed() ? upstreamFaults.next(true, true) : TlpFault.NONE;
    long arrivalPs = upstream.arrivalPs(sentPs);
    long donePs;
    if (fault == TlpFault.NONE) {
      donePs = commit(iova, source, offset, lengthBytes, wireBytes, arrivalPs, isPolled);
    } else if (fault == TlpFault.CORRUPTED && !hasEcrc) {
      System.arraycopy(source, offset, corrupted, 0, lengthBytes);
      flip(corrupted, 0, upstreamFaults.nextBit(lengthBytes));
      donePs = commit(iova, corrupted, 0, lengthBytes, wireBytes, arrivalPs, isPolled);
    } else {
      drop(fault, iova, lengthBytes, arrivalPs);
      donePs = arrivalPs;
    }
    if (tap.isOpen()) {
      boolean isPoisoned = fault == TlpFault.POISONED;
      tap.onRequest(
          true, iova, lengthBytes, attributes, requesterId(), 0, isPoisoned, sentPs, donePs);
    }
    return donePs;
  }

  /** Serves one write request that arrives at the port; returns when its place there is free. */
  private long commit(
      long iova,
      byte[] source,
      int offset,
      int lengthBytes,
      int wireBytes,
      long arrivalPs,
      boolean isPolled) {
    route.follow(
        TlpType.MEMORY_WRITE, wireBytes, requesterId(), isTranslated, iova, lengthBytes, arrivalPs);
    Switch turn = route.turn();
    if (turn == null) {
      long commitPs = commitAtRoot(iova, source, offset, lengthBytes, isPolled);
      return port.owner() == null ? commitPs : route.forwardedPs();
    }
    long readyPs = route.arrivalPs() + turn.forwardPs();
    DownstreamPort peer = route.peer();
    if (peer == null) {
      refuse(route.status());
    } else {
      writePeer(peer, turn, iova, source, offset, lengthBytes, readyPs);
    }
    return readyPs;
  }

  /** Serves a write request that has arrived at the root complex. */
  private long commitAtRoot(
      long iova, byte[] source, int offset, int lengthBytes, boolean isPolled) {
    translate(iova, lengthBytes, true, route.arrivalPs() + rootUpstreamPs);
    long readyPs = translated.readyPs();
    long pa = translated.pa();
    if (translated.status() == DmaStatus.OK) {
      if (RootComplex.isInterruptAddress(pa)) {
        return deliverMessage(pa, source, offset, lengthBytes, inOrder(readyPs));
      }
      if (memory.contains(pa, lengthBytes)) {
        long commitPs = inOrder(caches.write(pa, lengthBytes, isNoSnoop(), readyPs));
        store(pa, source, offset, lengthBytes, commitPs, isPolled);
        return commitPs;
      }
      DownstreamPort peer = rootComplex.peerAt(pa);
      if (peer != null) {
        long downPs = readyPs + rootDownstreamPs;
        return writePeer(peer, null, pa, source, offset, lengthBytes, downPs);
      }
    }
    refuse(recordRefusal(true, iova, lengthBytes, route.arrivalPs()));
    return readyPs;
  }

  private void store(
      long pa, byte[] source, int offset, int lengthBytes, long commitPs, boolean isPolled) {
    if (messages != null) {
      // The device may be gone before the write has left: then it must not have happened.
      commits.add(pa, source, offset, lengthBytes, commitPs, this, sentPs);
    } else if (isPolled || commits.overlaps(pa, lengthBytes)) {
      commits.add(pa, source, offset, lengthBytes, commitPs);
    } else {
      memory.copyIn(pa, source, offset, lengthBytes);
    }
  }

  /** Takes a write from where it turns down to a peer; returns when it is there, and commits. */
  private long writePeer(
      DownstreamPort peer,
      @Nullable Switch turn,
      long address,
      byte[] source,
      int offset,
      int lengthBytes,
      long readyPs) {
    long arrivalPs = peer.peerWrite(this, turn, address, source, offset, lengthBytes, readyPs);
    if (arrivalPs < 0) {
      refuse(DmaStatus.UNSUPPORTED_REQUEST);
      return -1 - arrivalPs;
    }
    return inOrder(arrivalPs);
  }

  /**
   * Returns when a write that could commit at a time may, behind those that left before it unless
   * it is relaxed. What follows stays behind all of them.
   */
  private long inOrder(long readyPs) {
    long commitPs = Math.max(readyPs, postedOrder.commitBefore(sentPs));
    postedOrder.add(sentPs, commitPs);
    return isRelaxed() ? readyPs : commitPs;
  }

  private long deliverMessage(long pa, byte[] source, int offset, int lengthBytes, long arrivalPs) {
    if (lengthBytes != MESSAGE_BYTES) {
      refuse(recordRefusal(true, pa, lengthBytes, arrivalPs));
      return arrivalPs;
    }
    int data = 0;
    for (int i = 0; i < MESSAGE_BYTES; i++) {
      data |= (source[offset + i] & 0xff) << i * Byte.SIZE;
    }
    if (messages != null) {
      messages.add(requesterId(), pa, data, sentPs, arrivalPs);
    } else {
      rootComplex.interrupts().onMessage(requesterId(), pa, data, arrivalPs);
    }
    return arrivalPs;
  }

  private void translate(long iova, int lengthBytes, boolean isWrite, long atPs) {
    if (route.status() != DmaStatus.OK) {
      translated.refused(route.status(), atPs);
    } else if (!isTranslated) {
      translation.translate(requesterId(), iova, lengthBytes, isWrite, atPs, translated);
    } else if (translation.trustsTranslated(requesterId())) {
      translated.translated(iova, atPs);
    } else {
      translated.refused(DmaStatus.UNSUPPORTED_REQUEST, atPs);
    }
  }

  /** Notes at the root port that the root complex refuses a request, and returns why. */
  private DmaStatus recordRefusal(boolean isWrite, long iova, int lengthBytes, long atPs) {
    if (route.status() != DmaStatus.OK) {
      return route.status(); // Noted where it was refused.
    }
    boolean isAborted = translated.status() == DmaStatus.COMPLETER_ABORT;
    rootErrors.record(
        isAborted ? PcieError.COMPLETER_ABORT : PcieError.UNSUPPORTED_REQUEST,
        TlpHeader.request01(isWrite, iova, lengthBytes, attributes, requesterId(), 0),
        TlpHeader.request23(iova),
        atPs);
    return isAborted ? DmaStatus.COMPLETER_ABORT : DmaStatus.UNSUPPORTED_REQUEST;
  }

  private void refuse(DmaStatus why) {
    refusedRequestsTotal++;
    fail(why);
  }

  private void fail(DmaStatus why) {
    if (status == DmaStatus.OK) {
      status = why;
    }
  }

  // Faults.

  /** Drops a write that arrives marked, broken or wrong. */
  private void drop(TlpFault fault, long iova, int lengthBytes, long atPs) {
    long header01 = TlpHeader.request01(true, iova, lengthBytes, attributes, requesterId(), 0);
    long header23 = TlpHeader.request23(iova);
    switch (fault) {
      case POISONED -> {
        errors.record(PcieError.POISONED_TLP, TlpHeader.withPoison(header01), header23, atPs);
        fail(DmaStatus.POISONED);
      }
      case CORRUPTED -> {
        errors.record(PcieError.ECRC, TlpHeader.withDigest(header01), header23, atPs);
        fail(DmaStatus.ECRC_ERROR);
      }
      default -> {
        errors.record(PcieError.MALFORMED_TLP, header01, header23, atPs);
        fail(DmaStatus.MALFORMED_TLP);
      }
    }
  }

  /** Returns whether a read request comes to nothing. */
  private boolean isRequestLost(long arrivalPs) {
    TlpFault fault = upstreamFaults.next(false, false);
    if (fault == TlpFault.MALFORMED) {
      errors.record(PcieError.MALFORMED_TLP, arrivalPs);
    } else if (fault == TlpFault.CORRUPTED && hasEcrc) {
      errors.record(PcieError.ECRC, arrivalPs);
    }
    return fault != TlpFault.NONE;
  }

  /** Takes a completion with a fault; returns whether it counts as arrived. */
  private boolean receiveFaulty(
      TlpFault fault, byte[] destination, int offset, int lengthBytes, long sentPs) {
    long arrivalPs = downstream.arrivalPs(sentPs);
    switch (fault) {
      case POISONED -> {
        deviceErrors.record(PcieError.POISONED_TLP, arrivalPs);
        Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
        fail(DmaStatus.POISONED);
        return true;
      }
      case CORRUPTED -> {
        if (!hasEcrc) {
          flip(destination, offset, downstreamFaults.nextBit(lengthBytes));
          return true;
        }
        deviceErrors.record(PcieError.ECRC, arrivalPs);
      }
      case MALFORMED -> deviceErrors.record(PcieError.MALFORMED_TLP, arrivalPs);
      default -> {}
    }
    return false;
  }

  /** Gives a read up if its answer takes too long; returns when the device goes on. */
  private long awaitPs(
      byte[] destination, int offset, int lengthBytes, long requestSentPs, long repliedPs) {
    CompletionTimeout range = configSpace.completionTimeout();
    long limitPs = range == CompletionTimeout.DEFAULT ? timeoutPs : range.longestPs();
    long expiryPs = requestSentPs + limitPs;
    if (repliedPs <= expiryPs) {
      return repliedPs;
    }
    Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
    deviceErrors.record(PcieError.COMPLETION_TIMEOUT, expiryPs);
    fail(DmaStatus.COMPLETION_TIMEOUT);
    if (repliedPs != NEVER_PS) {
      deviceErrors.record(PcieError.UNEXPECTED_COMPLETION, repliedPs);
    }
    return expiryPs;
  }

  private static void flip(byte[] bytes, int offset, int bit) {
    bytes[offset + bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
  }

  private static void requireLength(int lengthBytes) {
    if (lengthBytes < 1) {
      throw new IllegalArgumentException("lengthBytes must be >= 1: lengthBytes=" + lengthBytes);
    }
  }
}
