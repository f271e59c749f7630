package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.bellwire.examples.Capture.Variant;
import io.github.bellwire.examples.pcap.PcapReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * What goes in as a capture comes out as a capture, through wire, card, PCIe, memory and driver.
 */
class RoundTripTest {
  private static final long SEED = 20260131;
  private static final int FRAME_MAX_BYTES = 1514; // 1518 less the FCS
  private static final HexFormat HEX = HexFormat.of();

  @TempDir private Path directory;
  private final Random random = new Random(SEED);

  static Stream<Arguments> variantsAndModes() {
    return Arrays.stream(Variant.values())
        .flatMap(
            variant ->
                Stream.of("poll", "interrupt", "napi").map(mode -> Arguments.of(variant, mode)));
  }

  @ParameterizedTest
  @MethodSource("variantsAndModes")
  void shouldReceiveEveryByteInOrder(Variant variant, String mode) throws IOException {
    List<byte[]> frames = Capture.randomFrames(random, 300, 60, FRAME_MAX_BYTES);
    frames.addAll(Capture.randomFrames(random, 20, 60, 60));
    frames.addAll(Capture.randomFrames(random, 20, FRAME_MAX_BYTES, FRAME_MAX_BYTES));

    JsonNode json = receive(Capture.of(variant, frames), "mode=" + mode, "timing=line-rate");

    assertThat(Tool.count(json, "frames_received_count")).isEqualTo(340);
    assertThat(Tool.count(json, "frames_dropped_count")).isZero();
    assertThat(Tool.count(json, "frames_padded_count")).isZero();
    assertReceived(frames);
  }

  /** The check of its own compares the content on the wire with what was handed over. */
  @ParameterizedTest
  @ValueSource(strings = {"poll", "interrupt", "napi"})
  void shouldSendWhatCoresWroteWhereCachesAreNotCoherent(String mode) {
    JsonNode json = Tool.json("nic-tx", "host=embedded-noncoherent", "frames=2000", "mode=" + mode);

    assertThat(Tool.count(json, "frames_sent_count")).isEqualTo(2000);
  }

  /** However long frames are, goodput and wire rate are about the same time and frames. */
  @ParameterizedTest
  @ValueSource(strings = {"nic-tx", "nic-forward"})
  void shouldMeasureGoodputOverTheTimeThatTheFramesTake(String scenario) throws IOException {
    Path file =
        Capture.write(
            directory,
            Capture.of(
                Variant.MICROSECOND_LITTLE_ENDIAN,
                List.of(new byte[60], new byte[FRAME_MAX_BYTES])));

    JsonNode json = Tool.json(scenario, "pcap=" + file, "timing=line-rate");

    // All but the first frame count; on the wire they have preamble, FCS and gap, too: 24 B.
    assertThat(Tool.number(json, "goodput_gbit_per_s") / Tool.number(json, "wire_gbit_per_s"))
        .isCloseTo(1514.0 / 1538, within(1e-9));
  }

  @ParameterizedTest
  @CsvSource({
    "9014, nic.buffer=2KiB, poll", // 9018 with FCS
    "9014, nic.buffer=1KiB, napi",
    "16379, nic.buffer=2KiB, interrupt", // the most that MAXFRS can say is 16,383
    "16379, nic.buffer=16KiB, poll",
    "16379, nic.buffer=1KiB, poll",
  })
  void shouldReceiveJumboFrames(int maxBytes, String buffer, String mode) throws IOException {
    List<byte[]> frames = Capture.randomFrames(random, 100, 60, maxBytes);
    frames.addAll(Capture.randomFrames(random, 3, maxBytes, maxBytes));

    JsonNode json =
        receive(
            Capture.of(Variant.NANOSECOND_LITTLE_ENDIAN, frames),
            "nic.max-frame=" + (maxBytes + 4),
            buffer,
            "mode=" + mode,
            "timing=line-rate");

    assertThat(Tool.count(json, "frames_dropped_count")).isZero();
    assertReceived(frames);
  }

