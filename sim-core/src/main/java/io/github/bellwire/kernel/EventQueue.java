package io.github.bellwire.kernel;

import org.jspecify.annotations.Nullable;

/**
 * Pending events in the order (time, order of adding): a ladder queue after W. T. Tang, R. S. M.
 * Goh and I. L.-J. Thng, "Ladder queue: an O(1) priority queue structure for large-scale discrete
 * event simulation", ACM TOMACS 15(3), 2005.
 *
 * <pre>{@code
 * next     e                                earlier than all others, or none
 * front    a <-> b <-> c                    sorted, times up to frontLastPs
 * rung 2   [ ][ ][*][*]...                  cuts one bucket of rung 1 ...
 * rung 1   [ ][ ][ ][*][ ][*][*]...         ... which cuts the times that were pending
 * rung 0   [*             *             ]   all later times, one unsorted bucket
 * }</pre>
 *
 * <p>An event that is added before all others waits alone, outside the lists: what an event
 * schedules is often what happens next, and then neither list nor rung is touched.
 *
 * <p>When the front is empty, the earliest bucket becomes the front; a crowded bucket is first
 * spread over a rung of its own. A front that grows too long hands its later part back to its
 * bucket. With few pending events the front holds them all and the rungs stay unused.
 *
 * <p>All events of one time are always in the same list and every list keeps the order of adding,
 * so equal times need no sequence number. The rungs never start later than the event that happened
 * last: they are cut when the earliest of their events is about to happen, never when somebody only
 * asks for its time.
 *
 * <p>Cancelling takes constant time, adding does beside the search in the short front, and an event
 * moves about twice in its life (at most once per rung: with buckets 64 times narrower in each, ten
 * cover all of time). Allocates only when it needs more rungs than ever before.
 */
final class EventQueue {
  /** Longest front that is searched event by event; measured with 16 to 65536 pending events. */
  private static final int FRONT_MAX = 16;

  /** Longest bucket that is sorted by insertion. */
  private static final int SORTED_BUCKET_MAX = 8;

  private static final long UNKNOWN_PS = 0;

  private final Rung.Mark spareMark = new Rung.Mark();

  /** Earlier than every other event, or null; linked to itself. */
  private @Nullable Event next;

  private Rung.Mark frontMark;
  private int frontCount;
  private long frontLastPs = Long.MAX_VALUE;

  /** The finest rung in use. */
  private Rung rung = new Rung();

  /** No event behind the front is earlier, and one has this time unless it is unknown. */
  private long rungsFirstPs;

  EventQueue() {
    frontMark = spareMark;
  }

  void add(Event event, long atPs) {
    event.timePs = atPs;
    if (atPs > frontLastPs) {
      appendToRungs(event);
      if (atPs < rungsFirstPs) {
        rungsFirstPs = atPs;
      }
    } else if (next == null && isBeforeFront(atPs)) {
      makeNext(event);
    } else {
      addToFront(event, atPs);
    }
  }

  void remove(Event event) {
    if (event == next) {
      takeNext(event);
      return;
    }
    event.unlink();
    if (event.timePs <= frontLastPs) {
      frontCount--;
    } else if (event.timePs == rungsFirstPs) {
      rungsFirstPs = UNKNOWN_PS;
    }
  }

  /** Takes out the first event unless it is later than a time. */
  @Nullable Event pollUntil(long lastPs) {
    Event earliest = next;
    if (earliest != null) {
      if (earliest.timePs > lastPs) {
        return null;
      }
      takeNext(earliest);
      return earliest;
    }
    Event first = frontMark.next;
    if (first == frontMark) {
      if (!fillFront(lastPs)) {
        return null;
      }
      first = frontMark.next;
    }
    if (first.timePs > lastPs) {
      return null;
    }
    Event second = first.next;
    frontMark.next = second;
    second.previous = frontMark;
    first.next = null;
    frontCount--;
    return first;
  }

  /** Returns the time of the first event, or {@link Simulation#NEVER_PS}; moves no event. */
  long firstPs() {
    if (next != null) {
      return next.timePs;
    }
    Event first = frontMark.next;
    if (first != frontMark) {
      return first.timePs;
    }
    int bucket = firstBucket();
    return bucket < 0 ? Simulation.NEVER_PS : earliestPs(rung.mark(bucket));
  }

  private boolean isBeforeFront(long atPs) {
    Event first = frontMark.next;
    return atPs < first.timePs || first == frontMark;
  }

