package io.github.bellwire.device.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.github.bellwire.host.HostConfig;
import io.github.bellwire.pcie.PcieGeneration;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A host without latency, credit and tag limits against the analytic model of pcie-bench
 * (Neugebauer et al., SIGCOMM 2018; code pcie-bench/pcie-model at 40703cf): generations 1 to 5, 4
 * to 16 lanes, MPS 128 to 512, MRRS 512 and 4096, ten sizes.
 */
class AnalyticModelValidationTest {
  private static final String RESOURCE = "pcie-analytic.csv";
  private static final double TOLERANCE_PERCENT = 0.5;
  private static final int WARMUP = 50;
  private static final int COUNT = 1_000;
  private static final int KEY_COLUMNS = 5;

  /** One link with the model's figures per kind and size. */
  record Link(int generation, int lanes, int mpsBytes, int mrrsBytes, List<Row> rows) {
    @Override
    public String toString() {
      return "gen " + generation + " x" + lanes + " MPS " + mpsBytes + " MRRS " + mrrsBytes;
    }
  }

  record Row(ProbeOperation operation, int sizeBytes, double gbps) {}

  @ParameterizedTest
  @MethodSource("links")
  void shouldEqualTheAnalyticModel(Link link) {
    HostConfig host =
        HostConfig.IDEAL.withLink(
            HostConfig.IDEAL
                .link()
                .withGeneration(PcieGeneration.of(link.generation()))
                .withLanes(link.lanes())
                .withMaxPayloadBytes(link.mpsBytes())
                .withMaxReadRequestBytes(link.mrrsBytes()));
    ProbeBench bench = new ProbeBench(host, ProbeConfig.IDEAL);

    assertThat(link.rows()).hasSize(30);
    for (Row row : link.rows()) {
      ProbeMeter meter =
          bench.measure(row.operation(), bench.window(row.sizeBytes()), WARMUP, COUNT);
      assertThat(meter.goodputGbps(meter.elapsedPs()))
          .as("%s", row)
          .isCloseTo(row.gbps(), withinPercentage(TOLERANCE_PERCENT));
    }
  }

  @Test
  void shouldKnowEveryLinkOfTheModel() {
    assertThat(links()).hasSize(5 * 3 * 3 * 2);
  }

  static List<Link> links() {
    Map<String, Link> links = new LinkedHashMap<>();
    List<String> lines = lines();
    List<Integer> sizes =
        Arrays.stream(lines.get(0).split(",")).skip(KEY_COLUMNS).map(Integer::valueOf).toList();
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",");
      // Neither writes nor, in whole completions, reads depend on the request size.
      for (String mrrs : cells[3].equals("any") ? List.of("512", "4096") : List.of(cells[3])) {
        String key = String.join(",", cells[0], cells[1], cells[2], mrrs);
        Link link = links.computeIfAbsent(key, k -> link(cells, mrrs));
        for (int i = 0; i < sizes.size(); i++) {
          ProbeOperation operation = ProbeOperation.valueOf(cells[4].toUpperCase(Locale.ROOT));
          double gbps = Double.parseDouble(cells[KEY_COLUMNS + i]);
          link.rows().add(new Row(operation, sizes.get(i), gbps));
        }
      }
    }
    return List.copyOf(links.values());
  }

  private static Link link(String[] cells, String mrrs) {
    return new Link(
        Integer.parseInt(cells[0]),
        Integer.parseInt(cells[1]),
        Integer.parseInt(cells[2]),
        Integer.parseInt(mrrs),
        new ArrayList<>());
  }

  private static List<String> lines() {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                Objects.requireNonNull(
                    AnalyticModelValidationTest.class.getResourceAsStream(RESOURCE), RESOURCE),
                StandardCharsets.UTF_8))) {
      return reader.lines().filter(line -> !line.startsWith("#")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
