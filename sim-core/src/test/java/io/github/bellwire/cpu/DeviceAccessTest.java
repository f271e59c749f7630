package io.github.bellwire.cpu;

import static io.github.bellwire.pcie.TestFabric.BAR;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.pcie.LinkDirection;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import io.github.bellwire.pcie.RecordingEndpoint;
import io.github.bellwire.pcie.RecordingEndpoint.Access;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * Streams of accesses to device memory. Gen 3 x8 without delay, 126.953125 ps per byte: a write of
 * a line (24 + 64 B) lasts 11_171.875 ps, one of up to 8 bytes (32 B) 4_062.5, of up to 4 (28 B)
 * 3_554.6875, a read request (24 B) 3_046.875, a line's completion (84 B) 10_664.0625.
 */
class DeviceAccessTest {
  private static final PcieLinkConfig LINK =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE).withPropagationPs(0);

  /** 100 ns gap; 16 B in 500 ps; 2 buffers; 50 ns handover; 10 ns fence; 2 streaming loads. */
  private static final DeviceAccessConfig ACCESS =
      new DeviceAccessConfig(100_000, 16, 500, 2, 50_000, 10_000, 2);

  private final TestMachine machine = new TestMachine();
  private final RecordingEndpoint endpoint = machine.fabric.plug(LINK);
  private final LinkDirection downstream = machine.fabric.port(0).downstream();
  private final Core core = new Core(0, TestMachine.CONFIG.withDeviceAccess(ACCESS), machine.ports);
  private final List<Long> log = new ArrayList<>();

  private static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (i + 1);
    }
    return bytes;
  }

  private void run(Consumer<CpuPort> work) {
    machine.routine(core, work).wakeAt(machine.simulation.nowPs());
    machine.simulation.run();
  }

  @Test
  void shouldSendAFullLineAsOneRequest() {
    run(
        port -> {
          port.wcStore(BAR + 64, bytes(64), 0, 64);
          log.add(port.nowPs());
        });

    assertThat(log).containsExactly(2_000L); // 4 x 500
    assertThat(downstream.memoryWritesTotal()).isEqualTo(1);
    assertThat(downstream.bytesTotal()).isEqualTo(88);
    assertThat(endpoint.writes()).hasSize(8);
    assertThat(endpoint.writes().get(0))
        .isEqualTo(new Access(0, 64, 8, 0x08070605_04030201L, 13_171));
    assertThat(endpoint.writes().get(7).value()).isEqualTo(0x403F3E3D_3C3B3A39L);
  }

  @Test
  void shouldGatherStoresInAnyOrder() {
    run(
        port -> {
          port.wcStore(BAR + 32, bytes(64), 32, 32);
          port.wcStore(BAR, bytes(64), 0, 32);
        });

    assertThat(downstream.bytesTotal()).isEqualTo(88);
  }

  @Test
  void shouldKeepAPartOfALineUntilAFence() {
    run(
        port -> {
          port.wcStore(BAR + 3, bytes(3), 0, 3);
          log.add(port.nowPs());
        });
    assertThat(downstream.memoryWritesTotal()).isZero();

    run(
        port -> {
          port.fence();
          log.add(port.nowPs());
        });

    // Bytes 3 to 5 lie in two double words: 32 B. The core is free at 500; handover 50_000, link
    // 4_062, fence 10_000.
    assertThat(log).containsExactly(500L, 64_562L);
    assertThat(downstream.bytesTotal()).isEqualTo(32);
    assertThat(endpoint.writes())
        .containsExactly(new Access(0, 3, 1, 1, 4_562), new Access(0, 4, 2, 0x0302, 4_562));
  }

  @Test
  void shouldSendARequestForEachRunInsideEightBytes() {
    run(
        port -> {
          port.wcStore(BAR + 10, bytes(2), 0, 2);
          port.wcStore(BAR, bytes(2), 0, 2);
          port.wcStore(BAR + 4, bytes(6), 0, 6);
          port.fence();
        });

    // Bytes 0-1, 4-7, 8-11: what touches across the 8-byte boundary is cut.
    assertThat(downstream.memoryWritesTotal()).isEqualTo(3);
    assertThat(downstream.bytesTotal()).isEqualTo(3 * 28);
    assertThat(endpoint.writes()).extracting(Access::offset).containsExactly(0L, 4L, 8L);
  }

  @Test
  void shouldEvictTheOldestLineForWantOfABuffer() {
    run(
        port -> {
          port.wcStore(BAR + 128, bytes(8), 0, 8);
          port.wcStore(BAR, bytes(8), 0, 8);
          port.wcStore(BAR + 136, bytes(8), 0, 8);
          log.add(port.nowPs());
          port.wcStore(BAR + 64, bytes(8), 0, 8);
          log.add(port.nowPs());
        });

    // Evicted at 1_500: two writes of 32 B, 8_125; the buffer is free at 59_625.
    assertThat(log).containsExactly(1_500L, 60_125L);
    assertThat(endpoint.writes()).extracting(Access::offset).containsExactly(128L, 136L);
  }

  @Test
  void shouldWaitForTheBufferThatIsAcknowledgedFirst() {
    run(
        port -> {
          port.wcStore(BAR, bytes(256), 0, 192);
          log.add(port.nowPs());
          port.fence();
          log.add(port.nowPs());
        });

    // Line 1 leaves the core at 2_000, is sent at 13_171 and acknowledged at 63_171; line 2 leaves
    // at 4_000, waits for the link until 24_343. Line 3 leaves at 65_171: sent 76_342, + 50_000.
    assertThat(log).containsExactly(65_171L, 136_342L);
  }

  @Test
  void shouldGoAtTheRateOfTheLinkWhenThatIsSlower() {
    DeviceAccessConfig quick = new DeviceAccessConfig(1, 64, 0, 4, 1_000, 0, 1);
    Core fast = new Core(0, TestMachine.CONFIG.withDeviceAccess(quick), machine.ports);
    machine
        .routine(
            fast,
            port -> {
              port.wcStore(BAR, new byte[4096], 0, 4096);
              port.fence();
              log.add(port.nowPs());
            })
        .wakeAt(0);
    machine.simulation.run();

    assertThat(log).containsExactly(64 * 11_171_875L / 1_000 + 1_000);
  }

  @Test
  void shouldSendStoresBeforeAnUncachedAccess() {
    run(
        port -> {
          port.wcStore(BAR + 64, bytes(8), 0, 8);
          port.mmioWrite(BAR + 8, 4, 7);
          port.wcStore(BAR + 64, bytes(8), 0, 8);
          port.mmioRead(BAR + 8, 4);
          log.add((long) endpoint.writes().size());
          port.wcStore(BAR + 64, bytes(8), 0, 8);
          port.mmioRead(BAR + 8, new byte[4], 0, 4);
          log.add((long) endpoint.writes().size());
          port.wcStore(BAR + 64, bytes(8), 0, 8);
          port.wcLoad(BAR + 8, new byte[4], 0, 4);
          log.add((long) endpoint.writes().size());
          port.wcStore(BAR + 64, bytes(8), 0, 8);
          port.mmioWrite(BAR + 16, bytes(8), 0, 8);
        });

    assertThat(log).containsExactly(3L, 4L, 5L);
    assertThat(endpoint.writes())
        .extracting(Access::offset)
        .containsExactly(64L, 8L, 64L, 64L, 64L, 64L, 16L);
  }

  @Test
  void shouldKeepStoresOfOneCoreTogetherOverRoutines() {
    run(port -> port.wcStore(BAR, bytes(64), 0, 32));
    new SynchronousPort(core).wcStore(BAR + 32, bytes(64), 32, 32);
    machine.simulation.run();

    assertThat(downstream.memoryWritesTotal()).isEqualTo(1);
    assertThat(downstream.bytesTotal()).isEqualTo(88);
  }

  @Test
  void shouldSendALineAtOnce() {
    run(
        port -> {
          port.wcStore(BAR + 64, bytes(1), 0, 1);
          port.movdir64b(BAR + 64, bytes(64), 0);
          log.add(port.nowPs());
        });

    assertThat(log).containsExactly(2_500L);
    assertThat(downstream.bytesTotal()).isEqualTo(28 + 88); // the older store first
    assertThat(endpoint.writes().get(1).value()).isEqualTo(0x08070605_04030201L);
  }

  @Test
  void shouldRejectALineThatIsNotAligned() {
    run(
        port ->
            assertThatIllegalArgumentException()
                .isThrownBy(() -> port.movdir64b(BAR + 8, bytes(64), 0))
                .withMessage("address must be a multiple of 64: address=0x4000000008"));
  }

  @Test
  void shouldKeepTheGapBetweenUncachedStores() {
    run(
        port -> {
          port.mmioWrite(BAR + 4, bytes(15), 0, 15);
          log.add(port.nowPs());
          port.mmioWrite(BAR, 4, 7);
          log.add(port.nowPs());
          port.delay(500_000);
          port.mmioWrite(BAR, 4, 7);
          log.add(port.nowPs());
        });

    // 4, 8, 2 and 1 bytes. 40_000 for the first, then one every 100_000; none waits after a pause.
    assertThat(log).containsExactly(340_000L, 440_000L, 980_000L);
    assertThat(endpoint.writes()).extracting(Access::sizeBytes).containsExactly(4, 8, 2, 1, 4, 4);
    assertThat(downstream.memoryWritesTotal()).isEqualTo(6);
  }

  @Test
  void shouldHoldUncachedStoresUpWhileTheLinkIsBusyForLong() {
    DeviceAccessConfig quick = new DeviceAccessConfig(1, 64, 0, 4, 0, 0, 1);
    CoreConfig config = new CoreConfig(1_000_000_000, 1, 0, 1, 0, quick);
    machine
        .routine(
            new Core(0, config, machine.ports),
            port -> {
              port.mmioWrite(BAR, new byte[4096], 0, 4096);
              log.add(port.nowPs());
              port.mmioWrite(BAR, 8, 1);
              log.add(port.nowPs());
            })
        .wakeAt(0);
    machine.simulation.run();

    // 512 writes of 4_062.5 ps: the last leaves the core when all but 1 us of those before are
    // sent.
    long sentPs = 511 * 4_062_500L / 1_000;
    assertThat(log.get(0)).isBetween(sentPs - 1_000_100, sentPs - 999_900);
    assertThat(log.get(1) - log.get(0)).isBetween(4_000L, 4_100L);
  }

  @Test
  void shouldLoadOneVectorAfterTheOther() {
    endpoint.answer(0x0102);
    endpoint.answerAfter(500_000);
    byte[] loaded = new byte[33];

    run(
        port -> {
          port.mmioRead(BAR + 16, loaded, 1, 32);
          log.add(port.nowPs());
        });

    // Twice: request 3_046, device 500_000, completion of 36 B 4_570.
    assertThat(log).containsExactly(2 * (3_046L + 500_000 + 4_570));
    assertThat(endpoint.reads()).hasSize(4);
    assertThat(loaded[0]).isZero();
    assertThat(loaded[1]).isEqualTo((byte) 2);
    assertThat(loaded[26]).isEqualTo((byte) 1);
  }

  @Test
  void shouldStreamAsManyLoadsAsMayBeUnderWay() {
    endpoint.answerAfter(1_000_000);

    run(
        port -> {
          port.wcLoad(BAR, new byte[192], 0, 192);
          log.add(port.nowPs());
        });

    // The first is back at 3_046 + 1_000_000 + 10_664 = 1_013_710 and lets the third go, which
    // takes as long.
    assertThat(log).containsExactly(2 * 1_013_710L);
    assertThat(endpoint.reads().get(8).atPs()).isEqualTo(6_093); // the second right behind
    assertThat(endpoint.reads().get(16).atPs()).isEqualTo(1_013_710 + 3_046);
  }

  @Test
  void shouldStreamFromTheMiddleOfALine() {
    run(port -> port.wcLoad(BAR + 56, new byte[80], 0, 80));

    // 8, 64 and 8 bytes.
    assertThat(downstream.memoryReadsTotal()).isEqualTo(3);
    assertThat(endpoint.reads()).hasSize(10);
    assertThat(endpoint.reads().get(1).offset()).isEqualTo(64);
    assertThat(endpoint.reads().get(9).offset()).isEqualTo(128);
  }

  @Test
  void shouldReadOnesAndLoseWritesWhereNobodyAnswers() {
    long nowhere = 0x50_0000_0000L;
    byte[] loaded = new byte[80];
    byte[] streamed = new byte[80];

    run(
        port -> {
          port.mmioWrite(nowhere, bytes(8), 0, 8);
          port.wcStore(nowhere, bytes(64), 0, 64);
          port.mmioRead(nowhere, loaded, 0, 80);
          port.wcLoad(nowhere, streamed, 0, 80);
        });

    assertThat(loaded).containsOnly(0xff);
    assertThat(streamed).containsOnly(0xff);
    // One store, one line, 5 loads, 2 lines.
    assertThat(machine.fabric.rootComplex.unclaimedAccessesTotal()).isEqualTo(9);
  }

  @Test
  void shouldCostTheSameOnTheSynchronousPort() {
    Consumer<CpuPort> work =
        port -> {
          long startPs = port.nowPs();
          port.wcStore(BAR + 8, bytes(200), 0, 200);
          port.fence();
          port.movdir64b(BAR, bytes(64), 0);
          port.mmioWrite(BAR, bytes(24), 0, 24);
          port.mmioRead(BAR, new byte[40], 0, 40);
          port.wcLoad(BAR, new byte[256], 0, 256);
          port.copy(0x1000, 0x3000, 300);
          log.add(port.nowPs() - startPs);
        };

    run(work);
    machine.simulation.runUntil(10_000_000);
    work.accept(new SynchronousPort(core));

    assertThat(log.get(1)).isEqualTo(log.get(0));
    assertThat(log.get(0)).isPositive();
  }
}
