package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The keys that put a switch, relaxed ordering or faults between devices and memory. */
class LinkFeaturesTest {
  private static JsonNode run(String scenario, String settings, String more) {
    List<String> all = new ArrayList<>(List.of(settings.split(" ")));
    all.addAll(List.of(more.split(" ")));
    return Tool.json(scenario, all.toArray(new String[0]));
  }

  private static double metric(String scenario, String settings, String more, String name) {
    return Tool.number(run(scenario, settings, more), name);
  }

  // Switch.

  @ParameterizedTest
  @CsvSource({
    // Gen 3 x8 at the guide rate of 57.88 Gb/s: a request of 24 bytes, and a completion with 20
    // bytes around its data.
    "64, 14.93",
    "256, 41.46"
  })
  void shouldAddTwoPassesOfTheSwitchToARead(int size, double wireNs) {
    String settings = "host=ideal op=lat-read count=100 size=" + size;
    double directNs = metric("pcie-bench", settings, "link.switch=off", "latency_ns_p50");
    double switchedNs = metric("pcie-bench", settings, "link.switch=on", "latency_ns_p50");

    // The upper link takes as long once more: packets are stored and forwarded.
    assertThat(directNs).isCloseTo(wireNs, within(0.02));
    assertThat(switchedNs).isCloseTo(2 * wireNs + 2 * 115, within(0.15));
  }

  @Test
  void shouldAddTwoPassesOfTheSwitchToALoadFromADevice() {
    String settings = "method=mmio-read size=16 host=dgx-1";
    double directUs = metric("pio-vs-dma", settings, "link.switch=off", "mmio-read_16_us");
    double switchedUs = metric("pio-vs-dma", settings, "link.switch=on", "mmio-read_16_us");

    // One load of 16 bytes. Gen 3 x16, 126 Gb/s at most and 116 at the guide rate: 24 bytes down
    // and 36 up take 3.8 to 4.2 ns.
    assertThat(switchedUs - directUs).isCloseTo(0.234, within(0.0003));
  }

  @Test
  void shouldShareTheLinkAboveTheSwitch() {
    String settings =
        "direction=both rate=40Gb/s frames=3000 frame-bytes=1518 profile=ideal batch=8 queues=2"
            + " cores=2 nic.reads=64 link.gen=3 link.lanes=8";
    double apart = metric("nic-forward", settings, "link.switch=off", "goodput_gbit_per_s");
    double shared = metric("nic-forward", settings, "link.switch=on", "goodput_gbit_per_s");

    // With a link for each port the card is the limit. A link for both carries 57.88 Gb/s x
    // 256/280 of payload at most, and less of what is read while its requests wait behind writes.
    assertThat(apart).isGreaterThan(60);
    assertThat(shared).isBetween(30.0, 52.9);
  }

  @ParameterizedTest
  @ValueSource(strings = {"nic-rx", "nic-tx"})
  void shouldCarryPacketsThroughTheSwitch(String scenario) {
    String settings = "frames=500 frame-bytes=512";
    double direct = metric(scenario, settings, "link.switch=off", "latency_ns_min");
    JsonNode switched = run(scenario, settings, "link.switch=on");

    assertThat(Tool.number(switched, "latency_ns_min")).isGreaterThan(direct + 115);
    assertThat(switched.at("/self_check/ok").asBoolean()).isTrue();
  }

  // Peers, access control, reset and removal.

