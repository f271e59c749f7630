package io.github.bellwire.device.nic;

import static java.util.Objects.requireNonNull;

/**
 * The registers that only hold bits: storage, write masks and reset values of one port. What a
 * register causes is the device's matter; statistics, interrupts and the NVM keep their own state
 * elsewhere.
 *
 * <pre>{@code
 * offset --> WORD (two addresses of one register share a word)
 *                 |--> values[word]         this port's bits
 *                 |--> WRITE_MASK[word]     bits that software may change
 *                 '--> RESET_VALUE[word]
 * }</pre>
 *
 * <p>A register that is not implemented reads 0 and ignores writes, as does any offset outside the
 * window. Masks follow the register self-test of Linux's ethtool for the 82599 (reg_test_82599 in
 * ixgbe_ethtool.c), otherwise the fields of ixgbe_type.h. Allocates nothing after construction.
 * Confined to the simulation thread.
 */
final class RegisterFile {
  private static final int WORDS = NicRegisters.WINDOW_BYTES / 4;
  private static final int ALL = 0xFFFFFFFF;
  private static final int BUFFER_SIZE_MASK = 0x000FFC00;
  private static final int SECURITY_READY = 1;
  private static final int FDIRCTRL_INIT_DONE = 1 << 3;

  /** VLAN EtherType of 802.1Q, the reset value of VLNCTRL.VET and DMATXCTL.VT (data sheet). */
  private static final int VLAN_ETHER_TYPE = 0x8100;

  private static final char[] WORD = new char[WORDS];
  private static final int[] WRITE_MASK = new int[WORDS];
  private static final int[] RESET_VALUE = new int[WORDS];

  /** Registers that move while frames flow and that nothing is derived from. */
  private static final boolean[] IS_TAIL = new boolean[WORDS];

  static {
    for (int word = 0; word < WORDS; word++) {
      WORD[word] = (char) word;
    }
    aliases();
    general();
    receiveQueues();
    receive();
    filters();
    transmit();
    mac();
  }

  private final NicConfig config;
  private final int[] values = new int[WORDS];
  private long changesTotal;

  /**
   * Creates the registers in their reset state.
   *
   * @param config port number, station address, buffer and frame sizes
   */
  RegisterFile(NicConfig config) {
    this.config = requireNonNull(config, "config");
    reset();
  }

  /** Sets every register to its reset value. */
  void reset() {
    changesTotal++;
    System.arraycopy(RESET_VALUE, 0, values, 0, WORDS);
    set(
        NicRegisters.STATUS,
        NicRegisters.STATUS_GIO | config.portIndex() << NicRegisters.STATUS_LAN_ID_SHIFT);
    set(NicRegisters.rxpbsize(0), config.rxFifoBytes());
    set(NicRegisters.txpbsize(0), config.txFifoBytes());
    set(NicRegisters.MAXFRS, config.maxFrameBytes() << NicRegisters.MAXFRS_SHIFT);
    // Byte 0 of the wire order is the low byte of RAL.
    long reversed = Long.reverseBytes(config.macAddress()) >>> 16;
    set(NicRegisters.ral(0), (int) reversed);
    set(NicRegisters.rah(0), (int) (reversed >>> 32) | NicRegisters.RAH_AV);
  }

  /**
   * {@return what software reads}
   *
   * @param offset byte offset into BAR0; the low two bits are ignored
   */
  int read(int offset) {
    return isOutside(offset) ? 0 : values[WORD[offset >>> 2]];
  }

  /**
   * Writes what software may change and leaves the other bits.
   *
   * @param offset byte offset into BAR0; the low two bits are ignored
   * @param value the bits
   */
  void write(int offset, int value) {
    if (isOutside(offset)) {
      return;
    }
    int word = WORD[offset >>> 2];
    int mask = WRITE_MASK[word];
    values[word] = values[word] & ~mask | value & mask;
    if (!IS_TAIL[word]) {
      changesTotal++;
    }
  }

  /**
   * {@return a number that grows whenever registers change, tails apart} Who derives something from
   * registers derives it anew when this has moved.
   */
  long changesTotal() {
    return changesTotal;
  }

  /**
   * {@return the register's bits, for the device}
   *
   * @param offset byte offset into BAR0, inside the window
   */
  int get(int offset) {
    return values[WORD[offset >>> 2]];
  }

  /**
   * Sets all bits of a register, for the device: read-only bits too.
   *
   * @param offset byte offset into BAR0, inside the window
   * @param value the bits
   */
  void set(int offset, int value) {
    values[WORD[offset >>> 2]] = value;
    changesTotal++;
  }

  /**
   * Sets some bits of a register, for the device.
   *
   * @param offset byte offset into BAR0, inside the window
   * @param bits bits to set
   */
  void setBits(int offset, int bits) {
    values[WORD[offset >>> 2]] |= bits;
    changesTotal++;
  }

