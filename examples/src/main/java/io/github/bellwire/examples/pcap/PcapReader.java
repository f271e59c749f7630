package io.github.bellwire.examples.pcap;

import static java.util.Objects.requireNonNull;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Reads a capture frame by frame into one buffer that is used again for the next frame.
 *
 * <p>Every error of the input is a {@link PcapException}; the frames before it have been delivered
 * by then. Frames are checked to be whole; an FCS that the file announces is left out. Confined to
 * one thread.
 */
public final class PcapReader implements Closeable {
  private static final int FIRST_BUFFER_BYTES = 2048;
  private static final long NS_PER_SECOND = 1_000_000_000;
  private static final int NS_PER_MICROSECOND = 1_000;
  private static final int FCS_WORD_BYTES = 2;

  private final InputStream input;
  private final String label;
  private final byte[] headerBytes = new byte[PcapLayout.FILE_HEADER_BYTES];
  private final ByteBuffer header = ByteBuffer.wrap(headerBytes);

  private boolean isNanosecond;
  private long maxCapturedBytes;
  private int fcsBytes;
  private byte[] frame = new byte[FIRST_BUFFER_BYTES];
  private int lengthBytes;
  private long timestampNs;
  private long framesCount;

  /**
   * Opens a capture and reads its header.
   *
   * @param file to read
   * @param label how messages call it, such as {@code pcap=trace.pcap}
   * @throws PcapException if it cannot be read, or is no capture of Ethernet frames
   */
  public static PcapReader open(Path file, String label) {
    if (Files.isDirectory(file)) {
      throw new PcapException(label, "is a directory, must be a file");
    }
    try {
      return new PcapReader(Files.newInputStream(file), label);
    } catch (NoSuchFileException e) {
      throw new PcapException(label, "no such file");
    } catch (AccessDeniedException e) {
      throw new PcapException(label, "must not be read by this user");
    } catch (IOException e) {
      throw unreadable(label, e);
    }
  }

  /**
   * Reads a capture's header.
   *
   * @param input the capture from its first byte on; closed by {@link #close}, and at once if the
   *     header is wrong
   * @param label how messages call it
   * @throws PcapException as {@link #open}
   */
  public PcapReader(InputStream input, String label) {
    this.input = new BufferedInputStream(requireNonNull(input, "input"), 1 << 16);
    this.label = requireNonNull(label, "label");
    try {
      readFileHeader();
    } catch (PcapException e) {
      close();
      throw e;
    }
  }

  private void readFileHeader() {
    int count = read(headerBytes, PcapLayout.FILE_HEADER_BYTES);
    if (count == 0) {
      throw wrong("is empty, must be a pcap file");
    }
    if (count >= Integer.BYTES) {
      recogniseMagic(header.getInt(PcapLayout.MAGIC_OFFSET));
    }
    if (count < PcapLayout.FILE_HEADER_BYTES) {
      throw wrong("ends within the file header, after " + count + " of 24 bytes");
    }
    int major = Short.toUnsignedInt(header.getShort(PcapLayout.VERSION_MAJOR_OFFSET));
    int minor = Short.toUnsignedInt(header.getShort(PcapLayout.VERSION_MINOR_OFFSET));
    if (major != PcapLayout.VERSION_MAJOR || minor != PcapLayout.VERSION_MINOR) {
      throw wrong("has pcap version " + major + "." + minor + ", must be 2.4");
    }
    long snaplen = Integer.toUnsignedLong(header.getInt(PcapLayout.SNAPLEN_OFFSET));
    // Some programs write 0 or more than any tool reads; both mean "everything".
    maxCapturedBytes =
        snaplen == 0
            ? PcapLayout.CAPTURED_LENGTH_MAX
            : Math.min(snaplen, PcapLayout.CAPTURED_LENGTH_MAX);
    readLinkType(header.getInt(PcapLayout.LINK_TYPE_OFFSET));
  }

