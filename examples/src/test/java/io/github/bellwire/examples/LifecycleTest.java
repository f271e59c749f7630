package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The seven steps of an operation as the command line prints them. */
class LifecycleTest {
  private static final Pattern STEP =
      Pattern.compile(
          "  ([1-7] (?:allocate|map|build|doorbell|device DMA|completion|unmap)) +([0-9]+\\.[0-9]{3})"
              + " +([0-9]+\\.[0-9]{3})  (\\S.*)");

  private record Step(String name, BigDecimal timeNs, BigDecimal afterNs, String rest) {}

  @Test
  void shouldFollowAReceivedFrameThroughAllSteps() {
    assertThat(stepsOf("lifecycle"))
        .containsExactly(
            "1 allocate: buffer taken",
            "2 map: buffer mapped",
            "3 build: descriptor written",
            "4 doorbell: tail register",
            "5 device DMA: frame arrived",
            "5 device DMA: descriptor read",
            "5 device DMA: payload written",
            "6 completion: descriptor written",
            "6 completion: done bit",
            "7 unmap: buffer unmapped");
  }

  @Test
  void shouldFollowASentFrameThroughAllSteps() {
    assertThat(stepsOf("lifecycle --set op=transmit"))
        .containsExactly(
            "1 allocate: buffer taken",
            "2 map: buffer mapped",
            "3 build: descriptor written",
            "4 doorbell: tail register",
            "5 device DMA: descriptor read",
            "5 device DMA: payload read",
            "5 device DMA: frame sent",
            "6 completion: descriptor written",
            "6 completion: done bit",
            "7 unmap: buffer unmapped");
  }

  @Test
  void shouldShowHowAPollingDriverKeepsItsMappings() {
    assertThat(stepsOf("lifecycle --set mode=poll --set profile=userspace-c"))
        .contains("2 map: pool mapping", "7 unmap: buffer returned");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lifecycle",
        "lifecycle --set op=transmit",
        "lifecycle --set mode=poll --set op=transmit",
        "nic-rx --trace 200",
        "nic-rx --trace 100 --set mode=interrupt",
        "nic-rx --trace 50 --set frames=500 --set frame-bytes=5000 --set rate=100Gb/s",
        "nic-tx --trace 200",
        "nic-forward --trace 100",
      })
  void shouldNeverGoBackInTime(String args) {
    List<List<Step>> operations = operations(Tool.run(args).out());

    assertThat(operations).isNotEmpty();
    for (List<Step> operation : operations) {
      BigDecimal lastNs = operation.get(0).timeNs;
      String lastName = "1";
      for (Step step : operation) {
        assertThat(step.timeNs).isGreaterThanOrEqualTo(lastNs);
        assertThat(step.afterNs).isEqualByComparingTo(step.timeNs.subtract(lastNs));
        lastNs = step.timeNs;
        // A card is done with a buffer when it has read it, and may send the frame later.
        if (!step.rest.startsWith("frame sent")) {
          assertThat(step.name).isGreaterThanOrEqualTo(lastName);
          lastName = step.name.substring(0, 1);
        }
      }
      assertThat(operation.get(0).name).isEqualTo("1 allocate");
      // A forwarded frame leaves the receive ring with its buffer, which the transmit ring unmaps.
      int steps = args.startsWith("nic-forward") ? 6 : 7;
      assertThat(operation.stream().map(s -> s.name.charAt(0)).distinct())
          .hasSizeGreaterThanOrEqualTo(steps);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"lifecycle", "lifecycle --set op=transmit", "nic-rx --set frames=1"})
  void shouldPrintNoRateOfASingleFrame(String args) {
    Tool tool = Tool.run(args);

    assertThat(tool.out()).doesNotContain("goodput", "frames/s", "latency p95", " 0 /s");
    assertThat(tool.out()).containsOnlyOnce("latency p50");
    // Scripts rely on names.
    assertThat(Tool.run(args + " --json").json().get("metrics").has("goodput_gbit_per_s")).isTrue();
  }

  @Test
  void shouldPrintDoorbellsOnlyWhereTheyWereCounted() {
    assertThat(Tool.run("lifecycle").out()).doesNotContain("doorbells");
    assertThat(Tool.run("lifecycle --set op=transmit").out()).containsPattern("doorbells +[1-9]");
    assertThat(Tool.run("lifecycle --set frames=3").out()).contains("goodput");
  }

  @Test
  void shouldPrintAsManyOperationsAsAskedFor() {
    Tool tool = Tool.run("nic-rx --trace 3");

    assertThat(tool.code()).isZero();
    assertThat(tool.err()).isEmpty();
    assertThat(headings(tool.out()))
        .containsExactly(
            "Operation port 0 rx queue 0 #0",
            "Operation port 0 rx queue 0 #1",
            "Operation port 0 rx queue 0 #2");
    assertThat(operations(tool.out())).hasSize(3);
  }

  @Test
  void shouldPrintOperationsOnStandardErrorBesideJson() {
    Tool tool = Tool.run("nic-rx --trace 3 --json");

    assertThat(tool.code()).isZero();
    assertThat(tool.json().get("metrics").isObject()).isTrue();
    assertThat(headings(tool.err())).hasSize(3);
    assertThat(operations(tool.err())).hasSize(3);
    assertThat(headings(Tool.run("lifecycle --json").err())).hasSize(1);
  }

  @Test
  void shouldHaveNoKeyForCapturesAsItGeneratesFrames(@TempDir Path directory) {
    assertThat(Tool.run("describe lifecycle").out()).contains("\nframes ").doesNotContain("pcap");
    Tool tool = Tool.run("lifecycle --set pcap=x");
    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err())
        .hasLineCount(1)
        .startsWith("bellwire: pcap=x: unknown key pcap; keys of");
    String out = " --set capture-out=" + directory.resolve("out.pcap");
    assertThat(Tool.run("lifecycle" + out).code()).isZero();
    assertThat(Tool.run("lifecycle --set op=transmit" + out).code()).isZero();
  }

  @Test
  void shouldNotChangeTheRunByLookingAtIt() {
    assertThat(hash(Tool.run("nic-rx --trace 3 --json")))
        .isEqualTo(hash(Tool.run("nic-rx --json")));
  }

  private static String hash(Tool tool) {
    return tool.json().at("/provenance/trace_hash").asString();
  }

  private static List<String> headings(String text) {
    return text.lines().filter(line -> line.startsWith("Operation ")).toList();
  }

  /** Returns steps with the first two words of their causes, as long causes are wrapped. */
  private static List<String> stepsOf(String args) {
    Tool tool = Tool.run(args);
    assertThat(tool.code()).isZero();
    List<List<Step>> operations = operations(tool.out());
    assertThat(operations).hasSize(1);
    return operations.get(0).stream()
        .map(step -> step.name + ": " + step.rest.split(" ")[0] + " " + step.rest.split(" ")[1])
        .toList();
  }

  private static List<List<Step>> operations(String text) {
    List<List<Step>> operations = new ArrayList<>();
    for (String line : text.split("\n")) {
      Matcher matcher = STEP.matcher(line);
      if (line.startsWith("Operation ")) {
        operations.add(new ArrayList<>());
      } else if (matcher.matches()) {
        BigDecimal timeNs = new BigDecimal(matcher.group(2));
        BigDecimal afterNs = new BigDecimal(matcher.group(3));
        operations
            .get(operations.size() - 1)
            .add(new Step(matcher.group(1), timeNs, afterNs, matcher.group(4)));
      }
    }
    return operations;
  }
}