  /**
   * Clears some bits of a register, for the device.
   *
   * @param offset byte offset into BAR0, inside the window
   * @param bits bits to clear
   */
  void clearBits(int offset, int bits) {
    values[WORD[offset >>> 2]] &= ~bits;
    changesTotal++;
  }

  /**
   * {@return whether any of the bits is set}
   *
   * @param offset byte offset into BAR0, inside the window
   * @param bits bits to look at
   */
  boolean hasBits(int offset, int bits) {
    return (values[WORD[offset >>> 2]] & bits) != 0;
  }

  /**
   * {@return two registers as one 64-bit value}
   *
   * @param lowOffset offset of the low half; the high half follows 4 bytes behind
   */
  long get64(int lowOffset) {
    return Integer.toUnsignedLong(get(lowOffset)) | (long) get(lowOffset + 4) << 32;
  }

  private static boolean isOutside(int offset) {
    return offset >>> 2 >= WORDS;
  }

  // The 82599 shows some registers at the 82598's address too.
  private static void aliases() {
    for (int i = 0; i < 16; i++) {
      alias(0x0A200 + 8 * i, NicRegisters.ral(i));
      alias(0x0A204 + 8 * i, NicRegisters.rah(i));
      alias(0x0EA00 + 4 * i, NicRegisters.psrtype(i));
      alias(0x01014 + 0x40 * i, NicRegisters.srrctl(i));
      alias(0x0100C + 0x40 * i, NicRegisters.dcaRxctrl(i));
    }
  }

  private static void general() {
    define(NicRegisters.CTRL, 0x0400000C, 0);
    define(NicRegisters.CTRL_EXT, ALL, 0);
    define(NicRegisters.ESDP, ALL, 0);
    define(NicRegisters.I2CCTL, ALL, 0);
    define(NicRegisters.TCPTIMER, 0x00000BFF, 0);
    define(NicRegisters.LEDCTL, ALL, 0);
    define(NicRegisters.GCR, ALL, 0);
    define(NicRegisters.GCR_EXT, 0x80000003, 0);
    define(NicRegisters.CORECTL, ALL, 0);
    for (int i = 0; i < 8; i++) {
      define(NicRegisters.pbacl(i), ALL, 0);
    }
  }

  private static void receiveQueues() {
    for (int queue = 0; queue < NicRegisters.QUEUES; queue++) {
      define(NicRegisters.rdbal(queue), 0xFFFFFF80, 0);
      define(NicRegisters.rdbah(queue), ALL, 0);
      define(NicRegisters.rdlen(queue), 0x000FFF80, 0);
      define(NicRegisters.rdh(queue), 0x0000FFFF, 0);
      define(NicRegisters.rdt(queue), 0x0000FFFF, 0);
      IS_TAIL[NicRegisters.rdt(queue) >>> 2] = true;
      define(
          NicRegisters.rxdctl(queue),
          NicRegisters.RXDCTL_ENABLE | NicRegisters.RXDCTL_SWFLSH | NicRegisters.RXDCTL_VME,
          0);
      define(NicRegisters.rscctl(queue), 0x0000000F, 0);
      // 2 KiB packet and 256 B header buffers: drivers that never write the sizes rely on it.
      define(NicRegisters.srrctl(queue), 0x1FC03F7F, 0x00000402);
      define(NicRegisters.dcaRxctrl(queue), ALL, 0);
    }
  }

  private static void receive() {
    define(NicRegisters.RDRXCTL, ~NicRegisters.RDRXCTL_DMAIDONE, NicRegisters.RDRXCTL_DMAIDONE);
    define(NicRegisters.QDE, ALL, 0);
    define(NicRegisters.RXCTRL, NicRegisters.RXCTRL_RXEN, 0);
    define(NicRegisters.PFCTOP, ALL, 0);
    define(NicRegisters.FCRTV, 0x0000FFFF, 0);
    define(NicRegisters.FCCFG, 0x00000018, 0);
    for (int i = 0; i < 4; i++) {
      define(NicRegisters.fcttv(i), ALL, 0);
    }
    for (int buffer = 0; buffer < 8; buffer++) {
      define(NicRegisters.fcrtl(buffer), 0x8007FFF0, 0);
      define(NicRegisters.fcrth(buffer), 0x8007FFF0, 0);
      define(NicRegisters.rxpbsize(buffer), BUFFER_SIZE_MASK, 0);
    }
    define(NicRegisters.RXCSUM, 0x00003000, 0);
    define(NicRegisters.RFCTL, ALL, 0);
    define(NicRegisters.MRQC, ALL, 0);
    range(NicRegisters.reta(0), 32, ALL);
    range(NicRegisters.rssrk(0), 10, ALL);
    define(NicRegisters.SECRXCTRL, 0x00000003, 0);
    define(NicRegisters.SECRXSTAT, 0, SECURITY_READY);
  }