  /** Finds byte order and resolution; the word is given as in a big-endian file. */
  private void recogniseMagic(int magic) {
    int swapped = Integer.reverseBytes(magic);
    if (magic == PcapLayout.MAGIC_PCAPNG) {
      throw wrong("is pcapng, must be classic pcap; convert it with: editcap -F pcap IN OUT");
    }
    if (magic >>> Short.SIZE == PcapLayout.MAGIC_GZIP) {
      throw wrong("is compressed, must be classic pcap; unpack it with: gunzip");
    }
    boolean isBigEndian =
        magic == PcapLayout.MAGIC_MICROSECONDS || magic == PcapLayout.MAGIC_NANOSECONDS;
    int nativeMagic = isBigEndian ? magic : swapped;
    if (nativeMagic != PcapLayout.MAGIC_MICROSECONDS
        && nativeMagic != PcapLayout.MAGIC_NANOSECONDS) {
      throw wrong(
          String.format("is no pcap file, must begin with a1b2c3d4 or a1b23c4d, not %08x", magic));
    }
    isNanosecond = nativeMagic == PcapLayout.MAGIC_NANOSECONDS;
    header.order(isBigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
  }

  private void readLinkType(int field) {
    int linkType = field & PcapLayout.LINK_TYPE_MASK;
    if ((field & PcapLayout.LINK_TYPE_RESERVED_MASK) != 0
        || linkType != PcapLayout.LINK_TYPE_ETHERNET) {
      long shown = Integer.toUnsignedLong(field & (PcapLayout.LINK_TYPE_RESERVED_MASK | linkType));
      throw wrong("has link type " + shown + ", must be 1 (Ethernet)");
    }
    if ((field & PcapLayout.LINK_TYPE_FCS_PRESENT) != 0) {
      fcsBytes = (field >>> PcapLayout.LINK_TYPE_FCS_WORDS_SHIFT) * FCS_WORD_BYTES;
    }
  }

  /**
   * Reads the next frame.
   *
   * @return false if there is none left
   * @throws PcapException if the file ends within it or its header makes no sense
   */
  public boolean next() {
    int count = read(headerBytes, PcapLayout.RECORD_HEADER_BYTES);
    if (count == 0) {
      return false;
    }
    if (count < PcapLayout.RECORD_HEADER_BYTES) {
      throw cut("header", count, PcapLayout.RECORD_HEADER_BYTES);
    }
    int capturedBytes = capturedBytes();
    if (frame.length < capturedBytes) {
      // Doubling keeps the number of copies small without trusting a length that may be wrong.
      frame = new byte[Math.max(capturedBytes, 2 * frame.length)];
    }
    int read = read(frame, capturedBytes);
    if (read < capturedBytes) {
      throw cut("data", read, capturedBytes);
    }
    long seconds = Integer.toUnsignedLong(header.getInt(PcapLayout.SECONDS_OFFSET));
    long sub = Integer.toUnsignedLong(header.getInt(PcapLayout.SUBSECONDS_OFFSET));
    timestampNs = seconds * NS_PER_SECOND + (isNanosecond ? sub : sub * NS_PER_MICROSECOND);
    lengthBytes = capturedBytes - fcsBytes;
    framesCount++;
    return true;
  }

  private int capturedBytes() {
    long captured = Integer.toUnsignedLong(header.getInt(PcapLayout.CAPTURED_LENGTH_OFFSET));
    long original = Integer.toUnsignedLong(header.getInt(PcapLayout.ORIGINAL_LENGTH_OFFSET));
    if (captured > maxCapturedBytes) {
      throw wrong(packet() + " claims " + captured + " bytes, must be at most " + maxCapturedBytes);
    }
    if (captured > original) {
      throw wrong(
          packet() + " has more bytes captured (" + captured + ") than it had (" + original + ")");
    }
    if (captured < original) {
      throw wrong(
          packet()
              + " holds "
              + captured
              + " of "
              + original
              + " bytes, must be whole; record again with: tcpdump -s 0");
    }
    if (captured < fcsBytes) {
      throw wrong(packet() + " has " + captured + " bytes, must hold the FCS of " + fcsBytes);
    }
    return (int) captured;
  }

  /** {@return the frame's bytes from index 0 on; valid until the next call of {@link #next}} */
  public byte[] frame() {
    return frame;
  }

  /** {@return the frame's length without FCS} */
  public int lengthBytes() {
    return lengthBytes;
  }

  /** {@return when the frame was captured, in nanoseconds since 1970} */
  public long timestampNs() {
    return timestampNs;
  }

  /** {@return the frames read so far} */
  public long framesCount() {
    return framesCount;
  }

  /** {@return whether time stamps have nanoseconds; otherwise they have microseconds} */
  public boolean isNanosecond() {
    return isNanosecond;
  }

  /** Closes the input. Closing it again does nothing. */
  @Override
  public void close() {
    try {
      input.close();
    } catch (IOException e) {
      throw unreadable(label, e);
    }
  }

  private int read(byte[] target, int length) {
    try {
      return input.readNBytes(target, 0, length);
    } catch (IOException e) {
      throw unreadable(label, e);
    }
  }

  private PcapException cut(String part, int count, int expected) {
    return wrong(
        "ends within the "
            + part
            + " of "
            + packet()
            + ", after "
            + count
            + " of "
            + expected
            + " bytes; whole packets before it: "
            + framesCount);
  }

  private String packet() {
    return "packet " + (framesCount + 1);
  }

  private PcapException wrong(String problem) {
    return new PcapException(label, problem);
  }

  private static PcapException unreadable(String label, IOException cause) {
    PcapException error = new PcapException(label, "cannot be read: " + cause.getMessage());
    error.initCause(cause);
    return error;
  }
}
