package io.github.bellwire.pcie;

import io.github.bellwire.kernel.Simulation;
import org.jspecify.annotations.Nullable;

/**
 * Both directions of a link with what happens on it: faults, errors, replay.
 *
 * <pre>{@code
 * upper end: root or switch port   <--upstream---   lower end: device or switch
 *   upperErrors                    --downstream->     lowerErrors
 * }</pre>
 */
final class PcieLink {
  private final PcieLinkConfig config;
  private final LinkDirection upstream;
  private final LinkDirection downstream;
  private final PortErrors upperErrors = new PortErrors();
  private final PortErrors lowerErrors = new PortErrors();
  private final FaultInjector upstreamFaults;
  private final FaultInjector downstreamFaults;

  /**
   * Creates an idle link.
   *
   * @param config what its ends have agreed on
   * @param simulation the clock and the source of random numbers
   * @param name tells its random numbers from other links'
   */
  PcieLink(PcieLinkConfig config, Simulation simulation, String name) {
    this.config = config;
    upstream = new LinkDirection(config, simulation);
    // Completions become ready in another order than their requests were sent.
    boolean hasDataLinkLayer = DataLinkLayer.isNeeded(config);
    downstream = new LinkDirection(config, simulation, !hasDataLinkLayer);
    LinkFaultConfig faults = config.faults();
    upstreamFaults = new FaultInjector(faults, simulation.randomStream(name + " up faults"));
    downstreamFaults = new FaultInjector(faults, simulation.randomStream(name + " down faults"));
    if (hasDataLinkLayer) {
      BitErrors up = bitErrors(simulation, name + " up bits");
      BitErrors down = bitErrors(simulation, name + " down bits");
      upstream.connect(
          new DataLinkLayer(config, upstream, downstream, up, down, lowerErrors, upperErrors));
      downstream.connect(
          new DataLinkLayer(config, downstream, upstream, down, up, upperErrors, lowerErrors));
    }
  }

  PcieLinkConfig config() {
    return config;
  }

  /** {@return the direction towards the root} */
  LinkDirection upstream() {
    return upstream;
  }

  /** {@return the direction away from the root} */
  LinkDirection downstream() {
    return downstream;
  }

  /** {@return errors that the end nearer to the root detects} */
  PortErrors upperErrors() {
    return upperErrors;
  }

  /** {@return errors that the end farther from the root detects} */
  PortErrors lowerErrors() {
    return lowerErrors;
  }

  FaultInjector upstreamFaults() {
    return upstreamFaults;
  }

  FaultInjector downstreamFaults() {
    return downstreamFaults;
  }

  private @Nullable BitErrors bitErrors(Simulation simulation, String name) {
    double ratio = config.faults().bitErrorRatio();
    return ratio == 0 ? null : new BitErrors(ratio, simulation.randomStream(name));
  }
}
