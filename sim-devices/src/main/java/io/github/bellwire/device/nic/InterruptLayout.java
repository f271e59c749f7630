package io.github.bellwire.device.nic;

/**
 * Where the indexed registers of an {@link InterruptUnit} lie, as constants for its switches; its
 * tests hold them against {@link NicRegisters}.
 */
final class InterruptLayout {
  static final int EICS_EX_LOW = 0x00A90;
  static final int EICS_EX_HIGH = 0x00A94;
  static final int EIMS_EX_LOW = 0x00AA0;
  static final int EIMS_EX_HIGH = 0x00AA4;
  static final int EIMC_EX_LOW = 0x00AB0;
  static final int EIMC_EX_HIGH = 0x00AB4;
  static final int EIAM_EX_LOW = 0x00AD0;
  static final int EIAM_EX_HIGH = 0x00AD4;

  private static final int FIRST_EITR = 0x00820;
  private static final int FIRST_IVAR = 0x00900;
  private static final int END = 0x00B00;

  // EITR of the upper vectors lie apart from the others.
  private static final int HIGH_EITR = 0x12300;
  private static final int FIRST_HIGH_VECTOR = 24;
  private static final int HIGH_END =
      HIGH_EITR + Integer.BYTES * (NicRegisters.VECTORS - FIRST_HIGH_VECTOR);

  private InterruptLayout() {}

  /** {@return whether an offset into BAR0 is a register of the unit} */
  static boolean contains(int offset) {
    return offset >= NicRegisters.EICR && offset < END || offset >= HIGH_EITR && offset < HIGH_END;
  }

  /** {@return whether an offset that the unit {@linkplain #contains contains} is an EITR} */
  static boolean isEitr(int offset) {
    return offset >= FIRST_EITR && offset < NicRegisters.EIMS || offset >= HIGH_EITR;
  }

  /** {@return the vector of an EITR} */
  static int eitrVector(int offset) {
    return offset >= HIGH_EITR
        ? FIRST_HIGH_VECTOR + (offset - HIGH_EITR >>> 2)
        : offset - FIRST_EITR >>> 2;
  }

  /** {@return whether an offset is an IVAR} */
  static boolean isIvar(int offset) {
    return offset >= FIRST_IVAR && offset < NicRegisters.IVAR_MISC;
  }

  /** {@return the index of an IVAR} */
  static int ivarIndex(int offset) {
    return offset - FIRST_IVAR >>> 2;
  }
}
