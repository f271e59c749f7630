package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.github.bellwire.pcie.PcieGeneration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
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
    // How long the link is busy is rounded once or for each TLP.
    assertThat(gbps("size=768", setting, "link.completion-turn=0"))
        .isCloseTo(gbps("size=768", setting), withinPercentage(1e-6));
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

  /** These few end within less time than something was busy with them. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // 500 MB/s, after a power state has held writes up for a millisecond.
        "op=write host=e3 size=24785 count=10 window=32KiB link.gen=2 link.lanes=1 seed=80"
            + " | goodput_gbit_per_s | 4",
        // 1 GB/s
        "op=read host=snb size=448 count=1 link.gen=2 link.lanes=2 probe.tags=16"
            + " probe.read-rate=unlimited seed=991 | goodput_gbit_per_s | 8",
        // 16 lanes of 64 GT/s carry 64 of 80 B in 236 of 256 bits.
        "op=write host=ideal size=64 count=3 link.gen=6 link.lanes=16 | goodput_gbit_per_s | 755.2",
        "op=write host=skx size=32 count=2 window=4MiB iommu=4k seed=554"
            + " | transactions_per_s | 47.4e6", // of the write engine
        "op=readwrite host=e3 size=56 count=1 window=1MiB cache=cold link.gen=6 seed=771"
            + " | transactions_per_s | 45e6", // of both engines together
        // 8 tags, each held for 560 ns at least: the latency of the study's cold reads, 600 ns, but
        // for 30 ns of notice and 64 x 156 ps into the device
        "op=read host=bdw size=64 count=1 window=16KiB cache=cold probe.tags=8"
            + " probe.read-rate=unlimited seed=15 | transactions_per_s | 14.3e6",
      })
  void shouldNotExceedWhatLinkEnginesAndTagsCanDo(String settings, String metric, double most) {
    JsonNode json = Tool.json("pcie-bench", settings.split(" "));

    // Engines start at whole picoseconds.
    assertThat(Tool.number(json, metric)).isBetween(most / 2, most * 1.0001);
    assertThat(json.get("remarks").toString()).contains("The DMAs measured ended within");
  }

  @Test
  void shouldNotRemarkOnDmasThatAreMany() {
    assertThat(Tool.json("pcie-bench", "count=2000").has("remarks")).isFalse();
  }

  @Test
  void shouldNotExceedTheLinkWhateverIsMeasured() {
    long seed = 20_251;
    Random random = new Random(seed);
    String[] hosts = {"ideal", "snb", "ib", "hsw", "bdw", "e3", "gen4-server", "skx"};
    String[] operations = {"read", "write", "readwrite"};
    for (int i = 0; i < 60; i++) {
      int sizeBytes = 1 << random.nextInt(17); // as likely small as large
      sizeBytes += random.nextInt(sizeBytes);
      String[] settings = {
        "host=" + hosts[random.nextInt(hosts.length)],
        "op=" + operations[random.nextInt(operations.length)],
        "size=" + sizeBytes,
        "count=" + (1 + random.nextInt(10)),
        "window=" + (1 << 17 + random.nextInt(6)),
        "link.gen=" + (1 + random.nextInt(5)),
        "link.lanes=" + (1 << random.nextInt(5)),
        "cache=" + (random.nextBoolean() ? "warm" : "cold"),
        "iommu=" + (random.nextBoolean() ? "off" : "4k"),
        "seed=" + random.nextInt(1000)
      };

      JsonNode json = Tool.json("pcie-bench", settings);

      assertThat(Tool.number(json, "goodput_gbit_per_s"))
          .as("seed=%d, run %d: %s", seed, i, List.of(settings))
          .isBetween(0.0, mostGbps(json, sizeBytes));
    }
  }

  /** What the line carries of payload with as few TLPs as there can be, and without DLLPs. */
  private static double mostGbps(JsonNode json, int sizeBytes) {
    PcieGeneration generation = PcieGeneration.of(json.at("/config/link.gen").asInt());
    double lineGbps =
        generation.megatransfersPerSecond()
            * json.at("/config/link.lanes").asDouble()
            * generation.codePayloadBits()
            / generation.codeTotalBits()
            / 1e3;
    int mpsBytes = Integer.parseInt(json.at("/config/link.mps").asString());
    int tlps = (sizeBytes + mpsBytes - 1) / mpsBytes; // rounds up
    return lineGbps * sizeBytes / (sizeBytes + 20 * tlps); // 12 B of header, 8 B of framing
  }

  @ParameterizedTest
  @CsvSource({
    // 1,000 and twice 256 tags, and 2,000 for the IOTLB; of 1 MiB 16, in TLPs of 256 B.
    "64B, off, 1513",
    "64B, 4k, 3513",
    "1MiB, off, 69632",
    "1MiB, 4k, 69632"
  })
  void shouldWarmUpByBytesIfDmasAreLarge(String size, String iommu, long writes) {
    JsonNode json =
        Tool.json(
            "pcie-bench", "op=write", "size=" + size, "window=1MiB", "iommu=" + iommu, "count=1");

    assertThat(Tool.count(json, "tlp_mwr_count")).isEqualTo(writes);
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
