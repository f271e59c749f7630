package io.github.bellwire.pcie;

import static java.util.Objects.requireNonNull;

/**
 * Flow control of a link. A posted write gives its credits back when it is globally visible, a read
 * when the root complex takes it out of the port's queue, a completion when it has left the
 * requester's buffer.
 *
 * @param rootPort what the root port advertises: the limits of the device's requests
 * @param endpoint what the device advertises: the limits of the host's requests, and its completion
 *     buffer
 * @param updatePs from freed credits to the UpdateFC that tells so leaving; its way over the link
 *     comes on top; 0..100 us
 */
public record FlowControlConfig(
    FlowControlCredits rootPort, FlowControlCredits endpoint, long updatePs) {
  /** No limits. */
  public static final FlowControlConfig UNLIMITED =
      new FlowControlConfig(FlowControlCredits.UNLIMITED, FlowControlCredits.UNLIMITED, 0);

  private static final long UPDATE_MAX_PS = 100_000_000;

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public FlowControlConfig {
    requireNonNull(rootPort, "rootPort");
    requireNonNull(endpoint, "endpoint");
    if (updatePs < 0 || updatePs > UPDATE_MAX_PS) {
      throw new IllegalArgumentException(
          "updatePs must be 0.." + UPDATE_MAX_PS + ": updatePs=" + updatePs);
    }
  }

  /**
   * {@return this configuration with other limits of the device's requests}
   *
   * @param newRootPort as in the constructor
   */
  public FlowControlConfig withRootPort(FlowControlCredits newRootPort) {
    return new FlowControlConfig(newRootPort, endpoint, updatePs);
  }

  /**
   * {@return this configuration with another advertisement of the device}
   *
   * @param newEndpoint as in the constructor
   */
  public FlowControlConfig withEndpoint(FlowControlCredits newEndpoint) {
    return new FlowControlConfig(rootPort, newEndpoint, updatePs);
  }

  /**
   * {@return this configuration with another delay of UpdateFC}
   *
   * @param newUpdatePs as in the constructor
   */
  public FlowControlConfig withUpdatePs(long newUpdatePs) {
    return new FlowControlConfig(rootPort, endpoint, newUpdatePs);
  }
}
