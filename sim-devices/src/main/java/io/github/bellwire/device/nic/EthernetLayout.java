package io.github.bellwire.device.nic;

/**
 * The header of an Ethernet frame (IEEE 802.3) and the VLAN tag in it (IEEE 802.1Q).
 *
 * <pre>{@code
 * 0           6        12          14
 * destination | source | EtherType | payload
 * destination | source | 8100, TCI | EtherType | payload
 * 0           6        12          16          18
 * }</pre>
 */
public final class EthernetLayout {
  /** Destination, source and EtherType. */
  public static final int HEADER_BYTES = 14;

  /** What a VLAN tag, in front of the EtherType, adds to the header. */
  static final int VLAN_TAG_BYTES = 4;

  /** Where the EtherType, or that of the first tag, is: behind both addresses. */
  public static final int ETHER_TYPE_OFFSET = 12;

  private EthernetLayout() {}
}
