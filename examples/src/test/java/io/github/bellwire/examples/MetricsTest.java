package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The names that scripts rely on. */
class MetricsTest {
  private static final List<String> METRICS =
      List.of(
          "frames_offered_count",
          "frames_received_count",
          "frames_dropped_count",
          "frames_sent_count",
          "goodput_gbit_per_s",
          "wire_gbit_per_s",
          "frames_per_s",
          "latency_ns_p50",
          "latency_ns_p95",
          "latency_ns_p99",
          "latency_ns_p999",
          "latency_ns_min",
          "latency_ns_max",
          "latency_ns_mean",
          "pcie_up_bytes",
          "pcie_down_bytes",
          "tlp_mwr_count",
          "tlp_mrd_count",
          "tlp_cpld_count",
          "doorbells_count",
          "interrupts_count",
          "device_write_hit_ratio",
          "device_read_hit_ratio",
          "dram_read_bytes",
          "dram_write_bytes",
          "cpu_busy_ratio",
          "simulated_ns",
          "packets_per_wall_second");

  private static final List<String> KEYS =
      List.of(
          "frames",
          "frame-bytes",
          "rate",
          "timing",
          "capture-out",
          "ring.size",
          "mode",
          "batch",
          "itr",
          "queues",
          "cores",
          "profile",
          "nic.engine-rate",
          "nic.pthresh",
          "nic.hthresh",
          "nic.wthresh",
          "host",
          "seed",
          "link.gen",
          "link.lanes",
          "link.mps",
          "link.mrrs",
          "link.rcb",
          "link.tags",
          "link.dllps",
          "link.completions",
          "link.completion-turn",
          "link.ecrc",
          "link.credits",
          "link.completion-buffer",
          "link.bits-per-error",
          "cpu.frequency",
          "iommu");

  @ParameterizedTest
  @ValueSource(strings = {"nic-rx", "nic-tx", "nic-forward", "lifecycle"})
  void shouldPrintAllMetricsKeysAndWhereTheyComeFrom(String scenario) {
    Tool tool = Tool.run(scenario + " --json --set mode=napi --set profile=kernel");

    assertThat(tool.code()).isZero();
    assertThat(tool.out()).startsWith("{").endsWith("}\n");
    JsonNode json = tool.json();
    assertThat(names(json))
        .contains("schema_version", "scenario", "config", "metrics", "provenance");
    assertThat(json.get("schema_version").asInt()).isEqualTo(1);
    assertThat(json.get("scenario").asString()).isEqualTo(scenario);
    assertThat(names(json.get("config"))).containsAll(KEYS);
    assertThat(json.get("config").has("pcap")).isEqualTo(!scenario.equals("lifecycle"));
    assertThat(names(json.get("metrics"))).containsAll(METRICS);
    assertThat(METRICS).allSatisfy(name -> assertThat(Tool.number(json, name)).isNotNegative());
    JsonNode provenance = json.get("provenance");
    assertThat(names(provenance))
        .contains("version", "seed", "jdk", "events", "wall_seconds", "trace_hash");
    assertThat(provenance.get("trace_hash").asString()).matches("[0-9a-f]{16}");
    assertThat(provenance.get("events").asLong()).isPositive();
  }

  @Test
  void shouldNameTheDirectionsOfForwarding() {
    JsonNode json = Tool.json("nic-forward", "direction=both", "frames=500");

    assertThat(json.at("/config/direction").asString()).isEqualTo("both");
    assertThat(Tool.count(json, "frames_offered_count")).isEqualTo(1000);
    assertThat(Tool.count(json, "frames_sent_count")).isEqualTo(1000);
  }

  @Test
  void shouldOrderPercentiles() {
    JsonNode json = Tool.json("nic-rx", "mode=napi");

    List<Double> latencies = new ArrayList<>();
    for (String name : List.of("min", "p50", "p95", "p99", "p999", "max")) {
      latencies.add(Tool.number(json, "latency_ns_" + name));
    }
    assertThat(latencies).isSorted();
    assertThat(Tool.number(json, "latency_ns_mean")).isBetween(latencies.get(0), latencies.get(5));
  }

  @Test
  void shouldCountInterruptsOnlyWhereThereAreAny() {
    JsonNode poll = Tool.json("nic-rx", "mode=poll");
    JsonNode interrupt = Tool.json("nic-rx", "mode=interrupt");

    assertThat(Tool.count(poll, "interrupts_count")).isZero();
    assertThat(Tool.count(interrupt, "interrupts_count")).isBetween(1L, 454L);
    // A core that polls is never idle; one that waits for interrupts at 7,600 frames/s nearly is.
    assertThat(Tool.number(poll, "cpu_busy_ratio")).isGreaterThan(0.99);
    assertThat(Tool.number(interrupt, "cpu_busy_ratio")).isLessThan(0.05);
  }

  @Test
  void shouldCountWhatCachesMissOnce() {
    JsonNode json = Tool.json("nic-rx", "frames=100");

    // 60 bytes into each of 100 new buffers, for which a line of 64 is fetched; the descriptors
    // that are read and written back have been written by the driver.
    assertThat(Tool.number(json, "device_write_hit_ratio")).isEqualTo(0.5);
    assertThat(Tool.number(json, "device_read_hit_ratio")).isEqualTo(1);
    assertThat(Tool.count(json, "dram_read_bytes")).isEqualTo(6400);
    assertThat(Tool.count(json, "dram_write_bytes")).isZero();
  }

  @Test
  void shouldNotTellHitsWhereDevicesGoPastTheCaches() {
    Tool tool = Tool.run("nic-rx --set frames=100 --set host=embedded-noncoherent");

    assertThat(tool.out()).contains("DRAM read").doesNotContain("device write hit");
  }

  /**
   * Of buffers 2 KiB apart, first lines share 64 of 2048 sets in each of 18 slices: the two ways
   * that devices allocate in hold 2304 of them.
   */
  @ParameterizedTest
  @CsvSource({"512, 0, 8", "4096, 40, 64"})
  void shouldShowThatDeepRingsOutgrowTheWaysOfDevices(int ringSize, int from, int to) {
    JsonNode json =
        Tool.json(
            "nic-forward", "host=skx", "rate=40Gb/s", "frames=50000", "ring.size=" + ringSize);

    assertThat(Tool.number(json, "dram_read_bytes") / Tool.number(json, "frames_sent_count"))
        .isBetween((double) from, (double) to);
  }

  @Test
  void shouldKeepInterruptsApart() {
    // At most one per 512 us: EITR in units of 2.048 us, counted from the last message.
    JsonNode json =
        Tool.json("nic-rx", "frames=20000", "mode=interrupt", "itr=512us", "ring.size=4096");

    double simulatedUs = Tool.number(json, "simulated_ns") / 1_000;
    assertThat(Tool.count(json, "interrupts_count"))
        .isBetween(2L, (long) Math.ceil(simulatedUs / 512) + 1);
  }

  private static List<String> names(JsonNode node) {
    return List.copyOf(node.propertyNames());
  }
}
