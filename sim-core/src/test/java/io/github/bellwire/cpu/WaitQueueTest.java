package io.github.bellwire.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WaitQueueTest {
  private final TestMachine machine = new TestMachine();
  private final WaitQueue queue = new WaitQueue(1_000);
  private final List<String> log = new ArrayList<>();

  private Routine logging(String name) {
    return machine.routine(port -> log.add(name + " " + port.nowPs()));
  }

  @Test
  void shouldWakeAllThatWaitOnce() {
    Routine a = logging("a");
    queue.add(a);
    queue.add(logging("b"));
    queue.add(a);
    machine.at(500, queue::wakeAll);
    machine.at(10_000, queue::wakeAll);

    machine.simulation.run();

    assertThat(log).containsExactly("a 1500", "b 1500");
  }

  @Test
  void shouldScheduleNothingWhileNothingComesBack() {
    queue.add(logging("a"));

    assertThat(machine.simulation.step()).isFalse();
  }

  @Test
  void shouldRefuseToLookBeforeItHasHappened() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new WaitQueue(-1))
        .withMessage("delayPs must be >= 0: delayPs=-1");
  }
}
