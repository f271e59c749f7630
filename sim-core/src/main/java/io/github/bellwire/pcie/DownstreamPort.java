package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
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
  private final PortErrors errors;
  private final PortErrors deviceErrors;
  private final CompletionCutter cutter;
  private final FaultyTlps faultyTlps;
  private final TlpTap tap;
  private final DownstreamRequests requests;
  private final @Nullable CreditPool postedCredits;
  private final long creditReturnPs;
  private @Nullable Occupant occupant;
  private @Nullable Switch switchBelow;
  private final @Nullable SlotConfig slot;
  private final Event linkUp;
  private final Event functionReady;
  private @Nullable Endpoint inserted;

  /** An endpoint that is plugged in, with what belongs to its stay. */
  record Occupant(
      Endpoint endpoint, UpstreamPath upstreamPath, RequestQueue queue, AtsMessages atsMessages) {}

  DownstreamPort(
      RootComplex rootComplex,
      ConfigSpace configSpace,
      PcieLinkConfig config,
      @Nullable SlotConfig slot) {
    this.rootComplex = rootComplex;
    this.configSpace = configSpace;
    this.slot = slot;
    simulation = rootComplex.simulation();
    reservedBus = rootComplex.reserveBus();
    String name = "link " + reservedBus;
    link = new PcieLink(config, simulation, name);
    upstream = link.upstream();
    downstream = link.downstream();
    errors = link.upperErrors();
    deviceErrors = link.lowerErrors();
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
    requests = new DownstreamRequests(this, rootComplex, link, postedCredits, creditReturnPs);
    ErrorReporter reporter = rootComplex.errorReporter();
    errors.reportTo(
        (error, header01, header23, atPs) ->
            reporter.detected(this, false, error, header01, header23, atPs));
    deviceErrors.reportTo(
        (error, header01, header23, atPs) ->
            reporter.detected(this, true, error, header01, header23, atPs));
    linkUp =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            onLinkUp(nowPs);
          }
        };
    functionReady =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            onFunctionReady();
          }
        };
  }

  /** Puts an endpoint at the far end of the link, which is free; the link is up. */
  void plug(Endpoint endpoint) {
    endpoint.configSpace().tell(rootComplex.changes());
    UpstreamPath path = new UpstreamPath(rootComplex, this, endpoint, caches());
    RequestQueue queue = new RequestQueue(simulation, endpoint);
    AtsMessages messages =
        new AtsMessages(this, endpoint, path, postedCredits, creditReturnPs, rootComplex.config());
    occupant = new Occupant(endpoint, path, queue, messages);
    rootComplex.addOccupied(this);
    endpoint.configSpace().onFunctionReset(this::resetFunction);
    endpoint.connect(path);
  }

  /**
   * Puts a device into the slot: presence is detected now, the device is reset, and the link is up
   * later. Then software may enumerate it.
   *
   * @param endpoint the device, plugged in nowhere else
   * @throws IllegalStateException if there is no slot or if it is not empty
   */
  public void insert(Endpoint endpoint) {
    SlotConfig currentSlot = requireSlot();
    if (isOccupied()) {
      throw new IllegalStateException("slot must be empty: number=" + currentSlot.number());
    }
    long nowPs = simulation.nowPs();
    inserted = endpoint;
    endpoint.reset(nowPs);
    simulation.schedule(linkUp, nowPs + currentSlot.linkUpPs());
    if (configSpace.slot().setPresent(true)) {
      interrupt(nowPs);
    }
  }

  /**
   * Pulls the device out of the slot without notice. Its link goes down now: what it has not sent
   * yet never leaves, what has left arrives, and what was on its way to it is lost. Cores that read
   * from it get all ones.
   *
   * @throws IllegalStateException if there is no slot or if it is empty
   */
  public void remove() {
    SlotConfig currentSlot = requireSlot();
    long nowPs = simulation.nowPs();
    Occupant gone = occupant;
    if (gone == null && inserted == null) {
      throw new IllegalStateException("slot must not be empty: number=" + currentSlot.number());
    }
    boolean interrupts = configSpace.slot().setPresent(false);
    inserted = null;
    simulation.cancel(linkUp);
    if (gone != null) {
      unplug(gone, nowPs);
      interrupts |= configSpace.slot().setLinkActive(false);
      if (!currentSlot.surpriseExpected()) {
        errors.record(PcieError.SURPRISE_DOWN, nowPs);
      }
    }
    if (interrupts) {
      interrupt(nowPs);
    }
  }

  private void unplug(Occupant gone, long nowPs) {
    occupant = null;
    if (simulation.cancel(functionReady)) {
      onFunctionReady(gone.endpoint());
    }
    gone.endpoint().configSpace().onFunctionReset(null);
    gone.queue().drop();
    gone.upstreamPath().disconnect(nowPs);
    rootComplex.removeOccupied(this, gone.upstreamPath(), nowPs);
    gone.endpoint().linkDown(nowPs);
  }

  private void onLinkUp(long nowPs) {
    Endpoint endpoint = inserted;
    if (endpoint != null) {
      inserted = null;
      plug(endpoint);
      if (configSpace.slot().setLinkActive(true)) {
        interrupt(nowPs);
      }
    }
  }

  /** Software has asked the device for a function-level reset. */
  private void resetFunction() {
    Occupant current = occupant();
    Endpoint endpoint = current.endpoint();
    long nowPs = simulation.nowPs();
    endpoint.configSpace().resetFunction(endpoint, nowPs);
    current.queue().drop();
    endpoint.configSpace().setSilent(true);
    simulation.reschedule(functionReady, nowPs + endpoint.functionResetPs());
  }

  private void onFunctionReady() {
    Occupant current = occupant;
    if (current != null) {
      onFunctionReady(current.endpoint());
    }
  }

  private static void onFunctionReady(Endpoint endpoint) {
    endpoint.configSpace().setSilent(false);
  }

  /** Sends the port's own interrupt message, if software has enabled it. */
  private void interrupt(long nowPs) {
    if (!configSpace.msi().isEnabled() || !configSpace.isBusMasterEnabled()) {
      return;
    }
    long address = configSpace.msi().address();
    int wireBytes = TlpLayout.requestBytes(address) + Integer.BYTES;
    long atPs = climb(null, TlpType.MEMORY_WRITE, wireBytes, nowPs, true);
    rootComplex.interrupts().onMessage(ownRequesterId(), address, configSpace.msi().data(), atPs);
  }

  /**
   * Sends an error message to the root port.
   *
   * @param isDevice whether from the far end of the link, not from this port
   * @return when it arrives; -1 if a bridge stops it
   */
  long sendErrorMessage(boolean isDevice, long nowPs) {
    if (!isErrorForwardedAbove() || isDevice && !configSpace.forwardsErrors()) {
      return -1;
    }
    int wireBytes = TlpLayout.MESSAGE_BYTES;
    long herePs = nowPs;
    if (isDevice) {
      Occupant current = occupant;
      long readyPs = current == null ? nowPs : current.upstreamPath().behindPostedWritesPs(nowPs);
      herePs = upstream.arrivalPs(upstream.transmit(TlpType.MESSAGE, wireBytes, readyPs));
    }
    return climb(null, TlpType.MESSAGE, wireBytes, herePs, true);
  }

  /** An error message has arrived at this port, a root port. */
  void receiveError(PcieError.Severity severity, int requesterId, long nowPs) {
    if (configSpace.errorLog().receive(severity, requesterId)) {
      interrupt(nowPs);
    }
  }

  /** Drops the writes of a device that has gone, of which the last bit leaves after a time. */
  void dropRequestsOf(DmaPort device, long afterPs) {
    occupant().queue().drop(device, afterPs);
  }

  /** {@return the function at the far end of the link; null if there is none} */
  @Nullable ConfigSpace functionBelow() {
    Occupant current = occupant;
    if (current != null) {
      return current.endpoint().configSpace();
    }
    Switch below = switchBelow;
    return below == null ? null : below.configSpace();
  }

  /** {@return whether a device may be pulled out of this port} */
  boolean isSlot() {
    return slot != null;
  }

  private SlotConfig requireSlot() {
    SlotConfig current = slot;
    if (current == null) {
      throw new IllegalStateException("the port must have a slot: " + bdf());
    }
    return current;
  }

  /** Puts a switch at the far end of the link, which is free. */
  void plug(Switch newSwitch) {
    switchBelow = newSwitch;
  }

  /** {@return whether no link leads from here: nothing is plugged in, or it is not up yet} */
  public boolean isEmpty() {
    return occupant == null && switchBelow == null;
  }

  /** {@return whether something is plugged in, whether or not its link is up} */
  public boolean isOccupied() {
    return !isEmpty() || inserted != null;
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
    return errors;
  }

  /** {@return errors that the device's end of the link detects: in what the host sends} */
  public PortErrors deviceErrors() {
    return deviceErrors;
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

  /** {@return what cores and peers ask of the device} */
  DownstreamRequests requests() {
    return requests;
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
    return requests.mmioWritesTotal();
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

  /** {@return the root port at the top, this one perhaps} */
  abstract RootPort rootPort();

  /** {@return the port's own ID, as opposed to that of what is below} */
  abstract int ownRequesterId();

  /** {@return whether the bridges above this port pass error messages on} */
  abstract boolean isErrorForwardedAbove();

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
    return device == 0 && function == 0 ? functionBelow() : null;
  }

  /** {@return the way of messages to the function below; null if there is none} */
  @Nullable AtsMessages atsMessages() {
    Occupant current = occupant;
    return current == null ? null : current.atsMessages();
  }

  /** {@return the switch below which this port and another come together first, or null} */
  @Nullable Switch sharedSwitch(DownstreamPort other) {
    for (Switch mine = owner(); mine != null; mine = mine.above().owner()) {
      for (Switch others = other.owner(); others != null; others = others.above().owner()) {
        if (mine == others) {
          return mine;
        }
      }
    }
    return null;
  }

  /** {@return whether completions from below go to the root complex first} */
  boolean redirectsCompletions() {
    return configSpace.acs().isOn(AcsLayout.COMPLETION_REDIRECT);
  }

  /** {@return the largest payload that the device below may send, in bytes} */
  int maxPayloadBytes() {
    return occupant().endpoint().configSpace().maxPayloadBytes();
  }

  /** {@return the endpoint that is plugged in, with what belongs to its stay; null if none is} */
  @Nullable Occupant occupantOrNull() {
    return occupant;
  }

  /**
   * {@return the same}
   *
   * @throws IllegalStateException if none is
   */
  Occupant occupant() {
    Occupant current = occupant;
    if (current == null) {
      throw new IllegalStateException("no endpoint is plugged in: " + bdf());
    }
    return current;
  }
}
