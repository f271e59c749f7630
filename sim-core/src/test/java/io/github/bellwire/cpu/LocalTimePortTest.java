package io.github.bellwire.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import io.github.bellwire.pcie.RecordingEndpoint;
import io.github.bellwire.pcie.RecordingEndpoint.Access;
import io.github.bellwire.pcie.TestFabric;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What a routine sees and what it costs. */
class LocalTimePortTest {
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE).withPropagationPs(0);

  private final TestMachine machine = new TestMachine();
  private final List<Long> log = new ArrayList<>();

  private void runAt(long atPs, Consumer<CpuPort> work) {
    machine.routine(work).wakeAt(atPs);
    machine.simulation.run();
  }

  @Test
  void shouldAddUpWhatAccessesCost() {
    machine.fabric.caches.coreLoadPs = 300;
    machine.fabric.caches.coreStorePs = 200;
    runAt(
        1_000,
        port -> {
          log.add(port.nowPs());
          port.load(0, 8);
          log.add(port.nowPs());
          port.store(0, 8, 1);
          log.add(port.nowPs());
          port.load(0, new byte[4], 0, 4);
          log.add(port.nowPs());
          port.store(0, new byte[4], 0, 4);
          log.add(port.nowPs());
          port.compute(5);
          log.add(port.nowPs());
          port.delay(7);
          log.add(port.nowPs());
          port.mmioWrite(0x40_0000_0000L, 4, 1);
          log.add(port.nowPs());
        });

    assertThat(log)
        .containsExactly(1_000L, 1_300L, 1_500L, 1_800L, 2_000L, 7_000L, 7_007L, 47_007L);
    assertThat(machine.simulation.nowPs()).isEqualTo(1_000);
  }

  @Test
  void shouldChargeTheSameWorkAgainAndOtherWorkInBetween() {
    runAt(
        1_000,
        port -> {
          for (int cycles : new int[] {5, 5, 2, 0, 5}) {
            port.compute(cycles);
            log.add(port.nowPs());
          }
        });

    assertThat(log).containsExactly(6_000L, 11_000L, 13_000L, 13_000L, 18_000L); // 1 ns a cycle
  }

  @Test
  void shouldMoveBytesLittleEndian() {
    byte[] bytes = new byte[6];
    runAt(
        0,
        port -> {
          port.store(0x1000, 4, 0x0403_0201);
          port.store(0x1004, new byte[] {9, 5, 6, 9}, 1, 2);
          port.load(0x1000, bytes, 0, 6);
          log.add(port.load(0x1001, 2));
          log.add((long) port.coreIndex());
        });

    assertThat(bytes).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(log).containsExactly(0x0302L, 0L);
  }

  @Test
  void shouldStoreADescriptorAsTwoStores() {
    machine.fabric.caches.coreStorePs = 200;
    for (long pa : new long[] {0x1000, 0x1030, 0x1038, 0x103c}) { // the last two leave the line
      log.clear();
      runAt(
          machine.simulation.nowPs(),
          port -> {
            long startPs = port.nowPs();
            port.storeLongs(pa, pa + 1, pa + 2);
            log.add(port.nowPs() - startPs);
            log.add(port.load(pa, 8));
            log.add(port.load(pa + 8, 8));
          });

      assertThat(log).as("pa=%x", pa).containsExactly(400L, pa + 1, pa + 2);
    }
  }

  @Test
  void shouldSeeMemoryAsOfItsStart() {
    machine.commit(0x1000, 1, 1_000);
    machine.commit(0x1001, 2, 1_001);

    runAt(
        1_000,
        port -> {
          port.delay(1_000_000);
          log.add(port.load(0x1000, 2));
        });

    assertThat(log).containsExactly(1L);
  }

  @Test
  void shouldSeeAStatusWriteFromItsCommitTimeOn() {
    machine.fabric.caches.deviceWritePs = 100_000;
    long commitPs = machine.fabric.plug(GEN3_X8).dma().writeStatus(0x1000, new byte[] {1}, 0, 1, 0);

    machine.routine(port -> log.add(port.load(0x1000, 1))).wakeAt(commitPs - 1);
    // On the other core, because this one is busy for a picosecond.
    machine.routine(machine.otherCore, port -> log.add(port.load(0x1000, 1))).wakeAt(commitPs);
    machine.simulation.run();

    assertThat(log).containsExactly(0L, 1L);
  }

  @Test
  void shouldIssueRegisterWritesAtItsLocalTime() {
    RecordingEndpoint endpoint = machine.fabric.plug(GEN3_X8);

    runAt(
        0,
        port -> {
          port.delay(1_000_000);
          port.mmioWrite(TestFabric.BAR + 4, 4, 7);
        });

    // 40 ns in the core, MWr 28 B 3_554.
    assertThat(endpoint.writes()).containsExactly(new Access(0, 4, 4, 7, 1_043_554));
  }

  @Test
  void shouldLetTheClockCatchUpDuringARegisterRead() {
    RecordingEndpoint endpoint = machine.fabric.plug(GEN3_X8);
    endpoint.answer(0x55);
    machine.commit(0x1001, 1, 1_006_093);
    machine.commit(0x1000, 1, 500_000);

    runAt(
        0,
        port -> {
          port.delay(1_000_000);
          log.add(port.mmioRead(TestFabric.BAR, 4));
          log.add(port.nowPs());
          log.add(machine.simulation.nowPs());
          log.add(port.load(0x1000, 2));
        });

    // MRd and CplD of 24 B: 3_046 each.
    assertThat(log).containsExactly(0x55L, 1_006_092L, 1_006_092L, 1L);
  }

  @Test
  void shouldKeepItsAnswerWhileAnotherCoreReads() {
    RecordingEndpoint slow = machine.fabric.plug(GEN3_X8.withPropagationPs(1_000_000));
    RecordingEndpoint fast = machine.fabric.plug(GEN3_X8);
    slow.answer(1);
    fast.answer(2);
    List<String> answers = new ArrayList<>();
    machine
        .routine(port -> answers.add(port.mmioRead(TestFabric.BAR, 4) + " " + port.nowPs()))
        .wakeAt(0);
    // While the answer is on its way, and across its arrival.
    for (long atPs : new long[] {1_500_000, 2_003_000}) {
      machine
          .routine(
              machine.otherCore,
              port ->
                  answers.add(port.mmioRead(TestFabric.BAR + 0x10_0000, 4) + " " + port.nowPs()))
          .wakeAt(atPs);
    }

    machine.simulation.run();

    // The first reader sees the clock where the one that waits inside its wait has left it.
    assertThat(answers).containsExactly("2 1506092", "2 2009092", "1 2009092");
  }

  @Test
  void shouldReadOnesWhereNobodyAnswers() {
    runAt(0, port -> log.add(port.mmioRead(0x40_0000_0000L, 2)));

    assertThat(log).containsExactly(0xffffL);
  }

  @Test
  void shouldRejectNegativeDurations() {
    runAt(
        0,
        port -> {
          assertThatIllegalArgumentException()
              .isThrownBy(() -> port.delay(-1))
              .withMessage("durationPs must be >= 0: durationPs=-1");
          assertThatIllegalArgumentException()
              .isThrownBy(() -> port.compute(-2))
              .withMessage("cycles must be >= 0: cycles=-2");
          log.add(port.nowPs());
        });

    assertThat(log).containsExactly(0L);
  }
}
