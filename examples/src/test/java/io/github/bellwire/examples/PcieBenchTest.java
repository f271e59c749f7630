package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
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
  @CsvSource({"257, 512, 1.1, 1.4", "512, 512, 0.999, 1.001", "512, 4096, 0.999, 1.001"})
  void shouldLoseBandwidthWhereRequestsOfUnlikeLengthTakeTurns(
      int sizeBytes, int mrrsBytes, double from, double to) {
    // Half of the reads of 257 B are split at a multiple of 512; none of 512 B is.
    String[] settings = {"size=" + sizeBytes, "link.mrrs=" + mrrsBytes};

    double atOnce = gbps(settings[0], settings[1], "link.completion-turn=0");
    double inTurn = gbps(settings[0], settings[1], "link.completion-turn=128");

    assertThat(atOnce / inTurn).isBetween(from, to);
  }

  private static double gbps(String... settings) {
    List<String> all = new ArrayList<>(List.of("op=read", "host=hsw", "count=20000"));
    all.addAll(List.of(settings));
    JsonNode json = Tool.json("pcie-bench", all.toArray(new String[0]));
    return Tool.number(json, "goodput_gbit_per_s");
  }

  /**
   * This host's answers take turns; not behind a switch, and not those that come from elsewhere.
   */
  @ParameterizedTest
  @ValueSource(strings = {"link.switch=on", "target=peer"})
  void shouldSendAnswersWholeThatPassThrough(String setting) {
    assertThat(gbps("size=768", setting, "link.completion-turn=0"))
        .isEqualTo(gbps("size=768", setting));
  }

  @ParameterizedTest
  @CsvSource({"every-rcb, 46.7", "random, 53"})
  void shouldKeepToTheLinkWhenAnswersAreOfManyPieces(String cut, double mostGbps) {
    // 64 of 84 bytes, of 63 Gb/s less 3 % of DLLPs; 1 to 64 lines are a longer piece more often.
    String[] settings = {"size=4096", "link.mps=4096", "link.mrrs=4096", "link.completions=" + cut};

    assertThat(gbps(settings)).isBetween(0.98 * mostGbps, mostGbps);
  }

  @ParameterizedTest
  @ValueSource(strings = {"longest", "every-rcb", "random"})
  void shouldExpectAnswersOfPeersToBeCutAtTheBoundaryOfEndpoints(String completions) {
    // From 64 on, 512 bytes are 64 + 3 x 128 + 64 from a peer, whatever the host would do.
    JsonNode json =
        Tool.json(
            "pcie-bench",
            "op=read",
            "target=peer",
            "offset=64",
            "slot=pow2",
            "size=512",
            "count=100",
            "link.mps=128",
            "link.mrrs=1024", // The read is one request.
            "link.completions=" + completions);

    long requests = Tool.count(json, "tlp_mrd_count");
    assertThat(Tool.count(json, "tlp_cpld_count")).isEqualTo(5 * requests);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "iommu=8k | iommu=8k: must be off, 4k, 2m or 1g",
        "iommu=4k iommu.preset=vtd | iommu.preset=vtd: must be xeon-e5-snb",
        "iommu=2m target=peer | iommu=2m: must be off or 4k for the memory of a peer",
        "checker=on target=peer | checker=on: must be off, memory of a peer is not watched",
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

  @ParameterizedTest
  @CsvSource({"snb", "e3", "gen4-server", "ideal", "embedded-noncoherent"})
  void shouldMissInALargeWindowOfSmallPagesOnly(String host) {
    for (String page : List.of("4k", "2m")) {
      JsonNode json =
          Tool.json(
              "pcie-bench",
              "host=" + host,
              "iommu=" + page,
              "window=4MiB",
              "cache=cold",
              "count=2000");

      // 64 or 128 entries for 1,024 pages of 4 KiB; 2 of 2 MiB.
      double ratio = Tool.number(json, "iotlb_miss_ratio");
      if (page.equals("4k")) {
        assertThat(ratio).isBetween(0.8, 0.96);
      } else {
        assertThat(ratio).isLessThan(0.01);
      }
      assertThat(json.at("/config/iommu.preset").asString()).isNotEmpty();
    }
  }

  /** Of 16,384 pages 512 or 2,048 are remembered: 96.9 % and 87.5 % of random reads miss. */
  @ParameterizedTest
  @CsvSource({"amd-milan, 0.969", "smmuv3-grace, 0.875"})
  void shouldTranslateByOtherArchitectures(String preset, double missRatio) {
    JsonNode json =
        Tool.json(
            "pcie-bench",
            "op=lat-read",
            "iommu=4k",
            "iommu.preset=" + preset,
            "window=64MiB",
            "count=20000");

    assertThat(Tool.number(json, "iotlb_miss_ratio")).isCloseTo(missRatio, within(0.02));
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
