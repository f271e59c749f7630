package io.github.bellwire.device.nic.driver;

import static io.github.bellwire.device.nic.driver.DriverBench.MS_PS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.device.CheckedMachines;
import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.device.nic.NicRegisters;
import io.github.bellwire.host.HostConfig;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(CheckedMachines.class)
class NicInterruptsTest {
  @ParameterizedTest
  @EnumSource(
      value = DriverMode.class,
      names = {"INTERRUPT", "NAPI"})
  void shouldKeepTheDistanceOfMessages(DriverMode mode) {
    // 500 ns per frame of 60 + 24 bytes at 1.344 Gb/s would be 2000 interrupts per ms.
    NicConfig card = NicConfig.NIC_82599.withLineBitsPerSecond(1_344_000_000L);
    NicDriverConfig config =
        NicDriverConfig.forMode(mode).toBuilder()
            .itrPs(51_200_000)
            .profile(DriverProfile.IDEAL)
            .build();
    DriverBench bench = new DriverBench(HostConfig.GEN4_SERVER, card, config, null);
    bench.driver.start(bench.port);
    List<Long> received = new ArrayList<>();
    bench.startReceivers((port, frame) -> received.add(port.nowPs()));
    long before = bench.host.interrupts().messagesTotal();
    bench.feed(DriverBench.equalFrames(20_000, 60));

    bench.runFor(10 * MS_PS);

    assertThat(received).hasSizeGreaterThan(19_700);
    // One at once, then one each 51.2 us: 10 ms / 51.2 us = 195.3.
    assertThat(bench.host.interrupts().messagesTotal() - before).isBetween(195L, 197L);
    assertThat(bench.host.interrupts().spuriousTotal()).isZero();
  }

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldSpreadFlowsOverQueuesInOrder(DriverMode mode) {
    NicConfig card = DriverBench.GIGABIT_CARD;
    NicDriverConfig config = NicDriverConfig.forMode(mode).toBuilder().rxQueues(4).build();
    DriverBench bench = new DriverBench(HostConfig.GEN4_SERVER, card, config, null);
    bench.driver.start(bench.port);
    List<List<Integer>> byQueue = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      byQueue.add(new ArrayList<>());
    }
    byte[] bytes = new byte[2048];
    bench.startReceivers(
        (port, frame) -> {
          frame.copyTo(bench.host.coreMemory()::copyOut, bytes, 0);
          byQueue.get(frame.queueIndex()).add((bytes[50] & 0xFF) << 8 | bytes[51] & 0xFF);
        });
    List<byte[]> frames = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      frames.add(udpFrame(i));
    }
    bench.feed(frames);

    bench.runFor(10 * MS_PS);

    int total = 0;
    for (List<Integer> queue : byQueue) {
      assertThat(queue).isSorted();
      // 64 flows over 4 queues; none is left out.
      assertThat(queue).hasSizeBetween(100, 1000);
      total += queue.size();
    }
    assertThat(total).isEqualTo(2000);
  }

  @Test
  void shouldUseTheExtendedRegistersForHighVectors() {
    DriverBench bench = new DriverBench(NicDriverConfig.INTERRUPT);
    bench.driver.start(bench.port);
    NicInterrupts interrupts = bench.driver.interrupts();
    InterruptVector vector = bench.host.interrupts().allocate(bench.host.core(1), null);

    for (int index : new int[] {15, 16, 40}) {
      interrupts.connect(bench.port, index, vector, 2_048_000, true);
      interrupts.unmask(bench.port, index);
    }

    assertThat(read(bench, NicRegisters.EIMS)).isEqualTo(1 << 15);
    assertThat(read(bench, NicRegisters.eimsEx(0))).isEqualTo(3 << 15);
    assertThat(read(bench, NicRegisters.eimsEx(1))).isEqualTo(1 << 8);
    assertThat(read(bench, NicRegisters.eiamEx(0))).isEqualTo(3 << 15);
    assertThat(read(bench, NicRegisters.EIAC)).isEqualTo(1 << 15);
    assertThat(read(bench, NicRegisters.eitr(40)) & 0xFF8).isEqualTo(8);

    // A cause by software arrives and masks the vector.
    bench.port.mmioWrite(bar0(bench) + NicRegisters.eicsEx(1), 4, 1 << 8);
    assertThat(bench.port.waitForInterrupt(vector, MS_PS)).isTrue();
    assertThat(read(bench, NicRegisters.eimsEx(1))).isZero();
    interrupts.mask(bench.port, 16);
    assertThat(read(bench, NicRegisters.eimsEx(0))).isEqualTo(1 << 15);
    interrupts.connect(bench.port, 16, vector, 0, false);
    assertThat(read(bench, NicRegisters.eiamEx(0))).isEqualTo(1 << 15);
  }

  @Test
  void shouldAssignQueuesToVectors() {
    DriverBench bench = new DriverBench(NicDriverConfig.INTERRUPT);
    bench.driver.start(bench.port);
    NicInterrupts interrupts = bench.driver.interrupts();

    interrupts.assignReceive(bench.port, 2, 5);
    interrupts.assignTransmit(bench.port, 2, 6);
    interrupts.assignReceive(bench.port, 3, 7);
    interrupts.assignTransmit(bench.port, 3, 8);

    assertThat(read(bench, NicRegisters.ivar(1))).isEqualTo(0x88878685);
  }

  @Test
  void shouldRefuseVectorsThatDoNotExist() {
    DriverBench bench = new DriverBench(NicDriverConfig.INTERRUPT);
    InterruptVector vector = bench.host.interrupts().allocate(bench.host.core(1), null);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> bench.driver.interrupts().connect(bench.port, 64, vector, 0, true))
        .withMessage("vectorIndex must be 0..63: vectorIndex=64");
  }

  private static int read(DriverBench bench, int offset) {
    return (int) bench.port.mmioRead(bar0(bench) + offset, 4);
  }

  private static long bar0(DriverBench bench) {
    return bench.nic.configSpace().barAddress(0);
  }

  /** One of 64 UDP flows, numbered in the payload. */
  private static byte[] udpFrame(int number) {
    byte[] frame = new byte[60];
    frame[0] = 2;
    frame[12] = 0x08;
    frame[14] = 0x45;
    frame[17] = 46;
    frame[23] = 17;
    frame[26] = 10;
    frame[29] = (byte) (number % 64);
    frame[30] = 10;
    frame[33] = 1;
    frame[35] = (byte) (number % 64);
    frame[39] = 26;
    frame[50] = (byte) (number >>> 8);
    frame[51] = (byte) number;
    return frame;
  }
}
