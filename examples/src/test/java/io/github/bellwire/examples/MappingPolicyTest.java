package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Network cards behind an IOMMU; every run checks by itself that no byte is wrong or missing. */
class MappingPolicyTest {
  private static final int FRAMES = 3_000;

  private static JsonNode receive(String policy, String... more) {
    String[] settings = {
      "iommu=" + policy, "mode=napi", "frames=" + FRAMES, "frame-bytes=1500", "rate=1Gb/s",
    };
    String[] all = Arrays.copyOf(settings, settings.length + more.length);
    System.arraycopy(more, 0, all, settings.length, more.length);
    return Tool.json("nic-rx", all);
  }

  @ParameterizedTest
  @ValueSource(strings = {"passthrough", "lazy", "strict", "strict-bounce"})
  void shouldReceiveEveryFrameWithoutAFault(String policy) {
    JsonNode json = receive(policy);

    assertThat(Tool.count(json, "frames_received_count")).isEqualTo(FRAMES);
    assertThat(Tool.count(json, "iommu_faults_count")).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"passthrough", "lazy", "strict", "strict-bounce"})
  void shouldWriteTablesThroughTheCachesOfAHostThatIsNotCoherent(String policy) {
    JsonNode json = receive(policy, "host=embedded-noncoherent");

    assertThat(Tool.count(json, "frames_received_count")).isEqualTo(FRAMES);
    assertThat(Tool.count(json, "iommu_faults_count")).isZero();
  }

  @Test
  void shouldInvalidateNeverSeldomOrForEachFrame() {
    JsonNode lazy = receive("lazy");
    JsonNode strict = receive("strict");

    assertThat(Tool.count(receive("passthrough"), "invalidations_count")).isZero();
    // One per 255 unmaps of a core, or per 10 ms of 36.5 ms.
    assertThat(Tool.count(lazy, "invalidations_count")).isBetween(11L, 16L);
    assertThat(Tool.count(strict, "invalidations_count")).isEqualTo(FRAMES);
    assertThat(Tool.number(strict, "exposure_us_max")).isLessThan(2);
    assertThat(Tool.number(lazy, "exposure_us_max")).isBetween(2_000.0, 10_010.0);
    assertThat(Tool.number(strict, "cpu_busy_ratio"))
        .isGreaterThan(Tool.number(lazy, "cpu_busy_ratio"));
  }

  @Test
  void shouldMissOncePerBufferThatIsMappedAnew() {
    JsonNode json = receive("strict");

    // 1496 bytes of each frame reach memory; 700.9 frames make a MiB, and descriptors a little.
    assertThat(Tool.number(json, "iotlb_misses_per_mib")).isCloseTo(640, within(80.0));
  }

  @Test
  void shouldForwardBetweenTwoCardsInDomainsOfTheirOwn() {
    JsonNode json =
        Tool.json(
            "nic-forward",
            "iommu=strict",
            "mode=napi",
            "frames=500",
            "direction=both",
            "rate=1Gb/s");

    assertThat(Tool.count(json, "frames_sent_count")).isEqualTo(1000);
    assertThat(Tool.count(json, "iommu_faults_count")).isZero();
  }

  @Test
  void shouldMapOnceWhenPolling() {
    JsonNode json = Tool.json("nic-rx", "iommu=strict", "frames=2000", "frame-bytes=64");

    assertThat(Tool.count(json, "invalidations_count")).isZero();
    assertThat(Tool.count(json, "frames_received_count")).isEqualTo(2000);
  }

  @Test
  void shouldRunUnderAnOldKernel() {
    JsonNode json = receive("strict", "iommu.kernel=linux-6.0", "iommu.preset=cascade-lake");

    assertThat(json.at("/config/iommu.kernel").asString()).isEqualTo("linux-6.0");
    assertThat(Tool.count(json, "invalidations_count")).isEqualTo(FRAMES);
  }
}
