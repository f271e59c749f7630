package io.github.bellwire.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import io.github.bellwire.pcie.RecordingEndpoint;
import io.github.bellwire.pcie.RecordingEndpoint.Access;
import io.github.bellwire.pcie.TestFabric;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SynchronousPortTest {
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE).withPropagationPs(0);

  private final TestMachine machine = new TestMachine();
  private final SynchronousPort port = new SynchronousPort(machine.otherCore);

  @Test
  void shouldLetTheClockRunWithEveryAccess() {
    machine.fabric.caches.coreLoadPs = 300;
    machine.fabric.caches.coreStorePs = 200;

    port.store(0x1000, 8, 0x0807_0605_0403_0201L);
    assertThat(machine.simulation.nowPs()).isEqualTo(200);
    assertThat(port.load(0x1002, 4)).isEqualTo(0x0605_0403);
    assertThat(port.nowPs()).isEqualTo(500);
    port.store(0x1004, new byte[] {0, 9, 9, 0}, 1, 2);
    assertThat(port.nowPs()).isEqualTo(700);
    byte[] bytes = new byte[5];
    port.load(0x1003, bytes, 1, 4);
    assertThat(bytes).containsExactly(0, 4, 9, 9, 7);
    assertThat(port.nowPs()).isEqualTo(1_000);
    port.delay(24);
    port.compute(3);
    assertThat(port.nowPs()).isEqualTo(4_024);
    assertThat(port.coreIndex()).isEqualTo(1);
  }

  @Test
  void shouldSeeAStatusWriteFromItsCommitTimeOn() {
    // The queue's own event is far away, so it is the look that makes the write visible.
    machine.commit(0x2000, 1, 1_000_000_000);
    machine.fabric.caches.deviceWritePs = 100_000;
    DmaPort dma = machine.fabric.plug(GEN3_X8).dma();
    long commitPs = dma.writeStatus(0x1000, new byte[] {1}, 0, 1, 0);

    // A load takes 1 ps and sees memory when it is done.
    port.delay(commitPs - 2);
    assertThat(port.load(0x1000, 1)).isZero();
    assertThat(port.nowPs()).isEqualTo(commitPs - 1);
    assertThat(port.load(0x1000, 1)).isEqualTo(1);
    assertThat(port.nowPs()).isEqualTo(commitPs);
  }

  @Test
  void shouldSeeABlockAsOfTheEndOfItsLoad() {
    machine.fabric.caches.coreLoadPs = 500;
    machine.commit(0x1000, 1, 500);
    machine.commit(0x1001, 1, 501);
    byte[] bytes = new byte[2];

    port.load(0x1000, bytes, 0, 2);

    assertThat(bytes).containsExactly(1, 0);
  }

  @Test
  void shouldStoreBehindADeviceWriteThatWasCommittedBefore() {
    machine.fabric.caches.coreStorePs = 500;
    machine.commit(0x1000, 1, 500);
    machine.commit(0x1008, 1, 501);

    port.store(0x1000, 1, 2);
    machine.simulation.run();

    assertThat(machine.fabric.memory.getByte(0x1000)).isEqualTo(2);
    assertThat(machine.fabric.memory.getByte(0x1008)).isEqualTo(1);
  }

  @Test
  void shouldReadAndWriteRegisters() {
    RecordingEndpoint endpoint = machine.fabric.plug(GEN3_X8);
    endpoint.answer(0x1234);

    port.mmioWrite(TestFabric.BAR + 4, 4, 7);
    assertThat(port.nowPs()).isEqualTo(40_000);
    assertThat(endpoint.writes()).isEmpty();
    assertThat(port.mmioRead(TestFabric.BAR + 8, 4)).isEqualTo(0x1234);

    // MWr 28 B and MRd 24 B: 6_601.5625; CplD 24 B 3_046.
    assertThat(endpoint.writes()).containsExactly(new Access(0, 4, 4, 7, 43_554));
    assertThat(endpoint.reads()).containsExactly(new Access(0, 8, 4, 0, 46_601));
    assertThat(port.nowPs()).isEqualTo(49_647);
  }

  @Test
  void shouldMakeProgressWhenNobodyAnswers() {
    // Without delays in the root complex the refusal takes no time.
    assertThat(port.mmioRead(TestFabric.BAR, 4)).isEqualTo(0xffff_ffffL);
    assertThat(port.nowPs()).isEqualTo(1);
  }

  @Test
  void shouldAddUpTheTimeOfACriticalSectionAndOfThoseWithin() {
    port.delay(1_000);
    port.beginCritical();
    port.delay(20);
    port.beginCritical();
    port.delay(3);

    assertThat(port.nowPs()).isEqualTo(1_023);
    port.endCritical();
    assertThat(machine.simulation.nowPs()).isEqualTo(1_000);
    port.endCritical();
    assertThat(machine.simulation.nowPs()).isEqualTo(1_023);
  }

  @Test
  void shouldLetRoutinesRunMeanwhile() {
    machine.routine(machine.core, other -> other.store(0x1000, 4, 77)).wakeAt(500);

    port.delay(499);
    assertThat(machine.fabric.memory.getInt(0x1000)).isZero();
    port.delay(1);
    assertThat(machine.fabric.memory.getInt(0x1000)).isEqualTo(77);
  }

  // Interrupts.

  @Test
  void shouldWaitForAnInterrupt() {
    InterruptVector vector = machine.interrupts.allocate(machine.otherCore, null);
    DmaPort dma = machine.fabric.plug(GEN3_X8).dma();
    machine.fabric.caches.deviceWritePs = 100_000;
    dma.writeStatus(0x1000, new byte[] {1}, 0, 1, 0);
    long messagePs = dma.sendMessage(vector.address(), vector.data(), 0);

    assertThat(port.waitForInterrupt(vector, 1_000_000)).isTrue();

    assertThat(port.nowPs()).isEqualTo(messagePs + 500_000);
    assertThat(machine.fabric.memory.getByte(0x1000)).isEqualTo(1);
  }

  @Test
  void shouldNotWaitForAnInterruptThatHasArrived() {
    InterruptVector vector = machine.interrupts.allocate(machine.otherCore, null);
    send(vector, 100);
    send(vector, 200);
    port.delay(1_000);

    assertThat(port.waitForInterrupt(vector, 0)).isTrue();
    assertThat(port.nowPs()).isEqualTo(501_000);
    // Both have merged.
    assertThat(port.waitForInterrupt(vector, 250)).isFalse();
    assertThat(port.nowPs()).isEqualTo(501_250);
  }

  @Test
  void shouldGiveUpAtTheTimeout() {
    InterruptVector vector = machine.interrupts.allocate(machine.otherCore, null);
    machine.commit(0x1000, 1, 300);
    send(vector, 301);

    assertThat(port.waitForInterrupt(vector, 300)).isFalse();

    assertThat(port.nowPs()).isEqualTo(300);
    assertThat(machine.fabric.memory.getByte(0x1000)).isEqualTo(1);
    assertThat(port.waitForInterrupt(vector, 1)).isTrue();
  }

  private void send(InterruptVector vector, long atPs) {
    machine.interrupts.onMessage(0, vector.address(), vector.data(), atPs);
  }

  @Test
  void shouldRejectNegativeDurations() {
    InterruptVector vector = machine.interrupts.allocate(machine.otherCore, null);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> port.delay(-1))
        .withMessage("durationPs must be >= 0: durationPs=-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> port.compute(-1))
        .withMessage("cycles must be >= 0: cycles=-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> port.waitForInterrupt(vector, -1))
        .withMessage("timeoutPs must be >= 0: timeoutPs=-1");
  }

  static Stream<Consumer<SynchronousPort>> accesses() {
    byte[] line = new byte[64];
    return Stream.of(
        port -> port.load(0x1000, 4),
        port -> port.touch(0x1000, 4),
        port -> port.store(0x1000, 4, 1),
        port -> port.storeLongs(0x1000, 1, 2),
        port -> port.load(0x1000, line, 0, 64),
        port -> port.store(0x1000, line, 0, 64),
        port -> port.mmioRead(TestFabric.BAR, 4),
        port -> port.mmioWrite(TestFabric.BAR, 4, 1),
        port -> port.mmioRead(TestFabric.BAR, line, 0, 64),
        port -> port.mmioWrite(TestFabric.BAR, line, 0, 64),
        port -> port.wcStore(TestFabric.BAR, line, 0, 64),
        port -> port.wcLoad(TestFabric.BAR, line, 0, 64),
        port -> port.movdir64b(TestFabric.BAR, line, 0),
        port -> port.fence(),
        port -> port.copy(0x1000, 0x2000, 64),
        port -> port.maintainCache(CacheOperation.CLEAN, 0x1000, 64),
        port -> port.setCacheable(0x1000, 64, false),
        port -> port.spinUntil(0x1000, 4, 0, 100),
        port -> port.beginCritical(),
        port -> port.delay(1),
        port -> port.compute(1));
  }

  @ParameterizedTest
  @MethodSource("accesses")
  void shouldRefuseEveryAccessWithinAnEvent(Consumer<SynchronousPort> access) {
    machine.fabric.memory.putInt(0x1000, 7);
    machine.commit(0x1000, 8, 200);
    machine.at(300, () -> assertRefused(access, 300));
    machine.at(400, () -> assertRefused(access, 400));

    machine.simulation.run(1);
    machine.simulation.step();

    // Nothing was done by halves: the port is as it was.
    assertThat(machine.simulation.nowPs()).isEqualTo(400);
    assertThat(machine.fabric.memory.getInt(0x2000)).isZero();
    assertThat(port.load(0x1000, 4)).isEqualTo(8);
    port.delay(600);
    assertThat(machine.simulation.nowPs()).isEqualTo(1_001); // The load takes 1 ps.
  }

  @Test
  void shouldRefuseToEndACriticalSectionWithinAnEvent() {
    port.beginCritical();
    port.delay(1_000);
    machine.at(300, () -> assertRefused(SynchronousPort::endCritical, 300));

    machine.simulation.run(1);
    assertThat(machine.simulation.nowPs()).isEqualTo(300);

    port.endCritical();
    assertThat(machine.simulation.nowPs()).isEqualTo(1_000);
  }

  @Test
  void shouldRefuseToWaitForAnInterruptWithinAnEvent() {
    InterruptVector vector = machine.interrupts.allocate(machine.otherCore, null);
    machine.at(300, () -> assertRefused(p -> p.waitForInterrupt(vector, 100), 300));

    machine.simulation.run();

    assertThat(machine.simulation.nowPs()).isEqualTo(300);
  }

  private void assertRefused(Consumer<SynchronousPort> access, long nowPs) {
    assertThatIllegalStateException()
        .isThrownBy(() -> access.accept(port))
        .withMessage(
            "synchronous port must not be used within an event: coreIndex=1, nowPs=" + nowPs);
  }
}
