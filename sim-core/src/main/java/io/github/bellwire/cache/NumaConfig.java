package io.github.bellwire.cache;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * The sockets of a machine and what lies between them. Cores are dealt out in blocks: the first
 * half belongs to socket 0.
 *
 * @param sockets 1 or 2
 * @param secondSocketPa memory from this address on is attached to socket 1, a multiple of 64, at
 *     least 0; of no meaning with one socket
 * @param roundTripPs a request to the other socket and its answer, without what happens there, 0..1
 *     us
 */
public record NumaConfig(int sockets, long secondSocketPa, long roundTripPs) {
  private static final long ROUND_TRIP_MAX_PS = 1_000_000;

  /** One socket. */
  public static final NumaConfig ONE_SOCKET = new NumaConfig(1, 0, 0);

  // Checked here and nowhere else.
  public NumaConfig {
    requireRange("sockets", sockets, 1, 2);
    if (secondSocketPa < 0 || secondSocketPa % CacheHierarchy.LINE_BYTES != 0) {
      throw new IllegalArgumentException(
          "secondSocketPa must be a multiple of 64, >= 0: secondSocketPa=" + secondSocketPa);
    }
    requireRange("roundTripPs", roundTripPs, 0, ROUND_TRIP_MAX_PS);
  }
}
