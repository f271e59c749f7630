package io.github.bellwire.pcie;

/**
 * What a function is in the tree of a hierarchy: the device/port type of the PCI Express
 * capabilities register (PCI Express Base Specification 5.0, section 7.5.3.2).
 */
enum PortType {
  /** A device at the end of a link; type 0 header. */
  ENDPOINT(0),
  /** A port of the root complex; type 1 header. */
  ROOT_PORT(4),
  /** The port of a switch that looks to the root complex; type 1 header. */
  SWITCH_UPSTREAM(5),
  /** A port of a switch that looks to a device; type 1 header. */
  SWITCH_DOWNSTREAM(6);

  private final int code;

  PortType(int code) {
    this.code = code;
  }

  /** {@return the value of the device/port type field, 0..15} */
  public int code() {
    return code;
  }

  /** {@return whether the function forwards between two buses} */
  public boolean isBridge() {
    return this != ENDPOINT;
  }
}
