package io.github.bellwire.device.nic.driver;

import static io.github.bellwire.device.nic.driver.DriverBench.MS_PS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.bellwire.device.CheckedMachines;
import io.github.bellwire.device.nic.Nic;
import io.github.bellwire.device.nic.NicRegisters;
import io.github.bellwire.pcie.AerLayout;
import io.github.bellwire.pcie.Bar;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.ConfigSpaceBuilder;
import io.github.bellwire.pcie.ExtendedCapabilityId;
import io.github.bellwire.pcie.MsiXConfig;
import io.github.bellwire.pcie.TlpFault;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A function-level reset of a card in the middle of traffic. */
@ExtendWith(CheckedMachines.class)
class FunctionResetTest {
  private static final long SEED = 82_599;
  private static final int COUNT = 1_000;
  private static final int DEVICE_CONTROL = 0xA0 + ConfigLayout.DEVICE_CONTROL;
  private static final int DEVICE_CONTROL_2 = 0xA0 + ConfigLayout.DEVICE_CONTROL_2;
  private static final int MSIX_CONTROL = 0x72;
  private static final int COMPLETION_TIMEOUT_1_MS = 2;
  private static final long RESET_PS = 100 * MS_PS;

  private final DriverBench bench = new DriverBench(NicDriverConfig.POLLING);
  private final Nic nic = bench.nic;
  private final ConfigSpace function = nic.configSpace();
  private final List<byte[]> received = new ArrayList<>();

  @Test
  void shouldReceiveAgainAfterAResetInTheMiddleOfTraffic() {
    bench.driver.start(bench.port);
    function.write(DEVICE_CONTROL_2, 2, COMPLETION_TIMEOUT_1_MS);
    function.write(MSIX_CONTROL, 2, 1 << 15);
    List<Integer> settings = settings();
    List<byte[]> before = DriverBench.randomFrames(SEED, COUNT, 60, 1514);
    DriverBench.Feed feed = bench.feed(before);
    while (feed.sent < COUNT / 2) {
      bench.host.simulation().step();
    }
    receive(COUNT / 4);
    assertThat(received).hasSize(COUNT / 4);

    bench.driver.resetFunction(bench.port);

    // The feed has ended long ago: what came during the reset is lost, what was in rings dropped.
    assertThat(feed.isDone()).isTrue();
    assertSame(received, before.subList(0, COUNT / 4));
    assertThat(settings()).isEqualTo(settings);
    received.clear();
    List<byte[]> after = DriverBench.randomFrames(SEED + 1, 200, 60, 1514);
    bench.feed(after);
    bench.runFor(MS_PS);
    receive(COUNT);
    assertSame(received, after);
    assertThat(bench.pool.freeCount())
        .isEqualTo(NicDriverConfig.POLLING.buffersCount() - NicDriverConfig.POLLING.ringSize() + 1);
    assertThat(bench.driver.readStatistics(bench.port).goodFramesReceived()).isEqualTo(200);
  }

  @Test
  void shouldBeAsAfterPowerOnAndStillUntilTheResetEnds() {
    bench.driver.start(bench.port);
    DriverBench.Feed feed = bench.feed(DriverBench.randomFrames(SEED, COUNT, 60, 1514));
    while (feed.sent < COUNT / 2) {
      bench.host.simulation().step();
    }
    assertThat(function.read(DEVICE_CONTROL - 4, 4) & 1 << 28).as("capability").isNotZero();
    long startPs = bench.host.simulation().nowPs();

    function.write(DEVICE_CONTROL, 2, function.read(DEVICE_CONTROL, 2) | 1 << 15);

    assertThat(nic.isLinkUp()).isFalse();
    assertThat(nic.framesInFifoCount()).isZero();
    assertThat(register(NicRegisters.RXCTRL) & NicRegisters.RXCTRL_RXEN).isZero();
    assertThat(register(NicRegisters.rxdctl(0)) & NicRegisters.RXDCTL_ENABLE).isZero();
    assertThat(register(NicRegisters.rdbal(0))).isZero();
    assertThat(register(NicRegisters.GPRC)).isZero();
    long upBytes = bench.slot.upstream().bytesTotal();
    runUntil(startPs + RESET_PS - 1);
    assertThat(feed.isDone()).isTrue();
    assertThat(bench.slot.upstream().bytesTotal()).isEqualTo(upBytes);
    assertThat(function.read(ConfigLayout.VENDOR_ID, 2)).isEqualTo(0xFFFF);
    runUntil(startPs + RESET_PS);
    assertThat(function.read(ConfigLayout.VENDOR_ID, 2)).isEqualTo(0x8086);
    assertThat(function.read(ConfigLayout.COMMAND, 2)).isZero();
    assertThat(function.barAddress(0)).isZero();
    assertThat(function.isMsiXEnabled()).isFalse();
  }

