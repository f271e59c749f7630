package io.github.bellwire.examples.pcap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.examples.Main;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.assertj.core.api.AbstractStringAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PcapTest {
  private static final int MICROSECONDS = 0xa1b2c3d4;
  private static final int NANOSECONDS = 0xa1b23c4d;

  @TempDir private Path directory;

  private record Packet(long timestampNs, byte[] frame) {}

  @ParameterizedTest
  @CsvSource({
    "0xa1b2c3d4, true",
    "0xa1b2c3d4, false",
    "0xa1b23c4d, true",
    "0xa1b23c4d, false",
  })
  void shouldReadAllHeaderVariants(String magic, boolean isBigEndian) {
    Capture capture =
        new Capture(Long.decode(magic).intValue(), isBigEndian)
            .record(1_700_000_000, 999_999, 60)
            .record(0xffff_ffffL, 1, 1514)
            .record(0, 0, 0);

    List<Packet> packets = read(capture.bytes());

    // 999 999 us or 999 999 ns behind the second; seconds are unsigned.
    long unitNs = magic.equals("0xa1b2c3d4") ? 1_000 : 1;
    assertThat(packets)
        .extracting(Packet::timestampNs)
        .containsExactly(
            1_700_000_000_000_000_000L + 999_999 * unitNs, 4_294_967_295_000_000_000L + unitNs, 0L);
    assertThat(packets).extracting(packet -> packet.frame().length).containsExactly(60, 1514, 0);
    assertThat(packets.get(1).frame()).isEqualTo(pattern(1514));
  }

  @Test
  void shouldReadBackWhatWasWritten() {
    SplittableRandom random = new SplittableRandom(42);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    List<Packet> written = new ArrayList<>();
    try (PcapWriter writer = new PcapWriter(bytes, "out")) {
      for (int i = 0; i < 500; i++) {
        byte[] frame = new byte[i < 2 ? 262_144 * i : random.nextInt(1, 9_000)];
        random.nextBytes(frame);
        written.add(new Packet(i * 4_294_967_295L, frame));
        byte[] surrounded = new byte[frame.length + 7];
        System.arraycopy(frame, 0, surrounded, 3, frame.length);
        writer.write(i * 4_294_967_295L, surrounded, 3, frame.length);
      }
      assertThat(writer.framesCount()).isEqualTo(500);
    }

    List<Packet> packets = read(bytes.toByteArray());
    assertThat(packets).hasSameSizeAs(written);
    for (int i = 0; i < 500; i++) {
      assertThat(packets.get(i).timestampNs()).isEqualTo(written.get(i).timestampNs());
      assertThat(Arrays.equals(packets.get(i).frame(), written.get(i).frame())).isTrue();
    }
  }

  @Test
  void shouldWriteTheFormatThatOtherToolsRead() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (PcapWriter writer = new PcapWriter(bytes, "out")) {
      writer.write(2_000_000_003L, new byte[] {9, 8}, 0, 2);
    }

    ByteBuffer expected = ByteBuffer.allocate(24 + 16 + 2).order(ByteOrder.LITTLE_ENDIAN);
    expected.putInt(NANOSECONDS).putShort((short) 2).putShort((short) 4).putLong(0);
    expected.putInt(262_144).putInt(1);
    expected.putInt(2).putInt(3).putInt(2).putInt(2).put((byte) 9).put((byte) 8);
    assertThat(bytes.toByteArray()).isEqualTo(expected.array());
  }

  @Test
  void shouldReadTheShippedCapture() throws IOException {
    byte[] bytes;
    try (InputStream resource = Main.class.getResourceAsStream("http-transfer.pcap")) {
      bytes = resource.readAllBytes();
    }

    List<Packet> packets = read(bytes);

    // The figures of http-transfer.md.
    assertThat(bytes.length).isEqualTo(24 + 454 * 16 + 493_159);
    assertThat(packets).hasSize(454);
    assertThat(packets.stream().mapToInt(packet -> packet.frame().length).sum()).isEqualTo(493_159);
    assertThat(packets.stream().filter(packet -> packet.frame().length == 1514)).hasSize(316);
    assertThat(packets.stream().filter(packet -> packet.frame().length == 42)).hasSize(2);
    assertThat(packets)
        .isSortedAccordingTo(
            (left, right) -> Long.compare(left.timestampNs(), right.timestampNs()));
  }

  @Test
  void shouldLeaveOutAnFcsThatTheFileAnnounces() {
    // Two 16-bit words of FCS, flag "present": 0x2400_0001.
    Capture capture = new Capture(MICROSECONDS, false).linkType(0x2400_0001).record(0, 0, 64);

    assertThat(read(capture.bytes()).get(0).frame()).isEqualTo(Arrays.copyOf(pattern(64), 60));
    // Without the flag the length of the FCS says nothing.
    Capture without = new Capture(MICROSECONDS, false).linkType(0x2000_0001).record(0, 0, 64);
    assertThat(read(without.bytes()).get(0).frame()).hasSize(64);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 0xffff_ffffL, 262_144})
  void shouldReadUpToTheLongestRecordOfOrdinaryTools(long snaplen) {
    Capture capture = new Capture(MICROSECONDS, false).snaplen(snaplen).record(0, 0, 262_144);

    assertThat(read(capture.bytes()).get(0).frame()).hasSize(262_144);
    assertThatProblem(capture.record(0, 0, 262_145))
        .isEqualTo("f: packet 2 claims 262145 bytes, must be at most 262144");
  }

  @Test
  void shouldSayWhatIsWrongWithTheFileHeader() {
    Capture good = new Capture(MICROSECONDS, false);

    assertThatProblem(new byte[0]).isEqualTo("f: is empty, must be a pcap file");
    assertThatProblem(Arrays.copyOf(good.bytes(), 3))
        .isEqualTo("f: ends within the file header, after 3 of 24 bytes");
    assertThatProblem(Arrays.copyOf(good.bytes(), 23))
        .isEqualTo("f: ends within the file header, after 23 of 24 bytes");
    assertThatProblem(new byte[] {0x0a, 0x0d, 0x0d, 0x0a})
        .isEqualTo("f: is pcapng, must be classic pcap; convert it with: editcap -F pcap IN OUT");
    assertThatProblem(new byte[] {0x1f, (byte) 0x8b, 8, 0, 0})
        .isEqualTo("f: is compressed, must be classic pcap; unpack it with: gunzip");
    assertThatProblem("GET / HTTP/1.1\r\nHost: example".getBytes())
        .isEqualTo("f: is no pcap file, must begin with a1b2c3d4 or a1b23c4d, not 47455420");
    assertThatProblem(new Capture(MICROSECONDS, false).version(2, 3))
        .isEqualTo("f: has pcap version 2.3, must be 2.4");
    assertThatProblem(new Capture(MICROSECONDS, false).version(0xffff, 4))
        .isEqualTo("f: has pcap version 65535.4, must be 2.4");
    assertThatProblem(new Capture(NANOSECONDS, true).linkType(113))
        .isEqualTo("f: has link type 113, must be 1 (Ethernet)");
    assertThatProblem(new Capture(NANOSECONDS, true).linkType(0x2401_0001))
        .isEqualTo("f: has link type 65537, must be 1 (Ethernet)");
  }

  @Test
  void shouldSayWhatIsWrongWithARecordAfterDeliveringThoseBefore() {
    byte[] two = new Capture(MICROSECONDS, false).record(1, 2, 60).record(3, 4, 100).bytes();

    assertThatProblem(Arrays.copyOf(two, two.length - 1))
        .isEqualTo(
            "f: ends within the data of packet 2, after 99 of 100 bytes;"
                + " whole packets before it: 1");
    assertThatProblem(Arrays.copyOf(two, 24 + 16 + 60 + 15))
        .isEqualTo(
            "f: ends within the header of packet 2, after 15 of 16 bytes;"
                + " whole packets before it: 1");
    assertThatProblem(new Capture(MICROSECONDS, false).record(0, 0, 60, 96, 1514))
        .isEqualTo(
            "f: packet 1 holds 96 of 1514 bytes, must be whole; record again with: tcpdump -s 0");
    assertThatProblem(new Capture(MICROSECONDS, false).record(0, 0, 60, 60, 59))
        .isEqualTo("f: packet 1 has more bytes captured (60) than it had (59)");
    assertThatProblem(new Capture(MICROSECONDS, false).snaplen(96).record(0, 0, 97))
        .isEqualTo("f: packet 1 claims 97 bytes, must be at most 96");
    assertThatProblem(new Capture(MICROSECONDS, false).record(0, 0, 0, -1, -1))
        .isEqualTo("f: packet 1 claims 4294967295 bytes, must be at most 262144");
    assertThatProblem(new Capture(MICROSECONDS, false).linkType(0x2400_0001).record(0, 0, 3))
        .isEqualTo("f: packet 1 has 3 bytes, must hold the FCS of 4");
  }

  @Test
  void shouldDeliverAllFramesBeforeTheOneThatIsCut() {
    byte[] bytes = new Capture(MICROSECONDS, false).record(1, 2, 60).record(3, 4, 100).bytes();
    PcapReader reader =
        new PcapReader(new ByteArrayInputStream(Arrays.copyOf(bytes, bytes.length - 1)), "f");

    assertThat(reader.next()).isTrue();
    assertThat(reader.lengthBytes()).isEqualTo(60);
    assertThatExceptionOfType(PcapException.class).isThrownBy(reader::next);
    assertThat(reader.framesCount()).isEqualTo(1);
  }

  @Test
  void shouldSayWhyAFileCannotBeOpened() {
    assertThatExceptionOfType(PcapException.class)
        .isThrownBy(() -> PcapReader.open(directory.resolve("none.pcap"), "pcap=none.pcap"))
        .withMessage("pcap=none.pcap: no such file");
    assertThatExceptionOfType(PcapException.class)
        .isThrownBy(() -> PcapReader.open(directory, "pcap=dir"))
        .withMessage("pcap=dir: is a directory, must be a file");
    assertThatExceptionOfType(PcapException.class)
        .isThrownBy(() -> PcapWriter.create(directory.resolve("none/out.pcap"), "capture-out=x"))
        .withMessage("capture-out=x: no such directory");
    assertThatExceptionOfType(PcapException.class)
        .isThrownBy(() -> PcapWriter.create(directory, "capture-out=dir"))
        .withMessage("capture-out=dir: is a directory, must be a file");
  }

  @Test
  void shouldReadAndWriteFiles() throws IOException {
    Path file = directory.resolve("capture.pcap");
    try (PcapWriter writer = PcapWriter.create(file, "out")) {
      writer.write(5, pattern(60), 0, 60);
    }

    try (PcapReader reader = PcapReader.open(file, "in")) {
      assertThat(reader.next()).isTrue();
      assertThat(reader.isNanosecond()).isTrue();
      assertThat(reader.timestampNs()).isEqualTo(5);
      assertThat(reader.next()).isFalse();
    }
    assertThat(Files.size(file)).isEqualTo(24 + 16 + 60);
  }

  @Test
  void shouldTurnDiskErrorsIntoMessages() {
    InputStream broken =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("disk on fire");
          }
        };
    OutputStream full =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("No space left on device");
          }
        };

    assertThatExceptionOfType(PcapException.class)
        .isThrownBy(() -> new PcapReader(broken, "f"))
        .withMessage("f: cannot be read: disk on fire");
    assertThatExceptionOfType(PcapException.class)
        .isThrownBy(() -> new PcapWriter(full, "f").close())
        .withMessage("f: cannot be written: No space left on device");
  }

  @Test
  void shouldRefuseFramesThatTheFormatCannotHold() {
    PcapWriter writer = new PcapWriter(new ByteArrayOutputStream(), "f");

    assertThatIllegalArgumentException()
        .isThrownBy(() -> writer.write(0, new byte[262_145], 0, 262_145))
        .withMessage("lengthBytes must be <= 262144: lengthBytes=262145");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> writer.write(-1, new byte[1], 0, 1))
        .withMessage("timestampNs must be 0..4294967295 s: timestampNs=-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> writer.write(4_294_967_296_000_000_000L, new byte[1], 0, 1));
    assertThat(writer.framesCount()).isZero();
  }

  @Test
  void shouldFailOnlyWithMessagesWhateverIsInTheFile() {
    Capture capture = new Capture(NANOSECONDS, false);
    for (int i = 0; i < 20; i++) {
      capture.record(i, i, 40 + i);
    }
    byte[] good = capture.bytes();
    int refused = 0;
    for (int seed = 0; seed < 5_000; seed++) {
      byte[] bad = corrupt(good, new SplittableRandom(seed));
      try {
        read(bad);
      } catch (PcapException e) {
        refused++;
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
    assertThat(refused).isBetween(500, 4_999); // Most, but a changed payload is no error.
  }

  @Test
  void shouldAllocateNothingPerFrame() {
    Capture capture = new Capture(NANOSECONDS, false);
    for (int i = 0; i < 20_000; i++) {
      capture.record(i, i, 64);
    }
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long threadId = Thread.currentThread().getId();
    PcapReader reader = new PcapReader(new ByteArrayInputStream(capture.bytes()), "f");
    PcapWriter writer = new PcapWriter(OutputStream.nullOutputStream(), "f");
    copy(reader, writer, 10_000);
    threads.getThreadAllocatedBytes(threadId);

    long beforeBytes = threads.getThreadAllocatedBytes(threadId);
    copy(reader, writer, 10_000);
    long afterBytes = threads.getThreadAllocatedBytes(threadId);

    assertThat(afterBytes - beforeBytes).isLessThan(1024);
    assertThat(writer.framesCount()).isEqualTo(20_000);
  }

  private static void copy(PcapReader reader, PcapWriter writer, int count) {
    for (int i = 0; i < count && reader.next(); i++) {
      writer.write(reader.timestampNs(), reader.frame(), 0, reader.lengthBytes());
    }
  }

  private static byte[] corrupt(byte[] good, SplittableRandom random) {
    byte[] bad =
        Arrays.copyOf(good, random.nextInt(4) == 0 ? random.nextInt(good.length) : good.length);
    for (int flips = random.nextInt(5); flips > 0 && bad.length > 0; flips--) {
      // Half of them into the headers, where they do the most harm.
      int limit = random.nextBoolean() ? Math.min(bad.length, 40) : bad.length;
      bad[random.nextInt(limit)] = (byte) random.nextInt();
    }
    return bad;
  }

  private static AbstractStringAssert<?> assertThatProblem(Capture capture) {
    return assertThatProblem(capture.bytes());
  }

  private static AbstractStringAssert<?> assertThatProblem(byte[] bytes) {
    try {
      read(bytes);
      throw new AssertionError("must be refused");
    } catch (PcapException e) {
      return assertThat(e.getMessage());
    }
  }

  private static List<Packet> read(byte[] bytes) {
    List<Packet> packets = new ArrayList<>();
    try (PcapReader reader = new PcapReader(new ByteArrayInputStream(bytes), "f")) {
      while (reader.next()) {
        byte[] frame = Arrays.copyOf(reader.frame(), reader.lengthBytes());
        packets.add(new Packet(reader.timestampNs(), frame));
      }
      assertThat(reader.framesCount()).isEqualTo(packets.size());
    }
    return packets;
  }

  private static byte[] pattern(int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (i * 31 + 7);
    }
    return bytes;
  }

  /** Builds captures byte by byte, right or wrong, independently of the writer. */
  private static final class Capture {
    private final ByteOrder order;
    private final ByteBuffer header;
    private final ByteArrayOutputStream records = new ByteArrayOutputStream();

    Capture(int magic, boolean isBigEndian) {
      order = isBigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
      header = ByteBuffer.allocate(24).order(order).putInt(0, magic);
      version(2, 4).snaplen(262_144).linkType(1);
    }

    Capture version(int major, int minor) {
      header.putShort(4, (short) major).putShort(6, (short) minor);
      return this;
    }

    Capture snaplen(long bytes) {
      header.putInt(16, (int) bytes);
      return this;
    }

    Capture linkType(int field) {
      header.putInt(20, field);
      return this;
    }

    Capture record(long seconds, int sub, int length) {
      return record(seconds, sub, length, length, length);
    }

    Capture record(long seconds, int sub, int length, int captured, int original) {
      ByteBuffer record = ByteBuffer.allocate(16).order(order);
      record.putInt((int) seconds).putInt(sub).putInt(captured).putInt(original);
      records.writeBytes(record.array());
      records.writeBytes(pattern(length));
      return this;
    }

    byte[] bytes() {
      ByteBuffer all = ByteBuffer.allocate(24 + records.size());
      return all.put(header.array()).put(records.toByteArray()).array();
    }
  }
}
