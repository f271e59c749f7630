package io.github.bellwire.bench;

import java.util.PriorityQueue;

/**
 * The hold model on {@link PriorityQueue} with events that are {@link Comparable}, as in most
 * simulators; reused as in the kernel. With several classes of events the queue's comparisons are
 * megamorphic calls.
 */
final class PriorityQueueComparableHold extends HoldQueue {
  private final PriorityQueue<HoldEvent> queue = new PriorityQueue<>();
  private long sequence;

  PriorityQueueComparableHold(HoldDelays delays, int pendingEvents, int handlerTypes) {
    super(delays);
    for (int i = 0; i < pendingEvents; i++) {
      event(i % handlerTypes).again(0);
    }
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
    final PriorityQueueComparableHold owner;
    long timePs;
    long sequence;

    HoldEvent(PriorityQueueComparableHold owner) {
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
    First(PriorityQueueComparableHold owner) {
      super(owner);
    }

    @Override
    void onEvent(long nowPs) {
      owner.sum += 1;
      again(nowPs);
    }
  }

  private static final class Second extends HoldEvent {
    Second(PriorityQueueComparableHold owner) {
      super(owner);
    }

    @Override
    void onEvent(long nowPs) {
      owner.sum += 2;
      again(nowPs);
    }
  }

  private static final class Third extends HoldEvent {
    Third(PriorityQueueComparableHold owner) {
      super(owner);
    }

    @Override
    void onEvent(long nowPs) {
      owner.sum += 3;
      again(nowPs);
    }
  }

  private static final class Fourth extends HoldEvent {
    Fourth(PriorityQueueComparableHold owner) {
      super(owner);
    }

    @Override
    void onEvent(long nowPs) {
      owner.sum += 4;
      again(nowPs);
    }
  }
}
