package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.github.bellwire.examples.Capture.Variant;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** A wrong request ends with exit code 2 and one line that says how it is wrong. */
class BadInputTest {
  private static final List<byte[]> FRAMES = Capture.randomFrames(new Random(1), 5, 60, 60);
  private static final int RECORD_BYTES = Capture.RECORD_HEADER_BYTES + 60;
  private static final byte[] FILE = Capture.of(Variant.MICROSECOND_LITTLE_ENDIAN, FRAMES);

  @TempDir private Path directory;

  @Test
  void shouldRefuseAMissingFile() {
    assertRefused("nic-rx --set pcap=/no/such.pcap", "pcap=/no/such.pcap: no such file");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 23})
  void shouldRefuseATruncatedHeader(int bytes) throws IOException {
    assertRefusedFile(
        Arrays.copyOf(FILE, bytes), "ends within the file header, after " + bytes + " of 24 bytes");
  }

  @Test
  void shouldRefuseAnEmptyFile() throws IOException {
    assertRefusedFile(new byte[0], "is empty, must be a pcap file");
  }

  @Test
  void shouldRefusePcapng() throws IOException {
    byte[] file = FILE.clone();
    System.arraycopy(new byte[] {0x0a, 0x0d, 0x0d, 0x0a}, 0, file, 0, 4);

    assertRefusedFile(
        file, "is pcapng, must be classic pcap; convert it with: editcap -F pcap IN OUT");
  }

  @Test
  void shouldRefuseAnotherLinkType() throws IOException {
    byte[] file = FILE.clone();
    file[20] = 101; // LINKTYPE_RAW

    assertRefusedFile(file, "has link type 101, must be 1 (Ethernet)");
  }

  @Test
  void shouldRefuseWhatIsNoCapture() throws IOException {
    assertRefusedFile(
        "This is no capture at all.".getBytes(StandardCharsets.US_ASCII),
        "is no pcap file, must begin with a1b2c3d4 or a1b23c4d, not 54686973");
  }

  @Test
  void shouldRefuseADirectory() {
    assertRefused(
        "nic-rx --set pcap=" + directory, "pcap=" + directory + ": is a directory, must be a file");
    assertRefused(
        "nic-rx --set capture-out=" + directory,
        "capture-out=" + directory + ": is a directory, must be a file");
  }

  @ParameterizedTest
  @ValueSource(strings = {"nic-rx", "nic-tx", "nic-forward"})
  void shouldReportAndWriteAllBeforeATruncatedPacket(String scenario) throws IOException {
    // The last of five packets lacks its last byte.
    Path file = Capture.write(directory, Arrays.copyOf(FILE, FILE.length - 1));
    Path out = directory.resolve("out.pcap");

    Tool tool = Tool.run(scenario + " --json --set pcap=" + file + " --set capture-out=" + out);

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err())
        .isEqualTo(
            "bellwire: pcap="
                + file
                + ": ends within the data of packet 5, after 59 of 60 bytes; whole packets before"
                + " it: 4\n");
    JsonNode json = tool.json();
    assertThat(Tool.count(json, "frames_offered_count")).isEqualTo(4);
    assertThat(Tool.count(json, "frames_dropped_count")).isZero();
    assertThat(json.at("/self_check/ok").asBoolean()).isTrue();
    assertThat(Capture.read(out)).containsExactlyElementsOf(FRAMES.subList(0, 4));
  }

  @Test
  void shouldReportAllBeforeATruncatedPacketHeader() throws IOException {
    Path file =
        Capture.write(directory, Arrays.copyOf(FILE, Capture.HEADER_BYTES + RECORD_BYTES + 7));

    Tool tool = Tool.run("nic-rx --set pcap=" + file);

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err()).hasLineCount(1).contains("ends within the header of packet 2, after 7");
    assertThat(tool.out()).contains("frames received  1\n");
  }

  @Test
  void shouldRefuseARecordThatIsNotWhole() throws IOException {
    byte[] file = FILE.clone();
    file[Capture.HEADER_BYTES + RECORD_BYTES + 12] = 61; // original length of packet 2
    Path path = Capture.write(directory, file);

    Tool tool = Tool.run("nic-rx --set pcap=" + path);

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err())
        .isEqualTo(
            "bellwire: pcap="
                + path
                + ": packet 2 holds 60 of 61 bytes, must be whole; record again with:"
                + " tcpdump -s 0\n");
    assertThat(tool.out()).contains("frames received  1\n");
  }

  @Test
  void shouldTakeACaptureWithoutPackets() throws IOException {
    Path file = Capture.write(directory, Arrays.copyOf(FILE, Capture.HEADER_BYTES));
    Path out = directory.resolve("out.pcap");

    for (String scenario : List.of("nic-rx", "nic-tx", "nic-forward")) {
      JsonNode json = Tool.json(scenario, "pcap=" + file, "capture-out=" + out);
      assertThat(Tool.count(json, "frames_offered_count")).isZero();
      assertThat(Files.size(out)).isEqualTo(Capture.HEADER_BYTES);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"nic-rx", "nic-tx", "nic-forward"})
  void shouldNotOverwriteTheCaptureThatIsRead(String scenario) throws IOException {
    Path file = Capture.write(directory, FILE);
    Path link = Files.createSymbolicLink(directory.resolve("link.pcap"), file);

    for (Path out : List.of(file, link, directory.resolve(".").resolve(file.getFileName()))) {
      assertRefused(
          scenario + " --set pcap=" + file + " --set capture-out=" + out,
          "capture-out=" + out + ": must not be the capture that is read");
    }
    assertThat(Files.readAllBytes(file)).isEqualTo(FILE);
  }

  @Test
  void shouldRefuseACaptureOutThatCannotBeWritten() throws IOException {
    assertRefused(
        "nic-rx --set capture-out=/no/such/out.pcap",
        "capture-out=/no/such/out.pcap: no such directory");
    Path file = Capture.write(directory, FILE);
    Tool tool = Tool.run("nic-rx --set capture-out=" + file.resolve("out.pcap"));
    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err()).hasLineCount(1).contains("out.pcap: cannot be written: ");
  }

  @Test
  void shouldRefuseACaptureOutOnAFullDisk() {
    assumeThat(Path.of("/dev/full")).exists();

    Tool tool = Tool.run("nic-rx --set frames=2000 --set capture-out=/dev/full");

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err())
        .hasLineCount(1)
        .startsWith("bellwire: capture-out=/dev/full: cannot be written: ");
    assertThat(tool.out()).isEmpty();
  }

  @Test
  void shouldLeaveAnOldCaptureOutAloneWhenTheRequestIsWrong() throws IOException {
    Path out = Files.write(directory.resolve("out.pcap"), FILE);

    for (String scenario : List.of("nic-rx", "nic-tx", "nic-forward")) {
      assertThat(Tool.run(scenario + " --set pcap=/no/such --set capture-out=" + out).code())
          .isEqualTo(2);
      assertThat(Tool.run(scenario + " --set cores=2 --set capture-out=" + out).code())
          .isEqualTo(2);
    }
    assertThat(Files.readAllBytes(out)).isEqualTo(FILE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"nic-rx", "nic-tx", "nic-forward"})
  void shouldRefuseACaptureThatLastsTooLong(String scenario) throws IOException {
    // 2^31 s is 68 years; the time of the simulation ends after 106 days.
    long[] timesUs = {0, 1, 2, (1L << 31) * 1_000_000, 3};
    Path file =
        Capture.write(directory, Capture.of(Variant.NANOSECOND_BIG_ENDIAN, FRAMES, timesUs));

    Tool tool = Tool.run(scenario + " --json --set pcap=" + file);

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.err())
        .isEqualTo(
            "bellwire: timing=capture: a frame was captured more than 100 days after the first one,"
                + " must be within; or set timing=line-rate\n");
    assertThat(Tool.count(tool.json(), "frames_offered_count")).isEqualTo(3);
    JsonNode json = Tool.json(scenario, "pcap=" + file, "timing=line-rate");
    assertThat(Tool.count(json, "frames_offered_count")).isEqualTo(5);
  }

  @ParameterizedTest
  @ValueSource(strings = {"nic-rx", "nic-tx", "nic-forward", "lifecycle"})
  void shouldRefuseGeneratedFramesThatLastTooLong(String scenario) {
    // 100 days have 8,640,000 seconds.
    Tool tool = Tool.run(scenario + " --set offered=2/s --set frames=17280000");

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.out()).isEmpty();
    assertThat(tool.err())
        .isEqualTo(
            "bellwire: frames=17280000: must last less than 100 days with offered=2/s,"
                + " below 17280000\n");
  }

  @Test
  void shouldNameTheNearestKey() {
    Tool tool = Tool.run("nic-rx --set rig.size=64");

    assertThat(tool.code()).isEqualTo(2);
    assertThat(tool.out()).isEmpty();
    assertThat(tool.err())
        .hasLineCount(1)
        .startsWith("bellwire: rig.size=64: unknown key rig.size; did you mean ring.size? Keys of");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // outside of the range, or not of the kind
        "ring.size=0       | must be 8 to 4096 in steps of 8",
        "ring.size=12      | must be 8 to 4096 in steps of 8",
        "ring.size=4104    | must be 8 to 4096 in steps of 8",
        "ring.size=1KiB    | must be a whole number without a unit, 8 to 4096 in steps of 8",
        "rate=10           | needs a unit, for example 10Gb/s; must be 1Gb/s to 800Gb/s in b/s,"
            + " kb/s, Mb/s, Gb/s, Tb/s, B/s, kB/s, MB/s, GB/s or TB/s",
        "rate=999Mb/s      | must be 1Gb/s to 800Gb/s",
        "rate=801Gb/s      | must be 1Gb/s to 800Gb/s",
        "link.lanes=3      | must be 1, 2, 4, 8, 16 or 32",
        "link.lanes=0      | must be 1, 2, 4, 8, 16 or 32",
        "link.acs=rr,xy    | must be off or some of sv,tb,rr,cr,uf,ec,dt",
        "link.acs=sv,sv    | must be off or some of sv,tb,rr,cr,uf,ec,dt, each once",
        "link.acs=rr       | needs link.switch=on",
        "link.gen=0        | must be 1 to 6",
        "link.gen=7        | must be 1 to 6",
        "link.dllps=up     | must be none, guide-rate or opposite",
        "link.completions=rcb | must be longest, every-rcb or random; did you mean every-rcb?",
        "link.credits=many | must be 92-lines, pcievhost, unlimited, xeon-c5500-x16,"
            + " xeon-c5500-x4 or xeon-c5500-x8",
        "link.bits-per-error=9999 | must be 10000 to 1000000000000000",
        "link.mps=64       | must be 128B to 4KiB",
        "link.mps=192      | must be a power of two, 128B to 4KiB",
        "link.mrrs=8KiB    | must be 128B to 4KiB",
        "link.mrrs=129     | must be a power of two, 128B to 4KiB",
        "link.rcb=32       | must be 64B to 128B",
        "link.rcb=96       | must be a power of two, 64B to 128B",
        "link.tags=0       | must be 1 to 768",
        "link.tags=769     | must be 1 to 768",
        "cpu.frequency=1Hz | must be 100MHz to 10GHz",
        "cpu.frequency=3   | needs a unit, for example 3GHz; must be 100MHz to 10GHz in Hz, kHz,"
            + " MHz or GHz",
        "host=gen4         | must be ideal, snb, ib, hsw, hsw-sm, bdw, e3, gen4-server, gen5-server,"
            + " dgx-1, skx or embedded-noncoherent; did you mean gen4-server?",
        "iommu=on          | must be off, passthrough, lazy, strict or strict-bounce",
        "iommu=strictbounce | must be off, passthrough, lazy, strict or strict-bounce;"
            + " did you mean strict-bounce?",
        "iommu.kernel=linux | must be linux-6.12, linux-6.0, arm64-smmu or"
            + " linux-6.12-amd; did you mean linux-6.12?",
        "iommu=strict-bounce | needs mode=interrupt or mode=napi",
        "iommu.preset=ice-lake | needs iommu=passthrough, lazy, strict or strict-bounce",
        "iommu.kernel=linux-6.0 | needs iommu=passthrough, lazy, strict or strict-bounce",
        "frames=0          | must be 1 to 1000000000000",
        "frames=1000000000001 | must be 1 to 1000000000000",
        "frames=-1         | must be a whole number without a unit, 1 to 1000000000000",
        "frames=9999999999999999999 | must be a whole number without a unit, 1 to 1000000000000",
        "frame-bytes=63    | must be 64B to 16383B",
        "frame-bytes=16384 | must be 64B to 16383B",
        "timing=line      | must be capture or line-rate; did you mean line-rate?",
        "mode=pol          | must be poll, interrupt or napi; did you mean poll?",
        "batch=0           | must be 1 to 4096",
        "batch=4097        | must be 1 to 4096",
        "itr=1046529ns     | must be 0ns to 1.046528ms",
        "itr=1             | needs a unit, for example 1ns; must be 0ns to 1.046528ms in ps, ns,"
            + " us, ms or s",
        "queues=0          | must be 1 to 16",
        "queues=17         | must be 1 to 16",
        "cores=0           | must be 1 to 16",
        "cores=17          | must be 1 to 16",
        "profile=kernal    | must be userspace-c, kernel or ideal; did you mean kernel?",
        "nic.engine-rate=0 | must be 1000 to 1000000000000, or unlimited",
        "nic.pthresh=41    | must be 0 to 40",
        "nic.hthresh=128   | must be 0 to 127",
        "nic.wthresh=41    | must be 0 to 40",
        "nic.max-frame=1517 | must be 1518B to 16383B",
        "nic.max-frame=16384 | must be 1518B to 16383B",
        "nic.buffer=1000   | must be 1KiB to 16KiB",
        "nic.buffer=1500   | must be a multiple of 1 KiB, 1KiB to 16KiB",
        "nic.buffer=17KiB  | must be 1KiB to 16KiB",
        "nic.rx-fifo=15KiB | must be 16KiB to 512KiB",
        "nic.rx-fifo=16385 | must be a multiple of 1 KiB, 16KiB to 512KiB",
        "nic.rx-fifo=1MiB  | must be 16KiB to 512KiB",
        "seed=-1           | must be a whole number without a unit, 0 to 999999999999999999",
        "pcap=             | must be the name of a file",
        // each allowed by itself, but not together; the last one is at fault
        "frames=5 pcap=x | must not be set together with frames or frame-bytes",
        "itr=2us | must be 0ns with mode=poll, which takes no interrupts",
        "frame-bytes=64 pcap=x | must not be set together with frames or frame-bytes",
        "frames=5 timing=capture | must be line-rate, generated frames have no timing of their own",
        "cores=2 | must be at most queues=1",
        "queues=4 cores=5 | must be at most queues=4",
        "queues=16 host=hsw cores=7 | must be at most 6, the cores of host=hsw",
        "queues=16 host=hsw mode=napi cores=16 | must be at most 6, the cores of host=hsw",
        "ring.size=16 batch=17 | must be at most ring.size=16",
        "ring.size=16 nic.wthresh=9 | must be at most half of ring.size=16",
        "nic.pthresh=33 nic.wthresh=8 | must be at most 40 together with nic.pthresh=33",
        "ring.size=8 nic.buffer=1KiB frame-bytes=6145 | must be at most 6144B, what a ring holds"
            + " with ring.size=8 and nic.buffer=1KiB",
        "ring.size=8 nic.buffer=1KiB nic.max-frame=6145 | must be at most 6144B, what a ring holds"
            + " with ring.size=8 and nic.buffer=1KiB",
      })
  void shouldRefuseValues(String settings, String message) {
    String[] all = settings.split(" ");
    String args = "nic-rx --set " + String.join(" --set ", all);

    assertRefused(args, all[all.length - 1] + ": " + message);
  }

  @Test
  void shouldRefuseAThresholdThatForwardedFramesDoNotFit() {
    assertRefused(
        "nic-forward --set frame-bytes=4000 --set nic.wthresh=37",
        "nic.wthresh=37: must leave 2 descriptors for a frame of nic.max-frame=4000B, not 1");
    Tool.json("nic-forward", "frames=10", "frame-bytes=4000", "nic.wthresh=36");
  }

  private void assertRefusedFile(byte[] content, String message) throws IOException {
    Path file = Capture.write(directory, content);
    for (String scenario : List.of("nic-rx", "nic-tx", "nic-forward")) {
      assertRefused(scenario + " --set pcap=" + file, "pcap=" + file + ": " + message);
    }
  }

  private static void assertRefused(String args, String message) {
    for (String suffix : List.of("", " --json")) {
      Tool tool = Tool.run(args + suffix);
      assertThat(tool.err()).isEqualTo("bellwire: " + message + "\n");
      assertThat(tool.out()).isEmpty();
      assertThat(tool.code()).isEqualTo(2);
    }
  }
}
