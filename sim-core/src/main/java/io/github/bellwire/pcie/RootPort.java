package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.kernel.Simulation;
import org.jspecify.annotations.Nullable;

/**
 * A root port, its link and the endpoint at the far end.
 *
 * <pre>{@code
 * cores --mmio--> [ posted writes, reads ] --downstream--> +----------+
 * caches <--------[ UpstreamPath         ] <---upstream--- | Endpoint |
 *        ---------[ completions          ] --downstream--> +----------+
 * }</pre>
 *
 * <p>Confined to the simulation thread.
 */
public final class RootPort {
  private final RootComplex rootComplex;
  private final Simulation simulation;
  private final Endpoint endpoint;
  private final PcieLink link;
  private final Bdf bdf;
  private final LinkDirection upstream;
  private final LinkDirection downstream;
  private final CompletionCutter cutter;
  private final TlpTap tap;
  private final @Nullable CreditPool postedCredits;
  private final long creditReturnPs;
  private final UpstreamPath upstreamPath;
  private final PostedWriteQueue postedWrites;

  RootPort(
      RootComplex rootComplex,
      Simulation simulation,
      Endpoint endpoint,
      PcieLinkConfig config,
      DeviceCachePort caches,
      Bdf bdf) {
    this.rootComplex = rootComplex;
    this.simulation = simulation;
    this.endpoint = endpoint;
    this.bdf = bdf;
    link = new PcieLink(config, simulation, "link " + bdf);
    upstream = link.upstream();
    downstream = link.downstream();
    cutter = new CompletionCutter(config, simulation.randomStream("completions " + bdf));
    tap = new TlpTap(config);
    FlowControlConfig flowControl = config.flowControl();
    postedCredits = CreditPool.ofNullable(flowControl.endpoint().ph(), flowControl.endpoint().pd());
    creditReturnPs = flowControl.updatePs() + config.propagationPs();
    upstreamPath = new UpstreamPath(rootComplex, this, caches);
    postedWrites = new PostedWriteQueue(simulation, endpoint);
    endpoint.connect(upstreamPath);
  }

  /** {@return the device at the far end} */
  public Endpoint endpoint() {
    return endpoint;
  }

  /** {@return the device's address in configuration space and requester ID} */
  public Bdf bdf() {
    return bdf;
  }

  /** {@return what the two ends have agreed on} */
  public PcieLinkConfig link() {
    return link.config();
  }

  /** {@return the direction from the device to the host} */
  public LinkDirection upstream() {
    return upstream;
  }

  /** {@return the direction from the host to the device} */
  public LinkDirection downstream() {
    return downstream;
  }

  /** {@return device requests that were refused or that nobody claimed} */
  public long refusedRequestsTotal() {
    return upstreamPath.refusedRequestsTotal();
  }

  /** {@return errors that the root port detects: in what the device sends} */
  public PortErrors errors() {
    return link.upperErrors();
  }

  /** {@return errors that the device's end of the link detects: in what the host sends} */
  public PortErrors deviceErrors() {
    return link.lowerErrors();
  }

  /** {@return what goes wrong on the way from the device to the host} */
  public FaultInjector upstreamFaults() {
    return link.upstreamFaults();
  }

  /** {@return what goes wrong with completions on the way from the host to the device} */
  public FaultInjector downstreamFaults() {
    return link.downstreamFaults();
  }

  /**
   * Shows every TLP of the device's DMA to a listener from now on, instead of to the one before.
   *
   * @param listener null for nobody
   */
  public void listen(@Nullable TlpListener listener) {
    tap.listen(listener);
  }

  /** {@return how long the device's writes have waited for credits, in picoseconds} */
  public long creditWaitPsTotal() {
    return upstreamPath.creditWaitPsTotal();
  }

  CompletionCutter cutter() {
    return cutter;
  }

  TlpTap tap() {
    return tap;
  }

  /** {@return register writes that cores have sent to the device} */
  public long mmioWritesTotal() {
    return postedWrites.acceptedTotal();
  }

