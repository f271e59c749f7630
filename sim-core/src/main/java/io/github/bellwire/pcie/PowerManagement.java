package io.github.bellwire.pcie;

/** The power management structure of a function, if it has one: D0 and D3hot. */
final class PowerManagement {
  private static final int D1 = 1;
  private static final int D2 = 2;
  private static final int D3HOT = 3;

  private final ConfigRegisters registers;
  private final int offset;

  /**
   * Reads the structure of a function.
   *
   * @param offset where it starts, 0 if there is none
   */
  PowerManagement(ConfigRegisters registers, int offset) {
    this.registers = registers;
    this.offset = offset;
  }

  /** Defines the registers: version 3, without PME; others survive D3hot. */
  static void install(ConfigRegisters registers, int offset) {
    registers.set16(offset + ConfigLayout.PM_CAPABILITIES, 3);
    registers.set16(offset + ConfigLayout.PM_CONTROL_STATUS, ConfigLayout.PM_NO_SOFT_RESET);
    registers.writable16(offset + ConfigLayout.PM_CONTROL_STATUS, ConfigLayout.PM_POWER_STATE_MASK);
  }

  /** {@return whether the function neither decodes memory nor issues requests} */
  boolean isInD3hot() {
    int control = offset == 0 ? 0 : registers.value(offset + ConfigLayout.PM_CONTROL_STATUS);
    return (control & ConfigLayout.PM_POWER_STATE_MASK) == D3HOT;
  }

  /** {@return the power state field if a write of D1 or D2 to it has to be ignored} */
  int lockedBits(int writtenOffset, int value) {
    int state = value & ConfigLayout.PM_POWER_STATE_MASK;
    boolean isLocked =
        offset != 0
            && writtenOffset == offset + ConfigLayout.PM_CONTROL_STATUS
            && (state == D1 || state == D2);
    return isLocked ? ConfigLayout.PM_POWER_STATE_MASK : 0;
  }
}
