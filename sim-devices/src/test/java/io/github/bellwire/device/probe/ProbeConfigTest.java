package io.github.bellwire.device.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class ProbeConfigTest {
  private static final ProbeConfig NFP = ProbeConfig.NFP6000;

  @Test
  void shouldChangeOnePropertyAtATime() {
    ProbeConfig.Firmware firmware = NFP.firmware().withTimestampPs(1);
    ProbeConfig changed =
        NFP.withTags(8)
            .withReads(NFP.reads().withStartsPerSecond(10))
            .withWrites(NFP.writes().withStartsPerSecond(20))
            .withPairsPerSecond(30)
            .withFirmware(firmware);

    assertThat(changed)
        .isEqualTo(
            new ProbeConfig(
                8,
                new ProbeConfig.Reads(10, true, true, 52_000, 256, 4096, 152, 4_000, 23_700, 156),
                new ProbeConfig.Writes(20, 128, 128, 7_800, 4_000, 70_000),
                30,
                new ProbeConfig.Firmware(1, 30_000, 30_000, 194_000)));
  }

  @Test
  void shouldTakeNoTimeWhenUnlimited() {
    ProbeConfig.Reads reads = NFP.reads().withStartsPerSecond(ProbeConfig.UNLIMITED);
    ProbeConfig.Writes writes = NFP.writes().withStartsPerSecond(ProbeConfig.UNLIMITED);

    // How the data gets into the device's memory is no matter of the engine's pace.
    assertThat(reads)
        .isEqualTo(
            new ProbeConfig.Reads(ProbeConfig.UNLIMITED, true, true, 0, 0, 4096, 0, 0, 0, 156));
    assertThat(writes)
        .isEqualTo(new ProbeConfig.Writes(ProbeConfig.UNLIMITED, 128, 0, 0, 0, 70_000));
    assertThat(ProbeConfig.intervalPs(ProbeConfig.UNLIMITED)).isZero();
    // 1e12 / 67e6 = 14,925.37; 1e12 / 3 = 333,333,333,333.3.
    assertThat(ProbeConfig.intervalPs(67_000_000)).isEqualTo(14_925);
    assertThat(ProbeConfig.intervalPs(3)).isEqualTo(333_333_333_333L);
  }

  @Test
  void shouldRefuseWhatIsOutOfRange() {
    refuse(() -> NFP.withTags(0), "tags must be 1..768: tags=0");
    refuse(() -> NFP.withTags(769), "tags must be 1..768: tags=769");
    refuse(() -> NFP.withPairsPerSecond(0), "pairsPerSecond must be 1..");
    refuse(() -> NFP.reads().withStartsPerSecond(0), "startsPerSecond must be 1..");
    refuse(() -> NFP.writes().withStartsPerSecond(0), "startsPerSecond must be 1..");
    refuse(() -> NFP.firmware().withTimestampPs(0), "timestampPs must be 1..1000000000");
    refuse(
        () -> new ProbeConfig.Reads(1, true, false, 0, 4097, 4096, 0, 0, 0, 0),
        "shortBytes must be 0..4096");
    refuse(
        () -> new ProbeConfig.Reads(1, true, false, 0, 0, 4095, 0, 0, 0, 0),
        "shortOutstandingBytes must be 4096..");
    refuse(
        () -> new ProbeConfig.Reads(1, true, false, 0, 0, 4096, -1, 0, 0, 0),
        "shortPsPerByte must be 0..");
    refuse(
        () -> new ProbeConfig.Reads(1, true, false, 0, 0, 4096, 0, -1, 0, 0),
        "shortPsPerPiece must be 0..");
    refuse(
        () -> new ProbeConfig.Reads(1, true, false, 0, 0, 4096, 0, 0, -1, 0),
        "partialWordPs must be 0..");
    refuse(
        () -> new ProbeConfig.Reads(1, true, false, 0, 0, 4096, 0, 0, 0, -1),
        "retirePsPerByte must be 0..");
    refuse(() -> new ProbeConfig.Writes(1, 96, 0, 0, 0, 0), "burstBytes must be a power of two");
    refuse(() -> new ProbeConfig.Writes(1, 32, 0, 0, 0, 0), "burstBytes must be 64..4096");
    refuse(() -> new ProbeConfig.Writes(1, 64, -1, 0, 0, 0), "psPerByte must be 0..");
    refuse(() -> new ProbeConfig.Writes(1, 64, 0, -1, 0, 0), "basePs must be 0..");
    refuse(() -> new ProbeConfig.Writes(1, 64, 0, 0, -1, 0), "splitPs must be 0..");
    refuse(() -> new ProbeConfig.Writes(1, 64, 0, 0, 0, -1), "setupPs must be 0..");
    refuse(() -> new ProbeConfig.Firmware(1, -1, 0, 0), "commandPs must be 0..");
    refuse(() -> new ProbeConfig.Firmware(1, 0, -1, 0), "noticePs must be 0..");
    refuse(() -> new ProbeConfig.Firmware(1, 0, 0, -1), "loopPs must be 0..");
  }

  @Test
  void shouldRefuseWindowsThatHoldNoSlot() {
    refuse(() -> new ProbeWindow(32, 4096, 64, 0, 64, true), "iova must be a multiple of 64");
    refuse(() -> new ProbeWindow(0, 4096, 64, 0, 0, true), "sizeBytes must be 1..");
    refuse(() -> new ProbeWindow(0, 4096, 64, -1, 64, true), "offsetBytes must be 0..4095");
    refuse(
        () -> new ProbeWindow(0, 4096, 64, 4, 64, true),
        "slotBytes must be a multiple of 64, at least 68: slotBytes=64");
    refuse(() -> new ProbeWindow(0, 4096, 96, 0, 64, true), "slotBytes must be a multiple of 64");
    refuse(() -> new ProbeWindow(0, 64, 128, 0, 64, true), "windowBytes must be 128..");
    refuse(() -> new ProbeRun(ProbeOperation.READ, window(), 0, 1), "warmupCount must be >= 1");
    refuse(() -> new ProbeRun(ProbeOperation.READ, window(), 1, 0), "count must be >= 1: count=0");
  }

  private static ProbeWindow window() {
    return new ProbeWindow(0, 4096, 64, 0, 64, true);
  }

  private static void refuse(ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(message);
  }
}
