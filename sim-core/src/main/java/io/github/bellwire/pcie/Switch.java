package io.github.bellwire.pcie;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A switch: an upstream port, a bus inside, and downstream ports. Every TLP is received in full,
 * delayed, and sent on; all that goes further up shares the upstream link.
 *
 * <pre>{@code
 *     port above
 *         |  upstream link, shared
 * +-------+--------+
 * | upstream port  |  type 1
 * |    bus inside  |
 * | port 0  port 1 |  type 1, access control services
 * +---|--------|---+
 *  Endpoint  Endpoint, or another switch
 * }</pre>
 *
 * <p>A function from arrival time to departure time, as the links are: schedules nothing. What one
 * port has received never waits behind what another has (no head-of-line blocking inside), and the
 * upstream link is never short of credits. A core's access to an address of the switch that no port
 * of it has is answered by the root complex at once. Posted requests leave in the order in which
 * they could, and nothing passes them. Confined to the simulation thread.
 */
public final class Switch {
  private final RootComplex rootComplex;
  private final SwitchConfig config;
  private final DownstreamPort above;
  private final ConfigSpace configSpace;
  private final List<SwitchPort> ports = new ArrayList<>();
  // Posted writes on the serializers of the upstream link: a gap must not let others pass them.
  private final PostedOrder postedUp;
  private final PostedOrder postedDown;
  private long completionUpSentPs;
  private long completionDownSentPs;
  private long upSentPs;
  private long downSentPs;

  Switch(RootComplex rootComplex, SwitchConfig config, DownstreamPort above) {
    this.rootComplex = rootComplex;
    this.config = requireNonNull(config, "config");
    this.above = above;
    configSpace =
        BridgeFunction.newConfigSpace(PortType.SWITCH_UPSTREAM, config.upstreamLink(), 0, null);
    rootComplex.reserveBus(); // The bus inside.
    postedUp = new PostedOrder(rootComplex.simulation());
    postedDown = new PostedOrder(rootComplex.simulation());
  }

  /**
   * Plugs an endpoint into the next downstream port.
   *
   * @param endpoint the device, plugged in nowhere else
   * @param link the link to it
   * @return the port
   * @throws IllegalStateException if all ports are taken
   */
  public SwitchPort attach(Endpoint endpoint, PcieLinkConfig link) {
    SwitchPort port = newPort(link, null);
    port.plug(endpoint);
    return port;
  }

  /**
   * Makes the next downstream port a slot, which is empty.
   *
   * @param slot what the slot can do
   * @param link the link to what will be in it
   * @return the port
   * @throws IllegalStateException if all ports are taken
   */
  public SwitchPort addSlot(SlotConfig slot, PcieLinkConfig link) {
    return newPort(link, requireNonNull(slot, "slot"));
  }

  /**
   * Plugs another switch into the next downstream port.
   *
   * @param switchConfig the switch and the link to it
   * @return the switch
   * @throws IllegalStateException if all ports are taken
   */
  public Switch attach(SwitchConfig switchConfig) {
    SwitchPort port = newPort(switchConfig.upstreamLink(), null);
    Switch newSwitch = new Switch(rootComplex, switchConfig, port);
    port.plug(newSwitch);
    return newSwitch;
  }

  /** {@return the downstream ports in use, in the order of their numbers} */
  public List<SwitchPort> ports() {
    return Collections.unmodifiableList(ports);
  }

  /** {@return the port at the upper end of the upstream link} */
  public DownstreamPort above() {
    return above;
  }

  /** {@return the configuration space of the upstream port} */
  public ConfigSpace configSpace() {
    return configSpace;
  }

  /** {@return delay and size} */
  public SwitchConfig config() {
    return config;
  }

  long forwardPs() {
    return config.forwardPs();
  }

  /**
   * Sends a TLP up that a downstream port has received in full.
   *
   * @return when it has arrived at the port above
   */
  long sendUp(TlpType type, int wireBytes, long arrivalPs, boolean isFirst) {
    long readyPs = arrivalPs + config.forwardPs();
    long startPs = Math.max(readyPs, postedUp.commitBefore(readyPs));
    if (!isFirst) {
      startPs = Math.max(startPs, completionUpSentPs);
    }
    long sentPs = above.upstream().transmit(type, wireBytes, startPs);
    upSentPs = sentPs;
    if (type.isPosted()) {
      postedUp.add(readyPs, sentPs);
    } else if (type.isCompletion()) {
      completionUpSentPs = sentPs;
    }
    return above.upstream().arrivalPs(sentPs);
  }

  /**
   * Sends a TLP down the upstream link.
   *
   * @param readyPs when it could enter the serializer of the port above
   * @return when it could enter the serializer of a downstream port
   */
  long sendDown(TlpType type, int wireBytes, long readyPs, boolean isFirst) {
    long startPs = Math.max(readyPs, postedDown.commitBefore(readyPs));
    if (!isFirst) {
      startPs = Math.max(startPs, completionDownSentPs);
    }
    long sentPs = above.downstream().transmit(type, wireBytes, startPs);
    downSentPs = sentPs;
    if (type.isPosted()) {
      postedDown.add(readyPs, sentPs);
    } else if (type.isCompletion()) {
      completionDownSentPs = sentPs;
    }
    return above.downstream().arrivalPs(sentPs) + config.forwardPs();
  }

  /** {@return when the last TLP that was sent up had left} */
  long upSentPs() {
    return upSentPs;
  }

  /** {@return when the last TLP that was sent down had left the port above} */
  long downSentPs() {
    return downSentPs;
  }

  /** {@return the port above the function that an address is routed to; null if there is none} */
  @Nullable DownstreamPort portAt(long address) {
    if (!configSpace.bridge().forwards(address)) {
      return null;
    }
    SwitchPort port = portTowards(address);
    return port == null ? null : port.portAt(address);
  }

  /** {@return the downstream port whose windows hold an address; null if there is none} */
  @Nullable SwitchPort portTowards(long address) {
    for (int i = 0; i < ports.size(); i++) {
      SwitchPort port = ports.get(i);
      if (port.configSpace().bridge().forwards(address)) {
        return port;
      }
    }
    return null;
  }

  /** {@return the function with an ID inside or below the switch; null if there is none} */
  @Nullable ConfigSpace functionAt(int bus, int device, int function) {
    BridgeWindows bridge = configSpace.bridge();
    if (bus == bridge.secondaryBus()) {
      return device < ports.size() && function == 0 ? ports.get(device).configSpace() : null;
    }
    for (SwitchPort port : ports) {
      if (bridge.hasBus(bus) && port.configSpace().bridge().hasBus(bus)) {
        return port.functionAt(bus, device, function);
      }
    }
    return null;
  }

  private SwitchPort newPort(PcieLinkConfig link, @Nullable SlotConfig slot) {
    if (ports.size() == config.portsCount()) {
      throw new IllegalStateException("all ports are taken: portsCount=" + config.portsCount());
    }
    SwitchPort port = new SwitchPort(rootComplex, this, ports.size(), link, slot);
    ports.add(port);
    return port;
  }
}
