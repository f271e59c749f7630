package io.github.bellwire.pcie;

/**
 * The flow-control credits of one class, header and data, as the sender sees them: the times at
 * which those in use come back, in the order of these times (PCI Express Base Specification 5.0,
 * section 2.6.1). A header credit is one TLP, a data credit 16 bytes.
 *
 * <p>Credits mostly come back in the order in which they were taken, so a new time almost always
 * goes to the end of the ring. Allocates nothing after construction.
 */
final class CreditPool {
  private static final int DATA_UNIT_SHIFT = 4;
  private static final int DATA_UNIT_BYTES = 1 << DATA_UNIT_SHIFT;

  private final int headers;
  private final int data;
  // A ring of TLPs whose credits are in use.
  private final long[] returnPs;
  private final int[] dataTaken;
  private int first;
  private int count;
  private int dataInUse;
  private long waitedPsTotal;

  /**
   * Creates a pool with all credits free. One of the two must be limited.
   *
   * @param headers advertised, 0 if unlimited
   * @param data advertised, 0 if unlimited
   */
  CreditPool(int headers, int data) {
    assert headers > 0 || data > 0 : "nothing is limited";
    this.headers = headers == 0 ? Integer.MAX_VALUE : headers;
    this.data = data == 0 ? Integer.MAX_VALUE : data;
    // Without a limit on headers every TLP in the ring has at least one data credit.
    int slots = headers == 0 ? data : headers;
    returnPs = new long[slots];
    dataTaken = new int[slots];
  }

  /** {@return data credits of a payload} */
  static int dataCredits(int payloadBytes) {
    return payloadBytes + DATA_UNIT_BYTES - 1 >>> DATA_UNIT_SHIFT;
  }

  /**
   * Takes one header credit and data credits; {@link #giveBack} is to follow. A TLP that needs more
   * than all there are waits until the pool is full.
   *
   * @param dataCredits needed
   * @param readyPs when the TLP could go otherwise
   * @return when it can go
   */
  long take(int dataCredits, long readyPs) {
    int needed = Math.min(dataCredits, data);
    long startPs = readyPs;
    while (count > 0 && (count == headers || dataInUse > data - needed)) {
      startPs = Math.max(startPs, returnPs[first]);
      dataInUse -= dataTaken[first];
      first = slot(1);
      count--;
    }
    waitedPsTotal += startPs - readyPs;
    return startPs;
  }

  /**
   * Says when the credits just taken come back.
   *
   * @param dataCredits as taken
   * @param atPs when the sender can use them again
   */
  void giveBack(int dataCredits, long atPs) {
    int taken = Math.min(dataCredits, data);
    if (taken == 0 && headers == Integer.MAX_VALUE) {
      return;
    }
    dataInUse += taken;
    int index = count++;
    for (; index > 0 && returnPs[slot(index - 1)] > atPs; index--) {
      returnPs[slot(index)] = returnPs[slot(index - 1)];
      dataTaken[slot(index)] = dataTaken[slot(index - 1)];
    }
    returnPs[slot(index)] = atPs;
    dataTaken[slot(index)] = taken;
  }

  /** {@return how long TLPs have waited for credits, all of them together, in picoseconds} */
  long waitedPsTotal() {
    return waitedPsTotal;
  }

  private int slot(int index) {
    int slot = first + index;
    return slot < returnPs.length ? slot : slot - returnPs.length;
  }
}
