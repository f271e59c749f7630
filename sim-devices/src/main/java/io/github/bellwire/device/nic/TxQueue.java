package io.github.bellwire.device.nic;

/**
 * One transmit queue: its ring in host memory and the descriptors on chip.
 *
 * <pre>{@code
 *   reported    done       on chip      in memory      owned by the driver
 * ...........|...........|............|.............|....................
 *         reported    processed    fetched         tail
 * }</pre>
 */
final class TxQueue {
  final int index;
  final TransmitContext[] contexts = {new TransmitContext(), new TransmitContext()};
  boolean isEnabled;
  boolean isFetching;
  int pthresh;
  int hthresh;
  int wthresh;
  boolean writesHeadBack;
  long headWriteBackAddress;
  long base;
  int size;
  int tail;
  int fetched;

  /** What {@link #fetched} will be when the read under way has arrived. */
  int fetchedNext;

  /** Of that read. */
  long fetchTicket;

  int processed;

  /** Done with, that is: data read; a descriptor is processed before its data has arrived. */
  int done;

  int reported;

  /** Whether a descriptor that asks for a report is done and not reported. */
  boolean hasUnreported;

  /** Descriptors processed since the queue was enabled: the sequence numbers of operations. */
  long sequence;

  long[] low = new long[0];
  long[] high = new long[0];

  TxQueue(int index) {
    this.index = index;
  }

  void enable(RegisterFile registers) {
    base = registers.get64(NicRegisters.tdbal(index));
    size = registers.get(NicRegisters.tdlen(index)) / TxDescriptorLayout.SIZE_BYTES;
    long headWriteBack = registers.get64(NicRegisters.tdwbal(index));
    writesHeadBack = (headWriteBack & NicRegisters.TDWBAL_HEAD_WB_ENABLE) != 0;
    headWriteBackAddress = headWriteBack & ~3L;
    if (low.length < size) {
      low = new long[size];
      high = new long[size];
    }
    processed = withinRing(registers.get(NicRegisters.tdh(index)), 0);
    fetched = processed;
    done = processed;
    reported = processed;
    tail = withinRing(registers.get(NicRegisters.tdt(index)), processed);
    hasUnreported = false;
    isFetching = false;
    sequence = 0;
    isEnabled = size > 0;
  }

  void disable() {
    isEnabled = false;
    isFetching = false;
    hasUnreported = false;
  }

  void setThresholds(int txdctl) {
    pthresh = txdctl & NicRegisters.TXDCTL_PTHRESH_MASK;
    hthresh = txdctl >>> NicRegisters.TXDCTL_HTHRESH_SHIFT & 0x7f;
    wthresh = txdctl >>> NicRegisters.TXDCTL_WTHRESH_SHIFT & 0x7f;
  }

  void moveTail(int value) {
    tail = withinRing(value, tail);
  }

  /** {@return descriptors on chip that wait to be processed} */
  int onChipCount() {
    return distance(processed, fetched);
  }

  /** {@return descriptors in memory that the device may read: never at or beyond the tail} */
  int inMemoryCount() {
    return distance(fetched, tail);
  }

  /** {@return descriptors done and not reported} */
  int unreportedCount() {
    return distance(reported, done);
  }

  int next(int descriptor) {
    return descriptor + 1 == size ? 0 : descriptor + 1;
  }

  long address(int descriptor) {
    return DmaGate.address(base, descriptor * TxDescriptorLayout.SIZE_BYTES);
  }

  /**
   * {@return how many descriptors to read now: when none is on chip, or few and enough in memory;
   * one read never wraps}
   *
   * @param onChipMax descriptors that the queue holds on chip
   */
  int fetchCount(int onChipMax) {
    int onChip = onChipCount();
    int inMemory = inMemoryCount();
    boolean isWanted = onChip == 0 || onChip < pthresh && inMemory >= Math.max(1, hthresh);
    if (!isEnabled || isFetching || inMemory == 0 || !isWanted) {
      return 0;
    }
    return Math.min(Math.min(inMemory, onChipMax - onChip), size - fetched);
  }

  private int distance(int from, int to) {
    int difference = to - from;
    return difference < 0 ? difference + size : difference;
  }

  /** An index beyond the ring is a driver's mistake, which must not lead out of the ring. */
  private int withinRing(int value, int otherwise) {
    return value < size ? value : otherwise;
  }
}
