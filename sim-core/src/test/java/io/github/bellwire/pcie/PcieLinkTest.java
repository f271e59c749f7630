package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bit errors with replay, and acknowledgements that occupy the opposite direction. */
class PcieLinkTest {
  /** 126.953125 ps per byte. */
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE);

  /** A write of 256 B: 280 B, 35_546.875 ps. */
  private static final int MWR_256 = 280;

  private static final double PS_PER_BYTE = 126.953125;

  // Bit errors.

  @ParameterizedTest
  @ValueSource(doubles = {1e-4, 1e-6})
  void shouldBreakTlpsWithTheChanceOfTheirLength(double ratio) {
    BitErrors errors = new BitErrors(ratio, new Simulation(11).randomStream("test"));
    int tlps = 2_000_000;
    int broken = 0;

    for (int i = 0; i < tlps; i++) {
      broken += errors.corrupts(MWR_256) ? 1 : 0;
    }

    // Binomial: four standard deviations.
    double chance = 1 - Math.pow(1 - ratio, MWR_256 * 8);
    double deviation = Math.sqrt(chance * (1 - chance) / tlps);
    assertThat(broken / (double) tlps).isCloseTo(chance, within(4 * deviation));
  }

  @Test
  void shouldSendABrokenTlpAgainWhenItsNakIsBack() {
    PcieLinkConfig config = withErrors(1e-5);
    BitErrors oracle = stream(config, "up");
    PcieLink link = new PcieLink(config, new Simulation(7), "test");
    // Ready far apart: each stands alone. Nak: 2 x 60 ns and 8 B, 1_015 ps.
    long nakPs = 120_000 + 1_015;
    int replays = 0;

    for (int i = 1; i <= 2_000; i++) {
      long readyPs = i * 100_000_000L;
      // Rounded down to the picosecond at each start: 35_546.
      long expectedPs = readyPs + 35_546;
      while (oracle.corrupts(MWR_256)) {
        replays++;
        expectedPs += nakPs + 35_546;
      }
      assertThat(link.upstream().transmit(MWR_256, readyPs)).as("i=%d", i).isEqualTo(expectedPs);
    }

    assertThat(replays).isGreaterThan(20);
    assertThat(link.upperErrors().total(PcieError.BAD_TLP)).isEqualTo(replays);
    assertThat(link.lowerErrors().total(PcieError.BAD_TLP)).isZero();
    assertThat(link.upstream().replaysTotal()).isEqualTo(replays);
  }

  @Test
  void shouldFallBackToTheReplayTimerWhenTheNakIsLost() {
    // 1 of 1250 DLLPs is lost, 1 of 5 TLPs is broken.
    PcieLinkConfig config = withErrors(1e-4);
    PcieLink link = new PcieLink(config, new Simulation(7), "test");
    List<Long> timeouts = new ArrayList<>();
    link.lowerErrors()
        .listen(
            (error, header01, header23, atPs) -> {
              if (error == PcieError.REPLAY_TIMER_TIMEOUT) {
                timeouts.add(atPs);
              }
            });
    long longestPs = 0;
    // 203 symbols of 8 bits x 130/128 at 8 GT/s: 206_125 ps (floor of the bits), three times.
    long timerPs = 3 * 206_125L;

    for (int i = 1; i <= 50_000; i++) {
      long readyPs = i * 100_000_000L;
      int before = timeouts.size();
      long sentPs = link.upstream().transmit(MWR_256, readyPs);
      if (timeouts.size() == before + 1 && sentPs - readyPs < 2 * 35_546 + timerPs + 1) {
        // Broken once: sent, timed out, sent.
        assertThat(sentPs - readyPs).isEqualTo(35_546 + timerPs + 35_546);
        assertThat(timeouts.get(before)).isEqualTo(readyPs + 35_546 + timerPs);
        longestPs = sentPs - readyPs;
      }
    }

    assertThat(longestPs).isPositive();
    assertThat(link.lowerErrors().total(PcieError.REPLAY_TIMER_TIMEOUT))
        .isEqualTo(timeouts.size())
        .isLessThan(link.lowerErrors().total(PcieError.BAD_DLLP));
  }

  @Test
  void shouldTrainAnewAfterFourReplaysOfOneTlp() {
    // 1500 B: 70 % arrive broken.
    PcieLinkConfig config = withErrors(1e-4).withFaults(faults(1e-4).withRetrainPs(7_000_000));
    BitErrors oracle = stream(config, "up");
    PcieLink link = new PcieLink(config, new Simulation(7), "test");
    int rollovers = 0;

    for (int i = 1; i <= 500; i++) {
      int replays = 0;
      while (oracle.corrupts(1500)) {
        replays++;
      }
      rollovers += replays / 4;
      long readyPs = i * 1_000_000_000L;
      long sentPs = link.upstream().transmit(1500, readyPs);
      assertThat(sentPs - readyPs).as("i=%d", i).isGreaterThanOrEqualTo(replays / 4 * 7_000_000L);
    }

    assertThat(rollovers).isGreaterThan(50);
    assertThat(link.lowerErrors().total(PcieError.REPLAY_NUM_ROLLOVER)).isEqualTo(rollovers);
    // Training takes both directions; nothing else has used the other one.
    assertThat(link.downstream().transmit(MWR_256, 0)).isPositive();
  }

  @Test
  void shouldHoldBothDirectionsWhileTraining() {
    PcieLinkConfig config = withErrors(1e-4).withFaults(faults(1e-4).withRetrainPs(7_000_000));
    PcieLink link = new PcieLink(config, new Simulation(7), "test");
    List<Long> rollovers = new ArrayList<>();
    link.lowerErrors()
        .listen(
            (error, header01, header23, atPs) -> {
              if (error == PcieError.REPLAY_NUM_ROLLOVER) {
                rollovers.add(atPs);
              }
            });
    while (rollovers.isEmpty()) {
      link.upstream().transmit(1500, 0);
    }

    long sentPs = link.downstream().transmit(24, rollovers.get(0) + 1);

    assertThat(sentPs).isGreaterThan(rollovers.get(0) + 7_000_000);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-6, 1e-5, 1e-4})
  void shouldLoseTheTimeUntilTheNakForEveryBrokenTlp(double ratio) {
    PcieLinkConfig config = withErrors(ratio).withFaults(faults(ratio).withRetrainPs(0));
    PcieLink link = new PcieLink(config, new Simulation(7), "test");
    int tlps = 400_000;

    long sentPs = 0;
    for (int i = 0; i < tlps; i++) {
      sentPs = link.upstream().transmit(MWR_256, 0);
    }

    // Each copy is broken with chance p and then costs itself and the time until its Nak; a lost
    // Nak, one of 156 at 1e-4, costs 618 ns instead of 121.
    double p = 1 - Math.pow(1 - ratio, MWR_256 * 8);
    double lost = 1 - Math.pow(1 - ratio, 64);
    double nakPs = 121_015 * (1 - lost) + 3 * 206_125 * lost;
    double psPerTlp = MWR_256 * PS_PER_BYTE + p / (1 - p) * (MWR_256 * PS_PER_BYTE + nakPs);
    assertThat(sentPs / (double) tlps).isCloseTo(psPerTlp, withinPercentage(1));
    // What was sent until the Nak came, 121 ns or 3.4 TLPs, is sent again too: 1 + 4; fewer are
    // counted if a replay is broken again.
    double broken = link.upperErrors().total(PcieError.BAD_TLP);
    assertThat(link.upstream().replaysTotal() / broken).isBetween(5 * (1 - 2 * p), 5.0);
  }

  @Test
  void shouldMeetTheSameErrorsWithTheSameSeed() {
    PcieLink first = new PcieLink(withErrors(1e-5), new Simulation(7), "test");
    PcieLink second = new PcieLink(withErrors(1e-5), new Simulation(7), "test");
    PcieLink other = new PcieLink(withErrors(1e-5), new Simulation(8), "test");
    boolean differs = false;

    for (int i = 0; i < 10_000; i++) {
      long sentPs = first.upstream().transmit(MWR_256, 0);
      assertThat(second.upstream().transmit(MWR_256, 0)).isEqualTo(sentPs);
      differs |= other.upstream().transmit(MWR_256, 0) != sentPs;
    }

    assertThat(differs).isTrue();
  }

  @Test
  void shouldKeepTheOrderOfWhatIsOfferedInOrder() {
    PcieLink link = new PcieLink(withErrors(1e-5), new Simulation(9), "test");
    long lastPs = 0;

    for (int i = 0; i < 50_000; i++) {
      // Idle now and then, so that there are gaps.
      long sentPs = link.upstream().transmit(24 + i % 200, lastPs + (i % 5 == 0 ? 50_000 : 0));
      assertThat(sentPs).isGreaterThan(lastPs);
      lastPs = sentPs;
    }
  }

  @Test
  void shouldNotSendBeforeTheReplayWhatIsOfferedAfterABrokenTlp() {
    PcieLinkConfig config = withErrors(1e-4);
    BitErrors oracle = stream(config, "up");
    int good = 0;
    while (!oracle.corrupts(MWR_256)) {
      good++;
    }
    PcieLink link = new PcieLink(config, new Simulation(7), "test");
    for (int i = 0; i < good; i++) {
      link.upstream().transmit(MWR_256, i * 1_000_000L);
    }

    long readyPs = good * 1_000_000L;
    long brokenPs = link.upstream().transmit(MWR_256, readyPs);
    long behindPs = link.upstream().transmit(24, readyPs + 40_000);

    assertThat(brokenPs).isGreaterThan(readyPs + 121_015);
    assertThat(behindPs).isGreaterThan(brokenPs);
  }

  // Acknowledgements in the opposite direction.

  @Test
  void shouldChargeAcknowledgementsToTheOppositeDirection() {
    PcieLinkConfig config = PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.OPPOSITE);
    PcieLink link = new PcieLink(config, new Simulation(1), "test");

    long sentPs = 0;
    for (int i = 0; i < 200_000; i++) {
      sentPs = link.upstream().transmit(MWR_256, 0);
    }

    // 63.0154 Gb/s x (1 - 4/1538).
    double gbps = 8_000.0 * link.upstream().bytesTotal() / sentPs;
    assertThat(gbps).isCloseTo(63.0154 * (1 - 4.0 / 1538), withinPercentage(0.01));
    // Nothing to slow down there: DLLPs wait for a TLP, and this one finds the link idle.
    assertThat(link.downstream().transmit(MWR_256, sentPs)).isEqualTo(sentPs + 35_639);
    // 16 B every 6 TLPs, the first end of a TLP not before 203 symbols of 8 lanes (206_125 ps):
    // 6 x 35_639.6 = 213_837 ps.
    double share = (link.downstream().busyPsTotal() - 35_639) / (double) sentPs;
    assertThat(share).isCloseTo(16 * PS_PER_BYTE / 213_837, withinPercentage(1));
    assertThat(link.downstream().bytesTotal()).isEqualTo(MWR_256);
  }

  @Test
  void shouldSlowTheOppositeDirectionByItsAcknowledgements() {
    PcieLinkConfig config = PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.OPPOSITE);
    PcieLink link = new PcieLink(config, new Simulation(1), "test");

    long upPs = 0;
    long downPs = 0;
    for (int i = 0; i < 200_000; i++) {
      upPs = link.upstream().transmit(MWR_256, 0);
      downPs = link.downstream().transmit(MWR_256, 0);
    }

    // 16 B for every 6 TLPs of 280 B each way.
    double gbps = 8_000.0 * link.upstream().bytesTotal() / upPs;
    double line = 63.0154 * (1 - 4.0 / 1538);
    assertThat(gbps).isCloseTo(line * 1680 / 1696, withinPercentage(0.05));
    assertThat(Math.abs(upPs - downPs)).isLessThan(100_000);
  }

  @ParameterizedTest
  @CsvSource({"NONE", "GUIDE_RATE", "OPPOSITE"})
  void shouldHaveNoAcknowledgementsInFlitMode(DllpCharge charge) {
    PcieLinkConfig config = PcieLinkConfig.GEN6_X16.withDllpCharge(charge);
    PcieLink link = new PcieLink(config, new Simulation(1), "test");

    long sentPs = 0;
    for (int i = 0; i < 100_000; i++) {
      sentPs = link.upstream().transmit(MWR_256, 0);
    }

    // 236/256 of 128 GB/s: 118 GB/s exactly, 272 B each: no framing.
    assertThat(link.upstream().bytesTotal()).isEqualTo(272L * 100_000);
    assertThat(1_000.0 * link.upstream().bytesTotal() / sentPs).isCloseTo(118, within(0.001));
    assertThat(link.downstream().busyPsTotal()).isZero();
  }

  private static LinkFaultConfig faults(double ratio) {
    return LinkFaultConfig.NONE.withBitErrorRatio(ratio);
  }

  private static PcieLinkConfig withErrors(double ratio) {
    return GEN3_X8.withFaults(faults(ratio));
  }

  /** The errors that a link of seed 7 meets in one direction. */
  private static BitErrors stream(PcieLinkConfig config, String direction) {
    return new BitErrors(
        config.faults().bitErrorRatio(),
        new Simulation(7).randomStream("test " + direction + " bits"));
  }
}
