package io.github.bellwire.device.nic.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class NicDriverConfigTest {
  private static final NicDriverConfig CONFIG = NicDriverConfig.POLLING;

  @Test
  void shouldGroupWriteBacksByEightWhenPolling() {
    assertThat(CONFIG.txdctl()).isEqualTo(0x00080820); // 32, 8, 8
    assertThat(CONFIG.tailThreshold()).isEqualTo(32);
    assertThat(CONFIG.cleanGroup()).isEqualTo(32);
  }

  @Test
  void shouldUseLinuxThresholdsInTheKernelModes() {
    assertThat(NicDriverConfig.NAPI.txdctl()).isEqualTo(0x00080120); // 32, 1, 8
    assertThat(NicDriverConfig.INTERRUPT.txdctl()).isEqualTo(0x00080120);
    assertThat(NicDriverConfig.NAPI.cleanGroup()).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldHaveAPresetForEachMode(DriverMode mode) {
    NicDriverConfig preset = NicDriverConfig.forMode(mode);

    assertThat(preset.mode()).isEqualTo(mode);
    assertThat(preset.toBuilder().build()).isEqualTo(preset);
    assertThat(mode.isPreMapped()).isEqualTo(mode == DriverMode.POLL);
  }

  // The threshold leaves the device half of the ring and one frame of the largest size.
  @ParameterizedTest
  @CsvSource({
    "512, 32, 1518, 32",
    "64, 64, 1518, 32", // half of 64
    "8, 8, 1518, 4", // half of 8
    "8, 8, 8192, 3", // 8 - 1 - 4 segments
    "8, 1, 12288, 1", // 8 - 1 - 6 segments
    "512, 1, 1518, 1"
  })
  void shouldAnnounceNoMoreThanTheDeviceCanSpare(
      int ringSize, int batch, int maxFrameBytes, int threshold) {
    NicDriverConfig config =
        CONFIG.toBuilder()
            .ringSize(ringSize)
            .batch(batch)
            .maxFrameBytes(maxFrameBytes)
            .wthresh(0)
            .build();

    assertThat(config.tailThreshold()).isEqualTo(threshold);
  }

  @Test
  void shouldNameWhatIsOutOfRange() {
    assertRefused(CONFIG.toBuilder().rxQueues(0), "rxQueues must be 1..64: rxQueues=0");
    assertRefused(CONFIG.toBuilder().txQueues(65), "txQueues must be 1..64: txQueues=65");
    assertRefused(
        CONFIG.toBuilder().ringSize(0), "ringSize must be a multiple of 8 in 8..4096: ringSize=0");
    assertRefused(
        CONFIG.toBuilder().ringSize(100),
        "ringSize must be a multiple of 8 in 8..4096: ringSize=100");
    assertRefused(
        CONFIG.toBuilder().txRingSize(100),
        "txRingSize must be a multiple of 8 in 8..4096: txRingSize=100");
    assertRefused(
        CONFIG.toBuilder().ringSize(64).txRingSize(8).batch(4).wthresh(5),
        "wthresh must be 0..4: wthresh=5");
    assertRefused(
        CONFIG.toBuilder().ringSize(4104),
        "ringSize must be a multiple of 8 in 8..4096: ringSize=4104");
    assertRefused(
        CONFIG.toBuilder().bufferBytes(1500),
        "bufferBytes must be a multiple of 1024 in 1024..16384: bufferBytes=1500");
    assertRefused(
        CONFIG.toBuilder().bufferBytes(17_408),
        "bufferBytes must be a multiple of 1024 in 1024..16384: bufferBytes=17408");
    assertRefused(CONFIG.toBuilder().batch(0), "batch must be 1..512: batch=0");
    assertRefused(CONFIG.toBuilder().batch(513), "batch must be 1..512: batch=513");
    assertRefused(
        CONFIG.toBuilder().itrPs(1_046_528_001), "itrPs must be 0..1046528000: itrPs=1046528001");
    assertRefused(CONFIG.toBuilder().itrPs(-1), "itrPs must be 0..1046528000: itrPs=-1");
    assertRefused(CONFIG.toBuilder().pthresh(0).wthresh(41), "wthresh must be 0..40: wthresh=41");
    assertRefused(
        CONFIG.toBuilder().ringSize(8).batch(4).wthresh(5), "wthresh must be 0..4: wthresh=5");
    assertRefused(CONFIG.toBuilder().pthresh(33), "pthresh must be 0..32: pthresh=33");
    assertRefused(CONFIG.toBuilder().hthresh(128), "hthresh must be 0..127: hthresh=128");
    assertRefused(
        CONFIG.toBuilder().maxFrameBytes(63), "maxFrameBytes must be 64..16383: maxFrameBytes=63");
    assertRefused(
        CONFIG.toBuilder().maxFrameBytes(16_384),
        "maxFrameBytes must be 64..16383: maxFrameBytes=16384");
    assertRefused(
        CONFIG.toBuilder().rxQueues(2).fragmentChecksum(true),
        "rxQueues must be 1 with fragmentChecksum: rxQueues=2");
  }

  @Test
  void shouldRefuseRingsThatCannotHoldAFrame() {
    // 6 buffers of 2 KiB, so that one descriptor can be refilled and one stays unused.
    assertRefused(
        CONFIG.toBuilder().ringSize(8).batch(1).wthresh(0).maxFrameBytes(12_289),
        "maxFrameBytes must be <= 12288, what a ring can hold: maxFrameBytes=12289");
  }

  @Test
  void shouldShrinkWhatASmallRingCannotHold() {
    NicDriverConfig small = CONFIG.withRingSize(16);

    assertThat(small.ringSize()).isEqualTo(16);
    assertThat(small.batch()).isEqualTo(16);
    assertThat(small.wthresh()).isEqualTo(4);
    assertThat(small.withRingSize(1024).batch()).isEqualTo(16);
    assertThat(CONFIG.withRingSize(64)).isEqualTo(CONFIG.toBuilder().ringSize(64).build());
    assertRefused(
        () -> CONFIG.withRingSize(0), "ringSize must be a multiple of 8 in 8..4096: ringSize=0");
  }

  @ParameterizedTest
  @CsvSource({"1518, false", "1519, true"})
  void shouldCallFramesAboveTheStandardJumbo(int maxFrameBytes, boolean isJumbo) {
    assertThat(CONFIG.toBuilder().maxFrameBytes(maxFrameBytes).build().isJumbo())
        .isEqualTo(isJumbo);
  }

  @Test
  void shouldCountBuffersForAllRings() {
    NicDriverConfig config = CONFIG.toBuilder().rxQueues(3).txQueues(2).ringSize(64).build();

    assertThat(config.buffersCount()).isEqualTo(5 * 64 + 512);
    // Three rings of 64 and two of 1024.
    assertThat(config.toBuilder().txRingSize(1024).build().buffersCount())
        .isEqualTo(3 * 64 + 2 * 1024 + 512);
  }

  // 10 us is 4.88 steps of 2.048 us, so 5 steps of eight units.
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "1, 8",
    "2048000, 8",
    "2048001, 16",
    "10000000, 40",
    "51200000, 200",
    "1046528000, 4088"
  })
  void shouldRoundTheInterruptIntervalUp(long itrPs, int register) {
    assertThat(NicInterrupts.eitr(itrPs)).isEqualTo(register);
  }

  @Test
  void shouldRefuseCostsOutOfRange() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DriverProfile(-1, 0, 0, 0, 0, 0))
        .withMessage("perPacketRx must be 0..1000000: perPacketRx=-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DriverProfile(0, 1_000_001, 0, 0, 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new DriverProfile(0, 0, -1, 0, 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new DriverProfile(0, 0, 0, -1, 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new DriverProfile(0, 0, 0, 0, -1, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new DriverProfile(0, 0, 0, 0, 0, -1));
  }

  @Test
  void shouldRefuseOffloadsThatMakeNoSense() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new TxOffload(0, 0, 0, 1000, 1, true, false, true))
        .withMessage("mssBytes must be 0 without insertion of the checksums: mssBytes=1000");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new TxOffload(127, 384, 1, 0, 1, true, true, true))
        .withMessage("headersBytes must be <= 511: headersBytes=512");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new TxOffload(0, 0, 0, 0, 3, true, true, true));
    assertThat(TxOffload.NONE.needsContext()).isFalse();
  }

  private static void assertRefused(NicDriverConfig.Builder builder, String message) {
    assertRefused(builder::build, message);
  }

  private static void assertRefused(ThrowingCallable call, String message) {
    assertThatIllegalArgumentException().isThrownBy(call).withMessage(message);
  }
}
