package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The scenario's keys and metrics. */
class PioVsDmaTest {
  private static List<String> metrics(JsonNode json) {
    return new ArrayList<>(json.get("metrics").propertyNames());
  }

  @Test
  void shouldReportOneMethodAtOneSize() {
    JsonNode json = Tool.json("pio-vs-dma", "method=wc-write", "size=4KiB");

    assertThat(metrics(json))
        .containsExactly("wc-write_4096_us", "wc-write_4096_cpu_us", "wc-write_4096_arrival_us");
    assertThat(Tool.number(json, "wc-write_4096_cpu_us"))
        .isEqualTo(Tool.number(json, "wc-write_4096_us"));
    assertThat(Tool.number(json, "wc-write_4096_arrival_us"))
        .isGreaterThan(Tool.number(json, "wc-write_4096_us")); // posted
  }

  @Test
  void shouldReportDmaBothWays() {
    JsonNode json = Tool.json("pio-vs-dma", "method=dma", "size=100", "dma.software=4us");

    assertThat(metrics(json))
        .containsExactly(
            "dma_100_us",
            "dma_100_cpu_us",
            "dma_100_arrival_us",
            "dma-read_100_us",
            "dma-read_100_cpu_us",
            "dma-read_100_arrival_us");
    // cudaMemcpy: 6 to 7 us (gdrcopy README).
    assertThat(Tool.number(json, "dma_100_us")).isBetween(6.0, 7.0);
    assertThat(Tool.number(json, "dma_100_cpu_us")).isBetween(4.0, 4.3);
  }

  @Test
  void shouldReportCrossoversWithAllMethodsAtAnySize() {
    JsonNode json = Tool.json("pio-vs-dma", "size=24");

    assertThat(metrics(json))
        .contains(
            "crossover_write_bytes",
            "crossover_read_bytes",
            "uc-write_24_us",
            "wc-write_24_us",
            "movdir64b_24_us",
            "mmio-read_24_us",
            "dma_24_us")
        .hasSize(2 + 6 * 3);
    assertThat(json.at("/config/size").asInt()).isEqualTo(24);
  }

  @Test
  void shouldFollowTheKeysOfTheCore() {
    // 64 lines, one at a time or all at once.
    double serial =
        Tool.number(
            Tool.json("pio-vs-dma", "method=mmio-read", "size=4KiB", "cpu.streaming-loads=1"),
            "mmio-read_4096_us");
    double parallel =
        Tool.number(
            Tool.json("pio-vs-dma", "method=mmio-read", "size=4KiB", "cpu.streaming-loads=64"),
            "mmio-read_4096_us");
    assertThat(serial / parallel).isBetween(40.0, 64.0);

    double gap =
        Tool.number(
            Tool.json("pio-vs-dma", "method=uc-write", "size=64", "cpu.store-gap=300ns"),
            "uc-write_64_us");
    assertThat(gap).isEqualTo(0.1 + 7 * 0.3);

    // One buffer: a handover and a line per 64 B.
    double buffers =
        Tool.number(
            Tool.json("pio-vs-dma", "method=wc-write", "size=4KiB", "cpu.wc-buffers=1"),
            "wc-write_4096_us");
    assertThat(buffers).isBetween(64 * 0.060, 64 * 0.065);

    double vector =
        Tool.number(
            Tool.json("pio-vs-dma", "method=mmio-read", "size=64", "cpu.vector=64"),
            "mmio-read_64_us");
    assertThat(vector).isBetween(0.88, 0.92);

    double slow =
        Tool.number(
            Tool.json("pio-vs-dma", "method=mmio-read", "size=16", "device.read-latency=2us"),
            "mmio-read_16_us");
    assertThat(slow).isBetween(2.35, 2.45);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ideal", "gen4-server", "gen5-server"})
  void shouldRunOnAnyMachine(String host) {
    for (String method : List.of("uc-write", "wc-write", "movdir64b", "mmio-read", "dma")) {
      // Checks itself that all bytes have arrived.
      JsonNode json = Tool.json("pio-vs-dma", "host=" + host, "method=" + method, "size=256KiB");
      assertThat(Tool.number(json, method + "_262144_us")).isPositive();
    }
  }

  @Test
  void shouldShowTablesInTextAndNotEveryFigureAgain() {
    Tool tool = Tool.run("pio-vs-dma");

    assertThat(tool.code()).isZero();
    assertThat(tool.out())
        .contains("crossover write", "Time until the call returns, us", "CPU time, us")
        .doesNotContain("Other figures")
        .doesNotContain("FAILED");
  }

  @Test
  void shouldRefuseWhatItDoesNotKnow() {
    Tool tool = Tool.run("pio-vs-dma --set method=dma-read");

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err()).hasLineCount(1).contains("method=dma-read");
    assertThat(Tool.run("pio-vs-dma --set size=2MiB").code()).isEqualTo(2);
  }
}
