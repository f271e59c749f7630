package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/**
 * The hosts of "Understanding PCIe performance for end host networking" (SIGCOMM 2018) under the
 * same measurements, by {@code pcie-bench}. Calibrated are three mean latencies of 64-byte reads
 * per host (warm, cold, remote) and the rates of the device; everything else follows.
 */
class PcieBenchValidationTest {
  private static final String RESOURCE = "pcie-bench.csv";
  private static final String SOURCE = "pcie-bench/data";
  private static final String IDEAL = "PCIe: ideal host against the analytic model";
  private static final String REPORTED = "PCIe, reported only";
  private static final long TAIL_COUNT = 50_000;
  private static final long COUNT = 10_000;

  /** One run of the study with what it published. */
  record Run(
      String host,
      String numa,
      String op,
      int size,
      long window,
      String cache,
      String pattern,
      int offset,
      double median,
      double p999,
      double gbps) {

    static Run parse(String line) {
      String[] cells = line.split(",", -1);
      return new Run(
          cells[0],
          cells[1],
          cells[2].replace('_', '-'),
          Integer.parseInt(cells[3]),
          Long.parseLong(cells[4]),
          cells[5],
          cells[6],
          Integer.parseInt(cells[7]),
          number(cells[8]),
          number(cells[9]),
          number(cells[10]));
    }

    private static double number(String cell) {
      return cell.isEmpty() ? 0 : Double.parseDouble(cell);
    }

    JsonNode simulate() {
      return Tool.json(
          "pcie-bench",
          "host=" + host,
          "numa=" + numa,
          "op=" + op,
          "size=" + size,
          "window=" + window,
          "cache=" + cache,
          "pattern=" + pattern,
          "offset=" + offset,
          "count=" + (p999 > 0 ? TAIL_COUNT : COUNT));
    }

    String name(String figure) {
      return String.format(
          "%s %s %s %d B%s, %s, %s%s, %s",
          host,
          numa,
          op,
          size,
          offset == 0 ? "" : " at " + offset,
          cache,
          window < 1 << 20 ? window / 1024 + " KiB" : window / (1 << 20) + " MiB",
          pattern.equals("seq") ? " in order" : "",
          figure);
    }

    boolean isE3() {
      return host.equals("e3");
    }

    boolean isLatency() {
      return op.startsWith("lat");
    }

    boolean isBehind(int multiple) {
      return size % multiple == 1;
    }
  }

