package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** What the command line promises about measurements with the probe. */
class PcieBenchTest {
  private static final List<String> METRICS =
      List.of(
          "goodput_gbit_per_s",
          "transactions_per_s",
          "latency_ns_p50",
          "latency_ns_p95",
          "latency_ns_p99",
          "latency_ns_p999",
          "latency_ns_min",
          "latency_ns_max",
          "latency_ns_mean",
          "iotlb_miss_ratio");

  private static final List<String> KEYS =
      List.of(
          "op",
          "size",
          "window",
          "offset",
          "pattern",
          "cache",
          "numa",
          "slot",
          "count",
          "iommu",
          "probe.tags",
          "probe.read-rate",
          "probe.write-rate",
          "probe.timestamp",
          "host",
          "seed",
          "link.tags");

  @ParameterizedTest
  @ValueSource(strings = {"read", "write", "readwrite", "lat-read", "lat-write-read"})
  void shouldPrintAllMetricsAndKeys(String op) {
    JsonNode json = Tool.json("pcie-bench", "count=100", "op=" + op);

    assertThat(json.get("metrics").propertyNames()).containsAll(METRICS);
    assertThat(json.get("config").propertyNames()).containsAll(KEYS);
    assertThat(Tool.number(json, "goodput_gbit_per_s")).isPositive();
    assertThat(Tool.number(json, "iotlb_miss_ratio")).isZero();
    assertThat(json.at("/provenance/trace_hash").asString()).matches("[0-9a-f]{16}");
  }

  @ParameterizedTest
  @CsvSource({
    // The published table of pcie-bench's model for Gen 3 x8, MPS 256, MRRS 512.
    "write, 64, 42.1",
    "read, 64, 44.1",
    "readwrite, 64, 33.1",
    "write, 256, 52.9",
    "read, 4096, 53.7",
    "readwrite, 4096, 50.7"
  })
  void shouldEqualTheModelOnTheIdealHost(String op, int size, double gbps) {
    JsonNode json = Tool.json("pcie-bench", "host=ideal", "count=5000", "op=" + op, "size=" + size);

    assertThat(Tool.number(json, "goodput_gbit_per_s")).isCloseTo(gbps, withinPercentage(0.5));
  }

  @ParameterizedTest
  @CsvSource({
    // FLIT mode: 1024 Gb/s x 236/256 x 256/272.
    "write, 256, link.gen=6 link.lanes=16, 888.5",
    // 57.88 Gb/s x 256/284; x 64/84.
    "write, 256, link.ecrc=on, 52.18",
    "read, 512, link.completions=every-rcb, 44.10",
    // 63.015 Gb/s x (1 - 4/1538) x 256/280.
    "write, 256, link.dllps=opposite, 57.46",
    // 63.015 Gb/s x 256/280.
    "write, 256, link.dllps=none, 57.61"
  })
  void shouldDoWhatTheKeysOfTheLinkSay(String op, int size, String keys, double gbps) {
    List<String> settings = new ArrayList<>(List.of(keys.split(" ")));
    settings.addAll(List.of("host=ideal", "count=5000", "op=" + op, "size=" + size));

    JsonNode json = Tool.json("pcie-bench", settings.toArray(new String[0]));

    assertThat(Tool.number(json, "goodput_gbit_per_s")).isCloseTo(gbps, withinPercentage(0.5));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "op=write link.credits=xeon-c5500-x4",
        "op=read link.completion-buffer=r-tile link.gen=6 size=4096",
        "op=readwrite link.bits-per-error=100000",
      })
  void shouldBeSlowerWithLimitsAndErrors(String keys) {
    List<String> settings = new ArrayList<>(List.of(keys.split(" ")));
    settings.addAll(List.of("count=5000", "probe.tags=256", "probe.read-rate=unlimited"));
    settings.add("probe.write-rate=unlimited");
    JsonNode limited = Tool.json("pcie-bench", settings.toArray(new String[0]));
    settings.removeIf(
        key ->
            key.startsWith("link.credits")
                || key.startsWith("link.completion-buffer")
                || key.startsWith("link.bits"));
    JsonNode free = Tool.json("pcie-bench", settings.toArray(new String[0]));

    assertThat(Tool.number(limited, "goodput_gbit_per_s"))
        .isLessThan(0.99 * Tool.number(free, "goodput_gbit_per_s"));
  }

  @Test
  void shouldBeLimitedByTagsUntilTheLinkIsFull() {
    double[] gbps = new double[4];
    int[] tags = {8, 16, 32, 256};
    for (int i = 0; i < tags.length; i++) {
      JsonNode json =
          Tool.json(
              "pcie-bench",
              "host=gen4-server",
              "link.gen=3",
              "link.lanes=8",
              "count=20000",
              "probe.read-rate=unlimited",
              "probe.tags=" + tags[i]);
      gbps[i] = Tool.number(json, "goodput_gbit_per_s");
    }

    assertThat(gbps[1]).isCloseTo(2 * gbps[0], withinPercentage(1));
    assertThat(gbps[2]).isCloseTo(4 * gbps[0], withinPercentage(1));
    // T x 64 / 84 at the guide rate.
    assertThat(gbps[3]).isCloseTo(44.1, withinPercentage(0.5));
  }

  @Test
  void shouldPlotTheDistributionOfLatencies() {
    Tool tool = Tool.run("pcie-bench --set op=lat-read --set count=100");

    assertThat(tool.code()).isZero();
    assertThat(tool.out()).contains("Distribution", "99.9", "####");
  }

  @Test
  void shouldShowWhatIsInUse() {
    Tool tool = Tool.run("pcie-bench --set host=ideal --set op=write --set count=100");

    assertThat(tool.out()).contains("link, device to host  100.0  ####");
  }

  @Test
  void shouldPrintTheFirstOperationsStepByStep() {
    Tool tool = Tool.run("pcie-bench --set op=lat-write-read --set count=5 --trace 2");

    assertThat(tool.out())
        .contains(
            "command given to the engine",
            "payload written by the device",
            "payload read by the device",
            "end of the command noticed");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "iommu=4k | iommu=4k: must be off",
        "numa=remote | numa=remote: must be local, host=gen4-server has one socket",
        "window=64 size=65 | window=64: must hold a slot of 128B",
        "window=512 size=300 slot=pow2 offset=300 | window=512: must hold a slot of 1024B",
        "op=reads | op=reads: must be read, write, readwrite, lat-read or lat-write-read",
        "link.tags=8 probe.tags=9 | probe.tags=9: must be at most link.tags=8"
      })
  void shouldRefuseWhatDoesNotFit(String settings, String message) {
    Tool tool = Tool.run("pcie-bench --set " + settings.replace(" ", " --set "));

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err()).startsWith("bellwire: " + message);
    assertThat(tool.out()).isEmpty();
  }

  @Test
  void shouldRepeatARunAndNotAnotherSeed() {
    JsonNode first = Tool.json("pcie-bench", "op=lat-read", "count=500");
    JsonNode again = Tool.json("pcie-bench", "op=lat-read", "count=500");
    JsonNode other = Tool.json("pcie-bench", "op=lat-read", "count=500", "seed=2");

    String hash = "/provenance/trace_hash";
    assertThat(again.at(hash)).isEqualTo(first.at(hash));
    assertThat(other.at(hash)).isNotEqualTo(first.at(hash));
  }
}
