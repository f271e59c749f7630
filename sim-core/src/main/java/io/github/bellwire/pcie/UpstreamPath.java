package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.PhysicalMemory;
import java.util.Arrays;

/**
 * What happens to a device's request on its way up: TLPs, link, translation, then caches and memory
 * or the interrupt controller, and completions back down. The only such way.
 *
 * <p>Ordering kept (Base Specification, section 2.4.1): posted writes commit in order, interrupt
 * messages among them; reads see the posted writes before them; completions stay behind the
 * register writes before them.
 */
final class UpstreamPath implements DmaPort {
  private static final int MESSAGE_BYTES = 4;

  private final RootComplex rootComplex;
  private final RootPort port;
  private final Translation translation;
  private final PhysicalMemory memory;
  private final CommitQueue commits;
  private final DeviceCachePort caches;
  private final ConfigSpace configSpace;
  private final LinkDirection upstream;
  private final LinkDirection downstream;
  private final TagPool tags;
  // Ready times with the times at which the writes have left: a gap must not let others pass them.
  private final PostedOrder postedSends = new PostedOrder();
  private final PostedOrder postedOrder = new PostedOrder();
  private final TranslationResult translated = new TranslationResult();
  private final byte[] message = new byte[MESSAGE_BYTES];
  private final int requesterId;
  private final int completionMpsBytes;
  private final int rcbBytes;
  private final long propagationPs;
  private final long rootUpstreamPs;
  private final long rootDownstreamPs;

  private DmaStatus status = DmaStatus.OK;
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
    tags = new TagPool(link.tags());
    requesterId = port.bdf().requesterId();
    completionMpsBytes = link.maxPayloadBytes();
    rcbBytes = link.readCompletionBoundaryBytes();
    propagationPs = link.propagationPs();
    rootUpstreamPs = rootComplex.config().upstreamPs();
    rootDownstreamPs = rootComplex.config().downstreamPs();
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
      long repliedPs = answer(address, destination, offset + done, piece, readyPs + propagationPs);
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

  /** Serves one read request that arrives at the port; returns when its last completion is back. */
  private long answer(long iova, byte[] destination, int offset, int lengthBytes, long arrivalPs) {
    translate(iova, lengthBytes, false, arrivalPs + rootUpstreamPs);
    long pa = translated.pa();
    if (translated.status() != DmaStatus.OK || !memory.contains(pa, lengthBytes)) {
      refuse();
      Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
      long refusedPs = translated.readyPs() + rootDownstreamPs;
      return downstream.transmitCompletion(port.behindPostedWritesPs(refusedPs)) + propagationPs;
    }
    long dataPs = caches.read(pa, lengthBytes, false, translated.readyPs());
    dataPs = Math.max(dataPs, postedOrder.commitBefore(arrivalPs - propagationPs));
    commits.copyOut(pa, destination, offset, lengthBytes, dataPs);
    return complete(iova, lengthBytes, dataPs + rootDownstreamPs);
  }

  /** Sends the completions of one request; they stay in address order. */
  private long complete(long iova, int lengthBytes, long readyPs) {
    long pieceReadyPs = port.behindPostedWritesPs(readyPs);
    int mpsBytes = Math.min(completionMpsBytes, configSpace.maxPayloadBytes());
    int done = 0;
    while (done < lengthBytes) {
      long address = iova + done;
      int piece = TlpLayout.completionPieceBytes(address, lengthBytes - done, mpsBytes, rcbBytes);
      int wireBytes = TlpLayout.COMPLETION_BYTES + TlpLayout.dataBytes(address, piece);
      pieceReadyPs = downstream.transmitCompletionWithData(wireBytes, pieceReadyPs);
      done += piece;
    }
    return pieceReadyPs + propagationPs;
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
      commit(address, source, offset + done, piece, isPolled);
      done += piece;
    }
    // Nothing may have been committed if all was refused.
    return Math.max(postedOrder.commitBefore(sentPs), sentPs);
  }

  /** Serves one write request that has left the device at {@link #sentPs}. */
  private void commit(long iova, byte[] source, int offset, int lengthBytes, boolean isPolled) {
    translate(iova, lengthBytes, true, sentPs + propagationPs + rootUpstreamPs);
    if (translated.status() != DmaStatus.OK) {
      refuse();
      return;
    }
    long pa = translated.pa();
    long readyPs = translated.readyPs();
    if (RootComplex.isInterruptAddress(pa)) {
      deliverMessage(pa, source, offset, lengthBytes, inOrder(readyPs));
    } else if (memory.contains(pa, lengthBytes)) {
      long commitPs = inOrder(caches.write(pa, lengthBytes, false, readyPs));
      if (isPolled || commits.overlaps(pa, lengthBytes)) {
        commits.add(pa, source, offset, lengthBytes, commitPs);
      } else {
        memory.copyIn(pa, source, offset, lengthBytes);
      }
    } else {
      translated.refused(DmaStatus.UNSUPPORTED_REQUEST, readyPs);
      refuse();
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
      translated.refused(DmaStatus.UNSUPPORTED_REQUEST, arrivalPs);
      refuse();
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

  private void refuse() {
    refusedRequestsTotal++;
    if (status == DmaStatus.OK) {
      status =
          translated.status() == DmaStatus.OK ? DmaStatus.UNSUPPORTED_REQUEST : translated.status();
    }
  }

  private static void requireLength(int lengthBytes) {
    if (lengthBytes < 1) {
      throw new IllegalArgumentException("lengthBytes must be >= 1: lengthBytes=" + lengthBytes);
    }
  }
}