  /** All points of the model are compared by AnalyticModelValidationTest of the devices. */
  @ParameterizedTest
  @CsvSource({
    // generation, lanes, MPS, MRRS, bytes, write, read, both per direction in Gb/s.
    "1, 8, 128, 512, 64, 8.8273, 9.2476, 6.9357",
    "1, 8, 128, 512, 256, 10.2210, 10.4973, 9.4732",
    "1, 8, 128, 512, 320, 9.9082, 10.2210, 9.3365",
    "1, 8, 128, 512, 512, 10.2210, 10.4973, 9.8329",
    "1, 8, 128, 512, 1500, 10.1825, 10.4634, 9.7883",
    "1, 8, 128, 512, 4096, 10.2210, 10.4973, 9.8329",
    "2, 8, 256, 512, 64, 20.8555, 21.8486, 16.3864",
    "2, 8, 256, 512, 256, 26.2183, 26.5983, 24.1484",
    "2, 8, 256, 512, 320, 24.9359, 25.4900, 23.4092",
    "2, 8, 256, 512, 512, 26.2183, 26.5983, 25.1408",
    "2, 8, 256, 512, 1500, 26.1645, 26.5521, 25.0667",
    "2, 8, 256, 512, 4096, 26.2183, 26.5983, 25.1408",
    "3, 8, 128, 512, 64, 41.2116, 43.1740, 32.3805",
    "3, 8, 128, 512, 256, 47.7187, 49.0084, 44.2271",
    "3, 8, 128, 512, 320, 46.2579, 47.7187, 43.5892",
    "3, 8, 128, 512, 512, 47.7187, 49.0084, 45.9066",
    "3, 8, 128, 512, 1500, 47.5385, 48.8499, 45.6983",
    "3, 8, 128, 512, 4096, 47.7187, 49.0084, 45.9066",
    "3, 8, 256, 512, 64, 42.0980, 44.1027, 33.0770",
    "3, 8, 256, 512, 256, 52.9232, 53.6902, 48.7451",
    "3, 8, 256, 512, 320, 50.3346, 51.4531, 47.2529",
    "3, 8, 256, 512, 512, 52.9232, 53.6902, 50.7483",
    "3, 8, 256, 512, 1500, 52.8146, 53.5970, 50.5986",
    "3, 8, 256, 512, 4096, 52.9232, 53.6902, 50.7483",
    "4, 4, 256, 512, 64, 42.2837, 44.2972, 33.2229",
    "4, 4, 256, 512, 256, 53.1566, 53.9270, 48.9601",
    "4, 4, 256, 512, 320, 50.5566, 51.6801, 47.4613",
    "4, 4, 256, 512, 512, 53.1566, 53.9270, 50.9721",
    "4, 4, 256, 512, 1500, 53.0475, 53.8334, 50.8217",
    "4, 4, 256, 512, 4096, 53.1566, 53.9270, 50.9721",
    "4, 16, 256, 512, 64, 165.3819, 173.2572, 129.9429",
    "4, 16, 256, 512, 256, 207.9087, 210.9219, 191.4948",
    "4, 16, 256, 512, 320, 197.7392, 202.1334, 185.6328",
    "4, 16, 256, 512, 512, 207.9087, 210.9219, 199.3645",
    "4, 16, 256, 512, 1500, 207.4819, 210.5557, 198.7763",
    "4, 16, 256, 512, 4096, 207.9087, 210.9219, 199.3645",
    "5, 16, 512, 4096, 64, 333.4498, 349.3283, 261.9963",
    "5, 16, 512, 4096, 256, 419.1940, 425.2693, 386.0997",
    "5, 16, 512, 4096, 320, 426.5055, 431.5232, 398.6900",
    "5, 16, 512, 4096, 512, 437.9639, 441.2569, 419.1940",
    "5, 16, 512, 4096, 1500, 437.4938, 440.8591, 430.9149",
    "5, 16, 512, 4096, 4096, 437.9639, 441.2569, 435.5262"
  })
  void shouldEqualTheAnalyticModelOnTheIdealHost(
      int generation,
      int lanes,
      int mps,
      int mrrs,
      int size,
      double write,
      double read,
      double readwrite) {
    Map<String, Double> published = new TreeMap<>();
    published.put("write", write);
    published.put("read", read);
    published.put("readwrite", readwrite);
    String link = "Gen " + generation + " x" + lanes + ", MPS " + mps + ", MRRS " + mrrs;
    published.forEach(
        (op, gbps) -> {
          JsonNode json =
              Tool.json(
                  "pcie-bench",
                  "host=ideal",
                  "link.gen=" + generation,
                  "link.lanes=" + lanes,
                  "link.mps=" + mps,
                  "link.mrrs=" + mrrs,
                  "op=" + op,
                  "size=" + size,
                  "count=2000");
          double simulated = Tool.number(json, "goodput_gbit_per_s");
          String name = link + ": " + op + " " + size + " B, Gb/s";
          ValidationRow row =
              row(IDEAL, name, gbps, simulated, Band.percent(0.5), "pcie-bench/pcie-model");
          assertThat(Validation.record(row).isInBand()).as("%s", row).isTrue();
        });
  }

  @Test
  void shouldMeasureWhatTheStudyMeasured() {
    List<ValidationRow> rows = rows();
    rows.forEach(Validation::record);

    assertThat(rows).hasSizeGreaterThan(500);
    assertThat(rows.stream().filter(row -> !row.isInBand())).isEmpty();
  }

