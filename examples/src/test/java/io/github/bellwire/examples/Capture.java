package io.github.bellwire.examples;

import io.github.bellwire.examples.pcap.PcapReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Capture files for tests, written byte by byte from the format's description. */
final class Capture {
  /** The four headers of classic pcap. */
  enum Variant {
    MICROSECOND_LITTLE_ENDIAN(0xa1b2c3d4, ByteOrder.LITTLE_ENDIAN),
    MICROSECOND_BIG_ENDIAN(0xa1b2c3d4, ByteOrder.BIG_ENDIAN),
    NANOSECOND_LITTLE_ENDIAN(0xa1b23c4d, ByteOrder.LITTLE_ENDIAN),
    NANOSECOND_BIG_ENDIAN(0xa1b23c4d, ByteOrder.BIG_ENDIAN);

    private final int magic;
    private final ByteOrder order;

    Variant(int magic, ByteOrder order) {
      this.magic = magic;
      this.order = order;
    }

    private int perMicrosecond() {
      return magic == 0xa1b23c4d ? 1_000 : 1;
    }
  }

  static final int HEADER_BYTES = 24;
  static final int RECORD_HEADER_BYTES = 16;
  private static final int SNAPLEN = 262_144;

  private Capture() {}

  /** Returns a file with these frames, 10 us apart. */
  static byte[] of(Variant variant, List<byte[]> frames) {
    long[] times = new long[frames.size()];
    Arrays.setAll(times, i -> 1_700_000_000_000_000L + 10L * i);
    return of(variant, frames, times);
  }

  /** Returns a file with these frames at these times in microseconds. */
  static byte[] of(Variant variant, List<byte[]> frames, long[] timesUs) {
    int bytes = HEADER_BYTES;
    for (byte[] frame : frames) {
      bytes += RECORD_HEADER_BYTES + frame.length;
    }
    ByteBuffer file = ByteBuffer.allocate(bytes).order(variant.order);
    file.putInt(variant.magic).putShort((short) 2).putShort((short) 4);
    file.putInt(0).putInt(0).putInt(SNAPLEN).putInt(1);
    for (int i = 0; i < timesUs.length; i++) {
      byte[] frame = frames.get(i);
      file.putInt((int) (timesUs[i] / 1_000_000));
      file.putInt((int) (timesUs[i] % 1_000_000) * variant.perMicrosecond());
      file.putInt(frame.length).putInt(frame.length).put(frame);
    }
    return file.array();
  }

  static Path write(Path directory, byte[] content) throws IOException {
    return Files.write(Files.createTempFile(directory, "in", ".pcap"), content);
  }

  /** Returns the frames of a file. */
  static List<byte[]> read(Path file) {
    List<byte[]> frames = new ArrayList<>();
    try (PcapReader reader = PcapReader.open(file, file.toString())) {
      while (reader.next()) {
        frames.add(Arrays.copyOf(reader.frame(), reader.lengthBytes()));
      }
    }
    return frames;
  }

  /** Returns frames of any content to any address, lengths without FCS. */
  static List<byte[]> randomFrames(Random random, int count, int minBytes, int maxBytes) {
    List<byte[]> frames = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] frame = new byte[minBytes + random.nextInt(maxBytes - minBytes + 1)];
      random.nextBytes(frame);
      switch (random.nextInt(4)) {
        case 0 -> Arrays.fill(frame, 0, 6, (byte) 0xff); // broadcast
        case 1 -> frame[0] |= 1; // multicast
        case 2 -> makeUdp(frame, random);
        default -> frame[0] &= (byte) 0xfe; // unicast, most often to somebody else
      }
      frames.add(frame);
    }
    return frames;
  }

  /** Makes a frame a UDP packet from one of many flows, so that RSS has something to spread. */
  static void makeUdp(byte[] frame, Random random) {
    frame[0] = 2;
    put16(frame, 12, 0x0800);
    frame[14] = 0x45;
    put16(frame, 16, frame.length - 14);
    put16(frame, 20, 0); // no fragment
    frame[23] = 17;
    put16(frame, 34, random.nextInt(1 << 16));
    put16(frame, 38, frame.length - 34);
  }

  /** Returns the frame with an 802.1Q tag behind its addresses. */
  static byte[] tagged(byte[] frame, int tci) {
    byte[] tagged = new byte[frame.length + 4];
    System.arraycopy(frame, 0, tagged, 0, 12);
    put16(tagged, 12, 0x8100);
    put16(tagged, 14, tci);
    System.arraycopy(frame, 12, tagged, 16, frame.length - 12);
    return tagged;
  }

  static void put16(byte[] frame, int offset, int value) {
    frame[offset] = (byte) (value >>> 8);
    frame[offset + 1] = (byte) value;
  }
}
