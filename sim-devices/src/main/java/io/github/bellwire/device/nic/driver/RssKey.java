package io.github.bellwire.device.nic.driver;

import io.github.bellwire.device.nic.NicRegisters;

/**
 * The 40-byte key of the Toeplitz hash.
 *
 * @param bytes0 key bytes 0..7, the first one in 63:56
 * @param bytes8 key bytes 8..15
 * @param bytes16 key bytes 16..23
 * @param bytes24 key bytes 24..31
 * @param bytes32 key bytes 32..39
 */
public record RssKey(long bytes0, long bytes8, long bytes16, long bytes24, long bytes32) {
  /** The key of the published verification suite (82599 data sheet 7.1.2.8.3). */
  public static final RssKey VERIFICATION_SUITE =
      new RssKey(
          0x6d5a56da255b0ec2L,
          0x4167253d43a38fb0L,
          0xd0ca2bcbae7b30b4L,
          0x77cb2da38030f20cL,
          0x6a42b73bbeac01faL);

  /** 6d5a twenty times: both directions of a flow get the same hash. */
  public static final RssKey SYMMETRIC =
      new RssKey(
          0x6d5a6d5a6d5a6d5aL,
          0x6d5a6d5a6d5a6d5aL,
          0x6d5a6d5a6d5a6d5aL,
          0x6d5a6d5a6d5a6d5aL,
          0x6d5a6d5a6d5a6d5aL);

  /**
   * {@return what register RSSRK holds: key byte 4 index in bits 7:0}
   *
   * @param index of {@link NicRegisters#rssrk}, 0..9
   */
  int registerValue(int index) {
    long pair =
        switch (index >>> 1) {
          case 0 -> bytes0;
          case 1 -> bytes8;
          case 2 -> bytes16;
          case 3 -> bytes24;
          default -> bytes32;
        };
    return Integer.reverseBytes((int) (index % 2 == 0 ? pair >>> 32 : pair));
  }
}