  /** Returns all points; runs are independent of each other, so they share the processors. */
  private static List<ValidationRow> rows() {
    List<Run> runs = runs();
    List<JsonNode> results = runs.parallelStream().map(Run::simulate).toList();
    List<ValidationRow> rows = new ArrayList<>();
    Map<String, Double> published = new HashMap<>();
    Map<String, Double> simulated = new HashMap<>();
    for (int i = 0; i < runs.size(); i++) {
      Run run = runs.get(i);
      JsonNode json = results.get(i);
      if (run.median() > 0) {
        rows.add(median(run, Tool.number(json, "latency_ns_p50")));
      }
      if (run.p999() > 0) {
        rows.add(tail(run, Tool.number(json, "latency_ns_p999")));
      }
      if (run.gbps() > 0) {
        double gbps = Tool.number(json, "goodput_gbit_per_s");
        rows.add(bandwidth(run, gbps));
        published.put(key(run, run.cache(), run.numa()), run.gbps());
        simulated.put(key(run, run.cache(), run.numa()), gbps);
      }
    }
    addDifferences(rows, runs, published, simulated);
    return rows;
  }

  private static String key(Run run, String cache, String numa) {
    return String.join(
        " ",
        run.host(),
        run.op(),
        "" + run.size(),
        "" + run.window(),
        "" + run.offset(),
        cache,
        numa);
  }

  private static ValidationRow median(Run run, double ns) {
    String name = run.name("median ns");
    if (run.isE3()) {
      if (run.size() == 1024 && run.op().equals("lat-read")) {
        return row(REPORTED, name, run.median(), ns, Band.NONE, "above the same host's 2048 B");
      }
      return run.size() == 2048 && run.op().equals("lat-write-read")
          ? row(REPORTED, name, run.median(), ns, Band.NONE, "no known mechanism")
          : row("PCIe: E3, median latency", name, run.median(), ns, Band.percent(10), SOURCE);
    }
    return run.size() == 64 && run.op().equals("lat-read")
        ? row("PCIe: 64 B read latency, median", name, run.median(), ns, Band.percent(3), SOURCE)
        : row(
            "PCIe: latency against size, median", name, run.median(), ns, Band.percent(5), SOURCE);
  }

  private static ValidationRow tail(Run run, double ns) {
    String name = run.name("p99.9 ns");
    if (run.isE3()) {
      // The share of stalls of 2 ms is 0.9 to 3 per mille: where it was below 1, p99.9 missed them.
      boolean hasStalls = run.p999() > 100_000;
      return hasStalls
          ? row("PCIe: E3, p99.9", name, run.p999(), ns, Band.factor(10), SOURCE)
          : row(
              REPORTED,
              name,
              run.p999(),
              ns,
              Band.NONE,
              "stalls of 2 ms were below 0.1 % in this run");
    }
    if (run.op().equals("lat-read") && run.cache().equals("cold") && run.numa().equals("local")) {
      String group = "PCIe: cold reads, p99.9, from refresh and banks";
      return row(group, name, run.p999(), ns, Band.percent(15), SOURCE);
    }
    String why = "no target: root complexes have tails of their own";
    return row(REPORTED, name, run.p999(), ns, Band.NONE, why);
  }

  private static ValidationRow bandwidth(Run run, double gbps) {
    String name = run.name("Gb/s");
    Artefact artefact = Artefact.of(run);
    if (artefact != null) {
      return row(REPORTED, name, run.gbps(), gbps, Band.NONE, artefact.why);
    }
    Target target = Target.of(run);
    return row(target.group, name, run.gbps(), gbps, target.band, SOURCE);
  }

  /** Effects of the study's device that the probe does not have. */
  private enum Artefact {
    MIXED("device: reads and writes together of 128 B to below 2 KiB, no known mechanism"),
    PAIRS_OF_EQUALS(
        "device: 1024 B are two requests of 512 B; one run of hsw-sm has 54.2 Gb/s, the others lose"
            + " 8 %"),
    ODD_SHORT("device: reads of 129 to 255 B take up to 4 ns more, with the latency"),
    UNALIGNED_LINE("no target below 128 B");

