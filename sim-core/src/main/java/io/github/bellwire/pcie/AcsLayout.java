package io.github.bellwire.pcie;

/**
 * Offsets and bits of the Access Control Services extended capability, relative to its structure
 * (PCI Express Base Specification 5.0, section 7.7.8; what the bits do is in section 6.12).
 *
 * <pre>{@code
 *      +-------------------------------+-------------------------------+
 * 00   |       extended capability header: ID 000Dh, version 1         |
 * 04   |         ACS Control           |        ACS Capability         |
 * 08   |                    Egress Control Vector                      |
 *      +---------------------------------------------------------------+
 * }</pre>
 */
public final class AcsLayout {
  /** Length with a vector of up to 32 ports, in bytes. */
  public static final int LENGTH_BYTES = 12;

  /** ACS capability, 16 bits: which services exist. */
  public static final int CAPABILITY = 4;

  /** ACS control, 16 bits: which services are on; 0 after reset. */
  public static final int CONTROL = 6;

  /** Egress control vector: bit n forbids the way to port n. */
  public static final int EGRESS_CONTROL_VECTOR = 8;

  /** Source validation: the requester's bus must be one of those below the port. */
  public static final int SOURCE_VALIDATION = 1;

  /** Translation blocking: requests with translated addresses are refused. */
  public static final int TRANSLATION_BLOCKING = 1 << 1;

  /** P2P request redirect: requests to peers go to the root complex first. */
  public static final int REQUEST_REDIRECT = 1 << 2;

  /** P2P completion redirect: completions to peers go to the root complex first. */
  public static final int COMPLETION_REDIRECT = 1 << 3;

  /** Upstream forwarding: what would leave by the port where it came in goes up instead. */
  public static final int UPSTREAM_FORWARDING = 1 << 4;

  /** P2P egress control: the vector says which peers are in reach. */
  public static final int EGRESS_CONTROL = 1 << 5;

  /** Direct translated P2P: requests with translated addresses are not redirected. */
  public static final int DIRECT_TRANSLATED = 1 << 6;

  /** All services. */
  public static final int ALL = 0x7F;

  /** ACS capability: position of the size of the egress control vector in bits. */
  public static final int VECTOR_SIZE_SHIFT = 8;

  private AcsLayout() {}
}
