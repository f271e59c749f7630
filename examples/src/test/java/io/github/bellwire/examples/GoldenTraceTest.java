package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/**
 * Fixed runs and the hashes over all their lifecycle records: the same on every machine and JDK. A
 * change of a model changes them; {@code -Dbellwire.updateGolden=true} writes those of today.
 */
class GoldenTraceTest {
  private static final Path FILE =
      Path.of("src/test/resources/io/github/bellwire/examples/golden-traces.txt");

  private static final List<String> RUNS =
      List.of(
          "nic-rx",
          "nic-rx mode=interrupt",
          "nic-rx mode=napi",
          "nic-rx frames=2000 frame-bytes=64",
          "nic-rx frames=2000 mode=napi rate=100Gb/s ring.size=64 queues=4 cores=2",
          "nic-tx",
          "nic-tx frames=2000 frame-bytes=1518 mode=napi",
          "nic-forward direction=both",
          "nic-forward frames=2000 direction=both rate=40Gb/s",
          "lifecycle",
          "lifecycle op=transmit",
          "dma-check");

  @Test
  void shouldTraceAsItDidBefore() throws IOException {
    Map<String, String> hashes = new LinkedHashMap<>();
    RUNS.forEach(run -> hashes.put(run, hash(run)));
    if (Boolean.getBoolean("bellwire.updateGolden")) {
      write(hashes);
    }

    assertThat(hashes).isEqualTo(read());
  }

  @Test
  void shouldTraceTheSameTwice() {
    for (String run : List.of("nic-rx frames=3000 mode=napi seed=7", "nic-forward frames=3000")) {
      JsonNode first = json(run);
      JsonNode second = json(run);

      assertThat(second.at("/provenance/trace_hash")).isEqualTo(first.at("/provenance/trace_hash"));
      assertThat(second.at("/provenance/events")).isEqualTo(first.at("/provenance/events"));
      assertThat(withoutWallTime(second)).isEqualTo(withoutWallTime(first));
    }
  }

  @Test
  void shouldTraceAnythingElseDifferently() {
    assertThat(
            List.of(
                hash("nic-rx frames=500"),
                hash("nic-rx frames=501"),
                hash("nic-rx frames=500 seed=2 queues=2"),
                hash("nic-rx frames=500 queues=2"),
                hash("nic-rx frames=500 frame-bytes=65"),
                hash("nic-rx frames=500 link.gen=3")))
        .doesNotHaveDuplicates();
  }

  private static Map<String, String> withoutWallTime(JsonNode json) {
    Map<String, String> metrics = new LinkedHashMap<>();
    json.get("metrics").properties().forEach(m -> metrics.put(m.getKey(), m.getValue().toString()));
    metrics.remove("packets_per_wall_second");
    return metrics;
  }

  private static String hash(String run) {
    return json(run).at("/provenance/trace_hash").asString();
  }

  private static JsonNode json(String run) {
    List<String> args = new ArrayList<>();
    for (String word : run.split(" ")) {
      if (!args.isEmpty()) {
        args.add("--set");
      }
      args.add(word);
    }
    args.add("--json");
    Tool tool = Tool.run(args);
    assertThat(tool.code()).as(run).isZero();
    return tool.json();
  }

  /** Each line is a hash, two spaces, scenario and settings. */
  private static Map<String, String> read() throws IOException {
    Map<String, String> hashes = new LinkedHashMap<>();
    for (String line : Files.readAllLines(FILE)) {
      String[] parts = line.split("  ", 2);
      hashes.put(parts[1], parts[0]);
    }
    return hashes;
  }

  private static void write(Map<String, String> hashes) throws IOException {
    List<String> lines = new ArrayList<>();
    hashes.forEach((run, hash) -> lines.add(hash + "  " + run));
    Files.createDirectories(FILE.getParent());
    Files.write(FILE, lines);
  }
}
