package io.github.bellwire.pcie;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.kernel.TurnQueue;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/**
 * One direction of a PCI Express link: a serializer that sends one TLP at a time. A function from
 * the time a TLP is ready to the time its last bit has left; schedules nothing.
 *
 * <pre>{@code
 * transmit(wireBytes, readyPs) --> [ serializer: busy until freePs, gaps before that ] --> sent
 * }</pre>
 *
 * <p>TLPs may be offered out of the order of their times, because a whole chain is computed when it
 * starts. There are two ways to treat those that are ready before others offered already:
 *
 * <ul>
 *   <li>In gaps: the serializer remembers the idle gaps that later TLPs left before them and fills
 *       those. What it has told stays true. Back-to-back TLPs carry the fraction of a picosecond;
 *       in a gap the time is rounded up.
 *   <li>In turn: TLPs leave in the order in which they are ready, so that others move. What it has
 *       told may become later until that time has come; {@link #sentPs} tells anew. If the host
 *       sends answers piece by piece, so does {@link CompletionTurns}.
 * </ul>
 *
 * <p>Rates are exact ratios: a byte on Gen 5 x16 lasts 15.869140625 ps. In FLIT mode a TLP is of
 * use when the FLIT that holds its end has arrived; FLITs follow each other without a break. Bit
 * errors and replay are the matter of the layer above. Allocates nothing after construction.
 * Confined to the simulation thread.
 */
public final class LinkDirection {
  private static final int GAPS = 128;
  private static final int WIRE_BYTES_MAX =
      TlpLayout.REQUEST_BOUNDARY_BYTES
          + TlpLayout.FRAMING_BYTES
          + TlpLayout.HEADER_4DW_BYTES
          + TlpLayout.ECRC_BYTES
          + TlpLayout.OHC_BYTES;
  private static final int SKP_SYMBOLS = 4;
  private static final int SKP_INTERVAL_SYMBOLS = 1538;
  private static final int DLLP_BYTES = 8;
  private static final int TLPS_PER_TAG = 4;
  private static final int TURNS_MIN = 64;

  /** Where root ports collect what they send in turns: 32 reads of 512 B. Assumption. */
  private static final int READ_BUFFER_BYTES = 16 << 10;

  private static final int TURNS_MAX = 1024;

  /** So long after a TLP has left nobody asks for it any more. */
  private static final long TURN_OLD_PS = 1_000_000;

  private final Simulation simulation;
  // In turn there is one of both.
  private final @Nullable TurnQueue turns;
  private final @Nullable CompletionTurns completionTurns;
  private final int turnShift;
  private final long propagationPs;
  private final long flitPs;
  // What this link adds to the sizes of TlpLayout: ECRC; in FLIT mode the framing is missing.
  private final int extraBytes;
  private final long psPerByteNumerator;
  private final long psPerByteDenominator;
  // How long a TLP of each size lasts, looked up because a division per TLP costs more: whole
  // picoseconds, and the rest beside them.
  private final long[] durations = new long[2 * (WIRE_BYTES_MAX + 1)];
  // A ring of idle intervals in the order of time; the oldest are dropped first.
  private final long[] gapFromPs = new long[GAPS];
  private final long[] gapToPs = new long[GAPS];
  private int firstGap;
  private int gapsCount;
  private long freePs;
  private long carry;
  private @Nullable DataLinkLayer dataLinkLayer;
  // Whether a TLP that is ready behind all others is sent then, whatever comes later.
  private boolean isFirstCome;
  private int owedDllpBytes;

  private long busyPsTotal;
  private long mwrTotal;
  private long mrdTotal;
  private long cpldTotal;
  private long cplTotal;
  private long bytesTotal;

  /**
   * Creates an idle direction that fills gaps.
   *
   * @param config rate, width and what link traffic is charged
   * @param simulation the clock: gaps that have passed are forgotten
   */
  public LinkDirection(PcieLinkConfig config, Simulation simulation) {
    this(config, simulation, false);
  }

