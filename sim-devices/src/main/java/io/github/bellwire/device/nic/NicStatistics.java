package io.github.bellwire.device.nic;

import java.util.Arrays;

/**
 * The statistics registers of one port, and totals for the simulator's own reports that nothing
 * clears.
 *
 * <pre>{@code
 * MAC:    onFrameAccepted -> TPR TOR PRCn GPRC GORC BPRC MPRC  | onFrameSent -> TPT PTCn GPTC ...
 * queue:  delivered        -> QPRC QBRC                        |             -> QPTC QBTC
 *         onNoDescriptorDrop -> QPRDC    onMissed -> MPC
 * }</pre>
 *
 * <p>A 32-bit counter clears when read; of a 64-bit pair the low half reads without effect and the
 * high half clears both (82599 data sheet, statistic registers). The sixteen per-queue counters
 * serve the queues that RQSMR and TQSM map to them; after reset all queues count in set 0. Sizes
 * include the FCS and the padding. Counters that nothing in the model can raise read 0, and where
 * silicon lets a counter stick at its maximum, after 2^32 frames, this one wraps.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
final class NicStatistics {
  private static final int WORDS = NicRegisters.WINDOW_BYTES / 4;

  // What an offset holds: a counter's index and how to read it.
  private static final int SINGLE = 1 << 8;
  private static final int LOW_HALF = 2 << 8;
  private static final int HIGH_HALF = 3 << 8;
  private static final int RX_MAP = 4 << 8;
  private static final int TX_MAP = 5 << 8;
  private static final int KIND_MASK = 7 << 8;
  private static final int INDEX_MASK = 0xFF;

  private static final int SIZE_BINS = 6;
  private static final int SETS = NicRegisters.QUEUE_STATISTICS;

  private static final int NEVER = 0; // that nothing in the model raises
  private static final int GPRC = 1;
  private static final int BPRC = 2;
  private static final int MPRC = 3;
  private static final int GPTC = 4;
  private static final int GORC = 5;
  private static final int GOTC = 6;
  private static final int RUC = 7;
  private static final int ROC = 8;
  private static final int TOR = 9;
  private static final int TPR = 10;
  private static final int TPT = 11;
  private static final int MPTC = 12;
  private static final int BPTC = 13;
  private static final int PRC = 14;
  private static final int PTC = PRC + SIZE_BINS;
  private static final int MPC = PTC + SIZE_BINS;
  private static final int RNBC = MPC + 8;
  private static final int QPRC = RNBC + 8;
  private static final int QBRC = QPRC + SETS;
  private static final int QPRDC = QBRC + SETS;
  private static final int QPTC = QPRDC + SETS;
  private static final int QBTC = QPTC + SETS;
  private static final int COUNTERS = QBTC + SETS;

  private static final short[] KIND_AND_INDEX = new short[WORDS];

  static {
    single(NicRegisters.CRCERRS, NEVER);
    single(NicRegisters.RLEC, NEVER);
    single(NicRegisters.LXONTXC, NEVER);
    single(NicRegisters.LXOFFTXC, NEVER);
    single(NicRegisters.LXONRXCNT, NEVER);
    single(NicRegisters.LXOFFRXCNT, NEVER);
    single(NicRegisters.GPRC, GPRC);
    single(NicRegisters.BPRC, BPRC);
    single(NicRegisters.MPRC, MPRC);
    single(NicRegisters.GPTC, GPTC);
    pair(NicRegisters.GORCL, GORC);
    pair(NicRegisters.GOTCL, GOTC);
    single(NicRegisters.RUC, RUC);
    single(NicRegisters.RFC, NEVER);
    single(NicRegisters.ROC, ROC);
    single(NicRegisters.RJC, NEVER);
    pair(NicRegisters.TORL, TOR);
    single(NicRegisters.TPR, TPR);
    single(NicRegisters.TPT, TPT);
    single(NicRegisters.MPTC, MPTC);
    single(NicRegisters.BPTC, BPTC);
    for (int bin = 0; bin < SIZE_BINS; bin++) {
      single(NicRegisters.PRC64 + 4 * bin, PRC + bin);
      single(NicRegisters.PTC64 + 4 * bin, PTC + bin);
    }
    for (int buffer = 0; buffer < 8; buffer++) {
      single(NicRegisters.mpc(buffer), MPC + buffer);
      single(NicRegisters.rnbc(buffer), RNBC + buffer);
    }
    for (int set = 0; set < SETS; set++) {
      single(NicRegisters.qprc(set), QPRC + set);
      pair(NicRegisters.qbrcl(set), QBRC + set);
      single(NicRegisters.qprdc(set), QPRDC + set);
      single(NicRegisters.qptc(set), QPTC + set);
      single(0x08680 + 4 * set, QPTC + set); // The second address of QPTC.
      pair(NicRegisters.qbtcl(set), QBTC + set);
    }
    for (int i = 0; i < NicRegisters.QUEUES / 4; i++) {
      define(NicRegisters.rqsmr(i), RX_MAP | i);
      define(NicRegisters.tqsm(i), TX_MAP | i);
    }
  }

  private final long[] counters = new long[COUNTERS];
  private final byte[] rxSets = new byte[NicRegisters.QUEUES];
  private final byte[] txSets = new byte[NicRegisters.QUEUES];

  private final FrameTotals[] delivered = new FrameTotals[NicRegisters.QUEUES];
  private long acceptedFramesTotal;
  private long acceptedBytesTotal;

  // What the registers know of these totals, which are all that a received frame counts in.
  private final long[] deliveredFramesSettled = new long[NicRegisters.QUEUES];
  private final long[] deliveredBytesSettled = new long[NicRegisters.QUEUES];
  private long acceptedFramesSettled;
  private long acceptedBytesSettled;

  private long sentFramesTotal;
  private long missedFramesTotal;
  private long noDescriptorDropsTotal;
  private long badFramesTotal;
  private long filteredFramesTotal;

  /** Creates counters at zero. */
  NicStatistics() {
    Arrays.setAll(delivered, queue -> new FrameTotals());
  }

  /** Clears all registers, the queue mappings too; the totals stay. */
  void reset() {
    settle();
    Arrays.fill(counters, 0);
    Arrays.fill(rxSets, (byte) 0);
    Arrays.fill(txSets, (byte) 0);
  }

  /**
   * {@return whether an offset is a register of this unit}
   *
   * @param offset byte offset into BAR0
   */
  boolean handles(int offset) {
    return offset >>> 2 < WORDS && KIND_AND_INDEX[offset >>> 2] != 0;
  }

  /**
   * Reads a register, which may clear it.
   *
   * @param offset an offset for which {@link #handles} holds
   * @return the 32 bits
   */
  int read(int offset) {
    settle();
    int entry = KIND_AND_INDEX[offset >>> 2];
    int index = entry & INDEX_MASK;
    switch (entry & KIND_MASK) {
      case SINGLE:
        int value = (int) counters[index];
        counters[index] = 0;
        return value;
      case LOW_HALF:
        return (int) counters[index];
      case HIGH_HALF:
        int high = (int) (counters[index] >>> 32);
        counters[index] = 0;
        return high;
      case RX_MAP:
        return packSets(rxSets, 4 * index);
      case TX_MAP:
        return packSets(txSets, 4 * index);
      default:
        return 0;
    }
  }

  /**
   * Writes a register: the queue mappings; counters ignore it.
   *
   * @param offset an offset for which {@link #handles} holds
   * @param value the bits
   */
  void write(int offset, int value) {
    settle(); // A new mapping does not count what has been.
    int entry = KIND_AND_INDEX[offset >>> 2];
    int index = entry & INDEX_MASK;
    if ((entry & KIND_MASK) == RX_MAP) {
      unpackSets(value, rxSets, 4 * index);
    } else if ((entry & KIND_MASK) == TX_MAP) {
      unpackSets(value, txSets, 4 * index);
    }
  }

  /**
   * A good frame has passed the filters and entered the packet buffer; it counts as received from
   * here, whatever becomes of it.
   *
   * @param frameBytes frame size, FCS included, at least 64
   */
  void onFrameAccepted(int frameBytes) {
    count(PRC + sizeBin(frameBytes));
    acceptedFramesTotal++;
    acceptedBytesTotal += frameBytes;
  }

  /**
   * The accepted frame was sent to many.
   *
   * @param isBroadcast to the broadcast address, not to another group
   */
  void onGroupFrameAccepted(boolean isBroadcast) {
    count(isBroadcast ? BPRC : MPRC);
  }

  /**
   * {@return what has been written to the buffers of a queue, for the queue to count}
   *
   * @param queue receive queue, 0..127
   */
  FrameTotals delivered(int queue) {
    return delivered[queue];
  }

  /**
   * A frame has left on the wire.
   *
   * @param frameBytes frame size, padding and FCS included, at least 64
   * @param isBroadcast sent to the broadcast address
   * @param isMulticast sent to another group address
   * @param queue transmit queue, 0..127
   */
  void onFrameSent(int frameBytes, boolean isBroadcast, boolean isMulticast, int queue) {
    count(TPT);
    count(PTC + sizeBin(frameBytes));
    count(GPTC);
    counters[GOTC] += frameBytes;
    if (isBroadcast) {
      count(BPTC);
    } else if (isMulticast) {
      count(MPTC);
    }
    int set = txSets[queue];
    count(QPTC + set);
    counters[QBTC + set] += frameBytes;
    sentFramesTotal++;
  }

  /**
   * A frame found its packet buffer full.
   *
   * @param packetBufferIndex 0..7
   */
  void onMissed(int packetBufferIndex) {
    count(TPR);
    count(MPC + packetBufferIndex);
    missedFramesTotal++;
  }

  /**
   * An accepted frame was dropped because its queue had no descriptor and DROP_EN was set.
   *
   * @param queue receive queue, 0..127
   */
  void onNoDescriptorDrop(int queue) {
    count(QPRDC + rxSets[queue]);
    noDescriptorDropsTotal++;
  }

  /**
   * An accepted frame has to wait in its packet buffer because its queue has no descriptor.
   *
   * @param packetBufferIndex 0..7
   */
  void onNoBuffer(int packetBufferIndex) {
    count(RNBC + packetBufferIndex);
  }

  /** A frame was dropped because it passed no filter. */
  void onFiltered() {
    count(TPR);
    filteredFramesTotal++;
  }

  /** A frame passed while the receiver was off or had no link: no register knows of it. */
  void onUnheard() {
    filteredFramesTotal++;
  }

  /** A frame was longer than allowed, its CRC right. */
  void onOversize() {
    countBad(ROC);
  }

  /** A frame was shorter than 64 B, its CRC right. */
  void onUndersize() {
    countBad(RUC);
  }

  /** {@return frames written to host memory} */
  long deliveredFramesTotal() {
    long sum = 0;
    for (FrameTotals totals : delivered) {
      sum += totals.frames();
    }
    return sum;
  }

  /** {@return frames sent by queues; pause frames are not among them} */
  long sentFramesTotal() {
    return sentFramesTotal;
  }

  /** {@return frames that found the packet buffer full} */
  long missedFramesTotal() {
    return missedFramesTotal;
  }

  /** {@return frames dropped for want of a descriptor} */
  long noDescriptorDropsTotal() {
    return noDescriptorDropsTotal;
  }

  /** {@return frames dropped for a wrong length or CRC} */
  long badFramesTotal() {
    return badFramesTotal;
  }

  /** {@return frames dropped because they passed no filter or nobody listened} */
  long filteredFramesTotal() {
    return filteredFramesTotal;
  }

  /** Bins end at 64, 127, 255, 511 and 1023 B; the last is open. */
  private static int sizeBin(int frameBytes) {
    // 65..127 have 7 significant bits and are bin 1; 64 itself has 7 too and is bin 0.
    int bin = frameBytes <= 64 ? 0 : 26 - Integer.numberOfLeadingZeros(frameBytes);
    return Math.min(bin, SIZE_BINS - 1);
  }

  /** Brings the registers up to date that follow from totals. */
  private void settle() {
    long frames = acceptedFramesTotal - acceptedFramesSettled;
    long bytes = acceptedBytesTotal - acceptedBytesSettled;
    acceptedFramesSettled = acceptedFramesTotal;
    acceptedBytesSettled = acceptedBytesTotal;
    counters[TPR] += frames;
    counters[GPRC] += frames;
    counters[TOR] += bytes;
    counters[GORC] += bytes;
    for (int queue = 0; queue < NicRegisters.QUEUES; queue++) {
      int set = rxSets[queue];
      long queueFrames = delivered[queue].frames();
      long queueBytes = delivered[queue].bytes();
      counters[QPRC + set] += queueFrames - deliveredFramesSettled[queue];
      counters[QBRC + set] += queueBytes - deliveredBytesSettled[queue];
      deliveredFramesSettled[queue] = queueFrames;
      deliveredBytesSettled[queue] = queueBytes;
    }
  }

  private void countBad(int index) {
    count(TPR);
    count(index);
    badFramesTotal++;
  }

  private void count(int index) {
    counters[index]++;
  }

  private static int packSets(byte[] sets, int first) {
    return sets[first] | sets[first + 1] << 8 | sets[first + 2] << 16 | sets[first + 3] << 24;
  }

  private static void unpackSets(int value, byte[] sets, int first) {
    for (int i = 0; i < 4; i++) {
      sets[first + i] = (byte) (value >>> 8 * i & SETS - 1);
    }
  }

  private static void single(int offset, int index) {
    define(offset, SINGLE | index);
  }

  private static void pair(int lowOffset, int index) {
    define(lowOffset, LOW_HALF | index);
    define(lowOffset + 4, HIGH_HALF | index);
  }

  private static void define(int offset, int entry) {
    KIND_AND_INDEX[offset >>> 2] = (short) entry;
  }
}
