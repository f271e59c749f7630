package io.github.bellwire.examples.nic;

import io.github.bellwire.device.nic.EthernetLayout;
import io.github.bellwire.device.nic.EthernetWire;
import io.github.bellwire.examples.settings.UserErrorException;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Frames that host software is to send, and from when on. Those that it cannot send are skipped.
 */
final class TransmitWork {
  private static final int FRAME_MIN_BYTES = EthernetWire.FRAME_MIN_WITHOUT_FCS_BYTES;

  private final FrameSource source;
  private final CaptureClock clock;
  private final FramePace pace;
  private final int lengthMaxBytes;
  private final CRC32C crc = new CRC32C();
  private final byte[] padded = new byte[FRAME_MIN_BYTES];
  private boolean hasFrame;
  private long startPs;
  private long duePs;
  private long framesTotal;
  private long wireBytesTotal;
  private long contentSum;
  private long skippedTotal;
  private @Nullable UserErrorException error;

  /**
   * Creates a queue of work.
   *
   * @param source the frames
   * @param keepsTiming whether they keep the distances of their capture
   * @param framesPerSecond how many are due per second at most; 0 for no such limit
   * @param lengthMaxBytes the longest that can be sent, without FCS
   */
  TransmitWork(FrameSource source, boolean keepsTiming, long framesPerSecond, int lengthMaxBytes) {
    this.source = source;
    pace = new FramePace(framesPerSecond);
    clock = new CaptureClock(keepsTiming);
    this.lengthMaxBytes = lengthMaxBytes;
  }

  void start(long nowPs) {
    startPs = nowPs;
    hasFrame = readNext();
  }

  boolean hasFrame() {
    return hasFrame;
  }

  byte[] frame() {
    return source.frame();
  }

  int lengthBytes() {
    return source.lengthBytes();
  }

  /** {@return when the current frame may be sent, in picoseconds} */
  long duePs() {
    return duePs;
  }

  /** The current frame has been handed over. */
  void moveOn() {
    framesTotal++;
    int length = source.lengthBytes();
    int wireLength = Math.max(length, FRAME_MIN_BYTES);
    wireBytesTotal += wireLength;
    if (length < wireLength) {
      System.arraycopy(source.frame(), 0, padded, 0, length);
      Arrays.fill(padded, length, wireLength, (byte) 0);
      contentSum += FrameSink.checksum(crc, padded, 0, wireLength);
    } else {
      contentSum += FrameSink.checksum(crc, source.frame(), 0, length);
    }
    hasFrame = readNext();
  }

  long framesTotal() {
    return framesTotal;
  }

  /** {@return bytes handed over and what the card must add to short frames, FCS not} */
  long wireBytesTotal() {
    return wireBytesTotal;
  }

  /** {@return the sum of checksums of these frames with their padding} */
  long contentSum() {
    return contentSum;
  }

  /** {@return frames shorter than an Ethernet header or longer than can be sent} */
  long skippedTotal() {
    return skippedTotal;
  }

  @Nullable UserErrorException error() {
    return error;
  }

  private boolean readNext() {
    try {
      while (source.next()) {
        if (source.lengthBytes() >= EthernetLayout.HEADER_BYTES
            && source.lengthBytes() <= lengthMaxBytes) {
          duePs = startPs + Math.max(clock.advance(source.timestampNs()), pace.advance());
          return true;
        }
        skippedTotal++;
      }
    } catch (UserErrorException e) {
      error = e; // Told when everything before it has been sent.
    }
    return false;
  }
}