  /**
   * Creates an idle direction.
   *
   * @param config rate, width and what link traffic is charged
   * @param simulation the clock
   * @param isInTurn whether TLPs leave in the order in which they are ready, not in gaps; without
   *     replay
   */
  LinkDirection(PcieLinkConfig config, Simulation simulation, boolean isInTurn) {
    this.simulation = simulation;
    PcieGeneration generation = config.generation();
    propagationPs = config.propagationPs();
    flitPs = generation.isFlitMode() ? generation.flitPs(config.lanes()) : 0;
    extraBytes =
        (config.ecrc() ? TlpLayout.ECRC_BYTES : 0)
            + generation.framingBytes()
            - TlpLayout.FRAMING_BYTES;
    long numerator = 8_000_000L * generation.codeTotalBits();
    long denominator =
        (long) generation.megatransfersPerSecond() * generation.codePayloadBits() * config.lanes();
    if (config.dllpCharge() != PcieLinkConfig.DllpCharge.NONE && !generation.isFlitMode()) {
      // TLPs keep 1 - 8/limit - 8/limit - 4/1538 of the rate, brought to one denominator.
      boolean isOwn = config.dllpCharge() == PcieLinkConfig.DllpCharge.GUIDE_RATE;
      long dllpBytes = isOwn ? 2 * DLLP_BYTES : 0;
      long limit = config.ackLimitSymbols();
      long whole = limit * SKP_INTERVAL_SYMBOLS;
      denominator *= whole - dllpBytes * SKP_INTERVAL_SYMBOLS - SKP_SYMBOLS * limit;
      numerator *= whole;
    }
    long divisor = gcd(numerator, denominator);
    psPerByteDenominator = denominator / divisor;
    psPerByteNumerator = numerator / divisor;
    for (int bytes = 0; bytes <= WIRE_BYTES_MAX; bytes++) {
      long scaled = bytes * psPerByteNumerator;
      durations[2 * bytes] = scaled / psPerByteDenominator; // floor; the rest is kept beside it
      durations[2 * bytes + 1] = scaled % psPerByteDenominator;
    }
    boolean hasCompletionTurns = isInTurn && config.completionTurnBytes() > 0;
    turnShift =
        hasCompletionTurns ? Integer.numberOfTrailingZeros(config.completionTurnBytes()) : 0;
    completionTurns = hasCompletionTurns ? completionTurns(config) : null;
    turns =
        isInTurn && !hasCompletionTurns
            ? new TurnQueue(turnsCount(config), psPerByteDenominator)
            : null;
    isFirstCome = !isInTurn;
  }

  private CompletionTurns completionTurns(PcieLinkConfig config) {
    int bufferTurns = Math.max(1, READ_BUFFER_BYTES / config.completionTurnBytes());
    int readsCount = Integer.highestOneBit(TLPS_PER_TAG * 2 * config.tags() - 1);
    int shortestBytes =
        config.completionCut() == CompletionCut.LONGEST
            ? config.maxPayloadBytes()
            : config.readCompletionBoundaryBytes();
    int tlpsCount = readsCount * Math.max(1, config.maxReadRequestBytes() / shortestBytes);
    return new CompletionTurns(
        simulation, bufferTurns, readsCount, tlpsCount, psPerByteDenominator);
  }

  private static int turnsCount(PcieLinkConfig config) {
    int tlps = Math.min(TURNS_MAX, Math.max(TURNS_MIN, TLPS_PER_TAG * config.tags()));
    return Integer.highestOneBit(2 * tlps - 1);
  }

  /**
   * Sends a TLP of any kind.
   *
   * @param type its kind
   * @param wireBytes size with header and framing
   * @param readyPs when it could start
   * @return when its last bit has left
   */
  long transmit(TlpType type, int wireBytes, long readyPs) {
    return switch (type) {
      case MEMORY_WRITE -> transmitMemoryWrite(wireBytes, readyPs);
      case MESSAGE -> transmit(wireBytes, readyPs);
      case MEMORY_READ -> transmitMemoryRead(wireBytes, readyPs);
      case COMPLETION_WITH_DATA -> transmitCompletionWithData(wireBytes, readyPs);
      case COMPLETION -> transmitCompletion(readyPs);
    };
  }

  /**
   * Sends a memory write request.
   *
   * @param wireBytes size with header and framing
   * @param readyPs when it could start
   * @return when its last bit has left
   */
  long transmitMemoryWrite(int wireBytes, long readyPs) {
    mwrTotal++;
    return transmit(wireBytes, readyPs);
  }

