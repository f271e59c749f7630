package io.github.bellwire.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import io.github.bellwire.pcie.TestFabric;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When routines run, on one core and on two. */
class CoreTest {
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE);

  private final TestMachine machine = new TestMachine();
  private final List<String> log = new ArrayList<>();

  private Routine logging(String name, long durationPs) {
    return logging(machine.core, name, durationPs);
  }

  private Routine logging(Core core, String name, long durationPs) {
    return machine.routine(
        core,
        port -> {
          log.add(name + " " + port.nowPs());
          port.delay(durationPs);
        });
  }

  @Test
  void shouldRunARoutineWhenItIsDue() {
    logging("a", 100).wakeAt(1_000);

    machine.simulation.run();

    assertThat(log).containsExactly("a 1000");
    assertThat(machine.core.busyPsTotal()).isEqualTo(100);
    assertThat(machine.otherCore.busyPsTotal()).isZero();
  }

  @Test
  void shouldRunARoutineAtTheEarliestOfItsTimes() {
    Routine routine = logging("a", 0);
    routine.wakeAt(3_000);
    routine.wakeAt(1_000);
    routine.wakeAt(2_000);

    machine.simulation.run();

    assertThat(log).containsExactly("a 1000");
  }

  @Test
  void shouldLetARoutineWaitWhileTheCoreIsBusy() {
    logging("a", 1_000).wakeAt(0);
    logging("b", 500).wakeAt(400);
    logging("c", 100).wakeAt(1_400);

    machine.simulation.run();

    assertThat(log).containsExactly("a 0", "b 1000", "c 1500");
    assertThat(machine.core.busyPsTotal()).isEqualTo(1_600);
  }

  @Test
  void shouldNotLetOneCoreWaitForAnother() {
    logging(machine.core, "a", 1_000).wakeAt(0);
    logging(machine.otherCore, "b", 500).wakeAt(400);

    machine.simulation.run();

    assertThat(log).containsExactly("a 0", "b 400");
  }

  @Test
  void shouldRunRoutinesInTheOrderInWhichTheyBecameDue() {
    // Asked for first, but due last, just when the core is free.
    logging("d", 10).wakeAt(1_000);
    logging("a", 1_000).wakeAt(0);
    logging("c", 10).wakeAt(700);
    logging("b", 10).wakeAt(300);

    machine.simulation.run();

    assertThat(log).containsExactly("a 0", "b 1000", "c 1010", "d 1020");
  }

  @Test
  void shouldNotStarveARoutineByOneThatNeverSleeps() {
    Routine[] busy = new Routine[1];
    busy[0] =
        machine.routine(
            port -> {
              log.add("busy " + port.nowPs());
              port.delay(100);
              busy[0].wakeAt(port.nowPs());
            });
    busy[0].wakeAt(0);
    logging("handler", 30).wakeAt(150);

    machine.simulation.runUntil(399);

    assertThat(log).containsExactly("busy 0", "busy 100", "handler 200", "busy 230", "busy 330");
  }

  @Test
  void shouldRunARoutineOnceHoweverOftenItIsWokenWhileItWaits() {
    Routine b = logging("b", 10);
    logging("a", 1_000).wakeAt(0);
    b.wakeAt(300);
    machine.at(400, () -> b.wakeAt(400));
    machine.at(500, () -> b.wakeAt(900));
    machine.at(600, () -> b.wakeAt(5_000));

    machine.simulation.run();

    assertThat(log).containsExactly("a 0", "b 1000");
  }

  @Test
  void shouldRunARoutineAgainThatIsWokenWhileItRuns() {
    Routine[] self = new Routine[1];
    self[0] =
        machine.routine(
            port -> {
              log.add("a " + port.nowPs());
              port.delay(100);
              if (log.size() < 3) {
                self[0].wakeAt(port.nowPs() - 50);
              }
            });
    self[0].wakeAt(0);

    machine.simulation.run();

    assertThat(log).containsExactly("a 0", "a 100", "a 200");
  }

  @Test
  void shouldStayBusyWhileARoutineWaitsForARegister() {
    machine.fabric.plug(GEN3_X8.withPropagationPs(500_000));
    Routine b = logging("b", 10);
    Routine c = logging("c", 10);
    Routine reader =
        machine.routine(
            port -> {
              log.add("reader " + port.nowPs());
              port.mmioRead(TestFabric.BAR, 4);
              log.add("reader still " + port.nowPs());
            });
    reader.wakeAt(0);
    c.wakeAt(700_000);
    b.wakeAt(200_000);
    machine.at(300_000, () -> b.wakeAt(300_000));
    machine.at(400_000, () -> reader.wakeAt(400_000));
    logging(machine.otherCore, "other", 10).wakeAt(600_000);

    machine.simulation.run();

    // MRd and CplD of 24 B, 3_046 each, and twice 500_000.
    assertThat(log)
        .containsExactly(
            "reader 0",
            "other 600000",
            "reader still 1006092",
            "b 1006092",
            "reader 1006102",
            "reader still 2012194",
            "c 2012194");
    assertThat(machine.core.busyPsTotal()).isEqualTo(2 * 1_006_092 + 20);
  }

  @Test
  void shouldGoOnBehindARoutineThatThrows() {
    machine
        .routine(
            port -> {
              port.delay(500);
              throw new IllegalStateException("software");
            })
        .wakeAt(0);
    logging("b", 10).wakeAt(100);

    assertThatThrownBy(machine.simulation::run).hasMessage("software");
    machine.simulation.run();

    assertThat(log).containsExactly("b 500");
    assertThat(machine.core.busyPsTotal()).isEqualTo(510);
  }

  @Test
  void shouldNotGoBackInTimeBehindAWaitThatFails() {
    machine.fabric.plug(GEN3_X8.withPropagationPs(500_000));
    machine.routine(port -> port.mmioRead(TestFabric.BAR, 4)).wakeAt(0);
    logging("b", 10).wakeAt(200_000);
    machine.at(
        300_000,
        () -> {
          throw new IllegalStateException("device");
        });

    assertThatThrownBy(machine.simulation::run).hasMessage("device");
    machine.simulation.run();

    assertThat(log).containsExactly("b 300000");
    assertThat(machine.core.busyPsTotal()).isEqualTo(300_010);
  }

  @Test
  void shouldKnowItsIndexAndConfiguration() {
    assertThat(machine.otherCore.index()).isEqualTo(1);
    assertThat(machine.otherCore.config()).isSameAs(TestMachine.CONFIG);
    assertThat(logging("a", 0).core()).isSameAs(machine.core);
  }
}
