package io.github.bellwire.bench;

import java.util.SplittableRandom;

/** The floor of the hold model: dispatch without ordering, in a random but fixed order. */
final class FifoHold extends HoldQueue {
  private static final int ORDER_LENGTH = 65_536;

  private final HoldEvent[] order = new HoldEvent[ORDER_LENGTH];
  private int cursor;

  FifoHold(HoldDelays delays, int pendingEvents, int handlerTypes) {
    super(delays);
    HoldEvent[] events = new HoldEvent[pendingEvents];
    for (int i = 0; i < pendingEvents; i++) {
      events[i] = event(i % handlerTypes);
    }
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < ORDER_LENGTH; i++) {
      order[i] = events[random.nextInt(pendingEvents)];
    }
  }

  @Override
  void run(int events) {
    for (int i = 0; i < events; i++) {
      HoldEvent event = order[cursor++ & (ORDER_LENGTH - 1)];
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

  private abstract static class HoldEvent {
    final FifoHold owner;
    long timePs;

    HoldEvent(FifoHold owner) {
      this.owner = owner;
    }

    abstract void onEvent(long nowPs);

    final void again(long nowPs) {
      timePs = nowPs + owner.delays.nextPs();
    }
  }

  private static final class First extends HoldEvent {
    First(FifoHold owner) {
      super(owner);
    }

    @Override
    void onEvent(long nowPs) {
      owner.sum += 1;
      again(nowPs);
    }
  }

  private static final class Second extends HoldEvent {
    Second(FifoHold owner) {
      super(owner);
    }

    @Override
    void onEvent(long nowPs) {
      owner.sum += 2;
      again(nowPs);
    }
  }

  private static final class Third extends HoldEvent {
    Third(FifoHold owner) {
      super(owner);
    }

    @Override
    void onEvent(long nowPs) {
      owner.sum += 3;
      again(nowPs);
    }
  }

  private static final class Fourth extends HoldEvent {
    Fourth(FifoHold owner) {
      super(owner);
    }

    @Override
    void onEvent(long nowPs) {
      owner.sum += 4;
      again(nowPs);
    }
  }
}
