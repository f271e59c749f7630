package io.github.bellwire.pcie;

import static java.util.Objects.requireNonNull;

/**
 * The root complex: delays between a root port's link and the caches or cores, and whether devices
 * reach each other through it.
 *
 * @param upstreamPs from a request's arrival at the port to its arrival at translation and caches
 * @param downstreamPs from data or a core's MMIO access to the port's serializer
 * @param peerToPeer what becomes of a device's request, after translation, to the window of a
 *     device
 */
public record RootComplexConfig(long upstreamPs, long downstreamPs, PeerToPeer peerToPeer) {
  /** What becomes of requests from device to device; the specification leaves it to each host. */
  public enum PeerToPeer {
    /** They are unsupported requests. */
    REFUSED,
    /** They are forwarded down, to another root port or back to the one where they came in. */
    FORWARDED
  }

  private static final long MAX_PS = 10_000_000;

  /** No delay. */
  public static final RootComplexConfig IDEAL = new RootComplexConfig(0, 0);

  // Checked here and nowhere else.
  public RootComplexConfig {
    requireNonNull(peerToPeer, "peerToPeer");
    require(upstreamPs, "upstreamPs");
    require(downstreamPs, "downstreamPs");
  }

  /**
   * Creates a root complex that refuses requests from device to device.
   *
   * @param upstreamPs as above
   * @param downstreamPs as above
   */
  public RootComplexConfig(long upstreamPs, long downstreamPs) {
    this(upstreamPs, downstreamPs, PeerToPeer.REFUSED);
  }

  /**
   * {@return these delays with another way between devices}
   *
   * @param newPeerToPeer as in the constructor
   */
  public RootComplexConfig withPeerToPeer(PeerToPeer newPeerToPeer) {
    return new RootComplexConfig(upstreamPs, downstreamPs, newPeerToPeer);
  }

  private static void require(long value, String name) {
    if (value < 0 || value > MAX_PS) {
      throw new IllegalArgumentException(
          name + " must be 0.." + MAX_PS + ": " + name + "=" + value);
    }
  }
}
