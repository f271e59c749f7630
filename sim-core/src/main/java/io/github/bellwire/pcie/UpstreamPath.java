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
 * register writes before them. Relaxed ordering lifts the first and the last. ID-based ordering is
 * carried and changes nothing: what a request waits for here comes from its own function.
 */
final class UpstreamPath implements DmaPort {
  private static final int MESSAGE_BYTES = 4;
  private static final int OWN_REQUESTER_ID = -1;

  /** No completion is coming. */
  private static final long NEVER_PS = Simulation.NEVER_PS;

  private static final int ENDPOINT_RCB_BYTES = 128; // section 2.3.1.1: other than root complexes

  private final RootComplex rootComplex;
  private final DownstreamPort port;
  private final Translation translation;
  private final PhysicalMemory memory;
  private final CommitQueue commits;
  private final DeviceCachePort caches;
  private final ConfigSpace configSpace;
  private final LinkDirection upstream;
  private final LinkDirection downstream;
  private final RequestAttributes attributes;
  private final ReadSlots slots;
  private final @Nullable CreditPool postedCredits;
  private final CompletionCutter cutter;
  private final FaultyTlps faults;
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
  private final byte[] nothing = new byte[1];
  private final int completionMpsBytes;
  private final long timeoutPs;
  private final long creditReturnPs;
  private final long rootUpstreamPs;
  private final long rootDownstreamPs;
  private final long ownershipPs;

  // Of the access in progress.
  private DmaStatus status = DmaStatus.OK;
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
    messages =
        port.isSlot()
            ? new InterruptMessages(rootComplex.simulation(), rootComplex.interrupts())
            : null;
    upstream = port.upstream();
    downstream = port.downstream();
    PcieLinkConfig link = port.link();
    FlowControlConfig flowControl = link.flowControl();
    attributes = new RequestAttributes(configSpace);
    slots = new ReadSlots(link);
    postedCredits = CreditPool.ofNullable(flowControl.rootPort().ph(), flowControl.rootPort().pd());
    creditReturnPs = flowControl.updatePs() + link.propagationPs();
    cutter = port.cutter();
    faults = port.faultyTlps();
    rootErrors = port.rootPort().errors();
    deviceErrors = port.deviceErrors();
    tap = port.tap();
    completionMpsBytes = link.maxPayloadBytes();
    timeoutPs = link.requester().completionTimeoutPs();
    rootUpstreamPs = rootComplex.config().upstreamPs();
    rootDownstreamPs = rootComplex.config().downstreamPs();
    ownershipPs = rootComplex.config().ownershipPs();
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
      readyPs = upstream.transmitMemoryRead(wireBytes, startPs);
      long repliedPs = answer(address, destination, offset + done, piece, wireBytes, readyPs);
      if (repliedPs - readyPs > CompletionTimeout.SHORTEST_PS) {
        repliedPs = awaitPs(destination, offset + done, piece, readyPs, repliedPs);
      }
      slots.completed(repliedPs);
      donePs = Math.max(donePs, repliedPs);
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
    long donePs = read(iova, nothing, 0, nothing.length, atPs, attributes.value());
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

  /** {@return how long writes have waited for credits, in picoseconds} */
  long creditWaitPsTotal() {
    return postedCredits == null ? 0 : postedCredits.waitedPsTotal();
  }

  private void begin(int requestedAttributes) {
    status = DmaStatus.OK;
    attributes.begin(requestedAttributes);
  }

  /**
   * Serves one read request that has left the device; returns when its last completion is back,
   * {@link #NEVER_PS} if one is missing.
   */
  private long answer(
      long iova,
      byte[] destination,
      int offset,
      int lengthBytes,
      int wireBytes,
      long requestSentPs) {
    TlpFault fault = faults.ofReadRequest();
    if (fault != TlpFault.NONE) {
      return ignoreRead(fault, iova, lengthBytes, requestSentPs);
    }
    route.follow(
        TlpType.MEMORY_READ,
        wireBytes,
        requesterId(),
        isTranslated,
        iova,
        lengthBytes,
        requestSentPs);
    Switch turn = route.turn();
    if (turn != null) {
      long readyPs = route.arrivalPs() + turn.forwardPs();
      slots.requestTaken(forwardedPs(readyPs));
      tapRead(iova, lengthBytes, requestSentPs, readyPs);
      DownstreamPort peer = route.peer();
      return peer == null
          ? refuseRead(route.status(), destination, offset, lengthBytes, turn, readyPs)
          : readPeer(peer, turn, iova, destination, offset, lengthBytes, readyPs);
    }
    slots.requestTaken(forwardedPs(route.arrivalPs() + rootUpstreamPs));
    return answerAtRoot(iova, destination, offset, lengthBytes, requestSentPs);
  }

