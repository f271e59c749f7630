package io.github.bellwire.pcie;

import static io.github.bellwire.kernel.Requirements.require;
import static java.util.Objects.requireNonNull;

/**
 * A switch: one upstream port, several downstream ports, and the delay between them. Construction
 * throws {@link IllegalArgumentException} naming the property, the bound it breaks and its value.
 *
 * @param forwardPs from a TLP received in full at one port to its first bit on the serializer of
 *     another that is free; 0..10 us
 * @param portsCount downstream ports, 1..32
 * @param upstreamLink the link between the switch and the port above it, which all its ports share
 * @param accessControl the access control services that the downstream ports have, {@link
 *     AcsLayout} bits; all are off after reset
 */
public record SwitchConfig(
    long forwardPs, int portsCount, PcieLinkConfig upstreamLink, int accessControl) {
  /** The most downstream ports: device numbers on the bus inside the switch. */
  public static final int PORTS_MAX = 32;

  private static final long FORWARD_MAX_PS = 10_000_000;

  /**
   * Broadcom PEX89048, Gen 5: 115 ns from port to port (HighPoint, "PCIe switch adapters" blog).
   * Its 48 lanes make an upstream port and two slots of 16 lanes. The delay from port to port holds
   * the physical and data link layers of the switch, and the link of each device those of the far
   * ends, so the upstream link adds none of its own.
   */
  public static final SwitchConfig PEX89048 =
      new SwitchConfig(115_000, 2, PcieLinkConfig.GEN5_X16.withPropagationPs(0), AcsLayout.ALL);

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public SwitchConfig {
    requireNonNull(upstreamLink, "upstreamLink");
    require(
        forwardPs >= 0 && forwardPs <= FORWARD_MAX_PS,
        "forwardPs",
        forwardPs,
        "0.." + FORWARD_MAX_PS);
    require(
        portsCount >= 1 && portsCount <= PORTS_MAX, "portsCount", portsCount, "1.." + PORTS_MAX);
    require(
        (accessControl & ~AcsLayout.ALL) == 0,
        "accessControl",
        accessControl,
        "a set of bits in " + AcsLayout.ALL);
  }

  /**
   * {@return this switch with another delay}
   *
   * @param newForwardPs 0..10 us
   */
  public SwitchConfig withForwardPs(long newForwardPs) {
    return new SwitchConfig(newForwardPs, portsCount, upstreamLink, accessControl);
  }

  /**
   * {@return this switch with another number of downstream ports}
   *
   * @param newPortsCount 1..32
   */
  public SwitchConfig withPortsCount(int newPortsCount) {
    return new SwitchConfig(forwardPs, newPortsCount, upstreamLink, accessControl);
  }

  /**
   * {@return this switch with another link to the port above}
   *
   * @param newLink what both ends have agreed on
   */
  public SwitchConfig withUpstreamLink(PcieLinkConfig newLink) {
    return new SwitchConfig(forwardPs, portsCount, newLink, accessControl);
  }

  /**
   * {@return this switch with other access control services}
   *
   * @param newServices {@link AcsLayout} bits
   */
  public SwitchConfig withAccessControl(int newServices) {
    return new SwitchConfig(forwardPs, portsCount, upstreamLink, newServices);
  }
}
