package io.github.bellwire.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.memory.DramConfig.Arbitration;
import io.github.bellwire.memory.DramConfig.PagePolicy;
import io.github.bellwire.memory.DramConfig.Queues;
import io.github.bellwire.memory.DramTiming.Refresh;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class DramConfigTest {
  private static final DramConfig DDR4 = DramConfig.of(DramTiming.DDR4_3200);

  @Test
  void shouldHaveThePeakRatesOfTheirNames() {
    // 64 B in 4 clocks of 625 ps; 64 B in 8 of 416 ps; 2 x 32 B in 2 of 833 ps
    assertThat(DramTiming.DDR4_3200.peakBytesPerSecond(2)).isEqualTo(25_600_000_000L);
    assertThat(DramTiming.DDR5_4800.peakBytesPerSecond(2)).isEqualTo(19_230_769_230L);
    assertThat(DramTiming.HBM2.peakBytesPerSecond(2)).isEqualTo(38_415_366_146L);
    assertThat(DramTiming.DDR3_1600.peakBytesPerSecond(2)).isEqualTo(12_800_000_000L);
  }

  @Test
  void shouldChangeOneThingAtATime() {
    DramConfig changed =
        DDR4.withTiming(DramTiming.DDR5_4800.withRefresh(new Refresh(3_900_000, 410_000)))
            .withChannels(4, 1)
            .withMapping("rorabacochbg")
            .withPagePolicy(PagePolicy.CLOSED, 3)
            .withQueues(Queues.PER_BANK)
            .withRefreshStaggerPs(5)
            .withFirstRefreshPs(9)
            .withLatency(6, 7)
            .withHorizonPs(8);

    assertThat(changed)
        .isEqualTo(
            new DramConfig(
                DramTiming.DDR5_4800.withRefresh(new Refresh(3_900_000, 410_000)),
                4,
                1,
                "rorabacochbg",
                PagePolicy.CLOSED,
                3,
                Queues.PER_BANK,
                5,
                9,
                6,
                7,
                8));
    assertThat(DDR4.withTiming(DramTiming.DDR5_4800).firstRefreshPs()).isEqualTo(3_900_000);
    assertThat(changed.timing().refresh().cyclePs()).isEqualTo(410_000);
  }

  @Test
  void shouldRefuseWhatCannotBeBuilt() {
    assertRefused(() -> DDR4.withChannels(3, 2), "channels must be a power of two, 1..64", "3");
    assertRefused(() -> DDR4.withChannels(128, 2), "channels must be a power of two, 1..64", "128");
    assertRefused(() -> DDR4.withChannels(1, 0), "ranks must be a power of two, 1..8", "0");
    assertRefused(
        () -> DDR4.withPagePolicy(PagePolicy.OPEN, 0), "rowAccessesMax must be 1..1024", "0");
    assertRefused(
        () -> DDR4.withRefreshStaggerPs(7_800_001),
        "refreshStaggerPs must be 0..7800000",
        "7800001");
    assertRefused(() -> DDR4.withFirstRefreshPs(0), "firstRefreshPs must be 1..7800000", "0");
    assertRefused(() -> DDR4.withLatency(-1, 0), "frontPs must be 0..1000000", "-1");
    assertRefused(() -> DDR4.withLatency(0, 1_000_001), "backPs must be 0..1000000", "1000001");
    assertRefused(() -> DDR4.withHorizonPs(-1), "horizonPs must be 0..1000000", "-1");
    assertRefused(() -> queues(0, 0, 32, 26, 6, 1), "readsCount must be 1..256", "0");
    assertRefused(() -> queues(32, 65, 32, 26, 6, 1), "readsPerBankCount must be 0..64", "65");
    assertRefused(() -> queues(32, 0, 257, 26, 6, 1), "writesCount must be 1..256", "257");
    assertRefused(() -> queues(32, 0, 32, 33, 6, 1), "writesHighCount must be 1..32", "33");
    assertRefused(() -> queues(32, 0, 32, 26, 26, 1), "writesLowCount must be 0 to below 26", "26");
    assertRefused(() -> queues(32, 0, 32, 26, 6, 0), "writesPerTurnMin must be >= 1", "0");
    assertRefused(
        () -> new Refresh(999_999, 0), "intervalPs must be 1000000..1000000000", "999999");
    assertRefused(
        () -> new Refresh(7_800_000, 3_900_000),
        "cyclePs must be at least 0, less than half of intervalPs=7800000",
        "3900000");
    assertRefused(() -> DramTiming.DDR4_3200.withClockPs(99), "clockPs must be 100..10000", "99");
  }

  private static Queues queues(int reads, int perBank, int writes, int high, int low, int min) {
    return new Queues(Arbitration.OLDEST_FIRST, reads, perBank, writes, high, low, min);
  }

  private static void assertRefused(ThrowingCallable build, String bound, String value) {
    String name = bound.substring(0, bound.indexOf(' '));
    assertThatIllegalArgumentException()
        .isThrownBy(build)
        .withMessage(bound + ": " + name + "=" + value);
  }
}
