package io.github.bellwire.pcie;

import org.jspecify.annotations.Nullable;

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
  private final int[] headersTaken;
  private final int[] dataTaken;
  private int first;
  private int count;
  private int headersInUse;
  private int dataInUse;
  private int headersOfLast;
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
    headersTaken = new int[slots];
    dataTaken = new int[slots];
  }

  /**
   * {@return a pool, or null if nothing is limited}
   *
   * @param headers advertised, 0 if unlimited
   * @param data advertised, 0 if unlimited
   */
  static @Nullable CreditPool ofNullable(int headers, int data) {
    return headers == 0 && data == 0 ? null : new CreditPool(headers, data);
  }

  /** {@return data credits of a payload} */
  static int dataCredits(int payloadBytes) {
    return payloadBytes + DATA_UNIT_BYTES - 1 >>> DATA_UNIT_SHIFT;
  }

  /** As {@link #take(int, int, long)} with one header credit. */
  long take(int dataCredits, long readyPs) {
    return take(1, dataCredits, readyPs);
  }

  /**
   * Takes credits; {@link #giveBack} is to follow. Who needs more than all there are waits until
   * the pool is full.
   *
   * @param headerCredits needed, at least 1
   * @param dataCredits needed
   * @param readyPs when they could be used
   * @return when they can
   */
  long take(int headerCredits, int dataCredits, long readyPs) {
    headersOfLast = Math.min(headerCredits, headers);
    int needed = Math.min(dataCredits, data);
    long startPs = readyPs;
    while (count > 0 && (headersInUse > headers - headersOfLast || dataInUse > data - needed)) {
      startPs = Math.max(startPs, returnPs[first]);
      headersInUse -= headersTaken[first];
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
    headersInUse += headersOfLast;
    dataInUse += taken;
    int index = count++;
    for (; index > 0 && returnPs[slot(index - 1)] > atPs; index--) {
      int slot = slot(index);
      int before = slot(index - 1);
      returnPs[slot] = returnPs[before];
      headersTaken[slot] = headersTaken[before];
      dataTaken[slot] = dataTaken[before];
    }
    int slot = slot(index);
    returnPs[slot] = atPs;
    headersTaken[slot] = headersOfLast;
    dataTaken[slot] = taken;
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
