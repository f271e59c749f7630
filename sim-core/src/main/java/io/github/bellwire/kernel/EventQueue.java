package io.github.bellwire.kernel;

import org.jspecify.annotations.Nullable;

/**
 * Pending events in the order (time, order of adding): a ladder queue after W. T. Tang, R. S. M.
 * Goh and I. L.-J. Thng, "Ladder queue: an O(1) priority queue structure for large-scale discrete
 * event simulation", ACM TOMACS 15(3), 2005.
 *
 * <pre>{@code
 * next     e                                earlier than the front, or none
 * front    a, b, c                          sorted, times up to frontLastPs
 * rung 2   [ ][ ][*][*]...                  cuts one bucket of rung 1 ...
 * rung 1   [ ][ ][ ][*][ ][*][*]...         ... which cuts the times that were pending
 * rung 0   [*             *             ]   all later times, one unsorted bucket
 * }</pre>
 *
 * <p>An event that is added before the front waits alone: what an event schedules is often what
 * happens next, and then neither list nor rung is touched.
 *
 * <p>When the front is empty, events are taken from the earliest bucket of the finest rung as long
 * as it holds one or two, as most do. More of them are sorted and become the front; a crowd is
 * first spread over a rung of its own. A front that grows too long hands its later part back to the
 * rungs. With few pending events the front holds them all and the rungs stay unused.
 *
 * <p>Events of one time are never divided between the front and the rungs, nor between buckets, and
 * all of these keep the order of adding, so equal times need no sequence number. The rungs never
 * start later than the event that happened last: they are cut when the earliest of their events is
 * about to happen, never when somebody only asks for its time.
 *
 * <p>Adding and cancelling take constant time beside the search in the short front, and an event
 * moves about twice in its life (at most once per rung: with 64 buckets in each, ten cover all of
 * time). Allocates only when it needs more slots or longer rungs than ever before.
 */
final class EventQueue {
  /** What an event has instead of a slot while it is the next one. */
  private static final int NEXT = -1;

  /** Longest front that is searched event by event; measured with 16 to 4096 pending events. */
  private static final int FRONT_MAX = 24;

  /** Largest bucket that is sorted by insertion. */
  private static final int SORTED_BUCKET_MAX = 16;

  private static final long UNKNOWN_PS = 0;

  private final EventSlots slots = new EventSlots();

  /** Earlier than the front, or null. */
  private @Nullable Event next;

  private final Front front = new Front();
  private long frontLastPs = Long.MAX_VALUE;

  /** The finest rung in use. */
  private Rung rung = new Rung(slots);

  /** No event behind the front is earlier, and one has this time unless it is unknown. */
  private long rungsFirstPs;

  void add(Event event, long atPs) {
    event.timePs = atPs;
    if (atPs > frontLastPs) {
      addToRungs(slots.enter(event), atPs);
      if (atPs < rungsFirstPs) {
        rungsFirstPs = atPs;
      }
    } else {
      addToFront(event, atPs);
    }
  }

