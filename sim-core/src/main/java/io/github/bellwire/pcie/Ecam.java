package io.github.bellwire.pcie;

import org.jspecify.annotations.Nullable;

/**
 * Configuration accesses of software by bus, device, function and register, routed by the bus
 * numbers of the bridges (PCI Express Base Specification 5.0, section 7.2.2, the enhanced
 * configuration access mechanism).
 *
 * <pre>{@code
 *  27       20 19    15 14   12 11               0
 * +-----------+--------+-------+------------------+
 * |    bus    | device | func. |     register     |  offset in the ECAM region
 * +-----------+--------+-------+------------------+
 * }</pre>
 *
 * <p>Where there is no function, reads return all ones and writes vanish. Accesses take no time.
 */
public final class Ecam {
  private static final int BUS_SHIFT = 20;
  private static final int FUNCTION_SHIFT = 12;

  private final RootComplex rootComplex;

  Ecam(RootComplex rootComplex) {
    this.rootComplex = rootComplex;
  }

  /**
   * {@return the offset of a register in the region}
   *
   * @param bdf the function
   * @param register 0..4095
   */
  public static long offset(Bdf bdf, int register) {
    return (long) bdf.requesterId() << FUNCTION_SHIFT | register;
  }

  /**
   * Reads a register.
   *
   * @param offset in the region, 0..FFFFFFFh, a multiple of {@code sizeBytes}
   * @param sizeBytes 1, 2 or 4
   * @return the value, little endian in the low bytes; all ones where there is no function
   * @throws IllegalArgumentException if offset or size are not as above
   */
  public int read(long offset, int sizeBytes) {
    ConfigSpace function = functionAt(offset);
    int register = (int) offset & ConfigLayout.CONFIG_SPACE_BYTES - 1;
    if (function == null) {
      ConfigRegisters.requireAccess(register, sizeBytes);
      return (int) RootComplex.allOnes(sizeBytes);
    }
    return function.read(register, sizeBytes);
  }

  /**
   * Writes a register.
   *
   * @param offset as for {@link #read(long, int)}
   * @param sizeBytes 1, 2 or 4
   * @param value little endian in the low bytes
   * @throws IllegalArgumentException if offset or size are not as above
   */
  public void write(long offset, int sizeBytes, int value) {
    ConfigSpace function = functionAt(offset);
    int register = (int) offset & ConfigLayout.CONFIG_SPACE_BYTES - 1;
    if (function == null) {
      ConfigRegisters.requireAccess(register, sizeBytes);
      return;
    }
    function.write(register, sizeBytes, value);
  }

  /**
   * Reads a register of a function.
   *
   * @param bdf the function
   * @param register 0..4095, a multiple of {@code sizeBytes}
   * @param sizeBytes 1, 2 or 4
   * @return as {@link #read(long, int)}
   */
  public int read(Bdf bdf, int register, int sizeBytes) {
    return read(offset(bdf, register), sizeBytes);
  }

  /**
   * Writes a register of a function.
   *
   * @param bdf the function
   * @param register 0..4095, a multiple of {@code sizeBytes}
   * @param sizeBytes 1, 2 or 4
   * @param value little endian in the low bytes
   */
  public void write(Bdf bdf, int register, int sizeBytes, int value) {
    write(offset(bdf, register), sizeBytes, value);
  }

  private @Nullable ConfigSpace functionAt(long offset) {
    if (offset < 0 || offset >>> BUS_SHIFT > 255) {
      throw new IllegalArgumentException("offset must be 0..268435455: offset=" + offset);
    }
    int requesterId = (int) (offset >>> FUNCTION_SHIFT);
    return rootComplex.functionAt(requesterId >>> 8, requesterId >>> 3 & 31, requesterId & 7);
  }
}