  @Test
  void shouldKeepWhatItHasNotedOfErrorsThroughAReset() {
    bench.driver.start(bench.port);
    int aer = function.findCapability(ExtendedCapabilityId.ADVANCED_ERROR_REPORTING);
    assertThat(aer).isEqualTo(0x100);
    // The first completion carries descriptors: they are refused, and the frame is lost.
    bench.slot.downstreamFaults().inject(TlpFault.POISONED, 0);
    bench.feed(DriverBench.randomFrames(SEED, 3, 60, 60));
    bench.runFor(MS_PS);

    int poisoned = 1 << 12;
    assertThat(function.read(aer + AerLayout.UNCORRECTABLE_STATUS, 4)).isEqualTo(poisoned);
    int status = function.read(ConfigLayout.STATUS, 2);
    assertThat(status & ConfigLayout.STATUS_DETECTED_PARITY_ERROR).isNotZero();
    bench.driver.resetFunction(bench.port);
    assertThat(function.read(aer + AerLayout.UNCORRECTABLE_STATUS, 4)).isEqualTo(poisoned);
    function.write(aer + AerLayout.UNCORRECTABLE_STATUS, 4, poisoned);
    assertThat(function.read(aer + AerLayout.UNCORRECTABLE_STATUS, 4)).isZero();
    bench.feed(DriverBench.randomFrames(SEED, 3, 60, 60));
    bench.runFor(MS_PS);
    receive(COUNT);
    assertThat(received).hasSize(3);
  }

  @Test
  void shouldRefuseToResetWhatIsNotStarted() {
    assertThatIllegalStateException()
        .isThrownBy(() -> bench.driver.resetFunction(bench.port))
        .withMessageStartingWith("driver must be started: bar0=0x");
  }

  @Test
  void shouldRefuseToResetWhatCannotBeReset() {
    ConfigSpace plain =
        new ConfigSpaceBuilder(0x8086, 0x10FB)
            .bar(Bar.memory64(0, 4096))
            .pcie(0xA0, 3, 8, 512, true)
            .msiX(0x70, new MsiXConfig(1, 0, 0, 0, 2048))
            .build();
    PciFunction cannot = new PciFunction(ConfigAccess.of(plain::read, plain::write));

    assertThatIllegalStateException()
        .isThrownBy(() -> cannot.reset(bench.port))
        .withMessage("device must support function-level reset");
  }

  @Test
  void shouldNoticeADeviceThatDoesNotComeBack() {
    ConfigAccess.Reader gone =
        (offset, bytes) -> offset == ConfigLayout.VENDOR_ID ? 0xFFFF : function.read(offset, bytes);
    PciFunction lost = new PciFunction(ConfigAccess.of(gone, function::write));

    assertThatIllegalStateException()
        .isThrownBy(() -> lost.reset(bench.port))
        .withMessage("device must answer after a function-level reset");
  }

  private void receive(int budget) {
    FrameHandler keep =
        (port, frame) -> {
          byte[] bytes = new byte[frame.totalBytes()];
          frame.copyTo(bench.host.coreMemory()::copyOut, bytes, 0);
          received.add(bytes);
        };
    bench.driver.rxRing(0).receive(bench.port, budget, keep);
  }

  /** What firmware and operating system have set up. */
  private List<Integer> settings() {
    List<Integer> settings = new ArrayList<>();
    for (int offset = 0x10; offset < 0x28; offset += 4) {
      settings.add(function.read(offset, 4));
    }
    settings.add(function.read(ConfigLayout.COMMAND, 2));
    settings.add(function.read(DEVICE_CONTROL, 2));
    settings.add(function.read(DEVICE_CONTROL_2, 2));
    settings.add(function.read(MSIX_CONTROL, 2));
    return settings;
  }

  private int register(int offset) {
    return (int) nic.mmioRead(0, offset, 4, bench.host.simulation().nowPs());
  }

  private void runUntil(long ps) {
    bench.host.simulation().runUntil(ps);
  }

  private static void assertSame(List<byte[]> actual, List<byte[]> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.size(); i++) {
      assertThat(Arrays.equals(actual.get(i), expected.get(i))).as("frame %d", i).isTrue();
    }
  }
}
