package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The hash of a run stands for what has happened in it, in every scenario. */
class TraceHashTest {
  /** The hash of nothing. */
  private static final String NOTHING = "9e3779b97f4a7c15";

  @ParameterizedTest
  @CsvSource({
    "iommu-modes duration=50us, rate=30Gb/s",
    "iommu-modes duration=50us, page=2m",
    "iommu-modes duration=50us workload=nvme, page=2m",
    "iommu-modes duration=50us workload=probe, frame-bytes=1000",
    "host-congestion warm-up=50us duration=200us, iommu=lazy",
    "host-congestion warm-up=50us duration=200us, flows=4",
    "host-congestion warm-up=50us duration=50us preset=grace-nvme, iommu=lazy",
    "pio-vs-dma size=64, link.gen=4",
    "pio-vs-dma size=64, size=65",
    "pio-vs-dma size=64 method=dma, host=bdw",
    "dma-check bug=unmap-wrong-size, bug=iova-leak",
    "dram count=1000, mapping=RoBaRaCoCh",
    "ddio ring.size=64 count=100, frame-bytes=512",
  })
  void shouldBeTheSameForTheSameRunAndNoOther(String run, String other) {
    String key = other.substring(0, other.indexOf('=') + 1);
    List<String> settings = new ArrayList<>(List.of(run.split(" ")));
    String hash = hash(settings);

    assertThat(hash).isNotEqualTo(NOTHING).isEqualTo(hash(settings));
    settings.removeIf(setting -> setting.startsWith(key));
    settings.add(other);
    assertThat(hash(settings)).isNotEqualTo(hash).isNotEqualTo(NOTHING);
  }

  /** Where anything is random: addresses in use before, orders of flows, bytes that are moved. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "iommu-modes duration=50us",
        "host-congestion warm-up=50us duration=200us",
        "pio-vs-dma size=64",
        "pio-vs-dma size=64 method=mmio-read",
      })
  void shouldDependOnTheSeed(String run) {
    List<String> hashes = new ArrayList<>();
    for (int seed = 1; seed <= 3; seed++) {
      List<String> settings = new ArrayList<>(List.of(run.split(" ")));
      settings.add("seed=" + seed);
      hashes.add(hash(settings));
    }

    assertThat(hashes).doesNotHaveDuplicates();
  }

  @Test
  void shouldPrintTheFirstOperationsOfAnyScenarioThatMovesBytesByDma() {
    assertThat(Tool.run("host-congestion --trace 1 --set duration=100us --set warm-up=0ns").out())
        .contains("Operation port 0 rx queue 0 #0", "frame arrived from the wire", "done bit seen");
    assertThat(Tool.run("pio-vs-dma --trace 2 --set method=dma --set size=64").out())
        .contains("payload read by the device", "payload written by the device");
  }

  private static String hash(List<String> run) {
    String[] settings = run.subList(1, run.size()).toArray(new String[0]);
    return Tool.json(run.get(0), settings).at("/provenance/trace_hash").asString();
  }
}
