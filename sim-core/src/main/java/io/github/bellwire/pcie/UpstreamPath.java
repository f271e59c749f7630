package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;
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
 * register writes before them.
 */
final class UpstreamPath implements DmaPort {
  private static final int MESSAGE_BYTES = 4;
  private static final int OWN_REQUESTER_ID = -1;
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
  private final TagPool tags;
  private final RequestRoute route;
  // Ready times with the times at which the writes have left: a gap must not let others pass them.
  private final PostedOrder postedSends = new PostedOrder();
  private final PostedOrder postedOrder = new PostedOrder();
  private final TranslationResult translated = new TranslationResult();
  private final byte[] message = new byte[MESSAGE_BYTES];
  private final int completionMpsBytes;
  private final int rcbBytes;
  private final long propagationPs;
  private final long rootUpstreamPs;
  private final long rootDownstreamPs;
  private final long ownershipPs;

  private DmaStatus status = DmaStatus.OK;
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
    tags = new TagPool(link.tags());
    completionMpsBytes = link.maxPayloadBytes();
    rcbBytes = link.readCompletionBoundaryBytes();
    propagationPs = link.propagationPs();
    rootUpstreamPs = rootComplex.config().upstreamPs();
    rootDownstreamPs = rootComplex.config().downstreamPs();
    ownershipPs = rootComplex.config().ownershipPs();
  }

  @Override
  public long read(long iova, byte[] destination, int offset, int lengthBytes, long atPs) {
    requireLength(lengthBytes);
    status = DmaStatus.OK;
    if (!configSpace.isBusMasterEnabled()) {
      status = DmaStatus.BUS_MASTER_DISABLED;
      Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
      return atPs;
    }
    int mrrsBytes = configSpace.maxReadRequestBytes();
    long donePs = atPs;
    long readyPs = atPs;
    int done = 0;
    while (done < lengthBytes) {
      long address = iova + done;
      int piece = TlpLayout.requestPieceBytes(address, lengthBytes - done, mrrsBytes);
      long startPs = behindPostedWritesPs(Math.max(readyPs, tags.nextFreePs()));
      readyPs = upstream.transmitMemoryRead(TlpLayout.requestBytes(address), startPs);
      long repliedPs = answer(address, destination, offset + done, piece, readyPs);
      tags.take(repliedPs);
      donePs = Math.max(donePs, repliedPs);
      done += piece;
    }
    return donePs;
  }

  @Override
  public long write(long iova, byte[] source, int offset, int lengthBytes, long atPs) {
    return write(iova, source, offset, lengthBytes, atPs, false);
  }

  @Override
  public long writeStatus(long iova, byte[] source, int offset, int lengthBytes, long atPs) {
    return write(iova, source, offset, lengthBytes, atPs, true);
  }

  @Override
  public long sendMessage(long address, int data, long atPs) {
    for (int i = 0; i < MESSAGE_BYTES; i++) {
      message[i] = (byte) (data >>> i * Byte.SIZE);
    }
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
    return tags.nextFreePs();
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

  /** Serves one read request that has left the device; returns when its last completion is back. */
  private long answer(
      long iova, byte[] destination, int offset, int lengthBytes, long requestSentPs) {
    int wireBytes = TlpLayout.requestBytes(iova);
    route.follow(TlpType.MEMORY_READ, wireBytes, requesterId(), isTranslated, iova, requestSentPs);
    DownstreamPort peer = route.peer();
    Switch turn = route.turn();
    if (turn != null) {
      long readyPs = route.arrivalPs() + turn.forwardPs();
      if (peer != null) {
        return readPeer(peer, turn, iova, destination, offset, lengthBytes, readyPs);
      }
      return refuseRead(route.status(), destination, offset, lengthBytes, turn, readyPs);
    }
    translate(iova, lengthBytes, false, rootComplex.awakePs(route.arrivalPs()) + rootUpstreamPs);
    long pa = translated.pa();
    if (translated.status() == DmaStatus.OK && memory.contains(pa, lengthBytes)) {
      long dataPs = caches.read(pa, lengthBytes, false, translated.readyPs());
      dataPs = Math.max(dataPs, postedOrder.commitBefore(requestSentPs));
      commits.copyOut(pa, destination, offset, lengthBytes, dataPs);
      return complete(iova, lengthBytes, dataPs + rootDownstreamPs);
    }
    long readyPs = translated.readyPs() + rootDownstreamPs;
    if (translated.status() == DmaStatus.OK && (peer = rootComplex.peerAt(pa)) != null) {
      return readPeer(peer, null, pa, destination, offset, lengthBytes, readyPs);
    }
    return refuseRead(translated.status(), destination, offset, lengthBytes, null, readyPs);
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
    return downstream.transmitCompletion(port.behindPostedWritesPs(herePs)) + propagationPs;
  }

  /** Sends the completions of one request; they stay in address order. */
  private long complete(long iova, int lengthBytes, long readyPs) {
    int mpsBytes = Math.min(completionMpsBytes, configSpace.maxPayloadBytes());
    long pieceSentPs = 0;
    int done = 0;
    while (done < lengthBytes) {
      long address = iova + done;
      int piece = TlpLayout.completionPieceBytes(address, lengthBytes - done, mpsBytes, rcbBytes);
      int wireBytes = TlpLayout.COMPLETION_BYTES + TlpLayout.dataBytes(address, piece);
      pieceSentPs = receiveCompletion(null, wireBytes, readyPs, pieceSentPs, done == 0);
      done += piece;
    }
    return pieceSentPs + propagationPs;
  }

  /** Takes a completion down to the device, behind the one before; returns when it has left. */
  private long receiveCompletion(
      @Nullable Switch turn, int wireBytes, long readyPs, long previousSentPs, boolean isFirst) {
    long herePs = port.descend(turn, TlpType.COMPLETION_WITH_DATA, wireBytes, readyPs, isFirst);
    long startPs = Math.max(previousSentPs, port.behindPostedWritesPs(herePs));
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
    return pieceSentPs + propagationPs;
  }

  /** Returns how long a TLP takes where it turns: in a switch or in the root complex. */
  private long turnPs(@Nullable Switch turn) {
    return turn == null ? rootUpstreamPs + rootDownstreamPs : turn.forwardPs();
  }

  private long write(
      long iova, byte[] source, int offset, int lengthBytes, long atPs, boolean isPolled) {
    requireLength(lengthBytes);
    status = DmaStatus.OK;
    sentPs = atPs;
    if (!configSpace.isBusMasterEnabled()) {
      status = DmaStatus.BUS_MASTER_DISABLED;
      return atPs;
    }
    int writeMpsBytes = configSpace.maxPayloadBytes();
    int done = 0;
    while (done < lengthBytes) {
      long address = iova + done;
      int piece = TlpLayout.requestPieceBytes(address, lengthBytes - done, writeMpsBytes);
      int wireBytes = TlpLayout.requestBytes(address) + TlpLayout.dataBytes(address, piece);
      long readyPs = sentPs;
      sentPs = upstream.transmitMemoryWrite(wireBytes, behindPostedWritesPs(readyPs));
      postedSends.add(readyPs, sentPs);
      commit(address, source, offset + done, piece, wireBytes, isPolled);
      done += piece;
    }
    // Nothing may have been committed if all was refused.
    return Math.max(postedOrder.commitBefore(sentPs), sentPs);
  }

  /** Serves one write request that has left the device at {@link #sentPs}. */
  private void commit(
      long iova, byte[] source, int offset, int lengthBytes, int wireBytes, boolean isPolled) {
    route.follow(TlpType.MEMORY_WRITE, wireBytes, requesterId(), isTranslated, iova, sentPs);
    if (route.status() != DmaStatus.OK) {
      refuse(route.status());
      return;
    }
    DownstreamPort peer = route.peer();
    Switch turn = route.turn();
    if (peer != null && turn != null) {
      long readyPs = route.arrivalPs() + turn.forwardPs();
      writePeer(peer, turn, iova, source, offset, lengthBytes, readyPs);
      return;
    }
    translate(iova, lengthBytes, true, rootComplex.awakePs(route.arrivalPs()) + rootUpstreamPs);
    if (translated.status() != DmaStatus.OK) {
      refuse(translated.status());
      return;
    }
    long pa = translated.pa();
    long readyPs = translated.readyPs();
    if (RootComplex.isInterruptAddress(pa)) {
      deliverMessage(pa, source, offset, lengthBytes, inOrder(readyPs));
    } else if (memory.contains(pa, lengthBytes)) {
      long commitPs = inOrder(caches.write(pa, lengthBytes, false, readyPs + ownershipPs));
      if (isPolled || commits.overlaps(pa, lengthBytes)) {
        commits.add(pa, source, offset, lengthBytes, commitPs);
      } else {
        memory.copyIn(pa, source, offset, lengthBytes);
      }
    } else if ((peer = rootComplex.peerAt(pa)) != null) {
      writePeer(peer, null, pa, source, offset, lengthBytes, readyPs + rootDownstreamPs);
    } else {
      refuse(DmaStatus.UNSUPPORTED_REQUEST);
    }
  }

  /** Takes a write from where it turns down to a peer, where it commits when it arrives. */
  private void writePeer(
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
    } else {
      inOrder(arrivalPs);
    }
  }

  /** Returns when a write that could commit at a time may, behind those that left before it. */
  private long inOrder(long readyPs) {
    long commitPs = Math.max(readyPs, postedOrder.commitBefore(sentPs));
    postedOrder.add(sentPs, commitPs);
    return commitPs;
  }

  private void deliverMessage(long pa, byte[] source, int offset, int lengthBytes, long arrivalPs) {
    if (lengthBytes != MESSAGE_BYTES) {
      refuse(DmaStatus.UNSUPPORTED_REQUEST);
      return;
    }
    int data = 0;
    for (int i = 0; i < MESSAGE_BYTES; i++) {
      data |= (source[offset + i] & 0xff) << i * Byte.SIZE;
    }
    rootComplex.interrupts().onMessage(requesterId(), pa, data, arrivalPs);
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
    if (status == DmaStatus.OK) {
      status = why == DmaStatus.OK ? DmaStatus.UNSUPPORTED_REQUEST : why;
    }
  }

  private static void requireLength(int lengthBytes) {
    if (lengthBytes < 1) {
      throw new IllegalArgumentException("lengthBytes must be >= 1: lengthBytes=" + lengthBytes);
    }
  }
}