  @Test
  void shouldSpreadLongFramesOverDescriptors() throws IOException {
    // Around the edges of buffers of 1 KiB: one, two and (with a larger maximum) three of them.
    List<byte[]> frames = new ArrayList<>();
    for (int bytes : new int[] {1023, 1024, 1025, 1514, 2047, 2048, 2049}) {
      frames.addAll(Capture.randomFrames(random, 1, bytes, bytes));
    }

    JsonNode json =
        receive(
            Capture.of(Variant.MICROSECOND_BIG_ENDIAN, frames),
            "nic.buffer=1KiB",
            "nic.max-frame=3000");

    assertReceived(frames);
    // A frame of one buffer needs a descriptor read, one of n buffers needs n: 1+1+2+2+2+2+3.
    assertThat(Tool.count(json, "tlp_mrd_count")).isEqualTo(13);
  }

  @Test
  void shouldKeepVlanTagsAndAllowForThem() throws IOException {
    List<byte[]> frames = new ArrayList<>();
    for (byte[] frame : Capture.randomFrames(random, 100, 60, FRAME_MAX_BYTES)) {
      frames.add(Capture.tagged(frame, random.nextInt(1 << 16)));
    }
    frames.add(Capture.tagged(new byte[FRAME_MAX_BYTES], 1)); // 1522 with FCS

    JsonNode json = receive(Capture.of(Variant.MICROSECOND_LITTLE_ENDIAN, frames));

    assertThat(Tool.count(json, "frames_dropped_count")).isZero();
    assertReceived(frames);
  }

  @Test
  void shouldCountAndDropFramesAboveTheMaximum() throws IOException {
    byte[] longest = new byte[FRAME_MAX_BYTES];
    byte[] tooLong = new byte[FRAME_MAX_BYTES + 1];
    byte[] longestTagged = Capture.tagged(longest, 7);
    byte[] tooLongTagged = Capture.tagged(tooLong, 7);
    byte[] file =
        Capture.of(
            Variant.MICROSECOND_LITTLE_ENDIAN,
            List.of(longest, tooLong, longestTagged, tooLongTagged, new byte[5000], new byte[60]));

    JsonNode json = receive(file);

    assertThat(Tool.count(json, "frames_offered_count")).isEqualTo(6);
    assertThat(Tool.count(json, "frames_received_count")).isEqualTo(3);
    assertThat(Tool.count(json, "frames_dropped_count")).isEqualTo(3);
    assertReceived(List.of(longest, longestTagged, new byte[60]));
    assertThat(Tool.run("nic-rx --set pcap=" + Capture.write(directory, file)).out())
        .containsPattern("too long or too short \\(ROC, RUC\\) +3\n");
  }

  @Test
  void shouldPadShortFramesAndCountThem() throws IOException {
    List<byte[]> frames = Capture.randomFrames(random, 50, 42, 59);
    frames.addAll(List.of(new byte[] {1}, new byte[0]));
    frames.addAll(Capture.randomFrames(random, 10, 60, 70));

    JsonNode json = receive(Capture.of(Variant.NANOSECOND_BIG_ENDIAN, frames));

    assertThat(Tool.count(json, "frames_padded_count")).isEqualTo(52);
    assertReceived(padded(frames));
  }

