package io.github.bellwire.pcie;

import static io.github.bellwire.kernel.Requirements.requireRange;
import static java.util.Objects.requireNonNull;

/**
 * The root complex: delays between a root port's link and the caches or cores, and whether devices
 * reach each other through it. Construction throws {@link IllegalArgumentException} naming the
 * property, the bound it breaks and its value.
 *
 * @param upstreamPs from a request's arrival at the port to its arrival at translation and caches
 * @param downstreamPs from data or a core's MMIO access to the port's serializer
 * @param peerToPeer what becomes of a device's request, after translation, to the window of a
 *     device
 * @param ownershipPs what a write waits for, beyond that, before it reaches the caches: until its
 *     lines are granted to it; 0..10 us
 * @param idleStates how it sleeps when nothing goes through it
 */
public record RootComplexConfig(
    long upstreamPs,
    long downstreamPs,
    PeerToPeer peerToPeer,
    long ownershipPs,
    IdleStatesConfig idleStates) {
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
    requireRange("upstreamPs", upstreamPs, 0, MAX_PS);
    requireRange("downstreamPs", downstreamPs, 0, MAX_PS);
    requireRange("ownershipPs", ownershipPs, 0, MAX_PS);
    requireNonNull(idleStates, "idleStates");
  }

  /**
   * Creates a root complex that refuses requests from device to device, grants lines at once and
   * never sleeps.
   *
   * @param upstreamPs as above
   * @param downstreamPs as above
   */
  public RootComplexConfig(long upstreamPs, long downstreamPs) {
    this(upstreamPs, downstreamPs, PeerToPeer.REFUSED, 0, IdleStatesConfig.NONE);
  }

  /**
   * {@return these delays with another way between devices}
   *
   * @param newPeerToPeer as in the constructor
   */
  public RootComplexConfig withPeerToPeer(PeerToPeer newPeerToPeer) {
    return new RootComplexConfig(upstreamPs, downstreamPs, newPeerToPeer, ownershipPs, idleStates);
  }

  /**
   * {@return these delays with another wait of writes}
   *
   * @param newOwnershipPs as in the constructor
   */
  public RootComplexConfig withOwnershipPs(long newOwnershipPs) {
    return new RootComplexConfig(upstreamPs, downstreamPs, peerToPeer, newOwnershipPs, idleStates);
  }

  /**
   * {@return these delays with other idle states}
   *
   * @param newIdleStates as in the constructor
   */
  public RootComplexConfig withIdleStates(IdleStatesConfig newIdleStates) {
    return new RootComplexConfig(upstreamPs, downstreamPs, peerToPeer, ownershipPs, newIdleStates);
  }
}
