package io.github.bellwire.pcie;

/** The MSI-X structure of a function, if it has one; the table is an {@link MsiX}. */
final class MsiXCapability {
  private final int offset;
  private boolean isEnabled;
  private boolean isFunctionMasked;

  /**
   * Reads the structure of a function.
   *
   * @param offset where it starts, 0 if there is none
   */
  MsiXCapability(int offset) {
    this.offset = offset;
  }

  /** Defines the registers: disabled after reset. */
  static void install(ConfigRegisters registers, int offset, MsiXConfig config) {
    registers.set16(offset + ConfigLayout.MSIX_CONTROL, config.vectorCount() - 1);
    registers.writable16(
        offset + ConfigLayout.MSIX_CONTROL,
        ConfigLayout.MSIX_CONTROL_ENABLE | ConfigLayout.MSIX_CONTROL_FUNCTION_MASK);
    registers.set32(offset + ConfigLayout.MSIX_TABLE, config.tableOffset() | config.tableBar());
    registers.set32(offset + ConfigLayout.MSIX_PBA, config.pbaOffset() | config.pbaBar());
  }

  void decode(ConfigRegisters registers) {
    if (offset != 0) {
      int control = registers.value(offset) >>> Short.SIZE;
      isEnabled = (control & ConfigLayout.MSIX_CONTROL_ENABLE) != 0;
      isFunctionMasked = (control & ConfigLayout.MSIX_CONTROL_FUNCTION_MASK) != 0;
    }
  }

  boolean isEnabled() {
    return isEnabled;
  }

  boolean isFunctionMasked() {
    return isFunctionMasked;
  }
}