  @ParameterizedTest
  @CsvSource({
    "poll, 2, 1",
    "poll, 2, 2",
    "poll, 4, 4",
    "interrupt, 4, 2",
    "napi, 4, 4",
    "napi, 3, 1",
  })
  void shouldKeepTheOrderWithinEachQueue(String mode, int queues, int cores) throws IOException {
    List<byte[]> frames = new ArrayList<>();
    for (byte[] frame : Capture.randomFrames(random, 1000, 60, 600)) {
      if (random.nextInt(10) > 0) {
        Capture.makeUdp(frame, random);
      }
      frames.add(frame);
    }

    JsonNode json =
        receive(
            Capture.of(Variant.MICROSECOND_LITTLE_ENDIAN, frames),
            "mode=" + mode,
            "queues=" + queues,
            "cores=" + cores,
            "ring.size=2048",
            "rate=40Gb/s",
            "timing=line-rate");

    assertThat(Tool.count(json, "frames_dropped_count")).isZero();
    List<byte[]> received = Capture.read(directory.resolve("out.pcap"));
    for (int queue = 0; queue < queues; queue++) {
      List<String> expected = ofQueue(frames, queue, queues);
      // 900 of 1000 frames are spread over at most 4 queues.
      assertThat(expected).hasSizeGreaterThan(100);
      assertThat(ofQueue(received, queue, queues)).as("seed %d", SEED).isEqualTo(expected);
    }
    assertThat(received).hasSameSizeAs(frames);
  }

  @ParameterizedTest
  @CsvSource({
    "poll, 8, 1, 60",
    "poll, 16, 1, 60",
    "interrupt, 8, 1, 60",
    "interrupt, 16, 1, 200",
    "napi, 8, 1, 60",
    "napi, 16, 1, 200",
    "poll, 8, 2, 60",
    "napi, 8, 4, 60",
    "poll, 8, 1, 1514",
  })
  void shouldAccountForEveryFrameWhenRingsAreTooSmall(
      String mode, int ringSize, int queues, int maxBytes) throws IOException {
    List<byte[]> frames = Capture.randomFrames(random, 2000, 60, maxBytes);

    JsonNode json =
        receive(
            Capture.of(Variant.MICROSECOND_LITTLE_ENDIAN, frames),
            "mode=" + mode,
            "ring.size=" + ringSize,
            "queues=" + queues,
            "nic.buffer=1KiB",
            "rate=100Gb/s",
            "timing=line-rate");

    // That the card's registers say the same is a self-check of the run, which must have held.
    assertThat(json.at("/self_check/checks").toString())
        .contains("{\"name\":\"the card's registers say the same\",\"ok\":true");
    long received = Tool.count(json, "frames_received_count");
    long dropped = Tool.count(json, "frames_dropped_count");
    assertThat(received + dropped).isEqualTo(2000);
    assertThat(received).isPositive();
    assertThat(dropped).isPositive();
    List<String> out = hex(Capture.read(directory.resolve("out.pcap")));
    assertThat(out).hasSize((int) received);
    if (queues == 1) {
      // Dropping changes no order: what is left of the input after dropping is the output.
      assertThat(hex(frames)).as("seed %d", SEED).containsSubsequence(out);
    } else {
      assertThat(hex(frames)).as("seed %d", SEED).containsAll(out);
    }
  }

  @ParameterizedTest
  @CsvSource({"nic.engine-rate=100000, 4096", "link.tags=1, 4096", "nic.engine-rate=1000000, 16"})
  void shouldAccountForEveryFrameWhenTheCardIsTooSlow(String slow, int ringSize)
      throws IOException {
    List<byte[]> frames = Capture.randomFrames(random, 3000, 60, 100);

    JsonNode json =
        receive(
            Capture.of(Variant.MICROSECOND_LITTLE_ENDIAN, frames),
            slow,
            "nic.rx-fifo=16KiB",
            "ring.size=" + ringSize,
            "rate=100Gb/s",
            "timing=line-rate");

    long dropped = Tool.count(json, "frames_dropped_count");
    assertThat(dropped).isPositive();
    assertThat(Tool.count(json, "frames_received_count")).isEqualTo(3000 - dropped);
    // 16 KiB hold at least 163 frames, which wait for the engine rather than be dropped.
    assertThat(Tool.count(json, "frames_received_count")).isGreaterThan(163);
    String checks = json.at("/self_check/checks").toString();
    assertThat(checks).containsPattern("good - [0-9]+ without descriptor; [1-9][0-9]* missed");
  }

