package io.github.bellwire.pcie;

import static io.github.bellwire.pcie.PcieLinkConfig.GEN3_X8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PcieLinkConfigTest {
  @ParameterizedTest
  @CsvSource({
    // Base Specification 3.0, tables 3-7 (Gen 1), 3-8 (Gen 2) and 3-9 (Gen 3).
    "GEN1, 1, 128, 237",
    "GEN1, 2, 128, 128",
    "GEN1, 4, 128, 73",
    "GEN1, 8, 128, 67",
    "GEN1, 16, 128, 48",
    "GEN1, 32, 128, 33",
    "GEN1, 1, 256, 416",
    "GEN1, 16, 512, 86",
    "GEN1, 1, 4096, 4143",
    "GEN2, 1, 128, 288",
    "GEN2, 32, 4096, 327",
    "GEN3, 8, 128, 163",
    "GEN3, 8, 256, 203",
    "GEN3, 8, 512, 182",
    "GEN3, 8, 1024, 246",
    "GEN4, 16, 256, 168",
    "GEN5, 16, 512, 182"
  })
  void shouldKnowTheAckLatencyLimit(
      PcieGeneration generation, int lanes, int mpsBytes, int symbols) {
    PcieLinkConfig config =
        GEN3_X8.withGeneration(generation).withLanes(lanes).withMaxPayloadBytes(mpsBytes);

    assertThat(config.ackLimitSymbols()).isEqualTo(symbols);
  }

  /**
   * Every entry of the specification's tables (Base Specification 3.0, tables 3-7 to 3-9 for Ack,
   * 2-41 to 2-43 for UpdateFC), which differ between generations by the internal delay only. The
   * model of pcie-bench (pcie-model) has misprints in two places: UpdateFC Gen 1 x32 MPS 2048 (248)
   * and Ack Gen 2 x32 MPS 4096 (237).
   */
  @ParameterizedTest
  @CsvSource({"GEN1, 0", "GEN2, 51", "GEN3, 96", "GEN4, 96", "GEN5, 96"})
  void shouldKnowEveryEntryOfTheTables(PcieGeneration generation, int moreThanGen1) {
    // x1, x2, x4, x8, x16, x32 in generation 1 for MPS from 128 B on.
    int[][] symbols = {
      {237, 128, 73, 67, 48, 33},
      {416, 217, 118, 107, 72, 45},
      {559, 289, 154, 86, 86, 52},
      {1071, 545, 282, 150, 150, 84},
      {2095, 1057, 538, 278, 278, 148},
      {4143, 2081, 1050, 534, 534, 276}
    };
    for (int mps = 0; mps < symbols.length; mps++) {
      for (int width = 0; width < symbols[mps].length; width++) {
        PcieLinkConfig config =
            GEN3_X8
                .withGeneration(generation)
                .withLanes(1 << width)
                .withMaxPayloadBytes(128 << mps);

        assertThat(config.ackLimitSymbols())
            .as("x%d, MPS %d", 1 << width, 128 << mps)
            .isEqualTo(symbols[mps][width] + moreThanGen1);
      }
    }
  }

  @Test
  void shouldHavePresetsOfRealSlots() {
    assertThat(GEN3_X8).isEqualTo(slot(PcieGeneration.GEN3, 8, 256, 32));
    assertThat(PcieLinkConfig.GEN2_X8).isEqualTo(slot(PcieGeneration.GEN2, 8, 256, 32));
    assertThat(PcieLinkConfig.GEN4_X16).isEqualTo(slot(PcieGeneration.GEN4, 16, 256, 256));
    assertThat(PcieLinkConfig.GEN5_X16).isEqualTo(slot(PcieGeneration.GEN5, 16, 512, 768));
    assertThat(PcieLinkConfig.GEN6_X16).isEqualTo(slot(PcieGeneration.GEN6, 16, 512, 768));
  }

  private static PcieLinkConfig slot(PcieGeneration generation, int lanes, int mpsBytes, int tags) {
    return new PcieLinkConfig(
        generation,
        lanes,
        60_000,
        mpsBytes,
        512,
        64,
        tags,
        DllpCharge.GUIDE_RATE,
        CompletionCut.LONGEST,
        0,
        false,
        FlowControlConfig.UNLIMITED,
        RequesterConfig.DEFAULT,
        LinkFaultConfig.NONE);
  }

  @Test
  void shouldChangeOneComponentAtATime() {
    FlowControlConfig flowControl =
        FlowControlConfig.UNLIMITED.withRootPort(FlowControlCredits.PCIEVHOST);
    RequesterConfig requester = RequesterConfig.DEFAULT.withRetirePs(5);
    LinkFaultConfig faults = LinkFaultConfig.NONE.withBitErrorRatio(1e-9);

    PcieLinkConfig config =
        GEN3_X8
            .withGeneration(PcieGeneration.GEN1)
            .withLanes(32)
            .withPropagationPs(7)
            .withMaxPayloadBytes(1024)
            .withMaxReadRequestBytes(4096)
            .withReadCompletionBoundaryBytes(128)
            .withTags(1)
            .withDllpCharge(DllpCharge.NONE)
            .withCompletionCut(CompletionCut.RANDOM)
            .withCompletionTurnBytes(64)
            .withEcrc(true)
            .withFlowControl(flowControl)
            .withRequester(requester)
            .withFaults(faults);

    assertThat(config)
        .isEqualTo(
            new PcieLinkConfig(
                PcieGeneration.GEN1,
                32,
                7,
                1024,
                4096,
                128,
                1,
                DllpCharge.NONE,
                CompletionCut.RANDOM,
                64,
                true,
                flowControl,
                requester,
                faults));
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 3, 12, 64})
  void shouldRejectAnIllegalWidth(int lanes) {
    assertRejected(
        () -> GEN3_X8.withLanes(lanes), "lanes must be 1, 2, 4, 8, 16 or 32: lanes=" + lanes);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 100_000_001})
  void shouldRejectAnIllegalDelay(long propagationPs) {
    assertRejected(
        () -> GEN3_X8.withPropagationPs(propagationPs),
        "propagationPs must be 0..100000000: propagationPs=" + propagationPs);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 64, 192, 8192})
  void shouldRejectAnIllegalSize(int bytes) {
    String bound = " must be 128, 256, 512, 1024, 2048 or 4096: ";
    assertRejected(
        () -> GEN3_X8.withMaxPayloadBytes(bytes),
        "maxPayloadBytes" + bound + "maxPayloadBytes=" + bytes);
    assertRejected(
        () -> GEN3_X8.withMaxReadRequestBytes(bytes),
        "maxReadRequestBytes" + bound + "maxReadRequestBytes=" + bytes);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 32, 96, 256})
  void shouldRejectAnIllegalBoundary(int bytes) {
    assertRejected(
        () -> GEN3_X8.withReadCompletionBoundaryBytes(bytes),
        "readCompletionBoundaryBytes must be 64 or 128: readCompletionBoundaryBytes=" + bytes);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 769})
  void shouldRejectAnIllegalNumberOfTags(int tags) {
    assertRejected(() -> GEN3_X8.withTags(tags), "tags must be 1..768: tags=" + tags);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 15_361})
  void shouldRejectAnIllegalNumberOfTagsInFlitMode(int tags) {
    assertRejected(
        () -> PcieLinkConfig.GEN6_X16.withTags(tags), "tags must be 1..15360: tags=" + tags);
  }

  @Test
  void shouldRejectFewerCreditsThanOnePayload() {
    FlowControlCredits few = new FlowControlCredits(8, 15, 0, 0, 0, 0);

    assertThat(GEN3_X8.withMaxPayloadBytes(128).withFlowControl(rootPort(few)).flowControl())
        .isEqualTo(rootPort(few));
    assertRejected(
        () -> GEN3_X8.withFlowControl(rootPort(few)), "pd must be 0 or at least 16: pd=15");
    assertRejected(
        () -> GEN3_X8.withFlowControl(FlowControlConfig.UNLIMITED.withEndpoint(few)),
        "pd must be 0 or at least 16: pd=15");
  }

  @ParameterizedTest
  @CsvSource({
    "128, 0, 0, 0, 'ph must be 0..127 before generation 4: ph=128'",
    "0, 2048, 0, 0, 'pd must be 0..2047 before generation 4: pd=2048'",
    "0, 0, 128, 0, 'nph must be 0..127 before generation 4: nph=128'",
    "0, 0, 0, 2048, 'npd must be 0..2047 before generation 4: npd=2048'"
  })
  void shouldRejectScaledCreditsBeforeGeneration4(
      int ph, int pd, int nph, int npd, String message) {
    FlowControlConfig scaled = rootPort(new FlowControlCredits(ph, pd, nph, npd, 0, 0));

    assertRejected(() -> GEN3_X8.withFlowControl(scaled), message);
    assertThat(PcieLinkConfig.GEN4_X16.withFlowControl(scaled).flowControl()).isEqualTo(scaled);
  }

  private static FlowControlConfig rootPort(FlowControlCredits credits) {
    return FlowControlConfig.UNLIMITED.withRootPort(credits);
  }

  @Test
  @SuppressWarnings("NullAway")
  void shouldRejectNothing() {
    assertThatNullPointerException()
        .isThrownBy(() -> GEN3_X8.withGeneration(null))
        .withMessage("generation");
    assertThatNullPointerException()
        .isThrownBy(() -> GEN3_X8.withDllpCharge(null))
        .withMessage("dllpCharge");
    assertThatNullPointerException()
        .isThrownBy(() -> GEN3_X8.withCompletionCut(null))
        .withMessage("completionCut");
    assertThatNullPointerException()
        .isThrownBy(() -> GEN3_X8.withFlowControl(null))
        .withMessage("flowControl");
    assertThatNullPointerException()
        .isThrownBy(() -> GEN3_X8.withRequester(null))
        .withMessage("requester");
    assertThatNullPointerException()
        .isThrownBy(() -> GEN3_X8.withFaults(null))
        .withMessage("faults");
  }

  private static void assertRejected(ThrowingCallable construction, String message) {
    assertThatIllegalArgumentException().isThrownBy(construction).withMessage(message);
  }
}
