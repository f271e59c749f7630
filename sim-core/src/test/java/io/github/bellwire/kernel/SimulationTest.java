package io.github.bellwire.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;

class SimulationTest {
  private final Simulation simulation = new Simulation(1);
  private final List<String> happened = new ArrayList<>();

  @Test
  void shouldStartAtTimeZeroWithNothingPending() {
    assertThat(simulation.nowPs()).isZero();
    assertThat(simulation.seed()).isEqualTo(1);
    assertThat(simulation.nextEventPs()).isEqualTo(Simulation.NEVER_PS);
    assertThat(simulation.step()).isFalse();
    assertThat(simulation.eventsTotal()).isZero();
  }

  @Test
  void shouldAdvanceToEachEventInTurn() {
    Event late = named("late");
    Event early = named("early");
    simulation.schedule(late, 700);
    simulation.schedule(early, 300);

    assertThat(simulation.nextEventPs()).isEqualTo(300);
    assertThat(simulation.step()).isTrue();
    assertThat(simulation.nowPs()).isEqualTo(300);
    assertThat(early.isScheduled()).isFalse();
    assertThat(late.isScheduled()).isTrue();
    simulation.run();

    assertThat(happened).containsExactly("early@300", "late@700");
    assertThat(simulation.nowPs()).isEqualTo(700);
    assertThat(simulation.eventsTotal()).isEqualTo(2);
    assertThat(late.timePs()).isEqualTo(700);
  }

  @Test
  void shouldServeEqualTimesFirstInFirstOut() {
    for (int i = 0; i < 100; i++) {
      simulation.schedule(named("e" + i), 5);
    }

    simulation.run();

    assertThat(happened).hasSize(100);
    for (int i = 0; i < 100; i++) {
      assertThat(happened.get(i)).isEqualTo("e" + i + "@5");
    }
  }

  @Test
  void shouldPutARescheduledEventBehindItsEquals() {
    Event first = named("first");
    simulation.schedule(first, 5);
    simulation.schedule(named("second"), 5);

    simulation.reschedule(first, 5);
    simulation.run();

    assertThat(happened).containsExactly("second@5", "first@5");
  }

  @Test
  void shouldScheduleWhatWasNotScheduledWhenRescheduling() {
    simulation.reschedule(named("once"), 5);

    simulation.run();

    assertThat(happened).containsExactly("once@5");
  }

  @Test
  void shouldRefuseToScheduleTwice() {
    Event event = named("event");
    simulation.schedule(event, 3);

    assertThatIllegalStateException()
        .isThrownBy(() -> simulation.schedule(event, 9))
        .withMessage("event is scheduled already: timePs=3, atPs=9");
    assertThat(simulation.nextEventPs()).isEqualTo(3);
  }

