package io.github.bellwire.device.aperture;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.cpu.MemoryType;
import io.github.bellwire.cpu.MmioMapping;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.CheckedMachines;
import io.github.bellwire.device.aperture.driver.ApertureDriver;
import io.github.bellwire.device.aperture.driver.DeviceCopy;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.check.DmaChecker;
import io.github.bellwire.dma.check.DmaReport;
import io.github.bellwire.dma.check.DmaViolation;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.kernel.RandomStream;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.EnumeratedFunction;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A device with an aperture on a whole machine, driven by its driver. */
@ExtendWith(CheckedMachines.class)
class ApertureTest {
  private static final int MIB = 1 << 20;
  private static final int ENABLED =
      ConfigLayout.COMMAND_MEMORY_ENABLE | ConfigLayout.COMMAND_BUS_MASTER_ENABLE;

  private final Host host = new Host(HostConfig.DGX_1, 1);
  private ApertureConfig config = new ApertureConfig(MIB, 500_000, 100_000, 200_000);
  private Aperture device;
  private final SynchronousPort cpu = host.synchronousPort(0);
  private final DmaDevice dma = host.newDmaDevice();
  private long registers;
  private long window;
  private ApertureDriver driver;
  private CoherentBuffer buffer;

  @BeforeEach
  void plugIn() {
    CheckedMachines.watch(host);
    dma.trySetCoherentMask(47);
    device = new Aperture(config, host.simulation(), host.config().link());
    host.attach(device);
    EnumeratedFunction function = host.enumerate().get(0);
    registers = function.barAddress(ApertureLayout.REGISTER_BAR);
    window = function.barAddress(ApertureLayout.APERTURE_BAR);
    device.configSpace().write(ConfigLayout.COMMAND, 2, ENABLED);
    driver = new ApertureDriver(cpu, dma, registers, 4);
    buffer = Objects.requireNonNull(dma.allocateCoherent(cpu, MIB));
  }

