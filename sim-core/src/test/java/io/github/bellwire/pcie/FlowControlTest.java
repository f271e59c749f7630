package io.github.bellwire.pcie;

import static io.github.bellwire.pcie.TestFabric.HIGH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Credits: who waits for whose, and how long. */
class FlowControlTest {
  /** 88 B of a 64-byte write last 1_396 ps. */
  private static final PcieLinkConfig GEN5_X16 =
      PcieLinkConfig.GEN5_X16.withDllpCharge(DllpCharge.NONE).withPropagationPs(0);

  /** 126.953125 ps per byte. */
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE).withPropagationPs(0);

  private final TestFabric fabric = new TestFabric();
  private final byte[] buffer = new byte[4096];

  // Posted.

  @ParameterizedTest
  @CsvSource({
    // 92 lines x 64 B / 300 ns; 1.5 x latency leaves 0.67 x ("Understanding the Host Network").
    "300, 64, 19.63",
    "450, 64, 13.08",
    "300, 256, 19.63",
    // 11 payloads of 32 data credits, 88 lines.
    "300, 512, 18.77",
    // Not bound by credits: the link's 63.015 GB/s x 64/88.
    "100, 64, 45.83"
  })
  void shouldBoundWritesByLinesOverHoldTime(long holdNs, int sizeBytes, double gigabytes) {
    PcieLinkConfig link = GEN5_X16.withFlowControl(rootPort(FlowControlCredits.WRITES_92_LINES));
    DmaPort dma = fabric.plug(link).dma();
    long sendPs = (sizeBytes + 24) * 15_869L / 1_000;
    fabric.caches.deviceWritePs = holdNs * 1_000 - sendPs;

    int writes = 400_000 / sizeBytes;
    long firstPs = dma.write(HIGH, buffer, 0, sizeBytes, 0);
    long donePs = 0;
    for (int i = 0; i < writes; i++) {
      donePs = dma.write(HIGH, buffer, 0, sizeBytes, 0);
    }

    double rate = 1_000.0 * writes * sizeBytes / (donePs - firstPs);
    assertThat(rate).isCloseTo(gigabytes, withinPercentage(2));
    assertThat(fabric.port(0).creditWaitPsTotal() > 0).isEqualTo(holdNs > 200);
  }

  @Test
  void shouldSendWithOneHeaderCreditOneWriteAtATime() {
    FlowControlConfig flowControl =
        rootPort(new FlowControlCredits(1, 0, 0, 0, 0, 0)).withUpdatePs(5_000);
    DmaPort dma = fabric.plug(GEN3_X8.withPropagationPs(60_000).withFlowControl(flowControl)).dma();
    fabric.caches.deviceWritePs = 100_000;

    long firstPs = dma.write(HIGH, buffer, 0, 64, 0);
    long secondPs = dma.write(HIGH, buffer, 0, 64, 0);

    // 88 B 11_171, 60 ns, 100 ns. Back: 5 ns and 60 ns.
    assertThat(firstPs).isEqualTo(171_171);
    assertThat(secondPs).isEqualTo(171_171 + 65_000 + 171_171);
    assertThat(fabric.port(0).creditWaitPsTotal()).isEqualTo(171_171 + 65_000 - 11_171);
  }

  @Test
  void shouldGiveTheCreditsOfADroppedWriteBack() {
    DmaPort dma =
        fabric
            .plug(GEN3_X8.withFlowControl(rootPort(new FlowControlCredits(1, 0, 0, 0, 0, 0))))
            .dma();

    dma.write(15L << 30, buffer, 0, 64, 0);
    fabric.port(0).upstreamFaults().inject(TlpFault.MALFORMED, 0);
    dma.write(HIGH, buffer, 0, 64, 0);

    // Three writes of 88 B at the rate of the link.
    assertThat(dma.write(HIGH, buffer, 0, 64, 0)).isEqualTo((long) (264 * 126.953125));
  }

  @Test
  void shouldNotHoldAMessageForPayloadCredits() {
    // 16 data credits: one write of 256 B at a time; the message needs one.
    DmaPort dma =
        fabric
            .plug(GEN3_X8.withFlowControl(rootPort(new FlowControlCredits(0, 17, 0, 0, 0, 0))))
            .dma();
    fabric.caches.deviceWritePs = 900_000;

    dma.write(HIGH, buffer, 0, 256, 0);
    dma.sendMessage(0xFEE0_0000L, 0x21, 0);

    // Sent at once; delivered behind the payload.
    assertThat(dma.sentPs()).isLessThan(50_000);
    assertThat(fabric.messages.get(0).atPs()).isGreaterThan(900_000);
  }

  // Non-posted.

  @ParameterizedTest
  @CsvSource({"1, 64", "4, 64", "18, 64", "4, 512"})
  void shouldBoundReadsByHeadersOverTheTimeToTakeThem(int headers, int sizeBytes) {
    TestFabric slow = new TestFabric(new RootComplexConfig(200_000, 0), Translation.IDENTITY);
    FlowControlConfig flowControl =
        rootPort(new FlowControlCredits(0, 0, headers, 0, 0, 0)).withUpdatePs(97_000);
    DmaPort dma = slow.plug(GEN3_X8.withTags(256).withFlowControl(flowControl)).dma();
    slow.caches.deviceReadPs = 1_000_000;

    long firstPs = dma.read(HIGH, buffer, 0, sizeBytes, 0);
    long donePs = 0;
    int reads = 720; // A multiple of all numbers of headers.
    for (int i = 0; i < reads; i++) {
      donePs = dma.read(HIGH, buffer, 0, sizeBytes, 0);
    }

    // A header is back after MRd 24 B 3_046, 200 ns and 97 ns, long before the data.
    double perReadPs = 300_046.0 / headers;
    assertThat((donePs - firstPs) / (double) reads).isCloseTo(perReadPs, withinPercentage(1));
  }

  @Test
  void shouldGiveTheCreditOfADroppedReadBackWhenItHasArrived() {
    FlowControlConfig flowControl =
        rootPort(new FlowControlCredits(0, 0, 1, 0, 0, 0)).withUpdatePs(500_000);
    DmaPort dma = fabric.plug(GEN3_X8.withFlowControl(flowControl)).dma();

    fabric.port(0).upstreamFaults().inject(TlpFault.MALFORMED, 0);
    dma.read(HIGH, buffer, 0, 64, 0);

    // MRd 24 B 3_046, 500 ns; then MRd 24 B 3_046 and CplD 84 B 10_664.
    assertThat(dma.read(HIGH, buffer, 0, 64, 0)).isEqualTo(3_046 + 500_000 + 3_046 + 10_664);
  }

  // Completions: the device's own buffer.

  @ParameterizedTest
  @CsvSource({
    // CplH: 64 B takes 1, 512 B 8 at RCB 64. CplD: 4 and 32 + 1.
    "16, 0, 64, 16",
    "16, 0, 512, 2",
    "0, 64, 64, 16",
    "0, 66, 512, 2",
    "0, 65, 512, 1"
  })
  void shouldReadNoMoreThanItsBufferHolds(int cplh, int cpld, int sizeBytes, int outstanding) {
    FlowControlConfig flowControl =
        FlowControlConfig.UNLIMITED.withEndpoint(new FlowControlCredits(0, 0, 0, 0, cplh, cpld));
    DmaPort dma = fabric.plug(GEN3_X8.withTags(256).withFlowControl(flowControl)).dma();
    fabric.caches.deviceReadPs = 50_000_000;

    long lastPs = 0;
    int late = 0;
    for (int i = 0; i < 20; i++) {
      long donePs = dma.read(HIGH, buffer, 0, sizeBytes, 0);
      late += donePs > 100_000_000 ? 1 : 0;
      lastPs = Math.max(lastPs, donePs);
    }

    assertThat(20 - late).isEqualTo(outstanding);
    assertThat(lastPs).isGreaterThan(100_000_000);
  }

  @Test
  void shouldHoldTagsAndBufferUntilTheBytesHaveRetired() {
    FlowControlConfig flowControl =
        FlowControlConfig.UNLIMITED.withEndpoint(new FlowControlCredits(0, 0, 0, 0, 8, 0));
    PcieLinkConfig link = GEN3_X8.withRequester(RequesterConfig.DEFAULT.withRetirePs(30_000));
    DmaPort byTags = fabric.plug(link.withTags(1)).dma();
    DmaPort byBuffer = fabric.plug(link.withFlowControl(flowControl)).dma();

    // MRd 20 B, CplD 84 B: 2_539 + 10_664, or 8 x 64 B in two CplD of 276 B: 2_539 + 70_078.
    assertThat(byTags.read(0, buffer, 0, 64, 0)).isEqualTo(13_203);
    assertThat(byTags.tagFreePs()).isEqualTo(43_203);
    assertThat(byTags.read(0, buffer, 0, 64, 0)).isEqualTo(43_203 + 13_203);
    long firstPs = byBuffer.read(0, buffer, 0, 512, 0);
    assertThat(byBuffer.read(0, buffer, 0, 512, 0)).isEqualTo(firstPs + 30_000 + 72_617);
  }

  // The host's own requests.

  @Test
  void shouldHoldRegisterWritesForTheDevicesCredits() {
    FlowControlConfig flowControl =
        FlowControlConfig.UNLIMITED
            .withEndpoint(new FlowControlCredits(2, 0, 0, 0, 0, 0))
            .withUpdatePs(10_000);
    RecordingEndpoint endpoint =
        fabric.plug(GEN3_X8.withPropagationPs(60_000).withFlowControl(flowControl));

    for (int i = 0; i < 3; i++) {
      fabric.rootComplex.mmioWrite(TestFabric.BAR, 4, i, 0);
    }
    fabric.simulation.run();

    // MWr 28 B: 3_554, 7_109. The third one when the first has arrived and told: 63_554 + 70_000.
    assertThat(endpoint.writes())
        .extracting(RecordingEndpoint.Access::atPs)
        .containsExactly(63_554L, 67_109L, 63_554 + 70_000 + 63_554L);
  }

  // Table 2-40: what must be able to pass.

  @Test
  void shouldLetAWritePassABlockedRead() {
    DmaPort dma = blockedReads();

    // A3.
    dma.write(HIGH, buffer, 0, 64, 20_000);

    assertThat(dma.sentPs()).isLessThan(40_000);
  }

  @Test
  void shouldLetACompletionPassABlockedRead() {
    blockedReads();
    MmioResult result = new MmioResult();

    // D3: the device's answer to a core.
    fabric.rootComplex.mmioRead(TestFabric.BAR, 4, 0, result);

    assertThat(result.donePs()).isLessThan(60_000);
  }

  /** A device of which two more reads wait for the only non-posted credit, for 1 ms each. */
  private DmaPort blockedReads() {
    FlowControlConfig flowControl =
        rootPort(new FlowControlCredits(0, 0, 1, 0, 0, 0)).withUpdatePs(100_000_000);
    DmaPort dma = fabric.plug(GEN3_X8.withFlowControl(flowControl)).dma();
    dma.read(HIGH, buffer, 0, 64, 0);
    assertThat(dma.read(HIGH, buffer, 0, 64, 0)).isGreaterThan(100_000_000);
    assertThat(dma.read(HIGH, buffer, 0, 64, 0)).isGreaterThan(200_000_000);
    return dma;
  }

  @Test
  void shouldNotLetAReadPassABlockedWrite() {
    FlowControlConfig flowControl =
        rootPort(new FlowControlCredits(1, 0, 0, 0, 0, 0)).withUpdatePs(50_000_000);
    DmaPort dma = fabric.plug(GEN3_X8.withFlowControl(flowControl)).dma();
    dma.write(HIGH, buffer, 0, 64, 0);
    dma.write(HIGH, buffer, 0, 64, 0);

    // B2a.
    assertThat(dma.read(HIGH, buffer, 0, 64, 0)).isGreaterThan(50_000_000);
  }

  @ParameterizedTest
  @CsvSource({"0, true", "2, false"})
  void shouldLetOnlyARelaxedCompletionPassABlockedRegisterWrite(int attributes, boolean waits) {
    FlowControlConfig flowControl =
        FlowControlConfig.UNLIMITED
            .withEndpoint(new FlowControlCredits(1, 0, 0, 0, 0, 0))
            .withUpdatePs(50_000_000);
    DmaPort dma = fabric.plug(GEN3_X8.withFlowControl(flowControl)).dma();
    fabric.rootComplex.mmioWrite(TestFabric.BAR, 4, 1, 0);
    fabric.rootComplex.mmioWrite(TestFabric.BAR, 4, 2, 0);

    // D2a and D2b.
    long donePs = dma.read(HIGH, buffer, 0, 64, 1_000, attributes);

    assertThat(donePs > 50_000_000).isEqualTo(waits);
  }

  private static FlowControlConfig rootPort(FlowControlCredits credits) {
    return FlowControlConfig.UNLIMITED.withRootPort(credits);
  }
}
