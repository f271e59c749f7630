package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/**
 * The IOMMUs of the hosts of "Understanding PCIe performance for end host networking" (SIGCOMM
 * 2018), by {@code pcie-bench}. What bdw does with 4 KiB pages has been fitted (the time of a walk,
 * the number of walkers, what walks for writes keep); the other hosts follow from their latencies
 * and the family's walkers, see sim-iommu/docs/calibration.md.
 */
class IommuValidationTest {
  private static final String RESOURCE = "pcie-bench-iommu.csv";
  private static final String SOURCE = "pcie-bench/data";
  private static final int COUNT = 3_000;
  private static final int LATENCY_COUNT = 2_000;

  /** One run of the study with what it published. */
  private record Run(
      String host,
      String numa,
      String iommu,
      String op,
      int size,
      long windowKiB,
      String cache,
      double figure) {

    static Run parse(String line) {
      String[] cells = line.split(",", -1);
      return new Run(
          cells[0],
          cells[1],
          cells[2],
          cells[3],
          Integer.parseInt(cells[4]),
          Long.parseLong(cells[5]),
          cells[6],
          Double.parseDouble(cells[7]));
    }

    Run withIommu(String newIommu) {
      return new Run(host, numa, newIommu, op, size, windowKiB, cache, figure);
    }

    boolean isLatency() {
      return op.equals("lat-read");
    }

    boolean isFitted() {
      return host.equals("bdw") && numa.equals("local");
    }

    double simulate() {
      JsonNode json =
          Tool.json(
              "pcie-bench",
              "host=" + host,
              "numa=" + numa,
              "iommu=" + iommu,
              "op=" + op,
              "size=" + size,
              "window=" + windowKiB + "KiB",
              "cache=" + cache,
              "count=" + (isLatency() ? LATENCY_COUNT : COUNT));
      return Tool.number(json, isLatency() ? "latency_ns_mean" : "goodput_gbit_per_s");
    }

    String name(String figure) {
      String window = windowKiB < 1024 ? windowKiB + " KiB" : windowKiB / 1024.0 + " MiB";
      return String.format(
          Locale.ROOT, "%s %s %s %d B, %s, %s", host, numa, op, size, window, figure);
    }
  }

  @Test
  void shouldSlowDownAsTheStudyFoundWhenTheWindowOutgrowsTheIotlb() {
    List<Run> runs = runs().stream().filter(run -> !run.isLatency()).toList();
    double[] simulated = runs.parallelStream().mapToDouble(Run::simulate).toArray();
    List<ValidationRow> rows =
        IntStream.range(0, runs.size())
            .mapToObj(i -> bandwidth(runs.get(i), simulated[i]))
            .map(Validation::record)
            .toList();

    assertThat(rows).hasSizeGreaterThan(200);
    assertThat(rows.stream().filter(row -> !row.isInBand())).isEmpty();
    assertThat(meanError(runs, rows, true)).isLessThanOrEqualTo(4);
    assertThat(meanError(runs, rows, false)).isLessThanOrEqualTo(8);
  }

  private static double meanError(List<Run> runs, List<ValidationRow> rows, boolean isFitted) {
    return IntStream.range(0, runs.size())
        .filter(i -> runs.get(i).isFitted() == isFitted)
        .mapToDouble(i -> Math.abs(rows.get(i).error()))
        .average()
        .orElseThrow();
  }

  private static ValidationRow bandwidth(Run run, double gbps) {
    String group =
        run.isFitted() ? "IOMMU: bdw, 4 KiB pages" : "IOMMU: other hosts, 4 KiB pages, not fitted";
    Band band = Band.percent(run.isFitted() ? 12 : 30);
    return new ValidationRow(group, run.name("Gb/s"), run.figure(), gbps, band, SOURCE);
  }

  @Test
  void shouldTakeNoTimeOnAHitAndTheTimeOfAWalkOnAMiss() {
    List<Run> runs = runs().stream().filter(Run::isLatency).toList();
    double[] simulated = runs.parallelStream().mapToDouble(Run::simulate).toArray();
    Map<String, Integer> off = new HashMap<>();
    for (int i = 0; i < runs.size(); i++) {
      Run run = runs.get(i);
      if (run.iommu().equals("off")) {
        off.put(run.host() + run.numa() + run.windowKiB(), i);
      }
    }
    for (int i = 0; i < runs.size(); i++) {
      Run run = runs.get(i);
      Integer base = off.get(run.host() + run.numa() + run.windowKiB());
      if (base != null && !run.iommu().equals("off")) {
        double published = run.figure() - runs.get(base).figure();
        ValidationRow row = added(run, published, simulated[i] - simulated[base]);
        assertThat(Validation.record(row).isInBand()).as("%s", row).isTrue();
      }
    }
  }

  private static ValidationRow added(Run run, double published, double ns) {
    boolean isHit = run.windowKiB() < 512;
    return isHit
        ? new ValidationRow(
            "IOMMU: hits, ns added", run.name("ns"), published, ns, Band.points(6), SOURCE)
        : new ValidationRow(
            "IOMMU: misses, ns added", run.name("ns"), published, ns, Band.percent(10), SOURCE);
  }

  @Test
  void shouldNotSlowDownWithLargePages() {
    for (String op : List.of("read", "write")) {
      for (long windowKiB : new long[] {64, 1024, 8192, 65536}) {
        Run run = new Run("bdw", "local", "off", op, 64, windowKiB, "cold", 0);
        double off = run.simulate();
        for (String page : List.of("2m", "1g")) {
          double ratio = run.withIommu(page).simulate() / off;
          // hsw and ib with pages of 2 MiB: within 0.7 % of the same without an IOMMU.
          ValidationRow row =
              new ValidationRow(
                  "IOMMU: large pages, % of the bandwidth without",
                  run.name(page), 100, 100 * ratio, Band.points(1), SOURCE);
          assertThat(Validation.record(row).isInBand()).as("%s", row).isTrue();
        }
      }
    }
  }

  private static List<Run> runs() {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                Objects.requireNonNull(
                    IommuValidationTest.class.getResourceAsStream(RESOURCE), RESOURCE),
                StandardCharsets.UTF_8))) {
      return reader.lines().filter(line -> !line.startsWith("#")).skip(1).map(Run::parse).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
