package io.github.bellwire.device.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.host.HostConfig;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The hosts give back the means that they were calibrated on: probe and host agree about what the
 * device itself takes.
 */
class HostCalibrationTest {
  private static final int WINDOW_BYTES = 8_192;

  @ParameterizedTest
  @CsvSource({
    "snb, 559.018, 615.185",
    "ib, 567.085, 622.490",
    "hsw, 552.607, 603.047",
    "hsw-sm, 597.154, 648.936",
    "bdw, 557.239, 608.561"
  })
  void shouldReproduceTheMeans(String name, double warmNs, double coldNs) {
    HostConfig host =
        HostConfig.PRESETS.stream().filter(h -> h.name().equals(name)).findFirst().orElseThrow();

    assertThat(meanNs(host, true)).isCloseTo(warmNs, withinPercentage(0.1));
    // The mean wait for refresh is that of a sample of 20,000 reads.
    assertThat(meanNs(host, false)).isCloseTo(coldNs, withinPercentage(0.3));
  }

  private static double meanNs(HostConfig host, boolean isWarm) {
    ProbeBench bench = new ProbeBench(host, ProbeConfig.NFP6000);
    long pa = bench.window(64).iova();
    ProbeWindow window = new ProbeWindow(pa, WINDOW_BYTES, 64, 0, 64, true);
    if (isWarm) {
      SynchronousPort cpu = bench.host().synchronousPort(0);
      for (int done = 0; done < WINDOW_BYTES; done += 64) {
        cpu.store(pa + done, 8, 1);
      }
    }
    return bench.measure(ProbeOperation.LAT_READ, window, 1_000, 20_000).latency().meanPs() / 1e3;
  }
}