  /** Returns when a request has left the port at the end of the device's link. */
  private long forwardedPs(long takenPs) {
    return port.owner() == null || route.turn() == port.owner() ? takenPs : route.forwardedPs();
  }

  /** Serves a read request that has arrived at the root complex. */
  private long answerAtRoot(
      long iova, byte[] destination, int offset, int lengthBytes, long requestSentPs) {
    translate(iova, lengthBytes, false, rootComplex.awakePs(route.arrivalPs()) + rootUpstreamPs);
    long pa = translated.pa();
    if (translated.status() == DmaStatus.OK && memory.contains(pa, lengthBytes)) {
      long dataPs = caches.read(pa, lengthBytes, attributes.isNoSnoop(), translated.readyPs());
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
    if (route.status() == DmaStatus.OK) {
      report(translated.status(), readHeader01(iova, lengthBytes), iova, translated.readyPs());
    }
    return refuseRead(translated.status(), destination, offset, lengthBytes, null, readyPs);
  }

  /** Takes a read request that nobody will answer. */
  private long ignoreRead(TlpFault fault, long iova, int lengthBytes, long requestSentPs) {
    long arrivalPs = upstream.arrivalPs(requestSentPs);
    slots.requestTaken(arrivalPs);
    tapRead(iova, lengthBytes, requestSentPs, arrivalPs);
    long header01 = readHeader01(iova, lengthBytes);
    faults.dropRead(fault, header01, TlpHeader.request23(iova), arrivalPs);
    return NEVER_PS;
  }

  private long readHeader01(long iova, int lengthBytes) {
    int bytes = isFlush ? 0 : lengthBytes;
    return TlpHeader.request01(
        false, iova, bytes, attributes.value(), requesterId(), slots.nextTag());
  }

  private void tapRead(long iova, int lengthBytes, long requestSentPs, long effectivePs) {
    if (tap.isOpen()) {
      long header01 = readHeader01(iova, lengthBytes);
      tap.tell(header01, TlpHeader.request23(iova), requestSentPs, effectivePs);
    }
  }

  /** Answers a read by a completion without data from where it was refused. */
  private long refuseRead(
      DmaStatus why,
      byte[] destination,
      int offset,
      int lengthBytes,
      @Nullable Switch turn,
      long readyPs) {
    refuse(why);
    Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
    return receiveRefusal(turn, readyPs);
  }

  private long receiveRefusal(@Nullable Switch turn, long readyPs) {
    long herePs = port.descend(turn, TlpType.COMPLETION, TlpLayout.COMPLETION_BYTES, readyPs, true);
    long completionSentPs = downstream.transmitCompletion(behindRegisterWritesPs(herePs));
    return faults.ofCompletion(false) == TlpFault.NONE
        ? downstream.arrivalPs(completionSentPs)
        : NEVER_PS;
  }

  /** Returns when a completion that is ready may leave: behind what cores have written before. */
  private long behindRegisterWritesPs(long readyPs) {
    return attributes.isRelaxed() ? readyPs : port.behindPostedWritesPs(readyPs);
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
      long turnedPs = readyPs;
      if (peer != null) {
        TlpType type = TlpType.COMPLETION_WITH_DATA;
        turnedPs = peer.peerCompletion(turn, type, wireBytes, readyPs, done == 0) + turnPs(turn);
      }
      pieceSentPs = receiveCompletion(turn, wireBytes, turnedPs, pieceSentPs, done == 0);
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
      peer.abandonRead(); // What is given up must not arrive later.
      Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
    }
    return isAnswered ? downstream.arrivalPs(pieceSentPs) : NEVER_PS;
  }

  private boolean receiveFaulty(
      TlpFault fault, byte[] destination, int offset, int lengthBytes, long completionSentPs) {
    if (fault == TlpFault.POISONED) {
      fail(DmaStatus.POISONED);
    }
    long arrivalPs = downstream.arrivalPs(completionSentPs);
    return faults.accept(fault, destination, offset, lengthBytes, arrivalPs);
  }

