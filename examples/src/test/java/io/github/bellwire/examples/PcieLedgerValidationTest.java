package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * PCIe bytes per packet and direction of an 82599 under a polling driver: the model of Neugebauer
 * et al., "Understanding PCIe performance for end host networking" (SIGCOMM 2018, code
 * pcie-bench/pcie-model, niantic.py), with the read of the receive descriptor that its sum drops.
 * MPS 256, MRRS 512, completions cut at MPS, addresses of 64 bits.
 *
 * <p>Per packet of L bytes: a write or read request is 24 bytes beside its data, a completion 20. A
 * tail write is shared by 32 packets, a read of transmit descriptors by 40 (two requests, three
 * completions), a write-back of transmit descriptors by 8.
 */
class PcieLedgerValidationTest {
  private static final int FRAMES = 4_000;
  private static final Percentage TOLERANCE = Percentage.withPercentage(1);

  @ParameterizedTest
  @ValueSource(ints = {64, 256, 512, 1024, 1500})
  void shouldMoveTheBytesOfTheLedgerWhenReceiving(int frameBytes) {
    JsonNode json = run("nic-rx", frameBytes, "frames=" + FRAMES);

    assertThat(Tool.count(json, "frames_received_count")).isEqualTo(FRAMES);
    assertThat(perPacket(json, "pcie_down_bytes")).isCloseTo(rxDown(), TOLERANCE);
    assertThat(perPacket(json, "pcie_up_bytes")).isCloseTo(rxUp(frameBytes - 4), TOLERANCE);
    assertThat(perPacket(json, "doorbells_count")).isCloseTo(1.0 / 32, TOLERANCE);
    assertThat(perPacket(json, "tlp_mrd_count")).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 256, 512, 1024, 1500})
  void shouldMoveTheBytesOfTheLedgerWhenSending(int frameBytes) {
    JsonNode json = run("nic-tx", frameBytes, "frames=" + FRAMES);

    assertThat(Tool.count(json, "frames_sent_count")).isEqualTo(FRAMES);
    assertThat(perPacket(json, "pcie_down_bytes")).isCloseTo(txDown(frameBytes - 4), TOLERANCE);
    assertThat(perPacket(json, "pcie_up_bytes")).isCloseTo(txUp(frameBytes - 4), TOLERANCE);
  }

  /** The ledger's batches are full, so more is offered than a slow core can forward. */
  @ParameterizedTest
  @CsvSource({"64, 10", "256, 20", "512, 40", "1024, 100", "1500, 100"})
  void shouldMoveBothWhenForwarding(int frameBytes, int gigabits) {
    int length = frameBytes - 4;
    JsonNode json =
        run(
            "nic-forward",
            frameBytes,
            "frames=20000",
            "cpu.frequency=100MHz",
            "rate=" + gigabits + "Gb/s");

    long sent = Tool.count(json, "frames_sent_count");
    assertThat(sent).isBetween(1_000L, 10_000L);
    assertThat(Tool.number(json, "pcie_down_bytes") / sent)
        .isCloseTo(rxDown() + txDown(length), TOLERANCE);
    assertThat(Tool.number(json, "pcie_up_bytes") / sent)
        .isCloseTo(rxUp(length) + txUp(length), TOLERANCE);
  }

  /** Descriptor (20 + 16) and tail write (24 + 4). */
  private static double rxDown() {
    return 36 + 28.0 / 32;
  }

  /** Descriptor read, data in pieces of MPS, descriptor write-back (24 + 16). */
  private static double rxUp(int length) {
    return 24 + length + 24 * ceilDiv(length, 256) + 40;
  }

  /** Tail write, descriptors (40 x 16 + 3 x 20 in all) and data in pieces of MPS. */
  private static double txDown(int length) {
    return 28.0 / 32 + 700.0 / 40 + length + 20 * ceilDiv(length, 256);
  }

  /** Descriptor reads (2 x 24), data reads in pieces of MRRS, write-back (24 + 8 x 16). */
  private static double txUp(int length) {
    return 48.0 / 40 + 24 * ceilDiv(length, 512) + 152.0 / 8;
  }

  private static JsonNode run(String scenario, int frameBytes, String... settings) {
    List<String> all = new ArrayList<>(List.of(settings));
    all.addAll(List.of("mode=poll", "batch=32", "link.mps=256", "link.mrrs=512"));
    all.addAll(List.of("nic.pthresh=0", "nic.hthresh=0", "nic.wthresh=8"));
    all.add("frame-bytes=" + frameBytes);
    return Tool.json(scenario, all.toArray(new String[0]));
  }

  private static double perPacket(JsonNode json, String metric) {
    return Tool.number(json, metric) / FRAMES;
  }

  private static int ceilDiv(int dividend, int divisor) {
    return (dividend + divisor - 1) / divisor;
  }
}
