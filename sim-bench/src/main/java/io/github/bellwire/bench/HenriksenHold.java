package io.github.bellwire.bench;

import umontreal.ssj.simevents.Event;
import umontreal.ssj.simevents.Simulator;
import umontreal.ssj.simevents.eventlist.Henriksen;

/** The hold model on SSJ with Henriksen's event list, its fastest. SSJ keeps time as a double. */
final class HenriksenHold extends HoldQueue {
  private final Simulator simulator = new Simulator(new Henriksen());
  private int eventsLeft;

  HenriksenHold(HoldDelays delays, int pendingEvents, int handlerTypes) {
    super(delays);
    simulator.init();
    for (int i = 0; i < pendingEvents; i++) {
      event(i % handlerTypes).schedule(delays.nextPs());
    }
  }

  @Override
  void run(int events) {
    eventsLeft = events;
    simulator.start();
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
    final HenriksenHold owner;

    HoldEvent(HenriksenHold owner) {
      super(owner.simulator);
      this.owner = owner;
    }

    final void again() {
      schedule(owner.delays.nextPs());
      if (--owner.eventsLeft == 0) {
        sim.stop();
      }
    }
  }

  private static final class First extends HoldEvent {
    First(HenriksenHold owner) {
      super(owner);
    }

    @Override
    public void actions() {
      owner.sum += 1;
      again();
    }
  }

  private static final class Second extends HoldEvent {
    Second(HenriksenHold owner) {
      super(owner);
    }

    @Override
    public void actions() {
      owner.sum += 2;
      again();
    }
  }

  private static final class Third extends HoldEvent {
    Third(HenriksenHold owner) {
      super(owner);
    }

    @Override
    public void actions() {
      owner.sum += 3;
      again();
    }
  }

  private static final class Fourth extends HoldEvent {
    Fourth(HenriksenHold owner) {
      super(owner);
    }

    @Override
    public void actions() {
      owner.sum += 4;
      again();
    }
  }
}