  private void tapCompletion(
      long address, int lengthBytes, int owedBytes, TlpFault fault, long completionSentPs) {
    long header01 =
        TlpHeader.completion01(
            address,
            lengthBytes,
            owedBytes,
            TlpHeader.STATUS_SUCCESSFUL,
            attributes.value(),
            TlpTap.ROOT_COMPLEX_ID,
            slots.nextTag());
    long header23 = TlpHeader.completion23(address, requesterId(), slots.nextTag());
    long marked = fault == TlpFault.POISONED ? TlpHeader.withPoison(header01) : header01;
    tap.tell(marked, header23, completionSentPs, downstream.arrivalPs(completionSentPs));
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

  /** Takes a completion down to the device, behind the one before; returns when it has left. */
  private long receiveCompletion(
      @Nullable Switch turn, int wireBytes, long readyPs, long previousSentPs, boolean isFirst) {
    long herePs = port.descend(turn, TlpType.COMPLETION_WITH_DATA, wireBytes, readyPs, isFirst);
    long startPs = Math.max(previousSentPs, behindRegisterWritesPs(herePs));
    return downstream.transmitCompletionWithData(wireBytes, startPs);
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
    long answerPs = peer.peerRead(this, turn, address, destination, offset, lengthBytes, readyPs);
    Switch back = peer.redirectsCompletions() && !attributes.isRelaxed() ? null : turn;
    if (answerPs >= 0) {
      return complete(peer, back, address, destination, offset, lengthBytes, answerPs);
    }
    TlpType type = TlpType.COMPLETION;
    int wireBytes = TlpLayout.COMPLETION_BYTES;
    long turnedPs = peer.peerCompletion(back, type, wireBytes, -1 - answerPs, true) + turnPs(back);
    DmaStatus why = DmaStatus.UNSUPPORTED_REQUEST;
    return refuseRead(why, destination, offset, lengthBytes, back, turnedPs);
  }

  /** Returns how long a TLP takes where it turns: in a switch or in the root complex. */
  private long turnPs(@Nullable Switch turn) {
    return turn == null ? rootUpstreamPs + rootDownstreamPs : turn.forwardPs();
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
      long takenPs = receiveWrite(address, source, offset + done, piece, wireBytes, isPolled);
      if (postedCredits != null) {
        long freePs = forwardedPs(takenPs) + creditReturnPs;
        postedCredits.giveBack(CreditPool.dataCredits(dataBytes), freePs);
      }
      visiblePs = Math.max(visiblePs, takenPs);
      done += piece;
    }
    if (attributes.isRelaxed()) {
      return Math.max(visiblePs, sentPs);
    }
    // Nothing may have been committed if all was refused.
    return Math.max(postedOrder.commitBefore(sentPs), sentPs);
  }

  /**
   * Takes one write request that has left the device at {@link #sentPs}; returns when it is
   * globally visible or has been dropped: its credits are free.
   */
  private long receiveWrite(
      long iova, byte[] source, int offset, int lengthBytes, int wireBytes, boolean isPolled) {
    TlpFault fault = faults.ofWrite();
    long takenPs;
    if (fault == TlpFault.NONE) {
      takenPs = commit(iova, source, offset, lengthBytes, wireBytes, isPolled);
    } else if (faults.passes(fault)) {
      byte[] wrong = faults.corrupt(source, offset, lengthBytes);
      takenPs = commit(iova, wrong, 0, lengthBytes, wireBytes, isPolled);
    } else {
      takenPs = upstream.arrivalPs(sentPs);
      long header01 = writeHeader01(iova, lengthBytes);
      fail(faults.drop(fault, header01, TlpHeader.request23(iova), takenPs));
    }
    if (tap.isOpen()) {
      long header01 = writeHeader01(iova, lengthBytes);
      long marked = fault == TlpFault.POISONED ? TlpHeader.withPoison(header01) : header01;
      tap.tell(marked, TlpHeader.request23(iova), sentPs, takenPs);
    }
    return takenPs;
  }

  private long writeHeader01(long iova, int lengthBytes) {
    return TlpHeader.request01(true, iova, lengthBytes, attributes.value(), requesterId(), 0);
  }

