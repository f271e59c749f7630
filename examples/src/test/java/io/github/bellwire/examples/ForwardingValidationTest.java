package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * One core forwards 64-byte frames both ways between two ports, each in a Gen 2 x8 slot of its own,
 * against the published curve of ixy in C (ixy-languages, figure data batches-3.3 and latency
 * distributions). Batches 1 and 4 gave the costs of the driver, the plateau the reads that a port
 * has outstanding, and the least latency that of the card; the rest follows.
 */
class ForwardingValidationTest {
  private static final String CURVE = "ixy-languages, figure data batches-3.3, E3-1230 v2";
  private static final String LATENCY = "ixy-languages, latency distribution of C, E5-2620 v3";
  private static final int[] BATCHES = {1, 4, 16, 64};
  private static final double[] PUBLISHED_MPPS = {8.327, 20.94, 27.44, 27.45};
  private static final double LINE_MPPS = 2 * 14.880_952;

  private final List<ValidationRow> rows = new ArrayList<>();

  /** The presets nearest to the machines measured: an Ivy Bridge and a Haswell. */
  private static final String IVY_BRIDGE = "host=ib";

  private static final String HASWELL = "host=hsw";

  private static JsonNode run(String... settings) {
    List<String> all = new ArrayList<>();
    all.addAll(List.of("direction=both", "frame-bytes=64", "link.gen=2"));
    all.addAll(List.of(settings));
    return Tool.json("nic-forward", all.toArray(new String[0]));
  }

  private static double mpps(String frames, String frequency, int batch, String... settings) {
    List<String> all = new ArrayList<>(List.of(settings));
    all.addAll(List.of("frames=" + frames, "cpu.frequency=" + frequency, "batch=" + batch));
    return Tool.number(run(all.toArray(new String[0])), "frames_per_s") / 1e6;
  }

  private void assertAllInBand() {
    assertThat(rows.stream().filter(row -> !row.isInBand())).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {IVY_BRIDGE, "host=gen4-server"})
  void shouldForwardAsFastAsMeasured(String host) {
    for (int i = 0; i < BATCHES.length; i++) {
      double simulated = mpps("15000", "3.3GHz", BATCHES[i], "link.lanes=8", host);
      String name = "batch " + BATCHES[i] + ", " + host + ", Mpps";
      rows.add(
          Validation.record(
              new ValidationRow("Forwarding", name, PUBLISHED_MPPS[i], simulated, 10, CURVE)));
    }

    assertAllInBand();
    for (int i = 1; i < rows.size(); i++) {
      // Within three percent: at the plateau descriptors in larger groups wait for more turns.
      assertThat(rows.get(i).simulated()).isGreaterThan(0.97 * rows.get(i - 1).simulated());
    }
  }

  @Test
  void shouldReachItsPlateauByReadsOutstandingAndNotByTheCore() {
    double plateau = mpps("6000", "3.3GHz", 64, "link.lanes=8", IVY_BRIDGE);
    double quickCore = mpps("6000", "6.6GHz", 64, "link.lanes=8", IVY_BRIDGE);
    double wideLink = mpps("6000", "3.3GHz", 64, "link.lanes=16", IVY_BRIDGE);
    double moreReads = mpps("6000", "3.3GHz", 64, "link.lanes=8", IVY_BRIDGE, "nic.reads=32");

    assertThat(plateau / LINE_MPPS).isBetween(0.85, 0.95); // 92 % published
    // It polls more often, so that descriptors are fetched in smaller groups.
    assertThat(quickCore / plateau).isBetween(0.97, 1.01);
    // Twice the width makes each read return earlier, as turns are shorter; that is all it does.
    assertThat(wideLink / plateau).isBetween(0.99, 1.17);
    assertThat(moreReads / LINE_MPPS).isBetween(0.97, 1.0); // begin and end of the run count
  }

  @Test
  void shouldForwardLineRateOneWay() {
    JsonNode json =
        Tool.json(
            "nic-forward",
            "frames=20000",
            "frame-bytes=64",
            "link.gen=2",
            "link.lanes=8",
            "cpu.frequency=3.3GHz");

    assertThat(Tool.count(json, "frames_dropped_count")).isZero();
    assertThat(Tool.number(json, "frames_per_s") / 1e6).isGreaterThan(14.8);
  }

  @Test
  void shouldTakeAsLongFromWireToWireAsMeasured() {
    JsonNode json =
        run(HASWELL, "link.lanes=8", "frames=3000", "cpu.frequency=2.4GHz", "offered=500k/s");
    latency(json, "min", 3_587, 10);
    latency(json, "p50", 3_762, 20);
    latency(json, "p99", 3_949, 20);

    assertAllInBand();
    assertThat(Tool.number(json, "latency_ns_p99"))
        .isLessThan(1.1 * Tool.number(json, "latency_ns_p50"));
    assertThat(Tool.number(json, "frames_per_s") / 1e6).isBetween(0.99, 1.01);
  }

  @Test
  void shouldTakeLongerWithLoadByQueueingAlone() {
    List<Double> medians = new ArrayList<>();
    for (String offered : List.of("500k/s", "5M/s", "10M/s", "14.5M/s")) {
      JsonNode json =
          run(HASWELL, "link.lanes=8", "frames=3000", "cpu.frequency=3.3GHz", "offered=" + offered);
      medians.add(Tool.number(json, "latency_ns_p50"));
    }

    assertThat(medians).isSorted();
    assertThat(medians.get(3)).isGreaterThan(1.5 * medians.get(0));
  }

  private void latency(JsonNode json, String statistic, double publishedNs, double band) {
    double simulated = Tool.number(json, "latency_ns_" + statistic);
    rows.add(
        Validation.record(
            new ValidationRow(
                "Forwarding latency", statistic + ", ns", publishedNs, simulated, band, LATENCY)));
  }

  @Test
  void shouldRefuseARateForACapture() {
    Tool tool = Tool.run("nic-forward --set offered=1M/s");

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err()).hasLineCount(1).contains("offered=1M/s");
  }
}
