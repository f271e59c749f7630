package io.github.bellwire.examples.nic;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.device.nic.driver.FrameHandler;
import io.github.bellwire.device.nic.driver.ReceivedFrame;
import io.github.bellwire.examples.pcap.PcapWriter;
import io.github.bellwire.host.Host;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Takes what the driver received: counts it, sums its content, writes it to a capture. Looking
 * costs no simulated time.
 */
final class FrameSink implements FrameHandler {
  private static final long PS_PER_NS = 1_000;
  private static final int FRAME_BYTES_MAX = 1 << 14;

  private final ReceivedFrame.MemoryReader memory;
  private final @Nullable PcapWriter capture;
  private final byte[] frame = new byte[FRAME_BYTES_MAX];
  private final CRC32C crc = new CRC32C();
  private long framesTotal;
  private long bytesTotal;
  private long contentSum;

  /**
   * Creates a sink.
   *
   * @param host whose memory holds the frames
   * @param capture receives every frame with the simulated time of reception; null for none
   */
  FrameSink(Host host, @Nullable PcapWriter capture) {
    memory =
        (pa, destination, offset, lengthBytes) ->
            host.coreMemory().copyOut(pa, destination, offset, lengthBytes);
    this.capture = capture;
  }

  @Override
  public void onFrame(CpuPort port, ReceivedFrame received) {
    int length = received.copyTo(memory, frame, 0);
    framesTotal++;
    bytesTotal += length;
    contentSum += checksum(crc, frame, 0, length);
    if (capture != null) {
      capture.write(port.nowPs() / PS_PER_NS, frame, 0, length);
    }
  }

  long framesTotal() {
    return framesTotal;
  }

  /** {@return bytes without FCS} */
  long bytesTotal() {
    return bytesTotal;
  }

  /** {@return the sum of all frames' checksums, whatever their order} */
  long contentSum() {
    return contentSum;
  }

  static long checksum(CRC32C crc, byte[] frame, int offset, int lengthBytes) {
    crc.reset();
    crc.update(frame, offset, lengthBytes);
    return crc.getValue();
  }
}
