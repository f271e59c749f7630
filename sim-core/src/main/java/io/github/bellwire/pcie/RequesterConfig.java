package io.github.bellwire.pcie;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * The device's side of its own requests.
 *
 * @param completionTimeoutPs how long a read waits for its completions if software has not chosen a
 *     range in device control 2; 50 us..64 s
 * @param retirePs from a read's last byte on the device's side of the link to its tag and
 *     completion buffer being free again; 0..100 us
 * @param relaxedOrdering whether firmware leaves the device the right to set the relaxed ordering
 *     attribute ("enable relaxed ordering" in device control)
 */
public record RequesterConfig(long completionTimeoutPs, long retirePs, boolean relaxedOrdering) {
  private static final long TIMEOUT_MIN_PS = CompletionTimeout.SHORTEST_PS;
  private static final long TIMEOUT_MAX_PS = 64_000_000_000_000L;
  private static final long RETIRE_MAX_PS = 100_000_000;

  /**
   * 50 ms, the end of the default range (PCI Express Base Specification 5.0, section 7.5.3.16);
   * tags are free at once. No relaxed ordering: so Linux sets devices below the root ports of
   * Haswell and Broadwell Xeons (drivers/pci/quirks.c); for other hosts that is an assumption.
   */
  public static final RequesterConfig DEFAULT =
      new RequesterConfig(CompletionTimeout.DEFAULT.longestPs(), 0, false);

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public RequesterConfig {
    requireRange("completionTimeoutPs", completionTimeoutPs, TIMEOUT_MIN_PS, TIMEOUT_MAX_PS);
    requireRange("retirePs", retirePs, 0, RETIRE_MAX_PS);
  }

  /**
   * {@return this configuration with another completion timeout}
   *
   * @param newCompletionTimeoutPs as in the constructor
   */
  public RequesterConfig withCompletionTimeoutPs(long newCompletionTimeoutPs) {
    return new RequesterConfig(newCompletionTimeoutPs, retirePs, relaxedOrdering);
  }

  /**
   * {@return this configuration with another time to retire}
   *
   * @param newRetirePs as in the constructor
   */
  public RequesterConfig withRetirePs(long newRetirePs) {
    return new RequesterConfig(completionTimeoutPs, newRetirePs, relaxedOrdering);
  }

  /**
   * {@return this configuration with or without relaxed ordering}
   *
   * @param newRelaxedOrdering whether the device may set the attribute
   */
  public RequesterConfig withRelaxedOrdering(boolean newRelaxedOrdering) {
    return new RequesterConfig(completionTimeoutPs, retirePs, newRelaxedOrdering);
  }
}
