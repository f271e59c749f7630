package io.github.bellwire.iommu.queue;

import io.github.bellwire.host.RemappingPorts;

/**
 * A ring of records in memory by which a unit tells software what has happened: written at the
 * tail, announced when the bytes are there. What finds no room is lost and counted.
 */
public abstract class RecordRing {
  private final RemappingPorts ports;
  private final int recordBytes;
  private final byte[] bytes;
  private final TimedEffects arrivals;
  private final TimedEffects announcements;

  private boolean isEnabled;
  private long basePa;
  private int slotsMask;
  private int positionsMask;
  private int head;
  private int tail;
  private int visibleTail;

  private long arrivedTotal;
  private long recordedTotal;
  private long droppedTotal;

  /**
   * Creates a ring that is off.
   *
   * @param ports the machine
   * @param recordBytes a multiple of 8
   */
  protected RecordRing(RemappingPorts ports, int recordBytes) {
    this.ports = ports;
    this.recordBytes = recordBytes;
    bytes = new byte[recordBytes];
    arrivals =
        new TimedEffects(ports.simulation()) {
          @Override
          protected void apply(long first, long second, long atPs) {
            enter(first, second, atPs);
          }
        };
    announcements =
        new TimedEffects(ports.simulation()) {
          @Override
          protected void apply(long first, long second, long atPs) {
            visibleTail = (int) first;
            onRecorded(atPs);
          }
        };
  }

  /**
   * {@return a word of a record}
   *
   * @param index of the word
   * @param first as it was added
   * @param second as it was added
   */
  protected abstract long word(int index, long first, long second);

  /** {@return whether the ring is full} */
  protected abstract boolean isFull();

  /**
   * A record has been lost since there is no room.
   *
   * @param atPs when, in picoseconds
   */
  protected abstract void onOverflow(long atPs);

  /**
   * Software can see a record.
   *
   * @param atPs when, in picoseconds
   */
  protected abstract void onRecorded(long atPs);

  /**
   * A record will arrive.
   *
   * @param atPs when, in picoseconds
   * @param first what {@link #word} makes words of
   * @param second more of it
   */
  protected final void add(long atPs, long first, long second) {
    arrivedTotal++;
    arrivals.add(atPs, first, second);
  }

  private void enter(long first, long second, long atPs) {
    if (!isEnabled) {
      droppedTotal++;
      return;
    }
    long pa = basePa + (long) (tail & slotsMask) * recordBytes;
    if (isFull() || !ports.commits().memory().contains(pa, recordBytes)) {
      droppedTotal++;
      onOverflow(atPs);
      return;
    }
    for (int i = 0; i < recordBytes; i++) {
      bytes[i] = (byte) (word(i / Long.BYTES, first, second) >>> i % Long.BYTES * Byte.SIZE);
    }
    long visiblePs = ports.caches().write(pa, recordBytes, false, atPs);
    ports.commits().add(pa, bytes, 0, recordBytes, visiblePs);
    recordedTotal++;
    tail = tail + 1 & positionsMask;
    announcements.add(visiblePs, tail, 0);
  }

  /**
   * Sets where the ring is.
   *
   * @param newBasePa first byte
   * @param slotsCount entries, a power of two
   * @param positionsCount of head and tail, a power of two, at least as many
   */
  public final void setUp(long newBasePa, int slotsCount, int positionsCount) {
    basePa = newBasePa;
    slotsMask = slotsCount - 1;
    positionsMask = positionsCount - 1;
  }

  /**
   * Switches it on or off.
   *
   * @param newIsEnabled false to begin with
   */
  public final void setEnabled(boolean newIsEnabled) {
    isEnabled = newIsEnabled;
  }

  /** {@return whether it takes records} */
  public final boolean isEnabled() {
    return isEnabled;
  }

  /**
   * Lets happen what is due.
   *
   * @param atPs when somebody looks, in picoseconds
   */
  public final void settle(long atPs) {
    arrivals.settle(atPs);
    announcements.settle(atPs);
  }

  /** {@return where software reads next} */
  public final int head() {
    return head;
  }

  /**
   * Software has read records.
   *
   * @param position of the next one
   */
  public final void setHead(int position) {
    head = position & positionsMask;
  }

  /** {@return where the unit writes next, as software sees it} */
  public final int tail() {
    return visibleTail;
  }

  /**
   * Sets where the unit writes next; software does so while the ring is off.
   *
   * @param position any
   */
  public final void setTail(int position) {
    tail = position & positionsMask;
    visibleTail = tail;
  }

  /** {@return the records from the head on, those that are not visible yet included} */
  protected final int usedCount() {
    return tail - head & positionsMask;
  }

  /** {@return how many records there is room for} */
  protected final int slotsCount() {
    return slotsMask + 1;
  }

  /** {@return records that were to be written} */
  public final long arrivedTotal() {
    return arrivedTotal;
  }

  /** {@return records that have been written} */
  public final long recordedTotal() {
    return recordedTotal;
  }

  /** {@return records that are lost} */
  public final long droppedTotal() {
    return droppedTotal;
  }
}
