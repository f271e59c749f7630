package io.github.bellwire.kernel;

import org.jspecify.annotations.Nullable;

/**
 * A span of time cut into equal buckets; one bucket of it is what the next rung cuts further.
 *
 * <pre>{@code
 * startPs                                      lastPs
 *    | 2^bucketBits ps |                 |   ...  |
 *    [   bucket 0      ][   bucket 1     ][  ...  ]
 * }</pre>
 *
 * <p>A bucket is a list of slots, the one that was added last first. A set bit says that a bucket
 * holds events.
 */
final class Rung {
  /** No bucket. */
  static final int NONE = -1;

  private static final int WORD_BITS = 6;
  private static final int BUCKETS_BITS_MIN = WORD_BITS;
  private static final int BUCKETS_BITS_MAX = 14;

  /**
   * Buckets per event, so that two events rarely share one: 8 to 16. Four times as many in the rung
   * that cuts all later times, for random delays crowd at its start. Measured with 16 to 4096
   * pending events.
   */
  private static final int SPREAD_BITS = 3;

  private static final int OUTER_SPREAD_BITS = SPREAD_BITS + 2;

  /** Events per bucket, 16 to 32, of a rung that would be too long for the nearest cache. */
  private static final int CROWD_BITS = 5;

  /** The rung that this one cuts a bucket of; the outermost rung is its own parent. */
  final Rung parent;

  private final EventSlots slots;
  private int[] heads;
  private long[] occupied;

  /** No bucket of an earlier word holds events; moves on only when an event is about to happen. */
  private int firstWord;

  private int wordsCount;
  private long startPs;
  private long lastPs;
  private int bucketBits;
  private @Nullable Rung child;

  /** Creates the outermost rung: a single bucket for all time. */
  Rung(EventSlots slots) {
    parent = this;
    this.slots = slots;
    heads = new int[1];
    occupied = new long[1];
    wordsCount = 1;
    lastPs = Long.MAX_VALUE;
    bucketBits = Long.SIZE - 1;
  }

  private Rung(Rung parent) {
    this.parent = parent;
    slots = parent.slots;
    heads = new int[0];
    occupied = new long[0];
  }

  /** {@return the last time that this rung takes, in picoseconds} */
  long lastPs() {
    return lastPs;
  }

  /** {@return whether all events of a bucket have the same time} */
  boolean isFinest() {
    return bucketBits == 0;
  }

  /** {@return the slot that was added to a bucket last} */
  int head(int bucket) {
    return heads[bucket];
  }

  /** {@return the last time that belongs to a bucket, in picoseconds} */
  long lastPs(int bucket) {
    long bucketLastPs = startPs + ((bucket + 1L) << bucketBits) - 1;
    return bucketLastPs < 0 || bucketLastPs > lastPs ? lastPs : bucketLastPs;
  }

  /** Adds a slot to the bucket of its time, which lies within this rung. */
  void add(int slot, long atPs) {
    int bucket = bucket(atPs);
    int word = bucket >>> WORD_BITS;
    occupied[word] |= 1L << bucket;
    int head = heads[bucket];
    slots.next[slot] = head;
    slots.previous[head] = slot;
    heads[bucket] = slot;
  }

  /** Takes a slot out of the bucket of its time. */
  void remove(int slot, long atPs) {
    int bucket = bucket(atPs);
    int after = slots.next[slot];
    if (heads[bucket] != slot) {
      int before = slots.previous[slot];
      slots.next[before] = after;
      slots.previous[after] = before;
    } else if (after != EventSlots.NONE) {
      heads[bucket] = after;
    } else {
      clear(bucket);
    }
  }

  /** {@return the first bucket with events, or {@link #NONE}} */
  int firstBucket() {
    for (int word = firstWord; word < wordsCount; word++) {
      long bits = occupied[word];
      if (bits != 0) {
        return (word << WORD_BITS) + Long.numberOfTrailingZeros(bits);
      }
    }
    return NONE;
  }

  /** Takes all events out of the first bucket, one of which is about to happen. */
  void takeFirst(int bucket) {
    firstWord = bucket >>> WORD_BITS;
    clear(bucket);
  }

  private void clear(int bucket) {
    heads[bucket] = EventSlots.NONE;
    occupied[bucket >>> WORD_BITS] &= ~(1L << bucket);
  }

  /** Leaves one event in a bucket of two. */
  void keepOnly(int slot, int bucket) {
    heads[bucket] = slot;
    slots.next[slot] = EventSlots.NONE;
  }

  /**
   * Moves the events of a bucket to a rung of their own, whose buckets fit their number and span.
   *
   * @return that rung; it need not reach to the end of the bucket, which then takes later times
   */
  Rung spread(int bucket) {
    if (child == null) {
      child = new Rung(this);
    }
    Rung finer = child;
    int slot = finer.fit(heads[bucket], lastPs(bucket));
    takeFirst(bucket);
    while (slot != EventSlots.NONE) {
      int next = slots.next[slot];
      finer.add(slot, slots.timesPs[slot]);
      slot = next;
    }
    return finer;
  }

  /** Fits this rung to a list and returns the list's last slot, where it now starts: reversed. */
  private int fit(int head, long limitPs) {
    long earliestPs = Long.MAX_VALUE;
    long latestPs = 0;
    int count = 0;
    int last = EventSlots.NONE;
    int slot = head;
    while (slot != EventSlots.NONE) {
      earliestPs = Math.min(earliestPs, slots.timesPs[slot]);
      latestPs = Math.max(latestPs, slots.timesPs[slot]);
      count++;
      int next = slots.next[slot];
      slots.next[slot] = last;
      last = slot;
      slot = next;
    }
    int bucketsBits = bucketsBits(count);
    int spanBits = Long.SIZE - Long.numberOfLeadingZeros(latestPs - earliestPs);
    bucketBits = Math.max(0, spanBits - bucketsBits);
    startPs = earliestPs;
    lastPs = startPs + (1L << (bucketsBits + bucketBits)) - 1;
    if (lastPs < startPs || lastPs > limitPs) {
      lastPs = limitPs;
    }
    firstWord = 0;
    wordsCount = 1 << bucketsBits - WORD_BITS;
    if (occupied.length < wordsCount) {
      occupied = new long[wordsCount];
      heads = new int[wordsCount << WORD_BITS];
    }
    return last;
  }

  private int bucketsBits(int count) {
    int countBits = Integer.SIZE - Integer.numberOfLeadingZeros(count);
    boolean isOuter = parent == parent.parent;
    int bucketsBits = countBits + (isOuter ? OUTER_SPREAD_BITS : SPREAD_BITS);
    if (bucketsBits > BUCKETS_BITS_MAX) {
      bucketsBits = countBits - CROWD_BITS;
    }
    return Math.max(BUCKETS_BITS_MIN, Math.min(BUCKETS_BITS_MAX, bucketsBits));
  }

  private int bucket(long atPs) {
    return (int) (atPs - startPs >>> bucketBits);
  }
}
