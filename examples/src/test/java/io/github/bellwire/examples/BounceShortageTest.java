package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * Rings that ask for more bounce memory than there is: 16 rings have 16 * 511 = 8176 usable
 * descriptors, each with a buffer of 10 KiB. Behind an IOMMU a buffer is bounced by whole pages, 6
 * slots of 2 KiB; of the 256 groups of 128 slots in 64 MiB each holds 21, so that 5376 buffers find
 * room: those of 10 rings and 266 of the eleventh. It and the five behind it fail to get one more.
 */
class BounceShortageTest {
  private static final String RINGS =
      " --set iommu=strict-bounce --set mode=napi --set queues=16 --set nic.buffer=10KiB";
  private static final String ERROR =
      "bellwire: iommu=strict-bounce: needs more than 64MiB of bounce memory with ring.size=512,"
          + " queues=16 and nic.buffer=10KiB; one of them must be smaller\n";
  private static final String REMARK =
      "Bounce memory of 64MiB ran out: buffers could not be mapped %s times, so rings had fewer of"
          + " them than descriptors. Frames that found no descriptor may be dropped for that; a"
          + " smaller ring.size, queues or nic.buffer needs less.";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lifecycle --set op=transmit --set frames=2",
        "lifecycle",
        "nic-rx --set checker=on --set frames=200",
        "nic-forward --set checker=on --set frames=200",
      })
  void shouldBlameTheSettingsAndNotTheDriver(String run) {
    Tool tool = Tool.run(run + " --json" + RINGS);

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err()).endsWith(ERROR);
    assertThat(tool.err().lines().filter(line -> line.startsWith("bellwire"))).hasSize(1);
    assertThat(tool.json().at("/self_check/ok").asBoolean()).isTrue();
    assertThat(Tool.count(tool.json(), "dma_mistakes_count")).isZero();
  }

  @Test
  void shouldSayWhyRingsLackedBuffers() {
    Tool tool = Tool.run("nic-tx --json --set frames=2" + RINGS);

    assertThat(tool.code()).isZero();
    assertThat(remark(tool.json())).isEqualTo(String.format(REMARK, "6"));
  }

  @Test
  void shouldSayBesideDroppedFramesThatTheirDescriptorsLackedBuffers() {
    Tool tool = Tool.run("nic-rx --json --set frames=200 --set frame-bytes=64" + RINGS);

    assertThat(tool.code()).isZero();
    assertThat(Tool.count(tool.json(), "frames_dropped_count")).isPositive();
    assertThat(remark(tool.json())).startsWith("Bounce memory of 64MiB ran out: ");
  }

  /** Such frames need 6 slots in a row as well; of each group, receive rings leave 2. */
  @ParameterizedTest
  @ValueSource(strings = {"on", "off"})
  void shouldSayWhenASenderIsLeftWithoutBounceMemory(String checker) {
    Tool tool =
        Tool.run(
            "nic-tx --json --set frames=50 --set frame-bytes=9000 --set checker="
                + checker
                + RINGS);

    assertThat(Tool.count(tool.json(), "frames_sent_count")).isZero();
    assertThat(tool.err()).isEqualTo(ERROR);
    assertThat(tool.code()).isEqualTo(2);
  }

  @Test
  void shouldSayNothingOfMemoryThatSuffices() {
    // 10 rings take 5110 buffers.
    JsonNode json =
        Tool.json(
            "nic-rx",
            "frames=20",
            "mode=napi",
            "iommu=strict-bounce",
            "checker=on",
            "queues=10",
            "nic.buffer=10KiB");

    assertThat(json.has("remarks")).isFalse();
  }

  private static String remark(JsonNode json) {
    assertThat(json.get("remarks")).hasSize(1);
    return json.get("remarks").get(0).asString();
  }
}
