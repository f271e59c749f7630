package io.github.bellwire.examples.nic;

import io.github.bellwire.examples.pcap.PcapWriter;
import io.github.bellwire.examples.settings.Settings;
import org.jspecify.annotations.Nullable;

/** The capture file that the user asked for, or none. */
final class CaptureOut implements AutoCloseable {
  private final @Nullable PcapWriter writer;

  private CaptureOut(@Nullable PcapWriter writer) {
    this.writer = writer;
  }

  static CaptureOut of(Settings settings) {
    return new CaptureOut(
        settings
            .find(NicKeys.CAPTURE_OUT)
            .map(file -> PcapWriter.create(file, settings.assignment(NicKeys.CAPTURE_OUT)))
            .orElse(null));
  }

  @Nullable PcapWriter writer() {
    return writer;
  }

  @Override
  public void close() {
    if (writer != null) {
      writer.close();
    }
  }
}