  /** Serves one write request; returns when it is globally visible or refused. */
  private long commit(
      long iova, byte[] source, int offset, int lengthBytes, int wireBytes, boolean isPolled) {
    route.follow(
        TlpType.MEMORY_WRITE, wireBytes, requesterId(), isTranslated, iova, lengthBytes, sentPs);
    if (route.status() != DmaStatus.OK) {
      refuse(route.status());
      return route.arrivalPs();
    }
    DownstreamPort peer = route.peer();
    Switch turn = route.turn();
    if (peer != null && turn != null) {
      long readyPs = route.arrivalPs() + turn.forwardPs();
      return writePeer(peer, turn, iova, source, offset, lengthBytes, readyPs);
    }
    translate(iova, lengthBytes, true, rootComplex.awakePs(route.arrivalPs()) + rootUpstreamPs);
    long readyPs = translated.readyPs();
    if (translated.status() != DmaStatus.OK) {
      report(translated.status(), writeHeader01(iova, lengthBytes), iova, readyPs);
      refuse(translated.status());
      return readyPs;
    }
    long pa = translated.pa();
    if (RootComplex.isInterruptAddress(pa)) {
      return deliverMessage(pa, source, offset, lengthBytes, inOrder(readyPs));
    }
    if (memory.contains(pa, lengthBytes)) {
      long commitPs =
          inOrder(caches.write(pa, lengthBytes, attributes.isNoSnoop(), readyPs + ownershipPs));
      store(pa, source, offset, lengthBytes, commitPs, isPolled);
      return commitPs;
    }
    peer = rootComplex.peerAt(pa);
    if (peer != null) {
      long downPs = readyPs + rootDownstreamPs;
      return writePeer(peer, null, pa, source, offset, lengthBytes, downPs);
    }
    report(DmaStatus.UNSUPPORTED_REQUEST, writeHeader01(iova, lengthBytes), iova, readyPs);
    refuse(DmaStatus.UNSUPPORTED_REQUEST);
    return readyPs;
  }

  private void store(
      long pa, byte[] source, int offset, int lengthBytes, long commitPs, boolean isPolled) {
    if (messages != null) {
      // The device may be gone before the write has left: then it must not have happened.
      commits.add(pa, source, offset, lengthBytes, commitPs, this, sentPs);
    } else if (isPolled || caches.isArrivalObservable() || commits.overlaps(pa, lengthBytes)) {
      commits.add(pa, source, offset, lengthBytes, commitPs);
    } else {
      memory.copyIn(pa, source, offset, lengthBytes);
    }
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
    long arrivalPs = peer.peerWrite(this, turn, address, source, offset, lengthBytes, readyPs);
    if (arrivalPs < 0) {
      refuse(DmaStatus.UNSUPPORTED_REQUEST);
      return readyPs;
    }
    return inOrder(arrivalPs);
  }

  /**
   * Returns when a write that could commit at a time may: behind those that left before it unless
   * it is relaxed. What follows stays behind all of them.
   */
  private long inOrder(long readyPs) {
    long commitPs = Math.max(readyPs, postedOrder.commitBefore(sentPs));
    postedOrder.add(sentPs, commitPs);
    return attributes.isRelaxed() ? readyPs : commitPs;
  }

  private long deliverMessage(long pa, byte[] source, int offset, int lengthBytes, long arrivalPs) {
    if (lengthBytes != MESSAGE_BYTES) {
      report(DmaStatus.UNSUPPORTED_REQUEST, writeHeader01(pa, lengthBytes), pa, arrivalPs);
      refuse(DmaStatus.UNSUPPORTED_REQUEST);
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
    int requesterId = requesterId();
    if (route.status() != DmaStatus.OK) {
      translated.refused(route.status(), atPs);
    } else if (!isTranslated) {
      translation.translate(requesterId, iova, lengthBytes, isWrite, atPs, translated);
    } else if (translation.trustsTranslated(requesterId)) {
      translated.translated(iova, atPs);
    } else {
      translated.refused(DmaStatus.UNSUPPORTED_REQUEST, atPs);
    }
  }

  int requesterId() {
    return claimedRequesterId == OWN_REQUESTER_ID ? port.requesterId() : claimedRequesterId;
  }

  private void refuse(DmaStatus why) {
    refusedRequestsTotal++;
    fail(why == DmaStatus.OK ? DmaStatus.UNSUPPORTED_REQUEST : why);
  }

  /** The root port reports a request that the root complex refuses. */
  private void report(DmaStatus why, long header01, long address, long atPs) {
    boolean isAbort = why == DmaStatus.COMPLETER_ABORT;
    PcieError error = isAbort ? PcieError.COMPLETER_ABORT : PcieError.UNSUPPORTED_REQUEST;
    rootErrors.record(error, header01, TlpHeader.request23(address), atPs);
  }

  private void fail(DmaStatus why) {
    if (status == DmaStatus.OK) {
      status = why;
    }
  }

  private static void requireLength(int lengthBytes) {
    if (lengthBytes < 1) {
      throw new IllegalArgumentException("lengthBytes must be >= 1: lengthBytes=" + lengthBytes);
    }
  }
}