  /**
   * Sends a memory write request that is ready when all before it have left: {@link
   * #transmitMemoryWrite} in short, for a direction that fills gaps and has no layer above.
   *
   * @param tlpBytes as {@link TlpLayout} counts
   * @param readyPs when it could start, not before {@link #freePs}
   * @return when its last bit has left
   */
  long appendMemoryWrite(int tlpBytes, long readyPs) {
    assert isFirstCome && readyPs >= freePs : "not behind all others";
    mwrTotal++;
    return appendBehind(countBytes(tlpBytes), readyPs);
  }

  /**
   * Sends a memory read request.
   *
   * @param wireBytes size with header and framing
   * @param readyPs when it could start
   * @return when its last bit has left
   */
  long transmitMemoryRead(int wireBytes, long readyPs) {
    mrdTotal++;
    return transmit(wireBytes, readyPs);
  }

  /**
   * Sends a completion with data.
   *
   * @param wireBytes size with header and framing
   * @param readyPs when it could start
   * @return when its last bit has left
   */
  long transmitCompletionWithData(int wireBytes, long readyPs) {
    cpldTotal++;
    return transmit(wireBytes, readyPs);
  }

  /**
   * Sends a completion that root complexes send in turns, see {@link CompletionTurns}.
   *
   * @param isFirst whether it is the first of its read
   * @param wireBytes size with header and framing
   * @param address of its first byte
   * @param lengthBytes of data
   * @param readyPs when the read has its data
   * @return when its last bit has left
   */
  long transmitCompletionWithData(
      boolean isFirst, int wireBytes, long address, int lengthBytes, long readyPs) {
    CompletionTurns queue = completionTurns;
    if (queue == null) {
      return transmitCompletionWithData(wireBytes, readyPs);
    }
    cpldTotal++;
    bytesTotal += wireBytes + extraBytes;
    long lastTurn = address + lengthBytes - 1 >>> turnShift;
    int turnsCount = (int) (lastTurn - (address >>> turnShift)) + 1;
    boolean joins = !isFirst && (address & (1L << turnShift) - 1) != 0;
    long durationPs = tlpPs(wireBytes);
    long rest = restOf(wireBytes + extraBytes);
    return queue.sentPs(queue.add(isFirst, readyPs, durationPs, rest, true, turnsCount, joins));
  }

  /**
   * Sends a completion without data, as for an unsupported request.
   *
   * @param readyPs when it could start
   * @return when its last bit has left
   */
  long transmitCompletion(long readyPs) {
    cplTotal++;
    return transmit(TlpLayout.COMPLETION_BYTES, readyPs);
  }

  /**
   * {@return when a TLP is of use at the far end}
   *
   * @param sentPs when its last bit has left
   */
  long arrivalPs(long sentPs) {
    if (flitPs == 0) {
      return sentPs + propagationPs;
    }
    return (sentPs + flitPs - 1) / flitPs * flitPs + propagationPs; // FLITs start at time 0.
  }

  /** {@return whether TLPs leave in the order in which they are ready} */
  boolean isInTurn() {
    return turns != null || completionTurns != null;
  }

  /** {@return the ticket of the next TLP that is sent in turn; TLPs are numbered from 0} */
  long nextTicket() {
    TurnQueue queue = turns;
    if (completionTurns != null) {
      return completionTurns.nextTicket();
    }
    return queue == null ? 0 : queue.addedTotal();
  }

  /**
   * {@return when a TLP sent in turn has left, as known now; {@link TurnQueue#FORGOTTEN} if that
   * was long ago}
   */
  long sentPs(long ticket) {
    TurnQueue queue = turns;
    if (completionTurns != null) {
      return completionTurns.sentPs(ticket);
    }
    return queue == null ? TurnQueue.FORGOTTEN : queue.endPs(ticket);
  }

  /**
   * TLPs sent in turn are ready at another time than was thought.
   *
   * @param fromTicket the first
   * @param toTicket behind the last
   * @param readyPs when all of them could start
   */
  void move(long fromTicket, long toTicket, long readyPs) {
    TurnQueue queue = turns;
    if (queue != null) {
      queue.move(fromTicket, toTicket, readyPs);
    } else if (completionTurns != null) {
      completionTurns.move(fromTicket, readyPs);
    }
  }

  /** {@return when the last bit of all that has been sent in the order of calls has left} */
  long freePs() {
    return freePs;
  }

  /** {@return bytes of TLPs sent, headers and framing included} */
  public long bytesTotal() {
    return bytesTotal;
  }