  void remove(Event event) {
    if (event == next) {
      takeNext(event);
      return;
    }
    int slot = event.slot;
    long atPs = event.timePs;
    slots.leave(slot);
    if (atPs <= frontLastPs) {
      front.remove(slot);
    } else {
      rungOf(atPs).remove(slot, atPs);
      if (atPs == rungsFirstPs) {
        rungsFirstPs = UNKNOWN_PS;
      }
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
    int slot = front.isEmpty() ? pollRungs(lastPs) : pollFront(lastPs);
    return slot == EventSlots.NONE ? null : slots.leave(slot);
  }

  /** Returns the time of the first event, or {@link Simulation#NEVER_PS}; moves no event. */
  long firstPs() {
    if (next != null) {
      return next.timePs;
    }
    if (!front.isEmpty()) {
      return front.firstPs();
    }
    int bucket = firstBucket();
    return bucket == Rung.NONE ? Simulation.NEVER_PS : earliestPs(bucket);
  }

  private void takeNext(Event event) {
    event.slot = EventSlots.NONE;
    next = null;
  }

  private void makeNext(Event event) {
    event.slot = NEXT;
    next = event;
  }

  private void addToFront(Event event, long atPs) {
    Event former = next;
    if (former == null ? isBeforeFront(atPs) : atPs < former.timePs) {
      makeNext(event);
      if (former == null) {
        return;
      }
      front.addOlder(slots.enter(former), former.timePs);
    } else {
      front.add(slots.enter(event), atPs);
    }
    if (front.count() > FRONT_MAX) {
      shortenFront();
    }
  }

  private boolean isBeforeFront(long atPs) {
    return front.isEmpty() || atPs < front.firstPs();
  }

  private void addToRungs(int slot, long atPs) {
    slots.timesPs[slot] = atPs;
    rungOf(atPs).add(slot, atPs);
  }

  private Rung rungOf(long atPs) {
    Rung target = rung;
    while (atPs > target.lastPs()) {
      target = target.parent;
    }
    return target;
  }

  /** Hands the later half of the front back to the rungs, unless all of it has one time. */
  private void shortenFront() {
    long firstPs = front.firstPs();
    if (front.timePs(0) == firstPs) {
      return;
    }
    frontLastPs = Math.max(firstPs, front.timePs(front.count() / 2) - 1);
    rungsFirstPs = UNKNOWN_PS;
    int later = 0;
    while (front.timePs(later) > frontLastPs) {
      later++;
    }
    for (int i = later - 1; i >= 0; i--) {
      addToRungs(front.slot(i), front.timePs(i));
    }
    front.remove(0, later);
  }

  private int pollFront(long lastPs) {
    return front.firstPs() > lastPs ? EventSlots.NONE : front.take();
  }

  /** Takes from the earliest bucket without sorting it, unless it is crowded. */
  private int pollRungs(long lastPs) {
    int bucket = rung.firstBucket();
    if (bucket == Rung.NONE) {
      return pollCrowd(lastPs);
    }
    int newer = rung.head(bucket);
    int older = slots.next[newer];
    if (older == EventSlots.NONE) {
      if (slots.timesPs[newer] > lastPs) {
        return EventSlots.NONE;
      }
      rung.takeFirst(bucket);
      rungsFirstPs = UNKNOWN_PS;
      return newer;
    }
    if (slots.next[older] != EventSlots.NONE) {
      return pollCrowd(lastPs);
    }
    // Without a branch, which would be mispredicted half of the time.
    int isNewerFirst = (int) (slots.timesPs[newer] - slots.timesPs[older] >> Long.SIZE - 1);
    int both = newer ^ older;
    int first = older ^ both & isNewerFirst;
    if (slots.timesPs[first] > lastPs) {
      return EventSlots.NONE;
    }
    rung.keepOnly(first ^ both, bucket);
    rungsFirstPs = UNKNOWN_PS;
    return first;
  }

  private int pollCrowd(long lastPs) {
    return fillFront(lastPs) ? front.take() : EventSlots.NONE;
  }

  /** Makes the earliest bucket the front, unless nothing in it happens up to a time. */
  private boolean fillFront(long lastPs) {
    while (true) {
      int bucket = firstBucket();
      if (bucket == Rung.NONE) {
        frontLastPs = Long.MAX_VALUE;
        return false;
      }
      long bucketLastPs = rung.lastPs(bucket);
      if (bucketLastPs > lastPs && earliestPs(bucket) > lastPs) {
        return false;
      }
      rungsFirstPs = UNKNOWN_PS;
      if (rung.isFinest() || isSortable(bucket)) {
        sortIntoFront(bucket);
        frontLastPs = bucketLastPs;
        return true;
      }
      rung = rung.spread(bucket);
    }
  }

  /** Returns the first bucket of the finest rung that has one, which becomes the current rung. */
  private int firstBucket() {
    int bucket = rung.firstBucket();
    while (bucket == Rung.NONE && rung != rung.parent) {
      rung = rung.parent;
      bucket = rung.firstBucket();
    }
    return bucket;
  }

  private long earliestPs(int bucket) {
    if (rungsFirstPs == UNKNOWN_PS) {
      long earliestPs = Long.MAX_VALUE;
      for (int slot = rung.head(bucket); slot != EventSlots.NONE; slot = slots.next[slot]) {
        earliestPs = Math.min(earliestPs, slots.timesPs[slot]);
      }
      rungsFirstPs = earliestPs;
    }
    return rungsFirstPs;
  }

  private boolean isSortable(int bucket) {
    int slot = rung.head(bucket);
    for (int count = 0; count < SORTED_BUCKET_MAX && slot != EventSlots.NONE; count++) {
      slot = slots.next[slot];
    }
    return slot == EventSlots.NONE;
  }

  private void sortIntoFront(int bucket) {
    for (int slot = rung.head(bucket); slot != EventSlots.NONE; slot = slots.next[slot]) {
      front.addOlder(slot, slots.timesPs[slot]);
    }
    rung.takeFirst(bucket);
  }
}
