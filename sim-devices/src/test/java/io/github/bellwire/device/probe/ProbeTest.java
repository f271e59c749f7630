package io.github.bellwire.device.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.pcie.PcieGeneration;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.TraceCause;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ProbeTest {
  /** Gen 1 x8 without link traffic: a byte lasts 500 ps. */
  private static final HostConfig HOST =
      HostConfig.IDEAL.withLink(
          PcieLinkConfig.GEN3_X8
              .withGeneration(PcieGeneration.GEN1)
              .withPropagationPs(10_000)
              .withDllpCharge(PcieLinkConfig.DllpCharge.NONE));

  @ParameterizedTest
  @CsvSource({
    // 30 ns command, MRd 24 B and CplD 84 B of 500 ps each, twice 10 ns of flight, 64 * 156 ps into
    // the device, 30 ns notice: 30,000 + 12,000 + 42,000 + 20,000 + 9,984 + 30,000.
    "LAT_READ, 64, 143984",
    // Two requests of 512 B; the last of four completions of 276 B is there after the first request
    // and all of them: 30,000 + 12,000 + 552,000 + 20,000 + 1024 * 156 + 30,000.
    "LAT_READ, 1024, 803744",
    // 30 + 70 ns command, 7.8 ns + 64 * 128 ps fetch, MWr 88 B; then MRd 24 B, 20 ns of flight,
    // CplD
    // 84 B, 64 * 156 ps, 30 ns: 100,000 + 15,992 + 44,000 + 12,000 + 20,000 + 42,000 + 39,984.
    "LAT_WRITE_READ, 64, 273976",
    // 100,000 + 7,800 + 512 * 128 + 2 * 280 * 500, then a read of 512 B: 12,000 + 2 * 276 * 500 +
    // 20,000 + 512 * 156 + 30,000.
    "LAT_WRITE_READ, 512, 871208"
  })
  void shouldMeasureLatency(ProbeOperation operation, int sizeBytes, long latencyPs) {
    ProbeConfig.Firmware firmware = ProbeConfig.NFP6000.firmware().withTimestampPs(1);
    ProbeBench bench = new ProbeBench(HOST, ProbeConfig.NFP6000.withFirmware(firmware));

    ProbeMeter meter = bench.measure(operation, bench.window(sizeBytes), 1, 20);

    assertThat(meter.latency().minPs()).isEqualTo(latencyPs);
    assertThat(meter.latency().maxPs()).isEqualTo(latencyPs);
    assertThat(meter.latency().count()).isEqualTo(20);
  }

  @Test
  void shouldMeasureInStepsOfItsClock() {
    ProbeBench bench = new ProbeBench(HOST, ProbeConfig.NFP6000);

    ProbeMeter meter = bench.measure(ProbeOperation.LAT_READ, bench.window(64), 1, 4_000);

    // 143,984 ps is 10.8 steps of 13,333 ps: 11 steps most of the time, 10 otherwise.
    assertThat(meter.latency().minPs()).isEqualTo(10 * 13_333);
    assertThat(meter.latency().maxPs()).isEqualTo(11 * 13_333);
    // The phase of the clock is random, so the mean is right.
    assertThat(meter.latency().meanPs()).isBetween(143_000.0, 145_000.0);
  }

  @Test
  void shouldCountFromTheEndOfTheWarmUp() {
    ProbeBench bench = new ProbeBench(HOST, ProbeConfig.IDEAL);

    ProbeMeter meter = bench.measure(ProbeOperation.WRITE, bench.window(256), 7, 13);

    // 280 B of 500 ps each.
    assertThat(meter.elapsedPs()).isEqualTo(13 * 140_000);
    assertThat(meter.doneTotal()).isEqualTo(20);
    // 256 * 8 bit / 140 ns.
    assertThat(meter.goodputGbps(meter.elapsedPs())).isEqualTo(256 * 8 / 140.0);
    assertThat(bench.host().simulation().nowPs()).isEqualTo(meter.lastPs());
  }

  @Test
  void shouldReadWhatItHasWritten() {
    ProbeBench bench = new ProbeBench(HOST, ProbeConfig.IDEAL);
    ProbeWindow window = bench.window(64);
    bench.host().memory().put(window.iova(), 8, 0x1122334455667788L);

    bench.measure(ProbeOperation.READ, window, 1, 1);
    bench.measure(ProbeOperation.WRITE, window, 1, 1);

    // A write of zeros over what was there.
    assertThat(bench.host().memory().get(window.iova(), 8)).isZero();
  }

  @Test
  void shouldReportTheStepsOfAnOperation() {
    List<String> steps = new ArrayList<>();
    ProbeBench bench =
        new ProbeBench(
            HOST,
            ProbeConfig.IDEAL,
            (id, step, cause, timePs, address, lengthBytes) ->
                steps.add(step + " " + cause + " " + timePs + " " + lengthBytes));

    bench.measure(ProbeOperation.LAT_WRITE_READ, bench.window(64), 1, 1);

    // 88 B up and 10 ns of flight; 24 B behind the write, 84 B down, twice 10 ns.
    assertThat(steps.subList(0, 4))
        .containsExactly(
            LifecycleStep.DOORBELL + " " + TraceCause.COMMAND_GIVEN + " 0 0",
            LifecycleStep.DEVICE_DMA + " " + TraceCause.PAYLOAD_WRITTEN + " 54000 64",
            LifecycleStep.DEVICE_DMA + " " + TraceCause.PAYLOAD_READ + " 118000 64",
            LifecycleStep.COMPLETION + " " + TraceCause.END_NOTICED + " 118000 0");
  }

  @Test
  void shouldVisitAllSlotsOfTheWindow() {
    ProbeBench bench = new ProbeBench(HOST, ProbeConfig.IDEAL);
    ProbeWindow inOrder = new ProbeWindow(4096, 1000, 192, 5, 100, false);
    ProbeWindow atRandom = new ProbeWindow(4096, 1000, 192, 5, 100, true);

    ProbeWindow.Addresses ordered =
        inOrder.addresses(bench.host().simulation().randomStream("test"));
    ProbeWindow.Addresses random =
        atRandom.addresses(bench.host().simulation().randomStream("test"));

    // Five slots of 192 bytes fit 1000.
    assertThat(inOrder.slotsCount()).isEqualTo(5);
    List<Long> visited = new ArrayList<>();
    Set<Long> drawn = new HashSet<>();
    for (int i = 0; i < 6; i++) {
      visited.add(ordered.next());
    }
    for (int i = 0; i < 100; i++) {
      drawn.add(random.next());
    }
    assertThat(visited).containsExactly(4101L, 4293L, 4485L, 4677L, 4869L, 4101L);
    assertThat(drawn).containsExactlyInAnyOrder(4101L, 4293L, 4485L, 4677L, 4869L);
  }

  @Test
  void shouldCountWhatTheHostRefuses() {
    ProbeBench bench = new ProbeBench(HOST, ProbeConfig.IDEAL);
    // Beyond the end of memory.
    ProbeWindow window = new ProbeWindow(1L << 50, 4096, 512, 0, 512, false);

    bench.measure(ProbeOperation.READWRITE, window, 1, 9);

    // A request of 512 B and two writes of 256 B each time.
    assertThat(bench.probe().refusedTotal()).isEqualTo(30);
  }

  @Test
  void shouldRefuseToStartWhenItCannot() {
    ProbeBench bench = new ProbeBench(HOST, ProbeConfig.IDEAL);
    ProbeRun run = new ProbeRun(ProbeOperation.READ, bench.window(64), 1, 1);
    Probe unplugged = new Probe(ProbeConfig.IDEAL, HOST.link(), bench.host().simulation(), null);

    assertThatThrownBy(() -> unplugged.start(run))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "probe must be plugged in and bus master: isPluggedIn=false, isBusMaster=false");
    assertThatThrownBy(unplugged::meter).isInstanceOf(IllegalStateException.class);
    bench.probe().start(run);
    assertThat(bench.probe().isDone()).isFalse();
    assertThatThrownBy(() -> bench.probe().start(run))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("last run must have ended: doneTotal=0");
    bench.probe().reset(0);
    assertThat(bench.probe().isDone()).isTrue();
    assertThat(bench.host().simulation().nextEventPs()).isEqualTo(Long.MAX_VALUE);
    assertThatThrownBy(() -> bench.probe().start(run))
        .hasMessageEndingWith("isPluggedIn=true, isBusMaster=false");
  }

  @ParameterizedTest
  @EnumSource(ProbeOperation.class)
  void shouldAllocateNothingWhileItMeasures(ProbeOperation operation) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    ProbeBench bench = new ProbeBench(HostConfig.GEN4_SERVER, ProbeConfig.NFP6000);
    bench.measure(operation, bench.window(512), 1, 20_000);
    ProbeRun run = new ProbeRun(operation, bench.window(512), 1, 1_000_000_000);
    bench.probe().start(run);

    long best = Long.MAX_VALUE;
    for (int round = 0; round < 5 && best > 0; round++) {
      long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
      for (int i = 0; i < 20_000; i++) {
        bench.host().simulation().step();
      }
      best =
          Math.min(best, threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before);
    }

    assertThat(best).isZero();
  }
}