  private byte[] random(int length) {
    RandomStream random = host.simulation().randomStream("bytes");
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) random.nextInt(256);
    }
    return bytes;
  }

  private byte[] deviceBytes(int offset, int length) {
    byte[] bytes = new byte[length];
    device.copyOut(offset, bytes, length);
    return bytes;
  }

  private byte[] hostBytes(int offset, int length) {
    byte[] bytes = new byte[length];
    host.memory().copyOut(buffer.pa() + offset, bytes, 0, length);
    return bytes;
  }

  private void await(int count) {
    for (int done = 0; done < count; ) {
      done += driver.reap(cpu);
    }
  }

  // The aperture.

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 8, 15, 16, 31, 64, 127, 128, 1000, 70_000})
  void shouldHoldWhatCoresStore(int length) {
    DeviceCopy copy = new DeviceCopy(new MmioMapping(window, MIB, MemoryType.UC));
    byte[] bytes = random(length);
    byte[] read = new byte[length];

    copy.writeUncached(cpu, 0, bytes, length);
    copy.writeCombining(cpu, 131_077, bytes, length);
    copy.writeLines(cpu, 262_144, bytes, length);
    copy.read(cpu, 131_077, read, length);

    assertThat(read).isEqualTo(bytes);
    assertThat(deviceBytes(0, length)).isEqualTo(bytes);
    assertThat(deviceBytes(262_144, length)).isEqualTo(bytes);
    assertThat(deviceBytes(131_076, 1)).containsExactly(0);
    assertThat(deviceBytes(131_077 + length, 1)).containsExactly(0);
  }

  @Test
  void shouldTellWhenTheLastWriteArrived() {
    long startPs = cpu.nowPs();
    cpu.mmioWrite(window + MIB - 4, 4, 0x01020304);
    cpu.delay(1_000_000);

    // 100_000 in the core, 130_000 down, MWr 28 B x 63.4765625, link 60_000.
    assertThat(device.lastWritePs()).isEqualTo(startPs + 100_000 + 130_000 + 1_777 + 60_000);
    assertThat(cpu.mmioRead(window + MIB - 3, 2)).isEqualTo(0x0203);
    cpu.movdir64b(window + 64, new byte[64], 0);
    cpu.delay(1_000_000);
    assertThat(device.lastWritePs()).isGreaterThan(startPs + 1_100_000);
  }

  @Test
  void shouldTakeTheReadLatency() {
    long startPs = cpu.nowPs();
    cpu.mmioRead(window, 8);

    // 130_000 down, MRd 24 B 1_523, 60_000, 500_000, CplD 28 B 1_777, 60_000, 130_000 up.
    assertThat(cpu.nowPs() - startPs).isEqualTo(883_300);
  }

  // The engine.

  @ParameterizedTest
  @ValueSource(ints = {1, 8, 4096, 4097, 100_000})
  void shouldCopyToTheDeviceAndBack(int length) {
    byte[] bytes = random(length);
    cpu.store(buffer.pa() + 13, bytes, 0, length);

    assertThat(driver.trySubmit(cpu, buffer.iova() + 13, 77, length, false)).isTrue();
    await(1);
    assertThat(deviceBytes(77, length)).isEqualTo(bytes);
    assertThat(deviceBytes(76, 1)).containsExactly(0);
    assertThat(deviceBytes(77 + length, 1)).containsExactly(0);
    driver.trySubmit(cpu, buffer.iova() + 500_001, 77, length, true);
    await(1);

    assertThat(hostBytes(500_001, length)).isEqualTo(bytes);
    assertThat(hostBytes(500_000, 1)).containsExactly(0);
    assertThat(hostBytes(500_001 + length, 1)).containsExactly(0);
    assertThat(driver.errorsTotal()).isZero();
    assertThat(driver.underWayCount()).isZero();
  }

  @Test
  void shouldWorkThroughTheRingInOrder() {
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 3; i++) {
        cpu.store(buffer.pa() + i, 1, round * 3 + i + 1);
        assertThat(driver.trySubmit(cpu, buffer.iova() + i, i, 1, false)).isTrue();
      }
      assertThat(driver.trySubmit(cpu, buffer.iova(), 0, 1, false)).isFalse();
      assertThat(driver.underWayCount()).isEqualTo(3);
      await(3);
      assertThat(deviceBytes(0, 3)).containsExactly(round * 3 + 1, round * 3 + 2, round * 3 + 3);
    }
    assertThat(cpu.mmioRead(registers + ApertureLayout.HEAD, 4)).isEqualTo(9 % 4);
    assertThat(cpu.mmioRead(registers + ApertureLayout.TAIL, 8)).isEqualTo(1L << 32 | 1);
  }

  @Test
  void shouldReportNoEarlierThanTheLastByte() {
    long startPs = cpu.nowPs();
    driver.trySubmit(cpu, buffer.iova(), 0, MIB, true);
    await(1);
    long linkPs = MIB / 256 * 280L * 63_476 / 1_000; // 256 + 24 B per write
    assertThat(cpu.nowPs() - startPs).isBetween(linkPs, linkPs + 2_000_000);
  }

  @ParameterizedTest
  @CsvSource({
    "1000, 0, false, 1000",
    "0, 1000, false, 1000",
    "1000, 0, true, 1000",
    "0, 1000, true, 1000"
  })
  void shouldTakeTheTimeOfTheEngine(long startNs, long memoryNs, boolean isToHost, long extraNs) {
    assertThat(copyPs(startNs, memoryNs, isToHost) - copyPs(0, 0, isToHost))
        .isEqualTo(extraNs * 1_000);
  }

  /** Returns when the copy of a line has been reported, counted from the doorbell. */
  private static long copyPs(long startNs, long memoryNs, boolean isToHost) {
    ApertureTest test = new ApertureTest();
    test.config = new ApertureConfig(MIB, 500_000, startNs * 1_000, memoryNs * 1_000);
    test.plugIn();
    long startPs = test.cpu.nowPs();
    test.driver.trySubmit(test.cpu, test.buffer.iova(), 0, 64, isToHost);
    test.host.simulation().run();
    return test.host.simulation().nowPs() - startPs;
  }

  @Test
  void shouldReportWhatItCannotCopy() {
    byte[] before = hostBytes(0, MIB);
    driver.trySubmit(cpu, buffer.iova(), MIB - 7, 8, true);
    await(1);
    assertThat(driver.errorsTotal()).isEqualTo(1);
    driver.trySubmit(cpu, buffer.iova(), 0, 0, true);
    await(1);
    assertThat(driver.errorsTotal()).isEqualTo(2);
    driver.trySubmit(cpu, buffer.iova(), -1, 8, false);
    await(1);
    assertThat(driver.errorsTotal()).isEqualTo(3);
    driver.trySubmit(cpu, -4, 0, 8, false);
    await(1);
    assertThat(driver.errorsTotal()).isEqualTo(4);
    driver.trySubmit(cpu, 1L << 45, 0, 8, false); // nobody answers
    await(1);
    assertThat(driver.errorsTotal()).isEqualTo(5);
    assertThat(deviceBytes(0, 8)).containsOnly(0);
    assertThat(hostBytes(0, MIB)).isEqualTo(before);

    driver.trySubmit(cpu, buffer.iova(), 0, 8, false);
    await(1);
    assertThat(driver.errorsTotal()).isEqualTo(5);
    DmaChecker checker = CheckedMachines.release(host);
    assertThat(checker.reports())
        .extracting(DmaReport::violation)
        .containsOnly(DmaViolation.DEVICE_ACCESS_UNMAPPED);
  }

  @Test
  void shouldStopWhereItCannotReadADescriptor() {
    cpu.mmioWrite(registers, 4, 0);
    cpu.mmioWrite(registers + 4, 4, 0x2000);
    assertThat(cpu.mmioRead(registers, 8)).isEqualTo(0x2000_0000_0000L);
    cpu.mmioWrite(registers + ApertureLayout.TAIL, 4, 1);
    cpu.delay(10_000_000);

    assertThat(cpu.mmioRead(registers + ApertureLayout.HEAD, 4)).isZero();
    assertThat(driver.reap(cpu)).isZero();
  }

  @Test
  void shouldIgnoreWritesThatMakeNoSense() {
    for (long size : new long[] {0, 1, 65_537}) {
      cpu.mmioWrite(registers + ApertureLayout.RING_SIZE, 4, size);
    }
    cpu.mmioWrite(registers + ApertureLayout.RING_SIZE, 2, 8);
    cpu.mmioWrite(registers + ApertureLayout.TAIL, 4, 4);
    cpu.mmioWrite(registers + ApertureLayout.HEAD, 4, 3);
    cpu.mmioWrite(registers + 0x100, 8, -1);

    assertThat(cpu.mmioRead(registers + ApertureLayout.RING_SIZE, 4)).isEqualTo(4);
    assertThat(cpu.mmioRead(registers + ApertureLayout.TAIL, 8)).isZero();
    assertThat(cpu.mmioRead(registers + 0x100, 8)).isZero();
    assertThat(cpu.mmioRead(registers + ApertureLayout.RING_SIZE, 1)).isEqualTo(4);
  }

  @Test
  void shouldForgetTheRingAtAReset() {
    driver.trySubmit(cpu, buffer.iova(), 0, MIB, true);
    cpu.delay(3_000_000);
    byte[] before = hostBytes(0, MIB);

    device.reset(cpu.nowPs());
    host.simulation().run();

    assertThat(hostBytes(0, MIB)).isEqualTo(before);
    assertThat(device.configSpace().isBusMasterEnabled()).isFalse();
    assertThat(device.mmioRead(0, ApertureLayout.RING_SIZE, 4, 0)).isZero();
  }
}