  private void makeNext(Event event) {
    event.next = event;
    next = event;
  }

  private void takeNext(Event event) {
    event.next = null;
    next = null;
  }

  private void addToFront(Event event, long atPs) {
    Event later = next;
    if (later != null && atPs < later.timePs) {
      makeNext(event);
      later.linkBetween(frontMark, frontMark.next);
    } else {
      insertIntoFront(event, atPs);
    }
    if (++frontCount > FRONT_MAX) {
      shortenFront();
    }
  }

  private void appendToRungs(Event event) {
    Rung target = rung;
    while (event.timePs > target.lastPs()) {
      target = target.parent;
    }
    target.append(event);
  }

  private void insertIntoFront(Event event, long atPs) {
    // From both ends at once: device events belong near the head, timers near the tail.
    Event head = frontMark.next;
    Event tail = frontMark.previous;
    while (tail.timePs > atPs) {
      if (head.timePs > atPs) {
        event.linkBetween(head.previous, head);
        return;
      }
      head = head.next;
      tail = tail.previous;
    }
    event.linkBetween(tail, tail.next);
  }

  /** Hands the later half of the front back to the rungs, unless all of it has one time. */
  private void shortenFront() {
    Rung.Mark mark = frontMark;
    Event first = mark.next;
    Event last = mark.previous;
    if (last.timePs == first.timePs) {
      return;
    }
    Event middle = first;
    for (int i = 0; i < FRONT_MAX / 2; i++) {
      middle = middle.next;
    }
    frontLastPs = Math.max(first.timePs, middle.timePs - 1);
    rungsFirstPs = UNKNOWN_PS;
    Event kept = last;
    while (kept.timePs > frontLastPs) {
      kept = kept.previous;
    }
    Event event = kept.next;
    // The front leaves the bucket that it came from, for that is where its later half goes.
    mark.forget();
    frontMark = spareMark;
    frontMark.next = first;
    first.previous = frontMark;
    kept.next = frontMark;
    frontMark.previous = kept;
    while (event != mark) {
      Event next = event.next;
      appendToRungs(event);
      frontCount--;
      event = next;
    }
  }

  /** Makes the earliest bucket the front, unless nothing in it happens up to a time. */
  private boolean fillFront(long lastPs) {
    while (true) {
      int bucket = firstBucket();
      if (bucket < 0) {
        frontLastPs = Long.MAX_VALUE;
        return false;
      }
      Rung.Mark mark = rung.mark(bucket);
      long bucketLastPs = rung.lastPs(bucket);
      if (bucketLastPs > lastPs && earliestPs(mark) > lastPs) {
        return false;
      }
      rungsFirstPs = UNKNOWN_PS;
      int count = sort(mark, rung.isFinest() ? Integer.MAX_VALUE : SORTED_BUCKET_MAX);
      if (count > 0) {
        rung.clear(bucket);
        frontMark = mark;
        frontCount = count;
        frontLastPs = bucketLastPs;
        return true;
      }
      rung = rung.spread(bucket);
    }
  }

  /** Returns the first bucket of the finest rung that has one, which becomes the current rung. */
  private int firstBucket() {
    int bucket = rung.firstBucket();
    while (bucket < 0 && rung != rung.parent) {
      rung = rung.parent;
      bucket = rung.firstBucket();
    }
    return bucket;
  }

  private long earliestPs(Event mark) {
    if (rungsFirstPs == UNKNOWN_PS) {
      long earliestPs = Long.MAX_VALUE;
      for (Event event = mark.next; event != mark; event = event.next) {
        earliestPs = Math.min(earliestPs, event.timePs);
      }
      rungsFirstPs = earliestPs;
    }
    return rungsFirstPs;
  }

  /** Sorts a list and returns its length, or gives up and returns 0 if it is longer than that. */
  private static int sort(Event mark, int countMax) {
    int count = 1;
    Event event = mark.next;
    long latestPs = event.timePs;
    event = event.next;
    while (event != mark) {
      if (++count > countMax) {
        return 0;
      }
      Event next = event.next;
      if (event.timePs < latestPs) {
        moveBack(event);
      } else {
        latestPs = event.timePs;
      }
      event = next;
    }
    return count;
  }

  private static void moveBack(Event event) {
    Event before = event.previous;
    event.unlink();
    do {
      before = before.previous;
    } while (before.timePs > event.timePs);
    event.linkBetween(before, before.next);
  }
}
