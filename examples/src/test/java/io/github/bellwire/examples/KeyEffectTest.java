package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.host.HostKeys;
import io.github.bellwire.examples.settings.Key;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * No key is ignored in silence: one that a user sets changes the run, or is refused, or the report
 * says that it takes no part.
 */
class KeyEffectTest {
  /** What is asked for in place of the default, where the first other word will not do. */
  private static final Map<String, String> VALUES =
      Map.ofEntries(
          Map.entry("batch", "7"),
          Map.entry("channels", "2"),
          Map.entry("count", "77"),
          Map.entry("cpu.frequency", "1GHz"),
          Map.entry("cpu.store-gap", "200ns"),
          Map.entry("cpu.streaming-loads", "1"),
          Map.entry("cpu.vector", "8"),
          Map.entry("cpu.wc-buffers", "1"),
          Map.entry("device.read-latency", "2us"),
          Map.entry("dma.software", "4us"),
          Map.entry("duration", "70us"),
          Map.entry("flows", "2"),
          Map.entry("frame-bytes", "1024"),
          Map.entry("frames", "77"),
          Map.entry("iommu", "off"),
          Map.entry("iommu.kernel", "linux-6.0"),
          Map.entry("iommu.preset", "xeon-e5-snb"),
          Map.entry("itr", "20us"),
          Map.entry("latency", "10ns"),
          Map.entry("link.acs", "sv"),
          Map.entry("link.dllps", "opposite"),
          Map.entry("link.ecrc", "on"),
          Map.entry("link.gen", "1"),
          Map.entry("link.lanes", "1"),
          Map.entry("link.switch", "on"),
          Map.entry("mapping", "RoBaRaCoCh"),
          Map.entry("mtu", "2000B"),
          Map.entry("nic.buffer", "1KiB"),
          Map.entry("nic.engine-rate", "1000000"),
          Map.entry("nic.hthresh", "4"),
          Map.entry("nic.pthresh", "4"),
          Map.entry("nic.rx-latency", "1us"),
          Map.entry("nic.tx-latency", "1us"),
          Map.entry("nic.wthresh", "4"),
          Map.entry("offered", "100k/s"),
          Map.entry("offset", "60B"),
          Map.entry("pages", "fresh"),
          Map.entry("pcap", "target/no-such.pcap"),
          Map.entry("probe.read-rate", "1M/s"),
          Map.entry("probe.remove-at", "1s"),
          Map.entry("probe.reset-at", "1s"),
          Map.entry("probe.timestamp", "100ns"),
          Map.entry("probe.write-rate", "1M/s"),
          Map.entry("queues", "4"),
          Map.entry("ranks", "1"),
          Map.entry("rate", "20Gb/s"),
          Map.entry("ring.size", "64"),
          Map.entry("size", "256B"),
          Map.entry("timing", "line-rate"),
          Map.entry("warm-up", "70us"),
          Map.entry("window", "64MiB"));