    private final String why;

    Artefact(String why) {
      this.why = why;
    }

    static @Nullable Artefact of(Run run) {
      if (run.op().equals("readwrite") && run.size() > 64 && run.size() < 2048) {
        return MIXED;
      }
      // With an MRRS of 4096 B it is one request.
      if (run.op().equals("read") && run.size() == 1024 && !run.host().equals("bdw")) {
        return PAIRS_OF_EQUALS;
      }
      if (run.op().equals("read") && run.size() == 192) {
        return ODD_SHORT;
      }
      return run.offset() > 0 && run.size() < 128 ? UNALIGNED_LINE : null;
    }
  }

  /** What has to be met. */
  private enum Target {
    LOCAL_WARM("PCIe: 64 B reads: tags x 64 B / time a tag is held", Band.percent(6)),
    OTHER_64("PCIe: 64 B reads: tags x 64 B / time a tag is held", Band.percent(10)),
    SMALL("PCIe: 64 B writes and pairs", Band.percent(10)),
    SHORT("PCIe: 128 to 384 B: the device's engines", Band.percent(10)),
    LONG("PCIe: 512 B and above, one way", Band.percent(5)),
    PAIRS("PCIe: 2048 B reads and writes together", Band.percent(5)),
    CLIFF("PCIe: one byte above a multiple of MPS", Band.percent(10)),
    UNALIGNED("PCIe: unaligned starts, 128 B and above", Band.percent(6));

    private final String group;
    private final Band band;

    Target(String group, Band band) {
      this.group = group;
      this.band = band;
    }

    static Target of(Run run) {
      if (run.offset() > 0) {
        return UNALIGNED;
      }
      if (run.op().equals("read") && run.size() == 64) {
        boolean isLocalWarm = run.numa().equals("local") && run.cache().equals("warm");
        return isLocalWarm && run.window() <= 16 << 20 ? LOCAL_WARM : OTHER_64;
      }
      if (run.size() == 64) {
        return SMALL;
      }
      if (run.isBehind(256)) {
        return CLIFF;
      }
      if (run.size() < 512) {
        return SHORT;
      }
      return run.op().equals("readwrite") ? PAIRS : LONG;
    }
  }

  /** What a cold cache and the other socket cost, in percent of the bandwidth. */
  private static void addDifferences(
      List<ValidationRow> rows,
      List<Run> runs,
      Map<String, Double> published,
      Map<String, Double> simulated) {
    for (Run run : runs) {
      if (run.gbps() == 0 || !run.op().equals("read") || run.offset() > 0 || run.size() > 512) {
        continue;
      }
      String local = key(run, "warm", "local");
      if (!published.containsKey(local) || Artefact.of(run) != null) {
        continue;
      }
      if (run.cache().equals("cold")) {
        String cold = key(run, "cold", run.numa());
        rows.add(
            difference("PCIe: cold against warm reads", run, cold, local, 6, published, simulated));
      } else if (run.numa().equals("remote")) {
        String remote = key(run, "warm", "remote");
        rows.add(
            difference(
                "PCIe: remote against local reads", run, remote, local, 10, published, simulated));
      }
    }
  }

  private static ValidationRow difference(
      String group,
      Run run,
      String key,
      String base,
      double points,
      Map<String, Double> published,
      Map<String, Double> simulated) {
    return row(
        group,
        run.name("% of bandwidth"),
        (published.get(key) / published.get(base) - 1) * 100,
        (simulated.get(key) / simulated.get(base) - 1) * 100,
        Band.points(points),
        SOURCE);
  }

  private static ValidationRow row(
      String group, String name, double published, double simulated, Band band, String source) {
    return new ValidationRow(group, name, published, simulated, band, source);
  }

  private static List<Run> runs() {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                Objects.requireNonNull(
                    PcieBenchValidationTest.class.getResourceAsStream(RESOURCE), RESOURCE),
                StandardCharsets.UTF_8))) {
      return reader.lines().filter(line -> !line.startsWith("#")).skip(1).map(Run::parse).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
