package io.github.bellwire.pcie;

/** The MSI structure of a function, if it has one: one message to an address of 64 bits. */
final class MsiCapability {
  private final ConfigRegisters registers;
  private final int offset;

  /**
   * Reads the structure of a function.
   *
   * @param offset where it starts, 0 if there is none
   */
  MsiCapability(ConfigRegisters registers, int offset) {
    this.registers = registers;
    this.offset = offset;
  }

  /** Defines the registers: disabled after reset. */
  static void install(ConfigRegisters registers, int offset) {
    registers.set16(offset + MsiLayout.CONTROL, MsiLayout.CONTROL_64_BIT);
    registers.writable16(offset + MsiLayout.CONTROL, MsiLayout.CONTROL_ENABLE);
    registers.writable32(offset + MsiLayout.ADDRESS, -4);
    registers.writable32(offset + MsiLayout.ADDRESS + 4, -1);
    registers.writable16(offset + MsiLayout.DATA, 0xFFFF);
  }

  /** {@return whether software uses MSI; always {@code false} without the structure} */
  boolean isEnabled() {
    return offset != 0 && (registers.value(offset) >>> Short.SIZE & MsiLayout.CONTROL_ENABLE) != 0;
  }

  /** {@return where the interrupt message goes} */
  long address() {
    long low = registers.value(offset + MsiLayout.ADDRESS) & 0xFFFF_FFFFL;
    return (long) registers.value(offset + MsiLayout.ADDRESS + 4) << Integer.SIZE | low;
  }

  /** {@return what the interrupt message says} */
  int data() {
    return registers.value(offset + MsiLayout.DATA) & 0xFFFF;
  }
}
