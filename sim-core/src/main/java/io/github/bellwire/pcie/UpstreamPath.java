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

  // Of the access in progress.
  private DmaStatus status = DmaStatus.OK;
  private boolean isFlush;
  private long sentPs;
  private long refusedRequestsTotal;
  // What the device writes into its requests, which may be a lie.
  private int claimedRequesterId = OWN_REQUESTER_ID;
  private boolean isTranslated;

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
    attributes = new RequestAttributes(configSpace);
    slots = new ReadSlots(link);
    postedCredits = CreditPool.ofNullable(flowControl.rootPort().ph(), flowControl.rootPort().pd());
    creditReturnPs = flowControl.updatePs() + link.propagationPs();
    cutter = port.cutter();
    faults = port.faultyTlps();
    rootErrors = port.rootErrors();
    deviceErrors = port.deviceErrors();
    tap = port.tap();
    completionMpsBytes = link.maxPayloadBytes();
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
    if (!configSpace.isBusMasterEnabled()) {
      status = DmaStatus.BUS_MASTER_DISABLED;
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
    route.follow(TlpType.MEMORY_READ, wireBytes, requesterId(), isTranslated, iova, requestSentPs);
    slots.requestTaken(route.arrivalPs() + rootUpstreamPs);
    DownstreamPort peer = route.peer();
    Switch turn = route.turn();
    if (turn != null) {
      long readyPs = route.arrivalPs() + turn.forwardPs();
      tapRead(iova, lengthBytes, requestSentPs, readyPs);
      if (peer != null) {
        return readPeer(peer, turn, iova, destination, offset, lengthBytes, readyPs);
      }
      return refuseRead(route.status(), destination, offset, lengthBytes, turn, readyPs);
    }
    translate(iova, lengthBytes, false, route.arrivalPs() + rootUpstreamPs);
    long pa = translated.pa();
    if (translated.status() == DmaStatus.OK && memory.contains(pa, lengthBytes)) {
      long dataPs = caches.read(pa, lengthBytes, attributes.isNoSnoop(), translated.readyPs());
      dataPs = Math.max(dataPs, postedOrder.commitBefore(requestSentPs));
      commits.copyOut(pa, destination, offset, lengthBytes, dataPs);
      tapRead(iova, lengthBytes, requestSentPs, dataPs);
      return complete(iova, destination, offset, lengthBytes, dataPs + rootDownstreamPs);
    }
    tapRead(iova, lengthBytes, requestSentPs, translated.readyPs());
    long readyPs = translated.readyPs() + rootDownstreamPs;
    if (translated.status() == DmaStatus.OK && (peer = rootComplex.peerAt(pa)) != null) {
      return readPeer(peer, null, pa, destination, offset, lengthBytes, readyPs);
    }
    if (route.status() == DmaStatus.OK) {
      report(translated.status(), translated.readyPs());
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

  /** Sends the completions of one request; they stay in address order. */
  private long complete(long iova, byte[] destination, int offset, int lengthBytes, long readyPs) {
    int mpsBytes = Math.min(completionMpsBytes, configSpace.maxPayloadBytes());
    boolean isAnswered = true;
    long pieceSentPs = 0;
    int done = 0;
    while (done < lengthBytes) {
      long address = iova + done;
      int piece = cutter.pieceBytes(address, lengthBytes - done, mpsBytes);
      int wireBytes =
          TlpLayout.COMPLETION_BYTES
              + TlpLayout.dataBytes(address, piece)
              + downstream.completionExtraBytes(address);
      pieceSentPs = receiveCompletion(null, wireBytes, readyPs, pieceSentPs, done == 0);
      TlpFault fault = faults.ofCompletion(true);
      if (fault != TlpFault.NONE) {
        isAnswered &= receiveFaulty(fault, destination, offset + done, piece, pieceSentPs);
      }
      if (tap.isOpen()) {
        tapCompletion(address, piece, lengthBytes - done, fault, pieceSentPs);
      }
      done += piece;
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

  /** Takes a read from where it turns down to a peer, and the completions from there to here. */
  private long readPeer(
      DownstreamPort peer,
      @Nullable Switch turn,
      long address,
      byte[] destination,
      int offset,
      int lengthBytes,
      long readyPs) {
    long answerPs = peer.peerRead(turn, address, destination, offset, lengthBytes, readyPs);
    Switch back = peer.redirectsCompletions() ? null : turn;
    if (answerPs < 0) {
      refuse(DmaStatus.UNSUPPORTED_REQUEST);
      Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
      long turnedPs =
          peer.peerCompletion(
              back, TlpType.COMPLETION, TlpLayout.COMPLETION_BYTES, -1 - answerPs, true);
      return receiveRefusal(back, turnedPs + turnPs(back));
    }
    int mpsBytes = Math.min(peer.maxPayloadBytes(), configSpace.maxPayloadBytes());
    long pieceSentPs = 0;
    int done = 0;
    while (done < lengthBytes) {
      int piece =
          TlpLayout.completionPieceBytes(
              address + done, lengthBytes - done, mpsBytes, ENDPOINT_RCB_BYTES);
      int wireBytes = TlpLayout.COMPLETION_BYTES + TlpLayout.dataBytes(address + done, piece);
      long turnedPs =
          peer.peerCompletion(back, TlpType.COMPLETION_WITH_DATA, wireBytes, answerPs, done == 0);
      pieceSentPs =
          receiveCompletion(back, wireBytes, turnedPs + turnPs(back), pieceSentPs, done == 0);
      done += piece;
    }
    return downstream.arrivalPs(pieceSentPs);
  }

  /** Returns how long a TLP takes where it turns: in a switch or in the root complex. */
  private long turnPs(@Nullable Switch turn) {
    return turn == null ? rootUpstreamPs + rootDownstreamPs : turn.forwardPs();
  }

  private long write(
      long iova, byte[] source, int offset, int lengthBytes, long atPs, boolean isPolled) {
    requireLength(lengthBytes);
    sentPs = atPs;
    if (!configSpace.isBusMasterEnabled()) {
      status = DmaStatus.BUS_MASTER_DISABLED;
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
        postedCredits.giveBack(CreditPool.dataCredits(dataBytes), takenPs + creditReturnPs);
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
    route.follow(TlpType.MEMORY_WRITE, wireBytes, requesterId(), isTranslated, iova, sentPs);
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
    translate(iova, lengthBytes, true, route.arrivalPs() + rootUpstreamPs);
    long readyPs = translated.readyPs();
    if (translated.status() != DmaStatus.OK) {
      report(translated.status(), readyPs);
      refuse(translated.status());
      return readyPs;
    }
    long pa = translated.pa();
    if (RootComplex.isInterruptAddress(pa)) {
      return deliverMessage(pa, source, offset, lengthBytes, inOrder(readyPs));
    }
    if (memory.contains(pa, lengthBytes)) {
      long commitPs = inOrder(caches.write(pa, lengthBytes, attributes.isNoSnoop(), readyPs));
      if (isPolled || commits.overlaps(pa, lengthBytes)) {
        commits.add(pa, source, offset, lengthBytes, commitPs);
      } else {
        memory.copyIn(pa, source, offset, lengthBytes);
      }
      return commitPs;
    }
    peer = rootComplex.peerAt(pa);
    if (peer != null) {
      long downPs = readyPs + rootDownstreamPs;
      return writePeer(peer, null, pa, source, offset, lengthBytes, downPs);
    }
    report(DmaStatus.UNSUPPORTED_REQUEST, readyPs);
    refuse(DmaStatus.UNSUPPORTED_REQUEST);
    return readyPs;
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
    long arrivalPs = peer.peerWrite(turn, address, source, offset, lengthBytes, readyPs);
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
      report(DmaStatus.UNSUPPORTED_REQUEST, arrivalPs);
      refuse(DmaStatus.UNSUPPORTED_REQUEST);
      return arrivalPs;
    }
    int data = 0;
    for (int i = 0; i < MESSAGE_BYTES; i++) {
      data |= (source[offset + i] & 0xff) << i * Byte.SIZE;
    }
    rootComplex.interrupts().onMessage(requesterId(), pa, data, arrivalPs);
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

  private int requesterId() {
    return claimedRequesterId == OWN_REQUESTER_ID ? port.requesterId() : claimedRequesterId;
  }

  private void refuse(DmaStatus why) {
    refusedRequestsTotal++;
    fail(why == DmaStatus.OK ? DmaStatus.UNSUPPORTED_REQUEST : why);
  }

  /** The root port reports a request that the root complex refuses. */
  private void report(DmaStatus why, long atPs) {
    boolean isAbort = why == DmaStatus.COMPLETER_ABORT;
    rootErrors.record(isAbort ? PcieError.COMPLETER_ABORT : PcieError.UNSUPPORTED_REQUEST, atPs);
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
