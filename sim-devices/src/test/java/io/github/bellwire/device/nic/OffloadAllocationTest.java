package io.github.bellwire.device.nic;

import static io.github.bellwire.device.nic.OffloadFrames.SCTP;
import static io.github.bellwire.device.nic.OffloadFrames.TCP;
import static io.github.bellwire.device.nic.OffloadFrames.UDP;
import static io.github.bellwire.device.nic.OffloadFrames.address;
import static io.github.bellwire.device.nic.OffloadFrames.ethernet;
import static io.github.bellwire.device.nic.OffloadFrames.ipv4;
import static io.github.bellwire.device.nic.OffloadFrames.ipv6;
import static io.github.bellwire.device.nic.OffloadFrames.join;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class OffloadAllocationTest {
  private static final int CALLS = 250_000;
  private static final byte[] V4_A = address("192.0.2.1");
  private static final byte[] V4_B = address("198.51.100.7");
  private static final byte[] V6_A = address("2001:db8::1");
  private static final byte[] V6_B = address("2001:db8::2");

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private int consumed;

  @Test
  void shouldReceiveWithoutAllocating() {
    byte[][] frames = {
      join(
          ethernet(0x0800),
          ipv4(V4_A, V4_B, TCP, 26),
          OffloadFrames.tcp(1, 2, 3, 0, 20),
          new byte[6]),
      join(ethernet(0x86DD), ipv6(V6_A, V6_B, UDP, 14), OffloadFrames.udp(1, 2, 6), new byte[6]),
      join(ethernet(0x0800), ipv4(V4_A, V4_B, SCTP, 18), OffloadFrames.sctp(1, 2), new byte[6]),
      join(ethernet(0x0800), ipv4(V4_A, V4_B, UDP, 18, 0x2000, 20), new byte[18]),
    };
    FrameParser parser = new FrameParser();
    ReceiveChecksum checksum = new ReceiveChecksum();
    ReceiveSideScaling rss = new ReceiveSideScaling();
    rss.writeMrqc(0xFFFF_0001);
    rss.writeKey(0, 0x1234_5678);

    assertAllocatesNothing(
        i -> {
          byte[] frame = frames[i & 3];
          parser.parse(frame, 0, frame.length);
          rss.classify(parser, frame, 0);
          checksum.check(parser, frame, 0, true);
          return rss.hash() + checksum.status();
        });
  }

  @Test
  void shouldTransmitWithoutAllocating() {
    byte[] packet =
        join(
            ethernet(0x0800),
            ipv4(V4_A, V4_B, TCP, 0),
            OffloadFrames.tcp(1, 2, 3, 0, 20),
            new byte[60]);
    byte[] out = new byte[128];
    TransmitContext context = new TransmitContext();
    TransmitChecksum checksum = new TransmitChecksum();
    SegmentationOffload tso = new SegmentationOffload();

    assertAllocatesNothing(
        i -> {
          // TCP for segmentation, then SCTP for a single packet.
          context.decode(14 << 9 | 20, 1 << 11 | 1 << 10, 50 << 16 | 20 << 8);
          tso.begin(packet, 0, packet.length, context, true, true);
          int bytes = 0;
          while (tso.hasNext()) {
            bytes += tso.next(out, 0);
          }
          context.decode(14 << 9 | 20, 2 << 11 | 1 << 10, 0);
          checksum.insert(out, 0, 60, context, true, true);
          return bytes;
        });
  }

  /**
   * Runs the body often enough to be compiled, then counts what a quarter of a million calls
   * allocate.
   */
  private void assertAllocatesNothing(Body body) {
    consumed += run(body, CALLS / 10);
    long threadId = Thread.currentThread().getId();
    long before = threads.getThreadAllocatedBytes(threadId);
    consumed += run(body, CALLS);
    long after = threads.getThreadAllocatedBytes(threadId);

    assertThat(after - before).as("bytes allocated, result %d", consumed).isLessThan(256);
  }

  private static int run(Body body, int calls) {
    int sum = 0;
    for (int i = 0; i < calls; i++) {
      sum += body.apply(i);
    }
    return sum;
  }

  private interface Body {
    int apply(int index);
  }
}
