package io.github.bellwire.bench;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;

/** The hold model on this project's kernel. */
final class BellwireHold extends HoldQueue {
  private final Simulation simulation = new Simulation(1);

  BellwireHold(HoldDelays delays, int pendingEvents, int handlerTypes) {
    super(delays);
    for (int i = 0; i < pendingEvents; i++) {
      simulation.schedule(event(i % handlerTypes), delays.nextPs());
    }
  }

  @Override
  void run(int events) {
    simulation.run(events);
  }

  private HoldEvent event(int type) {
    return switch (type) {
      case 0 -> new First(this);
      case 1 -> new Second(this);
      case 2 -> new Third(this);
      default -> new Fourth(this);
    };
  }

  private abstract static class HoldEvent extends Event {
    final BellwireHold owner;

    HoldEvent(BellwireHold owner) {
      this.owner = owner;
    }

    final void again(long nowPs) {
      owner.simulation.schedule(this, nowPs + owner.delays.nextPs());
    }
  }

  private static final class First extends HoldEvent {
    First(BellwireHold owner) {
      super(owner);
    }

    @Override
    protected void onEvent(long nowPs) {
      owner.sum += 1;
      again(nowPs);
    }
  }

  private static final class Second extends HoldEvent {
    Second(BellwireHold owner) {
      super(owner);
    }

    @Override
    protected void onEvent(long nowPs) {
      owner.sum += 2;
      again(nowPs);
    }
  }

  private static final class Third extends HoldEvent {
    Third(BellwireHold owner) {
      super(owner);
    }

    @Override
    protected void onEvent(long nowPs) {
      owner.sum += 3;
      again(nowPs);
    }
  }

  private static final class Fourth extends HoldEvent {
    Fourth(BellwireHold owner) {
      super(owner);
    }

    @Override
    protected void onEvent(long nowPs) {
      owner.sum += 4;
      again(nowPs);
    }
  }
}
