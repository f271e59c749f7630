package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.PhysicalMemory;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What happens to a device's request on its way up: TLPs, link, translation, then caches and memory
 * or the interrupt controller, and completions back down. The only such way.
 *
 * <p>Ordering kept (Base Specification, section 2.4.1): posted writes commit in order, interrupt
 * messages among them; reads see the posted writes before them; completions stay behind the
 * register writes before them. Relaxed ordering lifts the first and the last. ID-based ordering
 * needs several requesters and changes nothing here.
 */
final class UpstreamPath implements DmaPort {
  private static final int MESSAGE_BYTES = 4;
  private static final int PAYLOAD_MAX_BYTES = 4096;

  /** What never happens: no completion is coming. */
  private static final long NEVER_PS = Simulation.NEVER_PS;

  private final RootComplex rootComplex;
  private final RootPort port;
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
  private final PortErrors deviceErrors;
  private final TlpTap tap;
  // Ready times with the times at which the writes have left: a gap must not let others pass them.
  private final PostedOrder postedSends = new PostedOrder();
  private final PostedOrder postedOrder = new PostedOrder();
  private final TranslationResult translated = new TranslationResult();
  private final byte[] message = new byte[MESSAGE_BYTES];
  private final byte[] corrupted = new byte[PAYLOAD_MAX_BYTES];
  private final byte[] flushed = new byte[1];
  private final int requesterId;
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

  UpstreamPath(RootComplex rootComplex, RootPort port, DeviceCachePort caches) {
    this.rootComplex = rootComplex;
    this.port = port;
    translation = rootComplex.translation();
    memory = rootComplex.memory();
    commits = rootComplex.commits();
    this.caches = caches;
    configSpace = port.endpoint().configSpace();
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
    deviceErrors = port.deviceErrors();
    tap = port.tap();
    requesterId = port.bdf().requesterId();
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
      long requestSentPs = upstream.transmitMemoryRead(wireBytes, startPs);
      long repliedPs = answer(address, destination, offset + done, piece, requestSentPs);
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
      long iova, byte[] destination, int offset, int lengthBytes, long requestSentPs) {
    long arrivalPs = upstream.arrivalPs(requestSentPs);
    slots.requestTaken(arrivalPs + rootUpstreamPs);
    if (upstreamFaults.isArmed() && isRequestLost(arrivalPs)) {
      tapRead(iova, lengthBytes, requestSentPs, arrivalPs);
      return NEVER_PS;
    }
    translate(iova, lengthBytes, false, arrivalPs + rootUpstreamPs);
    long pa = translated.pa();
    if (translated.status() != DmaStatus.OK || !memory.contains(pa, lengthBytes)) {
      refuse(arrivalPs);
      Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
      tapRead(iova, lengthBytes, requestSentPs, translated.readyPs());
      return completeWithoutData(iova, lengthBytes, translated.readyPs() + rootDownstreamPs);
    }
    long dataPs = caches.read(pa, lengthBytes, isNoSnoop(), translated.readyPs());
    dataPs = Math.max(dataPs, postedOrder.commitBefore(requestSentPs));
    commits.copyOut(pa, destination, offset, lengthBytes, dataPs);
    tapRead(iova, lengthBytes, requestSentPs, dataPs);
    return complete(iova, destination, offset, lengthBytes, dataPs + rootDownstreamPs);
  }

  private void tapRead(long iova, int lengthBytes, long requestSentPs, long effectivePs) {
    if (tap.isOpen()) {
      int bytes = isFlush ? 0 : lengthBytes;
      int tag = slots.nextTag();
      tap.onRequest(
          false, iova, bytes, attributes, requesterId, tag, false, requestSentPs, effectivePs);
    }
  }

  /** Sends the completions of one request; they stay in address order. */
  private long complete(long iova, byte[] destination, int offset, int lengthBytes, long readyPs) {
    long pieceReadyPs = isRelaxed() ? readyPs : port.behindPostedWritesPs(readyPs);
    int mpsBytes = Math.min(completionMpsBytes, configSpace.maxPayloadBytes());
    boolean isComplete = true;
    int done = 0;
    while (done < lengthBytes) {
      long address = iova + done;
      int piece = cutter.pieceBytes(address, lengthBytes - done, mpsBytes);
      int wireBytes =
          TlpLayout.COMPLETION_BYTES
              + TlpLayout.dataBytes(address, piece)
              + downstream.completionExtraBytes(address);
      long sentPs = downstream.transmitCompletionWithData(wireBytes, pieceReadyPs);
      TlpFault fault =
          downstreamFaults.isArmed() ? downstreamFaults.next(false, true) : TlpFault.NONE;
      if (fault != TlpFault.NONE) {
        isComplete &= receiveFaulty(fault, destination, offset + done, piece, sentPs);
      }
      if (tap.isOpen()) {
        tapCompletion(address, piece, lengthBytes - done, fault, sentPs);
      }
      pieceReadyPs = sentPs;
      done += piece;
    }
    return isComplete ? downstream.arrivalPs(pieceReadyPs) : NEVER_PS;
  }

