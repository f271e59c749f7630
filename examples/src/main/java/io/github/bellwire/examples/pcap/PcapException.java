package io.github.bellwire.examples.pcap;

import io.github.bellwire.examples.settings.UserErrorException;

/** A capture that cannot be read or written; the message names it and says what to do. */
public final class PcapException extends UserErrorException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param label how messages call the capture, such as {@code pcap=trace.pcap}
   * @param problem what is wrong with it
   */
  public PcapException(String label, String problem) {
    super(label + ": " + problem);
  }
}
