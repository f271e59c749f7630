package io.github.bellwire.pcie;

/**
 * What a requester allows the fabric to do with its request: bits of one {@code int}, in the order
 * of the header's Attr field (PCI Express Base Specification 5.0, section 2.2.6.3). A device may
 * set what configuration space enables; the port drops the rest.
 */
public final class TlpAttributes {
  /** The default: strictly ordered, coherent. */
  public static final int NONE = 0;

  /** Caches need not be looked into. */
  public static final int NO_SNOOP = 1;

  /** A write may become visible before earlier writes; a read's completions may pass writes. */
  public static final int RELAXED_ORDERING = 1 << 1;

  /** May pass what another requester has posted before. */
  public static final int ID_BASED_ORDERING = 1 << 2;

  static final int ALL = NO_SNOOP | RELAXED_ORDERING | ID_BASED_ORDERING;

  private TlpAttributes() {}

  static void require(int attributes) {
    if ((attributes & ~ALL) != 0) {
      throw new IllegalArgumentException(
          "attributes must be 0.." + ALL + ": attributes=" + attributes);
    }
  }
}
