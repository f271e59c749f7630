package io.github.bellwire.device.nic;

/**
 * The EEPROM, the semaphores around it and the MDIO master: what a driver talks to before the first
 * packet.
 *
 * <p>The EEPROM has 64 words, all sections absent (FFFF pointers), and a checksum that makes words
 * 0..3F sum to BABA; the station address comes from {@link RegisterFile}. A read over EERD takes
 * {@link #EEPROM_READ_PS}, an MDIO command 64 clocks of 2.4 MHz (IEEE 802.3 clause 45: 32 bits of
 * preamble and 32 of frame). No PHY answers, so MDIO reads return ones. There is no firmware: FWSM
 * reads 0 and the semaphores are always free for software. Direct (bit-banged) EEPROM access is
 * granted but not modelled.
 *
 * <p>Time passes lazily, at the next access; the unit schedules nothing and allocates nothing after
 * construction. Confined to the simulation thread.
 */
final class NvmUnit {
  /** Words of the EEPROM. */
  static final int EEPROM_WORDS = 64;

  /** What words 0..3F sum to, modulo 65536. */
  static final int CHECKSUM = 0xBABA;

  /** Word with the checksum. */
  static final int CHECKSUM_WORD = 0x3F;

  /** Duration of one EERD read in picoseconds: 40 SPI clocks of 4 MHz (assumption). */
  static final long EEPROM_READ_PS = 10_000_000;

  /** Duration of one MDIO command in picoseconds: 64 clocks of 2.4 MHz, rounded down. */
  static final long MDIO_PS = 64 * 1_000_000_000_000L / 2_400_000;

  private static final int FIRST_POINTER_WORD = 0x03;
  private static final int LAST_POINTER_WORD = 0x0F;
  private static final int ABSENT = 0xFFFF;

  // EEC.SIZE 0 means 2^6 words. Requests, chip select, clock and data in are software's.
  private static final int EEC_FIXED = NicRegisters.EEC_PRES | NicRegisters.EEC_ARD;
  private static final int EEC_WRITE_MASK = 0x00000077;
  private static final int EERD_ADDRESS_MASK = 0x3FFF;
  private static final int SEMAPHORE_MASK = NicRegisters.SWSM_SMBI | NicRegisters.SWSM_SWESMBI;
  private static final int SOFTWARE_FLAGS = 0x0000001F;
  private static final int MDIO_READ_DATA = 0xFFFF0000;

  private final short[] eeprom = new short[EEPROM_WORDS];
  private int eec;
  private int eerd;
  private long eerdDonePs;
  private int swsm;
  private int swFwSync;
  private int msca;
  private long mscaDonePs;
  private int msrwd;

  /** Creates the unit with a valid EEPROM, all semaphores free. */
  NvmUnit() {
    for (int word = FIRST_POINTER_WORD; word <= LAST_POINTER_WORD; word++) {
      eeprom[word] = (short) ABSENT;
    }
    int sum = 0;
    for (int word = 0; word < CHECKSUM_WORD; word++) {
      sum += eeprom[word];
    }
    eeprom[CHECKSUM_WORD] = (short) (CHECKSUM - sum);
    reset();
  }

  /** Ends what is under way and frees the semaphores; the EEPROM keeps its words. */
  void reset() {
    eec = EEC_FIXED;
    eerd = 0;
    swsm = 0;
    swFwSync = 0;
    msca = 0;
    msrwd = MDIO_READ_DATA;
  }

  /**
   * {@return whether an offset is a register of this unit}
   *
   * @param offset byte offset into BAR0
   */
  boolean handles(int offset) {
    switch (offset) {
      case NicRegisters.EEC:
      case NicRegisters.EERD:
      case NicRegisters.SWSM:
      case NicRegisters.FWSM:
      case NicRegisters.SW_FW_SYNC:
      case NicRegisters.MSCA:
      case NicRegisters.MSRWD:
        return true;
      default:
        return false;
    }
  }

  /**
   * Reads a register; reading SWSM takes its SMBI semaphore.
   *
   * @param offset an offset for which {@link #handles} holds
   * @param nowPs the current time in picoseconds
   * @return the 32 bits
   */
  int read(int offset, long nowPs) {
    switch (offset) {
      case NicRegisters.EEC:
        return eec;
      case NicRegisters.EERD:
        return readEerd(nowPs);
      case NicRegisters.SWSM:
        int before = swsm;
        swsm |= NicRegisters.SWSM_SMBI;
        return before;
      case NicRegisters.SW_FW_SYNC:
        return swFwSync;
      case NicRegisters.MSCA:
        return nowPs < mscaDonePs ? msca : msca & ~NicRegisters.MSCA_MDI_COMMAND;
      case NicRegisters.MSRWD:
        return msrwd;
      default:
        return 0;
    }
  }

  /**
   * Writes a register.
   *
   * @param offset an offset for which {@link #handles} holds
   * @param value the bits
   * @param nowPs the current time in picoseconds
   */
  void write(int offset, int value, long nowPs) {
    switch (offset) {
      case NicRegisters.EEC:
        boolean isRequested = (value & NicRegisters.EEC_REQ) != 0;
        eec = EEC_FIXED | value & EEC_WRITE_MASK | (isRequested ? NicRegisters.EEC_GNT : 0);
        break;
      case NicRegisters.EERD:
        startEerd(value, nowPs);
        break;
      case NicRegisters.SWSM:
        swsm = value & SEMAPHORE_MASK;
        break;
      case NicRegisters.SW_FW_SYNC:
        swFwSync = value & SOFTWARE_FLAGS;
        break;
      case NicRegisters.MSCA:
        msca = value;
        if ((value & NicRegisters.MSCA_MDI_COMMAND) != 0) {
          mscaDonePs = nowPs + MDIO_PS;
        }
        break;
      case NicRegisters.MSRWD:
        msrwd = MDIO_READ_DATA | value & ~MDIO_READ_DATA;
        break;
      default:
        break;
    }
  }

  private void startEerd(int value, long nowPs) {
    eerd = value & EERD_ADDRESS_MASK << NicRegisters.EERD_ADDR_SHIFT;
    if ((value & NicRegisters.EERD_START) != 0) {
      eerd |= NicRegisters.EERD_START;
      eerdDonePs = nowPs + EEPROM_READ_PS;
    }
  }

  private int readEerd(long nowPs) {
    if ((eerd & NicRegisters.EERD_START) == 0 || nowPs < eerdDonePs) {
      return eerd;
    }
    int word = eerd >>> NicRegisters.EERD_ADDR_SHIFT & EERD_ADDRESS_MASK;
    int data = word < EEPROM_WORDS ? eeprom[word] & 0xFFFF : ABSENT;
    return eerd | NicRegisters.EERD_DONE | data << NicRegisters.EERD_DATA_SHIFT;
  }
}