  private static void filters() {
    define(NicRegisters.FCTRL, 0x00000702, 0);
    define(NicRegisters.VLNCTRL, 0xF000FFFF, VLAN_ETHER_TYPE);
    define(NicRegisters.MCSTCTRL, 0x00000007, 0);
    range(NicRegisters.mta(0), 128, ALL);
    range(NicRegisters.vfta(0), 128, ALL);
    range(NicRegisters.etqf(0), 8, ALL);
    for (int i = 0; i < 128; i++) {
      define(NicRegisters.ral(i), ALL, 0);
      define(NicRegisters.rah(i), 0x8000FFFF, 0);
    }
    for (int pool = 0; pool < 64; pool++) {
      define(NicRegisters.psrtype(pool), ALL, 0);
    }
    // Five-tuple filters and flow director: kept for drivers that read back, nothing matches them.
    range(0x0E000, 5 * 128, ALL);
    range(0x0EC00, 8, ALL);
    range(0x0EE0C, 29, ALL);
    // A flow director command is over at once, so that its command bits read 0.
    define(0x0EE2C, ~0x3, 0);
    define(NicRegisters.FDIRCTRL, ~FDIRCTRL_INIT_DONE, FDIRCTRL_INIT_DONE);
  }

  private static void transmit() {
    for (int queue = 0; queue < NicRegisters.QUEUES; queue++) {
      define(NicRegisters.tdbal(queue), 0xFFFFFF80, 0);
      define(NicRegisters.tdbah(queue), ALL, 0);
      define(NicRegisters.tdlen(queue), 0x000FFF80, 0);
      define(NicRegisters.tdh(queue), 0x0000FFFF, 0);
      define(NicRegisters.tdt(queue), 0x0000FFFF, 0);
      IS_TAIL[NicRegisters.tdt(queue) >>> 2] = true;
      define(NicRegisters.txdctl(queue), 0x067F7F7F, 0);
      define(NicRegisters.tdwbal(queue), 0xFFFFFFFD, 0);
      define(NicRegisters.tdwbah(queue), ALL, 0);
      define(NicRegisters.dcaTxctrl(queue), ALL, 0);
    }
    for (int buffer = 0; buffer < 8; buffer++) {
      define(NicRegisters.txpbsize(buffer), BUFFER_SIZE_MASK, 0);
      define(NicRegisters.txpbthresh(buffer), 0x000003FF, 0);
    }
    define(NicRegisters.DTXMXSZRQ, 0x00000FFF, 0x00000010);
    define(NicRegisters.MTQC, 0x0000000F, 0);
    define(NicRegisters.RTTDCS, ALL, 0);
    define(NicRegisters.DMATXCTL, 0xFFFF006B, VLAN_ETHER_TYPE << 16);
    define(NicRegisters.DTXTCPFLGL, 0x0FFF0FFF, SegmentationOffload.DTXTCPFLGL_RESET);
    define(NicRegisters.DTXTCPFLGH, 0x00000FFF, SegmentationOffload.DTXTCPFLGH_RESET);
    define(NicRegisters.SECTXCTRL, 0x00000007, 0);
    define(NicRegisters.SECTXSTAT, 0, SECURITY_READY);
  }

  private static void mac() {
    int hlreg0 =
        NicRegisters.HLREG0_TXCRCEN | NicRegisters.HLREG0_RXCRCSTRP | NicRegisters.HLREG0_TXPADEN;
    define(NicRegisters.HLREG0, ALL, hlreg0);
    define(NicRegisters.PAP, ALL, 0);
    define(NicRegisters.MAXFRS, 0xFFFF0000, 0);
    define(NicRegisters.MFLCN, 0x00000FFF, 0);
    // The link mode comes from the EEPROM; the model's EEPROM says 10 Gb/s serial.
    define(NicRegisters.AUTOC, ALL, NicRegisters.AUTOC_LMS_10G_SERIAL);
    define(NicRegisters.AUTOC2, ALL, 0);
    define(NicRegisters.MACC, ALL, 0);
  }

  private static void range(int firstOffset, int count, int writeMask) {
    for (int i = 0; i < count; i++) {
      define(firstOffset + 4 * i, writeMask, 0);
    }
  }

  private static void define(int offset, int writeMask, int resetValue) {
    int word = WORD[offset >>> 2];
    WRITE_MASK[word] = writeMask;
    RESET_VALUE[word] = resetValue;
  }

  private static void alias(int offset, int target) {
    WORD[offset >>> 2] = (char) (target >>> 2);
  }
}
