package io.github.bellwire.device.nic;

import java.util.Arrays;

/**
 * Which cause sends which vector's message: IVAR, IVAR_MISC and the mode.
 *
 * <p>A queue's IVAR field names a vector in MSI-X mode and otherwise one of EICR's bits 15:0, all
 * of which then belong to vector 0, as do the other causes. Either way it is an index into the
 * causes of {@link InterruptUnit}.
 */
final class InterruptMap {
  /** EICR's causes that IVAR_MISC 15:8 maps. */
  static final int OTHER_MASK = 0x3FFF0000;

  /** EICR's cause that IVAR_MISC 7:0 maps. */
  static final int TIMER_MASK = NicRegisters.EICR_TCP_TIMER;

  private static final int IVARS = 64;
  private static final int FIELDS_MASK = 0xBFBFBFBF;
  private static final int OTHER_SHIFT = 8;
  private static final int TX_SHIFT = 8;
  private static final int LAST_RTX = 15;

  private final int[] ivar = new int[IVARS];
  private final long[] vectorMasks = new long[NicRegisters.VECTORS];
  private final int[] otherMasks = new int[NicRegisters.VECTORS];
  private int ivarMisc;
  private boolean isMsix;

  /** Creates a map without valid fields, not in MSI-X mode. */
  InterruptMap() {
    reset();
  }

  /** Invalidates all fields and leaves MSI-X mode. */
  void reset() {
    Arrays.fill(ivar, 0);
    ivarMisc = 0;
    setMsix(false);
  }

  /**
   * Chooses the mode.
   *
   * @param newIsMsix GPIE.MSIX_MODE
   */
  void setMsix(boolean newIsMsix) {
    isMsix = newIsMsix;
    update();
  }

  /** {@return whether there is more than one vector} */
  boolean isMsix() {
    return isMsix;
  }

  /**
   * {@return an IVAR register}
   *
   * @param index 0..63
   */
  int ivar(int index) {
    return ivar[index];
  }

  /**
   * Writes an IVAR register.
   *
   * @param index 0..63
   * @param value the bits
   */
  void setIvar(int index, int value) {
    ivar[index] = value & FIELDS_MASK;
  }

  /** {@return IVAR_MISC} */
  int ivarMisc() {
    return ivarMisc;
  }

  /**
   * Writes IVAR_MISC.
   *
   * @param value the bits
   */
  void setIvarMisc(int value) {
    ivarMisc = value & FIELDS_MASK & 0xFFFF;
    update();
  }

  /**
   * {@return the IVAR field of a receive queue}
   *
   * @param queue 0..127
   */
  int rxField(int queue) {
    return ivar[queue >>> 1] >>> 16 * (queue & 1) & 0xFF;
  }

  /**
   * {@return the IVAR field of a transmit queue}
   *
   * @param queue 0..127
   */
  int txField(int queue) {
    return ivar[queue >>> 1] >>> 16 * (queue & 1) + TX_SHIFT & 0xFF;
  }

  /**
   * {@return whether a field is valid}
   *
   * @param field of an IVAR register
   */
  static boolean isValid(int field) {
    return (field & NicRegisters.IVAR_ALLOC_VAL) != 0;
  }

  /**
   * {@return the index of the cause that a field names: a vector in MSI-X mode, else 0..15}
   *
   * @param field a valid field
   */
  int cause(int field) {
    return field & (isMsix ? NicRegisters.IVAR_ALLOC_MASK : LAST_RTX);
  }

  /**
   * {@return the vector that a field's cause belongs to}
   *
   * @param field a valid field
   */
  int vector(int field) {
    return isMsix ? field & NicRegisters.IVAR_ALLOC_MASK : 0;
  }

  /** {@return the vector of all other causes; any vector if the field is not valid} */
  int otherVector() {
    return vector(ivarMisc >>> OTHER_SHIFT);
  }

  /** {@return the vector of the TCP timer; any vector if the field is not valid} */
  int timerVector() {
    return vector(ivarMisc);
  }

  /**
   * {@return the causes of queues and vectors that send a vector's message}
   *
   * @param vector 0..63
   */
  long vectorMask(int vector) {
    return vectorMasks[vector];
  }

  /**
   * {@return EICR's bits 30:16 that send a vector's message}
   *
   * @param vector 0..63
   */
  int otherMask(int vector) {
    return otherMasks[vector];
  }

  private void update() {
    Arrays.fill(otherMasks, 0);
    for (int vector = 0; vector < vectorMasks.length; vector++) {
      vectorMasks[vector] = isMsix ? 1L << vector : 0;
    }
    if (isMsix) {
      mapOthers(ivarMisc >>> OTHER_SHIFT, OTHER_MASK);
      mapOthers(ivarMisc, TIMER_MASK);
    } else {
      vectorMasks[0] = NicRegisters.EICR_RTX_QUEUE;
      otherMasks[0] = OTHER_MASK | TIMER_MASK;
    }
  }

  private void mapOthers(int field, int mask) {
    if (isValid(field)) {
      otherMasks[vector(field)] |= mask;
    }
  }
}
