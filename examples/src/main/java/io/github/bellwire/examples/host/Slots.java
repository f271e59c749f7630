package io.github.bellwire.examples.host;

import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.host.Host;
import io.github.bellwire.pcie.AcsLayout;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.DownstreamPort;
import io.github.bellwire.pcie.Endpoint;
import io.github.bellwire.pcie.ExtendedCapabilityId;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.SlotConfig;
import io.github.bellwire.pcie.Switch;
import io.github.bellwire.pcie.SwitchConfig;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the devices of a scenario are plugged in: each into a root port, or all into one switch,
 * whose link to the root port is then of the kind that the devices have.
 */
public final class Slots {
  private static final Map<String, Integer> SERVICES =
      Map.of(
          "sv", AcsLayout.SOURCE_VALIDATION,
          "tb", AcsLayout.TRANSLATION_BLOCKING,
          "rr", AcsLayout.REQUEST_REDIRECT,
          "cr", AcsLayout.COMPLETION_REDIRECT,
          "uf", AcsLayout.UPSTREAM_FORWARDING,
          "ec", AcsLayout.EGRESS_CONTROL,
          "dt", AcsLayout.DIRECT_TRANSLATED);
  private static final int ALL_PEERS = -1;

  private final Host host;
  private final int services;
  private final @Nullable Switch packetSwitch;

  /**
   * Prepares a host.
   *
   * @param settings of a scenario with {@link HostKeys#ALL} keys
   * @param host the machine, with nothing plugged in
   */
  public Slots(Settings settings, Host host) {
    this.host = host;
    boolean hasSwitch = settings.find(LinkKeys.SWITCH).orElse(false);
    packetSwitch = hasSwitch ? host.attach(packetSwitch(host)) : null;
    List<String> names = settings.value(LinkKeys.ACCESS_CONTROL);
    if (!hasSwitch && !names.isEmpty()) {
      throw settings.refuse(LinkKeys.ACCESS_CONTROL, "needs link.switch=on");
    }
    services = names.stream().mapToInt(name -> SERVICES.getOrDefault(name, 0)).sum();
  }

  /**
   * {@return how long the busier direction of a link has been in use, in picoseconds}
   *
   * @param port above it
   */
  public static long busyPs(DownstreamPort port) {
    return Math.max(port.upstream().busyPsTotal(), port.downstream().busyPsTotal());
  }

  /**
   * Plugs a device in; behind a switch there is room for two.
   *
   * @param endpoint the device, plugged in nowhere else
   * @return the port
   */
  public DownstreamPort attach(Endpoint endpoint) {
    Switch above = packetSwitch;
    DownstreamPort port =
        above == null ? host.attach(endpoint) : above.attach(endpoint, host.config().link());
    control(port.configSpace());
    return port;
  }

  /**
   * Plugs a device into a slot from which it may be pulled; its link is up when this returns.
   *
   * @param endpoint the device, plugged in nowhere else
   * @return the port
   */
  public DownstreamPort insert(Endpoint endpoint) {
    SlotConfig slot = SlotConfig.SURPRISE.withLinkUpPs(0);
    Switch above = packetSwitch;
    DownstreamPort port =
        above == null ? host.addSlot(slot) : above.addSlot(slot, host.config().link());
    control(port.configSpace());
    port.insert(endpoint);
    host.simulation().runUntil(host.simulation().nowPs());
    return port;
  }

  /** Does what an operating system does that wants devices kept apart. */
  private void control(ConfigSpace config) {
    if (services != 0) {
      int offset = config.findCapability(ExtendedCapabilityId.ACCESS_CONTROL_SERVICES);
      config.write(offset + AcsLayout.CONTROL, Short.BYTES, services);
      config.write(offset + AcsLayout.EGRESS_CONTROL_VECTOR, Integer.BYTES, ALL_PEERS);
    }
  }

  /** The delay of the switch holds that of its upper link's far end; see the preset. */
  private static SwitchConfig packetSwitch(Host host) {
    PcieLinkConfig link = host.config().link();
    return SwitchConfig.PEX89048.withUpstreamLink(link.withPropagationPs(0));
  }
}