  @Test
  void shouldStampFramesWithTheTimeOfReception() throws IOException {
    List<byte[]> frames = Capture.randomFrames(random, 100, 60, 60);

    receive(Capture.of(Variant.MICROSECOND_LITTLE_ENDIAN, frames), "timing=capture");

    List<Long> times = new ArrayList<>();
    try (PcapReader reader = PcapReader.open(directory.resolve("out.pcap"), "out")) {
      assertThat(reader.isNanosecond()).isTrue();
      while (reader.next()) {
        times.add(reader.timestampNs());
      }
    }
    // The frames were captured 10 us apart, and each takes about as long as the one before.
    assertThat(times).hasSize(100).isSorted();
    assertThat(times.get(99) - times.get(0)).isBetween(990_000L - 2_000, 990_000L + 2_000);
  }

  @Test
  void shouldCountCoresBusyForAsLongAsSimulationsLast() throws IOException {
    List<byte[]> frames = Capture.randomFrames(random, 2, 60, 60);
    long[] timesUs = {0, 99L * 24 * 3600 * 1_000_000};

    Path file =
        Capture.write(directory, Capture.of(Variant.NANOSECOND_LITTLE_ENDIAN, frames, timesUs));

    JsonNode json = Tool.json("nic-tx", "pcap=" + file, "queues=2", "cores=2");

    // Two cores that poll for 99 days: 1.7e19 ps, more than a long holds.
    assertThat(Tool.number(json, "cpu_busy_ratio")).isBetween(0.99, 1.0);
  }

  @Test
  void shouldTakeCapturesWhoseTimeStepsBack() throws IOException {
    List<byte[]> frames = Capture.randomFrames(random, 4, 60, 60);
    long[] timesUs = {1_000_000, 1_000_100, 5, 1_000_200};

    JsonNode json = receive(Capture.of(Variant.NANOSECOND_LITTLE_ENDIAN, frames, timesUs));

    assertReceived(frames);
    assertThat(Tool.number(json, "simulated_ns")).isBetween(200_000.0, 210_000.0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"nic-tx", "nic-forward"})
  void shouldSendEveryByteInOrder(String scenario) throws IOException {
    List<byte[]> frames = Capture.randomFrames(random, 300, 42, FRAME_MAX_BYTES);

    JsonNode json = run(scenario, Capture.of(Variant.MICROSECOND_BIG_ENDIAN, frames));

    assertThat(Tool.count(json, "frames_sent_count")).isEqualTo(300);
    assertReceived(padded(frames));
  }

  @ParameterizedTest
  @CsvSource({
    "nic-tx, mode=poll, 4, 4",
    "nic-tx, mode=napi, 3, 2",
    "nic-forward, mode=poll, 4, 2",
    "nic-forward, mode=napi, 2, 1",
    "nic-forward, mode=interrupt, 4, 4",
  })
  void shouldSendEveryFrameFromSeveralQueues(String scenario, String mode, int queues, int cores)
      throws IOException {
    List<byte[]> frames = Capture.randomFrames(random, 500, 60, 400);

    run(
        scenario,
        Capture.of(Variant.MICROSECOND_LITTLE_ENDIAN, frames),
        mode,
        "queues=" + queues,
        "cores=" + cores,
        "timing=line-rate");

    assertThat(hex(Capture.read(directory.resolve("out.pcap"))))
        .as("seed %d", SEED)
        .containsExactlyInAnyOrderElementsOf(hex(frames));
  }

  @ParameterizedTest
  @CsvSource({"8, 8", "8, 1", "16, 16", "4096, 4096"})
  void shouldSendEverythingThroughAnyRing(int ringSize, int batch) throws IOException {
    List<byte[]> frames = Capture.randomFrames(random, 300, 60, 100);

    run(
        "nic-tx",
        Capture.of(Variant.MICROSECOND_LITTLE_ENDIAN, frames),
        "ring.size=" + ringSize,
        "batch=" + batch,
        "timing=line-rate");

    assertReceived(frames);
  }

