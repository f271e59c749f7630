package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.dma.check.DmaViolation;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The gallery of driver bugs as scripts see it, and drivers that are watched. */
class DmaCheckTest {
  @Test
  void shouldPrintEachIdentifierTwice() {
    JsonNode metrics = Tool.json("dma-check").get("metrics");

    List<String> expected = new ArrayList<>();
    for (DmaViolation violation : DmaViolation.values()) {
      expected.add(violation.identifier());
      expected.add(violation.identifier() + ".clean");
      assertThat(metrics.get(violation.identifier()).asLong()).isPositive();
      assertThat(metrics.get(violation.identifier() + ".clean").asLong()).isZero();
    }
    assertThat(metrics.propertyNames()).containsExactlyElementsOf(expected);
  }

  @Test
  void shouldExplainABugThatAnIommuHides() {
    Tool tool = Tool.run("dma-check --set bug=device-access-after-unmap-cached");

    assertThat(tool.code()).isZero();
    assertThat(tool.out())
        .contains("address waits for a lazy flush since ")
        .contains("unmapped by 0000:01:00.0, call ")
        .contains("TranslationBugs.receiveTwice:");
  }

  @Test
  void shouldExplainOneBug() {
    Tool tool = Tool.run("dma-check --set bug=unmap-wrong-size");

    assertThat(tool.code()).isZero();
    assertThat(tool.out())
        .contains("mapped 512, unmapped 500 bytes")
        .contains("in BugMachine.unmap:")
        .contains("debug.c:987")
        .doesNotContain("unmap-wrong-direction");
  }

  @Test
  void shouldNameTheNearestBug() {
    Tool tool = Tool.run("dma-check --set bug=unmap-wrong-siz");

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err()).contains("did you mean unmap-wrong-size?");
  }

  /** All modes of all shipped drivers. */
  static Stream<String> runs() {
    List<String> runs = new ArrayList<>();
    for (String scenario : List.of("nic-rx", "nic-tx", "nic-forward")) {
      for (String mode : List.of("poll", "interrupt", "napi")) {
        String run = scenario + " frames=400 ring.size=64 mode=" + mode;
        runs.add(run);
        runs.add(run + " frame-bytes=1518 queues=2 cores=2 host=hsw");
        runs.add(run + " link.switch=on rate=40Gb/s");
      }
    }
    runs.add("nic-forward frames=400 direction=both batch=1");
    runs.add("nic-rx frames=100 frame-bytes=4000 nic.max-frame=4000 mode=napi");
    for (String op : List.of("read", "write", "readwrite", "lat-read", "lat-write-read")) {
      runs.add("pcie-bench count=200 op=" + op);
      runs.add("pcie-bench count=200 cache=cold window=1MiB host=embedded-noncoherent op=" + op);
    }
    runs.add("pio-vs-dma method=dma size=65536");
    runs.add("pio-vs-dma method=dma size=100");
    return runs.stream();
  }

  /** All modes of all shipped drivers behind an IOMMU, whatever the system does with it. */
  static Stream<String> translatedRuns() {
    List<String> runs = new ArrayList<>();
    for (String policy : List.of("passthrough", "lazy", "strict", "strict-bounce")) {
      String translated = " iommu=" + policy;
      // A driver in user space shares its memory for good, so that nothing of it can be bounced.
      boolean isBounced = policy.equals("strict-bounce");
      List<String> modes =
          isBounced ? List.of("interrupt", "napi") : List.of("poll", "interrupt", "napi");
      for (String scenario : List.of("nic-rx", "nic-tx", "nic-forward")) {
        for (String mode : modes) {
          runs.add(
              scenario + " frames=600 ring.size=64 queues=2 cores=2 mode=" + mode + translated);
        }
      }
      runs.add("nic-forward frames=600 direction=both batch=1 mode=napi" + translated);
      runs.add("nic-rx frames=100 frame-bytes=4000 nic.max-frame=4000 mode=napi" + translated);
      runs.add("nic-rx frames=600 profile=kernel mode=napi" + translated);
    }
    for (String workload : List.of("nic-rx", "nvme", "probe")) {
      runs.add("iommu-modes duration=100us workload=" + workload); // all policies
      runs.add("iommu-modes duration=100us page=2m workload=" + workload);
    }
    for (String pages : List.of("4k", "2m", "1g")) {
      for (String op : List.of("read", "write", "readwrite", "lat-read", "lat-write-read")) {
        runs.add("pcie-bench count=200 op=" + op + " iommu=" + pages);
      }
    }
    return runs.stream();
  }

  @ParameterizedTest
  @MethodSource({"runs", "translatedRuns"})
  void shouldFindNothingInShippedDrivers(String run) {
    JsonNode json = json(run, "checker=on");

    assertThat(Tool.count(json, "dma_mistakes_count")).isZero();
    assertThat(json.at("/self_check/ok").asBoolean()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nic-rx frames=500 mode=napi",
        "nic-forward frames=500",
        "nic-forward frames=500 mode=napi iommu=lazy",
        "nic-rx frames=500 mode=interrupt iommu=strict-bounce",
        "pcie-bench count=200 op=readwrite host=embedded-noncoherent"
      })
  void shouldChangeNothingByWatching(String run) {
    JsonNode free = json(run, "checker=off");
    JsonNode watched = json(run, "checker=on");

    assertThat(watched.at("/provenance/trace_hash")).isEqualTo(free.at("/provenance/trace_hash"));
    assertThat(watched.at("/provenance/events")).isEqualTo(free.at("/provenance/events"));
    assertThat(free.get("metrics").has("dma_mistakes_count")).isFalse();
  }

  @Test
  void shouldWatchTheOneFrameOfALifecycle() {
    assertThat(Tool.run("lifecycle").out())
        .contains("drivers and devices make no mistakes with DMA: 0 reports");
    assertThat(Tool.run("lifecycle --set op=transmit --set mode=poll").out())
        .contains("drivers and devices make no mistakes with DMA: 0 reports");
  }

  private static JsonNode json(String run, String more) {
    String[] words = run.split(" ");
    List<String> settings = new ArrayList<>(List.of(words).subList(1, words.length));
    settings.add(more);
    return Tool.json(words[0], settings.toArray(new String[0]));
  }
}