  /** {@return how long the serializer has been or is going to be busy, in picoseconds} */
  public long busyPsTotal() {
    return !isInTurn()
        ? busyPsTotal
        : BigInteger.valueOf(bytesTotal)
            .multiply(BigInteger.valueOf(psPerByteNumerator))
            .divide(BigInteger.valueOf(psPerByteDenominator))
            .longValueExact();
  }

  /** {@return TLPs sent again because one arrived broken} */
  public long replaysTotal() {
    return dataLinkLayer == null ? 0 : dataLinkLayer.replaysTotal();
  }

  /** {@return memory write requests sent, interrupt messages included} */
  public long memoryWritesTotal() {
    return mwrTotal;
  }

  /** {@return memory read requests sent} */
  public long memoryReadsTotal() {
    return mrdTotal;
  }

  /** {@return completions with data sent} */
  public long completionsWithDataTotal() {
    return cpldTotal;
  }

  /** {@return completions without data sent} */
  public long completionsTotal() {
    return cplTotal;
  }

  /**
   * Sends a TLP.
   *
   * @param tlpBytes as {@link TlpLayout} counts
   * @param readyPs when it could start
   * @return when its last bit has left
   */
  long transmit(int tlpBytes, long readyPs) {
    int wireBytes = countBytes(tlpBytes);
    // Behind all others, nearly always.
    return isFirstCome && readyPs >= freePs
        ? appendBehind(wireBytes, readyPs)
        : transmitBetween(wireBytes, readyPs);
  }

  private int countBytes(int tlpBytes) {
    int wireBytes = tlpBytes + extraBytes;
    bytesTotal += wireBytes;
    return wireBytes;
  }

  private long transmitBetween(int wireBytes, long readyPs) {
    DataLinkLayer layer = dataLinkLayer;
    return layer == null ? serialize(wireBytes, readyPs) : layer.transmit(wireBytes, readyPs);
  }

  /** Puts a layer above this direction, which sends everything from now on. */
  void connect(DataLinkLayer layer) {
    dataLinkLayer = layer;
    isFirstCome = false;
  }

  /** Lets DLLPs wait for the next TLP, or for idle time before it. */
  void oweDllps(int bytes) {
    owedDllpBytes += bytes;
  }

  /**
   * Sends the DLLPs that wait: between TLPs, or for nothing while the direction is idle.
   *
   * @param readyPs when the next TLP could start
   */
  void payDllps(long readyPs) {
    while (owedDllpBytes > 0) {
      int bytes = Math.min(owedDllpBytes, WIRE_BYTES_MAX);
      owedDllpBytes -= bytes;
      if (readyPs > freePs) {
        busyPsTotal += durationPs(bytes);
      } else {
        append(bytes);
      }
    }
  }

  /**
   * {@return what FLIT mode adds to a request whose byte enables are not all ones}
   *
   * @param address first byte
   * @param lengthBytes at least 0
   */
  int requestExtraBytes(long address, int lengthBytes) {
    return flitPs != 0 && TlpLayout.hasPartialWords(address, lengthBytes) ? TlpLayout.OHC_BYTES : 0;
  }

  /**
   * {@return what FLIT mode adds to a completion that does not start at a double word}
   *
   * @param address first byte
   */
  int completionExtraBytes(long address) {
    return flitPs != 0 && (address & Integer.BYTES - 1) != 0 ? TlpLayout.OHC_BYTES : 0;
  }

  /** {@return how long some bytes last, in picoseconds, rounded down} */
  long durationPs(int wireBytes) {
    return durations[2 * wireBytes];
  }

  /** {@return how long a TLP lasts, in picoseconds, rounded down} */
  long tlpPs(int tlpBytes) {
    return durationPs(tlpBytes + extraBytes);
  }

  /**
   * Takes the direction out of use. What has been sent later already stays.
   *
   * @param fromPs from when on
   * @param toPs until when
   */
  void blockFrom(long fromPs, long toPs) {
    while (gapsCount > 0 && gapFromPs[gap(gapsCount - 1)] >= fromPs) {
      gapsCount--;
    }
    if (gapsCount > 0) {
      int last = gap(gapsCount - 1);
      gapToPs[last] = Math.min(gapToPs[last], fromPs);
    }
    if (freePs < fromPs) {
      addGap(freePs, fromPs);
    }
    if (freePs < toPs) {
      freePs = toPs;
      carry = 0;
    }
  }

