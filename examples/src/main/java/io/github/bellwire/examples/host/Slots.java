package io.github.bellwire.examples.host;

import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.host.Host;
import io.github.bellwire.pcie.DownstreamPort;
import io.github.bellwire.pcie.Endpoint;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.Switch;
import io.github.bellwire.pcie.SwitchConfig;
import org.jspecify.annotations.Nullable;

/**
 * Where the devices of a scenario are plugged in: each into a root port, or all into one switch,
 * whose link to the root port is then of the kind that the devices have.
 */
public final class Slots {
  private final Host host;
  private final @Nullable Switch packetSwitch;

  /**
   * Prepares a host.
   *
   * @param settings of a scenario with {@link HostKeys#ALL} keys
   * @param host the machine, with nothing plugged in
   */
  public Slots(Settings settings, Host host) {
    this.host = host;
    packetSwitch =
        settings.find(LinkKeys.SWITCH).orElse(false) ? host.attach(packetSwitch(host)) : null;
  }

  /**
   * Plugs a device in; behind a switch there is room for two.
   *
   * @param endpoint the device, plugged in nowhere else
   * @return the port
   */
  public DownstreamPort attach(Endpoint endpoint) {
    Switch above = packetSwitch;
    return above == null ? host.attach(endpoint) : above.attach(endpoint, host.config().link());
  }

  /** The delay of the switch holds that of its upper link's far end; see the preset. */
  private static SwitchConfig packetSwitch(Host host) {
    PcieLinkConfig link = host.config().link();
    return SwitchConfig.PEX89048.withUpstreamLink(link.withPropagationPs(0));
  }
}
