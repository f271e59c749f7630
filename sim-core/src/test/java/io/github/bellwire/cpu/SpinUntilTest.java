package io.github.bellwire.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** How software waits for a word that a device writes; a load takes 300 ps. */
class SpinUntilTest {
  private static final long PA = 0x1000;

  private final TestMachine machine = new TestMachine();
  private final List<Long> log = new ArrayList<>();

  SpinUntilTest() {
    machine.fabric.caches.coreLoadPs = 300;
  }

  private void inRoutine(long atPs, Consumer<CpuPort> work) {
    machine.routine(work).wakeAt(atPs);
    machine.simulation.runUntil(atPs);
  }

  @Test
  void shouldGoOnWhenABookedWriteCommitsWithoutRunningTheClock() {
    machine.commit(PA, 7, 50_000);
    inRoutine(
        1_000,
        port -> {
          log.add(port.spinUntil(PA, 4, 7, 1_000_000));
          log.add(port.nowPs());
          log.add(machine.simulation.nowPs());
        });

    assertThat(log).containsExactly(49_300L, 50_300L, 1_000L);
  }

  @Test
  void shouldWaitForTheWriteThatMakesTheValueAndNotForOthers() {
    machine.commit(PA, 1, 20_000);
    machine.commit(PA + 1, 2, 30_000); // The value is 0201h from here on.
    machine.commit(PA + 64, 9, 40_000);
    machine.commit(PA, 5, 60_000);
    inRoutine(
        1_000,
        port -> {
          port.spinUntil(PA, 2, 0x201, 1_000_000);
          log.add(port.nowPs());
          port.spinUntil(PA, 1, 5, 1_000_000);
          log.add(port.nowPs());
        });

    assertThat(log).containsExactly(30_300L, 60_300L);
  }

  @Test
  void shouldSeeAtOnceWhatIsThere() {
    machine.commit(PA, 7, 500);
    machine.commit(PA, 8, 90_000);
    inRoutine(
        1_000,
        port -> {
          port.spinUntil(PA, 1, 7, 0);
          log.add(port.nowPs());
        });

    assertThat(log).containsExactly(1_300L);
  }

  @Test
  void shouldRunTheClockIfNothingIsBooked() {
    machine.at(40_000, () -> machine.commit(PA, 7, 70_000));
    inRoutine(
        1_000,
        port -> {
          log.add(port.spinUntil(PA, 1, 7, 1_000_000));
          log.add(port.nowPs());
          log.add(machine.simulation.nowPs());
        });

    assertThat(log).containsExactly(69_300L, 70_300L, 40_000L);
  }

  @Test
  void shouldGiveUpAfterATime() {
    machine.commit(PA, 7, 50_000);
    inRoutine(
        1_000,
        port -> {
          log.add(port.spinUntil(PA, 1, 7, 48_999));
          log.add(port.nowPs());
          log.add(port.spinUntil(PA, 1, 9, 10_000));
          log.add(port.nowPs());
          log.add(port.spinUntil(PA, 1, 7, 1));
        });

    assertThat(log).containsExactly(-1L, 49_999L, -1L, 59_999L, 300L);
  }

  @Test
  void shouldLetTheClockRunOnTheSynchronousPort() {
    SynchronousPort port = new SynchronousPort(machine.core);
    machine.at(40_000, () -> machine.commit(PA, 7, 70_000));

    assertThat(port.spinUntil(PA, 1, 7, 1_000_000)).isEqualTo(70_300);
    assertThat(port.nowPs()).isEqualTo(70_300);
    assertThat(port.spinUntil(PA, 1, 8, 5_000)).isEqualTo(CpuPort.NOT_SEEN);
    assertThat(port.nowPs()).isEqualTo(75_300);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> port.spinUntil(PA, 1, 7, -1))
        .withMessage("timeoutPs must be >= 0: timeoutPs=-1");
  }

  @Test
  void shouldNotRunTheClockInACriticalSection() {
    SynchronousPort port = new SynchronousPort(machine.core);
    machine.at(200, () -> log.add(machine.simulation.nowPs()));

    port.beginCritical();
    port.load(PA, 4);
    port.beginCritical();
    port.delay(100);
    port.endCritical();
    assertThat(port.nowPs()).isEqualTo(400);
    assertThat(log).isEmpty();
    port.endCritical();

    assertThat(log).containsExactly(200L);
    assertThat(machine.simulation.nowPs()).isEqualTo(400);
    assertThatIllegalStateException().isThrownBy(port::endCritical);
  }
}
