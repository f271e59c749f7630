package io.github.bellwire.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Cores of 1 GHz: a cycle is 1000 ps. */
class SpinLockTest {
  private final TestMachine machine = new TestMachine();
  private final SpinLock lock = new SpinLock(machine.simulation, 2, 500);
  private final List<Long> heldFromPs = new ArrayList<>();

  /** Takes the lock some times, for 10 ns each, with 5 ns in between. */
  private void hold(Core core, long atPs, int times) {
    machine
        .routine(
            core,
            port -> {
              for (int i = 0; i < times; i++) {
                lock.acquire(port);
                heldFromPs.add(port.nowPs());
                port.delay(10_000);
                lock.release(port);
                port.delay(5_000);
              }
            })
        .wakeAt(atPs);
  }

  @Test
  void shouldCostACoreThatIsAloneItsInstructions() {
    hold(machine.core, 0, 2);
    machine.simulation.run();

    assertThat(heldFromPs).containsExactly(2_000L, 19_000L);
    assertThat(lock.acquisitionsCount()).isEqualTo(2);
    assertThat(lock.contendedCount()).isZero();
    assertThat(lock.waitPsTotal()).isZero();
    assertThat(lock.holdPsTotal()).isEqualTo(20_000);
  }

  @Test
  void shouldLetACoreWaitForThoseThatCameBefore() {
    hold(machine.core, 0, 2);
    hold(machine.otherCore, 1_000, 2);
    machine.simulation.run();

    // First: 2..12 and 19..29 ns. Second: comes at 3, gets it at 12 + 0.5, until 22.5; that pushes
    // the first one's second turn to 22.5..32.5. Comes again at 29.5, gets it at 32.5 + 0.5.
    assertThat(heldFromPs).containsExactly(2_000L, 19_000L, 12_500L, 33_000L);
    assertThat(lock.contendedCount()).isEqualTo(2);
    assertThat(lock.waitPsTotal()).isEqualTo(9_500 + 3_500);
    assertThat(lock.waitPsMax()).isEqualTo(9_500);
  }

  @Test
  void shouldLetNobodyInWhileTheSynchronousPortHoldsIt() {
    SynchronousPort port = new SynchronousPort(machine.core);
    hold(machine.otherCore, 5_000, 1);

    lock.acquire(port);
    port.delay(10_000);
    assertThat(heldFromPs).isEmpty();
    assertThat(machine.simulation.nowPs()).isZero();
    lock.release(port);

    // Held 2..12 ns; the other came at 7.
    assertThat(machine.simulation.nowPs()).isEqualTo(12_000);
    assertThat(heldFromPs).containsExactly(12_500L);
  }

  @Test
  void shouldRefuseToBeHeldTwice() {
    SynchronousPort port = new SynchronousPort(machine.core);
    lock.acquire(port);
    assertThatIllegalStateException().isThrownBy(() -> lock.acquire(port));
  }
}
