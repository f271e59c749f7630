package io.github.bellwire.bench;

import java.util.PriorityQueue;

/**
 * The hold model on {@link PriorityQueue} with a comparator, which is a call that can be inlined;
 * events are reused as in the kernel.
 */
final class PriorityQueueHold extends HoldQueue {
  private final PriorityQueue<HoldEvent> queue;
  private long sequence;

  private PriorityQueueHold(
      PriorityQueue<HoldEvent> queue, HoldDelays delays, int pendingEvents, int handlerTypes) {
    super(delays);
    this.queue = queue;
    for (int i = 0; i < pendingEvents; i++) {
      event(i % handlerTypes).again(0);
    }
  }

  static HoldQueue ofComparator(HoldDelays delays, int pendingEvents, int handlerTypes) {
    PriorityQueue<HoldEvent> queue =
        new PriorityQueue<>(
            (a, b) ->
                a.timePs != b.timePs
                    ? Long.compare(a.timePs, b.timePs)
                    : Long.compare(a.sequence, b.sequence));
    return new PriorityQueueHold(queue, delays, pendingEvents, handlerTypes);
  }

  static HoldQueue ofComparable(HoldDelays delays, int pendingEvents, int handlerTypes) {
    return new PriorityQueueHold(new PriorityQueue<>(), delays, pendingEvents, handlerTypes);
  }

  @Override
  void run(int events) {
    for (int i = 0; i < events; i++) {
      HoldEvent event = queue.remove();
      event.onEvent(event.timePs);
    }
  }

  private HoldEvent event(int type) {
    return switch (type) {
      case 0 -> new First(this);
      case 1 -> new Second(this);
      case 2 -> new Third(this);
      default -> new Fourth(this);
    };
  }

  private abstract static class HoldEvent implements Comparable<HoldEvent> {
    final PriorityQueueHold owner;
    long timePs;
    long sequence;

    HoldEvent(PriorityQueueHold owner) {
      this.owner = owner;
    }

    abstract void onEvent(long nowPs);

    @Override
    public final int compareTo(HoldEvent other) {
      return timePs != other.timePs
          ? Long.compare(timePs, other.timePs)
          : Long.compare(sequence, other.sequence);
    }

    final void again(long nowPs) {
      timePs = nowPs + owner.delays.nextPs();
      sequence = owner.sequence++;
      owner.queue.add(this);
    }
  }

  private static final class First extends HoldEvent {
    First(PriorityQueueHold owner) {
      super(owner);
    }

    @Override
    void onEvent(long nowPs) {
      owner.sum += 1;
      again(nowPs);
    }
  }

  private static final class Second extends HoldEvent {
    Second(PriorityQueueHold owner) {
      super(owner);
    }

    @Override
    void onEvent(long nowPs) {
      owner.sum += 2;
      again(nowPs);
    }
  }

  private static final class Third extends HoldEvent {
    Third(PriorityQueueHold owner) {
      super(owner);
    }

    @Override
    void onEvent(long nowPs) {
      owner.sum += 3;
      again(nowPs);
    }
  }

  private static final class Fourth extends HoldEvent {
    Fourth(PriorityQueueHold owner) {
      super(owner);
    }

    @Override
    void onEvent(long nowPs) {
      owner.sum += 4;
      again(nowPs);
    }
  }
}
