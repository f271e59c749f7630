package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;

/**
 * What happens to a device's request on its way up: TLPs, link, switches, translation, then caches
 * and memory, the interrupt controller or a peer, and completions back down. The only such way.
 *
 * <pre>{@code
 * device --> Requester --+--> WriteRequests --+--> caches, memory, interrupt controller, peer
 *                        +--> ReadRequests  --'
 *                        '--> AtsRequests -----> translation
 * }</pre>
 *
 * <p>Ordering kept (Base Specification, section 2.4.1): posted writes commit in order, interrupt
 * messages among them; reads see the posted writes before them; completions stay behind the
 * register writes before them. Relaxed ordering lifts the first and the last. ID-based ordering is
 * carried and changes nothing: what a request waits for here comes from its own function.
 */
final class UpstreamPath implements DmaPort {
  private final RootComplex rootComplex;
  private final Requester requester;
  private final WriteRequests writes;
  private final ReadRequests reads;
  private final AtsRequests translations;

  UpstreamPath(
      RootComplex rootComplex, DownstreamPort port, Endpoint endpoint, DeviceCachePort caches) {
    this.rootComplex = rootComplex;
    requester = new Requester(port, endpoint.configSpace(), rootComplex);
    writes = new WriteRequests(this, requester, rootComplex, port, caches);
    PendingReads pending =
        new PendingReads(
            port.link().tags(),
            rootComplex.simulation(),
            caches,
            port.downstream(),
            rootComplex.config().downstreamPs());
    ReadSlots slots = new ReadSlots(port.link(), pending, rootComplex.simulation());
    reads = new ReadRequests(this, requester, writes, pending, slots, rootComplex, port, caches);
    translations = new AtsRequests(requester, writes, slots, rootComplex, port);
  }

  @Override
  public long read(
      long iova, byte[] destination, int offset, int lengthBytes, long atPs, int attributes) {
    requester.begin(attributes);
    return reads.read(iova, destination, offset, lengthBytes, atPs);
  }

  @Override
  public long write(
      long iova, byte[] source, int offset, int lengthBytes, long atPs, int attributes) {
    requester.begin(attributes);
    return writes.write(iova, source, offset, lengthBytes, atPs, false);
  }

  @Override
  public long writeStatus(long iova, byte[] source, int offset, int lengthBytes, long atPs) {
    requester.begin(TlpAttributes.NONE);
    return writes.write(iova, source, offset, lengthBytes, atPs, true);
  }

  @Override
  public long sendMessage(long address, int data, long atPs) {
    requester.begin(TlpAttributes.NONE);
    return writes.sendMessage(address, data, atPs);
  }

  @Override
  public void claimRequesterId(int requesterId) {
    requester.claimId(requesterId);
  }

  @Override
  public void claimTranslated(boolean isTranslated) {
    requester.claimTranslated(isTranslated);
  }

  @Override
  public void usePasid(int pasid) {
    requester.usePasid(pasid);
  }

  @Override
  public long requestTranslation(
      long iova, int pagesCount, boolean wantsWrite, long atPs, AtsTranslation answer) {
    requester.begin(TlpAttributes.NONE);
    return translations.requestTranslation(iova, pagesCount, wantsWrite, atPs, answer);
  }

  @Override
  public long requestPage(
      long iova, boolean isRead, boolean isWrite, boolean isLast, int groupIndex, long atPs) {
    requester.begin(TlpAttributes.NONE);
    return translations.requestPage(iova, isRead, isWrite, isLast, groupIndex, atPs);
  }

  @Override
  public DmaStatus status() {
    return requester.status();
  }

  @Override
  public long sentPs() {
    return writes.sentPs();
  }

  @Override
  public long readTicket() {
    return reads.ticket();
  }

  @Override
  public long arrivalPs(long ticket) {
    return reads.arrivalPs(ticket);
  }

  @Override
  public long tagFreePs() {
    return reads.tagFreePs();
  }

  @Override
  public long horizonPs() {
    return rootComplex.horizonPs();
  }

  /** The link has gone down: what has not left never does. */
  void disconnect(long nowPs) {
    requester.disconnect();
    writes.disconnect(nowPs);
  }

  /** {@return who the device's requests are from, or claim to be from} */
  int requesterId() {
    return requester.id();
  }

  /** {@return when all posted writes that have left until a time are globally visible} */
  long committedPs(long atPs) {
    return writes.committedPs(atPs);
  }

  long refusedRequestsTotal() {
    return requester.refusedTotal();
  }

  /**
   * {@return when a TLP that is ready at a time may enter the serializer: behind the posted writes
   * that were ready no later}
   */
  long behindPostedWritesPs(long readyPs) {
    return writes.behindPs(readyPs);
  }

  /** {@return how long writes have waited for credits, in picoseconds} */
  long creditWaitPsTotal() {
    return writes.creditWaitPsTotal();
  }
}
