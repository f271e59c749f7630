package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Whatever is allowed ends, with every frame accounted for. */
class ExtremeSettingsTest {
  private static final int FRAMES = 3_000;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nic-rx rate=800Gb/s",
        "nic-rx rate=1Gb/s frame-bytes=16383",
        "nic-rx rate=800Gb/s mode=napi queues=16 cores=16",
        "nic-rx rate=800Gb/s mode=interrupt queues=16 cores=1",
        "nic-rx rate=400Gb/s ring.size=4096 batch=4096",
        "nic-rx rate=100Gb/s ring.size=8 batch=8 mode=napi queues=16",
        "nic-rx link.gen=1 link.lanes=1 rate=100Gb/s",
        "nic-rx link.gen=1 link.lanes=1 link.mps=128 link.mrrs=128 link.tags=1 nic.rx-fifo=16KiB",
        "nic-rx mode=interrupt itr=1.046528ms ring.size=64",
        "nic-rx mode=interrupt itr=1ps",
        "nic-rx mode=interrupt host=ib",
        "nic-rx mode=napi cpu.frequency=100MHz rate=100Gb/s ring.size=8",
        "nic-rx frame-bytes=16383 nic.buffer=1KiB ring.size=24 nic.rx-fifo=16KiB rate=800Gb/s",
        "nic-rx frame-bytes=16383 nic.buffer=1KiB ring.size=24 mode=interrupt batch=1 rate=800Gb/s",
        "nic-rx nic.engine-rate=1000",
        "nic-rx nic.engine-rate=3333333 rate=100Gb/s ring.size=16",
        "nic-rx host=ideal profile=ideal mode=napi rate=800Gb/s queues=16 cores=16",
        // More buffers to bounce than a host has room for: some queues get few, some none.
        "nic-rx mode=napi iommu=strict-bounce ring.size=4096 queues=9",
        "nic-tx rate=800Gb/s",
        "nic-tx ring.size=8 batch=8",
        "nic-tx ring.size=8 batch=8 queues=16 cores=16 nic.wthresh=4 nic.pthresh=36 nic.hthresh=127",
        "nic-tx ring.size=4096 batch=4096 mode=interrupt",
        "nic-tx frame-bytes=15876 rate=800Gb/s",
        "nic-tx frame-bytes=15877",
        "nic-tx nic.engine-rate=1000 link.tags=1",
        "nic-tx nic.pthresh=40 nic.hthresh=127 nic.wthresh=0 queues=3 cores=2 mode=napi",
        "nic-forward rate=100Gb/s direction=both queues=4 cores=4",
        "nic-forward rate=100Gb/s direction=both queues=4 cores=3 mode=napi ring.size=16",
        "nic-forward rate=100Gb/s ring.size=8 batch=1 mode=interrupt nic.wthresh=0",
        "nic-forward frame-bytes=16383 nic.buffer=1KiB ring.size=32 direction=both",
        "nic-forward frame-bytes=9000 nic.buffer=1KiB ring.size=16 direction=both rate=100Gb/s",
        "nic-forward link.gen=1 link.lanes=1 direction=both ring.size=4096 batch=4096",
      })
  void shouldEndAndAccountForEveryFrame(String run) {
    List<String> words = new ArrayList<>(List.of(run.split(" ")));
    String scenario = words.remove(0);
    words.add("frames=" + FRAMES);

    // The run's self-checks hold, or this fails.
    JsonNode json = Tool.json(scenario, words.toArray(new String[0]));

    long offered = Tool.count(json, "frames_offered_count");
    boolean isRx = scenario.equals("nic-rx");
    long done = Tool.count(json, isRx ? "frames_received_count" : "frames_sent_count");
    assertThat(offered).isEqualTo(run.contains("direction=both") ? 2 * FRAMES : FRAMES);
    assertThat(done + Tool.count(json, "frames_dropped_count")).isEqualTo(offered);
    assertThat(json.at("/self_check/checks").size()).isGreaterThanOrEqualTo(2);
  }

  @Test
  void shouldSayWhyFramesWereDroppedOrNotSent() {
    // 16,000 B are 124 B more than the card sends.
    Tool tooLong = Tool.run("nic-forward --set frames=10 --set frame-bytes=16000");
    Tool tight =
        Tool.run(
            "nic-forward --set frames=3000 --set rate=100Gb/s --set ring.size=8 --set batch=4");

    assertThat(tooLong.out()).containsPattern("longer than the card sends [^\\n]* +10\\n");
    assertThat(tight.out()).containsPattern("no descriptor in the ring \\(QPRDC\\) +\\d+\\n");
  }
}