  /** Sends bytes as they are; returns when the last bit has left. */
  long serialize(int wireBytes, long readyPs) {
    TurnQueue queue = turns;
    if (queue != null) {
      return takeTurn(queue, wireBytes, readyPs);
    }
    if (completionTurns != null) {
      return takeTurn(completionTurns, wireBytes, readyPs);
    }
    if (readyPs < freePs) {
      long sentPs = fillGap(wireBytes, readyPs);
      return sentPs != 0 ? sentPs : append(wireBytes);
    }
    return appendBehind(wireBytes, readyPs);
  }

  private long appendBehind(int wireBytes, long readyPs) {
    return readyPs == freePs ? append(wireBytes) : appendAfterIdle(wireBytes, readyPs);
  }

  /** The fraction of the last picosecond has passed, too. */
  private long appendAfterIdle(int wireBytes, long readyPs) {
    addGap(freePs, readyPs);
    carry = restOf(wireBytes);
    long durationPs = durationPs(wireBytes);
    busyPsTotal += durationPs;
    freePs = readyPs + durationPs;
    return freePs;
  }

  private long takeTurn(TurnQueue queue, int wireBytes, long readyPs) {
    long oldPs = simulation.nowPs() - TURN_OLD_PS;
    return queue.endPs(queue.add(readyPs, durationPs(wireBytes), restOf(wireBytes), oldPs));
  }

  private long takeTurn(CompletionTurns queue, int wireBytes, long readyPs) {
    long rest = restOf(wireBytes);
    return queue.sentPs(queue.add(true, readyPs, durationPs(wireBytes), rest, false, 1, false));
  }

  private long append(int wireBytes) {
    long durationPs = durationPs(wireBytes);
    carry += restOf(wireBytes);
    if (carry >= psPerByteDenominator) {
      carry -= psPerByteDenominator;
      durationPs++;
    }
    freePs += durationPs;
    busyPsTotal += durationPs;
    return freePs;
  }

  /** Returns when the TLP has left, or 0 if no gap holds it. */
  private long fillGap(int wireBytes, long readyPs) {
    forgetPassedGaps();
    if (gapsCount == 0) {
      return 0;
    }
    // Rounded up: a gap has no fraction to carry.
    long durationPs = durationPs(wireBytes) + (restOf(wireBytes) == 0 ? 0 : 1);
    for (int i = 0; i < gapsCount; i++) {
      int gap = gap(i);
      long startPs = Math.max(readyPs, gapFromPs[gap]);
      if (gapToPs[gap] - startPs >= durationPs) {
        occupy(i, startPs, startPs + durationPs);
        busyPsTotal += durationPs;
        return startPs + durationPs;
      }
    }
    return 0;
  }

  private void occupy(int index, long fromPs, long toPs) {
    int gap = gap(index);
    if (fromPs == gapFromPs[gap]) {
      gapFromPs[gap] = toPs; // An empty gap is harmless: it holds nothing and passes.
    } else if (toPs == gapToPs[gap] || gapsCount == GAPS) {
      gapToPs[gap] = fromPs;
    } else {
      for (int i = gapsCount++; i > index + 1; i--) {
        gapFromPs[gap(i)] = gapFromPs[gap(i - 1)];
        gapToPs[gap(i)] = gapToPs[gap(i - 1)];
      }
      gapFromPs[gap(index + 1)] = toPs;
      gapToPs[gap(index + 1)] = gapToPs[gap];
      gapToPs[gap] = fromPs;
    }
  }

  private void addGap(long fromPs, long toPs) {
    if (toPs > simulation.nowPs()) {
      rememberGap(fromPs, toPs);
    }
  }

  private void rememberGap(long fromPs, long toPs) {
    if (gapsCount == GAPS) {
      firstGap = gap(1);
      gapsCount--;
    }
    gapFromPs[gap(gapsCount)] = fromPs;
    gapToPs[gap(gapsCount)] = toPs;
    gapsCount++;
  }

  private void forgetPassedGaps() {
    long nowPs = simulation.nowPs();
    while (gapsCount > 0 && gapToPs[firstGap] <= nowPs) {
      firstGap = gap(1);
      gapsCount--;
    }
  }

  private long restOf(int wireBytes) {
    return durations[2 * wireBytes + 1];
  }

  private int gap(int index) {
    return firstGap + index & GAPS - 1;
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }
}
