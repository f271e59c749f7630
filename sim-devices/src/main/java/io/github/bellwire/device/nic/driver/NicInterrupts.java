package io.github.bellwire.device.nic.driver;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.device.nic.NicRegisters;
import io.github.bellwire.kernel.Requirements;
import io.github.bellwire.pcie.MsiXLayout;

/**
 * The device's interrupts as the driver sets them up: MSI-X, one vector for the receive and the
 * transmit queue of the same number.
 *
 * <pre>{@code
 * queue --IVAR--> vector --EITR, EIMS--> MSI-X table entry --message--> core
 * }</pre>
 *
 * <p>A message clears its cause (EIAC) and, if so chosen, masks its vector (EIAM), so that a
 * handler need not read EICR. Confined to the simulation thread.
 */
public final class NicInterrupts {
  /** The longest interval of EITR: 4088 units of 256 ns. */
  public static final long INTERVAL_MAX_PS = NicRegisters.EITR_INTERVAL_MASK * 256_000L;

  private static final long INTERVAL_STEP_PS = 2_048_000;
  private static final int INTERVAL_STEP_SHIFT = 3;
  private static final int GPIE =
      NicRegisters.GPIE_MSIX_MODE
          | NicRegisters.GPIE_OCD
          | NicRegisters.GPIE_EIAME
          | NicRegisters.GPIE_PBA_SUPPORT;

  /** Vectors above this one have their bits in the extended registers only. */
  private static final int PLAIN_VECTOR_MAX = 15;

  private static final int RX_SHIFT = 0;
  private static final int TX_SHIFT = 8;
  private static final int ODD_QUEUE_SHIFT = 16;

  private final RegisterAccess registers;
  private final PciFunction function;
  private long tableAddress;
  private int autoClear;

  NicInterrupts(RegisterAccess registers, PciFunction function) {
    this.registers = registers;
    this.function = function;
  }

  /** Masks everything. */
  void maskAll(CpuPort port) {
    registers.write(port, NicRegisters.EIMC, Integer.MAX_VALUE);
    registers.write(port, NicRegisters.eimcEx(0), -1);
    registers.write(port, NicRegisters.eimcEx(1), -1);
  }

  /** Forgets what a device reset has undone. */
  void onReset() {
    autoClear = 0;
    tableAddress = 0;
  }

  /**
   * Makes a vector of the device raise a vector of a core. It stays masked.
   *
   * @param port the core that writes the registers
   * @param vectorIndex of the device, 0..63
   * @param target where the message goes
   * @param itrPs least distance of two messages in picoseconds, 0 to {@link #INTERVAL_MAX_PS},
   *     rounded up to 2.048 us; 0 is no limit
   * @param isAutoMasked whether a message masks the vector
   */
  public void connect(
      CpuPort port, int vectorIndex, InterruptVector target, long itrPs, boolean isAutoMasked) {
    Requirements.requireRange("vectorIndex", vectorIndex, 0, NicRegisters.VECTORS - 1);
    Requirements.requireRange("itrPs", itrPs, 0, INTERVAL_MAX_PS);
    if (tableAddress == 0) {
      tableAddress = function.msiXTableAddress();
      function.enableMsiX();
      registers.write(port, NicRegisters.GPIE, GPIE);
    }
    writeTableEntry(port, vectorIndex, target);
    registers.write(port, NicRegisters.eitr(vectorIndex), eitr(itrPs));
    if (vectorIndex <= PLAIN_VECTOR_MAX) {
      autoClear |= 1 << vectorIndex;
      registers.write(port, NicRegisters.EIAC, autoClear);
    }
    int autoMaskRegister =
        vectorIndex <= PLAIN_VECTOR_MAX
            ? NicRegisters.EIAM
            : NicRegisters.eiamEx(vectorIndex >>> 5);
    if (isAutoMasked) {
      registers.setBits(port, autoMaskRegister, 1 << vectorIndex);
    } else {
      registers.clearBits(port, autoMaskRegister, 1 << vectorIndex);
    }
  }