  @Test
  void shouldRefuseATimeThatHasPassed() {
    Event event = named("event");
    Event pending = named("pending");
    simulation.schedule(pending, 20);
    simulation.runUntil(10);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> simulation.schedule(event, 9))
        .withMessage("atPs must be >= nowPs: atPs=9, nowPs=10");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> simulation.reschedule(pending, 9))
        .withMessage("atPs must be >= nowPs: atPs=9, nowPs=10");
    assertThat(event.isScheduled()).isFalse();
    assertThat(pending.timePs()).isEqualTo(20);
    assertThat(pending.isScheduled()).isTrue();
  }

  @Test
  void shouldScheduleForNowFromWithinAnEvent() {
    Event follower = named("follower");
    simulation.schedule(doing(nowPs -> simulation.schedule(follower, nowPs)), 5);
    simulation.schedule(named("other"), 5);

    simulation.run();

    assertThat(happened).containsExactly("other@5", "follower@5");
  }

  @Test
  void shouldCancel() {
    Event event = named("event");
    simulation.schedule(event, 5);

    assertThat(simulation.cancel(event)).isTrue();
    assertThat(simulation.cancel(event)).isFalse();
    assertThat(event.isScheduled()).isFalse();
    assertThat(simulation.nextEventPs()).isEqualTo(Simulation.NEVER_PS);
    simulation.run();

    assertThat(happened).isEmpty();
  }

  @Test
  void shouldCancelFromWithinAnEvent() {
    Event victim = named("victim");
    simulation.schedule(doing(nowPs -> simulation.cancel(victim)), 5);
    simulation.schedule(victim, 5);

    simulation.run();

    assertThat(happened).isEmpty();
    assertThat(simulation.eventsTotal()).isEqualTo(1);
  }

  @Test
  void shouldCancelTheNextOfSeveral() {
    Event next = named("next");
    simulation.schedule(named("later"), 9);
    simulation.schedule(next, 5);

    assertThat(simulation.nextEventPs()).isEqualTo(5);
    assertThat(simulation.cancel(next)).isTrue();
    assertThat(next.isScheduled()).isFalse();
    assertThat(simulation.nextEventPs()).isEqualTo(9);
    simulation.run();

    assertThat(happened).containsExactly("later@9");
  }

  @Test
  void shouldOrderWhatIsScheduledBackwards() {
    simulation.schedule(named("third"), 9);
    simulation.schedule(named("second"), 7);
    simulation.schedule(named("first"), 5);
    simulation.schedule(named("equal"), 5);

    simulation.run();

    assertThat(happened).containsExactly("first@5", "equal@5", "second@7", "third@9");
  }

  @Test
  void shouldKeepTheOrderOfEqualTimesWhenAnotherOvertakesThem() {
    simulation.schedule(named("first"), 10);
    simulation.schedule(named("second"), 10);
    simulation.schedule(named("overtaking"), 5);

    simulation.run();

    assertThat(happened).containsExactly("overtaking@5", "first@10", "second@10");
  }

  @Test
  void shouldHappenInAnotherSimulationThanBefore() {
    Simulation other = new Simulation(2);
    Event guest =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            happened.add("guest@" + nowPs);
            if (nowPs == 1) {
              other.schedule(this, 6);
            }
          }
        };
    // Both simulations have just let an event happen, and both expect theirs to come back.
    Event resident = named("resident");
    other.schedule(resident, 5);
    other.schedule(named("later"), 7);
    other.step();
    simulation.schedule(guest, 1);
    simulation.schedule(named("host"), 2);
    simulation.step();
    other.schedule(resident, 6);
    simulation.run();
    other.run();

    assertThat(happened)
        .containsExactly("resident@5", "guest@1", "host@2", "guest@6", "resident@6", "later@7");
    assertThat(guest.isScheduled()).isFalse();
  }

  @Test
  void shouldMoveTheNextBehindAnother() {
    Event next = named("next");
    simulation.schedule(next, 5);
    simulation.schedule(named("other"), 7);

    simulation.reschedule(next, 7);
    simulation.run();

    assertThat(happened).containsExactly("other@7", "next@7");
  }

  @Test
  void shouldLeaveTheNextWhereItIsWhenRunningToBeforeIt() {
    simulation.schedule(named("next"), 5);

    simulation.runUntil(4);

    assertThat(happened).isEmpty();
    assertThat(simulation.nextEventPs()).isEqualTo(5);
  }

  @Test
  void shouldRunUpToAndIncludingATime() {
    simulation.schedule(named("before"), 9);
    simulation.schedule(named("at"), 10);
    simulation.schedule(named("after"), 11);

    simulation.runUntil(10);

    assertThat(happened).containsExactly("before@9", "at@10");
    assertThat(simulation.nowPs()).isEqualTo(10);
    assertThat(simulation.nextEventPs()).isEqualTo(11);
  }

  @Test
  void shouldIgnoreARunUntilAPassedTime() {
    simulation.runUntil(10);

    simulation.runUntil(4);

    assertThat(simulation.nowPs()).isEqualTo(10);
  }

  @Test
  void shouldLetTimePassWithinAnEvent() {
    simulation.schedule(
        doing(
            nowPs -> {
              simulation.runUntil(nowPs + 100);
              happened.add("outer@" + simulation.nowPs());
            }),
        5);
    simulation.schedule(named("inner"), 50);
    simulation.schedule(named("later"), 200);

    simulation.run();

    assertThat(happened).containsExactly("inner@50", "outer@105", "later@200");
    assertThat(simulation.eventsTotal()).isEqualTo(3);
  }

  @Test
  void shouldReturnLateFromARunWithinWhichAnEventWaitedForLonger() {
    simulation.schedule(doing(nowPs -> simulation.runUntil(nowPs + 10)), 0);
    simulation.schedule(doing(nowPs -> simulation.runUntil(nowPs + 100)), 5);

    simulation.step();

    assertThat(simulation.nowPs()).isEqualTo(105);
  }

  @Test
  void shouldAllowAnEventToRescheduleItselfWhileItWaits() {
    Event[] self = new Event[1];
    self[0] =
        doing(
            nowPs -> {
              happened.add("self@" + nowPs);
              if (nowPs < 30) {
                simulation.schedule(self[0], nowPs + 10);
                simulation.runUntil(nowPs + 10);
              }
            });
    simulation.schedule(self[0], 10);

    simulation.run();

    assertThat(happened).containsExactly("self@10", "self@20", "self@30");
  }

  @Test
  void shouldHoldAnEventAtTheEndOfTime() {
    simulation.schedule(named("last"), Simulation.NEVER_PS);

    simulation.runUntil(Simulation.NEVER_PS);

    assertThat(happened).containsExactly("last@" + Long.MAX_VALUE);
  }

  @Test
  void shouldLetAnEventHappenAgainUntilAnotherOneIsDue() {
    simulation.schedule(named("other"), 30);
    Event event = repeating(10);
    simulation.schedule(event, 10);

    simulation.runUntil(60);

    // At 30 the other one has been scheduled first; 70 is beyond what was asked for.
    assertThat(happened)
        .containsExactly(
            "first@10", "again@20", "other@30", "first@30", "again@40", "again@50", "again@60");
    assertThat(simulation.eventsTotal()).isEqualTo(7);
    assertThat(simulation.nowPs()).isEqualTo(60);
    assertThat(event.isScheduled()).isTrue();
    assertThat(event.timePs()).isEqualTo(70);
  }

  @Test
  void shouldTellTheTimeOfAnEventThatRepeats() {
    List<Long> timesPs = new ArrayList<>();
    Event[] self = new Event[1];
    self[0] =
        doing(
            nowPs -> {
              simulation.tryRepeatAt(self[0], 25);
              timesPs.add(self[0].timePs());
              timesPs.add(simulation.nowPs());
            });
    simulation.schedule(self[0], 10);

    simulation.run();

    assertThat(timesPs).containsExactly(25L, 25L);
  }

  @Test
  void shouldNotRepeatAnEventWithinAStep() {
    simulation.schedule(repeating(10), 10);

    simulation.step();
    simulation.step();

    assertThat(happened).containsExactly("first@10", "first@20");
  }

  @Test
  void shouldNotRepeatAnEventWithinAStepOfAnotherOne() {
    simulation.schedule(doing(nowPs -> simulation.step()), 5);
    simulation.schedule(repeating(10), 10);

    simulation.runUntil(15);

    assertThat(happened).containsExactly("first@10");
    assertThat(simulation.nowPs()).isEqualTo(15);
  }

  @Test
  void shouldLetNoMoreEventsHappenThanAskedFor() {
    simulation.schedule(named("other"), 30);
    simulation.schedule(repeating(10), 10);

    assertThat(simulation.run(0)).isTrue();
    assertThat(happened).isEmpty();
    assertThat(simulation.run(5)).isTrue();

    // What is repeated counts.
    assertThat(happened)
        .containsExactly("first@10", "again@20", "other@30", "first@30", "again@40");
    assertThat(simulation.nowPs()).isEqualTo(40);
    assertThat(simulation.eventsTotal()).isEqualTo(5);
  }

  @Test
  void shouldSayThatNothingIsPendingAnyMore() {
    simulation.schedule(named("a"), 10);
    simulation.schedule(named("b"), 20);

    assertThat(simulation.run(1)).isTrue();
    assertThat(simulation.run(5)).isFalse();

    assertThat(happened).containsExactly("a@10", "b@20");
    assertThat(simulation.nowPs()).isEqualTo(20);
  }

  @Test
  void shouldKeepTheNumberOfTheOuterRunWhileAnEventWaits() {
    Event[] self = new Event[1];
    self[0] =
        doing(
            nowPs -> {
              simulation.run(0);
              happened.add("" + simulation.tryRepeatAt(self[0], nowPs + 1));
              happened.add("" + simulation.tryRepeatAt(self[0], nowPs + 2));
            });
    simulation.schedule(self[0], 10);

    simulation.run(2);

    assertThat(happened).containsExactly("true", "false");
  }

  @Test
  void shouldKeepTheLimitOfTheOuterRunWhileAnEventWaits() {
    Event[] self = new Event[1];
    self[0] =
        doing(
            nowPs -> {
              simulation.runUntil(nowPs + 5);
              simulation.step(); // nothing is pending
              happened.add("" + simulation.tryRepeatAt(self[0], nowPs + 20));
              happened.add("" + simulation.tryRepeatAt(self[0], nowPs + 21));
            });
    simulation.schedule(self[0], 10);

    simulation.runUntil(30);

    assertThat(happened).containsExactly("true", "false");
  }

  @Test
  void shouldEndARunWhoseEventLetMoreHappenThanAskedFor() {
    Event[] self = new Event[1];
    self[0] =
        doing(
            nowPs -> {
              simulation.runUntil(13);
              happened.add("" + simulation.tryRepeatAt(self[0], 20));
            });
    simulation.schedule(self[0], 10);
    for (int atPs = 11; atPs <= 13; atPs++) {
      simulation.schedule(named("nested"), atPs);
    }

    simulation.run(2);

    // Four events are more than two; there must not be a fifth.
    assertThat(happened).containsExactly("nested@11", "nested@12", "nested@13", "false");
    assertThat(simulation.eventsTotal()).isEqualTo(4);
  }

  @Test
  void shouldKeepTheLimitsOfTheOuterRunWhenANestedOneFails() {
    Event[] self = new Event[1];
    self[0] =
        doing(
            nowPs -> {
              assertThatIllegalStateException().isThrownBy(() -> simulation.runUntil(15));
              happened.add("" + simulation.tryRepeatAt(self[0], 20)); // beyond the nested run
              assertThatIllegalStateException().isThrownBy(() -> simulation.run(1));
              happened.add("" + simulation.tryRepeatAt(self[0], 30)); // more than the nested run
              assertThatIllegalStateException().isThrownBy(() -> simulation.step());
              happened.add("" + simulation.tryRepeatAt(self[0], 40)); // not within the step
              happened.add("" + simulation.tryRepeatAt(self[0], 51));
            });
    simulation.schedule(self[0], 10);
    simulation.schedule(failing(), 11);
    simulation.schedule(failing(), 21);
    simulation.schedule(failing(), 31);

    simulation.runUntil(50);

    assertThat(happened).containsExactly("true", "true", "true", "false");
  }

  @Test
  void shouldKnowWhetherAnEventIsHappening() {
    Event telling = doing(nowPs -> happened.add("" + simulation.isInEvent()));
    Event nesting =
        doing(
            nowPs -> {
              simulation.step();
              simulation.runUntil(nowPs);
              happened.add("still " + simulation.isInEvent());
            });
    simulation.schedule(telling, 10);
    simulation.schedule(nesting, 20);
    simulation.schedule(failing(), 30);
    simulation.schedule(failing(), 31);

    assertThat(simulation.isInEvent()).isFalse();
    simulation.step();
    assertThat(simulation.isInEvent()).isFalse();
    simulation.schedule(telling, 21);
    simulation.runUntil(21);
    assertThat(simulation.isInEvent()).isFalse();
    assertThatIllegalStateException().isThrownBy(() -> simulation.step());
    assertThatIllegalStateException().isThrownBy(() -> simulation.run());
    assertThat(simulation.isInEvent()).isFalse();
    assertThat(happened).containsExactly("true", "true", "still true");
  }

  @Test
  void shouldRefuseToRepeatWhatIsScheduledOrAtATimeThatHasPassed() {
    Event[] self = new Event[1];
    self[0] =
        doing(
            nowPs -> {
              assertThatIllegalArgumentException()
                  .isThrownBy(() -> simulation.tryRepeatAt(self[0], nowPs - 1))
                  .withMessage("atPs must be >= nowPs: atPs=9, nowPs=10");
              simulation.schedule(self[0], 40);
              assertThatIllegalStateException()
                  .isThrownBy(() -> simulation.tryRepeatAt(self[0], 20))
                  .withMessage("event is scheduled already: timePs=40, atPs=20");
            });
    simulation.schedule(self[0], 10);

    simulation.runUntil(10);

    assertThat(simulation.nowPs()).isEqualTo(10);
  }

  /** An event with a period that goes on by itself as long as it may. */
  private Event repeating(long periodPs) {
    Event[] self = new Event[1];
    self[0] =
        doing(
            nowPs -> {
              happened.add("first@" + nowPs);
              long atPs = nowPs + periodPs;
              for (; simulation.tryRepeatAt(self[0], atPs); atPs += periodPs) {
                happened.add("again@" + simulation.nowPs());
              }
              simulation.schedule(self[0], atPs);
            });
    return self[0];
  }

  private static Event failing() {
    return doing(
        nowPs -> {
          throw new IllegalStateException("fails");
        });
  }

  private Event named(String name) {
    return doing(nowPs -> happened.add(name + "@" + nowPs));
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
