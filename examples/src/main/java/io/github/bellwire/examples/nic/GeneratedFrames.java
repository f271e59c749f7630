package io.github.bellwire.examples.nic;

import io.github.bellwire.device.nic.EthernetLayout;
import io.github.bellwire.device.nic.EthernetWire;
import io.github.bellwire.kernel.RandomStream;
import io.github.bellwire.memory.LittleEndian;

/**
 * UDP frames of one size from random flows, with random payload. Each is a valid IPv4 packet, so
 * that checksum and RSS units have something to do. Allocates nothing after construction.
 */
final class GeneratedFrames implements FrameSource {
  private static final int IP = EthernetLayout.HEADER_BYTES;
  private static final int UDP = IP + 20;
  private static final int PAYLOAD = UDP + 8;
  private static final int FLOWS = 1024;
  private static final byte[] HEADER = {
    2,
    0,
    0,
    0,
    0,
    1, // destination
    2,
    0,
    0,
    0,
    0,
    (byte) 0xaa, // source
    8,
    0, // IPv4
    0x45,
    0,
    0,
    0,
    0,
    0,
    0x40,
    0,
    64,
    17,
    0,
    0, // length and checksum follow
    (byte) 192,
    0,
    2,
    1, // source: TEST-NET-1 (RFC 5737)
    (byte) 198,
    51,
    100,
    1, // destination: TEST-NET-2
    0,
    0,
    0,
    9,
    0,
    0,
    0,
    0 // ports, length; no UDP checksum
  };

  private final RandomStream random;
  private final byte[] frame;
  private long left;

  /**
   * Creates the frames.
   *
   * @param count how many
   * @param frameBytes size with FCS, at least 64
   * @param random where flows and payload come from
   */
  GeneratedFrames(long count, int frameBytes, RandomStream random) {
    this.random = random;
    left = count;
    frame = new byte[frameBytes - EthernetWire.FCS_BYTES];
    random.nextBytes(frame);
    System.arraycopy(HEADER, 0, frame, 0, HEADER.length);
    put16(IP + 2, frame.length - IP);
    put16(UDP + 4, frame.length - UDP);
  }

  @Override
  public boolean next() {
    if (left == 0) {
      return false;
    }
    left--;
    int flow = random.nextInt(FLOWS);
    frame[IP + 15] = (byte) flow;
    put16(UDP, 49_152 + flow);
    put16(IP + 10, 0);
    put16(IP + 10, headerChecksum());
    long payload = random.nextLong();
    LittleEndian.putLong(frame, PAYLOAD, payload);
    return true;
  }

  @Override
  public byte[] frame() {
    return frame;
  }

  @Override
  public int lengthBytes() {
    return frame.length;
  }

  @Override
  public long timestampNs() {
    return 0;
  }

  @Override
  public void close() {
    // Nothing to give back.
  }

  private int headerChecksum() {
    int sum = 0;
    for (int i = IP; i < UDP; i += 2) {
      sum += (frame[i] & 0xff) << 8 | frame[i + 1] & 0xff;
    }
    sum = (sum & 0xffff) + (sum >>> 16);
    return ~(sum + (sum >>> 16)) & 0xffff;
  }

  private void put16(int offset, int value) {
    frame[offset] = (byte) (value >>> 8);
    frame[offset + 1] = (byte) value;
  }
}
