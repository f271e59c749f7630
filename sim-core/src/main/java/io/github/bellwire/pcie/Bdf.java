package io.github.bellwire.pcie;

import static io.github.bellwire.kernel.Requirements.require;

/**
 * Bus, device and function number: the address of a function in configuration space and the
 * requester ID of its TLPs (PCI Express Base Specification, section 2.2.6.2).
 *
 * @param bus 0..255
 * @param device 0..31
 * @param function 0..7
 */
public record Bdf(int bus, int device, int function) {
  // Checked here and nowhere else.
  public Bdf {
    require(bus >= 0 && bus <= 255, "bus", bus, "0..255");
    require(device >= 0 && device <= 31, "device", device, "0..31");
    require(function >= 0 && function <= 7, "function", function, "0..7");
  }

  /** {@return the 16-bit requester ID: bus 15:8, device 7:3, function 2:0} */
  public int requesterId() {
    return bus << 8 | device << 3 | function;
  }

  /** Prints as {@code 0000:3b:00.0}; the segment is always 0. */
  @Override
  public String toString() {
    return String.format("0000:%02x:%02x.%d", bus, device, function);
  }
}
