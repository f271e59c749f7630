package io.github.bellwire.pcie;

/**
 * Signalling rate and line code of a PCI Express generation (PCI Express Base Specification,
 * section 4.2: 8b/10b up to generation 2, 128b/130b up to 5). Generation 6 sends FLITs of 256
 * bytes, 236 of them for TLPs, 6 for the data link layer, 8 of CRC and 6 of error correction (Base
 * Specification 6.0, section 4.2.3): no DLLPs, no framing of TLPs.
 */
public enum PcieGeneration {
  /** 2.5 GT/s. */
  GEN1(1, 2_500, 8, 10, 19),
  /** 5 GT/s. */
  GEN2(2, 5_000, 8, 10, 70),
  /** 8 GT/s. */
  GEN3(3, 8_000, 128, 130, 115),
  /** 16 GT/s. */
  GEN4(4, 16_000, 128, 130, 115),
  /** 32 GT/s. */
  GEN5(5, 32_000, 128, 130, 115),
  /** 64 GT/s in FLIT mode; the code group is the FLIT. */
  GEN6(6, 64_000, 236, 256, 115);

  private static final int FLIT_BITS = 256 * 8;

  private final int number;
  private final int megatransfersPerSecond;
  private final int codePayloadBits;
  private final int codeTotalBits;
  private final int internalDelaySymbols;

  PcieGeneration(
      int number,
      int megatransfersPerSecond,
      int codePayloadBits,
      int codeTotalBits,
      int internalDelaySymbols) {
    this.number = number;
    this.megatransfersPerSecond = megatransfersPerSecond;
    this.codePayloadBits = codePayloadBits;
    this.codeTotalBits = codeTotalBits;
    this.internalDelaySymbols = internalDelaySymbols;
  }

  /**
   * {@return the generation with a number}
   *
   * @param number 1..6
   * @throws IllegalArgumentException if there is none
   */
  public static PcieGeneration of(int number) {
    if (number < 1 || number > values().length) {
      throw new IllegalArgumentException(
          "generation must be 1.." + values().length + ": generation=" + number);
    }
    return values()[number - 1];
  }

  /** {@return 1..6} */
  public int number() {
    return number;
  }

  /** {@return the raw rate of one lane in millions of transfers, one bit each, per second} */
  public int megatransfersPerSecond() {
    return megatransfersPerSecond;
  }

  /** {@return whether TLPs travel in FLITs} */
  public boolean isFlitMode() {
    return this == GEN6;
  }

  /** {@return what a TLP has around it on the wire, in bytes: framing, sequence number, LCRC} */
  public int framingBytes() {
    return isFlitMode() ? 0 : TlpLayout.FRAMING_BYTES;
  }

  /**
   * {@return how long a FLIT lasts, in picoseconds: 2 ns on 16 lanes}
   *
   * @param lanes 1, 2, 4, 8, 16 or 32
   */
  long flitPs(int lanes) {
    return FLIT_BITS * 1_000_000L / ((long) megatransfersPerSecond * lanes); // Divides evenly.
  }

  /** {@return payload bits, or bytes in FLIT mode, of one code group} */
  public int codePayloadBits() {
    return codePayloadBits;
  }

  /** {@return bits, or bytes in FLIT mode, of one code group on the wire} */
  public int codeTotalBits() {
    return codeTotalBits;
  }

  /** {@return the internal delay of the Ack and UpdateFC latency limits, in symbol times} */
  int internalDelaySymbols() {
    return internalDelaySymbols;
  }
}
