package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.bellwire.kernel.Simulation;
import java.util.EnumMap;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class LinkFaultConfigTest {
  private static final LinkFaultConfig NONE = LinkFaultConfig.NONE;

  @Test
  void shouldChangeOneComponentAtATime() {
    assertThat(
            NONE.withBitErrorRatio(1e-5)
                .withPoisonedRatio(0.1)
                .withCorruptedRatio(0.2)
                .withMalformedRatio(0.3)
                .withLostRatio(0.4)
                .withRetrainPs(5))
        .isEqualTo(new LinkFaultConfig(1e-5, 0.1, 0.2, 0.3, 0.4, 5));
  }

  @Test
  void shouldRejectWhatIsNoChance() {
    assertRejected(
        () -> NONE.withBitErrorRatio(2e-4),
        "bitErrorRatio must be 0..1.0E-4: bitErrorRatio=2.0E-4");
    assertRejected(
        () -> NONE.withBitErrorRatio(Double.NaN),
        "bitErrorRatio must be 0..1.0E-4: bitErrorRatio=NaN");
    assertRejected(
        () -> NONE.withPoisonedRatio(-0.1),
        "poisonedRatio must be 0 to below 1: poisonedRatio=-0.1");
    assertRejected(
        () -> NONE.withCorruptedRatio(1),
        "corruptedRatio must be 0 to below 1: corruptedRatio=1.0");
    assertRejected(
        () -> NONE.withMalformedRatio(Double.NaN),
        "malformedRatio must be 0 to below 1: malformedRatio=NaN");
    assertRejected(() -> NONE.withLostRatio(2), "lostRatio must be 0 to below 1: lostRatio=2.0");
    assertRejected(
        () -> NONE.withLostRatio(0.75).withPoisonedRatio(0.5),
        "sum of ratios must be <= 1: sum of ratios=1.25");
    assertRejected(
        () -> NONE.withRetrainPs(-1), "retrainPs must be 0..1000000000000: retrainPs=-1");
  }

  @Test
  void shouldRejectAnIllegalRequester() {
    assertRejected(
        () -> RequesterConfig.DEFAULT.withCompletionTimeoutPs(49_999_999),
        "completionTimeoutPs must be 50000000..64000000000000: completionTimeoutPs=49999999");
    assertRejected(
        () -> RequesterConfig.DEFAULT.withRetirePs(-1),
        "retirePs must be 0..100000000: retirePs=-1");
  }

  @Test
  void shouldKnowTheRangesOfTheCompletionTimeout() {
    for (int code = 0; code < 16; code++) {
      CompletionTimeout range = CompletionTimeout.ofCode(code);
      boolean isReserved = code == 3 || code == 4 || code == 7 || code == 8 || code == 11;
      isReserved |= code == 12 || code == 15;
      assertThat(range.code()).isEqualTo(isReserved ? 0 : code);
      assertThat(range.shortestPs())
          .isLessThan(range.longestPs())
          .isGreaterThanOrEqualTo(CompletionTimeout.SHORTEST_PS);
    }
    // Range B of the hosts of pcie-bench: 65 ms to 210 ms.
    assertThat(CompletionTimeout.ofCode(6).longestPs()).isEqualTo(210_000_000_000L);
  }

  // Drawing faults.

  @Test
  void shouldDrawFaultsWithTheirChances() {
    LinkFaultConfig config = new LinkFaultConfig(0, 0.1, 0.05, 0.2, 0.15, 0);
    FaultInjector faults = new FaultInjector(config, new Simulation(3).randomStream("test"));
    Map<TlpFault, Integer> counts = new EnumMap<>(TlpFault.class);
    int draws = 200_000;

    for (int i = 0; i < draws; i++) {
      counts.merge(faults.next(false, true), 1, Integer::sum);
    }

    // Four standard deviations are 0.0036 at most.
    assertThat(counts.get(TlpFault.POISONED) / (double) draws).isCloseTo(0.1, within(0.0036));
    assertThat(counts.get(TlpFault.CORRUPTED) / (double) draws).isCloseTo(0.05, within(0.0036));
    assertThat(counts.get(TlpFault.MALFORMED) / (double) draws).isCloseTo(0.2, within(0.0036));
    assertThat(counts.get(TlpFault.LOST) / (double) draws).isCloseTo(0.15, within(0.0036));
  }

  @Test
  void shouldNotPoisonWhatHasNoDataNorLoseWrites() {
    LinkFaultConfig config = NONE.withPoisonedRatio(0.5).withLostRatio(0.5);
    FaultInjector faults = new FaultInjector(config, new Simulation(3).randomStream("test"));

    for (int i = 0; i < 1_000; i++) {
      assertThat(faults.next(false, false)).isIn(TlpFault.NONE, TlpFault.LOST);
      assertThat(faults.next(true, true)).isIn(TlpFault.NONE, TlpFault.POISONED);
    }
  }

  @Test
  void shouldInjectOneFaultWhereItIsAskedTo() {
    FaultInjector faults = new FaultInjector(NONE, new Simulation(3).randomStream("test"));
    assertThat(faults.isArmed()).isFalse();

    faults.inject(TlpFault.MALFORMED, 2);

    assertThat(faults.isArmed()).isTrue();
    assertThat(faults.next(false, true)).isEqualTo(TlpFault.NONE);
    assertThat(faults.next(false, true)).isEqualTo(TlpFault.NONE);
    assertThat(faults.next(false, true)).isEqualTo(TlpFault.MALFORMED);
    assertThat(faults.isArmed()).isFalse();
    assertThat(faults.next(false, true)).isEqualTo(TlpFault.NONE);
    assertRejected(() -> faults.inject(TlpFault.LOST, -1), "after must be >= 0: after=-1");
  }

  private static void assertRejected(ThrowingCallable construction, String message) {
    assertThatIllegalArgumentException().isThrownBy(construction).withMessage(message);
  }
}
