package io.github.bellwire.pcie;

/**
 * The Access Control Services structure of a port inside its configuration space: what to do with a
 * request that a device below the port has sent (PCI Express Base Specification 5.0, sections 6.12
 * and 7.7.8).
 */
final class AcsCapability {
  private int control;
  private int egressVector;

  AcsCapability() {}

  /** Writes reset values and access rights of all registers but the header. */
  static void install(ConfigRegisters registers, int offset, int services) {
    int vectorBits = (services & AcsLayout.EGRESS_CONTROL) != 0 ? Integer.SIZE : 0;
    registers.set16(
        offset + AcsLayout.CAPABILITY, services | vectorBits << AcsLayout.VECTOR_SIZE_SHIFT);
    registers.writable16(offset + AcsLayout.CONTROL, services);
    registers.writable32(offset + AcsLayout.EGRESS_CONTROL_VECTOR, vectorBits == 0 ? 0 : -1);
  }

  void decode(ConfigRegisters registers, int offset) {
    control = registers.value(offset + AcsLayout.CAPABILITY) >>> Short.SIZE;
    egressVector = registers.value(offset + AcsLayout.EGRESS_CONTROL_VECTOR);
  }

  boolean isOn(int service) {
    return (control & service) != 0;
  }

  /** {@return whether the egress control vector forbids the way to a port} */
  boolean isEgressForbidden(int portNumber) {
    return isOn(AcsLayout.EGRESS_CONTROL) && (egressVector >>> portNumber & 1) != 0;
  }
}