  /** Returns how long the link took: waiting for it and sending. */
  long mmioWrite(long address, int sizeBytes, long value, long readyPs) {
    long sentPs = sendWrite(address, sizeBytes, readyPs);
    ConfigSpace config = endpoint.configSpace();
    int bar = config.barIndexAt(address);
    long offset = address - config.barAddress(bar);
    postedWrites.add(bar, offset, sizeBytes, value, readyPs, downstream.arrivalPs(sentPs));
    return sentPs - readyPs;
  }

  /** Returns how long the link took: waiting for it and sending. */
  long mmioWrite(long address, byte[] source, int sourceOffset, int lengthBytes, long readyPs) {
    long sentPs = sendWrite(address, lengthBytes, readyPs);
    ConfigSpace config = endpoint.configSpace();
    int bar = config.barIndexAt(address);
    long offset = address - config.barAddress(bar);
    postedWrites.addBlock(
        bar, offset, source, sourceOffset, lengthBytes, readyPs, downstream.arrivalPs(sentPs));
    return sentPs - readyPs;
  }

  private long sendWrite(long address, int lengthBytes, long readyPs) {
    int dataBytes = TlpLayout.dataBytes(address, lengthBytes);
    int wireBytes =
        TlpLayout.requestBytes(address)
            + dataBytes
            + downstream.requestExtraBytes(address, lengthBytes);
    long startPs = behindPostedWritesPs(readyPs);
    if (postedCredits == null) {
      return downstream.transmitMemoryWrite(wireBytes, startPs);
    }
    int credits = CreditPool.dataCredits(dataBytes);
    long sentPs = downstream.transmitMemoryWrite(wireBytes, postedCredits.take(credits, startPs));
    // The device takes a register write when it arrives.
    postedCredits.giveBack(credits, downstream.arrivalPs(sentPs) + creditReturnPs);
    return sentPs;
  }

  void mmioRead(long address, int sizeBytes, long readyPs, MmioResult result) {
    simulation.runUntil(sendRead(address, readyPs));
    long nowPs = simulation.nowPs();
    ConfigSpace config = endpoint.configSpace();
    int bar = config.barIndexAt(address);
    long value = endpoint.mmioRead(bar, address - config.barAddress(bar), sizeBytes, nowPs);
    result.answer(value, complete(bar, address, sizeBytes, nowPs));
  }

  /** Returns when the request is at the device. */
  long sendRead(long address, long readyPs) {
    return downstream.arrivalPs(
        downstream.transmitMemoryRead(
            TlpLayout.requestBytes(address), behindPostedWritesPs(readyPs)));
  }

  /** Lets time run until the request is at the device; returns when the completion is back. */
  long answerRead(
      long address, byte[] destination, int destinationOffset, int lengthBytes, long arrivalPs) {
    simulation.runUntil(arrivalPs);
    long nowPs = simulation.nowPs();
    ConfigSpace config = endpoint.configSpace();
    int bar = config.barIndexAt(address);
    long offset = address - config.barAddress(bar);
    endpoint.mmioRead(bar, offset, destination, destinationOffset, lengthBytes, nowPs);
    return complete(bar, address, lengthBytes, nowPs);
  }

  private long complete(int bar, long address, int lengthBytes, long arrivalPs) {
    int wireBytes = TlpLayout.COMPLETION_BYTES + TlpLayout.dataBytes(address, lengthBytes);
    long readyPs = upstreamPath.behindPostedWritesPs(arrivalPs + endpoint.readLatencyPs(bar));
    return upstream.arrivalPs(upstream.transmitCompletionWithData(wireBytes, readyPs));
  }

  /**
   * {@return when a TLP may enter the serializer of the downstream direction: not before the
   * register writes that were ready up to then have left}
   *
   * @param readyPs when it could start otherwise
   */
  long behindPostedWritesPs(long readyPs) {
    return Math.max(readyPs, postedWrites.lastArrivalPs(readyPs) - link.config().propagationPs());
  }

  /** {@return when the device's writes ahead of what arrives at a time are globally visible} */
  long committedPs(long arrivalPs) {
    return upstreamPath.committedPs(arrivalPs - link.config().propagationPs());
  }
}
