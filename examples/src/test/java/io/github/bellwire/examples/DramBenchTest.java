package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class DramBenchTest {
  @Test
  void shouldReportUnderTheNamesThatScriptsRelyOn() {
    JsonNode json = Tool.json("dram", "count=1000");

    assertThat(json.get("metrics").propertyNames())
        .contains(
            "bandwidth_gbyte_per_s",
            "latency_ns_p50",
            "latency_ns_p95",
            "latency_ns_p99",
            "latency_ns_p999",
            "latency_ns_min",
            "latency_ns_max",
            "latency_ns_mean",
            "row_hit_ratio",
            "requests_per_wall_second");
    assertThat(json.get("config").propertyNames())
        .contains("preset", "channels", "ranks", "mapping", "pattern", "offered", "count");
    assertThat(json.at("/self_check/checks").size()).isEqualTo(4);
    assertThat(Tool.number(json, "requests_per_wall_second")).isPositive();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "preset=ddr3-1600 pattern=mix",
        "preset=ddr4-2400 pattern=mix channels=4 ranks=1 page=closed",
        "preset=ddr5-4800 pattern=idle channels=2 ranks=4 offered=1GB/s",
        "preset=hbm2 pattern=mix channels=8 queues=per-bank page=open-adaptive",
        "pattern=seq channels=64 ranks=8 mapping=rorabacochbg^ro latency=20ns",
        "pattern=rand offered=1MB/s refresh=staggered",
      })
  void shouldEndWithEveryRequestAccountedFor(String settings) {
    // The run's self-checks hold, or this fails.
    JsonNode json = Tool.json("dram", ("count=3000 " + settings).split(" "));

    assertThat(Tool.number(json, "bandwidth_gbyte_per_s")).isPositive();
    assertThat(Tool.number(json, "latency_ns_min")).isGreaterThan(10);
  }

  @Test
  void shouldScaleWithIndependentChannels() {
    String[] one = {"count=100000", "pattern=seq", "channels=1"};
    String[] four = {"count=100000", "pattern=seq", "channels=4"};

    double single = Tool.number(Tool.json("dram", one), "bandwidth_gbyte_per_s");
    // One request per clock of 625 ps offers 102.4 GB/s, enough for four channels of 24.
    assertThat(Tool.number(Tool.json("dram", four), "bandwidth_gbyte_per_s"))
        .isBetween(3.8 * single, 4.01 * single);
  }

  @Test
  void shouldLetOneRequestWaitForTheOther() {
    JsonNode json = Tool.json("dram", "count=3000", "pattern=idle");

    assertThat(Tool.number(json, "reads_in_flight_count_mean")).isBetween(0.95, 1.0);
  }

  @Test
  void shouldTraceTheSameForTheSameSeedOnly() {
    assertThat(hash("seed=3")).isEqualTo(hash("seed=3")).isNotEqualTo(hash("seed=4"));
  }

  private static String hash(String seed) {
    return Tool.json("dram", "count=2000", seed).at("/provenance/trace_hash").asString();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "preset=ddr4 | preset=ddr4: must be ddr3-1600, ddr4-2400, ddr4-3200, ddr4-2400-dramsim3,"
            + " ddr4-3200-dramsim3, ddr5-4800 or hbm2; did you mean ddr4-2400?",
        "channels=3 | channels=3: must be 1, 2, 4, 8, 16, 32 or 64",
        "mapping=xyz | mapping=xyz: must be two-letter fields of ch, ra, bg, ba, ro and co from the"
            + " highest bit to the lowest, such as RoBaRaCoCh or rocobabgraco2^co, or MOP4CLXOR",
        "mapping=robacoco2co | mapping=robacoco2co: must place the 7 bits of co once",
        "preset=hbm2 mapping=robaco7 | mapping=robaco7: must place the 5 bits of co once",
        "offered=0GB/s | offered=0GB/s: must be 1MB/s to 10TB/s, or saturated",
        "pattern=random | pattern=random: must be seq, rand, mix or idle; did you mean rand?",
      })
  void shouldRefuseInOneLine(String settings, String message) {
    Tool tool = Tool.run("dram --set " + String.join(" --set ", settings.split(" ")));

    assertThat(tool.err()).isEqualTo("bellwire: " + message + "\n");
    assertThat(tool.out()).isEmpty();
    assertThat(tool.code()).isEqualTo(2);
  }
}