  /**
   * Limits that short runs on the default machine do not reach, each tested elsewhere; results in a
   * file; and where random numbers begin, if there are none.
   */
  private static final Set<String> LIMITS =
      Set.of(
          "capture-out",
          "link.bits-per-error",
          "link.completion-buffer",
          "link.completion-turn",
          "link.completions",
          "link.credits",
          "link.faults",
          "link.mps",
          "link.mrrs",
          "link.rcb",
          "link.relaxed-ordering",
          "link.tags",
          "nic.max-frame",
          "nic.reads",
          "nic.rx-fifo",
          "probe.tags",
          "seed",
          "slot");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nic-rx frames=200 mode=napi iommu=strict",
        "pcie-bench count=500",
        "pio-vs-dma size=4KiB method=wc-write",
        "dram count=2000",
        "attack row=a01 mode=off",
        "iommu-modes duration=50us workload=nvme",
        "host-congestion warm-up=100us duration=100us iommu=off",
        "host-congestion warm-up=50us duration=50us page=2m",
        "host-congestion warm-up=50us duration=50us preset=grace-nvme",
      })
  void shouldIgnoreNoKeyInSilence(String run) {
    assertThat(ignored(run, key -> true)).isEmpty();
  }

  /** The machine's keys mean the same as in the runs above. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "nic-rx",
        "nic-tx frames=200",
        "nic-tx frames=200 mode=napi",
        "nic-forward frames=200 mode=interrupt",
        "pcie-bench count=500 op=write",
        "pcie-bench count=500 op=lat-write-read iommu=4k",
        "pcie-bench count=500 target=peer",
        "pio-vs-dma size=4KiB method=dma",
        "pio-vs-dma size=4KiB method=mmio-read",
      })
  void shouldIgnoreNoKeyOfItsOwnInSilence(String run) {
    List<String> machine = HostKeys.WITH_POLICY.stream().map(Key::name).toList();

    assertThat(ignored(run, key -> !machine.contains(key.name()))).isEmpty();
  }

  private static Map<String, String> ignored(String run, Predicate<Key<?>> isTested) {
    List<String> words = List.of(run.split(" "));
    JsonNode base = json(Tool.run(args(words)));
    Map<String, String> ignored = new TreeMap<>();
    for (Key<?> key : keys(words.get(0))) {
      boolean isSet = words.stream().anyMatch(word -> word.startsWith(key.name() + "="));
      if (!isSet && isTested.test(key) && !LIMITS.contains(key.name())) {
        String now = base.get("config").path(key.name()).asString("");
        otherValue(key, now)
            .map(value -> key.name() + "=" + value)
            .ifPresent(
                setting ->
                    verdict(words, base, setting).ifPresent(why -> ignored.put(setting, why)));
      }
    }
    return ignored;
  }

  /** Returns what is wrong with how a run takes one more setting. */
  private static Optional<String> verdict(List<String> words, JsonNode base, String setting) {
    List<String> more = new ArrayList<>(words);
    more.add(setting);
    Tool tool = Tool.run(args(more));
    if (tool.code() == CommandLineTool.WRONG_REQUEST) {
      boolean isNamed =
          more.stream().anyMatch(word -> tool.err().startsWith("bellwire: " + word + ": "));
      boolean isLine = tool.err().lines().count() == 1;
      return isNamed && isLine ? Optional.empty() : Optional.of(tool.err());
    }
    JsonNode json = json(tool);
    boolean isSame = metrics(json).equals(metrics(base));
    boolean isTraced = hash(json).equals(hash(base));
    boolean isNoted = json.path("without_effect").toString().contains("\"" + setting + ": ");
    if (isNoted) {
      // Set-up may take longer; results must not.
      return isSame ? Optional.empty() : Optional.of("has an effect");
    }
    return isSame && isTraced ? Optional.of("is ignored") : Optional.empty();
  }

  @ParameterizedTest
  @CsvSource({
    "nic.wthresh=4, false", // what the default of 8 shrinks to in such a ring
    "nic.wthresh=3, true",
    "nic.wthresh=0, true",
  })
  void shouldNotCallSetInVainWhatHoldsAnyway(String setting, boolean isNoted) {
    JsonNode json = Tool.json("nic-rx", "frames=20", "ring.size=8", setting);

    assertThat(json.has("without_effect")).isEqualTo(isNoted);
  }

  @Test
  void shouldSendGeneratedFramesWhenTheyAreDue() {
    JsonNode json = Tool.json("nic-tx", "frames=1000", "offered=100k/s");

    // 999 intervals of 10 us.
    assertThat(Tool.number(json, "frames_per_s")).isBetween(99_000.0, 101_000.0);
  }

  @Test
  void shouldGenerateFramesOfTheSizeAskedForWithoutBeingToldHowMany() {
    JsonNode json = Tool.json("nic-rx", "frame-bytes=1518", "rate=100Gb/s");

    assertThat(Tool.count(json, "frames_offered_count")).isEqualTo(100_000);
    assertThat(json.at("/config/frames").asLong()).isEqualTo(100_000);
  }

  @Test
  void shouldCountDrivesForAsLongAsAskedFor() {
    for (String us : List.of("100", "1500")) {
      JsonNode json =
          Tool.json(
              "host-congestion", "preset=grace-nvme", "warm-up=100us", "duration=" + us + "us");
      assertThat(Tool.number(json, "simulated_ns")).isEqualTo(1_000 * Double.parseDouble(us));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nic-rx mode=napi iommu=strict iommu.kernel=linux-6.12-amd | must be linux-6.12 or"
            + " linux-6.0 with iommu.preset=ice-lake",
        "nic-rx mode=napi iommu=strict iommu.preset=amd-milan iommu.kernel=linux-6.12 | must be"
            + " linux-6.12-amd with iommu.preset=amd-milan",
        "pcie-bench target=peer cache=cold | must not be given with target=peer, whose window is in"
            + " a device",
        "pcie-bench target=peer link.completion-turn=128 | must be 0 with target=peer,"
            + " where answers are sent whole",
        "nic-rx link.bits-per-error=100000 link.completion-turn=64 | must be 0 with"
            + " link.bits-per-error=100000, where answers are sent whole",
        "pcie-bench link.dllps=opposite link.completion-turn=128 | must be 0 with"
            + " link.dllps=opposite, where answers are sent whole",
        "pio-vs-dma link.switch=on link.completion-turn=4096 | must be 0 with link.switch=on,"
            + " where answers are sent whole",
        "attack mode=off iommu.preset=ice-lake | must not be given with mode=off, which has no"
            + " IOMMU",
        "iommu-modes workload=nvme frame-bytes=512 | must not be given with workload=nvme, which"
            + " reads 4096B",
        "host-congestion page=2m pages=fresh | must not be given with page=2m, whose blocks stay"
            + " mapped",
        "host-congestion page=2m iommu.hint=on | must not be given with page=2m, whose blocks stay"
            + " mapped",
        "host-congestion iommu=passthrough page=2m | must not be given with iommu=passthrough,"
            + " which maps nothing by pages",
        "host-congestion iommu=off iommu.hint=on | must not be given with iommu=off, which"
            + " invalidates nothing",
        "host-congestion preset=grace-nvme pages=fresh | must not be given with preset=grace-nvme",
      })
  void shouldRefuseWhatHasNoMeaning(String run, String message) {
    List<String> words = List.of(run.split(" "));

    Tool tool = Tool.run(args(words));

    assertThat(tool.err())
        .isEqualTo("bellwire: " + words.get(words.size() - 1) + ": " + message + "\n");
    assertThat(tool.code()).isEqualTo(CommandLineTool.WRONG_REQUEST);
  }

  @ParameterizedTest
  @CsvSource({"snb, false", "e3, false", "gen4-server, true"})
  void shouldCallLatenciesAssumptionsUnlessTheyAreCalibrated(String host, boolean isAssumed) {
    String text = Tool.run("nic-rx --set frames=10 --set host=" + host).out();

    assertThat(text).contains("Not modelled");
    assertThat(text.contains("are assumptions")).isEqualTo(isAssumed);
  }

  @Test
  void shouldExplainEveryKey() {
    for (Scenario scenario : Scenarios.all()) {
      for (Key<?> key : scenario.keys()) {
        String name = scenario.name() + " " + key.name();
        assertThat(key.meaning()).as(name).contains(" ").hasSizeGreaterThan(10);
        assertThat(key.type().unit()).as(name).isNotBlank();
        assertThat(key.type().range()).as(name).isNotBlank();
        assertThat(key.defaultText()).as(name).isNotBlank();
      }
      Tool described = Tool.run("describe " + scenario.name());
      assertThat(described.out().lines()).allMatch(line -> line.length() <= 100);
    }
  }

  private static List<Key<?>> keys(String name) {
    return Scenarios.all().stream()
        .filter(scenario -> scenario.name().equals(name))
        .findFirst()
        .orElseThrow()
        .keys();
  }

  /** Returns another value than the one in force, nothing if there is none. */
  private static Optional<String> otherValue(Key<?> key, String now) {
    String value = VALUES.get(key.name());
    boolean isWord = List.of("word", "words").contains(key.type().unit());
    boolean isAllowed = value != null && (!isWord || key.type().range().contains(value));
    if (isAllowed && !now.equals(value)) {
      return Optional.of(value);
    }
    return Stream.of(key.type().range().split(", | or "))
        .filter(word -> !word.equals(now))
        .findFirst();
  }

  private static List<String> args(List<String> words) {
    List<String> args = new ArrayList<>(List.of(words.get(0), "--json"));
    for (String word : words.subList(1, words.size())) {
      args.addAll(List.of("--set", word));
    }
    return args;
  }

  private static JsonNode json(Tool tool) {
    assertThat(tool.code()).as(tool.err()).isZero();
    return tool.json();
  }

  private static String hash(JsonNode json) {
    return json.at("/provenance/trace_hash").asString();
  }

  private static Map<String, String> metrics(JsonNode json) {
    Map<String, String> metrics = new TreeMap<>();
    json.get("metrics").properties().forEach(m -> metrics.put(m.getKey(), m.getValue().toString()));
    metrics.keySet().removeIf(name -> name.endsWith("_per_wall_second"));
    return metrics;
  }
}