  private void tapCompletion(long address, int piece, int owedBytes, TlpFault fault, long sentPs) {
    tap.onCompletion(
        address,
        piece,
        owedBytes,
        TlpHeader.STATUS_SUCCESSFUL,
        attributes,
        requesterId,
        slots.nextTag(),
        fault == TlpFault.POISONED,
        sentPs,
        downstream.arrivalPs(sentPs));
  }

  /** Sends the completion of a request that is refused; returns when it has arrived. */
  private long completeWithoutData(long iova, int lengthBytes, long readyPs) {
    long startPs = isRelaxed() ? readyPs : port.behindPostedWritesPs(readyPs);
    long sentPs = downstream.transmitCompletion(startPs);
    long arrivalPs = downstream.arrivalPs(sentPs);
    if (tap.isOpen()) {
      int completionStatus =
          translated.status() == DmaStatus.COMPLETER_ABORT
              ? TlpHeader.STATUS_COMPLETER_ABORT
              : TlpHeader.STATUS_UNSUPPORTED_REQUEST;
      tap.onCompletion(
          iova,
          0,
          lengthBytes,
          completionStatus,
          attributes,
          requesterId,
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
      long commitPs = receiveWrite(address, source, offset + done, piece, isPolled);
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
      long iova, byte[] source, int offset, int lengthBytes, boolean isPolled) {
    TlpFault fault = upstreamFaults.isArmed() ? upstreamFaults.next(true, true) : TlpFault.NONE;
    long arrivalPs = upstream.arrivalPs(sentPs);
    long donePs;
    if (fault == TlpFault.NONE) {
      donePs = commit(iova, source, offset, lengthBytes, arrivalPs, isPolled);
    } else if (fault == TlpFault.CORRUPTED && !hasEcrc) {
      System.arraycopy(source, offset, corrupted, 0, lengthBytes);
      flip(corrupted, 0, upstreamFaults.nextBit(lengthBytes));
      donePs = commit(iova, corrupted, 0, lengthBytes, arrivalPs, isPolled);
    } else {
      drop(fault, iova, lengthBytes, arrivalPs);
      donePs = arrivalPs;
    }
    if (tap.isOpen()) {
      boolean isPoisoned = fault == TlpFault.POISONED;
      tap.onRequest(
          true, iova, lengthBytes, attributes, requesterId, 0, isPoisoned, sentPs, donePs);
    }
    return donePs;
  }

  /** Serves one write request that arrives at the port. */
  private long commit(
      long iova, byte[] source, int offset, int lengthBytes, long arrivalPs, boolean isPolled) {
    translate(iova, lengthBytes, true, arrivalPs + rootUpstreamPs);
    long readyPs = translated.readyPs();
    if (translated.status() != DmaStatus.OK) {
      refuse(arrivalPs);
      return readyPs;
    }
    long pa = translated.pa();
    if (RootComplex.isInterruptAddress(pa)) {
      long commitPs = inOrder(readyPs);
      deliverMessage(pa, source, offset, lengthBytes, commitPs);
      return commitPs;
    }
    if (!memory.contains(pa, lengthBytes)) {
      translated.refused(DmaStatus.UNSUPPORTED_REQUEST, readyPs);
      refuse(arrivalPs);
      return readyPs;
    }
    long commitPs = inOrder(caches.write(pa, lengthBytes, isNoSnoop(), readyPs));
    if (isPolled || commits.overlaps(pa, lengthBytes)) {
      commits.add(pa, source, offset, lengthBytes, commitPs);
    } else {
      memory.copyIn(pa, source, offset, lengthBytes);
    }
    return commitPs;
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

  private void deliverMessage(long pa, byte[] source, int offset, int lengthBytes, long arrivalPs) {
    if (lengthBytes != MESSAGE_BYTES) {
      translated.refused(DmaStatus.UNSUPPORTED_REQUEST, arrivalPs);
      refuse(arrivalPs);
      return;
    }
    int data = 0;
    for (int i = 0; i < MESSAGE_BYTES; i++) {
      data |= (source[offset + i] & 0xff) << i * Byte.SIZE;
    }
    rootComplex.interrupts().onMessage(requesterId, pa, data, arrivalPs);
  }

  private void translate(long iova, int lengthBytes, boolean isWrite, long atPs) {
    translation.translate(requesterId, iova, lengthBytes, isWrite, atPs, translated);
  }

  private void refuse(long atPs) {
    refusedRequestsTotal++;
    DmaStatus why =
        translated.status() == DmaStatus.OK ? DmaStatus.UNSUPPORTED_REQUEST : translated.status();
    errors.record(
        why == DmaStatus.COMPLETER_ABORT
            ? PcieError.COMPLETER_ABORT
            : PcieError.UNSUPPORTED_REQUEST,
        atPs);
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
    long header01 = TlpHeader.request01(true, iova, lengthBytes, attributes, requesterId, 0);
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
