package io.github.bellwire.examples.nic;

import io.github.bellwire.device.nic.EthernetWire;
import io.github.bellwire.device.nic.FrameReceiver;
import io.github.bellwire.device.nic.FrameStream;
import io.github.bellwire.examples.settings.UserErrorException;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The station at the far end of the wire: sends the frames of a source, at their own times or back
 * to back, and pads short ones as any sender does. One event per frame, at its last bit.
 */
final class TrafficGenerator extends Event implements FrameStream {
  private static final int FRAME_MIN_BYTES = EthernetWire.FRAME_MIN_WITHOUT_FCS_BYTES;

  private final Simulation simulation;
  private final FrameSource source;
  private final EthernetWire wire;
  private final FrameReceiver receiver;
  private final CaptureClock clock;
  private final FramePace pace;
  private final CRC32C crc = new CRC32C();
  private final byte[] padded = new byte[FRAME_MIN_BYTES];

  // The frame whose last bit arrives, and when the next one's does.
  private byte[] frame = padded;
  private int lengthBytes;
  private boolean hasNext;
  private long nextLastBitPs;

  private long startPs;
  private long offsetPs;
  private long framesTotal;
  private long bytesTotal;
  private long paddedTotal;
  private long contentSum;
  private long firstLastBitPs;
  private long lastBitPs;
  private @Nullable UserErrorException error;

  /**
   * Creates a station that is silent.
   *
   * @param simulation the clock
   * @param source where frames come from
   * @param bitsPerSecond line rate
   * @param receiver the other end
   * @param keepsTiming whether frames keep the distances of their capture
   * @param framesPerSecond how many are due per second at most; 0 for no such limit
   */
  TrafficGenerator(
      Simulation simulation,
      FrameSource source,
      long bitsPerSecond,
      FrameReceiver receiver,
      boolean keepsTiming,
      long framesPerSecond) {
    this.simulation = simulation;
    this.source = source;
    this.receiver = receiver;
    clock = new CaptureClock(keepsTiming);
    pace = new FramePace(framesPerSecond);
    wire = new EthernetWire(bitsPerSecond);
  }

  /**
   * Begins to send.
   *
   * @param atPs first bit of the first frame, not before the current time
   */
  void start(long atPs) {
    startPs = atPs;
    hasNext = moveOn();
    if (hasNext) {
      nextLastBitPs = nextLastBitPs();
      firstLastBitPs = nextLastBitPs;
      simulation.schedule(this, nextLastBitPs);
    }
  }

  /** Frames that nothing happens between arrive in a row. */
  @Override
  protected void onEvent(long nowPs) {
    sendFrame();
    receiver.onFrames(this);
    if (hasNext) {
      assert nextLastBitPs > lastBitPs : "frames must be taken until there is none: " + lastBitPs;
      simulation.schedule(this, nextLastBitPs);
    }
  }

  @Override
  public byte[] frame() {
    return frame;
  }

  @Override
  public int lengthBytes() {
    return lengthBytes;
  }

  @Override
  public long nowPs() {
    return lastBitPs;
  }

  @Override
  public boolean tryNext() {
    hasNext = moveOn();
    if (!hasNext) {
      return false;
    }
    nextLastBitPs = nextLastBitPs();
    if (!simulation.tryRepeatAt(this, nextLastBitPs)) {
      return false;
    }
    sendFrame();
    return true;
  }

  private void sendFrame() {
    lastBitPs = nextLastBitPs;
    frame = source.frame();
    lengthBytes = source.lengthBytes();
    if (lengthBytes < FRAME_MIN_BYTES) {
      pad();
    }
    framesTotal++;
    bytesTotal += lengthBytes;
    contentSum += FrameSink.checksum(crc, frame, 0, lengthBytes);
  }

  private void pad() {
    System.arraycopy(frame, 0, padded, 0, lengthBytes);
    Arrays.fill(padded, lengthBytes, FRAME_MIN_BYTES, (byte) 0);
    paddedTotal++;
    frame = padded;
    lengthBytes = FRAME_MIN_BYTES;
  }

  /** {@return frames sent} */
  long framesTotal() {
    return framesTotal;
  }

  /** {@return bytes of these frames, padding included, FCS not} */
  long bytesTotal() {
    return bytesTotal;
  }

  /** {@return frames that had to be padded} */
  long paddedTotal() {
    return paddedTotal;
  }

  /** {@return the sum of all frames' checksums, as {@link FrameSink#contentSum()}} */
  long contentSum() {
    return contentSum;
  }

  /** {@return bytes on the wire, with preamble, FCS and gap} */
  long wireBytesTotal() {
    return wire.bytesTotal();
  }

  /** {@return first bit of the first frame, in picoseconds} */
  long startPs() {
    return startPs;
  }

  /** {@return last bit of the first frame, in picoseconds} */
  long firstLastBitPs() {
    return firstLastBitPs;
  }

  /** {@return last bit of the last frame so far, in picoseconds} */
  long lastBitPs() {
    return lastBitPs;
  }

  /** {@return when the wire is free for another frame, in picoseconds} */
  long wireFreePs() {
    return wire.freePs();
  }

  /** {@return what was wrong with the source, or null} */
  @Nullable UserErrorException error() {
    return error;
  }

  private boolean moveOn() {
    try {
      boolean hasNext = source.next();
      if (hasNext) {
        offsetPs = Math.max(clock.advance(source.timestampNs()), pace.advance());
      }
      return hasNext;
    } catch (UserErrorException e) {
      error = e; // Told when everything before it has been delivered.
      return false;
    }
  }

  private long nextLastBitPs() {
    int length = Math.max(source.lengthBytes(), FRAME_MIN_BYTES);
    return wire.transmit(length, startPs + offsetPs);
  }
}