  @Test
  void shouldReachAPeerThroughTheSwitchAloneUnlessRequestsAreRedirected() {
    String settings = "host=ideal op=lat-read count=100 target=peer link.switch=on";
    double directNs = metric("pcie-bench", settings, "link.acs=off", "latency_ns_p50");
    double requestNs = metric("pcie-bench", settings, "link.acs=rr", "latency_ns_p50");
    double bothNs = metric("pcie-bench", settings, "link.acs=rr,cr", "latency_ns_p50");

    // Gen 3 x8 at the guide rate: a request of 24 bytes takes 3.32 ns per link, a completion of 84
    // 11.61 ns. The peer needs 520 ns. Directly each takes two links and one pass of the switch;
    // what is redirected takes two links and a pass more. 0.15 ns is what rounding to the rate of
    // Acks leaves open.
    assertThat(directNs).isCloseTo(520 + 2 * (3.32 + 11.61) + 2 * 115, within(0.3));
    assertThat(requestNs - directNs).isCloseTo(115 + 2 * 3.32, within(0.3));
    assertThat(bothNs - requestNs).isCloseTo(115 + 2 * 11.61, within(0.3));
  }

  @Test
  void shouldReportPeersThatAccessControlForbids() {
    JsonNode json =
        run("pcie-bench", "count=100 target=peer link.switch=on op=lat-read", "link.acs=ec");

    assertThat(Tool.count(json, "failed_requests_count"))
        .isEqualTo(Tool.count(json, "tlp_mrd_count"));
    assertThat(Tool.count(json, "error_acs_violation_count"))
        .isEqualTo(Tool.count(json, "tlp_mrd_count"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"probe.reset-at=50us", "probe.remove-at=50us"})
  void shouldEndTheRunWhenTheProbeIsResetOrPulled(String how) {
    String settings = "op=read size=64 count=100000000";
    JsonNode cut = run("pcie-bench", settings, how);
    double whole =
        metric("pcie-bench", "op=read size=64 count=20000", "seed=1", "transactions_per_s");

    // 50 us of reads at full rate, and not one more: no more tags than 64 are without an answer.
    assertThat((double) Tool.count(cut, "dma_issued_count"))
        .isCloseTo(whole * 50e-6, withinPercentage(3));
    assertThat(Tool.count(cut, "reads_lost_count")).isBetween(1L, 64L);
    assertThat(Tool.number(cut, "interrupted_after_ns")).isEqualTo(50_000);
  }

  @Test
  void shouldSayFirstThatTheProbeWasResetOrPulled() {
    String run = "pcie-bench --set count=5000 --set ";
    Tool reset = Tool.run(run + "probe.reset-at=50us --set probe.remove-at=60us");
    Tool pulled = Tool.run(run + "probe.remove-at=50us --set op=write");

    assertThat(reset.out().lines().skip(2).findFirst().orElseThrow())
        .matches("  The probe was reset after 50us: [0-9]+ of 6512 DMAs had been issued, .*");
    assertThat(reset.out()).contains("probe.remove-at=60us: the run was over");
    assertThat(pulled.out().lines().skip(2).findFirst().orElseThrow())
        .matches("  The probe was pulled out of its slot after 50us: [0-9]+ of .*")
        .doesNotContain("without answer");
  }

  @ParameterizedTest
  @ValueSource(strings = {"probe.reset-at=1s", "probe.remove-at=1s"})
  void shouldRefuseWhatWouldComeBehindTheEndOfTheRun(String setting) {
    Tool tool = Tool.run("pcie-bench --set count=500 --set " + setting);

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err())
        .matches(
            "bellwire: "
                + setting
                + ": must be before the end of the run, which took [0-9.]+us\\n");
  }

  // Relaxed ordering.

  @Test
  void shouldMakeWritesVisibleEarlierWithRelaxedOrdering() {
    // Parts of lines wait for DRAM, each for as long as its bank is busy.
    String settings = "host=bdw op=write size=32 count=5000 cache=cold window=16MiB";
    JsonNode strict = run("pcie-bench", settings, "link.relaxed-ordering=off");
    JsonNode relaxed = run("pcie-bench", settings, "link.relaxed-ordering=on");

    assertThat(Tool.number(relaxed, "latency_ns_mean"))
        .isLessThan(0.995 * Tool.number(strict, "latency_ns_mean"));
    assertThat(Tool.number(relaxed, "latency_ns_min"))
        .isLessThanOrEqualTo(Tool.number(strict, "latency_ns_min"));
    assertThat(Tool.count(relaxed, "pcie_up_bytes")).isEqualTo(Tool.count(strict, "pcie_up_bytes"));
    // Measured hosts are as Linux sets them up: without.
    assertThat(run("pcie-bench", settings, "seed=1").at("/provenance/trace_hash"))
        .isEqualTo(strict.at("/provenance/trace_hash"));
  }

