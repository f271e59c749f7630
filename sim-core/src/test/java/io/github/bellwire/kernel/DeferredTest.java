package io.github.bellwire.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DeferredTest {
  private final Simulation simulation = new Simulation(1);
  private final List<String> happened = new ArrayList<>();
  private final Work work = new Work("work");

  /** What is due at one time. */
  private final class Work implements Deferred {
    private final String name;
    private long dueTimePs;
    private @Nullable RuntimeException failure;

    Work(String name) {
      this.name = name;
      simulation.defer(this);
    }

    @Override
    public long lastPs() {
      return dueTimePs;
    }

    @Override
    public void settle(long nowPs) {
      happened.add(name + "@" + nowPs);
      assertThat(simulation.nowPs()).isEqualTo(nowPs);
      if (failure != null) {
        throw failure;
      }
    }
  }

  @Test
  void shouldSettleWheneverARunReturns() {
    simulation.schedule(named("a"), 10);
    simulation.schedule(named("b"), 20);
    simulation.schedule(named("c"), 30);
    simulation.schedule(named("d"), 40);

    simulation.runUntil(25);
    simulation.run(1);
    simulation.step();

    assertThat(happened)
        .containsExactly("a@10", "b@20", "work@25", "c@30", "work@30", "d@40", "work@40");
  }

  @Test
  void shouldRunToTheLastOfIt() {
    work.dueTimePs = 70;
    simulation.schedule(named("a"), 10);

    simulation.run();

    assertThat(happened).containsExactly("a@10", "work@70");
    assertThat(simulation.nowPs()).isEqualTo(70);
    assertThat(simulation.eventsTotal()).isEqualTo(1);
  }

  @Test
  void shouldNotTurnTheClockBack() {
    work.dueTimePs = 70;
    simulation.schedule(named("a"), 100);

    simulation.run();

    assertThat(happened).containsExactly("a@100", "work@100");
    assertThat(simulation.nowPs()).isEqualTo(100);
    assertThat(simulation.step()).isFalse();
    assertThat(simulation.nowPs()).isEqualTo(100);
  }

  @Test
  void shouldCountAsPendingUntilTheRunThatReachesTheLastOfIt() {
    work.dueTimePs = 70;
    simulation.schedule(named("a"), 10);

    assertThat(simulation.run(1)).isTrue();
    assertThat(simulation.nowPs()).isEqualTo(10);
    assertThat(simulation.run(0)).isTrue();
    assertThat(simulation.nowPs()).isEqualTo(10);
    assertThat(simulation.run(1)).isFalse();
    assertThat(simulation.nowPs()).isEqualTo(70);
    assertThat(simulation.run(0)).isFalse();
  }

  @Test
  void shouldTakeAStepOfItsOwnWhenNoEventIsLeft() {
    work.dueTimePs = 70;
    simulation.schedule(named("a"), 10);

    assertThat(simulation.step()).isTrue();
    assertThat(simulation.nowPs()).isEqualTo(10);
    assertThat(simulation.nextEventPs()).isEqualTo(Simulation.NEVER_PS);
    assertThat(simulation.step()).isTrue();
    assertThat(simulation.nowPs()).isEqualTo(70);
    assertThat(simulation.step()).isFalse();
    assertThat(simulation.nowPs()).isEqualTo(70);
    assertThat(simulation.eventsTotal()).isEqualTo(1);
  }

  @Test
  void shouldNotLetARunOfLimitedTimeGoOn() {
    work.dueTimePs = 70;

    simulation.runUntil(20);

    assertThat(happened).containsExactly("work@20");
    assertThat(simulation.nowPs()).isEqualTo(20);
  }

  @Test
  void shouldSettleForAnEventThatHasWaited() {
    work.dueTimePs = 500;
    simulation.schedule(
        doing(
            nowPs -> {
              simulation.runUntil(nowPs + 20);
              happened.add("waited@" + simulation.nowPs());
              simulation.step();
              happened.add("stepped@" + simulation.nowPs());
            }),
        10);
    simulation.schedule(named("within"), 15);
    simulation.schedule(named("behind"), 40);

    simulation.runUntil(100);

    // Once for the event that waits, each time, and once for the caller.
    assertThat(happened)
        .containsExactly(
            "within@15", "work@30", "waited@30", "behind@40", "work@40", "stepped@40", "work@100");
  }

  @Test
  void shouldRunToTheLastOfSeveral() {
    Work other = new Work("other");
    work.dueTimePs = 70;
    other.dueTimePs = 90;
    simulation.run();
    other.dueTimePs = 100;
    work.dueTimePs = 110;
    simulation.run();

    assertThat(happened).containsExactly("work@90", "other@90", "work@110", "other@110");
  }

  @Test
  void shouldLetEventsRepeatThemselves() {
    work.dueTimePs = 15;
    List<Boolean> repeats = new ArrayList<>();
    Event[] self = new Event[1];
    self[0] = doing(nowPs -> repeats.add(simulation.tryRepeatAt(self[0], nowPs + 10)));
    simulation.schedule(self[0], 10);

    simulation.run();

    assertThat(repeats).containsExactly(true);
    assertThat(happened).containsExactly("work@20");
  }

  @Test
  void shouldSettleWhenAnEventThrows() {
    RuntimeException thrown = new IllegalStateException("thrown");
    simulation.schedule(throwing(thrown), 10);
    simulation.schedule(throwing(thrown), 20);
    simulation.schedule(throwing(thrown), 30);

    assertThatException().isThrownBy(() -> simulation.runUntil(100)).isSameAs(thrown);
    assertThatException().isThrownBy(() -> simulation.run()).isSameAs(thrown);
    assertThatException().isThrownBy(() -> simulation.step()).isSameAs(thrown);

    assertThat(happened).containsExactly("work@10", "work@20", "work@30");
    assertThat(thrown).hasNoSuppressedExceptions();
  }

  @Test
  void shouldSettleForAnEventThatCatchesWhatANestedOneThrows() {
    IllegalStateException thrown = new IllegalStateException("thrown");
    simulation.schedule(throwing(thrown), 15);
    simulation.schedule(
        doing(
            nowPs -> {
              assertThatIllegalStateException().isThrownBy(() -> simulation.runUntil(20));
              happened.add("caught@" + simulation.nowPs());
            }),
        10);

    simulation.runUntil(50);

    assertThat(happened).containsExactly("work@15", "caught@15", "work@50");
  }

  @Test
  void shouldThrowWhatAnEventThrewEvenIfSettlingThrowsToo() {
    RuntimeException thrown = new IllegalStateException("thrown");
    work.failure = new IllegalStateException("further");
    simulation.schedule(throwing(thrown), 10);
    simulation.schedule(throwing(thrown), 20);

    assertThatException().isThrownBy(() -> simulation.run()).isSameAs(thrown);
    assertThat(thrown).hasSuppressedException(work.failure);
    assertThatException().isThrownBy(() -> simulation.step()).isSameAs(thrown);
  }

  @Test
  void shouldRefuseToDeferNothing() {
    assertThatNullPointerException().isThrownBy(() -> simulation.defer(null)).withMessage("work");
  }

  private Event named(String name) {
    return doing(nowPs -> happened.add(name + "@" + nowPs));
  }

  private static Event throwing(RuntimeException thrown) {
    return doing(
        nowPs -> {
          throw thrown;
        });
  }

  private static Event doing(LongConsumer action) {
    return new Event() {
      @Override
      protected void onEvent(long nowPs) {
        action.accept(nowPs);
      }
    };
  }
}
