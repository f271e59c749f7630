package io.github.bellwire.pcie;

/**
 * Delays inside the root complex, between a root port's link and the caches or cores.
 *
 * @param upstreamPs from a request's arrival at the port to its arrival at translation and caches
 * @param downstreamPs from data or a core's MMIO access to the port's serializer
 */
public record RootComplexConfig(long upstreamPs, long downstreamPs) {
  private static final long MAX_PS = 10_000_000;

  /** No delay. */
  public static final RootComplexConfig IDEAL = new RootComplexConfig(0, 0);

  // Checked here and nowhere else.
  public RootComplexConfig {
    require(upstreamPs, "upstreamPs");
    require(downstreamPs, "downstreamPs");
  }

  private static void require(long value, String name) {
    if (value < 0 || value > MAX_PS) {
      throw new IllegalArgumentException(
          name + " must be 0.." + MAX_PS + ": " + name + "=" + value);
    }
  }
}
