package io.github.bellwire.examples.nic;

import io.github.bellwire.examples.pcap.PcapException;
import io.github.bellwire.examples.pcap.PcapReader;
import java.io.InputStream;
import java.nio.file.Path;

/** The frames of a capture file. */
final class CapturedFrames implements FrameSource {
  private static final String SHIPPED = "/io/github/bellwire/examples/http-transfer.pcap";

  private final PcapReader reader;

  private CapturedFrames(PcapReader reader) {
    this.reader = reader;
  }

  /**
   * {@return the frames of a file}
   *
   * @param file classic pcap
   * @param label how messages call it
   * @throws PcapException if it cannot be read
   */
  static CapturedFrames open(Path file, String label) {
    return new CapturedFrames(PcapReader.open(file, label));
  }

  /** {@return the frames of the capture that comes with the examples} */
  static CapturedFrames shipped() {
    InputStream input = CapturedFrames.class.getResourceAsStream(SHIPPED);
    if (input == null) {
      throw new IllegalStateException("resource must be there: resource=" + SHIPPED);
    }
    return new CapturedFrames(new PcapReader(input, "http-transfer.pcap"));
  }

  @Override
  public boolean next() {
    return reader.next();
  }

  @Override
  public byte[] frame() {
    return reader.frame();
  }

  @Override
  public int lengthBytes() {
    return reader.lengthBytes();
  }

  @Override
  public long timestampNs() {
    return reader.timestampNs();
  }

  @Override
  public void close() {
    reader.close();
  }
}
