package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/**
 * Frames per second on a full wire: IEEE 802.3 puts 20 bytes of preamble, start delimiter and gap
 * beside each frame, so rate / ((F + 20) x 8), F with FCS.
 */
class LineRateValidationTest {
  private static final int FRAMES = 4_000;
  private static final Percentage TOLERANCE = Percentage.withPercentage(0.1);

  // In millions per second, as published for these sizes; three decimals, so 0.1 % from 1 up.
  @ParameterizedTest
  @CsvSource({
    "1, 64, 1.488",
    "10, 64, 14.881",
    "25, 64, 37.202",
    "40, 64, 59.524",
    "100, 64, 148.810",
    "200, 64, 297.619",
    "400, 64, 595.238",
    "800, 64, 1190.476",
    "10, 128, 8.446",
    "100, 128, 84.459",
    "800, 128, 675.676",
    "25, 256, 11.322",
    "800, 256, 362.319",
    "40, 512, 9.398",
    "800, 512, 187.970",
    "100, 1024, 11.973",
    "800, 1024, 95.785",
    "10, 1518, 0.8127",
    "100, 1518, 8.127",
    "400, 1518, 32.510",
    "800, 1518, 65.020",
    "100, 9018, 1.383",
    "800, 9018, 11.064",
  })
  void shouldFillTheWire(int gigabits, int frameBytes, double megaframes) {
    JsonNode json = receive(gigabits, frameBytes);

    double wireGbps = Tool.number(json, "wire_gbit_per_s");
    double onWire = wireGbps * 1_000 / ((frameBytes + 20) * 8);
    assertThat(onWire).isCloseTo(megaframes, TOLERANCE);
  }

  /** Where the link can carry it: 32 lanes of generation 5 carry about 111 GB/s of packets. */
  @ParameterizedTest
  @CsvSource({
    "1, 64",
    "10, 64",
    "25, 64",
    "40, 64",
    "100, 64",
    "200, 64",
    "400, 64",
    "100, 128",
    "400, 128",
    "400, 256",
    "400, 512",
    "800, 1024",
    "800, 1518",
    "10, 9018",
    "100, 9018",
    "800, 9018",
  })
  void shouldReceiveAtLineRate(int gigabits, int frameBytes) {
    JsonNode json = receive(gigabits, frameBytes);

    assertThat(Tool.count(json, "frames_received_count")).isEqualTo(FRAMES);
    assertThat(Tool.number(json, "frames_per_s"))
        .isCloseTo(lineRate(gigabits, frameBytes), TOLERANCE);
    // FCS is stripped, so goodput counts 4 B less per frame.
    assertThat(Tool.number(json, "goodput_gbit_per_s"))
        .isCloseTo(gigabits * (frameBytes - 4.0) / (frameBytes + 20), TOLERANCE);
  }

  @ParameterizedTest
  @CsvSource({"1, 64", "10, 64", "100, 512", "100, 1518", "400, 1518"})
  void shouldSendAtLineRate(int gigabits, int frameBytes) {
    JsonNode json = run("nic-tx", gigabits, frameBytes);

    assertThat(Tool.count(json, "frames_sent_count")).isEqualTo(FRAMES);
    assertThat(Tool.number(json, "wire_gbit_per_s")).isCloseTo(gigabits, TOLERANCE);
    assertThat(Tool.number(json, "frames_per_s"))
        .isCloseTo(lineRate(gigabits, frameBytes), TOLERANCE);
  }

  private static double lineRate(int gigabits, int frameBytes) {
    return gigabits * 1e9 / ((frameBytes + 20) * 8);
  }

  private static JsonNode receive(int gigabits, int frameBytes) {
    return run("nic-rx", gigabits, frameBytes);
  }

  private static JsonNode run(String scenario, int gigabits, int frameBytes) {
    return Tool.json(
        scenario,
        "frames=" + FRAMES,
        "frame-bytes=" + frameBytes,
        "rate=" + gigabits + "Gb/s",
        "ring.size=4096",
        "host=ideal",
        "profile=ideal",
        "nic.engine-rate=unlimited",
        "nic.buffer=16KiB",
        "link.gen=5",
        "link.lanes=32",
        "link.mps=1024");
  }
}
