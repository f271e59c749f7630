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
 * <p>A bucket is a circular list, first in, first out, that starts and ends in a mark. A set bit
 * says that a bucket may hold events: cancelling leaves the bit to the next search.
 */
final class Rung {
  private static final int BUCKETS_BITS_MAX = 10;
  private static final int BUCKETS_BITS_MIN = 6;
  private static final int WORD_BITS = 6;

  /** Buckets per event: about one bucket in four then holds an event, and few hold two. */
  private static final int SPREAD_BITS = 2;

  /** The rung that this one cuts a bucket of; the outermost rung is its own parent. */
  final Rung parent;

  private final Mark[] marks;
  private final long[] occupied;
  private long occupiedWords;
  private long startPs;
  private long lastPs;
  private int bucketBits;
  private @Nullable Rung child;

  /** Creates the outermost rung: a single bucket for all time. */
  Rung() {
    parent = this;
    marks = marks(1);
    occupied = new long[1];
    lastPs = Long.MAX_VALUE;
    bucketBits = Long.SIZE - 1;
  }

  private Rung(Rung parent) {
    this.parent = parent;
    marks = marks(1 << BUCKETS_BITS_MAX);
    occupied = new long[marks.length >> WORD_BITS];
  }

  /** {@return the last time that this rung takes, in picoseconds} */
  long lastPs() {
    return lastPs;
  }

  /** {@return whether all events of a bucket have the same time} */
  boolean isFinest() {
    return bucketBits == 0;
  }

  /** {@return the mark of a bucket} */
  Mark mark(int bucket) {
    return marks[bucket];
  }

  /** {@return the last time that belongs to a bucket, in picoseconds} */
  long lastPs(int bucket) {
    long bucketLastPs = startPs + ((bucket + 1L) << bucketBits) - 1;
    return bucketLastPs < 0 || bucketLastPs > lastPs ? lastPs : bucketLastPs;
  }

  /** Adds an event at the end of the bucket of its time, which lies within this rung. */
  void append(Event event) {
    int bucket = (int) ((event.timePs - startPs) >>> bucketBits);
    int word = bucket >>> WORD_BITS;
    occupied[word] |= 1L << bucket;
    occupiedWords |= 1L << word;
    Event mark = marks[bucket];
    event.linkBetween(mark.previous, mark);
  }

  /** {@return the first bucket with events, or -1} */
  int firstBucket() {
    while (occupiedWords != 0) {
      int word = Long.numberOfTrailingZeros(occupiedWords);
      int bucket = (word << WORD_BITS) + Long.numberOfTrailingZeros(occupied[word]);
      if (marks[bucket].next != marks[bucket]) {
        return bucket;
      }
      clear(bucket);
    }
    return -1;
  }

  /** Forgets that a bucket holds events. */
  void clear(int bucket) {
    int word = bucket >>> WORD_BITS;
    occupied[word] &= ~(1L << bucket);
    if (occupied[word] == 0) {
      occupiedWords &= ~(1L << word);
    }
  }

  /**
   * Moves the events of a bucket to a rung of their own, whose buckets fit their number and span.
   *
   * @return that rung; it need not reach to the end of the bucket, which then takes later times
   */
  Rung spread(int bucket) {
    long bucketLastPs = lastPs(bucket);
    Mark mark = marks[bucket];
    if (child == null) {
      child = new Rung(this);
    }
    child.fit(mark, bucketLastPs);
    clear(bucket);
    Event event = mark.next;
    mark.forget();
    while (event != mark) {
      Event next = event.next;
      child.append(event);
      event = next;
    }
    return child;
  }

  private void fit(Event mark, long limitPs) {
    long earliestPs = Long.MAX_VALUE;
    long latestPs = 0;
    int count = 0;
    for (Event event = mark.next; event != mark; event = event.next) {
      earliestPs = Math.min(earliestPs, event.timePs);
      latestPs = Math.max(latestPs, event.timePs);
      count++;
    }
    int bucketsBits = Integer.SIZE - Integer.numberOfLeadingZeros(count) + SPREAD_BITS;
    bucketsBits = Math.max(BUCKETS_BITS_MIN, Math.min(BUCKETS_BITS_MAX, bucketsBits));
    int spanBits = Long.SIZE - Long.numberOfLeadingZeros(latestPs - earliestPs);
    bucketBits = Math.max(0, spanBits - bucketsBits);
    startPs = earliestPs;
    lastPs = startPs + (1L << (bucketsBits + bucketBits)) - 1;
    if (lastPs < startPs || lastPs > limitPs) {
      lastPs = limitPs;
    }
  }

  private static Mark[] marks(int count) {
    Mark[] marks = new Mark[count];
    for (int i = 0; i < count; i++) {
      marks[i] = new Mark();
    }
    return marks;
  }

  /** Where a list starts and ends; earlier than any event, so that a search backwards stops. */
  static final class Mark extends Event {
    Mark() {
      timePs = -1;
      forget();
    }

    /** Empties the list; its events stay linked to each other and the last one to the mark. */
    void forget() {
      next = this;
      previous = this;
    }

    @Override
    protected void onEvent(long nowPs) {
      throw new AssertionError("a mark is never scheduled");
    }
  }
}
