package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EthernetWireTest {
  // Frames of 64, 128, 256, 512, 1024, 1518 and 9018 bytes with FCS, in millions per second:
  // rate / ((F + 20) x 8) (IEEE 802.3: 7 + 1 bytes before and 12 behind the frame).
  @ParameterizedTest
  @CsvSource({
    "1, 1.48810, 0.84459, 0.45290, 0.23496, 0.11973, 0.08127, 0.01383",
    "10, 14.8810, 8.4459, 4.5290, 2.3496, 1.1973, 0.81274, 0.13831",
    "25, 37.2024, 21.1149, 11.3225, 5.8741, 2.9933, 2.0319, 0.34577",
    "40, 59.5238, 33.7838, 18.1159, 9.3985, 4.7893, 3.2510, 0.55322",
    "100, 148.810, 84.459, 45.290, 23.496, 11.973, 8.1274, 1.3831",
    "200, 297.619, 168.919, 90.580, 46.992, 23.946, 16.255, 2.7661",
    "400, 595.238, 337.838, 181.159, 93.985, 47.893, 32.510, 5.5322",
    "800, 1190.476, 675.676, 362.319, 187.970, 95.785, 65.020, 11.0644"
  })
  void shouldCarryThePacketRateOfTheStandard(
      long gigabitsPerSecond,
      double rate64,
      double rate128,
      double rate256,
      double rate512,
      double rate1024,
      double rate1518,
      double rate9018) {
    int[] sizes = {64, 128, 256, 512, 1024, 1518, 9018};
    double[] rates = {rate64, rate128, rate256, rate512, rate1024, rate1518, rate9018};

    for (int i = 0; i < sizes.length; i++) {
      EthernetWire wire = new EthernetWire(gigabitsPerSecond * 1_000_000_000L);
      int frames = 10_000;
      for (int j = 0; j < frames; j++) {
        wire.transmit(sizes[i] - 4, 0);
      }
      // The exact law, then the printed table.
      double exactPs = frames * (sizes[i] + 20) * 8 * 1000.0 / gigabitsPerSecond;
      assertThat((double) wire.freePs()).isCloseTo(exactPs, within(1.0));
      assertThat(frames * 1e6 / wire.freePs()).isCloseTo(rates[i], within(rates[i] * 1e-3));
    }
  }

  @Test
  void shouldEndAFrameWithTheLastBitOfItsFcs() {
    EthernetWire wire = new EthernetWire(10_000_000_000L);

    // At 10 Gb/s a byte lasts 800 ps: 8 + 60 + 4 = 72 bytes, then 12 of silence.
    assertThat(wire.transmit(60, 5_000)).isEqualTo(5_000 + 72 * 800);
    assertThat(wire.freePs()).isEqualTo(5_000 + 84 * 800);
    assertThat(wire.framesTotal()).isEqualTo(1);
    assertThat(wire.bytesTotal()).isEqualTo(84);
    assertThat(EthernetWire.wireBytes(60)).isEqualTo(84);
  }

  @Test
  void shouldKeepFramesApartByTheGap() {
    EthernetWire wire = new EthernetWire(10_000_000_000L);
    wire.transmit(60, 0);

    // Ready while the first one is under way: it starts at 84 x 800 = 67,200 ps.
    assertThat(wire.transmit(60, 1_000)).isEqualTo(67_200 + 72 * 800);
  }

  @Test
  void shouldCarryTheFractionWhileBusyAndForgetItWhenIdle() {
    EthernetWire wire = new EthernetWire(3_000_000_000L);

    // A byte lasts 2666 2/3 ps: 85 bytes are 226,666 2/3 ps, three frames exactly 680,000 ps.
    wire.transmit(61, 0);
    assertThat(wire.freePs()).isEqualTo(226_666);
    wire.transmit(61, 0);
    assertThat(wire.freePs()).isEqualTo(453_333);
    wire.transmit(61, 0);
    assertThat(wire.freePs()).isEqualTo(680_000);
    wire.transmit(61, 0);
    wire.transmit(61, 1_000_000);
    assertThat(wire.freePs()).isEqualTo(1_226_666);
  }

  @Test
  void shouldBeFreeAtOnceWhenAbandoned() {
    EthernetWire wire = new EthernetWire(3_000_000_000L);
    wire.transmit(1500, 0);

    wire.abandon(1_000);

    assertThat(wire.freePs()).isEqualTo(1_000);
    wire.abandon(2_000);
    assertThat(wire.freePs()).isEqualTo(1_000);
    wire.transmit(61, 0);
    // 226,666 2/3 ps without the fraction of the frame that was given up.
    assertThat(wire.freePs()).isEqualTo(227_666);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, 1_000_000_000_001L})
  void shouldRejectARateOutOfRange(long bitsPerSecond) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EthernetWire(bitsPerSecond))
        .withMessage("bitsPerSecond must be 1..1e12: bitsPerSecond=" + bitsPerSecond);
  }
}
