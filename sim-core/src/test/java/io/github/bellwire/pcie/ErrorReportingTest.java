package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import org.junit.jupiter.api.Test;

/**
 * Errors in the registers of functions and, by messages, of the root port. Gen 3 x8, 126.953125 ps
 * per byte, 60 ns of link; a message takes 24 bytes. Offsets are those of the specification.
 */
class ErrorReportingTest {
  private static final int UNCORRECTABLE_STATUS = 0x104;
  private static final int UNCORRECTABLE_MASK = 0x108;
  private static final int SEVERITY = 0x10C;
  private static final int CORRECTABLE_STATUS = 0x110;
  private static final int CORRECTABLE_MASK = 0x114;
  private static final int CONTROL = 0x118;
  private static final int HEADER_LOG = 0x11C;
  private static final int ROOT_COMMAND = 0x12C;
  private static final int ROOT_STATUS = 0x130;
  private static final int SOURCE_ID = 0x134;
  private static final int DEVICE_CONTROL = 0x48;
  private static final int DEVICE_STATUS = 0x4A;
  private static final int REPORT_ALL = 0xF;
  private static final long MESSAGE_PS = 3_046 + 60_000;

  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE);

  private final TestFabric fabric = new TestFabric();
  private final RootComplex rootComplex = fabric.rootComplex;
  private final ErrorEndpoint device = new ErrorEndpoint();
  private final RootPort port = rootComplex.attach(device, GEN3_X8);
  private final ConfigSpace function = device.configSpace();
  private final ConfigSpace root = port.configSpace();

  /** A device with error reporting and function-level reset. */
  private static final class ErrorEndpoint implements Endpoint {
    private final ConfigSpace config =
        new ConfigSpaceBuilder(0x1234, 1)
            .bar(Bar.memory32(0, 4096))
            .pcie(0x40, 3, 8, 256, true)
            .functionLevelReset()
            .advancedErrorReporting(0x100)
            .build();
    private int resetsCount;

    @Override
    public ConfigSpace configSpace() {
      return config;
    }

    @Override
    public void connect(DmaPort port) {}

    @Override
    public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
      return 5;
    }

    @Override
    public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {}

    @Override
    public void reset(long nowPs) {
      resetsCount++;
      config.reset();
    }

    @Override
    public long functionResetPs() {
      return 1_000_000;
    }
  }

  ErrorReportingTest() {
    new BusEnumerator(EnumerationConfig.XEON).enumerate(rootComplex);
  }

  private void report(int enables) {
    function.write(DEVICE_CONTROL, 2, function.read(DEVICE_CONTROL, 2) | enables);
  }

  private void detect(PcieError error) {
    port.deviceErrors().record(error, 0x1111_1111_2222_2222L, 0x3333_3333_4444_4444L, 1_000);
    fabric.simulation.run();
  }

  private int deviceStatus() {
    return function.read(DEVICE_STATUS, 2) & 0xF;
  }

  // Layout.

  @Test
  void shouldHaveTheResetValuesOfTheSpecification() {
    assertThat(function.read(0x100, 4)).isEqualTo(0x0002_0001);
    assertThat(function.read(UNCORRECTABLE_STATUS, 4)).isZero();
    assertThat(function.read(SEVERITY, 4)).isEqualTo(0x0006_2030);
    // Advisory non-fatal errors are masked.
    assertThat(function.read(CORRECTABLE_MASK, 4)).isEqualTo(0x2000);
    assertThat(root.findCapability(ExtendedCapabilityId.ADVANCED_ERROR_REPORTING)).isEqualTo(0x100);
    function.write(ROOT_COMMAND, 4, -1);
    root.write(ROOT_COMMAND, 4, -1);
    assertThat(function.read(ROOT_COMMAND, 4)).isZero();
    assertThat(root.read(ROOT_COMMAND, 4)).isEqualTo(7);
  }

  // Correctable.

  @Test
  void shouldNoteACorrectableErrorAtItsTime() {
    port.deviceErrors().record(PcieError.BAD_TLP, 0, 0, 1_000);
    fabric.simulation.runUntil(999);
    assertThat(function.read(CORRECTABLE_STATUS, 4)).isZero();
    fabric.simulation.runUntil(1_000);

    assertThat(function.read(CORRECTABLE_STATUS, 4)).isEqualTo(1 << 6);
    assertThat(deviceStatus()).isEqualTo(1);
    assertThat(root.read(ROOT_STATUS, 4)).isZero();
    function.write(CORRECTABLE_STATUS, 4, 1 << 6);
    assertThat(function.read(CORRECTABLE_STATUS, 4)).isZero();
  }

  @Test
  void shouldSendErrCorToTheRootPort() {
    report(REPORT_ALL);
    port.deviceErrors().record(PcieError.BAD_DLLP, 0, 0, 1_000);
    fabric.simulation.runUntil(1_000 + MESSAGE_PS - 1);
    assertThat(root.read(ROOT_STATUS, 4)).isZero();
    fabric.simulation.runUntil(1_000 + MESSAGE_PS);

    assertThat(root.read(ROOT_STATUS, 4)).isEqualTo(1);
    assertThat(root.read(SOURCE_ID, 4)).isEqualTo(0x0100);
    detect(PcieError.BAD_TLP);
    assertThat(root.read(ROOT_STATUS, 4)).isEqualTo(3);
  }

  @Test
  void shouldNotSendWhatIsMasked() {
    report(REPORT_ALL);
    function.write(CORRECTABLE_MASK, 4, 1 << 6);
    detect(PcieError.BAD_TLP);

    assertThat(function.read(CORRECTABLE_STATUS, 4)).isEqualTo(1 << 6);
    assertThat(root.read(ROOT_STATUS, 4)).isZero();
  }

  // Uncorrectable.

  @Test
  void shouldLogTheHeaderOfTheFirstUncorrectableError() {
    report(REPORT_ALL);
    detect(PcieError.POISONED_TLP);
    port.deviceErrors().record(PcieError.ECRC, 5, 6, fabric.simulation.nowPs());
    fabric.simulation.run();

    assertThat(function.read(UNCORRECTABLE_STATUS, 4)).isEqualTo(1 << 12 | 1 << 19);
    assertThat(function.read(CONTROL, 4) & 0x1F).isEqualTo(12);
    assertThat(function.read(HEADER_LOG, 4)).isEqualTo(0x1111_1111);
    assertThat(function.read(HEADER_LOG + 4, 4)).isEqualTo(0x2222_2222);
    assertThat(function.read(HEADER_LOG + 8, 4)).isEqualTo(0x3333_3333);
    assertThat(function.read(HEADER_LOG + 12, 4)).isEqualTo(0x4444_4444);
    assertThat(deviceStatus()).isEqualTo(2);
    // Two ERR_NONFATAL from 01:00.0.
    assertThat(root.read(ROOT_STATUS, 4)).isEqualTo(1 << 2 | 1 << 3 | 1 << 5);
    assertThat(root.read(SOURCE_ID, 4)).isEqualTo(0x0100_0000);
  }

  @Test
  void shouldSendErrFatal() {
    report(REPORT_ALL);
    detect(PcieError.MALFORMED_TLP);

    assertThat(deviceStatus()).isEqualTo(4);
    assertThat(root.read(ROOT_STATUS, 4)).isEqualTo(1 << 2 | 1 << 4 | 1 << 6);
  }

  @Test
  void shouldFollowTheSeverityThatSoftwareChooses() {
    report(REPORT_ALL);
    function.write(SEVERITY, 4, 1 << 12);
    detect(PcieError.POISONED_TLP);
    assertThat(deviceStatus()).isEqualTo(4);
    detect(PcieError.MALFORMED_TLP);
    assertThat(deviceStatus()).isEqualTo(6);
  }

  @Test
  void shouldNeitherReportNorLogTheHeaderOfAMaskedError() {
    report(REPORT_ALL);
    function.write(UNCORRECTABLE_MASK, 4, 1 << 12);
    detect(PcieError.POISONED_TLP);

    assertThat(function.read(UNCORRECTABLE_STATUS, 4)).isEqualTo(1 << 12);
    assertThat(function.read(HEADER_LOG, 4)).isZero();
    assertThat(root.read(ROOT_STATUS, 4)).isZero();
  }

  @Test
  void shouldReportBySerrEnableAlone() {
    function.write(ConfigLayout.COMMAND, 2, 1 << 8 | 1 << 1);
    detect(PcieError.POISONED_TLP);

    assertThat(root.read(ROOT_STATUS, 4) & 1 << 5).isNotZero();
    assertThat(function.read(ConfigLayout.STATUS, 2) & 1 << 14).isNotZero();
  }

  @Test
  void shouldStopMessagesAtABridgeThatDoesNotForwardThem() {
    report(REPORT_ALL);
    root.write(BridgeLayout.BRIDGE_CONTROL, 2, 0);
    detect(PcieError.MALFORMED_TLP);

    assertThat(function.read(UNCORRECTABLE_STATUS, 4)).isEqualTo(1 << 18);
    assertThat(root.read(ROOT_STATUS, 4)).isZero();
  }

  @Test
  void shouldInterruptForTheMessagesThatSoftwareChooses() {
    report(REPORT_ALL);
    int msi = root.findCapability(CapabilityId.MSI);
    root.write(msi + MsiLayout.ADDRESS, 4, 0xFEE0_0000);
    root.write(msi + MsiLayout.DATA, 2, 0x33);
    root.write(msi + MsiLayout.CONTROL, 2, 1);
    root.write(ROOT_COMMAND, 4, AerLayout.ROOT_COMMAND_FATAL);

    detect(PcieError.POISONED_TLP);
    assertThat(fabric.messages).isEmpty();
    long nowPs = fabric.simulation.nowPs();
    detect(PcieError.MALFORMED_TLP);

    assertThat(fabric.messages)
        .containsExactly(new TestFabric.Message(0, 0xFEE0_0000L, 0x33, nowPs + MESSAGE_PS));
  }

  // Unsupported requests of cores: a read is advisory, a write is not.

  @Test
  void shouldTreatAnUnsupportedReadAsAdvisory() {
    report(REPORT_ALL);
    function.write(CORRECTABLE_MASK, 4, 0);
    MmioResult result = new MmioResult();
    long address = function.barAddress(0) + 0x1000;
    rootComplex.mmioRead(address, 4, 0, result);
    fabric.simulation.run();

    assertThat(result.value()).isEqualTo(0xFFFF_FFFFL);
    // Correctable and unsupported; the uncorrectable status tells which.
    assertThat(deviceStatus()).isEqualTo(1 | 8);
    assertThat(function.read(CORRECTABLE_STATUS, 4)).isEqualTo(1 << 13);
    assertThat(function.read(UNCORRECTABLE_STATUS, 4)).isEqualTo(1 << 20);
    // MRd, 1 DW; requester 00:00.0, all four bytes; the address.
    assertThat(function.read(HEADER_LOG, 4)).isEqualTo(1);
    assertThat(function.read(HEADER_LOG + 4, 4)).isEqualTo(0xF);
    assertThat(function.read(HEADER_LOG + 8, 4)).isEqualTo((int) address);
    assertThat(root.read(ROOT_STATUS, 4)).isEqualTo(1);
  }

  @Test
  void shouldKeepAMaskedAdvisoryErrorOutOfTheUncorrectableStatus() {
    report(REPORT_ALL);
    rootComplex.mmioRead(function.barAddress(0) + 0x1000, 4, 0, new MmioResult());
    fabric.simulation.run();

    assertThat(function.read(CORRECTABLE_STATUS, 4)).isEqualTo(1 << 13);
    assertThat(function.read(UNCORRECTABLE_STATUS, 4)).isZero();
    assertThat(root.read(ROOT_STATUS, 4)).isZero();
  }

  @Test
  void shouldReportAnUnsupportedWriteAsNonFatal() {
    report(REPORT_ALL);
    rootComplex.mmioWrite(function.barAddress(0) + 0x1000, 4, 0, 0);
    fabric.simulation.run();

    assertThat(deviceStatus()).isEqualTo(2 | 8);
    assertThat(function.read(UNCORRECTABLE_STATUS, 4)).isEqualTo(1 << 20);
    // MWr with data, 1 DW.
    assertThat(function.read(HEADER_LOG, 4)).isEqualTo(1 << 30 | 1);
    assertThat(root.read(ROOT_STATUS, 4)).isEqualTo(1 << 2 | 1 << 5);
  }

  @Test
  void shouldNotReportUnsupportedRequestsUnlessEnabled() {
    report(7);
    rootComplex.mmioWrite(function.barAddress(0) + 0x1000, 4, 0, 0);
    fabric.simulation.run();

    assertThat(deviceStatus()).isEqualTo(2 | 8);
    assertThat(root.read(ROOT_STATUS, 4)).isZero();
  }

  @Test
  void shouldReportWhatASwitchPortDetectsWithThePortsOwnId() {
    TestFabric other = new TestFabric();
    Switch packetSwitch = other.rootComplex.attach(SwitchConfig.PEX89048);
    MemoryEndpoint first = new MemoryEndpoint();
    SwitchPort switchPort = packetSwitch.attach(first, GEN3_X8);
    new BusEnumerator(EnumerationConfig.XEON).enumerate(other.rootComplex);
    first.enableBusMaster();
    ConfigSpace config = switchPort.configSpace();
    config.write(0x148 + AcsLayout.CONTROL, 2, AcsLayout.SOURCE_VALIDATION);
    config.write(BridgeFunction.PCIE_OFFSET + ConfigLayout.DEVICE_CONTROL, 2, REPORT_ALL);
    first.dma().claimRequesterId(0x1234);
    first.dma().write(0x1000, new byte[4], 0, 4, 0);
    other.simulation.run();

    assertThat(config.read(UNCORRECTABLE_STATUS, 4)).isEqualTo(1 << 21);
    // Requester 1234h in the header.
    assertThat(config.read(HEADER_LOG + 4, 4)).isEqualTo(0x1234_000F);
    ConfigSpace top = other.rootComplex.ports().get(0).configSpace();
    assertThat(top.read(ROOT_STATUS, 4)).isEqualTo(1 << 2 | 1 << 5);
    // Port 02:00.0.
    assertThat(top.read(SOURCE_ID, 4)).isEqualTo(0x0200_0000);
  }

  // Function-level reset.

  @Test
  void shouldBeSilentDuringAFunctionLevelResetAndUsableAfterIt() {
    detect(PcieError.POISONED_TLP);
    function.write(CORRECTABLE_MASK, 4, 0x1);
    function.write(DEVICE_CONTROL, 2, 1 << 5 | 1 << 15);
    long startPs = fabric.simulation.nowPs();

    assertThat(device.resetsCount).isEqualTo(1);
    assertThat(rootComplex.ecam().read(new Bdf(1, 0, 0), 0, 4)).isEqualTo(-1);
    function.write(ConfigLayout.COMMAND, 2, 6);
    fabric.simulation.runUntil(startPs + 999_999);
    assertThat(function.read(0, 2)).isEqualTo(0xFFFF);
    fabric.simulation.runUntil(startPs + 1_000_000);

    assertThat(function.read(0, 2)).isEqualTo(0x1234);
    // Command and BARs are gone; sticky error bits, mask and the payload size (code 1) are not.
    assertThat(function.read(ConfigLayout.COMMAND, 2)).isZero();
    assertThat(function.barAddress(0)).isZero();
    assertThat(function.read(UNCORRECTABLE_STATUS, 4)).isEqualTo(1 << 12);
    assertThat(function.read(CORRECTABLE_MASK, 4)).isEqualTo(1);
    assertThat(function.maxPayloadBytes()).isEqualTo(256);
    assertThat(function.read(DEVICE_CONTROL, 2) & 1 << 15).isZero();
    assertThat(function.read(DEVICE_STATUS, 2) & 0xF).isZero();
    new BusEnumerator(EnumerationConfig.XEON).enumerate(rootComplex);
    MmioResult result = new MmioResult();
    rootComplex.mmioRead(function.barAddress(0), 4, fabric.simulation.nowPs(), result);
    assertThat(result.value()).isEqualTo(5);
  }

  @Test
  void shouldLoseWhatArrivesDuringAFunctionLevelReset() {
    MmioResult result = new MmioResult();
    long address = function.barAddress(0);
    function.write(DEVICE_CONTROL, 2, 1 << 15);
    rootComplex.mmioRead(address, 4, 0, result);

    assertThat(result.value()).isEqualTo(0xFFFF_FFFFL);
    fabric.simulation.run();
    // A function in reset notes no error.
    assertThat(deviceStatus()).isZero();
  }

  @Test
  void shouldResetByAByteWriteToTheUpperHalfOnly() {
    function.write(DEVICE_CONTROL, 1, 0x80);
    assertThat(device.resetsCount).isZero();
    function.write(DEVICE_CONTROL + 1, 1, 0x80);
    assertThat(device.resetsCount).isEqualTo(1);
  }

  @Test
  void shouldTakeTheMostThatTheSpecificationAllowsUnlessTheDeviceSaysOtherwise() {
    assertThat(new MemoryEndpoint().functionResetPs()).isEqualTo(100_000_000_000L);
    ConfigSpace without = new MemoryEndpoint().configSpace();
    // Not supported: the bit does nothing.
    without.write(0x48, 2, 1 << 15);
    assertThat(without.read(0, 2)).isEqualTo(0x1AF4);
  }
}
