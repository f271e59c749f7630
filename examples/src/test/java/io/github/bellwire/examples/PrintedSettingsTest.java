package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.examples.Capture.Variant;
import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.settings.Key;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Whoever types in the settings that a report prints gets the same run and the same report. */
class PrintedSettingsTest {
  private static final long SEED = 20_250;
  private static final int RANDOM_RUNS = 24;

  /** Scenarios under ways of making frames, both in few frames. */
  private static final List<String> RUNS =
      List.of(
          "nic-rx",
          "nic-rx frames=60",
          "nic-tx",
          "nic-tx frames=60",
          "nic-forward",
          "nic-forward frames=60",
          "lifecycle",
          "lifecycle op=transmit");

  /** What changes what other keys mean, and defaults that follow from it. */
  private static final List<String> SETTINGS =
      List.of(
          "timing=line-rate",
          "rate=25Gb/s",
          "rate=1.234567891Gb/s",
          "frame-bytes=1800",
          "ring.size=8",
          "batch=3",
          "mode=poll",
          "mode=interrupt",
          "mode=napi",
          "itr=20us",
          "itr=0ns",
          "queues=4",
          "profile=ideal",
          "nic.pthresh=4",
          "nic.hthresh=4",
          "nic.wthresh=3",
          "nic.buffer=3KiB",
          "nic.max-frame=1600",
          "nic.reads=4",
          "nic.engine-rate=1000000",
          "nic.rx-latency=123456ps",
          "host=ideal",
          "host=embedded-noncoherent",
          "link.gen=3",
          "link.tags=8",
          "link.switch=on",
          "link.credits=pcievhost",
          "link.bits-per-error=100000",
          "cpu.frequency=1.7GHz",
          "iommu=strict",
          "iommu=strict-bounce",
          "checker=on",
          "seed=7");

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nic-rx",
        "nic-rx timing=line-rate ring.size=8 nic.pthresh=4",
        "nic-rx frames=100 mode=napi iommu=strict itr=20us",
        "nic-rx frame-bytes=9000 frames=100 rate=100Gb/s offered=123.4k/s",
        "nic-tx",
        "nic-tx frames=100 mode=interrupt ring.size=8 frame-bytes=5000 nic.rx-fifo=16KiB",
        "nic-forward",
        "nic-forward frames=100 direction=both mode=interrupt nic.hthresh=3",
        "lifecycle",
        "lifecycle op=transmit mode=poll profile=userspace-c",
        "lifecycle frames=5 iommu=lazy iommu.preset=amd-milan queues=2",
      })
  void shouldGiveTheSameRunWhenGivenBack(String run) {
    assertThat(repeat(words(run))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"nic-rx", "nic-tx", "nic-forward"})
  void shouldGiveTheSameReplayWhenGivenBack(String scenario) throws IOException {
    byte[] file =
        Capture.of(
            Variant.NANOSECOND_BIG_ENDIAN, Capture.randomFrames(new Random(SEED), 20, 60, 1500));

    assertThat(repeat(List.of(scenario, "pcap=" + Capture.write(directory, file)))).isTrue();
  }

  @Test
  void shouldGiveTheSameRunOfAnySettingsWhenGivenBack() {
    Random random = new Random(SEED);
    int served = 0;
    while (served < RANDOM_RUNS) {
      List<String> words = words(RUNS.get(served % RUNS.size()));
      for (int i = random.nextInt(4); i >= 0; i--) {
        String setting = SETTINGS.get(random.nextInt(SETTINGS.size()));
        String key = setting.substring(0, setting.indexOf('=') + 1);
        words.removeIf(word -> word.startsWith(key));
        words.add(setting);
      }
      served += repeat(words) ? 1 : 0;
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // Captures have frames of their own, and nothing is sent.
        "nic-rx | frame-bytes itr nic.pthresh nic.hthresh nic.wthresh nic.tx-latency",
        "nic-rx mode=napi | frame-bytes nic.pthresh nic.hthresh nic.wthresh nic.tx-latency",
        "nic-rx frames=9 | itr nic.pthresh nic.hthresh nic.wthresh nic.tx-latency",
        "nic-tx mode=napi | frame-bytes itr nic.hthresh nic.rx-fifo nic.rx-latency",
        "nic-tx nic.pthresh=1 | frame-bytes itr nic.rx-fifo nic.rx-latency",
        "nic-forward | frame-bytes itr nic.hthresh",
        "nic-forward mode=napi nic.pthresh=1 | frame-bytes",
      })
  void shouldNotPrintWhatTakesNoPart(String run, String names) {
    List<String> absent = new ArrayList<>();
    JsonNode config = json(words(run)).get("config");
    for (Key<?> key : keys(words(run).get(0))) {
      if (key.defaultValue() != null && config.get(key.name()).isNull()) {
        absent.add(key.name());
      }
    }

    assertThat(absent).containsExactlyInAnyOrder(names.split(" "));
  }

  @Test
  void shouldPrintWhatWasSetInVainAndSaySo() {
    JsonNode json = json(words("nic-rx frames=9 nic.wthresh=3"));

    assertThat(json.at("/config/nic.wthresh").asInt()).isEqualTo(3);
    assertThat(json.get("without_effect").toString())
        .isEqualTo("[\"nic.wthresh=3: nothing is sent\"]");
  }

  /** Returns whether a run is possible, after repeating it by what its reports say. */
  private static boolean repeat(List<String> words) {
    Optional<JsonNode> first = serve(words);
    first.ifPresent(
        json -> {
          String facts = facts(json);
          String scenario = words.get(0);
          assertThat(facts(json(ofJson(scenario, json.get("config")))))
              .as(why(words))
              .isEqualTo(facts);
          List<String> printed = ofText(scenario, Tool.run(args(words, false)).out());
          assertThat(facts(json(printed))).as(why(words)).isEqualTo(facts);
        });
    return first.isPresent();
  }

  private static String why(List<String> words) {
    return words + ", seed " + SEED;
  }

  private static List<String> ofJson(String scenario, JsonNode config) {
    List<String> words = new ArrayList<>(List.of(scenario));
    config
        .properties()
        .forEach(
            entry -> {
              if (!entry.getValue().isNull()) {
                words.add(entry.getKey() + "=" + entry.getValue().asString());
              }
            });
    return words;
  }

  private static List<String> ofText(String scenario, String text) {
    String settings = text.substring(text.indexOf("\nSettings\n") + "\nSettings\n".length());
    List<String> words = new ArrayList<>(List.of(scenario));
    words.addAll(List.of(settings.substring(0, settings.indexOf("\n\n")).trim().split("\\s+")));
    return words;
  }

  /** What a run says of itself, but for how long it took and how its settings were written. */
  private static String facts(JsonNode json) {
    TreeMap<String, String> facts = new TreeMap<>();
    json.get("metrics").properties().forEach(m -> facts.put(m.getKey(), m.getValue().toString()));
    facts.remove("packets_per_wall_second");
    return json.at("/provenance/trace_hash")
        + " "
        + facts
        + " "
        + json.get("config")
        + " "
        + json.path("without_effect").toString().replaceAll("=[^:]*:", ":");
  }

  private static JsonNode json(List<String> words) {
    return serve(words).orElseThrow(() -> new AssertionError(words + ": refused"));
  }

  /** Returns nothing for settings that contradict each other. */
  private static Optional<JsonNode> serve(List<String> words) {
    Tool tool = Tool.run(args(words, true));
    if (tool.code() == CommandLineTool.WRONG_REQUEST) {
      return Optional.empty();
    }
    assertThat(tool.code()).as("%s: %s", words, tool.err()).isZero();
    return Optional.of(tool.json());
  }

  private static List<String> words(String run) {
    return new ArrayList<>(List.of(run.split(" ")));
  }

  private static List<String> args(List<String> words, boolean isJson) {
    List<String> args = new ArrayList<>(List.of(words.get(0)));
    if (isJson) {
      args.add("--json");
    }
    words.stream().skip(1).flatMap(word -> Stream.of("--set", word)).forEach(args::add);
    return args;
  }

  private static List<Key<?>> keys(String name) {
    return Scenarios.all().stream()
        .filter(scenario -> scenario.name().equals(name))
        .findFirst()
        .map(Scenario::keys)
        .orElseThrow();
  }
}
