package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.pcie.PcieGeneration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** However little is measured, no figure is beyond what is possible. */
class ShortRunsTest {
  private static final int FRAME_OVERHEAD_BYTES = 24; // Preamble, FCS and gap.

  /** These few frames reach software, or leave by two ports, at once. */
  @ParameterizedTest
  @CsvSource({
    "nic-rx, frames=2 rate=1Gb/s mode=napi host=gen5-server, 1",
    "nic-rx, frames=3 rate=10Gb/s frame-bytes=128 mode=napi host=e3, 10",
    "nic-forward, frames=2 rate=10Gb/s mode=napi direction=both host=bdw queues=4 cores=4, 20",
    // Gen 1 x1 carries 2 Gb/s each way.
    "nic-rx, frames=3 rate=800Gb/s frame-bytes=1518 mode=interrupt link.gen=1 link.lanes=1, 2",
    "nic-tx, frames=2 rate=800Gb/s frame-bytes=128 host=e3 batch=1 queues=4 link.gen=1"
        + " link.lanes=1, 2",
    // A million frames of 60 B.
    "nic-rx, frames=3 mode=napi nic.engine-rate=1000000, 0.48",
  })
  void shouldCarryNoMoreThanWireLinkAndCardCan(String scenario, String settings, double mostGbps) {
    JsonNode json = Tool.json(scenario, settings.split(" "));

    assertThat(Tool.number(json, "goodput_gbit_per_s"))
        .isBetween(0.1 * mostGbps, mostGbps * 1.000001);
  }

  @Test
  void shouldCarryNoMoreThanWireAndLinkWhateverIsSent() {
    long seed = 20_252;
    Random random = new Random(seed);
    String[] scenarios = {"nic-rx", "nic-tx", "nic-forward"};
    String[] hosts = {"ideal", "snb", "e3", "gen4-server", "skx", "embedded-noncoherent"};
    String[] modes = {"poll", "napi", "interrupt"};
    for (int i = 0; i < 60; i++) {
      int rateGbps = 1 << random.nextInt(10);
      int frameBytes = 64 + random.nextInt(1455);
      int queues = 1 + random.nextInt(4);
      String scenario = scenarios[random.nextInt(scenarios.length)];
      List<String> settings =
          new ArrayList<>(
              List.of(
                  "frames=" + (1 + random.nextInt(6)),
                  "rate=" + rateGbps + "Gb/s",
                  "frame-bytes=" + frameBytes,
                  "host=" + hosts[random.nextInt(hosts.length)],
                  "mode=" + modes[random.nextInt(modes.length)],
                  "queues=" + queues,
                  "cores=" + (1 + random.nextInt(Math.min(2, queues))),
                  "link.gen=" + (1 + random.nextInt(4)),
                  "link.lanes=" + (1 << random.nextInt(4)),
                  "seed=" + random.nextInt(1000)));
      boolean isBoth = scenario.equals("nic-forward") && random.nextBoolean();
      if (isBoth) {
        settings.add("direction=both");
      }

      JsonNode json = Tool.json(scenario, settings.toArray(new String[0]));

      double frameShare = (frameBytes - 4.0) / (frameBytes - 4 + FRAME_OVERHEAD_BYTES);
      double mostGbps = Math.min(rateGbps * frameShare, lineGbps(json)) * (isBoth ? 2 : 1);
      assertThat(Tool.number(json, "goodput_gbit_per_s"))
          .as("seed=%d, run %d: %s %s", seed, i, scenario, settings)
          .isBetween(0.0, mostGbps * 1.000001); // Times are cut to whole picoseconds.
      assertThat(Tool.number(json, "frames_per_s") * (frameBytes - 4) * 8 / 1e9)
          .isBetween(0.0, mostGbps * 1.000001);
    }
  }

