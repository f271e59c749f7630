package io.github.bellwire.examples.pcap;

import static java.util.Objects.requireNonNull;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Writes a capture of Ethernet frames with time stamps in nanoseconds, little-endian.
 *
 * <p>Allocates nothing per frame. Confined to one thread.
 */
public final class PcapWriter implements Closeable {
  private static final long NS_PER_SECOND = 1_000_000_000;
  private static final long SECONDS_MAX = 0xffff_ffffL;

  private final OutputStream output;
  private final String label;
  private final byte[] headerBytes = new byte[PcapLayout.FILE_HEADER_BYTES];
  private final ByteBuffer header = ByteBuffer.wrap(headerBytes).order(ByteOrder.LITTLE_ENDIAN);
  private long framesCount;

  /**
   * Creates a capture, in place of a file of that name if there is one.
   *
   * @param file to write
   * @param label how messages call it, such as {@code capture-out=received.pcap}
   * @throws PcapException if it cannot be written
   */
  public static PcapWriter create(Path file, String label) {
    if (Files.isDirectory(file)) {
      throw new PcapException(label, "is a directory, must be a file");
    }
    try {
      return new PcapWriter(Files.newOutputStream(file), label);
    } catch (NoSuchFileException e) {
      throw new PcapException(label, "no such directory");
    } catch (AccessDeniedException e) {
      throw new PcapException(label, "must not be written by this user");
    } catch (IOException e) {
      throw unwritable(label, e);
    }
  }

  /**
   * Writes a capture's header.
   *
   * @param output gets the capture; closed by {@link #close}
   * @param label how messages call it
   * @throws PcapException if it cannot be written
   */
  public PcapWriter(OutputStream output, String label) {
    this.output = new BufferedOutputStream(requireNonNull(output, "output"), 1 << 16);
    this.label = requireNonNull(label, "label");
    header.putInt(PcapLayout.MAGIC_OFFSET, PcapLayout.MAGIC_NANOSECONDS);
    header.putShort(PcapLayout.VERSION_MAJOR_OFFSET, (short) PcapLayout.VERSION_MAJOR);
    header.putShort(PcapLayout.VERSION_MINOR_OFFSET, (short) PcapLayout.VERSION_MINOR);
    header.putInt(PcapLayout.SNAPLEN_OFFSET, PcapLayout.CAPTURED_LENGTH_MAX);
    header.putInt(PcapLayout.LINK_TYPE_OFFSET, PcapLayout.LINK_TYPE_ETHERNET);
    write(headerBytes, 0, PcapLayout.FILE_HEADER_BYTES);
  }

  /**
   * Writes a frame.
   *
   * @param timestampNs since 1970, or since the start of a simulation; less than 2^32 seconds
   * @param data holds the frame, without FCS
   * @param offset of its first byte
   * @param lengthBytes its length, 0..262144
   * @throws PcapException if it cannot be written
   */
  public void write(long timestampNs, byte[] data, int offset, int lengthBytes) {
    Objects.checkFromIndexSize(offset, lengthBytes, data.length);
    if (lengthBytes > PcapLayout.CAPTURED_LENGTH_MAX) {
      throw new IllegalArgumentException(
          "lengthBytes must be <= 262144: lengthBytes=" + lengthBytes);
    }
    long seconds = timestampNs / NS_PER_SECOND;
    if (timestampNs < 0 || seconds > SECONDS_MAX) {
      throw new IllegalArgumentException(
          "timestampNs must be 0.." + SECONDS_MAX + " s: timestampNs=" + timestampNs);
    }
    header.putInt(PcapLayout.SECONDS_OFFSET, (int) seconds);
    header.putInt(PcapLayout.SUBSECONDS_OFFSET, (int) (timestampNs % NS_PER_SECOND));
    header.putInt(PcapLayout.CAPTURED_LENGTH_OFFSET, lengthBytes);
    header.putInt(PcapLayout.ORIGINAL_LENGTH_OFFSET, lengthBytes);
    write(headerBytes, 0, PcapLayout.RECORD_HEADER_BYTES);
    write(data, offset, lengthBytes);
    framesCount++;
  }

  /** {@return the frames written so far} */
  public long framesCount() {
    return framesCount;
  }

  /**
   * Writes what is left and closes the output. Closing it again does nothing.
   *
   * @throws PcapException if it cannot be written
   */
  @Override
  public void close() {
    try {
      output.close();
    } catch (IOException e) {
      throw unwritable(label, e);
    }
  }

  private void write(byte[] data, int offset, int lengthBytes) {
    try {
      output.write(data, offset, lengthBytes);
    } catch (IOException e) {
      throw unwritable(label, e);
    }
  }

  private static PcapException unwritable(String label, IOException cause) {
    PcapException error = new PcapException(label, "cannot be written: " + cause.getMessage());
    error.initCause(cause);
    return error;
  }
}