  @ParameterizedTest
  @CsvSource({"nic-rx, 3000", "nic-tx, 3000", "nic-forward, 1000"})
  void shouldCarryPacketsWithRelaxedOrdering(String scenario, int frames) {
    String settings = "host=bdw frame-bytes=80 rate=40Gb/s frames=" + frames;

    // Tool.json fails unless all self-checks pass, content included.
    JsonNode relaxed = run(scenario, settings, "link.relaxed-ordering=on");

    assertThat(relaxed.at("/config/link.relaxed-ordering").asString()).isEqualTo("on");
  }

  // Faults.

  @ParameterizedTest
  @ValueSource(strings = {"read", "write", "readwrite", "lat-read", "lat-write-read"})
  void shouldEndWithAStatusForEveryRequest(String op) {
    String settings = "size=512 count=4000 link.faults=100 op=" + op;
    JsonNode json = run("pcie-bench", settings, "seed=3");

    assertThat(Tool.count(json, "failed_requests_count")).isPositive();
    assertThat(Tool.count(json, "error_malformed_tlp_count")).isPositive();
    assertThat(Tool.count(json, "error_poisoned_tlp_count")).isPositive();
    boolean hasReads = op.contains("read");
    assertThat(Tool.count(json, "error_completion_timeout_count") > 0).isEqualTo(hasReads);
    assertThat(run("pcie-bench", settings, "seed=3").at("/provenance/trace_hash"))
        .isEqualTo(json.at("/provenance/trace_hash"));
  }

  @ParameterizedTest
  @CsvSource({"off, 2", "on, 3"})
  void shouldFailAsOftenAsFaultsAreDrawn(String ecrc, int detectedKinds) {
    String settings = "op=write count=100000 link.faults=100 link.ecrc=" + ecrc;
    JsonNode json = run("pcie-bench", settings, "seed=1");
    long failed = Tool.count(json, "failed_requests_count");
    long writes = Tool.count(json, "tlp_mwr_count");

    // A quarter of the faults each; writes do not get lost, and without ECRC a wrong bit passes.
    assertThat((double) failed).isCloseTo(writes / 100.0 * detectedKinds / 4, withinPercentage(15));
    long detected =
        Tool.count(json, "error_poisoned_tlp_count")
            + Tool.count(json, "error_malformed_tlp_count")
            + Tool.count(json, "error_ecrc_count");
    assertThat(failed).isEqualTo(detected);
    assertThat(Tool.count(json, "error_ecrc_count") > 0).isEqualTo(ecrc.equals("on"));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void shouldMeasureThoughDmasOfTheWarmUpTimeOut(int seed) {
    String settings = "op=read count=10 link.faults=200 seed=" + seed;
    JsonNode json = run("pcie-bench", settings, "link.ecrc=off");

    assertThat(json.at("/metrics/goodput_gbit_per_s").asDouble()).isPositive();
    assertThat(json.at("/self_check/ok").asBoolean()).isTrue();
  }

  @Test
  void shouldPrintErrorsByPlace() {
    Tool tool = Tool.run("pcie-bench --set op=read --set count=2000 --set link.faults=50");

    assertThat(tool.code()).isZero();
    assertThat(tool.out()).contains("Errors", "at the port", "completion timeout");
  }

  @Test
  void shouldRefuseTooManyFaults() {
    Tool tool = Tool.run("pcie-bench --set link.faults=9");

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err()).contains("link.faults=9: must be 10 to 1000000000000");
  }
}
