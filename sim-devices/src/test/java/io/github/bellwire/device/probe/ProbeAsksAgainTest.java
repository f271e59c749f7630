package io.github.bellwire.device.probe;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.host.HostConfig;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A probe whose reads are answered at other times than it was told first. */
class ProbeAsksAgainTest {
  private static final long TOLD_PS = 1_000_000;
  private static final long BASE = 1L << 32;

  private final Simulation simulation = new Simulation(1);
  private final ProbeBench bench = new ProbeBench(HostConfig.IDEAL, ProbeConfig.IDEAL);
  private final ChangingPort port = new ChangingPort();

  private ProbeMeter measure(long takesPs) {
    port.takesPs = takesPs;
    ProbeRun run = new ProbeRun(ProbeOperation.LAT_READ, bench.window(64), 1, 2);
    ProbeRunner runner =
        new ProbeRunner(
            simulation, ProbeConfig.IDEAL, run, bench.probe().configSpace(), port, null);
    runner.start();
    simulation.run();
    assertThat(runner.isDone()).isTrue();
    return runner.meter();
  }

  @Test
  void shouldWaitForDataThatComesLater() {
    ProbeMeter meter = measure(TOLD_PS + 300_000);

    assertThat(meter.latency().minPs()).isEqualTo(TOLD_PS + 300_000);
    assertThat(meter.latency().maxPs()).isEqualTo(TOLD_PS + 300_000);
    assertThat(meter.lastPs()).isEqualTo(3 * (TOLD_PS + 300_000));
  }

  @Test
  void shouldNoteWhenDataHasComeEarlier() {
    ProbeMeter meter = measure(TOLD_PS - 300_000);

    // It looks when it was told to: the next one begins then.
    assertThat(meter.latency().minPs()).isEqualTo(TOLD_PS - 300_000);
    assertThat(meter.latency().maxPs()).isEqualTo(TOLD_PS - 300_000);
    assertThat(meter.lastPs()).isEqualTo(3 * TOLD_PS - 300_000);
  }

  @Test
  void shouldHoldTheTagUntilTheDataIsThere() {
    port.takesPs = TOLD_PS + 200_000;
    ReadEngine reads =
        new ReadEngine(
            ProbeConfig.IDEAL.withTags(1), port, bench.probe().configSpace(), new byte[64], true);
    reads.begin(BASE, 64);
    assertThat(reads.issue(0)).isEqualTo(ReadEngine.ISSUED);
    reads.begin(BASE, 64);

    assertThat(reads.nextReadPs()).isEqualTo(TOLD_PS);
    assertThat(reads.issue(TOLD_PS)).isEqualTo(TOLD_PS + 200_000);
    assertThat(reads.issue(TOLD_PS + 200_000)).isEqualTo(ReadEngine.ISSUED);
    assertThat(reads.tagsHeldPsTotal()).isEqualTo(TOLD_PS + 200_000 + TOLD_PS);
  }

  @ParameterizedTest
  @CsvSource({"0", "200000"})
  void shouldHoldTheBufferUntilAllRequestsOfAReadAreAnswered(long morePs) {
    port.takesPs = TOLD_PS + morePs;
    port.firstLaterPs = 500_000;
    // One buffer of 4 KiB, and at an MRRS of 512 eight requests for it.
    ProbeConfig.Reads paced =
        new ProbeConfig.Reads(1_000, false, false, 0, 4096, 4096, 0, 0, 0, 10);
    ReadEngine reads =
        new ReadEngine(
            ProbeConfig.IDEAL.withReads(paced),
            port,
            bench.probe().configSpace(),
            new byte[4096],
            true);
    reads.begin(BASE, 4096);
    assertThat(reads.issue(0)).isEqualTo(ReadEngine.ISSUED);
    reads.begin(BASE, 4096);

    // The first request is answered last; then 4096 bytes retire in 10 ps each.
    long toldFreePs = TOLD_PS + 500_000 + 40_960;
    assertThat(reads.nextReadPs()).isEqualTo(toldFreePs);
    assertThat(reads.issue(toldFreePs - 1)).isEqualTo(toldFreePs + morePs);
    assertThat(reads.issue(toldFreePs + morePs)).isEqualTo(ReadEngine.ISSUED);
  }

  /** Tells one time and means another; a ticket is the time of the call, and never 0. */
  private static final class ChangingPort implements DmaPort {
    private long takesPs;
    private long firstLaterPs; // by how much the first request of a read is answered later
    private long ticket;

    @Override
    public long read(
        long iova, byte[] destination, int offset, int lengthBytes, long atPs, int attributes) {
      long laterPs = offset == 0 ? firstLaterPs : 0;
      ticket = atPs + laterPs + 1;
      return atPs + laterPs + TOLD_PS;
    }

    @Override
    public long readTicket() {
      return ticket;
    }

    @Override
    public long arrivalPs(long ofTicket) {
      return ofTicket - 1 + takesPs;
    }

    @Override
    public long write(
        long iova, byte[] source, int offset, int lengthBytes, long atPs, int attributes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long writeStatus(long iova, byte[] source, int offset, int lengthBytes, long atPs) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long sendMessage(long address, int data, long atPs) {
      throw new UnsupportedOperationException();
    }

    @Override
    public DmaStatus status() {
      return DmaStatus.OK;
    }

    @Override
    public long sentPs() {
      return 0;
    }

    @Override
    public long tagFreePs() {
      return 0;
    }

    @Override
    public long horizonPs() {
      return 0;
    }
  }
}
