package io.github.bellwire.examples.nic;

import io.github.bellwire.device.nic.EthernetWire;
import io.github.bellwire.device.nic.FrameReceiver;
import io.github.bellwire.examples.pcap.PcapWriter;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** The far end of the wire: counts what a card sends, sums its content, writes it to a capture. */
final class WireSink implements FrameReceiver {
  private static final long PS_PER_NS = 1_000;

  private final @Nullable PcapWriter capture;
  private final CRC32C crc = new CRC32C();
  private long framesTotal;
  private long bytesTotal;
  private long wireBytesTotal;
  private long contentSum;
  private long firstPs;
  private long firstWireBytes;
  private long lastPs;

  WireSink(@Nullable PcapWriter capture) {
    this.capture = capture;
  }

  @Override
  public void onFrame(byte[] frame, int offset, int lengthBytes, long nowPs) {
    if (framesTotal++ == 0) {
      firstPs = nowPs;
      firstWireBytes = EthernetWire.wireBytes(lengthBytes);
    }
    lastPs = nowPs;
    bytesTotal += lengthBytes;
    wireBytesTotal += EthernetWire.wireBytes(lengthBytes);
    contentSum += FrameSink.checksum(crc, frame, offset, lengthBytes);
    if (capture != null) {
      capture.write(nowPs / PS_PER_NS, frame, offset, lengthBytes);
    }
  }

  long framesTotal() {
    return framesTotal;
  }

  /** {@return bytes without FCS} */
  long bytesTotal() {
    return bytesTotal;
  }

  long contentSum() {
    return contentSum;
  }

  long lastPs() {
    return lastPs;
  }

  /** {@return bits on the wire from the first frame's end to the last one's, in units of 1e9} */
  double wireGbps() {
    return lastPs == firstPs ? 0 : (wireBytesTotal - firstWireBytes) * 8_000.0 / (lastPs - firstPs);
  }
}