  private static double lineGbps(JsonNode json) {
    PcieGeneration generation = PcieGeneration.of(json.at("/config/link.gen").asInt());
    return generation.megatransfersPerSecond()
        * json.at("/config/link.lanes").asDouble()
        * generation.codePayloadBits()
        / generation.codeTotalBits()
        / 1e3;
  }

  @Test
  void shouldForwardNoMoreThanTheWireInAShortTime() {
    JsonNode json =
        Tool.json("ddio", "count=126", "frame-bytes=1024", "cores=12", "ring.size=128", "seed=123");

    // 100 Gb/s; 1,020 B of 1,044 on the wire are frames without FCS.
    assertThat(Tool.number(json, "goodput_gbit_per_s")).isBetween(97.0, 97.702);
  }

  /** Of one write, which is done when the controller takes it. */
  @ParameterizedTest
  @ValueSource(strings = {"latency=0ns", "latency=0.625ns"})
  void shouldMoveNoMoreThanTheDataBus(String latency) {
    String[] settings = {"count=1", "pattern=mix", "seed=2", latency};

    JsonNode json = Tool.json("dram", settings);
    Tool text = Tool.run("dram --set " + String.join(" --set ", settings));

    // 64 B in 4 clocks of 625 ps.
    assertThat(Tool.number(json, "bandwidth_gbyte_per_s")).isEqualTo(25.6);
    assertThat(Tool.number(json, "reads_in_flight_count_mean")).isZero();
    assertThat(text.out()).doesNotContain("latency mean");
  }

  /** Software delivers in a few microseconds what has come before. */
  @ParameterizedTest
  @CsvSource({
    "iommu=off warm-up=50us duration=3us, goodput_gbit_per_s, 100",
    "iommu=lazy warm-up=1ms duration=5us preset=grace-nvme, iops, 16.5e6",
  })
  void shouldTellNoCongestedHostToExceedItsSources(String settings, String metric, double most) {
    JsonNode json = Tool.json("host-congestion", settings.split(" "));

    assertThat(Tool.number(json, metric)).isBetween(0.9 * most, most * 1.0001);
    if (json.get("metrics").has("cpu_busy_ratio")) {
      assertThat(Tool.number(json, "cpu_busy_ratio")).isBetween(0.0, 1.0);
    }
  }

  @Test
  void shouldCountNothingPerPayloadWhereNoneWasDelivered() {
    JsonNode congested = Tool.json("host-congestion", "iommu=lazy", "warm-up=0ns", "duration=3us");
    JsonNode modes = Tool.json("iommu-modes", "rate=10Gb/s", "frame-bytes=128", "duration=1us");

    assertThat(Tool.number(congested, "goodput_gbit_per_s")).isZero();
    assertThat(Tool.number(congested, "iotlb_misses_per_s")).isPositive();
    assertThat(Tool.number(congested, "iotlb_misses_per_page")).isZero();
    assertThat(Tool.number(congested, "iotlb_misses_per_mib")).isZero();
    assertThat(Tool.number(modes, "lazy_goodput_gbit_per_s")).isZero();
    assertThat(Tool.number(modes, "lazy_cpu_ns_per_op")).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "workload=nic-rx rate=40Gb/s frame-bytes=9018 duration=1us, off, 40",
    "workload=probe rate=10Gb/s frame-bytes=9018 duration=1us, lazy, 10",
    // 16 lanes of 16 GT/s, with 24 B around every 256 B.
    "workload=nic-rx rate=400Gb/s frame-bytes=9018 duration=9us, lazy, 230",
    "workload=probe rate=400Gb/s frame-bytes=9018 duration=2us, off, 230",
  })
  void shouldNotLetAModeExceedItsSource(String settings, String mode, double mostGbps) {
    JsonNode json = Tool.json("iommu-modes", settings.split(" "));

    assertThat(Tool.number(json, mode + "_goodput_gbit_per_s"))
        .isBetween(0.8 * mostGbps, mostGbps * 1.000001);
  }
}
