package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.IdleStatesConfig.State;
import java.util.List;
import org.junit.jupiter.api.Test;

class IdleStatesTest {
  private final Simulation simulation = new Simulation(1);

  @Test
  void shouldWakeUpOnlyAfterAPause() {
    IdleStates states = states(new IdleStatesConfig(100, List.of(new State(7_000, 1_000_000))));

    // Asleep at first; what comes meanwhile waits with it.
    assertThat(states.awakePs(50)).isEqualTo(7_050);
    assertThat(states.awakePs(1_000)).isEqualTo(7_050);
    assertThat(states.awakePs(7_060)).isEqualTo(7_060);
    // 99 ps are no pause, 100 are.
    assertThat(states.awakePs(7_159)).isEqualTo(7_159);
    assertThat(states.awakePs(7_259)).isEqualTo(14_259);
    // Told of late: it went on before the pause was over.
    assertThat(states.awakePs(14_300)).isEqualTo(14_300);
    assertThat(states.awakePs(14_290)).isEqualTo(14_290);
  }

  @Test
  void shouldStayAwakeWhileAnswersLeave() {
    IdleStates states = states(new IdleStatesConfig(100, List.of(new State(7_000, 1_000_000))));
    states.awakePs(0);

    states.busyUntil(9_000);
    states.busyUntil(8_000); // Told of late.

    assertThat(states.awakePs(9_099)).isEqualTo(9_099);
    assertThat(states.awakePs(9_199)).isEqualTo(16_199);
  }

  @Test
  void shouldChooseStatesAsOftenAsConfigured() {
    IdleStates states =
        states(new IdleStatesConfig(10, List.of(new State(0, 700_000), new State(1_000, 300_000))));

    int deep = 0;
    for (int i = 0; i < 10_000; i++) {
      long arrivalPs = 10_000L * i;
      deep += states.awakePs(arrivalPs) == arrivalPs ? 0 : 1;
    }

    // Three standard deviations of a binomial distribution are 137.
    assertThat(deep).isBetween(2_863, 3_137);
  }

  @Test
  void shouldDelayReadsAndWritesOfDevices() {
    RootComplexConfig sleepy =
        RootComplexConfig.IDEAL.withIdleStates(
            new IdleStatesConfig(1_000_000, List.of(new State(5_000_000, 1_000_000))));
    PcieLinkConfig link = PcieLinkConfig.GEN3_X8.withPropagationPs(0);
    byte[] buffer = new byte[64];

    long awakePs = plug(RootComplexConfig.IDEAL, link).read(1L << 32, buffer, 0, 64, 0);
    long readPs = plug(sleepy, link).read(1L << 32, buffer, 0, 64, 0);
    DmaPort dma = plug(sleepy, link);
    long writePs = dma.write(1L << 32, buffer, 0, 64, 0);
    long behindPs = dma.write(1L << 32, buffer, 0, 64, writePs);

    assertThat(readPs).isEqualTo(awakePs + 5_000_000);
    assertThat(writePs).isGreaterThan(5_000_000);
    // It is awake now.
    assertThat(behindPs - writePs).isLessThan(100_000);
  }

  @Test
  void shouldLetWritesWaitForOwnership() {
    PcieLinkConfig link = PcieLinkConfig.GEN3_X8.withPropagationPs(0);
    RootComplexConfig slow = RootComplexConfig.IDEAL.withOwnershipPs(112_000);
    byte[] buffer = new byte[64];
    DmaPort dma = plug(slow, link);

    long oncePs = plug(RootComplexConfig.IDEAL, link).write(1L << 32, buffer, 0, 64, 0);
    long committedPs = dma.write(1L << 32, buffer, 0, 64, 0);
    long readPs = dma.read(1L << 32, buffer, 0, 64, 0);

    assertThat(committedPs).isEqualTo(oncePs + 112_000);
    // A read sees the write before it: it has to wait, too.
    assertThat(readPs).isGreaterThan(committedPs);
  }

  @Test
  void shouldRefuseWhatIsOutOfRange() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new IdleStatesConfig(0, List.of()))
        .withMessage("idlePs must be 1..1000000000000: idlePs=0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new IdleStatesConfig(1, List.of(new State(1, 999_999))))
        .withMessage("states must be chosen in 1000000 parts: sum=999999");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new State(-1, 1))
        .withMessage("exitPs must be 0..1000000000000: exitPs=-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new State(1, 0))
        .withMessage("perMillion must be >= 1: perMillion=0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RootComplexConfig.IDEAL.withOwnershipPs(-1))
        .withMessage("ownershipPs must be 0..10000000: ownershipPs=-1");
  }

  private IdleStates states(IdleStatesConfig config) {
    return new IdleStates(config, simulation.randomStream("test"));
  }

  private static DmaPort plug(RootComplexConfig config, PcieLinkConfig link) {
    return new TestFabric(config, Translation.IDENTITY).plug(link).dma();
  }
}
