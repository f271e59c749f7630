package io.github.bellwire.examples.nic;

import io.github.bellwire.examples.pcap.PcapWriter;
import io.github.bellwire.examples.settings.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The capture file that the user asked for, or none. */
final class CaptureOut implements AutoCloseable {
  private final @Nullable PcapWriter writer;

  private CaptureOut(@Nullable PcapWriter writer) {
    this.writer = writer;
  }

  /**
   * {@return the file, or none}
   *
   * @param settings to look it up
   * @throws io.github.bellwire.examples.settings.UserErrorException if it cannot be written, or is
   *     the capture that is read
   */
  static CaptureOut of(Settings settings) {
    settings.find(NicKeys.CAPTURE_OUT).ifPresent(file -> refuseInput(settings, file));
    return new CaptureOut(
        settings
            .find(NicKeys.CAPTURE_OUT)
            .map(file -> PcapWriter.create(file, settings.assignment(NicKeys.CAPTURE_OUT)))
            .orElse(null));
  }

  private static void refuseInput(Settings settings, Path file) {
    Optional<Path> input = NicKeys.pcap(settings);
    try {
      if (input.isPresent() && Files.exists(file) && Files.isSameFile(file, input.get())) {
        throw settings.refuse(NicKeys.CAPTURE_OUT, "must not be the capture that is read");
      }
    } catch (IOException e) {
      throw settings.refuse(NicKeys.CAPTURE_OUT, "cannot be compared with the capture: " + e);
    }
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
