package io.github.bellwire.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.PcieLinkConfig;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** From message to handler: 500 ns. */
class InterruptControllerTest {
  private final TestMachine machine = new TestMachine();
  private final InterruptController interrupts = machine.interrupts;
  private final List<String> log = new ArrayList<>();

  private InterruptVector logging(String name, Core core, long durationPs) {
    return interrupts.allocate(
        core,
        machine.routine(
            core,
            port -> {
              log.add(name + " " + port.nowPs());
              port.delay(durationPs);
            }));
  }

  private void send(InterruptVector vector, long atPs) {
    interrupts.onMessage(0x100, vector.address(), vector.data(), atPs);
  }

  @Test
  void shouldNumberTheVectorsOfEachCore() {
    // 0xFEE0_0000 | core << 12; vectors below 32 are exceptions.
    assertThat(logging("a", machine.core, 0).address()).isEqualTo(0xFEE0_0000L);
    assertThat(logging("b", machine.core, 0).data()).isEqualTo(0x21);
    InterruptVector other = logging("c", machine.otherCore, 0);
    assertThat(other.address()).isEqualTo(0xFEE0_1000L);
    assertThat(other.data()).isEqualTo(0x20);
  }

  @Test
  void shouldHave224VectorsPerCore() {
    for (int i = 0; i < 224; i++) {
      assertThat(interrupts.allocate(machine.core, null).data()).isEqualTo(0x20 + i);
    }

    assertThatIllegalStateException()
        .isThrownBy(() -> interrupts.allocate(machine.core, null))
        .withMessage("vectors of a core are used up: core=0");
    assertThat(interrupts.allocate(machine.otherCore, null).data()).isEqualTo(0x20);
  }

  @Test
  void shouldRunTheHandlerOfItsVectorAndCore() {
    logging("a", machine.core, 0);
    InterruptVector b = logging("b", machine.core, 0);
    InterruptVector c = logging("c", machine.otherCore, 0);
    send(b, 1_000);
    send(c, 1_001);

    machine.simulation.run();

    assertThat(log).containsExactly("b 501000", "c 501001");
    assertThat(interrupts.messagesTotal()).isEqualTo(2);
    assertThat(b.raisedTotal()).isEqualTo(1);
  }

  @Test
  void shouldDeliverMessagesInTheOrderOfTheirArrival() {
    InterruptVector a = logging("a", machine.core, 0);
    InterruptVector b = logging("b", machine.core, 0);
    InterruptVector c = logging("c", machine.core, 0);
    send(a, 3_000);
    send(b, 1_000);
    send(c, 1_000);

    machine.simulation.run();

    assertThat(log).containsExactly("b 501000", "c 501000", "a 503000");
  }

  @Test
  void shouldHoldManyMessagesOnTheirWay() {
    InterruptVector vector = interrupts.allocate(machine.core, null);
    for (int i = 0; i < 100; i++) {
      send(vector, 1_000 - i);
    }

    machine.simulation.runUntil(950);
    assertThat(vector.raisedTotal()).isEqualTo(50);
    machine.simulation.run();
    assertThat(vector.raisedTotal()).isEqualTo(100);
  }

  @Test
  void shouldMergeMessagesUntilTheHandlerRuns() {
    InterruptVector vector = logging("a", machine.core, 100);
    send(vector, 1_000);
    send(vector, 500_999);
    send(vector, 501_050);

    machine.simulation.run();

    // The last one arrives while the handler runs.
    assertThat(log).containsExactly("a 501000", "a 1001050");
    assertThat(vector.raisedTotal()).isEqualTo(3);
  }

  @Test
  void shouldMergeMessagesWhileTheHandlerWaitsForItsCore() {
    InterruptVector vector = logging("a", machine.core, 100);
    machine.routine(port -> port.delay(2_000_000)).wakeAt(0);
    send(vector, 1_000);
    send(vector, 1_900_000);

    machine.simulation.run();

    assertThat(log).containsExactly("a 2000000");
  }

  @Test
  void shouldNotWaitForATimerOfTheHandler() {
    Routine handler = machine.routine(port -> log.add("a " + port.nowPs()));
    InterruptVector vector = interrupts.allocate(machine.core, handler);
    handler.wakeAt(9_000_000);
    send(vector, 1_000);

    machine.simulation.run();

    assertThat(log).containsExactly("a 501000");
  }

  @Test
  void shouldCountAndDropWhatNobodyAllocated() {
    InterruptVector vector = logging("a", machine.core, 0);
    interrupts.onMessage(0x100, vector.address(), vector.data() + 1, 1_000);
    interrupts.onMessage(0x100, vector.address() + 0x1000, vector.data(), 1_000);

    machine.simulation.run();

    assertThat(log).isEmpty();
    assertThat(interrupts.spuriousTotal()).isEqualTo(2);
    assertThat(interrupts.messagesTotal()).isZero();
  }

  @Test
  void shouldTakeTheVectorFromTheLowBits() {
    InterruptVector vector = logging("a", machine.core, 0);
    interrupts.onMessage(0x100, vector.address(), 0x4300 | vector.data(), 1_000);

    machine.simulation.run();

    assertThat(log).containsExactly("a 501000");
  }

  @Test
  void shouldArriveBehindTheDataThatAMessageAnnounces() {
    CoreConfig immediate = new CoreConfig(1_000_000_000, 1, 0, 1, 0, DeviceAccessConfig.IDEAL);
    Core core = new Core(5, immediate, machine.ports);
    InterruptVector vector =
        interrupts.allocate(
            core,
            machine.routine(core, port -> log.add(port.nowPs() + ": " + port.load(0x1000, 1))));
    DmaPort dma = machine.fabric.plug(PcieLinkConfig.GEN3_X8).dma();
    machine.fabric.caches.deviceWritePs = 5_000_000;
    long commitPs = dma.writeStatus(0x1000, new byte[] {7}, 0, 1, 0);
    machine.fabric.caches.deviceWritePs = 0;

    dma.sendMessage(vector.address(), vector.data(), 0);
    machine.simulation.run();

    assertThat(log).containsExactly(commitPs + ": 7");
  }
}
