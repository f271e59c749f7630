package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** What the command line promises about measurements of the cache's I/O ways. */
class DdioTest {
  /** With the smallest ring the least number of frames passes first. */
  private static final long WARM_FRAMES = 16_384;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 999, 1000, 1001, 20_011})
  void shouldMeasureAsManyFramesAsAskedForBehindAsManyAsItNeeds(int count) {
    JsonNode json = Tool.json("ddio", "ring.size=64", "frame-bytes=64", "count=" + count);

    assertThat(Tool.count(json, "frames_sent_count")).isEqualTo(count);
    // "offered = sent + lost + held"
    assertThat(json.at("/self_check/checks/0/detail").asString())
        .contains(" = " + (WARM_FRAMES + count) + " + ");
  }
}
