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

  @Test
  void shouldHavePresetsOfRealSlots() {
    assertThat(GEN3_X8)
        .isEqualTo(
            new PcieLinkConfig(
                PcieGeneration.GEN3, 8, 60_000, 256, 512, 64, 32, DllpCharge.GUIDE_RATE));
    assertThat(PcieLinkConfig.GEN2_X8)
        .isEqualTo(
            new PcieLinkConfig(
                PcieGeneration.GEN2, 8, 60_000, 256, 512, 64, 32, DllpCharge.GUIDE_RATE));
    assertThat(PcieLinkConfig.GEN4_X16)
        .isEqualTo(
            new PcieLinkConfig(
                PcieGeneration.GEN4, 16, 60_000, 256, 512, 64, 256, DllpCharge.GUIDE_RATE));
    assertThat(PcieLinkConfig.GEN5_X16)
        .isEqualTo(
            new PcieLinkConfig(
                PcieGeneration.GEN5, 16, 60_000, 512, 512, 64, 768, DllpCharge.GUIDE_RATE));
  }

  @Test
  void shouldChangeOneComponentAtATime() {
    assertThat(GEN3_X8.withPropagationPs(7))
        .isEqualTo(
            new PcieLinkConfig(PcieGeneration.GEN3, 8, 7, 256, 512, 64, 32, DllpCharge.GUIDE_RATE));
    assertThat(GEN3_X8.withMaxPayloadBytes(1024).withMaxReadRequestBytes(4096))
        .isEqualTo(
            new PcieLinkConfig(
                PcieGeneration.GEN3, 8, 60_000, 1024, 4096, 64, 32, DllpCharge.GUIDE_RATE));
    assertThat(GEN3_X8.withReadCompletionBoundaryBytes(128).withTags(1))
        .isEqualTo(
            new PcieLinkConfig(
                PcieGeneration.GEN3, 8, 60_000, 256, 512, 128, 1, DllpCharge.GUIDE_RATE));
    assertThat(GEN3_X8.withLanes(32).withDllpCharge(DllpCharge.NONE))
        .isEqualTo(
            new PcieLinkConfig(PcieGeneration.GEN3, 32, 60_000, 256, 512, 64, 32, DllpCharge.NONE));
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

  @Test
  @SuppressWarnings("NullAway")
  void shouldRejectNothing() {
    assertThatNullPointerException()
        .isThrownBy(() -> GEN3_X8.withGeneration(null))
        .withMessage("generation");
    assertThatNullPointerException()
        .isThrownBy(() -> GEN3_X8.withDllpCharge(null))
        .withMessage("dllpCharge");
  }

  private static void assertRejected(ThrowingCallable construction, String message) {
    assertThatIllegalArgumentException().isThrownBy(construction).withMessage(message);
  }
}