  @Test
  void shouldForwardJumboFramesAndCountWhatTheCardRefuses() throws IOException {
    List<byte[]> frames = Capture.randomFrames(random, 20, 5000, 15_872);
    List<byte[]> all = new ArrayList<>(frames);
    all.add(new byte[15_873]); // The part sends no more than 15.5 KiB.

    JsonNode json =
        run(
            "nic-forward",
            Capture.of(Variant.MICROSECOND_LITTLE_ENDIAN, all),
            "nic.max-frame=16383");

    assertThat(Tool.count(json, "frames_received_count")).isEqualTo(21);
    assertThat(Tool.count(json, "frames_dropped_count")).isEqualTo(1);
    assertReceived(frames);
  }

  @Test
  void shouldSkipWhatCannotBeSent() throws IOException {
    List<byte[]> frames = Capture.randomFrames(random, 10, 60, 2048);
    List<byte[]> all = new ArrayList<>(frames);
    all.add(3, new byte[13]); // shorter than an Ethernet header
    all.add(7, new byte[2049]); // longer than a buffer
    all.add(9, new byte[0]);
    byte[] file = Capture.of(Variant.MICROSECOND_LITTLE_ENDIAN, all);

    JsonNode json = run("nic-tx", file);

    assertThat(Tool.count(json, "frames_offered_count")).isEqualTo(13);
    assertThat(Tool.count(json, "frames_dropped_count")).isEqualTo(3);
    assertReceived(frames);
    assertThat(Tool.run("nic-tx --set pcap=" + Capture.write(directory, file)).out())
        .containsPattern("no Ethernet header, or longer than a buffer +3\n");
  }

  private JsonNode receive(byte[] file, String... settings) throws IOException {
    return run("nic-rx", file, settings);
  }

  private JsonNode run(String scenario, byte[] file, String... settings) throws IOException {
    List<String> all = new ArrayList<>(List.of(settings));
    all.add("pcap=" + Capture.write(directory, file));
    all.add("capture-out=" + directory.resolve("out.pcap"));
    return Tool.json(scenario, all.toArray(new String[0]));
  }

  private void assertReceived(List<byte[]> expected) {
    assertThat(hex(Capture.read(directory.resolve("out.pcap"))))
        .as("seed %d", SEED)
        .isEqualTo(hex(expected));
  }

  private static List<String> hex(List<byte[]> frames) {
    return frames.stream().map(HEX::formatHex).toList();
  }

  private static List<byte[]> padded(List<byte[]> frames) {
    return frames.stream().map(f -> Arrays.copyOf(f, Math.max(60, f.length))).toList();
  }

  private static List<String> ofQueue(List<byte[]> frames, int queue, int queues) {
    return hex(frames.stream().filter(frame -> queueOf(frame, queues) == queue).toList());
  }

  /** RSS for UDP over IPv4; the table deals the queues in turn. Anything else goes to queue 0. */
  private static int queueOf(byte[] frame, int queues) {
    boolean isUdp = frame[12] == 8 && frame[13] == 0 && frame[14] == 0x45 && frame[23] == 17;
    return isUdp ? (toeplitz(frame, 26, 12) & 127) % queues : 0;
  }

  /** The hash of the 82599 data sheet, section 7.1.2.8, with its key: one bit at a time. */
  private static int toeplitz(byte[] bytes, int offset, int length) {
    byte[] key =
        HEX.parseHex(
            "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa");
    int hash = 0;
    for (int bit = 0; bit < length * 8; bit++) {
      if (bitOf(bytes, offset * 8 + bit) == 1) {
        int window = 0;
        for (int i = 0; i < 32; i++) {
          window = window << 1 | bitOf(key, bit + i);
        }
        hash ^= window;
      }
    }
    return hash;
  }

  private static int bitOf(byte[] bytes, int bit) {
    return bytes[bit / 8] >>> 7 - bit % 8 & 1;
  }
}
