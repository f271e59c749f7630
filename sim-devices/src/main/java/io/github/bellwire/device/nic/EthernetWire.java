package io.github.bellwire.device.nic;

/**
 * One direction of an Ethernet link: a serializer at an exact rate that keeps preamble, FCS and gap
 * (IEEE 802.3: 7 + 1 bytes before the frame, 4 after it, and 12 bytes of silence). A function from
 * the time a frame is ready to the time of its last bit; schedules nothing. The flight time of the
 * cable is not modelled.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
public final class EthernetWire {
  /** Preamble and start-of-frame delimiter. */
  public static final int PREAMBLE_BYTES = 8;

  /** Inter-packet gap. */
  public static final int GAP_BYTES = 12;

  /** Frame check sequence. */
  public static final int FCS_BYTES = 4;

  /** The shortest frame, FCS included. */
  public static final int FRAME_MIN_BYTES = 64;

  /** The shortest frame, FCS not included. */
  public static final int FRAME_MIN_WITHOUT_FCS_BYTES = FRAME_MIN_BYTES - FCS_BYTES;

  private static final long PS_BITS_PER_BYTE = 8_000_000_000_000L;

  // A byte lasts psPerByteWhole + psPerByteRest / psPerByteDenominator.
  private final long psPerByteWhole;
  private final long psPerByteRest;
  private final long psPerByteDenominator;
  private final long gapPs;
  private long freePs;
  private long carry;
  private long framesTotal;
  private long bytesTotal;

  /**
   * Creates an idle wire.
   *
   * @param bitsPerSecond line rate, 1..1e12
   */
  public EthernetWire(long bitsPerSecond) {
    if (bitsPerSecond < 1 || bitsPerSecond > 1_000_000_000_000L) {
      throw new IllegalArgumentException(
          "bitsPerSecond must be 1..1e12: bitsPerSecond=" + bitsPerSecond);
    }
    long divisor = gcd(PS_BITS_PER_BYTE, bitsPerSecond);
    long psPerByteNumerator = PS_BITS_PER_BYTE / divisor;
    psPerByteDenominator = bitsPerSecond / divisor;
    psPerByteWhole = psPerByteNumerator / psPerByteDenominator; // floor; the rest is kept
    psPerByteRest = psPerByteNumerator % psPerByteDenominator;
    gapPs = GAP_BYTES * psPerByteNumerator / psPerByteDenominator; // floor: below one picosecond
  }

  /**
   * Sends a frame behind all earlier ones.
   *
   * @param lengthBytes bytes of the frame without FCS
   * @param readyPs when it could start, in picoseconds
   * @return when its last bit has passed, in picoseconds
   */
  public long transmit(int lengthBytes, long readyPs) {
    if (readyPs > freePs) {
      freePs = readyPs;
      carry = 0;
    }
    int wireBytes = wireBytes(lengthBytes);
    freePs += wireBytes * psPerByteWhole;
    if (psPerByteRest != 0) { // No usual rate has one, and a division per frame costs.
      long scaled = wireBytes * psPerByteRest + carry;
      long wholePs = scaled / psPerByteDenominator; // floor; the rest is carried
      carry = scaled - wholePs * psPerByteDenominator;
      freePs += wholePs;
    }
    framesTotal++;
    bytesTotal += wireBytes;
    return freePs - gapPs;
  }

  /**
   * Gives up what has not been sent: the wire is free. The counters keep it.
   *
   * @param nowPs the current time in picoseconds
   */
  void abandon(long nowPs) {
    freePs = Math.min(freePs, nowPs);
    carry = 0;
  }

  /**
   * {@return what a frame occupies, with preamble, FCS and gap}
   *
   * @param lengthBytes bytes of the frame without FCS
   */
  public static int wireBytes(int lengthBytes) {
    return PREAMBLE_BYTES + lengthBytes + FCS_BYTES + GAP_BYTES;
  }

  /** {@return when the next frame could start, in picoseconds} */
  public long freePs() {
    return freePs;
  }

  /** {@return frames sent so far} */
  public long framesTotal() {
    return framesTotal;
  }

  /** {@return bytes sent so far, with preamble, FCS and gap} */
  public long bytesTotal() {
    return bytesTotal;
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }
}
