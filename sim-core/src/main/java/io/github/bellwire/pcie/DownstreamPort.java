package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.kernel.Simulation;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The upper end of a link, a root port or a downstream port of a switch, with the link and what is
 * plugged in at its far end.
 *
 * <pre>{@code
 * cores, peers --mmio--> [ requests on their way ] --downstream--> +----------+
 * caches, peers <--------[ UpstreamPath          ] <---upstream--- | Endpoint |
 *               ---------[ completions           ] --downstream--> +----------+
 * }</pre>
 *
 * <p>Between the port and the root complex lie the switches above it; each is a stage that the TLPs
 * of {@link #climb} and {@link #descend} pass. Confined to the simulation thread.
 */
public abstract sealed class DownstreamPort permits RootPort, SwitchPort {
  private final RootComplex rootComplex;
  private final Simulation simulation;
  private final PcieLink link;
  private final ConfigSpace configSpace;
  private final int reservedBus;
  private final LinkDirection upstream;
  private final LinkDirection downstream;
  private final CompletionCutter cutter;
  private final FaultyTlps faultyTlps;
  private final TlpTap tap;
  private final @Nullable CreditPool postedCredits;
  private final long creditReturnPs;
  private @Nullable Occupant occupant;
  private @Nullable Switch switchBelow;
  // When the last memory write left this port.
  private long sentPs;
  private long mmioWritesTotal;

  /** An endpoint that is plugged in, with what belongs to its stay. */
  private record Occupant(Endpoint endpoint, UpstreamPath upstreamPath, RequestQueue requests) {}

  DownstreamPort(RootComplex rootComplex, ConfigSpace configSpace, PcieLinkConfig config) {
    this.rootComplex = rootComplex;
    this.configSpace = configSpace;
    simulation = rootComplex.simulation();
    reservedBus = rootComplex.reserveBus();
    String name = "link " + reservedBus;
    link = new PcieLink(config, simulation, name);
    upstream = link.upstream();
    downstream = link.downstream();
    cutter = new CompletionCutter(config, simulation.randomStream(name + " completions"));
    faultyTlps = new FaultyTlps(link);
    Changes changes = rootComplex.changes();
    configSpace.tell(changes);
    link.upstreamFaults().tell(changes);
    link.downstreamFaults().tell(changes);
    tap = new TlpTap(config, changes);
    FlowControlConfig flowControl = config.flowControl();
    postedCredits = CreditPool.ofNullable(flowControl.endpoint().ph(), flowControl.endpoint().pd());
    creditReturnPs = flowControl.updatePs() + config.propagationPs();
  }

  /** Puts an endpoint at the far end of the link, which is free. */
  void plug(Endpoint endpoint) {
    endpoint.configSpace().tell(rootComplex.changes());
    UpstreamPath path = new UpstreamPath(rootComplex, this, endpoint, caches());
    occupant = new Occupant(endpoint, path, new RequestQueue(simulation, endpoint));
    rootComplex.addOccupied(this);
    endpoint.connect(path);
  }

  /** Puts a switch at the far end of the link, which is free. */
  void plug(Switch newSwitch) {
    switchBelow = newSwitch;
  }

  /** {@return whether nothing is at the far end of the link} */
  public boolean isEmpty() {
    return occupant == null && switchBelow == null;
  }

  /**
   * {@return the device at the far end}
   *
   * @throws IllegalStateException if there is none, or a switch
   */
  public Endpoint endpoint() {
    return occupant().endpoint();
  }

  /** {@return the switch at the far end, or null} */
  public @Nullable Switch switchBelow() {
    return switchBelow;
  }

  /** {@return the address in configuration space of what is at the far end, a requester ID} */
  public Bdf bdf() {
    return new Bdf(secondaryBus(), 0, 0);
  }

  /** {@return the port's own configuration space, with a type 1 header} */
  public ConfigSpace configSpace() {
    return configSpace;
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

  /** {@return errors that the port detects: in what the device sends} */
  public PortErrors errors() {
    return link.upperErrors();
  }

  /** {@return errors that the device's end of the link detects: in what the host sends} */
  public PortErrors deviceErrors() {
    return link.lowerErrors();
  }

  /** {@return the errors of the root port above: what the root complex refuses is counted there} */
  PortErrors rootErrors() {
    Switch above = owner();
    return above == null ? errors() : above.above().rootErrors();
  }

  /** {@return what goes wrong with the device's requests on this link} */
  public FaultInjector upstreamFaults() {
    return link.upstreamFaults();
  }

  /** {@return what goes wrong with completions for the device on this link} */
  public FaultInjector downstreamFaults() {
    return link.downstreamFaults();
  }

  /**
   * Shows every TLP of the device's accesses to memory to a listener from now on, instead of to the
   * one before.
   *
   * @param listener null for nobody
   */
  public void listen(@Nullable TlpListener listener) {
    tap.listen(listener);
  }

  /** {@return how long the device's writes have waited for credits, in picoseconds} */
  public long creditWaitPsTotal() {
    Occupant current = occupant;
    return current == null ? 0 : current.upstreamPath().creditWaitPsTotal();
  }

  CompletionCutter cutter() {
    return cutter;
  }

  FaultyTlps faultyTlps() {
    return faultyTlps;
  }

  TlpTap tap() {
    return tap;
  }

  /** {@return device requests that were refused or that nobody claimed} */
  public long refusedRequestsTotal() {
    Occupant current = occupant;
    return current == null ? 0 : current.upstreamPath().refusedRequestsTotal();
  }

  /** {@return register writes that cores have sent to the device} */
  public long mmioWritesTotal() {
    return mmioWritesTotal;
  }

  /** {@return how the caches treat the requests of devices below} */
  abstract DeviceCachePort caches();

  /**
   * {@return when the TLP that was sent last left the root complex}
   *
   * @param sentPs when it left this port
   */
  abstract long leftRootPs(long sentPs);

  /** {@return the switch that the port belongs to; null for a root port} */
  abstract @Nullable Switch owner();

  /**
   * Takes a TLP that has arrived at this port up to the switch where it turns, or to the root
   * complex.
   *
   * @param turn the switch, this port's or one above; null for the root complex
   * @param isFirst false for a further completion of the same request, which stays behind the one
   *     before
   * @return when it has arrived there
   */
  abstract long climb(
      @Nullable Switch turn, TlpType type, int wireBytes, long arrivalPs, boolean isFirst);

  /**
   * Takes a TLP from the switch where it turns, or from the root complex, down to this port.
   *
   * @param turn as for {@link #climb}
   * @param readyPs when it could enter the serializer of a port there
   * @return when it can enter the serializer of this port
   */
  abstract long descend(
      @Nullable Switch turn, TlpType type, int wireBytes, long readyPs, boolean isFirst);

  int requesterId() {
    return secondaryBus() << Byte.SIZE;
  }

  /** The number that software has given to the bus below; until then the one reserved for it. */
  private int secondaryBus() {
    int assigned = configSpace.bridge().secondaryBus();
    return assigned != 0 ? assigned : reservedBus;
  }

  /** {@return the port above the function that an address is routed to; null if there is none} */
  @Nullable DownstreamPort portAt(long address) {
    if (!configSpace.bridge().forwards(address)) {
      return null;
    }
    Switch below = switchBelow;
    return below == null ? this : below.portAt(address);
  }

  /** {@return the function with an ID somewhere below this port; null if there is none} */
  @Nullable ConfigSpace functionAt(int bus, int device, int function) {
    Switch below = switchBelow;
    if (bus != configSpace.bridge().secondaryBus()) {
      return below == null ? null : below.functionAt(bus, device, function);
    }
    if (device != 0 || function != 0) {
      return null;
    }
    Occupant current = occupant;
    if (current != null) {
      return current.endpoint().configSpace();
    }
    return below == null ? null : below.configSpace();
  }

  /** A core writes to a register; returns how long the root port took: waiting and sending. */
  long mmioWrite(long address, int sizeBytes, long value, long readyPs) {
    Occupant current = occupant;
    long herePs = sendWrite(null, address, sizeBytes, readyPs);
    int bar = barAt(address, sizeBytes);
    if (current == null || bar < 0) {
      reportUnsupported(downstream.arrivalPs(sentPs));
    } else {
      long offset = address - current.endpoint().configSpace().barAddress(bar);
      long arrivalPs = downstream.arrivalPs(sentPs);
      current.requests().add(bar, offset, sizeBytes, value, herePs, arrivalPs);
      mmioWritesTotal++;
    }
    return leftRootPs(sentPs) - readyPs;
  }

  /** A core writes up to a line; returns how long the root port took: waiting and sending. */
  long mmioWrite(long address, byte[] source, int sourceOffset, int lengthBytes, long readyPs) {
    long arrivalPs = peerWrite(null, address, source, sourceOffset, lengthBytes, readyPs);
    mmioWritesTotal += arrivalPs < 0 ? 0 : 1;
    return leftRootPs(sentPs) - readyPs;
  }

  /** Sends a memory write, see {@link #sentPs}; returns when it was ready at this port. */
  private long sendWrite(@Nullable Switch turn, long address, int lengthBytes, long readyPs) {
    int dataBytes = TlpLayout.dataBytes(address, lengthBytes);
    int wireBytes =
        TlpLayout.requestBytes(address)
            + dataBytes
            + downstream.requestExtraBytes(address, lengthBytes);
    long herePs = descend(turn, TlpType.MEMORY_WRITE, wireBytes, readyPs, true);
    long startPs = behindPostedWritesPs(herePs);
    if (postedCredits != null) {
      startPs = postedCredits.take(CreditPool.dataCredits(dataBytes), startPs);
    }
    sentPs = downstream.transmitMemoryWrite(wireBytes, startPs);
    if (postedCredits != null) {
      // A device takes a register write when it arrives.
      long takenPs = downstream.arrivalPs(sentPs);
      postedCredits.giveBack(CreditPool.dataCredits(dataBytes), takenPs + creditReturnPs);
    }
    return herePs;
  }

  /** A core reads a register: lets time run until the request is there. */
  void mmioRead(long address, int sizeBytes, long readyPs, MmioResult result) {
    simulation.runUntil(sendRead(null, address, readyPs));
    long nowPs = simulation.nowPs();
    int bar = barAt(address, sizeBytes);
    long value = RootComplex.allOnes(sizeBytes);
    if (bar >= 0) {
      Endpoint endpoint = endpoint();
      long offset = address - endpoint.configSpace().barAddress(bar);
      value = endpoint.mmioRead(bar, offset, sizeBytes, nowPs);
    }
    result.answer(value, complete(bar, address, sizeBytes, nowPs));
  }

  /** Returns when a read request is at the device. */
  long sendRead(@Nullable Switch turn, long address, long readyPs) {
    int wireBytes = TlpLayout.requestBytes(address);
    long herePs = descend(turn, TlpType.MEMORY_READ, wireBytes, readyPs, true);
    return downstream.arrivalPs(
        downstream.transmitMemoryRead(wireBytes, behindPostedWritesPs(herePs)));
  }

  /** Lets time run until the request is at the device; returns when the bytes are at the core. */
  long answerRead(
      long address, byte[] destination, int destinationOffset, int lengthBytes, long arrivalPs) {
    simulation.runUntil(arrivalPs);
    long nowPs = simulation.nowPs();
    int bar = barAt(address, lengthBytes);
    if (bar >= 0) {
      Endpoint endpoint = endpoint();
      long offset = address - endpoint.configSpace().barAddress(bar);
      endpoint.mmioRead(bar, offset, destination, destinationOffset, lengthBytes, nowPs);
    } else {
      int end = destinationOffset + lengthBytes;
      Arrays.fill(destination, destinationOffset, end, (byte) 0xff);
    }
    return complete(bar, address, lengthBytes, nowPs);
  }

  /** Answers a core's read, without data if no BAR was hit; returns when that is at the core. */
  private long complete(int bar, long address, int lengthBytes, long arrivalPs) {
    Occupant current = occupant;
    if (current == null) {
      reportUnsupported(arrivalPs);
      return arrivalPs + rootComplex.config().upstreamPs();
    }
    TlpType type = TlpType.COMPLETION;
    int wireBytes = TlpLayout.COMPLETION_BYTES;
    long readyPs = arrivalPs;
    if (bar >= 0) {
      type = TlpType.COMPLETION_WITH_DATA;
      wireBytes += TlpLayout.dataBytes(address, lengthBytes);
      readyPs += current.endpoint().readLatencyPs(bar);
    } else {
      reportUnsupported(arrivalPs);
    }
    UpstreamPath path = current.upstreamPath();
    long completionSentPs = upstream.transmit(type, wireBytes, path.behindPostedWritesPs(readyPs));
    long rootPs = climb(null, type, wireBytes, upstream.arrivalPs(completionSentPs), true);
    // The completion pushes the device's posted writes ahead of it.
    return Math.max(rootPs + rootComplex.config().upstreamPs(), path.committedPs(completionSentPs));
  }

  /**
   * A peer writes to the device: posted.
   *
   * @param turn where the request has turned downwards, as for {@link #descend}
   * @return when it arrives there, or -1 - that time if nobody takes it
   */
  long peerWrite(
      @Nullable Switch turn,
      long address,
      byte[] source,
      int sourceOffset,
      int lengthBytes,
      long readyPs) {
    long herePs = sendWrite(turn, address, lengthBytes, readyPs);
    long arrivalPs = downstream.arrivalPs(sentPs);
    Occupant current = occupant;
    int bar = barAt(address, lengthBytes);
    if (current == null || bar < 0) {
      reportUnsupported(arrivalPs);
      return -1 - arrivalPs;
    }
    long offset = address - current.endpoint().configSpace().barAddress(bar);
    current.requests().addWrite(bar, offset, source, sourceOffset, lengthBytes, herePs, arrivalPs);
    return arrivalPs;
  }

  /**
   * A peer reads from the device, which answers when the request arrives.
   *
   * @param turn where the request has turned downwards, as for {@link #descend}
   * @return when the device can answer, or -1 - the time of arrival if nobody takes it
   */
  long peerRead(
      @Nullable Switch turn,
      long address,
      byte[] destination,
      int destinationOffset,
      int lengthBytes,
      long readyPs) {
    long arrivalPs = sendRead(turn, address, readyPs);
    Occupant current = occupant;
    int bar = barAt(address, lengthBytes);
    if (current == null || bar < 0) {
      reportUnsupported(arrivalPs);
      return -1 - arrivalPs;
    }
    long offset = address - current.endpoint().configSpace().barAddress(bar);
    current.requests().addRead(bar, offset, destination, destinationOffset, lengthBytes, arrivalPs);
    return arrivalPs + current.endpoint().readLatencyPs(bar);
  }

  /**
   * Sends a completion of the device for a peer up to where it turns.
   *
   * @param readyPs when the device could send it
   * @param turn as for {@link #climb}
   * @param isFirst as for {@link #climb}
   * @return when it has arrived there
   */
  long peerCompletion(
      @Nullable Switch turn, TlpType type, int wireBytes, long readyPs, boolean isFirst) {
    long startPs = occupant().upstreamPath().behindPostedWritesPs(readyPs);
    long completionSentPs = upstream.transmit(type, wireBytes, startPs);
    return climb(turn, type, wireBytes, upstream.arrivalPs(completionSentPs), isFirst);
  }

  /** {@return whether completions from below go to the root complex first} */
  boolean redirectsCompletions() {
    return configSpace.acs().isOn(AcsLayout.COMPLETION_REDIRECT);
  }

  /** {@return the largest payload that the device below may send, in bytes} */
  int maxPayloadBytes() {
    return occupant().endpoint().configSpace().maxPayloadBytes();
  }

  /**
   * {@return when a TLP may enter the serializer of the downstream direction: not before the
   * register writes that were ready up to then have left}
   *
   * @param readyPs when it could start otherwise
   */
  long behindPostedWritesPs(long readyPs) {
    Occupant current = occupant;
    return current == null
        ? readyPs
        : Math.max(
            readyPs, current.requests().lastArrivalPs(readyPs) - link.config().propagationPs());
  }

  /** Returns the window that holds all of a range, -1 if none does. */
  private int barAt(long address, int lengthBytes) {
    Occupant current = occupant;
    if (current == null) {
      return -1;
    }
    ConfigSpace device = current.endpoint().configSpace();
    int bar = device.barIndexAt(address);
    return bar == device.barIndexAt(address + lengthBytes - 1) ? bar : -1;
  }

  private void reportUnsupported(long atPs) {
    rootComplex.countUnclaimed();
    deviceErrors().record(PcieError.UNSUPPORTED_REQUEST, atPs);
  }

  private Occupant occupant() {
    Occupant current = occupant;
    if (current == null) {
      throw new IllegalStateException("no endpoint is plugged in: " + bdf());
    }
    return current;
  }
}
