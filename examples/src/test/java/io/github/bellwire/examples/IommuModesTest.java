package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** One workload under every mode. */
class IommuModesTest {
  private static final List<String> MODES =
      List.of("off", "passthrough", "lazy", "strict", "strict_bounce");

  private static final List<String> FIGURES =
      List.of(
          "goodput_gbit_per_s",
          "cpu_ns_per_op",
          "iotlb_misses_per_mib",
          "invalidations_count",
          "latency_ns_p99",
          "exposure_us_max");

  @ParameterizedTest
  @ValueSource(strings = {"nic-rx", "nvme", "probe"})
  void shouldSayTheSameOfEveryMode(String workload) {
    JsonNode json = run("workload=" + workload, "rate=10Gb/s");

    for (String mode : MODES) {
      for (String figure : FIGURES) {
        assertThat(Tool.number(json, mode + "_" + figure)).as(mode + figure).isNotNegative();
      }
    }
    assertThat(value(json, "off_iotlb_misses_per_mib")).isZero();
    assertThat(value(json, "passthrough_iotlb_misses_per_mib")).isZero();
    assertThat(value(json, "strict_invalidations_count"))
        .isGreaterThan(50 * value(json, "lazy_invalidations_count"));
    assertThat(value(json, "strict_cpu_ns_per_op"))
        .isGreaterThan(value(json, "lazy_cpu_ns_per_op"));
    assertThat(value(json, "lazy_cpu_ns_per_op")).isGreaterThan(value(json, "off_cpu_ns_per_op"));
  }

  @Test
  void shouldExposeLongerWhenLazy() {
    JsonNode json = run("workload=probe", "rate=40Gb/s");

    // 255 reads of some 0.4 us pass until the queue is full; an invalidation takes some 0.9 us.
    assertThat(value(json, "lazy_exposure_us_max")).isBetween(50.0, 500.0);
    assertThat(value(json, "strict_exposure_us_max")).isBetween(0.5, 2.0);
    assertThat(value(json, "off_exposure_us_max")).isEqualTo(500);
  }

  @Test
  void shouldCountWhatIsStillExposedAtTheEnd() {
    // One read of 4 KiB per 6.6 us: no queue is full in 625 us, nor is the time of 10 ms up.
    JsonNode json = run("workload=nvme", "rate=5Gb/s");

    assertThat(value(json, "lazy_invalidations_count")).isZero();
    assertThat(value(json, "lazy_exposure_us_max")).isBetween(400.0, 1_000.0);
  }

  @Test
  void shouldBounceWhatFillsNoPage() {
    JsonNode json = run("workload=probe", "frame-bytes=1028", "rate=40Gb/s");

    // 1024 bytes are copied on the way to the page of the device and back.
    assertThat(value(json, "strict_bounce_cpu_ns_per_op"))
        .isGreaterThan(value(json, "strict_cpu_ns_per_op") + 50);
    // One queue unmaps one page per read: 4 KiB mappings miss once per KiB read.
    assertThat(value(json, "strict_iotlb_misses_per_mib")).isBetween(1020.0, 1030.0);
  }

  @Test
  void shouldSayHowLongBuffersStayedExposed() {
    Tool network = Tool.run("iommu-modes --set duration=100us");
    Tool large = Tool.run("iommu-modes --set duration=50us --set workload=probe --set page=2m");

    assertThat(network.out())
        .containsPattern("off +[0-9.]+ .* always\n")
        .containsPattern("strict +[0-9.]+ .* [0-9]+\\.[0-9]{2}\n")
        .contains("longest exposure: how long a device could still reach a buffer")
        .doesNotContain("Figures", "iotlb");
    assertThat(large.out()).containsPattern("strict +[0-9.]+ .* -\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"nic-rx", "nvme"})
  void shouldCheckWhatDifferentPartsHaveCounted(String workload) {
    JsonNode checks = run("workload=" + workload).at("/self_check/checks");

    assertThat(checks).hasSize(11); // Two of each mode, and faults.
    boolean isNetwork = workload.equals("nic-rx");
    for (int i = 0; i < 10; i += 2) {
      assertThat(checks.get(i).get("detail").asString())
          .matches(
              isNetwork
                  ? "[1-9][0-9]* = [0-9]+ \\+ [0-9]+ \\+ [0-9]+"
                  : "([0-9]+) <= [0-9]+ <= [0-9]+, 0 refused");
      assertThat(checks.get(i + 1).get("name").asString())
          .contains(isNetwork ? "frames handled by software <= frames stored" : "Little's law");
    }
  }

  @Test
  void shouldUnmapNothingWherePagesAreLarge() {
    JsonNode json = run("workload=nvme", "page=2m", "rate=10Gb/s");

    assertThat(value(json, "strict_invalidations_count")).isZero();
    assertThat(value(json, "lazy_invalidations_count")).isZero();
  }

  private static JsonNode run(String... settings) {
    String[] all = new String[settings.length + 1];
    System.arraycopy(settings, 0, all, 0, settings.length);
    all[settings.length] = "duration=500us";
    return Tool.json("iommu-modes", all);
  }

  private static double value(JsonNode json, String metric) {
    return Tool.number(json, metric);
  }
}