  /**
   * Makes received frames of a queue a cause of a vector.
   *
   * @param port the core that writes the registers
   * @param queueIndex 0..63
   * @param vectorIndex 0..63
   */
  public void assignReceive(CpuPort port, int queueIndex, int vectorIndex) {
    assign(port, queueIndex, vectorIndex, RX_SHIFT);
  }

  /**
   * Makes sent frames of a queue a cause of a vector.
   *
   * @param port the core that writes the registers
   * @param queueIndex 0..63
   * @param vectorIndex 0..63
   */
  public void assignTransmit(CpuPort port, int queueIndex, int vectorIndex) {
    assign(port, queueIndex, vectorIndex, TX_SHIFT);
  }

  /**
   * Makes a receive queue, and perhaps the transmit queue of the same number, causes of the vector
   * of that number, connects that and unmasks it.
   *
   * @param port the core that writes the registers
   * @param queueIndex 0..63
   * @param hasTransmit whether there is such a transmit queue
   * @param target as for {@link #connect}
   * @param itrPs as for {@link #connect}
   * @param isAutoMasked as for {@link #connect}
   */
  void connectQueue(
      CpuPort port,
      int queueIndex,
      boolean hasTransmit,
      InterruptVector target,
      long itrPs,
      boolean isAutoMasked) {
    connect(port, queueIndex, target, itrPs, isAutoMasked);
    assignReceive(port, queueIndex, queueIndex);
    if (hasTransmit) {
      assignTransmit(port, queueIndex, queueIndex);
    }
    unmask(port, queueIndex);
  }

  /**
   * Lets a vector send messages; one follows at once if a cause is pending.
   *
   * @param port the core that writes the register
   * @param vectorIndex 0..63
   */
  public void unmask(CpuPort port, int vectorIndex) {
    int register =
        vectorIndex <= PLAIN_VECTOR_MAX
            ? NicRegisters.EIMS
            : NicRegisters.eimsEx(vectorIndex >>> 5);
    registers.write(port, register, 1 << vectorIndex);
  }

  /**
   * Keeps a vector from sending messages.
   *
   * @param port the core that writes the register
   * @param vectorIndex 0..63
   */
  public void mask(CpuPort port, int vectorIndex) {
    int register =
        vectorIndex <= PLAIN_VECTOR_MAX
            ? NicRegisters.EIMC
            : NicRegisters.eimcEx(vectorIndex >>> 5);
    registers.write(port, register, 1 << vectorIndex);
  }

  /** Returns the interval as EITR holds it: units of 256 ns in steps of eight, rounded up. */
  static int eitr(long itrPs) {
    return (int) ((itrPs + INTERVAL_STEP_PS - 1) / INTERVAL_STEP_PS) << INTERVAL_STEP_SHIFT;
  }

  private void assign(CpuPort port, int queueIndex, int vectorIndex, int directionShift) {
    int register = NicRegisters.ivar(queueIndex >>> 1);
    int shift = directionShift + (queueIndex % 2 == 0 ? 0 : ODD_QUEUE_SHIFT);
    int field = vectorIndex & NicRegisters.IVAR_ALLOC_MASK | NicRegisters.IVAR_ALLOC_VAL;
    int others = registers.read(port, register) & ~(0xFF << shift);
    registers.write(port, register, others | field << shift);
  }

  private void writeTableEntry(CpuPort port, int vectorIndex, InterruptVector target) {
    long entry = tableAddress + (long) vectorIndex * MsiXLayout.ENTRY_BYTES;
    long low = target.address() & 0xFFFF_FFFFL;
    port.mmioWrite(entry + MsiXLayout.MESSAGE_ADDRESS, Integer.BYTES, low);
    long high = target.address() >>> Integer.SIZE;
    port.mmioWrite(entry + MsiXLayout.MESSAGE_UPPER_ADDRESS, Integer.BYTES, high);
    port.mmioWrite(entry + MsiXLayout.MESSAGE_DATA, Integer.BYTES, target.data());
    port.mmioWrite(entry + MsiXLayout.VECTOR_CONTROL, Integer.BYTES, 0); // not masked
  }
}
