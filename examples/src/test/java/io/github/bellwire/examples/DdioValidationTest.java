package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/**
 * Hit rates of a forwarder whose receive ring stays full, against the measurements of Farshin et
 * al., "Reexamining Direct Cache Access to Optimize I/O Intensive Applications for Multi-hundred-
 * gigabit Networks" (ATC 2020), repository aliireza/ddio-bench: medians of ten runs. Bands are in
 * percentage points: the runs themselves differ by up to 13.
 */
class DdioValidationTest {
  private static final String SOURCE = "ddio-bench (ATC 2020), one core";
  private static final double BAND = 10;
  private static final double BAND_MANY_WAYS = 5;

  private static final List<ValidationRow> ROWS = new ArrayList<>();
  private static final Map<List<Integer>, JsonNode> RUNS = new HashMap<>();

  @BeforeAll
  static void runAll() {
    int[] rings = {128, 256, 512, 1024, 2048, 4096};
    double[] small = {100, 99.84, 99.81, 99.60, 98.51, 92.06};
    double[] large = {98.16, 98.26, 96.86, 89.29, 81.66, 39.86};
    for (int i = 0; i < rings.length; i++) {
      add("ring 512 B", rings[i], 512, 2, small[i], BAND);
      add("ring 1500 B", rings[i], 1500, 2, large[i], BAND);
    }
    add("ways 1024 B", 4096, 1024, 2, 62.73, BAND);
    add("ways 1024 B", 4096, 1024, 4, 97.15, BAND_MANY_WAYS);
    add("ways 1024 B", 4096, 1024, 6, 99.95, BAND_MANY_WAYS);
    add("ways 1024 B", 4096, 1024, 11, 99.99, BAND_MANY_WAYS);
    add("ways 1500 B", 4096, 1500, 2, 38.93, BAND);
    add("ways 1500 B", 4096, 1500, 4, 87.53, BAND_MANY_WAYS);
    add("ways 1500 B", 4096, 1500, 6, 99.75, BAND_MANY_WAYS);
  }

  private static void add(
      String group, int ring, int frameBytes, int ways, double published, double band) {
    JsonNode json = RUNS.computeIfAbsent(List.of(ring, frameBytes, ways), DdioValidationTest::run);
    double write = 100 * Tool.number(json, "write_hit_ratio");
    double read = 100 * Tool.number(json, "read_hit_ratio");
    String name = "ring " + ring + ", ways " + ways;
    ROWS.add(row(group, name + ", write", published, write, band));
    // The measured read hit rates equal those of writes within a point.
    ROWS.add(row(group + " read", name + ", read", published, read, band + 1));
  }

  private static ValidationRow row(
      String group, String name, double published, double simulated, double points) {
    return Validation.record(
        new ValidationRow(
            "DDIO hit rates, " + group, name, published, simulated, Band.points(points), SOURCE));
  }

  private static JsonNode run(List<Integer> load) {
    return run(load.get(0), load.get(1), load.get(2), 1);
  }

  private static JsonNode run(int ring, int frameBytes, int ways, int cores) {
    return Tool.json(
        "ddio",
        "ring.size=" + ring,
        "frame-bytes=" + frameBytes,
        "ways=" + ways,
        "cores=" + cores,
        "count=4000");
  }

  private static List<ValidationRow> group(String group) {
    return ROWS.stream().filter(row -> row.group().equals("DDIO hit rates, " + group)).toList();
  }

  @Test
  void shouldHitAsOftenAsMeasured() {
    assertThat(ROWS).hasSize(38);
    assertThat(ROWS.stream().filter(row -> !row.isInBand())).isEmpty();
  }

  @Test
  void shouldHitLessTheLongerTheRing() {
    for (String group : List.of("ring 512 B", "ring 1500 B")) {
      List<ValidationRow> rows = group(group);
      assertThat(rows).hasSize(6);
      for (int i = 1; i < rows.size(); i++) {
        // A tenth of a point is what runs of this length leave open where nearly all hit.
        assertThat(rows.get(i).simulated())
            .as(group)
            .isLessThanOrEqualTo(rows.get(i - 1).simulated() + 0.1);
      }
    }
  }

  @Test
  void shouldHitMoreTheMoreWaysDevicesHave() {
    for (String group : List.of("ways 1024 B", "ways 1500 B")) {
      List<ValidationRow> rows = group(group);
      for (int i = 1; i < rows.size(); i++) {
        assertThat(rows.get(i).simulated())
            .as(group)
            .isGreaterThanOrEqualTo(rows.get(i - 1).simulated());
      }
    }
  }

  @Test
  void shouldReadAsOftenFromTheCacheAsItWroteThere() {
    for (int i = 0; i < ROWS.size(); i += 2) {
      assertThat(ROWS.get(i + 1).simulated())
          .as(ROWS.get(i).name())
          .isCloseTo(ROWS.get(i).simulated(), within(2.5));
    }
  }

  @Test
  void shouldFindWhatItReadsIfTheRingIsNotFull() {
    // Four cores are not overloaded: frames leave soon after they came, and buffers wait empty.
    JsonNode json = run(1024, 1500, 2, 4);

    assertThat(Tool.number(json, "read_hit_ratio")).isGreaterThan(0.9);
    assertThat(Tool.number(json, "write_hit_ratio")).isLessThan(0.5);
  }
}
